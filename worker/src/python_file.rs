//! Command `python FILE`: a Python file in the embedded interpreter, with the chosen engine as `mantid`.
//!
//! Promises the exit code that Python would return. Must not know runs or the stream.

use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::PythonArgs;
use crate::engine::{StartAtTerminalError, StderrLogger, native_services, start_at_terminal};
use crate::python::JobError;

/// Failure to run a file, other than an exception of the file itself.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// Python or the chosen engine cannot be started.
    #[error(transparent)]
    Start(#[from] StartAtTerminalError),
    /// The interpreter was lost.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Runs a Python file; returns the file's exit code modulo 256.
///
/// # Errors
/// Both variants of [`RunFileError`].
pub fn run(args: &PythonArgs) -> Result<ExitCode, RunFileError> {
    let output = args.output_dir.clone().or_else(|| std::env::current_dir().ok());
    let services = native_services(Arc::new(StderrLogger), args.instrument_dir.clone(), output);
    let python = start_at_terminal(&services, args.engine, args.venv.clone())?;
    let code = python.run_file(&args.file, &args.args)?;
    Ok(ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1)))
}
