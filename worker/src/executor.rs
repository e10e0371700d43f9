//! Executor: carries out the actions of [`crate::schedule`] on its own thread.
//!
//! Promises: each execution sees one consistent snapshot. A run's marker is written after its final execution, not
//! before. Only a script that cannot be interrupted ends the thread. Must not touch the stream: a complete run arrives
//! as a snapshot, whose events stay in memory while the executor holds it.

mod completion;
pub mod live_workspace;
pub mod message;
mod script_loading;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::TimelineView;

use crate::degradation::DegradationGuard;
use crate::live::live_data_service::LiveDataService;
use crate::output::OutputFolder;
use crate::python::{JobError, Limits};
use crate::readiness::Readiness;
use crate::resume;
use crate::schedule::{ExecutionKind, NextAction, Schedule, ScheduleInputs, ScheduledRun};
use crate::script::{ExecutionOutcome, ScriptRunner};
use crate::script_log::ScriptLog;
use crate::status_registry::StatusRegistry;
use crate::timestamps;
use live_workspace::LiveWorkspace;
use message::ExecutorMessage;

/// Longest sleep: the number of events and the lease change without a message.
const MAX_SLEEP: Duration = Duration::from_millis(500);
/// Number of complete runs without a final execution that are held, at most: their events are in memory.
const MAX_PENDING_RUNS: usize = resume::MAX_ENDED_RUNS + 1;
/// Length of an error text that is kept, at most, in bytes.
const MAX_ERROR_BYTES: usize = 8 << 10;

/// Parts and settings of the executor.
pub struct ExecutorDependencies {
    pub view: TimelineView,
    pub status: Arc<StatusRegistry>,
    pub readiness: Arc<Readiness>,
    pub script_log: ScriptLog,
    /// Folder of the completion markers and of the last script that was loaded.
    pub output: OutputFolder,
    pub runner: ScriptRunner,
    pub live_workspace: Arc<dyn LiveWorkspace>,
    /// Live data processing; `None` with the real Mantid.
    pub live_data: Option<Arc<LiveDataService>>,
    /// True without a script: runs are finished by live data processing alone.
    pub live_only: bool,
    /// Time between the starts of two executions of a run that goes on.
    pub interval: Duration,
    /// Time after which an execution is interrupted.
    pub timeout: Duration,
}

/// State of the executor's thread.
pub struct Executor {
    deps: ExecutorDependencies,
    schedule: Schedule,
    finished: HashSet<RunKey>,
    /// Views of complete runs, in order of their starts.
    complete: BTreeMap<(PulseTime, RunKey), Snapshot>,
    /// True once the runs of the stream are known.
    runs_known: bool,
    script: Option<LoadedScript>,
    /// Hash of the script that could not be loaded: it is not tried again.
    refused_script: Option<u64>,
    /// Run of the last execution.
    current: Option<RunKey>,
    /// True once the markers have been read under the lease that is held.
    markers_read: bool,
    degradations: ExecutorDegradations,
}

/// Degradations that the executor declares, each with the event that ends it.
#[derive(Default)]
struct ExecutorDegradations {
    /// Until the markers can be read.
    markers_not_read: Option<DegradationGuard>,
    /// Until the next marker is written.
    marker_not_written: Option<DegradationGuard>,
}

#[derive(Clone, Debug)]
struct LoadedScript {
    /// First eight bytes of the hash.
    id: u64,
    /// SHA-256 of the text in hexadecimal.
    hash: String,
}

impl Executor {
    /// Executor without runs and script.
    pub fn new(deps: ExecutorDependencies) -> Self {
        let schedule = Schedule::new(deps.interval);
        Executor {
            deps,
            schedule,
            finished: HashSet::new(),
            complete: BTreeMap::new(),
            runs_known: false,
            script: None,
            refused_script: None,
            current: None,
            markers_read: false,
            degradations: ExecutorDegradations::default(),
        }
    }

