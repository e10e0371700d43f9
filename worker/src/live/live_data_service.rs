//! Live data processing of a worker: its monitors, their threads, and their end.
//!
//! Promises: each monitor has one thread and processes one chunk at a time. Equal requests share a monitor. No two monitors
//! write the same workspace. Ingest never waits for a chunk. Must not decide what a chunk contains.

pub mod script_live_data;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use live_data_crd::reason::WorkerReason;
use live_data_engine::cancel::Cancel;
use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::time::PulseTime;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{LiveRequest, StartFrom};
use live_data_reduction::run_workspace::RunWorkspaceBuilder;
use live_data_reduction::{AlgorithmError, Result, Services};
use parking_lot::Mutex;

use super::monitor::{Monitor, RequestOrigin};
use super::processing::{ProcessError, PythonRunner};
use super::run_source::RunSource;
use super::session::{MessageLevel, Session, SessionDependencies, StepOutcome};
use crate::degradation::DegradationGuard;
use crate::memory;
use crate::readiness::Readiness;
use crate::script_log::ScriptLog;
use crate::status_registry::StatusRegistry;

/// Interval at which a monitor's thread checks whether it has to end.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Interval at which a monitor's thread reads the state of runs.
const STREAM_INTERVAL: Duration = Duration::from_millis(250);
/// Time that StartLiveData waits for a first chunk while no run exists.
const FIRST_RUN_PATIENCE: Duration = Duration::from_secs(10);
/// Time after SCRIPT_TIMEOUT for which a call of LoadLiveData keeps complete runs for the next call.
const LOAD_SESSION_LIFETIME: Duration = Duration::from_secs(600);
/// Longest delay until a failed chunk is tried again.
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Reason of the degradation while a monitor's last chunk has failed or its script exceeds its time.
const FAILED: WorkerReason = WorkerReason::LiveProcessingFailed;

/// Services of the worker that live data processing uses.
pub struct LiveDataServiceDependencies {
    /// Upper case; empty accepts requests for any instrument.
    pub instrument: String,
    /// Data service, instruments and logger of the native engine.
    pub services: Services,
    pub workspace_builder: Arc<RunWorkspaceBuilder>,
    /// Interpreter for processing scripts.
    pub scripts: Arc<dyn PythonRunner>,
    pub script_log: ScriptLog,
    pub status: Arc<StatusRegistry>,
    /// Chunks are processed while `may_write` is true.
    pub readiness: Arc<Readiness>,
    /// Bytes of the worker's memory limit.
    pub memory_limit: Option<u64>,
    /// SCRIPT_TIMEOUT: time after which a chunk's script is interrupted.
    pub timeout: Duration,
}

/// Session that calls of LoadLiveData with equal properties continue.
struct LoadSession {
    request: LiveRequest,
    session: Arc<Mutex<Session>>,
    called: Instant,
}

impl LoadSession {
    /// True if the next call has to read `run`.
    fn needs(&self, run: &RunInfo) -> bool {
        let session = self.session.try_lock();
        session.is_none_or(|session| session.pending_runs().contains(run))
    }
}

/// Owner of all monitors of a worker; one per process.
pub struct LiveDataService {
    dependencies: LiveDataServiceDependencies,
    runs: Arc<dyn RunSource>,
    monitors: Mutex<Vec<Arc<Monitor>>>,
    load_sessions: Mutex<Vec<LoadSession>>,
    next_id: AtomicU64,
    /// The configured request has not started: complete runs are kept for it.
    start_pending: AtomicBool,
    stopping: AtomicBool,
    degradation: Mutex<Option<DegradationGuard>>,
}

impl LiveDataService {
    /// Service without monitors over the runs of a stream.
    pub fn new(dependencies: LiveDataServiceDependencies, runs: Arc<dyn RunSource>) -> Arc<Self> {
        Arc::new(LiveDataService {
            dependencies,
            runs,
            monitors: Mutex::default(),
            load_sessions: Mutex::default(),
            next_id: AtomicU64::new(1),
            start_pending: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            degradation: Mutex::default(),
        })
    }

    /// The services given to [`LiveDataService::new`].
    pub fn dependencies(&self) -> &LiveDataServiceDependencies {
        &self.dependencies
    }

    /// Monitors that process chunks; not those that are ending.
    pub fn running_monitors(&self) -> Vec<Arc<Monitor>> {
        self.monitors
            .lock()
            .iter()
            .filter(|monitor| monitor.is_running())
            .cloned()
            .collect()
    }

