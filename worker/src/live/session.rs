//! Session of live data processing: one request, from run to run, one chunk a step.
//!
//! Promises: a chunk counts as delivered once it was accumulated. A failed one is tried again, so that no event is lost
//! or counted twice. Runs follow one another: a run's end is handled after its last event. Must not wait, and must not
//! know threads.

mod chunk;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_reduction::live::accumulate::{self, MemberGeometry};
use live_data_reduction::live::{AccumulationMethod, LiveRequest, ProcessingMethod, RunTransitionBehavior, StartFrom};
use live_data_reduction::run_workspace::RunWorkspaceBuilder;
use live_data_reduction::{AlgorithmError, Services};

use super::cursor::{ChunkUse, Cursor};
use super::processing::{ProcessError, PythonRunner, RunningScript, script_text, store_workspace};
use super::run_source::RunSource;

/// Age at which the newest pulse counts as complete without a newer one.
const QUIET: Duration = Duration::from_secs(2);
/// Attempts at a complete run's last chunk before the next run is processed.
const LAST_ATTEMPTS: u32 = 3;
/// Time for which a complete run may be unreadable before it is given up.
const UNREADABLE: Duration = Duration::from_secs(5);

/// Receiver of messages for the scientist's log.
pub type MessageSink = Arc<dyn Fn(MessageLevel, &str) + Send + Sync>;

/// Services that a session uses.
pub struct SessionDependencies {
    /// Data service, instruments and logger of the native engine.
    pub services: Services,
    pub workspace_builder: Arc<RunWorkspaceBuilder>,
    /// Interpreter for processing scripts.
    pub scripts: Arc<dyn PythonRunner>,
    pub notify: MessageSink,
    /// Bytes below the memory limit; `None` without a limit.
    pub free_memory: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
}

/// Severity of a message for the scientist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageLevel {
    /// A normal event, such as the end of a run.
    Info,
    /// Data or settings that are probably wrong.
    Warning,
}

/// Outcome of [`Session::step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// No new data, or no run.
    NothingNew,
    /// One chunk was processed.
    ChunkLoaded,
    /// The run's last chunk was processed; the next step starts the next run.
    RunEnded(RunKey),
    /// RunTransitionBehavior=Stop has ended the session after this run.
    Stopped(RunKey),
}

/// Runs that a session has not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingRuns {
    earliest: PulseTime,
    last_start: Option<PulseTime>,
    stopped: bool,
}

impl PendingRuns {
    /// True if the session will process `run`.
    pub fn contains(&self, run: &RunInfo) -> bool {
        !self.stopped
            && self.last_start.is_none_or(|last| run.start > last)
            && run.stop.is_none_or(|stop| stop > self.earliest)
    }
}

/// Run that a session processes.
struct CurrentRun {
    key: RunKey,
    /// Run number, or the name of a run without one.
    number: String,
    start: PulseTime,
    cursor: Cursor,
    /// Time since which no snapshot could be read.
    unreadable: Option<Instant>,
    /// Newest pulse, and the time at which it was first seen.
    newest: Option<(PulseTime, Instant)>,
}

/// State of the processing of one request.
pub struct Session {
    id: u64,
    request: LiveRequest,
    dependencies: SessionDependencies,
    /// Earlier pulses are not processed.
    earliest: PulseTime,
    current: Option<CurrentRun>,
    last_start: Option<PulseTime>,
    stopped: bool,
    renamed_results: Vec<String>,
    /// The next chunk replaces the accumulated data: a run begins.
    replace: bool,
    /// Geometry and masks of the last replacement, before scripts changed them.
    geometry: MemberGeometry,
    script_digest: Option<u64>,
    post_script_digest: Option<u64>,
    /// Accumulated data have changed since the last post-processing.
    post_due: bool,
    /// Failed attempts at the present chunk.
    failures: u32,
    /// Identity of the last chunk, unique in the process: id in the upper 32 bits.
    chunk_number: u64,
    chunks: u64,
    last_time_stamp: Option<PulseTime>,
    running: Arc<RunningScript>,
}

