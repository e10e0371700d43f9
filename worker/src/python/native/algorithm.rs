//! One run of an algorithm, from Python and from Rust.
//!
//! Promises that algorithms run detached from the interpreter, and that [`call_algorithm`] drives the native engine and
//! the real Mantid with the same code: by `AlgorithmManager` of whatever `mantid` is.

use live_data_reduction::algorithm::AlgorithmRun;
use live_data_reduction::value::Value;
use parking_lot::Mutex;
use pyo3::prelude::*;

use super::error::{Raise, worded};
use super::{arrays, shared, value};

/// A run of an algorithm of the native engine.
#[pyclass(module = "livedata._engine", frozen)]
pub(crate) struct Run(Mutex<AlgorithmRun>);

#[pymethods]
impl Run {
    #[new]
    #[pyo3(signature = (name, version=None))]
    fn new(py: Python<'_>, name: &str, version: Option<u32>) -> PyResult<Self> {
        Ok(Self(Mutex::new(AlgorithmRun::create(name, version).raise(py)?)))
    }

    fn version(&self) -> u32 {
        self.0.lock().declaration().version
    }

    /// Sets a property. Errors carry the bare reason; the caller adds which algorithm it was.
    fn set(&self, py: Python<'_>, name: &str, object: &Bound<'_, PyAny>) -> PyResult<()> {
        let given = value::from_python(object)?;
        let result = self.0.lock().set_property(name, given);
        result.map_err(|error| worded(py, error.class(), error.to_string()))
    }

    /// The value of a property.
    fn get<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let held = self.0.lock().property(name);
        value::to_python(py, held.raise(py)?)
    }

    /// The value of a property as text.
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

    /// Executes; returns (name, value) of each output.
    fn execute<'py>(&self, py: Python<'py>) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let shared = shared()?;
        arrays::write_back(py)?;
        let run = self.0.lock().clone();
        let cancel = shared.cancel();
        let outputs = py.detach(|| run.execute(&shared.service, &cancel));
        // A time limit that passed meanwhile goes first.
        py.check_signals()?;
        outputs
            .raise(py)?
            .values
            .into_iter()
            .map(|(name, held)| Ok((name, value::to_python(py, held)?)))
            .collect()
    }
}

/// Runs an algorithm of whichever engine is `mantid`, by its `AlgorithmManager`: creates it unmanaged, sets the
/// properties, executes it, and leaves its outputs in the data service under the names given.
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
