//! Monitor: a session of live data processing with its phase and status.
//!
//! Promises: no getter waits for a chunk, except [`Monitor::session`]. Must not process anything: the session does, on
//! the monitor's thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_crd::report::MonitorReport;
use live_data_engine::cancel::Cancel;
use live_data_engine::run::RunInfo;
use live_data_engine::time::PulseTime;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{LiveRequest, MonitorInfo};
use parking_lot::{Condvar, Mutex};

use super::processing::{ProcessError, RunningScript};
use super::session::{PendingRuns, Session, StepOutcome};
use crate::timestamps::rfc3339_ns;

/// Origin of a request, which decides when its monitor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOrigin {
    /// Settings of the worker: the monitor runs until the worker stops.
    Settings,
    /// A script: the monitor ends when the script changes.
    Script,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MonitorPhase {
    Running,
    Ending,
    /// Thread ended regularly, without a request to end.
    Completed,
    /// Thread ended after a request to end.
    Finished,
}

#[derive(Debug)]
struct MonitorStatus {
    phase: MonitorPhase,
    completed: bool,
    chunks: u64,
    last_time_stamp: Option<PulseTime>,
    last_error: Option<String>,
    overdue: Option<String>,
    pending_runs: PendingRuns,
    renamed_results: Vec<String>,
}

/// Live data processing of one request; Mantid's MonitorLiveData.
pub struct Monitor {
    id: u64,
    origin: RequestOrigin,
    request: LiveRequest,
    session: Mutex<Session>,
    running: Arc<RunningScript>,
    cancel: Cancel,
    created: Instant,
    status: Mutex<MonitorStatus>,
    changed: Condvar,
}

impl Monitor {
    /// Monitor in phase `Running` of a session that has processed nothing.
    pub fn new(id: u64, origin: RequestOrigin, session: Session) -> Self {
        Monitor {
            id,
            origin,
            request: session.request().clone(),
            running: Arc::clone(session.running()),
            cancel: Cancel::new(),
            created: Instant::now(),
            status: Mutex::new(MonitorStatus {
                phase: MonitorPhase::Running,
                completed: false,
                chunks: 0,
                last_time_stamp: None,
                last_error: None,
                overdue: None,
                pending_runs: session.pending_runs(),
                renamed_results: Vec::new(),
            }),
            session: Mutex::new(session),
            changed: Condvar::new(),
        }
    }

    /// Id, unique in the process and equal to the session's.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Origin of the request, fixed at creation.
    pub fn origin(&self) -> RequestOrigin {
        self.origin
    }

    /// The request, without the time at which the session started.
    pub fn request(&self) -> &LiveRequest {
        &self.request
    }

    /// The session; locked while a chunk is processed.
    pub fn session(&self) -> &Mutex<Session> {
        &self.session
    }

    /// Script that the session runs at the moment.
    pub fn running(&self) -> &RunningScript {
        &self.running
    }

    /// Cancellation of the algorithms of the session.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Time of creation, from which the first UpdateEvery interval counts.
    pub fn created(&self) -> Instant {
        self.created
    }

    /// True until its end is requested.
    pub fn is_running(&self) -> bool {
        self.status.lock().phase == MonitorPhase::Running
    }

    /// True once its thread has ended.
    pub fn is_finished(&self) -> bool {
        matches!(
            self.status.lock().phase,
            MonitorPhase::Finished | MonitorPhase::Completed
        )
    }

    /// True after its regular end: by RunTransitionBehavior=Stop, or after a single chunk.
    pub fn has_completed(&self) -> bool {
        self.status.lock().completed
    }

    /// True if `/status` lists it: running, completed, or failed.
    pub fn is_reported(&self) -> bool {
        let status = self.status.lock();
        status.phase == MonitorPhase::Running || status.completed || status.last_error.is_some()
    }

    /// True once a chunk has been processed.
    pub fn has_processed(&self) -> bool {
        self.status.lock().chunks > 0
    }

    /// True if its last chunk failed.
    pub fn has_failed(&self) -> bool {
        self.status.lock().last_error.is_some()
    }

    /// True if it runs and has not processed `run` to its end.
    pub fn needs(&self, run: &RunInfo) -> bool {
        let status = self.status.lock();
        status.phase == MonitorPhase::Running && status.pending_runs.contains(run)
    }

