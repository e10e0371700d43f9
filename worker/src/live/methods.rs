//! How a chunk, or what was accumulated, is processed: by an algorithm of the native engine, or by Python.
//!
//! Promises: Python is attached to only while its code runs; what it raises comes back as text; names that it was lent are
//! taken back. Must not know which data these are.

use std::path::Path;
use std::time::Instant;

use live_data_engine::cancel::Cancel;
use live_data_reduction::live::{Method, process};
use live_data_reduction::workspace::{Handle, Workspace, WorkspaceCell};
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
    /// A script that made no result.
    #[error("the {what} made no workspace named by `output`: give its result that name, as in OutputWorkspace=output")]
    NoOutput {
        /// Which script.
        what: &'static str,
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
    /// Runs code with `input` as a workspace and `output` as the name of its result.
    ///
    /// # Errors
    /// What it raised, as text.
    fn run(&self, code: &str, input: &Handle, output: &str, running: &Running) -> Result<(), String>;
}

/// Python code that runs on a thread, for whoever watches how long that takes.
#[derive(Debug, Default)]
pub struct Running(Mutex<Option<Under>>);

/// Code under way.
#[derive(Clone, Copy, Debug)]
pub struct Under {
    /// Python's name of the thread.
    pub thread: u64,
    /// Since when.
    pub since: Instant,
}

impl Running {
    /// What runs now.
    pub fn now(&self) -> Option<Under> {
        *self.0.lock()
    }

    fn set(&self, under: Option<Under>) {
        *self.0.lock() = under;
    }
}

/// The worker's own interpreter.
pub struct Embedded;

impl Scripts for Embedded {
    fn run(&self, code: &str, input: &Handle, output: &str, running: &Running) -> Result<(), String> {
        let began = Instant::now();
        Python::attach(|py| {
            let ran = (|| {
                let ident: u64 = py.import("threading")?.call_method0("get_ident")?.extract()?;
                let cell = Bound::new(py, native::Cell::new(input.clone()))?;
                let run = py.import("livedata.live_script")?.getattr("run")?;
                running.set(Some(Under {
                    thread: ident,
                    since: Instant::now(),
                }));
                let ran = run.call1((code, cell, output)).map(drop);
                // Still attached: whoever interrupts looks at this while attached, too, and comes either before or after.
                running.set(None);
                super::overseer::forget_interruption(py, ident);
                ran
            })();
            ran.map_err(|error| {
                let mut text = text_of(py, &error);
                if error.get_type(py).name().is_ok_and(|name| name == "ScriptTimeout") {
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
    /// The data after the method. `code` is its text where it is a script; `needed` says that a script has to make an output.
    pub fn process(
        &self,
        method: &Method,
        code: Option<&str>,
        input: &Handle,
        output: &str,
        (what, needed): (&'static str, bool),
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
        let named = input.name().is_empty();
        if named {
            data.add_or_replace(&lent, input.clone())?;
        }
        let made = format!("__live_{output}");
        let ran = self.scripts.run(code, input, &made, self.running);
        if named {
            data.remove_deep(&lent);
        }
        let result = data.get(&made);
        if let Some(result) = &result {
            data.remove_deep(&result.name());
        }
        ran.map_err(|text| ProcessError::Script { what, text })?;
        match result {
            Some(result) => Ok(unnamed(&result)),
            None if needed => Err(ProcessError::NoOutput { what }),
            None => Ok(input.raw()),
        }
    }
}

/// The workspace; the members of a group without the names that they had.
fn unnamed(handle: &Handle) -> Workspace {
    match handle.snapshot() {
        Workspace::Group(group) => {
            let cells = group
                .members()
                .iter()
                .map(|member| WorkspaceCell::new("", member.snapshot()));
            Workspace::Group(live_data_reduction::WorkspaceGroup::new(cells.collect()))
        }
        matrix => matrix,
    }
}
