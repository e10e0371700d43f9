//! Embedded Python interpreter on its own thread.
//!
//! Promises that Python is initialised once, on the script thread, which makes that thread Python's main one. It is never
//! finalised: a thread of a script would hang that. No job ends the process: panics and exceptions are returned as values.
//! The process's signal handlers stay as they are.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use live_data_engine::cancel::Cancel;
use pyo3::ffi;
use pyo3::prelude::*;
use thiserror::Error;

use super::config::InterpreterConfig;
use super::output::OutputSink;
use super::watchdog::{Limits, Watchdog};
use super::{engine, module, venv};

/// Bytes of the script thread's stack: scientific libraries recurse deeply.
const STACK: usize = 32 << 20;

/// Failure to start the interpreter; each variant needs another setting or another image.
#[derive(Debug, Error)]
pub enum StartError {
    /// Python's initialisation failed.
    #[error("cannot start Python with {}: {reason}; check LIVE_DATA_VENV", executable.display())]
    StartPython {
        executable: PathBuf,
        /// Python's own message.
        reason: String,
    },
    /// The environment was made for another version of Python.
    #[error("cannot use the Python environment of {}: {reason}", executable.display())]
    UseEnvironment {
        executable: PathBuf,
        /// Both versions.
        reason: String,
    },
    /// The system has no thread left.
    #[error("cannot start the script thread: {0}")]
    StartThread(#[from] std::io::Error),
    /// `ENGINE=mantid` without Mantid, or a broken package.
    #[error("cannot load the engine: {0}")]
    LoadEngine(String),
}

/// Failure of a job on the script thread, apart from Python's exceptions, which are results.
#[derive(Debug, Error)]
pub enum JobError {
    /// The job runs on, this long after its first interruption; only a restart of the process ends it.
    #[error("the script could not be interrupted: it was told to stop {0:?} ago and goes on")]
    Unkillable(Duration),
    /// The job panicked, with this message: a bug of the worker.
    #[error("internal error while Python was running: {0}")]
    Panicked(String),
    /// The script thread has ended.
    #[error("the script thread has ended")]
    Gone,
}

type InterpreterJob = Box<dyn FnOnce(Python<'_>) + Send>;

/// Properties of the running interpreter, fixed at its start.
#[derive(Debug, Clone)]
pub struct InterpreterInfo {
    /// Version of the loaded Python library, `major.minor.micro`.
    pub python: String,
    /// `sys.executable`.
    pub executable: PathBuf,
    /// Engine that scripts import as `mantid`.
    pub engine: engine::Engine,
    /// Warnings of the start, not logged yet.
    pub warnings: Vec<String>,
}

/// Sender of jobs to the script thread. Clones share the interpreter.
#[derive(Clone)]
pub struct InterpreterHandle {
    jobs: mpsc::Sender<InterpreterJob>,
    watchdog: Arc<Watchdog>,
    info: Arc<InterpreterInfo>,
    output: OutputSink,
}

/// Namespace of [`Interpreter::start`]; the running one is an [`InterpreterHandle`].
pub struct Interpreter;

impl Interpreter {
    /// Starts Python on a new thread and waits until it is ready. At most once in a process.
    ///
    /// # Errors
    /// [`StartError`], by the part that is missing: thread, Python, its environment, or the engine of ENGINE.
    pub fn start(config: InterpreterConfig) -> Result<InterpreterHandle, StartError> {
        let (jobs, queue) = mpsc::channel::<InterpreterJob>();
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
                // The watchdog holds this thread's id, and Python its thread state: the thread must not end.
                loop {
                    std::thread::park();
                }
            })?;
        let (watchdog, started) = started.recv().map_err(|_| StartError::StartPython {
            executable: PathBuf::from(venv::FALLBACK),
            reason: "the script thread ended".into(),
        })??;
        Ok(InterpreterHandle {
            jobs,
            watchdog,
            info: Arc::new(started),
            output,
        })
    }
}

impl InterpreterHandle {
    /// Versions and engine of the running interpreter.
    #[must_use]
    pub fn info(&self) -> &InterpreterInfo {
        &self.info
    }

    /// Sink of all text that scripts print or log.
    #[must_use]
    pub fn output(&self) -> &OutputSink {
        &self.output
    }

    /// Runs `job` on the script thread, in order of submission, and waits for its result.
    ///
    /// # Errors
    /// `Panicked`; `Unkillable` if it ignores the interruption after `limits`; `Gone` if the thread has ended.
    pub fn run<R: Send + 'static>(
        &self,
        limits: Option<Limits>,
        job: impl FnOnce(Python<'_>) -> R + Send + 'static,
    ) -> Result<R, JobError> {
        self.submit(limits, job).wait()
    }