impl Session {
    /// Session that starts at the request's start time. `id` is unique in the process.
    pub fn new(
        id: u64,
        request: LiveRequest,
        dependencies: SessionDependencies,
        source: &dyn RunSource,
        now: PulseTime,
    ) -> Self {
        let earliest = match request.start {
            StartFrom::Now => source.newest_pulse().map_or(now, |newest| newest.plus(1).min(now)),
            StartFrom::StartOfRun => source.runs().last().map_or(PulseTime::MIN, |run| run.start),
            StartFrom::Time(time) => time.to_pulse(),
        };
        if matches!(request.start, StartFrom::Time(_)) {
            let oldest = source.runs().first().map(|run| run.start);
            if oldest.is_none_or(|oldest| earliest < oldest) && earliest < now {
                let text = "The start time that was asked for is older than what is held of the stream: beginning with the \
                            oldest run that is.";
                (dependencies.notify)(MessageLevel::Warning, text);
            }
        }
        Session {
            id,
            request,
            dependencies,
            earliest,
            current: None,
            last_start: None,
            stopped: false,
            renamed_results: Vec::new(),
            replace: true,
            geometry: MemberGeometry::new(),
            script_digest: None,
            post_script_digest: None,
            post_due: false,
            failures: 0,
            chunk_number: id << 32,
            chunks: 0,
            last_time_stamp: None,
            running: Arc::default(),
        }
    }

    /// The request, as given to [`Session::new`].
    pub fn request(&self) -> &LiveRequest {
        &self.request
    }

    /// Number of processed chunks over all runs.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// Time of the newest processed pulse.
    pub fn last_time_stamp(&self) -> Option<PulseTime> {
        self.last_time_stamp
    }

    /// Script that runs at the moment.
    pub fn running(&self) -> &Arc<RunningScript> {
        &self.running
    }

    /// True after RunTransitionBehavior=Stop.
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Replaces the request's start time; before the first step.
    pub fn start_at(&mut self, earliest: PulseTime) {
        self.earliest = earliest;
    }

    /// Runs that the session has not processed, as of now.
    pub fn pending_runs(&self) -> PendingRuns {
        PendingRuns {
            earliest: self.earliest,
            last_start: self.last_start,
            stopped: self.stopped,
        }
    }

    /// Names of former runs' results, of RunTransitionBehavior=Rename.
    pub fn renamed_results(&self) -> &[String] {
        &self.renamed_results
    }

    /// Updates the age of the newest pulse; true if the run is complete and its last chunk can be processed.
    pub fn poll_run_end(&mut self, source: &dyn RunSource) -> bool {
        let runs = source.runs();
        let Some(current) = &mut self.current else { return false };
        let Some(run) = runs.iter().find(|run| run.key == current.key) else {
            return false;
        };
        note_newest(current, run);
        run.state == RunState::Complete
    }

