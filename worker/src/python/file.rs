//! Execution of a Python file as `python FILE` does it.
//!
//! Promises the exit code that `python` would give, with `sys.exit` and exceptions caught. Must not end the process.

use std::path::Path;

use pyo3::prelude::*;

/// Runs the file as `__main__`, with `sys.argv` of its path and the arguments; returns the exit code.
pub(crate) fn run(py: Python<'_>, path: &Path, arguments: &[String]) -> i32 {
    let code = py
        .import("livedata.run_file")
        .and_then(|module| module.call_method1("run", (path.to_string_lossy(), arguments)))
        .and_then(|code| code.extract::<i32>());
    code.unwrap_or_else(|error| {
        tracing::error!("cannot run {}: {}", path.display(), super::errors::text_of(py, &error));
        1
    })
}
