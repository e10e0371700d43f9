//! One live data processing: from run to run, chunk by chunk, each step when it is asked for.
//!
//! Promises: a chunk counts as delivered once it was put together with those before, so that what fails is tried again and
//! nothing is lost or taken twice; runs come strictly one after another, each to its last event before anything is done
//! about its end. Must not wait, and must not know threads.

mod work;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_reduction::bind::Binder;
use live_data_reduction::live::accumulate::{self, Given};
use live_data_reduction::live::{Accumulation, Method, Request, StartFrom, Transition};
use live_data_reduction::run::GOOD_CHARGE;
use live_data_reduction::{AlgorithmError, Service};

use super::cursor::{Cursor, Use};
use super::feed::Feed;
use super::methods::{ProcessError, Running, Scripts, text};

use work::publish;

/// How long a pulse is in view before it counts as complete although nothing newer comes.
const QUIET: Duration = Duration::from_secs(2);
/// How often a run's last chunk is tried before the next run takes its turn.
const LAST_ATTEMPTS: u32 = 3;
/// How long a complete run that cannot be read is waited for.
const UNREADABLE: Duration = Duration::from_secs(5);

/// Takes lines for the scientist.
pub type Teller = Arc<dyn Fn(Tell, &str) + Send + Sync>;

/// What a session works with.
pub struct Tools {
    /// Names, instruments, log.
    pub service: Service,
    /// Makes workspaces of chunks.
    pub binder: Arc<Binder>,
    /// Python.
    pub scripts: Arc<dyn Scripts>,
    /// What the scientist reads.
    pub tell: Teller,
    /// Bytes that can still be used; `None` where there is no limit.
    pub spare: Arc<dyn Fn() -> Option<u64> + Send + Sync>,
}

/// How serious a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tell {
    /// Worth knowing.
    Info,
    /// Something looks wrong.
    Warning,
}

/// What a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There was nothing new.
    Nothing,
    /// A chunk was processed.
    Loaded,
    /// A run is at its end; the next one is begun with the next step.
    RunEnded(RunKey),
    /// Processing has stopped for good.
    Stopped(RunKey),
}

/// Which runs a session still has to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    bound: PulseTime,
    last_start: Option<PulseTime>,
    stopped: bool,
}

impl Wanted {
    /// Whether a run is one of them.
    pub fn holds(&self, run: &RunInfo) -> bool {
        !self.stopped
            && self.last_start.is_none_or(|last| run.start > last)
            && run.stop.is_none_or(|stop| stop > self.bound)
    }
}

/// A run that is being processed.
struct Current {
    key: RunKey,
    words: String,
    start: PulseTime,
    cursor: Cursor,
    unreadable: Option<Instant>,
    /// The newest pulse, and since when it is.
    newest: Option<(PulseTime, Instant)>,
}

/// One live data processing.
pub struct Session {
    id: u64,
    request: Request,
    tools: Tools,
    bound: PulseTime,
    current: Option<Current>,
    last_start: Option<PulseTime>,
    stopped: bool,
    kept: Vec<String>,
    /// The next chunk takes the place of what there is.
    replace: bool,
    given: Given,
    code: Option<u64>,
    post_code: Option<u64>,
    post_due: bool,
    failures: u32,
    /// Numbers chunks; never used twice in a process.
    number: u64,
    chunks: u64,
    last_time_stamp: Option<PulseTime>,
    running: Arc<Running>,
}

impl Session {
    /// Begins where the request says. `id` is a number that no other session has.
    pub fn new(id: u64, request: Request, tools: Tools, feed: &dyn Feed, now: PulseTime) -> Self {
        let bound = match request.start {
            StartFrom::Now => feed.newest_pulse().map_or(now, |newest| newest.plus(1).min(now)),
            StartFrom::StartOfRun => feed.runs().last().map_or(PulseTime::MIN, |run| run.start),
            StartFrom::Time(time) => time.to_pulse(),
        };
        if matches!(request.start, StartFrom::Time(_)) {
            let oldest = feed.runs().first().map(|run| run.start);
            if oldest.is_none_or(|oldest| bound < oldest) && bound < now {
                let text = "The start time that was asked for is older than what is held of the stream: beginning with the \
                            oldest run that is.";
                (tools.tell)(Tell::Warning, text);
            }
        }
        Session {
            id,
            request,
            tools,
            bound,
            current: None,
            last_start: None,
            stopped: false,
            kept: Vec::new(),
            replace: true,
            given: Given::new(),
            code: None,
            post_code: None,
            post_due: false,
            failures: 0,
            number: id << 32,
            chunks: 0,
            last_time_stamp: None,
            running: Arc::default(),
        }
    }

