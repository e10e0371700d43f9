//! Settings of the embedded interpreter.
//!
//! Promises plain values: nothing here starts or touches Python.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;

use super::engine::EngineChoice;
use super::output::{OutputSink, Redactor};
use super::watchdog::Watchdog;

/// Settings that [`super::Interpreter::start`] reads once.
pub struct InterpreterConfig {
    /// LIVE_DATA_VENV: a folder with `bin/python`, or a Python program.
    pub venv: Option<PathBuf>,
    pub engine: EngineChoice,
    /// Receiver of everything that scripts print or log.
    pub output: OutputSink,
    /// Removes secret values from all output.
    pub redactor: Redactor,
    /// Environment variables that are removed before scripts run: the worker's own secrets.
    pub hidden_variables: Vec<String>,
    /// Folder for scripts' HOME; the process's own if `None`.
    pub home: Option<PathBuf>,
    /// Prepares the native engine, unless the real Mantid is in use; see [`super::native::setup`].
    pub native: Option<NativeSetup>,
}

/// Runs once on the script thread, right after Python's initialisation.
///
/// The watchdog gives the cancellation of the script that runs.
pub type NativeSetup = Box<dyn FnOnce(Python<'_>, &Arc<Watchdog>) -> PyResult<()> + Send>;