    /// Queues `job` for the script thread without waiting for it.
    pub fn submit<R: Send + 'static>(
        &self,
        limits: Option<Limits>,
        job: impl FnOnce(Python<'_>) -> R + Send + 'static,
    ) -> PendingResult<R> {
        let (answer, result) = mpsc::channel();
        let watchdog = Arc::clone(&self.watchdog);
        let unkillable = answer.clone();
        let boxed: InterpreterJob = Box::new(move |py| {
            let patience = limits.map_or(Duration::from_secs(10), |limits| limits.patience);
            let report = move || {
                let _ = unkillable.send(Err(JobError::Unkillable(patience)));
            };
            watchdog.begin(limits, Box::new(report));
            let outcome = catch_unwind(AssertUnwindSafe(|| job(py)));
            watchdog.end();
            let _ = answer.send(outcome.map_err(|panic| JobError::Panicked(panic_text(panic.as_ref()))));
        });
        // A failure to send shows as `Gone` when waited for.
        let _ = self.jobs.send(boxed);
        PendingResult { result }
    }

    /// Cancellation that is set when the present job is interrupted.
    #[must_use]
    pub fn cancel(&self) -> Cancel {
        self.watchdog.cancel()
    }

    /// Interrupts the present job; `why` is the text of the `ScriptTimeout` that its script raises.
    pub fn interrupt(&self, why: &str) {
        self.watchdog.interrupt(why);
    }

    /// Runs a Python file as `__main__`, without a time limit; returns the exit code that `python` would.
    ///
    /// # Errors
    /// `Panicked` or `Gone`.
    pub fn run_file(&self, path: &Path, arguments: &[String]) -> Result<i32, JobError> {
        let path = path.to_path_buf();
        let arguments = arguments.to_vec();
        self.run(None, move |py| super::file::run(py, &path, &arguments))
    }
}

/// Result of a job that may still be queued or running.
pub struct PendingResult<R> {
    result: mpsc::Receiver<Result<R, JobError>>,
}

impl<R> PendingResult<R> {
    /// Blocks until the job has ended.
    ///
    /// # Errors
    /// As [`InterpreterHandle::run`].
    pub fn wait(self) -> Result<R, JobError> {
        self.result.recv().unwrap_or(Err(JobError::Gone))
    }

    /// Blocks until the job has ended, for at most `patience`; `None` if it still runs.
    pub fn wait_for(&self, patience: Duration) -> Option<Result<R, JobError>> {
        match self.result.recv_timeout(patience) {
            Ok(result) => Some(result),
            Err(mpsc::RecvTimeoutError::Timeout) => None,
            Err(mpsc::RecvTimeoutError::Disconnected) => Some(Err(JobError::Gone)),
        }
    }
}

/// Message of a panic's payload.
pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".into())
}

fn prepare(config: InterpreterConfig) -> Result<(Arc<Watchdog>, InterpreterInfo), StartError> {
    let choice = venv::choose(config.venv.as_deref());
    initialise(&choice.executable)?;
    let watchdog = Watchdog::start()?;
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
        let (engine, noted) = module::install(py, config, &watchdog)
            .map_err(|error| StartError::LoadEngine(super::errors::text_of(py, &error)))?;
        warnings.extend(noted);
        Ok((
            watchdog,
            InterpreterInfo {
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
    // functions fill before anything reads them. `program` outlives the calls, and the configuration is cleared once.
    // The thread state that initialisation leaves attached is released by the thread that made it.
    unsafe {
        let mut preconfig = std::mem::zeroed::<ffi::PyPreConfig>();
        ffi::PyPreConfig_InitPythonConfig(&raw mut preconfig);
        preconfig.use_environment = 0;
        preconfig.parse_argv = 0;
        preconfig.utf8_mode = 1;
        check(ffi::Py_PreInitialize(&raw const preconfig)).map_err(failed)?;

        let mut config = std::mem::zeroed::<ffi::PyConfig>();
        ffi::PyConfig_InitPythonConfig(&raw mut config);
        // PYTHONPATH and the like belong to other programs; signals are handled by the worker.
        config.use_environment = 0;
        config.user_site_directory = 0;
        config.parse_argv = 0;
        config.safe_path = 1;
        config.install_signal_handlers = 0;
        config.pathconfig_warnings = 0;
        // Python compares byte code files by seconds: a helper downloaded twice within one would be outdated.
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