    /// What was asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Chunks that were processed.
    pub fn chunks(&self) -> u64 {
        self.chunks
    }

    /// The newest pulse that was loaded.
    pub fn last_time_stamp(&self) -> Option<PulseTime> {
        self.last_time_stamp
    }

    /// Python that runs for it now.
    pub fn running(&self) -> &Arc<Running> {
        &self.running
    }

    /// Whether the run's end has stopped it.
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Begins at another time than the request says.
    pub fn begin_at(&mut self, bound: PulseTime) {
        self.bound = bound;
    }

    /// Which runs it still has to come to.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            bound: self.bound,
            last_start: self.last_start,
            stopped: self.stopped,
        }
    }

    /// Names of results of former runs.
    pub fn kept(&self) -> &[String] {
        &self.kept
    }

    /// Looks at the run without processing anything: whether its last chunk can be loaded now.
    pub fn observe(&mut self, feed: &dyn Feed) -> bool {
        let runs = feed.runs();
        let Some(current) = &mut self.current else { return false };
        let Some(run) = runs.iter().find(|run| run.key == current.key) else {
            return false;
        };
        note_newest(current, run);
        run.state == RunState::Complete
    }

    /// Loads what is new.
    ///
    /// # Errors
    /// Why it could not be processed: it will be tried again with the next step.
    pub fn step(&mut self, feed: &dyn Feed, cancel: &Cancel) -> Result<Step, ProcessError> {
        if self.stopped {
            return Ok(Step::Nothing);
        }
        let runs = feed.runs();
        if self.current.is_none() {
            self.current = self.choose(&runs, feed);
        }
        let Some(current) = &mut self.current else {
            return Ok(Step::Nothing);
        };
        // The state first: a snapshot that is taken after a run is complete has everything.
        let info = runs.iter().find(|run| run.key == current.key);
        let complete = info.is_none_or(|run| run.state == RunState::Complete);
        let Some(snapshot) = feed.snapshot(&current.key) else {
            let since = *current.unreadable.get_or_insert_with(Instant::now);
            if complete && since.elapsed() >= UNREADABLE {
                let text = format!(
                    "Run #{} can no longer be read: what came last of it is not in the result.",
                    current.words
                );
                (self.tools.tell)(Tell::Warning, &text);
                return Ok(self.end_run());
            }
            return Ok(Step::Nothing);
        };
        note_newest(current, snapshot.run());
        let until = if complete {
            PulseTime::MAX
        } else {
            settled(current, &snapshot)
        };
        let loaded = self.load(&snapshot, until, cancel);
        match loaded {
            Ok(any) => {
                self.failures = 0;
                if complete {
                    return Ok(self.end_run());
                }
                Ok(if any { Step::Loaded } else { Step::Nothing })
            }
            Err(ProcessError::Algorithm(AlgorithmError::Cancelled)) => Ok(Step::Nothing),
            Err(error) => {
                self.failures += 1;
                if complete && self.failures >= LAST_ATTEMPTS {
                    self.failures = 0;
                    let words = self.current.as_ref().map(|run| run.words.clone()).unwrap_or_default();
                    let text = format!(
                        "The last chunk of run #{words} could not be processed in {LAST_ATTEMPTS} attempts and is given up: {error}"
                    );
                    (self.tools.tell)(Tell::Warning, &text);
                    let ended = self.end_run();
                    // What follows must not be added to a run that is not whole.
                    self.replace = true;
                    return Ok(ended);
                }
                Err(error)
            }
        }
    }

    /// The oldest run that has not been processed and lies within what was asked for.
    fn choose(&self, runs: &[RunInfo], feed: &dyn Feed) -> Option<Current> {
        let readable = |run: &&RunInfo| run.state != RunState::Complete || feed.snapshot(&run.key).is_some();
        let next = runs.iter().filter(|run| self.wanted().holds(run)).find(readable)?;
        Some(Current {
            key: next.key.clone(),
            words: number(next).to_owned(),
            start: next.start,
            cursor: Cursor::new(self.bound),
            unreadable: None,
            newest: None,
        })
    }

    /// Processes one chunk; false when there is nothing new.
    fn load(&mut self, snapshot: &Snapshot, until: PulseTime, cancel: &Cancel) -> Result<bool, ProcessError> {
        let code = texts(&self.request.processing, "processing script")?;
        let post_code = texts(&self.request.post_processing, "post-processing script")?;
        let (print, post_print) = (digest(&code), digest(&post_code));
        let Some(current) = &mut self.current else {
            return Ok(false);
        };
        let together = self.request.accumulation != Accumulation::Replace;
        let name = self.request.accumulated_in().to_owned();
        let held = self.tools.service.data.get(&name);
        // What was made by another script, or is no longer there, cannot be added to: it is made again from the view.
        let lost = together && !self.replace && (held.is_none() || (self.code.is_some() && self.code != print));
        if lost && !current.cursor.is_fresh() {
            current.cursor = current.cursor.rewound();
        }
        let usage = if together { Use::Together } else { Use::Alone };
        self.number += 1;
        let chunk = current.cursor.next(snapshot, until, usage, self.number);
        let Some(chunk) = chunk else {
            let again = self.post_due || self.post_code != post_print;
            if !again || self.request.post_processing.is_none() || held.is_none() || self.replace {
                return Ok(false);
            }
            self.post_process(post_code.as_deref(), cancel)?;
            self.post_code = post_print;
            return Ok(true);
        };
        // A run that has brought nothing yet leaves what the former one has made.
        if chunk.is_empty() && self.replace && self.chunks > 0 {
            return Ok(false);
        }
        self.put(snapshot, &chunk, code.as_deref(), cancel)?;
        self.code = print;
        self.chunks += 1;
        self.last_time_stamp = self.last_time_stamp.max(chunk.newest);
        if let Some(current) = &mut self.current {
            current.cursor = chunk.after;
        }
        self.post_due = self.request.post_processing.is_some();
        if self.post_due {
            self.post_process(post_code.as_deref(), cancel)?;
            self.post_code = post_print;
        }
        Ok(true)
    }

    /// What the request wants done when a run has come to its end.
    fn end_run(&mut self) -> Step {
        let Some(run) = self.current.take() else {
            return Step::Nothing;
        };
        self.last_start = Some(run.start);
        let words = &run.words;
        match self.request.transition {
            Transition::Stop => {
                self.stopped = true;
                (self.tools.tell)(
                    Tell::Info,
                    &format!("Run #{words} ended. Stopping live data monitoring."),
                );
                return Step::Stopped(run.key);
            }
            Transition::Restart => {
                (self.tools.tell)(Tell::Info, &format!("Run #{words} ended. Clearing existing workspace."));
            }
            Transition::Rename => {
                (self.tools.tell)(Tell::Info, &format!("Run #{words} ended. Renaming existing workspace."));
                self.keep(words);
            }
        }
        self.replace = true;
        Step::RunEnded(run.key)
    }

    /// Keeps the result under a name of its own.
    fn keep(&mut self, words: &str) {
        let name = &self.request.output_workspace;
        let Some(held) = self.tools.service.data.get(name) else {
            return;
        };
        // Nothing of this run is in it: it was kept when its own run ended.
        if self.replace {
            return;
        }
        let workspace = held.snapshot();
        let members = accumulate::members(&workspace);
        let bytes: u64 = members.iter().map(|member| member.memory() as u64).sum();
        let kept = format!("{name}_{words}");
        if (self.tools.spare)().is_some_and(|spare| spare < bytes.saturating_mul(3)) {
            let text = format!("Not enough spare memory to clone {name} to {kept}: it is not kept");
            (self.tools.tell)(Tell::Warning, &text);
            return;
        }
        let copy = accumulate::grouped(members, held.is_group());
        if let Err(error) = publish(&self.tools.service, &kept, copy) {
            (self.tools.tell)(Tell::Warning, &format!("{name} cannot be kept as {kept}: {error}"));
            return;
        }
        self.kept.push(kept);
    }

    /// The charge of the result, for logs and tests.
    pub fn charge(&self) -> Option<f64> {
        let held = self.tools.service.data.get(self.request.accumulated_in())?;
        let members = accumulate::members(&held.snapshot());
        let charges = members.iter().map(|member| member.run().number(GOOD_CHARGE));
        charges.flatten().reduce(|sum, charge| sum + charge)
    }
}

/// Pulses before this are delivered: those that have their metadata, and when nothing newer comes for a while, all.
fn settled(current: &Current, snapshot: &Snapshot) -> PulseTime {
    let settled = snapshot.settled_before();
    match current.newest {
        Some((newest, since)) if since.elapsed() >= QUIET => settled.max(newest.plus(1)),
        _ => settled,
    }
}

fn note_newest(current: &mut Current, run: &RunInfo) {
    let Some(newest) = run.last_pulse else { return };
    if current.newest.is_none_or(|(known, _)| known != newest) {
        current.newest = Some((newest, Instant::now()));
    }
}

fn number(run: &RunInfo) -> &str {
    if run.run_number.is_empty() {
        &run.run_name
    } else {
        &run.run_number
    }
}

fn texts(method: &Option<Method>, what: &'static str) -> Result<Option<String>, ProcessError> {
    method.as_ref().map_or(Ok(None), |method| text(method, what))
}

fn digest(code: &Option<String>) -> Option<u64> {
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