    /// Announces [`LiveDataService::start_configured`]: complete runs are kept until then.
    pub fn expect_start(&self) {
        self.start_pending.store(true, Ordering::Release);
    }

    /// Starts the monitor that the settings request.
    ///
    /// With FromStartOfRun it starts at the oldest readable run that is complete and not in `finished`, else at the newest.
    ///
    /// # Errors
    /// `Execution` if the instrument differs, a workspace is in use, or no thread can be started.
    pub fn start_configured(self: &Arc<Self>, request: &LiveRequest, finished: &[RunKey]) -> Result<()> {
        let monitor = self.add(request, RequestOrigin::Settings, &Cancel::new(), |runs| {
            let due = |run: &&RunInfo| run.state == RunState::Complete && !finished.contains(&run.key);
            let readable = |run: &&RunInfo| self.runs.snapshot(&run.key).is_some();
            let oldest = runs.iter().filter(due).find(readable).or(runs.last());
            (request.start == StartFrom::StartOfRun).then(|| oldest.map_or(PulseTime::MIN, |run| run.start))
        });
        self.start_pending.store(false, Ordering::Release);
        self.spawn_monitor(&monitor?)
    }

    /// True if a monitor or a LoadLiveData session has not processed `run` to its end.
    pub fn needs(&self, run: &RunInfo) -> bool {
        self.start_pending.load(Ordering::Acquire)
            || self.running_monitors().iter().any(|monitor| monitor.needs(run))
            || self.load_sessions(|load| load.needs(run)).contains(&true)
    }

    /// Results of `ask` for each LoadLiveData session that has not expired.
    fn load_sessions<T>(&self, ask: impl FnMut(&LoadSession) -> T) -> Vec<T> {
        let patience = self.dependencies.timeout + LOAD_SESSION_LIFETIME;
        let load_sessions = self.load_sessions.lock();
        let called = load_sessions.iter().filter(|load| load.called.elapsed() < patience);
        called.map(ask).collect()
    }

    /// Names of workspaces that monitors and sessions write: they must not be cleared between runs.
    pub fn names_in_use(&self) -> Vec<String> {
        let of = |monitor: &Arc<Monitor>| {
            let mut names = monitor.renamed_results();
            names.extend(output_names(monitor.request()));
            names
        };
        let mut names: Vec<String> = self.running_monitors().iter().flat_map(of).collect();
        names.extend(
            self.load_sessions(|load| output_names(&load.request))
                .into_iter()
                .flatten(),
        );
        names
    }

    /// Ends all monitors and sessions of scripts, because the script has changed.
    pub fn end_script_monitors(&self) {
        for monitor in self
            .running_monitors()
            .iter()
            .filter(|monitor| monitor.origin() == RequestOrigin::Script)
        {
            self.dependencies.script_log.info(&format!(
                "Live processing into {} ends: another script is in use.",
                monitor.request().output_workspace
            ));
            monitor.request_end();
        }
        self.monitors
            .lock()
            .retain(|monitor| monitor.is_running() || !monitor.is_finished());
        self.load_sessions.lock().clear();
    }

    /// Ends all monitors and waits for their present chunks, for at most `patience`.
    pub fn stop(&self, patience: Duration) {
        self.stopping.store(true, Ordering::Release);
        let monitors = self.monitors.lock().clone();
        monitors.iter().for_each(|monitor| monitor.request_end());
        let until = Instant::now() + patience;
        while monitors.iter().any(|monitor| !monitor.is_finished()) && Instant::now() < until {
            std::thread::sleep(POLL_INTERVAL);
        }
        for monitor in monitors.iter().filter(|monitor| !monitor.is_finished()) {
            monitor.cancel_computation();
            self.dependencies.script_log.warning(&format!(
                "Live processing into {} goes on after {} s and is left behind.",
                monitor.request().output_workspace,
                patience.as_secs()
            ));
        }
    }

    /// True from the first call of [`LiveDataService::stop`] on.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Updates the monitors and the degradation `LiveProcessingFailed` of `/status`.
    pub fn publish_status(&self) {
        let monitors = self.monitors.lock().clone();
        let reports = monitors
            .iter()
            .filter(|monitor| monitor.is_reported())
            .map(|monitor| monitor.report());
        self.dependencies.status.set_monitors(reports.collect());
        let problems: Vec<String> = monitors.iter().filter_map(|monitor| monitor.problem()).collect();
        let failed = (!problems.is_empty()).then(|| self.dependencies.status.degrade(FAILED, problems.join("; ")));
        *self.degradation.lock() = failed;
    }

