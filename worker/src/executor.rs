//! Carries out what [`crate::schedule`] decides: loads scripts, executes them on views of runs, writes markers.
//!
//! On a thread of its own. Promises that each execution sees one consistent snapshot, that a run's marker is written after
//! its final execution and not before, and that nothing a script does ends this loop but a script that cannot be
//! interrupted. It must not touch the stream: a run that is complete comes to it as a snapshot, whose events stay in memory
//! for as long as it is held here.

mod finish;
mod scripts;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::TimelineView;

use crate::board::{self, Board};
use crate::journal::Journal;
use crate::live::hub::Hub;
use crate::output::OutputFolder;
use crate::python::{JobError, Limits};
use crate::schedule::{Kind, Next, Schedule, Situation, Turn};
use crate::script::{Outcome, Runner};

/// The longest the loop sleeps: the figures that it decides on change without a wake-up.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
/// Complete runs that wait for a script or for the lease, at most: their events are in memory.
const MOST_WAITING: usize = crate::resume::MOST + 1;
/// The longest error text that is kept.
const LONGEST_ERROR: usize = 8 << 10;

/// Why the executor looks up before its time.
#[derive(Debug)]
pub enum Wake {
    /// A script was fetched.
    Script(String),
    /// No script could be fetched: the last good one will do, where there is one.
    NoScript,
    /// The runs of the stream are known, and these need no execution any more.
    Resumed(Vec<RunKey>),
    /// Everything of a run was read.
    Complete(Box<Snapshot>),
    /// A run, the lease or readiness changed.
    Look,
    /// The worker stops: no further execution is begun.
    Stop,
}

