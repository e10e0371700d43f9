//! `python FILE`: any Python file in the embedded interpreter, with the chosen engine as `mantid`.
//!
//! Promises the exit code that Python would give. It must not know runs or the stream.

use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::PythonArgs;
use crate::engine::{StartAtTerminalError, ToStderr, service, start_at_terminal};
use crate::python::JobError;

/// Why a file could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunFileError {
    /// Python.
    #[error(transparent)]
    Start(#[from] StartAtTerminalError),
    /// The job.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Runs a Python file; the exit code is the file's.
pub fn run(args: &PythonArgs) -> Result<ExitCode, RunFileError> {
    let output = args.output_dir.clone().or_else(|| std::env::current_dir().ok());
    let service = service(Arc::new(ToStderr), args.instrument_dir.clone(), output);
    let python = start_at_terminal(&service, args.engine, args.venv.clone())?;
    let code = python.run_file(&args.file, &args.args)?;
    Ok(ExitCode::from(u8::try_from(code & 0xff).unwrap_or(1)))
}
