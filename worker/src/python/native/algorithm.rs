//! Execution of one algorithm, from Python and from Rust.
//!
//! Promises that algorithms run detached from the interpreter. [`call_algorithm`] drives the native engine and the real
//! Mantid with the same code, by `AlgorithmManager` of the imported `mantid`.

use live_data_reduction::algorithm_run::AlgorithmRun;
use live_data_reduction::value::Value;
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::engine_services::engine_services;
use super::error::{RaiseInPython, exception_of};
use super::{arrays, value};

/// One execution of a native algorithm: created, given properties, executed.
#[pyclass(module = "livedata._engine", name = "NativeAlgorithm", frozen)]
pub(crate) struct PyAlgorithm(Mutex<AlgorithmRun>);

#[pymethods]
impl PyAlgorithm {
    #[new]
    #[pyo3(signature = (name, version=None))]
    fn new(py: Python<'_>, name: &str, version: Option<u32>) -> PyResult<Self> {
        Ok(Self(Mutex::new(AlgorithmRun::create(name, version).raise(py)?)))
    }

    fn version(&self) -> u32 {
        self.0.lock().declaration().version
    }

    /// Sets a property. Errors carry the reason only; the Python caller adds the algorithm's name.
    fn set(&self, py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let given = value::from_python(object)?;
        let result = self.0.lock().set_property(name, given);
        result.map_err(|error| exception_of(py, error.class(), error.to_string()))
    }

    /// Value of a property: set, or its default.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let held = self.0.lock().property(name);
        value::to_python(py, held.raise(py)?)
    }

    /// Value of a property as Mantid prints it.
    fn text(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let held = self.0.lock().property(name);
        Ok(held.raise(py)?.to_text())
    }

    fn is_default(&self, name: &str) -> bool {
        self.0.lock().is_default(name)
    }

    fn store_in_data_service(&self, stored: bool) {
        self.0.lock().store_in_data_service(stored);
    }

    fn enable_logging(&self, logged: bool) {
        self.0.lock().enable_logging(logged);
    }

    /// Executes without the GIL; returns (name, value) of each output property.
    fn execute<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let engine = engine_services()?;
        arrays::write_back(py)?;
        let run = self.0.lock().clone();
        let cancel = engine.cancel();
        let outputs = py.detach(|| run.execute(&engine.services, &cancel));
        // An interruption by SCRIPT_TIMEOUT takes precedence over the error that it caused.
        py.check_signals()?;
        outputs
            .raise(py)?
            .values
            .into_iter()
            .map(|(name, held)| Ok((name, value::to_python(py, held)?)))
            .collect()
    }
}

/// Runs an algorithm of the engine that is imported as `mantid`, through its `AlgorithmManager`.
///
/// Outputs stay in the data service under the names given as properties.
///
/// # Errors
/// The exception that Mantid raises: an unknown algorithm, a bad property, or a failed execution.
pub fn call_algorithm(py: Python<'_>, name: &str, properties: &[(&str, Value)]) -> PyResult<()> {
    let manager = py.import("mantid.api")?.getattr("AlgorithmManager")?;
    let algorithm = manager.call_method1("createUnmanaged", (name,))?;
    algorithm.call_method0("initialize")?;
    algorithm.call_method1("setRethrows", (true,))?;
    for (property, given) in properties {
        algorithm.call_method1("setProperty", (*property, value::to_python(py, given.clone())?))?;
    }
    algorithm.call_method0("execute")?;
    Ok(())
}
