//! Processing of a chunk, or of accumulated data, by a native algorithm or by Python.
//!
//! Promises: the GIL is held only while Python code runs. Exceptions are returned as text. Temporary names for a script
//! are removed afterwards. Must not know which data it processes.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use live_data_engine::cancel::Cancel;
use live_data_reduction::live::{ProcessingMethod, accumulate, process};
use live_data_reduction::workspace::{Workspace, WorkspaceCell, WorkspaceHandle};
use live_data_reduction::{AlgorithmError, Services};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::python::errors::text_of;
use crate::python::interruption::withdraw_exception;
use crate::python::native;

/// Failure to process a chunk or the accumulated data.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// A native algorithm failed.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// A script raised an exception.
    #[error("the {what} failed:\n{text}")]
    Script {
        /// Processing or post-processing script.
        what: &'static str,
        /// Exception with its traceback.
        text: String,
    },
    /// A script's file cannot be read.
    #[error("cannot read the {what} {path}: {source}")]
    Read {
        /// Processing or post-processing script.
        what: &'static str,
        path: String,
        source: std::io::Error,
    },
}

/// Interpreter for processing scripts.
pub trait PythonRunner: Send + Sync {
    /// Runs `code` with the variables `input` (a workspace) and `output` (the name for the result).
    ///
    /// Returns the workspace that the code has assigned to `output`, if any.
    ///
    /// # Errors
    /// Exception with its traceback, as text.
    fn run(
        &self,
        code: &str,
        input: &WorkspaceHandle,
        output: &str,
        running: &RunningScript,
    ) -> Result<Option<WorkspaceHandle>, String>;
}

/// Script that a session's thread runs at the moment, for the supervisor.
#[derive(Debug, Default)]
pub struct RunningScript(Mutex<Option<ScriptExecution>>);

/// Execution of a script that has not ended.
#[derive(Clone, Debug)]
pub struct ScriptExecution {
    /// Thread as `threading.get_ident` numbers it.
    pub thread: u64,
    pub since: Instant,
    /// Cancellation of the algorithms that the script calls.
    pub cancel: Cancel,
}

impl RunningScript {
    /// The present execution; `None` between scripts.
    pub fn now(&self) -> Option<ScriptExecution> {
        self.0.lock().clone()
    }

    fn set(&self, under: Option<ScriptExecution>) {
        *self.0.lock() = under;
    }
}

/// Interpreter of the worker's process.
pub struct EmbeddedPython;

impl PythonRunner for EmbeddedPython {
    fn run(
        &self,
        code: &str,
        input: &WorkspaceHandle,
        output: &str,
        running: &RunningScript,
    ) -> Result<Option<WorkspaceHandle>, String> {
        let (began, cancel) = (Instant::now(), Cancel::new());
        Python::attach(|py| {
            let ran = (|| {
                let ident: u64 = py.import("threading")?.call_method0("get_ident")?.extract()?;
                let cell = Bound::new(py, native::PyWorkspace::new(input.clone()))?;
                let run = py.import("livedata.live_script")?.getattr("run")?;
                running.set(Some(ScriptExecution {
                    thread: ident,
                    since: Instant::now(),
                    cancel: cancel.clone(),
                }));
                let ran = native::cancelled_by(&cancel, || run.call1((code, cell, output)));
                // The supervisor reads `running` while attached as well: its exception is either raised or withdrawn here.
                running.set(None);
                withdraw_exception(py, ident);
                let assigned: Option<PyRef<'_, native::PyWorkspace>> = ran?.extract()?;
                Ok(assigned.map(|cell| cell.handle().clone()))
            })();
            ran.map_err(|error: PyErr| {
                let mut text = text_of(py, &error);
                let timeout = error.get_type(py).name().is_ok_and(|name| name == "ScriptTimeout");
                if timeout || cancel.is_cancelled() {
                    let seconds = began.elapsed().as_secs();
                    text.push_str(&format!("the script was interrupted: it had run for {seconds} s"));
                }
                text
            })
        })
    }
}

