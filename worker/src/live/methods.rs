//! How a chunk, or what was accumulated, is processed: by an algorithm of the native engine, or by Python.
//!
//! Promises: Python is attached to only while its code runs; what it raises comes back as text; names that it was lent are
//! taken back. Must not know which data these are.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use live_data_engine::cancel::Cancel;
use live_data_reduction::live::{Method, accumulate, process};
use live_data_reduction::workspace::{Handle, Workspace};
use live_data_reduction::{AlgorithmError, Service};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::python::errors::text_of;
use crate::python::native;

/// Why data could not be processed.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// An algorithm's words.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmError),
    /// What Python raised.
    #[error("the {what} failed:\n{text}")]
    Script {
        /// Which script.
        what: &'static str,
        /// The exception with its traceback.
        text: String,
    },
    /// A file.
    #[error("cannot read the {what} {path}: {source}")]
    Read {
        /// Which script.
        what: &'static str,
        /// Where.
        path: String,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

/// Runs Python for chunks.
pub trait Scripts: Send + Sync {
    /// Runs code with `input` as a workspace and `output` as the name that its result is to get. Returns the workspace that
    /// the code has assigned to `output` instead, if it has.
    ///
    /// # Errors
    /// What it raised, as text.
    fn run(&self, code: &str, input: &Handle, output: &str, running: &Running) -> Result<Option<Handle>, String>;
}

/// Python code that runs on a thread, for whoever watches how long that takes.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<Under>>);

/// Code under way.
#[derive(Clone, Debug)]
pub struct Under {
    /// Python's name of the thread.
    pub thread: u64,
    /// Since when.
    pub since: Instant,
    /// The end of what it computes.
    pub cancel: Cancel,
}

impl Running {
    /// What runs now.
    pub fn now(&self) -> Option<Under> {
        self.0.lock().clone()
    }

    fn set(&self, under: Option<Under>) {
        *self.0.lock() = under;
    }
}

/// The worker's own interpreter.
pub struct Embedded;

impl Scripts for Embedded {
    fn run(&self, code: &str, input: &Handle, output: &str, running: &Running) -> Result<Option<Handle>, String> {
        let (began, cancel) = (Instant::now(), Cancel::new());
        Python::attach(|py| {
            let ran = (|| {
                let ident: u64 = py.import("threading")?.call_method0("get_ident")?.extract()?;
                let cell = Bound::new(py, native::Cell::new(input.clone()))?;
                let run = py.import("livedata.live_script")?.getattr("run")?;
                running.set(Some(Under {
                    thread: ident,
                    since: Instant::now(),
                    cancel: cancel.clone(),
                }));
                let ran = native::cancelled_by(&cancel, || run.call1((code, cell, output)));
                // Still attached: whoever interrupts looks at this while attached, too, and comes either before or after.
                running.set(None);
                super::overseer::forget_interruption(py, ident);
                let assigned: Option<PyRef<'_, native::Cell>> = ran?.extract()?;
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

/// The texts of scripts in files, as they are now.
pub fn text(method: &Method, what: &'static str) -> Result<Option<String>, ProcessError> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|source| ProcessError::Read {
            what,
            path: path.display().to_string(),
            source,
        })
    };
    match method {
        Method::Algorithm(..) => Ok(None),
        Method::Script(text) => Ok(Some(text.clone())),
        Method::File(path) => read(path).map(Some),
        Method::Watched(path) if !path.exists() => Ok(None),
        Method::Watched(path) => read(path).map(Some),
    }
}

/// What processing is done with.
pub struct Processor<'a> {
    /// Names, instruments, log.
    pub service: &'a Service,
    /// Python.
    pub scripts: &'a dyn Scripts,
    /// Says what runs.
    pub running: &'a Running,
    /// The end of it.
    pub cancel: &'a Cancel,
}

impl Processor<'_> {
    /// The data after the method. `code` is its text where it is a script. A script that makes no `output` has done what it
    /// does to its input, which goes on.
    pub fn process(
        &self,
        method: &Method,
        code: Option<&str>,
        input: &Handle,
        output: &str,
        what: &'static str,
    ) -> Result<Workspace, ProcessError> {
        let Some(code) = code else {
            return match method {
                Method::Algorithm(name, properties) => {
                    Ok(process::through(name, properties, input, self.service, self.cancel)?)
                }
                // A watched file that is not there.
                _ => Ok(input.snapshot()),
            };
        };
        let data = &self.service.data;
        // A script may name its input: it is lent one while it runs.
        let lent = format!("__live_{output}_input");
        let unnamed = input.name().is_empty();
        if unnamed {
            data.add_or_replace(&lent, input.clone())?;
        }
        // What has a name is processed into the output's own, which a script may say as well.
        let former = data.get(output).filter(|_| !unnamed);
        let new = |now: &Handle| !former.as_ref().is_some_and(|former| Arc::ptr_eq(former, now));
        let name = format!("__live_{output}");
        let ran = self.scripts.run(code, input, &name, self.running);
        let made = ran.map(|assigned| {
            let left = || data.get(if unnamed { &lent } else { output }).filter(new);
            let found = assigned.or_else(|| data.get(&name)).or_else(left);
            // Before names are taken back, which takes members out of groups.
            accumulate::apart(found.as_ref().unwrap_or(input).snapshot())
        });
        data.remove_deep(&name);
        if unnamed {
            data.remove_deep(&lent);
        }
        made.map_err(|text| ProcessError::Script { what, text })
    }
}
