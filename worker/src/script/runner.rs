//! Loads and executes the script on the script thread.
//!
//! Promises: a new script that cannot be loaded leaves the former one in place; every execution is bound to a fresh
//! view of the run first; what a script raises comes back as text. Keeps no workspace alive itself.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use thiserror::Error;

use super::outcome::{Missing, Outcome, Pinned};
use crate::python::errors::text_of;
use crate::python::output::{Counts, Sink};
use crate::python::{Handle, JobError, Limits};

/// Why a script was not taken.
#[derive(Debug, Error)]
pub enum LoadScriptError {
    /// The author's to mend: it doesn't parse, cannot be imported, or has no `execute()`.
    #[error("cannot load the script: {0}")]
    Script(String),
    /// The interpreter's.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// Why the runner could not be made.
#[derive(Debug, Error)]
pub enum RunnerError {
    /// The folder cannot be used.
    #[error("cannot use {} as the script's working folder: {reason}; it must be writable", folder.display())]
    UseFolder {
        /// The folder.
        folder: PathBuf,
        /// What went wrong.
        reason: String,
    },
    /// The interpreter's.
    #[error(transparent)]
    Job(#[from] JobError),
}

/// The script of one instrument. `execute` is called by one thread at a time.
pub struct Runner {
    handle: Handle,
    host: Py<PyAny>,
}

impl Runner {
    /// Makes `folder` the script's working folder: the process's current one, and first on `sys.path`. Relative paths
    /// that the worker was given have to be made absolute before.
    ///
    /// # Errors
    /// When the folder cannot be made or entered.
    pub fn new(handle: Handle, folder: &Path) -> Result<Self, RunnerError> {
        let unusable = |reason: String| RunnerError::UseFolder {
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

    /// The interpreter.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Makes `text` the current script. Its top level runs now, within the limits.
    ///
    /// # Errors
    /// Why it cannot be used; the former script stays the current one.
    pub fn load(&self, text: &str, limits: Limits) -> Result<(), LoadScriptError> {
        let text = text.to_owned();
        self.call(limits, move |_, host| host.call_method1("load", (text,)).map(drop))?
            .map_err(LoadScriptError::Script)
    }

    /// Executes the current script. `bind` runs first, on the script thread: it puts a fresh view of the run under the
    /// live workspace's name. Detach in it for what takes long.
    ///
    /// # Errors
    /// When the interpreter is lost ([`JobError::Unkillable`]): the process should exit. A script that fails is an
    /// [`Outcome`].
    pub fn execute(
        &self,
        limits: Limits,
        bind: impl FnOnce(Python<'_>) -> Result<(), String> + Send + 'static,
    ) -> Result<Outcome, JobError> {
        let started = Instant::now();
        if let Sink::Queue(queue) = self.handle.output() {
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

    /// Another run has begun: `clear` empties the data service and says what to look for afterwards; then the script is
    /// loaded anew and garbage collected, and `pinned` tells what is still held.
    ///
    /// # Errors
    /// When the script's top level fails this time (its former self goes on), or the interpreter is lost.
    pub fn change_run<T: Send + 'static>(
        &self,
        limits: Limits,
        clear: impl FnOnce(Python<'_>) -> T + Send + 'static,
        pinned: impl FnOnce(Python<'_>, T) -> Vec<Pinned> + Send + 'static,
    ) -> Result<(Vec<Pinned>, Option<String>), JobError> {
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
            let problem = reloaded.or_else(|| collected.err().map(|error| text_of(py, &error)));
            (pinned(py, former), problem)
        })
    }

    /// What `text` uses of Mantid that the engine in use lacks, without running it.
    ///
    /// # Errors
    /// When the text doesn't parse, or the check itself fails.
    pub fn check(handle: &Handle, text: &str) -> Result<Vec<Missing>, LoadScriptError> {
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
            .map(|(line, name, remark)| Missing { line, name, remark })
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

    fn outcome(&self, duration: Duration, executed: Result<Vec<String>, (String, bool)>) -> Outcome {
        let lines = match self.handle.output() {
            Sink::Queue(queue) => queue.counts(),
            Sink::Direct(_) => Counts::default(),
        };
        match executed {
            Ok(surviving_threads) => Outcome {
                ok: true,
                error: None,
                interrupted: false,
                duration,
                lines,
                surviving_threads,
            },
            Err((error, interrupted)) => Outcome {
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