    /// Works until [`ExecutorMessage::Stop`] or the end of all senders.
    ///
    /// # Errors
    /// [`JobError::Unkillable`] or [`JobError::Gone`] when the interpreter is lost.
    pub fn run(mut self, messages: &Receiver<ExecutorMessage>) -> Result<(), JobError> {
        loop {
            let runs = self.runs();
            let sleep = match self.next_action(&runs) {
                NextAction::Execute(run, kind) => {
                    self.execute(&runs, &run, kind)?;
                    Duration::ZERO
                }
                NextAction::Close(run) => {
                    self.close(&runs, &run);
                    Duration::ZERO
                }
                NextAction::Wait(Some(until)) => until.saturating_duration_since(Instant::now()),
                NextAction::Wait(None) => MAX_SLEEP,
            };
            match messages.recv_timeout(sleep.min(MAX_SLEEP)) {
                Ok(ExecutorMessage::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(ExecutorMessage::ScriptFetched(text)) => self.load_script(&text)?,
                Ok(ExecutorMessage::ScriptUnavailable) => self.load_last_script()?,
                Ok(ExecutorMessage::RunsKnown { finished }) => {
                    self.finished.extend(finished);
                    self.runs_known = true;
                }
                Ok(ExecutorMessage::RunComplete(snapshot)) => self.hold(*snapshot),
                Ok(ExecutorMessage::StateChanged) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Complete runs that are held and runs that go on, in order of their starts. Releases runs that are no longer needed.
    fn runs(&mut self) -> Vec<Arc<RunInfo>> {
        // A run that the timeline calls complete is on its way here as a snapshot.
        let open = self
            .deps
            .view
            .runs()
            .into_iter()
            .filter(|run| run.state != RunState::Complete)
            .map(Arc::new);
        let mut runs: Vec<_> = open
            .filter(|run| !self.complete.contains_key(&(run.start, run.key.clone())))
            .collect();
        // A finished run's events are needed until the next run begins: its scientist may still change the script.
        let newest = runs.iter().map(|run| run.start).max().or(self
            .complete
            .keys()
            .next_back()
            .map(|(start, _)| *start));
        self.complete
            .retain(|(start, key), _| !self.finished.contains(key) || newest.is_none_or(|newest| *start >= newest));
        runs.extend(self.complete.values().map(|snapshot| Arc::clone(snapshot.run())));
        runs.sort_by_key(|run| run.start);
        runs
    }

    /// Holds a complete run. Beyond [`MAX_PENDING_RUNS`], drops the oldest run without a final execution.
    fn hold(&mut self, snapshot: Snapshot) {
        let run = Arc::clone(snapshot.run());
        self.complete.insert((run.start, run.key.clone()), snapshot);
        let finished = &mut self.finished;
        while self.complete.keys().filter(|(_, key)| !finished.contains(key)).count() > MAX_PENDING_RUNS {
            let oldest = self.complete.keys().find(|(_, key)| !finished.contains(key)).cloned();
            let Some((key, dropped)) =
                oldest.and_then(|oldest| Some((oldest.1.clone(), self.complete.remove(&oldest)?)))
            else {
                return;
            };
            finished.insert(key);
            self.deps.script_log.error(&format!(
                "Run {} is given up: {MAX_PENDING_RUNS} later runs wait for a script, or for the output folder.",
                run_label(dropped.run())
            ));
        }
    }

    fn next_action(&mut self, runs: &[Arc<RunInfo>]) -> NextAction {
        let caught_up = self.deps.readiness.is_caught_up();
        let holds_lease = self.deps.readiness.holds_lease() && self.runs_known;
        self.markers_read = holds_lease && (self.markers_read || self.read_markers(runs));
        if self.deps.live_only {
            return self.close_processed(runs, caught_up && holds_lease);
        }
        let scheduled: Vec<ScheduledRun> = runs
            .iter()
            .map(|run| ScheduledRun {
                key: run.key.clone(),
                events: run.totals.events,
                complete: self.complete.contains_key(&(run.start, run.key.clone())),
                finished: self.finished.contains(&run.key),
            })
            .collect();
        let action = self.schedule.next_action(&ScheduleInputs {
            caught_up,
            holds_lease,
            script: self.script.as_ref().map(|script| script.id),
            runs: &scheduled,
            now: Instant::now(),
        });
        let due = match &action {
            NextAction::Wait(Some(at)) => rfc3339_of(*at),
            _ => None,
        };
        self.deps.status.update_script(|script| script.next = due);
        action
    }

    /// Without a script a complete run is finished once live data processing no longer needs it.
    fn close_processed(&self, runs: &[Arc<RunInfo>], may_write: bool) -> NextAction {
        let pending = |run: &&Arc<RunInfo>| {
            self.complete.contains_key(&(run.start, run.key.clone())) && !self.finished.contains(&run.key)
        };
        let needed = |run: &RunInfo| {
            let live_data = self.deps.live_data.as_ref();
            live_data.is_some_and(|live_data| live_data.needs(run))
        };
        match runs.iter().filter(pending).find(|run| !needed(run)) {
            Some(run) if may_write => NextAction::Close(run.key.clone()),
            _ => NextAction::Wait(None),
        }
    }

    fn execute(&mut self, runs: &[Arc<RunInfo>], key: &RunKey, kind: ExecutionKind) -> Result<(), JobError> {
        let Some(run) = runs.iter().find(|run| run.key == *key) else {
            return Ok(());
        };
        let Some(script) = self.script.clone() else {
            return Ok(());
        };
        let held = self.complete.get(&(run.start, run.key.clone())).cloned();
        let Some(snapshot) = held.or_else(|| self.deps.view.snapshot(key)) else {
            return Ok(());
        };
        let run = &Arc::clone(snapshot.run());
        let limits = Limits::after(self.deps.timeout);
        self.change_run(run, limits)?;
        let started = Instant::now();
        self.deps.status.update_script(|report| {
            report.running = true;
            report.last_run = Some(timestamps::now());
        });
        let live_workspace = Arc::clone(&self.deps.live_workspace);
        let outcome = self
            .deps
            .runner
            .execute(limits, move |py| live_workspace.set_run(py, snapshot));
        self.deps.status.update_script(|report| report.running = false);
        self.deps.status.set_workspaces(self.deps.live_workspace.report());
        match outcome {
            Ok(outcome) => {
                self.schedule
                    .record_execution(key.clone(), script.id, started, !outcome.ok);
                self.report_outcome(run, kind, &outcome);
                if kind == ExecutionKind::Final {
                    self.finish(run, Some(&script), outcome.error.as_deref());
                }
                Ok(())
            }
            Err(error) => {
                self.schedule.record_execution(key.clone(), script.id, started, true);
                self.deps.status.record_execution(started.elapsed().as_secs_f64(), true);
                self.report_job_error(error)
            }
        }
    }

    /// Clears the former run's names and loads the script anew: its globals would keep the former run's events in memory.
    fn change_run(&mut self, run: &RunInfo, limits: Limits) -> Result<(), JobError> {
        if self.current.as_ref() == Some(&run.key) {
            return Ok(());
        }
        if self.current.is_some() {
            let clear = Arc::clone(&self.deps.live_workspace);
            let retained = Arc::clone(&self.deps.live_workspace);
            let changed = self.deps.runner.change_run(
                limits,
                move |py| clear.clear(py),
                move |py, cleared| retained.retained(py, cleared),
            );
            match changed {
                Ok(change) => {
                    for workspace in change.retained {
                        self.deps.script_log.warning(&format!(
                            "The workspace {} of the former run is still held by the script ({} bytes): delete it, or \
                             keep it inside execute().",
                            workspace.name, workspace.bytes
                        ));
                    }
                    if let Some(error) = change.reload_error {
                        self.deps.script_log.error(&error);
                    }
                }
                Err(error) => self.report_job_error(error)?,
            }
        }
        self.deps
            .script_log
            .info(&format!("Run {} is being reduced.", run_label(run)));
        self.current = Some(run.key.clone());
        Ok(())
    }

    fn report_outcome(&self, run: &RunInfo, kind: ExecutionKind, outcome: &ExecutionOutcome) {
        let seconds = outcome.duration.as_secs_f64();
        self.deps.status.record_execution(seconds, !outcome.ok);
        self.deps.status.update_script(|report| {
            report.last_duration = Some(seconds);
            report.last_error = outcome.error.as_deref().map(end_of_error);
            report.threads.clone_from(&outcome.surviving_threads);
        });
        let (run, extent) = match kind {
            ExecutionKind::Final => (run_label(run), "complete"),
            ExecutionKind::Live => (run_label(run), "so far"),
        };
        match &outcome.error {
            None => self
                .deps
                .script_log
                .info(&format!("Run {run} {extent}: executed in {seconds:.2} s.")),
            Some(error) => self.deps.script_log.error(&format!(
                "Run {run} {extent}: the script failed after {seconds:.2} s.\n{error}"
            )),
        }
    }
}

/// Run number, or the run's name if it has none.
fn run_label(run: &RunInfo) -> &str {
    if run.run_number.is_empty() {
        &run.run_name
    } else {
        &run.run_number
    }
}

/// Last 8 KiB of a traceback, whose last lines name the error.
fn end_of_error(text: &str) -> String {
    if text.len() <= MAX_ERROR_BYTES {
        return text.to_owned();
    }
    let start = text.ceil_char_boundary(text.len() - MAX_ERROR_BYTES);
    format!("…{}", &text[start..])
}

fn rfc3339_of(at: Instant) -> Option<String> {
    let remaining = at.saturating_duration_since(Instant::now());
    jiff::Timestamp::now()
        .checked_add(jiff::SignedDuration::try_from(remaining).ok()?)
        .ok()
        .map(timestamps::rfc3339)
}
