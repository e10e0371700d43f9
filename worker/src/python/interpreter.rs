//! The embedded interpreter and its thread.
//!
//! Promises that Python is initialised once, on a thread of its own (which makes that thread Python's main one), is
//! never finalised (a script's thread would hang it), and that nothing a job does ends the process: panics and
//! exceptions come back as values. The handler of the process's own signals stays the process's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use live_data_engine::cancel::Cancel;
use pyo3::ffi;
use pyo3::prelude::*;
use thiserror::Error;

use super::engine::{self, EngineChoice};
use super::module;
use super::output::{Redactor, Sink};
use super::venv;
use super::watchdog::{Limits, Watch};

/// Stack of the script thread, in bytes: scientific libraries recurse deeply.
const STACK: usize = 32 << 20;

/// Why the interpreter could not be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// Initialisation failed.
    #[error("cannot start Python with {}: {reason}; check LIVE_DATA_VENV", executable.display())]
    StartPython {
        /// The interpreter chosen.
        executable: PathBuf,
        /// Python's own words.
        reason: String,
    },
    /// The environment was made for another Python.
    #[error("cannot use the Python environment of {}: {reason}", executable.display())]
    UseEnvironment {
        /// The interpreter chosen.
        executable: PathBuf,
        /// What differs.
        reason: String,
    },
    /// The thread could not be made.
    #[error("cannot start the script thread: {0}")]
    StartThread(#[from] std::io::Error),
    /// `ENGINE=mantid` without Mantid, or a broken package.
    #[error("cannot load the engine: {0}")]
    LoadEngine(String),
}

/// Why a job gave no result.
#[derive(Debug, Error)]
pub enum JobError {
    /// The job goes on in spite of repeated interruption; the process should exit and be started again.
    #[error("the script could not be interrupted: it was told to stop {0:?} ago and goes on")]
    Unkillable(Duration),
    /// A bug: the job panicked.
    #[error("internal error while Python was running: {0}")]
    Panicked(String),
    /// The script thread has gone.
    #[error("the script thread has ended")]
    Gone,
}

/// What the interpreter is started with.
pub struct InterpreterConfig {
    /// LIVE_DATA_VENV.
    pub venv: Option<PathBuf>,
    /// ENGINE.
    pub engine: EngineChoice,
    /// Where text that scripts print goes.
    pub output: Sink,
    /// Secret values, blotted out of all output.
    pub redactor: Redactor,
    /// Environment variables that scripts must not see (secrets that are not theirs).
    pub hidden_variables: Vec<String>,
    /// Folder that scripts may write to and take for HOME; the process's own when `None`.
    pub home: Option<PathBuf>,
    /// Prepares what the native engine needs, once Python runs; see [`super::native::setup`].
    pub native: Option<Setup>,
}

/// Runs on the script thread right after Python was initialised; gets the watch for its flag of cancellation.
pub type Setup = Box<dyn FnOnce(Python<'_>, &Arc<Watch>) -> PyResult<()> + Send>;

type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// What is known of the interpreter once it runs.
#[derive(Debug, Clone)]
pub struct Started {
    /// Version of the Python library that is loaded.
    pub python: String,
    /// `sys.executable`.
    pub executable: PathBuf,
    /// Which engine is `mantid`.
    pub engine: engine::Engine,
    /// Things to log.
    pub warnings: Vec<String>,
}

/// The way to the interpreter. Clones lead to the same one.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    watch: Arc<Watch>,
    started: Arc<Started>,
    output: Sink,
}

/// Starts the interpreter.
pub struct Interpreter;

impl Interpreter {
    /// Starts Python on a thread of its own and waits until it is ready.
    ///
    /// # Errors
    /// When Python, its environment or the engine asked for cannot be had.
    pub fn start(config: InterpreterConfig) -> Result<Handle, StartError> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (ready, started) = mpsc::channel();
        let output = config.output.clone();
        std::thread::Builder::new()
            .name("script".into())
            .stack_size(STACK)
            .spawn(move || {
                let prepared = prepare(config);
                let failed = prepared.is_err();
                if ready.send(prepared).is_err() || failed {
                    return;
                }
                for job in queue {
                    Python::attach(job);
                }
                // The watchdog holds this thread's id, and Python its thread state: neither must go.
                loop {
                    std::thread::park();
                }
            })?;
        let (watch, started) = started.recv().map_err(|_| StartError::StartPython {
            executable: PathBuf::from(venv::FALLBACK),
            reason: "the script thread ended".into(),
        })??;
        Ok(Handle {
            jobs,
            watch,
            started: Arc::new(started),
            output,
        })
    }
}

impl Handle {
    /// What is known of the interpreter.
    #[must_use]
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// Where output goes.
    #[must_use]
    pub fn output(&self) -> &Sink {
        &self.output
    }

    /// Runs `job` on the script thread, after those before it, and waits for its result. With limits it is interrupted.
    ///
    /// # Errors
    /// When it panicked or could not be interrupted.
    pub fn run<R: Send + 'static>(
        &self,
        limits: Option<Limits>,
        job: impl FnOnce(Python<'_>) -> R + Send + 'static,
    ) -> Result<R, JobError> {
        self.submit(limits, job).wait()
    }