/// Present text of a method's script; `None` for algorithms and missing watched files. `what` names the script in errors.
///
/// # Errors
/// [`ProcessError::Read`] if a file cannot be read or is not UTF-8.
pub fn script_text(method: &ProcessingMethod, what: &'static str) -> Result<Option<String>, ProcessError> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|source| ProcessError::Read {
            what,
            path: path.display().to_string(),
            source,
        })
    };
    match method {
        ProcessingMethod::Algorithm(..) => Ok(None),
        ProcessingMethod::Script(text) => Ok(Some(text.clone())),
        ProcessingMethod::File(path) => read(path).map(Some),
        ProcessingMethod::Watched(path) if !path.exists() => Ok(None),
        ProcessingMethod::Watched(path) => read(path).map(Some),
    }
}

/// Executor of processing methods, for one chunk or one post-processing.
pub struct MethodRunner<'a> {
    pub services: &'a Services,
    pub scripts: &'a dyn PythonRunner,
    /// Receives the script's execution while it runs.
    pub running: &'a RunningScript,
    /// Cancellation of native algorithms.
    pub cancel: &'a Cancel,
}

impl MethodRunner<'_> {
    /// Applies `method` to `input`; `code` is the text of a script.
    ///
    /// A script that makes no `output` has changed its input in place, which is then the result.
    ///
    /// # Errors
    /// `Algorithm` or `Script`, by the kind of method.
    pub fn process(
        &self,
        method: &ProcessingMethod,
        code: Option<&str>,
        input: &WorkspaceHandle,
        output: &str,
        what: &'static str,
    ) -> Result<Workspace, ProcessError> {
        let Some(code) = code else {
            return match method {
                ProcessingMethod::Algorithm(name, properties) => Ok(process::run_algorithm(
                    name,
                    properties,
                    input,
                    self.services,
                    self.cancel,
                )?),
                // A watched file that does not exist.
                _ => Ok(input.snapshot()),
            };
        };
        let data = &self.services.data;
        // Scripts may call algorithms by the input's name: an unnamed one has a temporary name while they run.
        let lent = format!("__live_{output}_input");
        let unnamed = input.name().is_empty();
        if unnamed {
            data.add_or_replace(&lent, input.clone())?;
        }
        // A named input may be processed into the output's own name as well.
        let former = data.get(output).filter(|_| !unnamed);
        let new = |now: &WorkspaceHandle| !former.as_ref().is_some_and(|former| Arc::ptr_eq(former, now));
        let name = format!("__live_{output}");
        let ran = self.scripts.run(code, input, &name, self.running);
        let made = ran.map(|assigned| {
            let left = || data.get(if unnamed { &lent } else { output }).filter(new);
            let found = assigned.or_else(|| data.get(&name)).or_else(left);
            // Removing names removes members from groups: separate them first.
            accumulate::with_own_members(found.as_ref().unwrap_or(input).snapshot())
        });
        data.remove_deep(&name);
        if unnamed {
            data.remove_deep(&lent);
        }
        made.map_err(|text| ProcessError::Script { what, text })
    }
}

/// Stores a workspace under `name`; members that only a replaced group had are removed.
///
/// # Errors
/// `InvalidArgument` if the data service refuses the name.
pub fn store_workspace(services: &Services, name: &str, workspace: Workspace) -> Result<(), AlgorithmError> {
    let data = &services.data;
    let former = data.get(name).map(|cell| cell.members()).unwrap_or_default();
    let cell = WorkspaceCell::new(name, workspace);
    data.add_or_replace(name, Arc::clone(&cell))?;
    let kept = cell.member_names();
    for member in former {
        let name = member.name();
        if !kept.contains(&name) && data.get(&name).is_some_and(|held| Arc::ptr_eq(&held, &member)) {
            data.remove(&name);
        }
    }
    Ok(())
}