    /// Names of former runs' results, kept by RunTransitionBehavior=Rename.
    pub fn renamed_results(&self) -> Vec<String> {
        self.status.lock().renamed_results.clone()
    }

    /// Time of the newest pulse that was processed.
    pub fn last_time_stamp(&self) -> Option<PulseTime> {
        self.status.lock().last_time_stamp
    }

    /// Blocks for at most `patience`; true if the end was requested.
    pub fn wait(&self, patience: Duration) -> bool {
        let mut status = self.status.lock();
        if status.phase == MonitorPhase::Running {
            self.changed.wait_for(&mut status, patience);
        }
        status.phase != MonitorPhase::Running
    }

    /// Requests the end after the present chunk.
    pub fn request_end(&self) {
        let mut status = self.status.lock();
        if status.phase == MonitorPhase::Running {
            status.phase = MonitorPhase::Ending;
        }
        self.changed.notify_all();
    }

    /// Cancels the session's algorithms and those of its script.
    pub fn cancel_computation(&self) {
        self.cancel.cancel();
        if let Some(execution) = self.running.now() {
            execution.cancel.cancel();
        }
    }

    /// Records its regular end: by RunTransitionBehavior=Stop, or after a single chunk.
    pub fn set_completed(&self) {
        let mut status = self.status.lock();
        status.completed = true;
        status.phase = MonitorPhase::Completed;
    }

    /// Records the end of its thread.
    pub fn set_finished(&self) {
        let mut status = self.status.lock();
        if status.phase != MonitorPhase::Completed {
            status.phase = MonitorPhase::Finished;
        }
        self.changed.notify_all();
    }

    /// Copies the session's counts after a step; called on the thread of the step.
    pub fn record_step(&self, step: &Result<StepOutcome, ProcessError>) {
        let (chunks, last, pending_runs, renamed_results) = {
            let session = self.session.lock();
            (
                session.chunks(),
                session.last_time_stamp(),
                session.pending_runs(),
                session.renamed_results().to_vec(),
            )
        };
        let mut status = self.status.lock();
        (
            status.chunks,
            status.last_time_stamp,
            status.pending_runs,
            status.renamed_results,
        ) = (chunks, last, pending_runs, renamed_results);
        if matches!(
            step,
            Ok(StepOutcome::ChunkLoaded | StepOutcome::RunEnded(_) | StepOutcome::Stopped(_))
        ) {
            status.last_error = None;
        }
    }

    /// Records the failure of a chunk; false if the last failure had the same text.
    pub fn record_failure(&self, error: String) -> bool {
        let mut status = self.status.lock();
        let new = status.last_error.as_ref() != Some(&error);
        status.last_error = Some(error);
        new
    }

    /// Records a script that exceeds its time, or its end (`None`); true if the text has changed.
    pub fn set_overdue(&self, message: Option<String>) -> bool {
        let mut status = self.status.lock();
        let changed = status.overdue != message;
        status.overdue = message;
        changed
    }

    /// Sentence for the degradation: exceeded time or last failure; `None` if neither.
    pub fn problem(&self) -> Option<String> {
        let status = self.status.lock();
        let text = status.overdue.as_ref().or(status.last_error.as_ref())?;
        // The last line of a traceback is its message.
        let line = text
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        Some(format!(
            "live processing into {}: {line}",
            self.request.output_workspace
        ))
    }

    /// Entry of `/status`.
    pub fn report(&self) -> MonitorReport {
        let status = self.status.lock();
        MonitorReport {
            output_workspace: self.request.output_workspace.clone(),
            accumulation_workspace: self.request.accumulation_workspace.clone().unwrap_or_default(),
            update_every: self.request.update_every,
            chunks: status.chunks,
            last_time_stamp: status.last_time_stamp.and_then(|time| rfc3339_ns(time.nanos())),
            last_error: status.overdue.clone().or_else(|| status.last_error.clone()),
        }
    }

    /// Properties for scripts that list monitors.
    pub fn info(&self) -> MonitorInfo {
        MonitorInfo {
            id: self.id,
            request: self.request.clone(),
            last_time_stamp: self.last_time_stamp().map(DateAndTime::from_pulse),
        }
    }
}