    /// Processes the next chunk, and the run's end after its last one.
    ///
    /// # Errors
    /// [`ProcessError`] of the chunk, which the next step tries again.
    pub fn step(&mut self, source: &dyn RunSource, cancel: &Cancel) -> Result<StepOutcome, ProcessError> {
        if self.stopped {
            return Ok(StepOutcome::NothingNew);
        }
        let runs = source.runs();
        if self.current.is_none() {
            self.current = self.next_run(&runs, source);
        }
        let Some(current) = &mut self.current else {
            return Ok(StepOutcome::NothingNew);
        };
        // State before snapshot: a snapshot taken after completion has all events.
        let info = runs.iter().find(|run| run.key == current.key);
        let complete = info.is_none_or(|run| run.state == RunState::Complete);
        let Some(snapshot) = source.snapshot(&current.key) else {
            let since = *current.unreadable.get_or_insert_with(Instant::now);
            if complete && since.elapsed() >= UNREADABLE {
                let text = format!(
                    "Run #{} can no longer be read: what came last of it is not in the result.",
                    current.number
                );
                (self.dependencies.notify)(MessageLevel::Warning, &text);
                return Ok(self.end_run());
            }
            return Ok(StepOutcome::NothingNew);
        };
        note_newest(current, snapshot.run());
        let until = if complete {
            PulseTime::MAX
        } else {
            settled(current, &snapshot)
        };
        let loaded = self.process_new(&snapshot, until, cancel);
        match loaded {
            Ok(any) => {
                self.failures = 0;
                if complete {
                    return Ok(self.end_run());
                }
                Ok(if any {
                    StepOutcome::ChunkLoaded
                } else {
                    StepOutcome::NothingNew
                })
            }
            Err(ProcessError::Algorithm(AlgorithmError::Cancelled)) => Ok(StepOutcome::NothingNew),
            Err(error) => {
                self.failures += 1;
                if complete && self.failures >= LAST_ATTEMPTS {
                    self.failures = 0;
                    let number = self.current.as_ref().map(|run| run.number.clone()).unwrap_or_default();
                    let text = format!(
                        "The last chunk of run #{number} could not be processed in {LAST_ATTEMPTS} attempts and is given up: {error}"
                    );
                    (self.dependencies.notify)(MessageLevel::Warning, &text);
                    let ended = self.end_run();
                    // Later chunks must not be added to an incomplete run.
                    self.replace = true;
                    return Ok(ended);
                }
                Err(error)
            }
        }
    }

    /// Oldest readable run that has not been processed.
    fn next_run(&self, runs: &[RunInfo], source: &dyn RunSource) -> Option<CurrentRun> {
        let readable = |run: &&RunInfo| run.state != RunState::Complete || source.snapshot(&run.key).is_some();
        let next = runs
            .iter()
            .filter(|run| self.pending_runs().contains(run))
            .find(readable)?;
        Some(CurrentRun {
            key: next.key.clone(),
            number: run_number(next).to_owned(),
            start: next.start,
            cursor: Cursor::new(self.earliest),
            unreadable: None,
            newest: None,
        })
    }

    /// Processes one chunk; false if nothing is new.
    fn process_new(&mut self, snapshot: &Snapshot, until: PulseTime, cancel: &Cancel) -> Result<bool, ProcessError> {
        let code = present_script(&self.request.processing, "processing script")?;
        let post_code = present_script(&self.request.post_processing, "post-processing script")?;
        let (digest, post_digest) = (script_digest(&code), script_digest(&post_code));
        let Some(current) = &mut self.current else {
            return Ok(false);
        };
        let together = self.request.accumulation != AccumulationMethod::Replace;
        let name = self.request.accumulated_in().to_owned();
        let held = self.dependencies.services.data.get(&name);
        // Data of another script, or deleted data, cannot be added to: they are made again from the whole run.
        let lost = together
            && !self.replace
            && (held.is_none() || (self.script_digest.is_some() && self.script_digest != digest));
        if lost && !current.cursor.is_fresh() {
            current.cursor = current.cursor.rewound();
        }
        let usage = if together {
            ChunkUse::Accumulated
        } else {
            ChunkUse::Standalone
        };
        self.chunk_number += 1;
        let chunk = current.cursor.next(snapshot, until, usage, self.chunk_number);
        let Some(chunk) = chunk else {
            let again = self.post_due || self.post_script_digest != post_digest;
            if !again || self.request.post_processing.is_none() || held.is_none() || self.replace {
                return Ok(false);
            }
            self.post_process(post_code.as_deref(), cancel)?;
            self.post_script_digest = post_digest;
            return Ok(true);
        };
        // A run without data yet does not clear the former run's result.
        if chunk.is_empty() && self.replace && self.chunks > 0 {
            return Ok(false);
        }
        self.process_chunk(snapshot, &chunk, code.as_deref(), cancel)?;
        self.script_digest = digest;
        self.chunks += 1;
        self.last_time_stamp = self.last_time_stamp.max(chunk.newest);
        if let Some(current) = &mut self.current {
            current.cursor = chunk.after;
        }
        self.post_due = self.request.post_processing.is_some();
        if self.post_due {
            self.post_process(post_code.as_deref(), cancel)?;
            self.post_script_digest = post_digest;
        }
        Ok(true)
    }