/// Binds the live workspace to a run before an execution, and clears what a former run left.
pub trait LiveBinding: Send + Sync + 'static {
    /// Puts a view of the run under the live workspace's name. On the script thread.
    fn bind(&self, py: pyo3::Python<'_>, run: Snapshot) -> Result<(), String>;
    /// Empties the data service and says what is to be looked for afterwards. On the script thread.
    fn clear(&self, py: pyo3::Python<'_>) -> Box<dyn std::any::Any + Send>;
    /// Which of the workspaces that were cleared are still held.
    fn pinned(&self, py: pyo3::Python<'_>, former: Box<dyn std::any::Any + Send>) -> Vec<crate::script::Pinned>;
    /// What the data service holds, for the report. On any thread.
    fn workspaces(&self) -> Vec<live_data_crd::report::WorkspaceReport>;
}

/// What the executor works with.
pub struct Tools {
    /// The timeline's reading end.
    pub view: TimelineView,
    /// Where it tells.
    pub board: Arc<Board>,
    /// What the scientist reads.
    pub journal: Journal,
    /// Where markers are.
    pub output: OutputFolder,
    /// The interpreter's script.
    pub runner: Runner,
    /// How a run becomes a workspace.
    pub binding: Arc<dyn LiveBinding>,
    /// How often a script is executed.
    pub interval: Duration,
    /// When it is interrupted.
    pub timeout: Duration,
    /// Live data processing, where the engine has it.
    pub hub: Option<Arc<Hub>>,
    /// There is no script: what is processed, live data processing processes.
    pub live_only: bool,
}

/// The executor.
pub struct Executor {
    tools: Tools,
    schedule: Schedule,
    finished: HashSet<RunKey>,
    complete: BTreeMap<(PulseTime, RunKey), Snapshot>,
    resumed: bool,
    script: Option<Script>,
    refused: Option<u64>,
    current: Option<RunKey>,
    was_writer: bool,
}

#[derive(Clone, Debug)]
struct Script {
    id: u64,
    hash: String,
}

impl Executor {
    /// An executor with nothing to do yet.
    pub fn new(tools: Tools) -> Self {
        let schedule = Schedule::new(tools.interval);
        Executor {
            tools,
            schedule,
            finished: HashSet::new(),
            complete: BTreeMap::new(),
            resumed: false,
            script: None,
            refused: None,
            current: None,
            was_writer: false,
        }
    }

    /// Works until told to stop, or until a script cannot be interrupted.
    pub fn work(mut self, wakes: &Receiver<Wake>) -> Result<(), JobError> {
        loop {
            let runs = self.runs();
            let until = match self.decide(&runs) {
                Next::Execute(run, kind) => {
                    self.execute(&runs, &run, kind)?;
                    None
                }
                Next::Close(run) => {
                    self.close(&runs, &run);
                    None
                }
                Next::Wait(until) => Some(until),
            };
            let sleep = match until {
                // Something was done: look again at once, but never past a wish to stop.
                None => Duration::ZERO,
                Some(at) => at.map_or(LONGEST_SLEEP, |at| at.saturating_duration_since(Instant::now())),
            };
            match wakes.recv_timeout(sleep.min(LONGEST_SLEEP)) {
                Ok(Wake::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Wake::Script(text)) => self.take_script(&text)?,
                Ok(Wake::NoScript) => self.take_last_good()?,
                Ok(Wake::Resumed(finished)) => {
                    self.finished.extend(finished);
                    self.resumed = true;
                }
                Ok(Wake::Complete(snapshot)) => self.hold(*snapshot),
                Ok(Wake::Look) | Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// The runs that matter, oldest first: complete ones that are held, and those that go on.
    fn runs(&mut self) -> Vec<Arc<RunInfo>> {
        // A run that the timeline calls complete is on its way here as a snapshot.
        let open = self
            .tools
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

    fn hold(&mut self, snapshot: Snapshot) {
        let run = Arc::clone(snapshot.run());
        self.complete.insert((run.start, run.key.clone()), snapshot);
        while self
            .complete
            .keys()
            .filter(|(_, key)| !self.finished.contains(key))
            .count()
            > MOST_WAITING
        {
            let Some(oldest) = self
                .complete
                .keys()
                .find(|(_, key)| !self.finished.contains(key))
                .cloned()
            else {
                return;
            };
            if let Some(dropped) = self.complete.remove(&oldest) {
                self.finished.insert(oldest.1);
                self.tools.journal.error(&format!(
                    "Run {} is given up: {MOST_WAITING} later runs wait for a script, or for the output folder.",
                    run_words(dropped.run())
                ));
            }
        }
    }

    fn decide(&mut self, runs: &[Arc<RunInfo>]) -> Next {
        let report = self.tools.board.report();
        let writer = report.writer && self.resumed;
        if writer && !self.was_writer {
            self.begin_writing(runs);
        }
        self.was_writer = writer;
        if self.tools.live_only {
            return self.close_processed(runs, report.ready && writer);
        }
        let turns: Vec<Turn> = runs
            .iter()
            .map(|run| Turn {
                key: run.key.clone(),
                events: run.totals.events,
                complete: self.complete.contains_key(&(run.start, run.key.clone())),
                finished: self.finished.contains(&run.key),
            })
            .collect();
        let situation = Situation {
            ready: report.ready,
            writer,
            script: self.script.as_ref().map(|script| script.id),
            runs: &turns,
            now: Instant::now(),
        };
        let next = self.schedule.next(&situation);
        let due = match &next {
            Next::Wait(Some(at)) => Some(*at),
            _ => None,
        };
        self.tools.board.script(|script| script.next = due.and_then(in_words));
        next
    }

    /// Without a script a complete run is done with once live data processing has had it.
    fn close_processed(&self, runs: &[Arc<RunInfo>], may_write: bool) -> Next {
        let left = |run: &&Arc<RunInfo>| {
            self.complete.contains_key(&(run.start, run.key.clone())) && !self.finished.contains(&run.key)
        };
        let wanted = |run: &RunInfo| self.tools.hub.as_ref().is_some_and(|hub| hub.wants(run));
        match runs.iter().filter(left).find(|run| !wanted(run)) {
            Some(run) if may_write => Next::Close(run.key.clone()),
            _ => Next::Wait(None),
        }
    }

    fn execute(&mut self, runs: &[Arc<RunInfo>], key: &RunKey, kind: Kind) -> Result<(), JobError> {
        let Some(run) = runs.iter().find(|run| run.key == *key) else {
            return Ok(());
        };
        let Some(script) = self.script.clone() else {
            return Ok(());
        };
        let held = self.complete.get(&(run.start, run.key.clone())).cloned();
        let Some(snapshot) = held.or_else(|| self.tools.view.snapshot(key)) else {
            return Ok(());
        };
        let run = &Arc::clone(snapshot.run());
        let limits = Limits::after(self.tools.timeout);
        self.change_run(run, limits)?;
        let started = Instant::now();
        self.tools.board.script(|state| {
            state.running = true;
            state.last_run = Some(board::now());
        });
        let binding = Arc::clone(&self.tools.binding);
        let outcome = self.tools.runner.execute(limits, move |py| binding.bind(py, snapshot));
        self.tools.board.script(|state| state.running = false);
        self.tools.board.set_workspaces(self.tools.binding.workspaces());
        match outcome {
            Ok(outcome) => {
                self.schedule.executed(key.clone(), script.id, started, !outcome.ok);
                self.tell(run, kind, &outcome);
                if kind == Kind::Final {
                    self.finish(run, Some(&script), outcome.error.as_deref());
                }
                Ok(())
            }
            Err(error) => {
                self.schedule.executed(key.clone(), script.id, started, true);
                self.tools.board.executed(started.elapsed().as_secs_f64(), true);
                self.job_failed(error)
            }
        }
    }

    /// Names of the former run go, and the script is loaded anew: its globals would keep the run's events in memory.
    fn change_run(&mut self, run: &RunInfo, limits: Limits) -> Result<(), JobError> {
        if self.current.as_ref() == Some(&run.key) {
            return Ok(());
        }
        if self.current.is_some() {
            let (clear, pinned) = (Arc::clone(&self.tools.binding), Arc::clone(&self.tools.binding));
            let changed = self.tools.runner.change_run(
                limits,
                move |py| clear.clear(py),
                move |py, former| pinned.pinned(py, former),
            );
            match changed {
                Ok((held, problem)) => {
                    for workspace in held {
                        self.tools.journal.warning(&format!(
                            "The workspace {} of the former run is still held by the script ({} bytes): delete it, or \
                             keep it inside execute().",
                            workspace.name, workspace.bytes
                        ));
                    }
                    if let Some(problem) = problem {
                        self.tools.journal.error(&problem);
                    }
                }
                Err(error) => self.job_failed(error)?,
            }
        }
        self.tools
            .journal
            .info(&format!("Run {} is being reduced.", run_words(run)));
        self.current = Some(run.key.clone());
        Ok(())
    }

    fn tell(&self, run: &RunInfo, kind: Kind, outcome: &Outcome) {
        let seconds = outcome.duration.as_secs_f64();
        self.tools.board.executed(seconds, !outcome.ok);
        self.tools.board.script(|state| {
            state.last_duration = Some(seconds);
            state.last_error = outcome.error.as_deref().map(shortened);
            state.threads.clone_from(&outcome.surviving_threads);
        });
        let which = if kind == Kind::Final { "complete" } else { "so far" };
        match &outcome.error {
            None => self
                .tools
                .journal
                .info(&format!("Run {} {which}: executed in {seconds:.2} s.", run_words(run))),
            Some(error) => self.tools.journal.error(&format!(
                "Run {} {which}: the script failed after {seconds:.2} s.\n{error}",
                run_words(run)
            )),
        }
    }
}

fn run_words(run: &RunInfo) -> &str {
    if run.run_number.is_empty() {
        &run.run_name
    } else {
        &run.run_number
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_ERROR {
        return text.to_owned();
    }
    // The last lines of a traceback say what went wrong.
    let mut from = text.len() - LONGEST_ERROR;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    format!("…{}", &text[from..])
}

fn in_words(at: Instant) -> Option<String> {
    let left = at.saturating_duration_since(Instant::now());
    jiff::Timestamp::now()
        .checked_add(jiff::SignedDuration::try_from(left).ok()?)
        .ok()
        .map(board::rfc3339)
}
