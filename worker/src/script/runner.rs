//! Runner of the script on the interpreter's script thread.
//!
//! Promises: a script that cannot be loaded leaves the former one in place. Each execution begins with a fresh live
//! workspace. An exception is returned as text. Must not keep a workspace alive.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use thiserror::Error;

use super::outcome::{ExecutionOutcome, MissingName, RetainedWorkspace, RunChange};
use crate::python::errors::text_of;
use crate::python::output::{LineCounts, OutputSink};
use crate::python::{InterpreterHandle, JobError, Limits};

/// Failure to load or check a script.
#[derive(Debug, Error)]
pub enum LoadScriptError {
    /// The script does not parse, its top level raised, or it has no `execute()`; the text is Python's.
    #[error("cannot load the script: {0}")]
    Script(String),
    /// The interpreter did not finish the job.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Failure to prepare the script's working folder.
#[derive(Debug, Error)]
pub enum StartScriptRunnerError {
    /// The folder cannot be made or entered.
    #[error("cannot use {} as the script's working folder: {reason}; it must be writable", folder.display())]
    UseFolder { folder: PathBuf, reason: String },
    /// The interpreter did not finish the job.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Runner of one instrument's script; its methods are called by one thread at a time.
pub struct ScriptRunner {
    handle: InterpreterHandle,
    host: Py<PyAny>,
}

impl ScriptRunner {
    /// Runner with the working folder `folder`, which becomes the process's current folder and the first of `sys.path`.
    /// Relative paths of the settings have to be made absolute before.
    ///
    /// # Errors
    /// [`StartScriptRunnerError::UseFolder`] if the folder cannot be made or entered.
    pub fn new(handle: InterpreterHandle, folder: &Path) -> Result<Self, StartScriptRunnerError> {
        let unusable = |reason: String| StartScriptRunnerError::UseFolder {
            folder: folder.to_path_buf(),
            reason,
        };
        std::fs::create_dir_all(folder).map_err(|error| unusable(error.to_string()))?;
        let path = folder.to_string_lossy().into_owned();
        let host = handle.run(None, move |py| {
            let host = py
                .import("livedata.script")
                .and_then(|module| module.getattr("Host")?.call1((path,)));
            host.map(Bound::unbind).map_err(|error| text_of(py, &error))
        })?;
        Ok(Self {
            handle,
            host: host.map_err(unusable)?,
        })
    }

    /// Interpreter that runs the script.
    #[must_use]
    pub fn handle(&self) -> &InterpreterHandle {
        &self.handle
    }

    /// Makes `text` the current script by running its top level, within `limits`.
    ///
    /// # Errors
    /// [`LoadScriptError::Script`] if it cannot be used: the former script stays the current one.
    pub fn load(&self, text: &str, limits: Limits) -> Result<(), LoadScriptError> {
        let text = text.to_owned();
        self.call(limits, move |_, host| host.call_method1("load", (text,)).map(drop))?
            .map_err(LoadScriptError::Script)
    }

    /// Executes the current script after `bind`, both on the script thread. `bind` stores a fresh view of the run as
    /// the live workspace and should detach from the interpreter for long work.
    ///
    /// # Errors
    /// [`JobError::Unkillable`] or [`JobError::Gone`] if the interpreter is lost: the process should exit. A failure of the
    /// script is an [`ExecutionOutcome`].
    pub fn execute(
        &self,
        limits: Limits,
        bind: impl FnOnce(Python<'_>) -> Result<(), String> + Send + 'static,
    ) -> Result<ExecutionOutcome, JobError> {
        let started = Instant::now();
        if let OutputSink::Queue(queue) = self.handle.output() {
            queue.begin();
        }
        let host = Python::attach(|py| self.host.clone_ref(py));
        let executed = self.handle.run(Some(limits), move |py| {
            if let Err(error) = bind(py) {
                return Err((format!("cannot prepare the live workspace: {error}"), false));
            }
            host.bind(py)
                .call_method0("execute")
                .and_then(|threads| threads.extract::<Vec<String>>())
                .map_err(|error| (text_of(py, &error), is_interruption(py, &error)))
        })?;
        Ok(self.outcome(started.elapsed(), executed))
    }

    /// Clears a former run. Calls `clear`, which empties the data service. Loads the script anew and collects garbage.
    /// Then calls `retained` with the result of `clear` for the workspaces that are still referenced.
    ///
    /// # Errors
    /// [`JobError`] if the interpreter is lost. An error of the script's top level is in the [`RunChange`].
    pub fn change_run<T: Send + 'static>(
        &self,
        limits: Limits,
        clear: impl FnOnce(Python<'_>) -> T + Send + 'static,
        retained: impl FnOnce(Python<'_>, T) -> Vec<RetainedWorkspace> + Send + 'static,
    ) -> Result<RunChange, JobError> {
        let host = Python::attach(|py| self.host.clone_ref(py));
        self.handle.run(Some(limits), move |py| {
            let former = clear(py);
            let reloaded = host
                .bind(py)
                .call_method0("reload")
                .err()
                .map(|error| text_of(py, &error));
            let collected = py
                .import("livedata.script")
                .and_then(|module| module.call_method0("collect"));
            let reload_error = reloaded.or_else(|| collected.err().map(|error| text_of(py, &error)));
            RunChange {
                retained: retained(py, former),
                reload_error,
            }
        })
    }

    /// Names of Mantid in `text` that the engine lacks, in order of their lines; the script is not run.
    ///
    /// # Errors
    /// [`LoadScriptError::Script`] if the text does not parse or the check takes more than 60 s.
    pub fn check(handle: &InterpreterHandle, text: &str) -> Result<Vec<MissingName>, LoadScriptError> {
        let text = text.to_owned();
        let limits = Limits::after(Duration::from_secs(60));
        let checked = handle.run(Some(limits), move |py| {
            py.import("livedata.check")
                .and_then(|module| module.call_method1("missing", (text,)))
                .and_then(|found| found.extract::<Vec<(u32, String, String)>>())
                .map_err(|error| text_of(py, &error))
        })?;
        let found = checked.map_err(LoadScriptError::Script)?;
        Ok(found
            .into_iter()
            .map(|(line, name, remark)| MissingName { line, name, remark })
            .collect())
    }

    fn call<R: Send + 'static>(
        &self,
        limits: Limits,
        job: impl FnOnce(Python<'_>, &Bound<'_, PyAny>) -> PyResult<R> + Send + 'static,
    ) -> Result<Result<R, String>, JobError> {
        let host = Python::attach(|py| self.host.clone_ref(py));
        self.handle.run(Some(limits), move |py| {
            job(py, host.bind(py)).map_err(|error| text_of(py, &error))
        })
    }

    fn outcome(&self, duration: Duration, executed: Result<Vec<String>, (String, bool)>) -> ExecutionOutcome {
        let lines = match self.handle.output() {
            OutputSink::Queue(queue) => queue.counts(),
            OutputSink::Direct(_) => LineCounts::default(),
        };
        match executed {
            Ok(surviving_threads) => ExecutionOutcome {
                ok: true,
                error: None,
                interrupted: false,
                duration,
                lines,
                surviving_threads,
            },
            Err((error, interrupted)) => ExecutionOutcome {
                ok: false,
                error: Some(error),
                interrupted,
                duration,
                lines,
                surviving_threads: Vec::new(),
            },
        }
    }
}

fn is_interruption(py: Python<'_>, error: &PyErr) -> bool {
    error.get_type(py).name().is_ok_and(|name| name == "ScriptTimeout")
}
