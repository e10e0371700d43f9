//! Preparation of the interpreter before the first script: embedded packages, streams, signal handler and engine.
//!
//! Promises that `livedata` (and `mantid`, with the native engine) are imported from the binary. Output, log lines and
//! exceptions of scripts reach the sink. The Python part is `livedata.startup`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use super::config::InterpreterConfig;
use super::engine::{self, Engine, EngineChoice};
use super::output::{
    LineLevel, LineOrigin, LineSplitter, OutputLine, OutputSink, Redactor, TextStream, stream::LONGEST_LINE,
};
use super::watchdog::{Watchdog, signal_number};

macro_rules! embedded {
    ($($name:literal $package:literal $file:literal),* $(,)?) => {
        &[$(EmbeddedModule { name: $name, package: $package, file: concat!("worker/python/", $file),
            source: include_str!(concat!("../../python/", $file)) }),*]
    };
}

/// Source of a Python module inside the binary; `file` is the name in tracebacks.
struct EmbeddedModule {
    name: &'static str,
    package: bool,
    file: &'static str,
    source: &'static str,
}

static LIVEDATA_PACKAGE: &[EmbeddedModule] = embedded![
    "livedata" true "livedata/__init__.py",
    "livedata.check" false "livedata/check.py",
    "livedata.failures" false "livedata/failures.py",
    "livedata.live_script" false "livedata/live_script.py",
    "livedata.mantid_adapter" false "livedata/mantid_adapter.py",
    "livedata.names" false "livedata/names.py",
    "livedata.run_file" false "livedata/run_file.py",
    "livedata.script" false "livedata/script.py",
    "livedata.startup" false "livedata/startup.py",
];

static MANTID_PACKAGE: &[EmbeddedModule] = embedded![
    "mantid" true "mantid/__init__.py",
    "mantid._absent" false "mantid/_absent.py",
    "mantid._algorithms" false "mantid/_algorithms.py",
    "mantid._arithmetic" false "mantid/_arithmetic.py",
    "mantid._axes" false "mantid/_axes.py",
    "mantid._calls" false "mantid/_calls.py",
    "mantid._components" false "mantid/_components.py",
    "mantid._config" false "mantid/_config.py",
    "mantid._data_service" false "mantid/_data_service.py",
    "mantid._files" false "mantid/_files.py",
    "mantid._group" false "mantid/_group.py",
    "mantid._history" false "mantid/_history.py",
    "mantid._instrument" false "mantid/_instrument.py",
    "mantid._live" false "mantid/_live.py",
    "mantid._logger" false "mantid/_logger.py",
    "mantid._methods" false "mantid/_methods.py",
    "mantid._properties" false "mantid/_properties.py",
    "mantid._run" false "mantid/_run.py",
    "mantid._scripts" false "mantid/_scripts.py",
    "mantid._spectra" false "mantid/_spectra.py",
    "mantid._table_workspace" false "mantid/_table_workspace.py",
    "mantid._tables" false "mantid/_tables.py",
    "mantid._times" false "mantid/_times.py",
    "mantid._unit_conversion" false "mantid/_unit_conversion.py",
    "mantid._units" false "mantid/_units.py",
    "mantid._vectors" false "mantid/_vectors.py",
    "mantid._workspaces" false "mantid/_workspaces.py",
    "mantid._wrap" false "mantid/_wrap.py",
    "mantid.api" true "mantid/api/__init__.py",
    "mantid.dataobjects" false "mantid/dataobjects.py",
    "mantid.geometry" false "mantid/geometry.py",
    "mantid.kernel" true "mantid/kernel/__init__.py",
    "mantid.kernel.funcinspect" false "mantid/kernel/funcinspect.py",
    "mantid.simpleapi" false "mantid/simpleapi.py",
];

const FINDER: &str = include_str!("../../python/livedata/finder.py");