    fn session_dependencies(&self) -> SessionDependencies {
        let (script_log, limit) = (self.dependencies.script_log.clone(), self.dependencies.memory_limit);
        let last_warning: Mutex<Option<String>> = Mutex::new(None);
        SessionDependencies {
            services: self.dependencies.services.clone(),
            workspace_builder: Arc::clone(&self.dependencies.workspace_builder),
            scripts: Arc::clone(&self.dependencies.scripts),
            notify: Arc::new(move |level, text| {
                // A warning that repeats with each chunk is logged once.
                if level == MessageLevel::Warning
                    && last_warning.lock().replace(text.to_owned()).as_deref() == Some(text)
                {
                    return;
                }
                match level {
                    MessageLevel::Info => script_log.info(text),
                    MessageLevel::Warning => script_log.warning(text),
                }
            }),
            free_memory: Arc::new(move || limit.map(|limit| limit.saturating_sub(memory::resident()))),
        }
    }

    fn check_instrument(&self, request: &LiveRequest) -> Result<()> {
        let own = &self.dependencies.instrument;
        if own.is_empty() || request.instrument == *own {
            return Ok(());
        }
        Err(AlgorithmError::Execution(format!(
            "this worker reads the stream of {own}, not of {}: use Instrument=\"{own}\"",
            request.instrument
        )))
    }

    /// Monitor of a new session, registered and not yet running.
    ///
    /// `start` gives the earliest pulse from the known runs, in place of the request's own start.
    fn add(
        self: &Arc<Self>,
        request: &LiveRequest,
        origin: RequestOrigin,
        cancel: &Cancel,
        start: impl FnOnce(&[RunInfo]) -> Option<PulseTime>,
    ) -> Result<Arc<Monitor>> {
        self.check_instrument(request)?;
        if self.is_stopping() {
            return Err(AlgorithmError::Execution(
                "the worker stops: no live data are loaded any more".into(),
            ));
        }
        self.wait_for_names(request, cancel)?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let now = DateAndTime::now().to_pulse();
        let mut session = Session::new(
            id,
            request.clone(),
            self.session_dependencies(),
            self.runs.as_ref(),
            now,
        );
        if let Some(start) = start(&self.runs.runs()) {
            session.start_at(start);
        }
        let monitor = Arc::new(Monitor::new(id, origin, session));
        let mut monitors = self.monitors.lock();
        monitors.retain(|known| {
            // A monitor that a run's end stopped stays listed until an equal request replaces it.
            known.is_running() || (!known.is_finished() || known.request() != request)
        });
        monitors.push(Arc::clone(&monitor));
        Ok(monitor)
    }

    /// Waits while an ending monitor writes one of the workspaces; fails if a running one does.
    fn wait_for_names(&self, request: &LiveRequest, cancel: &Cancel) -> Result<()> {
        let until = Instant::now() + FIRST_RUN_PATIENCE;
        loop {
            let others = self.monitors.lock().clone();
            let clash = others.iter().filter(|other| !other.is_finished()).find_map(|other| {
                let of = other.request();
                let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
                let taken = if same(of.accumulated_in(), request.accumulated_in())
                    && request.accumulation_workspace.is_some()
                {
                    "AccumulationWorkspace"
                } else if [of.accumulated_in(), &of.output_workspace]
                    .iter()
                    .any(|name| same(name, &request.output_workspace) || same(name, request.accumulated_in()))
                {
                    "OutputWorkspace"
                } else {
                    return None;
                };
                Some((taken, other.is_running()))
            });
            match clash {
                None => return Ok(()),
                Some((_, false)) if Instant::now() < until && !cancel.is_cancelled() => {
                    std::thread::sleep(POLL_INTERVAL)
                }
                Some((taken, _)) => {
                    return Err(AlgorithmError::Execution(format!(
                        "Another MonitorLiveData thread is running with the same {taken}.\n\
                         Please specify a different {taken} name."
                    )));
                }
            }
        }
    }