    /// Applies RunTransitionBehavior at the end of a run.
    fn end_run(&mut self) -> StepOutcome {
        let Some(run) = self.current.take() else {
            return StepOutcome::NothingNew;
        };
        self.last_start = Some(run.start);
        let number = &run.number;
        match self.request.transition {
            RunTransitionBehavior::Stop => {
                self.stopped = true;
                (self.dependencies.notify)(
                    MessageLevel::Info,
                    &format!("Run #{number} ended. Stopping live data monitoring."),
                );
                return StepOutcome::Stopped(run.key);
            }
            RunTransitionBehavior::Restart => {
                (self.dependencies.notify)(
                    MessageLevel::Info,
                    &format!("Run #{number} ended. Clearing existing workspace."),
                );
            }
            RunTransitionBehavior::Rename => {
                (self.dependencies.notify)(
                    MessageLevel::Info,
                    &format!("Run #{number} ended. Renaming existing workspace."),
                );
                self.rename_result(number);
            }
        }
        self.replace = true;
        StepOutcome::RunEnded(run.key)
    }

    /// Copies the result to `<OutputWorkspace>_<run number>`, unless memory is short.
    fn rename_result(&mut self, number: &str) {
        let name = &self.request.output_workspace;
        let Some(held) = self.dependencies.services.data.get(name) else {
            return;
        };
        // The result is a former run's, and was copied at that run's end.
        if self.replace {
            return;
        }
        let workspace = held.snapshot();
        let members = accumulate::members(&workspace);
        let bytes: u64 = members.iter().map(|member| member.memory() as u64).sum();
        let kept = format!("{name}_{number}");
        if (self.dependencies.free_memory)().is_some_and(|free_memory| free_memory < bytes.saturating_mul(3)) {
            let text = format!("Not enough spare memory to clone {name} to {kept}: it is not kept");
            (self.dependencies.notify)(MessageLevel::Warning, &text);
            return;
        }
        let copy = accumulate::from_members(members, held.is_group());
        if let Err(error) = store_workspace(&self.dependencies.services, &kept, copy) {
            (self.dependencies.notify)(
                MessageLevel::Warning,
                &format!("{name} cannot be kept as {kept}: {error}"),
            );
            return;
        }
        self.renamed_results.push(kept);
    }

    /// Proton charge of the accumulated data in µA·h, summed over periods.
    #[cfg(test)]
    pub fn charge(&self) -> Option<f64> {
        let held = self.dependencies.services.data.get(self.request.accumulated_in())?;
        let members = accumulate::members(&held.snapshot());
        let charges = members
            .iter()
            .map(|member| member.run().number(live_data_reduction::run::GOOD_CHARGE));
        charges.flatten().reduce(|sum, charge| sum + charge)
    }
}

/// End of the pulses that can be delivered: those with metadata, or all once no newer one has arrived for [`QUIET`].
fn settled(current: &CurrentRun, snapshot: &Snapshot) -> PulseTime {
    let settled = snapshot.settled_before();
    match current.newest {
        Some((newest, since)) if since.elapsed() >= QUIET => settled.max(newest.plus(1)),
        _ => settled,
    }
}

fn note_newest(current: &mut CurrentRun, run: &RunInfo) {
    let Some(newest) = run.last_pulse else { return };
    if current.newest.is_none_or(|(known, _)| known != newest) {
        current.newest = Some((newest, Instant::now()));
    }
}

fn run_number(run: &RunInfo) -> &str {
    if run.run_number.is_empty() {
        &run.run_name
    } else {
        &run.run_number
    }
}

fn present_script(method: &Option<ProcessingMethod>, what: &'static str) -> Result<Option<String>, ProcessError> {
    method.as_ref().map_or(Ok(None), |method| script_text(method, what))
}

fn script_digest(code: &Option<String>) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    code.hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
#[path = "session_property_tests.rs"]
mod property_tests;
#[cfg(test)]
#[path = "session_script_tests.rs"]
mod script_tests;
#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
