//! Worker process as a pod runs it: configured by environment variables, queried over HTTP, ended by signals.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use live_data_crd::report::WorkerReport;

use crate::lab;

/// Longest wait for a condition; generous for machines with two cores.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Environment of a worker that is to be started.
#[derive(Clone, Debug)]
pub struct Settings {
    instrument: String,
    output: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Settings {
    /// Settings of a worker of `instrument` on the shared broker, with short intervals.
    pub fn new(instrument: &str, output: &Path, api: &str) -> Settings {
        let settings = Settings {
            instrument: instrument.into(),
            output: output.into(),
            environment: BTreeMap::new(),
        };
        settings
            .with("KAFKA_BOOTSTRAP_SERVERS", lab::kafka().value("KAFKA_BOOTSTRAP"))
            .with("FIA_API_URL", api)
            .with("SCRIPT_REFRESH_TIME", "0.3")
            .with("SCRIPT_RUN_INTERVAL", "1")
            .with("RUN_CHECK_INTERVAL", "0.2")
            .with("VALKEY_HOST", "")
            .with("ENGINE", "native")
            .with("LIVE_DATA_VENV", lab::venv().to_str().unwrap())
            .with("LOG_LEVEL", "info,live_data_stream=debug")
    }

    /// Sets an environment variable.
    pub fn with(mut self, name: &str, value: &str) -> Settings {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Starts the process, after any exclusive worker has ended.
    pub fn start(&self) -> Worker {
        self.start_as(RunPermit::shared())
    }

    /// Starts the process after all other workers have ended, and delays others until it ends: for measurements.
    pub fn start_exclusive(&self) -> Worker {
        self.start_as(RunPermit::exclusive())
    }

    fn start_as(&self, permit: RunPermit) -> Worker {
        // The port is free now; that another process binds it before the worker is unlikely.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let home = tempfile::tempdir().unwrap();
        let log = tempfile::NamedTempFile::new().unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_live-data-worker"))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home.path())
            .env("INSTRUMENT", &self.instrument)
            .env("OUTPUT_DIR", &self.output)
            .env("WORK_DIR", home.path().join("work"))
            .env("HTTP_ADDR", format!("127.0.0.1:{port}"))
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stdout(log.reopen().unwrap())
            .stderr(log.reopen().unwrap())
            .spawn()
            .unwrap();
        Worker {
            child,
            port,
            log,
            _home: home,
            _permit: permit,
        }
    }
}

/// Running worker process, killed when dropped.
pub struct Worker {
    child: Child,
    port: u16,
    log: tempfile::NamedTempFile,
    _home: tempfile::TempDir,
    _permit: RunPermit,
}

impl Worker {
    /// URL of the worker's page.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Status code and body of a GET request; `None` while the worker does not respond.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: worker\r\nConnection: close\r\n\r\n"
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.split_whitespace().nth(1)?.parse().ok()?;
        Some((status, answer.split_once("\r\n\r\n")?.1.to_owned()))
    }

    /// Report of `/status`; `None` while the worker does not respond.
    pub fn report(&self) -> Option<WorkerReport> {
        self.get("/status")
            .and_then(|(_, body)| serde_json::from_str(&body).ok())
    }

    /// Waits until the report satisfies a condition and returns it; panics after [`PATIENCE`]. `what` names the condition.
    pub fn wait(&mut self, what: &str, condition: impl Fn(&WorkerReport) -> bool) -> WorkerReport {
        let started = Instant::now();
        let mut last = None;
        while started.elapsed() < PATIENCE {
            if let Some(report) = self.report() {
                if condition(&report) {
                    return report;
                }
                last = Some(report);
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("waiting for {what}: the worker ended with {status}\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{what} did not come; last report: {last:#?}\n{}", self.log());
    }

    /// Waits until the worker has caught up and holds the lease.
    pub fn wait_writer(&mut self) -> WorkerReport {
        self.wait("the writer's lease", |report| report.ready && report.writer)
    }

    /// Waits until the run's final execution is done.
    pub fn wait_completed(&mut self, run: &str) -> WorkerReport {
        self.wait(&format!("the end of run {run}"), |report| {
            report
                .last_completed_run
                .as_ref()
                .is_some_and(|done| done.number == run)
        })
    }

    /// Standard output and error so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.log.path()).unwrap()).into_owned()
    }

    /// Kills the process (SIGKILL).
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends the process with SIGTERM; returns its exit status and output.
    pub fn stop(mut self) -> (ExitStatus, String) {
        self.signal(libc::SIGTERM);
        (self.wait_for_exit(), self.log())
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.id()).unwrap();
        // SAFETY: a plain system call on the child that this value owns and has not waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the process has ended.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "the worker does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Permit to run a worker process: shared with others, or exclusive.
struct RunPermit {
    exclusive: bool,
}

/// Number of workers with shared permits, and true while an exclusive permit is held.
static RUNNING: Mutex<(usize, bool)> = Mutex::new((0, false));
static CHANGED: Condvar = Condvar::new();

impl RunPermit {
    fn shared() -> RunPermit {
        let running = RUNNING.lock().unwrap();
        let mut running = CHANGED.wait_while(running, |(_, exclusive)| *exclusive).unwrap();
        running.0 += 1;
        RunPermit { exclusive: false }
    }

    fn exclusive() -> RunPermit {
        let running = RUNNING.lock().unwrap();
        let mut running = CHANGED
            .wait_while(running, |(count, exclusive)| *count > 0 || *exclusive)
            .unwrap();
        running.1 = true;
        RunPermit { exclusive: true }
    }
}

impl Drop for RunPermit {
    fn drop(&mut self) {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if self.exclusive {
            running.1 = false;
        } else {
            running.0 -= 1;
        }
        CHANGED.notify_all();
    }
}