    /// Processes a first chunk on the calling thread; waits up to [`FIRST_RUN_PATIENCE`] for a run.
    fn process_first_chunk(&self, session: &Mutex<Session>, cancel: &Cancel) -> Result<()> {
        let until = Instant::now() + FIRST_RUN_PATIENCE;
        loop {
            let step = session
                .lock()
                .step(self.runs.as_ref(), cancel)
                .map_err(algorithm_error)?;
            if step != StepOutcome::NothingNew || Instant::now() >= until {
                return Ok(());
            }
            if cancel.is_cancelled() {
                return Err(AlgorithmError::Cancelled);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Starts the thread of a monitor.
    fn spawn_monitor(self: &Arc<Self>, monitor: &Arc<Monitor>) -> Result<()> {
        let (service, working) = (Arc::clone(self), Arc::clone(monitor));
        let name = format!("live-{}", monitor.request().output_workspace);
        let spawned = std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .stack_size(32 << 20)
            .spawn(move || {
                let worked = catch_unwind(AssertUnwindSafe(|| service.run_monitor(&working)));
                working.set_finished();
                if worked.is_err() {
                    working.record_failure("an internal fault of this program; see its log".into());
                }
                service.publish_status();
            });
        if let Err(error) = spawned {
            monitor.set_finished();
            return Err(AlgorithmError::Execution(format!(
                "cannot start a thread for live data: {error}"
            )));
        }
        self.publish_status();
        Ok(())
    }

    /// Body of a monitor's thread: processes chunks until the monitor ends.
    fn run_monitor(&self, monitor: &Arc<Monitor>) {
        crate::python::native::use_cancel(monitor.cancel().clone());
        let every = Duration::try_from_secs_f64(monitor.request().update_every).unwrap_or(RETRY_INTERVAL);
        let (mut began, mut looked) = (monitor.created(), Instant::now());
        let mut due_at: Option<Instant> = monitor.has_processed().then(|| began + every);
        let mut slow = false;
        while !monitor.wait(POLL_INTERVAL) {
            if looked.elapsed() < STREAM_INTERVAL && due_at.is_some_and(|due| Instant::now() < due) {
                continue;
            }
            looked = Instant::now();
            // Without the lease another worker processes the stream.
            if !self.dependencies.readiness.may_write() {
                continue;
            }
            let ended = monitor.session().lock().poll_run_end(self.runs.as_ref());
            let due = due_at.is_none_or(|due| Instant::now() >= due) || (ended && !monitor.has_failed());
            if !due {
                continue;
            }
            began = Instant::now();
            let step = monitor.session().lock().step(self.runs.as_ref(), monitor.cancel());
            due_at = Some(began + every);
            monitor.record_step(&step);
            match step {
                Ok(StepOutcome::Stopped(_)) => {
                    monitor.set_completed();
                    return;
                }
                Ok(StepOutcome::RunEnded(_)) => {
                    let waiting = |run: &RunInfo| run.state == RunState::Complete && monitor.needs(run);
                    if self.runs.runs().iter().any(waiting) {
                        due_at = None;
                    }
                }
                Ok(StepOutcome::ChunkLoaded) if began.elapsed() > every => {
                    if !slow {
                        self.dependencies
                            .script_log
                            .warning("Cannot process live data as quickly as requested.");
                    }
                    slow = true;
                }
                Ok(StepOutcome::ChunkLoaded) => slow = false,
                // A run that starts is read at once, not after UpdateEvery.
                Ok(StepOutcome::NothingNew) => due_at = Some(Instant::now() + every.min(STREAM_INTERVAL)),
                Err(error) => {
                    due_at = Some(Instant::now() + every.min(RETRY_INTERVAL));
                    if monitor.record_failure(error.to_string()) {
                        self.dependencies.script_log.error(&format!(
                            "Live processing into {} failed: {error}",
                            monitor.request().output_workspace
                        ));
                    }
                }
            }
            self.publish_status();
        }
    }
}

/// Names of the workspaces that a request writes: accumulation and output.
fn output_names(request: &LiveRequest) -> [String; 2] {
    [request.accumulated_in().to_owned(), request.output_workspace.clone()]
}

fn algorithm_error(error: ProcessError) -> AlgorithmError {
    match error {
        ProcessError::Algorithm(error) => error,
        other => AlgorithmError::Execution(other.to_string()),
    }
}

#[cfg(test)]
#[path = "live_data_service_tests.rs"]
mod tests;