/// Functions that the `livedata` package calls in the worker.
#[pyclass(module = "livedata._native", frozen)]
pub(crate) struct InterpreterHooks {
    watchdog: Arc<Watchdog>,
    sink: OutputSink,
    redactor: Redactor,
}

#[pymethods]
impl InterpreterHooks {
    /// Reason of the pending interruption, or None.
    fn interruption(&self) -> Option<String> {
        self.watchdog.interruption()
    }

    /// Writes text of `logging` or of Mantid's logger to the output, line by line.
    fn log(&self, level: i64, text: &str) {
        let level = LineLevel::from_logging(level);
        let mut splitter = LineSplitter::new(LONGEST_LINE, self.redactor.clone());
        let emit = |text| {
            self.sink.line(OutputLine {
                level,
                origin: LineOrigin::Logging,
                text,
            })
        };
        splitter.write(text, emit);
        splitter.flush(emit);
    }

    /// Text with secret values replaced.
    fn redact(&self, text: String) -> String {
        self.redactor.redact(text)
    }
}

/// Installs packages, streams and engine. Returns the engine in use and warnings for the log.
pub(crate) fn install(
    py: Python<'_>,
    config: InterpreterConfig,
    watchdog: &Arc<Watchdog>,
) -> PyResult<(Engine, Vec<String>)> {
    let native = PyModule::new(py, "livedata._native")?;
    native.add_class::<TextStream>()?;
    native.add_class::<InterpreterHooks>()?;
    let modules = py.import("sys")?.getattr("modules")?;
    modules.set_item("livedata._native", &native)?;

    let finder = PyModule::new(py, "livedata_finder")?;
    finder.dict().set_item("__builtins__", py.import("builtins")?)?;
    let code = py
        .import("builtins")?
        .call_method1("compile", (FINDER, "<live-data>/livedata/finder.py", "exec"))?;
    py.import("builtins")?.call_method1("exec", (code, finder.dict()))?;
    let sources = finder.getattr("Sources")?.call0()?;
    add(py, &sources, LIVEDATA_PACKAGE)?;
    sources.call_method0("install")?;

    let hooks = Bound::new(
        py,
        InterpreterHooks {
            watchdog: Arc::clone(watchdog),
            sink: config.output.clone(),
            redactor: config.redactor.clone(),
        },
    )?;
    native.add("hooks", hooks)?;
    let stream = |origin| TextStream::new(config.output.clone(), origin, config.redactor.clone());
    let settings = PyDict::new(py);
    settings.set_item("stdout", Bound::new(py, stream(LineOrigin::Stdout))?)?;
    settings.set_item("stderr", Bound::new(py, stream(LineOrigin::Stderr))?)?;
    settings.set_item("signal_number", signal_number())?;
    settings.set_item("hidden_variables", &config.hidden_variables)?;
    settings.set_item(
        "home",
        config.home.as_ref().map(|home| home.to_string_lossy().into_owned()),
    )?;
    settings.set_item("direct", matches!(config.output, OutputSink::Direct(_)))?;
    let startup = py.import("livedata.startup")?;
    startup.call_method("prepare", (), Some(&settings))?;

    let real = if config.engine == EngineChoice::Native {
        Ok(None)
    } else {
        startup
            .call_method0("real_mantid")
            .and_then(|found| found.extract())
            .map_err(|error| error.to_string())
    };
    let (engine, warning) = engine::decide(config.engine, real).map_err(pyo3::exceptions::PyRuntimeError::new_err)?;
    if engine == Engine::Native {
        add(py, &sources, MANTID_PACKAGE)?;
        if let Some(setup) = config.native {
            setup(py, watchdog)?;
        }
    }
    Ok((engine, warning.into_iter().collect()))
}

fn add(_py: Python<'_>, sources: &Bound<'_, PyAny>, modules: &[EmbeddedModule]) -> PyResult<()> {
    for module in modules {
        sources.call_method1("add", (module.name, module.package, module.file, module.source))?;
    }
    Ok(())
}