    /// As [`Handle::run`], without waiting.
    pub fn submit<R: Send + 'static>(
        &self,
        limits: Option<Limits>,
        job: impl FnOnce(Python<'_>) -> R + Send + 'static,
    ) -> Pending<R> {
        let (answer, result) = mpsc::channel();
        let watch = Arc::clone(&self.watch);
        let unkillable = answer.clone();
        let boxed: Job = Box::new(move |py| {
            let patience = limits.map_or(Duration::from_secs(10), |limits| limits.patience);
            let report = move || {
                let _ = unkillable.send(Err(JobError::Unkillable(patience)));
            };
            watch.begin(limits, Box::new(report));
            let outcome = catch_unwind(AssertUnwindSafe(|| job(py)));
            watch.end();
            let _ = answer.send(outcome.map_err(|panic| JobError::Panicked(panic_text(panic.as_ref()))));
        });
        // A failure to send shows as `Gone` when waited for.
        let _ = self.jobs.send(boxed);
        Pending { result }
    }

    /// The flag that is raised when the job that runs now is interrupted.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.watch.cancel()
    }

    /// Interrupts what runs now, with a reason that the script's author reads.
    pub fn interrupt(&self, why: &str) {
        self.watch.interrupt(why);
    }

    /// Runs a Python file as `__main__` and returns the exit code that `python` would.
    ///
    /// # Errors
    /// When the job panicked.
    pub fn run_file(&self, path: &Path, arguments: &[String]) -> Result<i32, JobError> {
        let path = path.to_path_buf();
        let arguments = arguments.to_vec();
        self.run(None, move |py| super::file::run(py, &path, &arguments))
    }
}

/// A job's result, some time later.
pub struct Pending<R> {
    result: mpsc::Receiver<Result<R, JobError>>,
}

impl<R> Pending<R> {
    /// Waits for it.
    ///
    /// # Errors
    /// As [`Handle::run`].
    pub fn wait(self) -> Result<R, JobError> {
        self.result.recv().unwrap_or(Err(JobError::Gone))
    }

    /// Looks whether it is there, for at most `patience`.
    pub fn wait_for(&self, patience: Duration) -> Option<Result<R, JobError>> {
        match self.result.recv_timeout(patience) {
            Ok(result) => Some(result),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Err(JobError::Gone)),
        }
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn prepare(config: InterpreterConfig) -> Result<(Arc<Watch>, Started), StartError> {
    let choice = venv::choose(config.venv.as_deref());
    initialise(&choice.executable)?;
    let watch = Watch::start()?;
    Python::attach(|py| {
        let version = py.version_info();
        let mut warnings: Vec<String> = choice.warning.clone().into_iter().collect();
        let differs = venv::compare(choice.version.as_deref(), (version.major, version.minor, version.patch)).map_err(
            |reason| StartError::UseEnvironment {
                executable: choice.executable.clone(),
                reason,
            },
        )?;
        warnings.extend(differs);
        let python = format!("{}.{}.{}", version.major, version.minor, version.patch);
        let (engine, noted) = module::install(py, config, &watch)
            .map_err(|error| StartError::LoadEngine(super::errors::text_of(py, &error)))?;
        warnings.extend(noted);
        Ok((
            watch,
            Started {
                python,
                executable: choice.executable.clone(),
                engine,
                warnings,
            },
        ))
    })
}

/// Initialises Python on this thread with the packages that belong to `executable`.
fn initialise(executable: &Path) -> Result<(), StartError> {
    use std::os::unix::ffi::OsStrExt;

    let failed = |reason: String| StartError::StartPython {
        executable: executable.to_path_buf(),
        reason,
    };
    let program = std::ffi::CString::new(executable.as_os_str().as_bytes())
        .map_err(|_| failed("its path holds a zero byte".into()))?;
    // SAFETY: this thread is the first and only one to touch Python. The structs are plain data that Python's own
    // functions fill before anything reads them, `program` outlives the calls, the configuration is cleared once, and
    // the thread state that initialisation leaves attached is released by the thread that made it.
    unsafe {
        let mut preconfig = std::mem::zeroed::<ffi::PyPreConfig>();
        ffi::PyPreConfig_InitPythonConfig(&raw mut preconfig);
        preconfig.use_environment = 0;
        preconfig.parse_argv = 0;
        preconfig.utf8_mode = 1;
        check(ffi::Py_PreInitialize(&raw const preconfig)).map_err(failed)?;

        let mut config = std::mem::zeroed::<ffi::PyConfig>();
        ffi::PyConfig_InitPythonConfig(&raw mut config);
        // PYTHONPATH and the like belong to other programs; the worker's signals are its own.
        config.use_environment = 0;
        config.user_site_directory = 0;
        config.parse_argv = 0;
        config.safe_path = 1;
        config.install_signal_handlers = 0;
        config.pathconfig_warnings = 0;
        // A helper that a script downloads twice within a second would be taken from its byte code's file.
        config.write_bytecode = 0;
        let field = &raw mut config.executable;
        let mut status = ffi::PyConfig_SetBytesString(&raw mut config, field, program.as_ptr());
        if ffi::PyStatus_Exception(status) == 0 {
            status = ffi::Py_InitializeFromConfig(&raw const config);
        }
        let outcome = check(status);
        ffi::PyConfig_Clear(&raw mut config);
        outcome.map_err(failed)?;
        ffi::PyEval_SaveThread();
    }
    Ok(())
}

fn check(status: ffi::PyStatus) -> Result<(), String> {
    // SAFETY: the status came from Python, whose messages are constant C strings or null.
    unsafe {
        if ffi::PyStatus_Exception(status) == 0 {
            return Ok(());
        }
        if status.err_msg.is_null() {
            return Err(format!("Python gave up with exit code {}", status.exitcode));
        }
        Err(std::ffi::CStr::from_ptr(status.err_msg).to_string_lossy().into_owned())
    }
}
