//! All live data processing of a worker: who asked for it, on which threads it goes on, and how it ends.
//!
//! Promises: each processing has a thread of its own and never two chunks at once; the same request twice is one processing;
//! two never write the same workspace; the thread that takes records in only ever leaves something here and goes on. Must not
//! decide what a chunk is.

mod for_scripts;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use live_data_engine::cancel::Cancel;
use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::time::PulseTime;
use live_data_reduction::bind::Binder;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{Request, StartFrom};
use live_data_reduction::{AlgorithmError, Result, Service};
use parking_lot::Mutex;

use super::feed::Feed;
use super::methods::{ProcessError, Scripts};
use super::monitor::{Monitor, Origin};
use super::session::{Session, Step, Tell, Tools};
use crate::board::Board;
use crate::journal::Journal;
use crate::memory;

pub use for_scripts::ForScripts;

/// How often a monitor looks whether it has to do something.
const POLL: Duration = Duration::from_millis(50);
/// How often it looks at the stream.
const LOOK: Duration = Duration::from_millis(250);
/// How long a first chunk is waited for where there is no run.
const FIRST_RUN: Duration = Duration::from_secs(10);
/// How long after an execution of a script the next one may call LoadLiveData for the rest of a run.
const BETWEEN_CALLS: Duration = Duration::from_secs(600);
/// How soon at the latest a chunk that failed is tried again.
const RETRY: Duration = Duration::from_secs(10);
/// Why the board shows a processing that fails.
pub const FAILED: &str = "LiveProcessingFailed";

/// What a hub works with.
pub struct HubTools {
    /// The instrument, upper case.
    pub instrument: String,
    /// Names, instruments, log.
    pub service: Service,
    /// Makes workspaces of chunks.
    pub binder: Arc<Binder>,
    /// Python.
    pub scripts: Arc<dyn Scripts>,
    /// What the scientist reads.
    pub journal: Journal,
    /// Where it tells.
    pub board: Arc<Board>,
    /// Memory that the worker keeps to.
    pub memory_limit: Option<u64>,
    /// When Python of a chunk is interrupted.
    pub timeout: Duration,
}

/// What calls of LoadLiveData with the same properties go on with.
struct Load {
    request: Request,
    session: Arc<Mutex<Session>>,
    called: Instant,
}

impl Load {
    /// Whether a next call has to find a run.
    fn wants(&self, run: &RunInfo) -> bool {
        let session = self.session.try_lock();
        session.is_none_or(|session| session.wanted().holds(run))
    }
}

/// All live data processing of a worker.
pub struct Hub {
    tools: HubTools,
    feed: Arc<dyn Feed>,
    monitors: Mutex<Vec<Arc<Monitor>>>,
    loads: Mutex<Vec<Load>>,
    next: AtomicU64,
    /// What the settings ask for has not begun yet: every run is kept for it.
    pending: AtomicBool,
    stopping: AtomicBool,
}

impl Hub {
    /// A hub over these runs, with nothing under way.
    pub fn new(tools: HubTools, feed: Arc<dyn Feed>) -> Arc<Self> {
        Arc::new(Hub {
            tools,
            feed,
            monitors: Mutex::default(),
            loads: Mutex::default(),
            next: AtomicU64::new(1),
            pending: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
        })
    }

    /// What it works with.
    pub fn tools(&self) -> &HubTools {
        &self.tools
    }

    /// The monitors that are under way.
    pub fn alive(&self) -> Vec<Arc<Monitor>> {
        self.monitors
            .lock()
            .iter()
            .filter(|monitor| monitor.is_alive())
            .cloned()
            .collect()
    }

    /// Says that the settings will ask for live data processing.
    pub fn expect(&self) {
        self.pending.store(true, Ordering::Release);
    }

    /// Begins what the settings ask for, from the oldest of the runs that still have to be processed.
    ///
    /// # Errors
    /// When it cannot be carried out.
    pub fn begin(self: &Arc<Self>, request: &Request, finished: &[RunKey]) -> Result<()> {
        let monitor = self.add(request, Origin::Settings, &Cancel::new(), |runs| {
            let due = |run: &&RunInfo| run.state == RunState::Complete && !finished.contains(&run.key);
            let readable = |run: &&RunInfo| self.feed.snapshot(&run.key).is_some();
            let oldest = runs.iter().filter(due).find(readable).or(runs.last());
            (request.start == StartFrom::StartOfRun).then(|| oldest.map_or(PulseTime::MIN, |run| run.start))
        });
        self.pending.store(false, Ordering::Release);
        self.go_on(&monitor?)
    }

    /// Whether some processing still has to come to a run.
    pub fn wants(&self, run: &RunInfo) -> bool {
        self.pending.load(Ordering::Acquire)
            || self.alive().iter().any(|monitor| monitor.wants(run))
            || self.loads(|load| load.wants(run)).contains(&true)
    }

    /// Asks what LoadLiveData goes on with. A script that no longer calls it holds nothing for ever.
    fn loads<T>(&self, ask: impl FnMut(&Load) -> T) -> Vec<T> {
        let patience = self.tools.timeout + BETWEEN_CALLS;
        let loads = self.loads.lock();
        let called = loads.iter().filter(|load| load.called.elapsed() < patience);
        called.map(ask).collect()
    }

    /// Names that are in use by processing that goes on: they must outlive the run that a script is executed on.
    pub fn names(&self) -> Vec<String> {
        let of = |monitor: &Arc<Monitor>| {
            let mut names = monitor.kept();
            names.extend(written(monitor.request()));
            names
        };
        let mut names: Vec<String> = self.alive().iter().flat_map(of).collect();
        names.extend(self.loads(|load| written(&load.request)).into_iter().flatten());
        names
    }

    /// Ends what scripts have begun: another script is in use.
    pub fn end_scripts(&self) {
        for monitor in self.alive().iter().filter(|monitor| monitor.origin() == Origin::Script) {
            self.tools.journal.info(&format!(
                "Live processing into {} ends: another script is in use.",
                monitor.request().output_workspace
            ));
            monitor.end();
        }
        self.monitors
            .lock()
            .retain(|monitor| monitor.is_alive() || !monitor.is_done());
        self.loads.lock().clear();
    }

    /// Ends everything, and waits for chunks that are being processed, for at most this long.
    pub fn stop(&self, patience: Duration) {
        self.stopping.store(true, Ordering::Release);
        let monitors = self.monitors.lock().clone();
        monitors.iter().for_each(|monitor| monitor.end());
        let until = Instant::now() + patience;
        while monitors.iter().any(|monitor| !monitor.is_done()) && Instant::now() < until {
            std::thread::sleep(POLL);
        }
        for monitor in monitors.iter().filter(|monitor| !monitor.is_done()) {
            monitor.abandon();
            self.tools.journal.warning(&format!(
                "Live processing into {} goes on after {} s and is left behind.",
                monitor.request().output_workspace,
                patience.as_secs()
            ));
        }
    }

    /// Whether it is being stopped.
    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// Puts what there is to say of monitors on the board.
    pub fn report(&self) {
        let alive = self.monitors.lock().clone();
        let reports = alive
            .iter()
            .filter(|monitor| monitor.is_shown())
            .map(|monitor| monitor.report());
        self.tools.board.set_monitors(reports.collect());
        let wrong: Vec<String> = alive.iter().filter_map(|monitor| monitor.wrong()).collect();
        if wrong.is_empty() {
            self.tools.board.recover(FAILED);
        } else {
            self.tools.board.degrade(FAILED, wrong.join("; "));
        }
    }

    fn session_tools(&self) -> Tools {
        let (journal, limit) = (self.tools.journal.clone(), self.tools.memory_limit);
        let said: Mutex<Option<String>> = Mutex::new(None);
        Tools {
            service: self.tools.service.clone(),
            binder: Arc::clone(&self.tools.binder),
            scripts: Arc::clone(&self.tools.scripts),
            tell: Arc::new(move |level, text| {
                // What is odd about a run is said once, not with each chunk.
                if level == Tell::Warning && said.lock().replace(text.to_owned()).as_deref() == Some(text) {
                    return;
                }
                match level {
                    Tell::Info => journal.info(text),
                    Tell::Warning => journal.warning(text),
                }
            }),
            spare: Arc::new(move || limit.map(|limit| limit.saturating_sub(memory::resident()))),
        }
    }

    fn check(&self, request: &Request) -> Result<()> {
        let own = &self.tools.instrument;
        if own.is_empty() || request.instrument == *own {
            return Ok(());
        }
        Err(AlgorithmError::Execution(format!(
            "this worker reads the stream of {own}, not of {}: use Instrument=\"{own}\"",
            request.instrument
        )))
    }

    /// Makes a monitor for a request, unless another one has its names.
    fn add(
        self: &Arc<Self>,
        request: &Request,
        origin: Origin,
        cancel: &Cancel,
        bound: impl FnOnce(&[RunInfo]) -> Option<PulseTime>,
    ) -> Result<Arc<Monitor>> {
        self.check(request)?;
        if self.is_stopping() {
            return Err(AlgorithmError::Execution(
                "the worker stops: no live data are loaded any more".into(),
            ));
        }
        self.wait_for_names(request, cancel)?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let now = DateAndTime::now().to_pulse();
        let mut session = Session::new(id, request.clone(), self.session_tools(), self.feed.as_ref(), now);
        if let Some(bound) = bound(&self.feed.runs()) {
            session.begin_at(bound);
        }
        let monitor = Arc::new(Monitor::new(id, origin, session));
        let mut monitors = self.monitors.lock();
        monitors.retain(|known| {
            // What was stopped by a run's end is remembered until its place is taken.
            known.is_alive() || (!known.is_done() || known.request() != request)
        });
        monitors.push(Arc::clone(&monitor));
        Ok(monitor)
    }

    /// Fails when another monitor writes one of the workspaces; waits for one that is ending.
    fn wait_for_names(&self, request: &Request, cancel: &Cancel) -> Result<()> {
        let until = Instant::now() + FIRST_RUN;
        loop {
            let others = self.monitors.lock().clone();
            let clash = others.iter().filter(|other| !other.is_done()).find_map(|other| {
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
                Some((taken, other.is_alive()))
            });
            match clash {
                None => return Ok(()),
                Some((_, false)) if Instant::now() < until && !cancel.is_cancelled() => std::thread::sleep(POLL),
                Some((taken, _)) => {
                    return Err(AlgorithmError::Execution(format!(
                        "Another MonitorLiveData thread is running with the same {taken}.\n\
                         Please specify a different {taken} name."
                    )));
                }
            }
        }
    }

    /// The first chunk, on the thread that asked for it; waits a while for a run where there is none.
    fn first(&self, session: &Mutex<Session>, cancel: &Cancel) -> Result<()> {
        let until = Instant::now() + FIRST_RUN;
        loop {
            let step = session.lock().step(self.feed.as_ref(), cancel).map_err(raised)?;
            if step != Step::Nothing || Instant::now() >= until {
                return Ok(());
            }
            if cancel.is_cancelled() {
                return Err(AlgorithmError::Cancelled);
            }
            std::thread::sleep(POLL);
        }
    }

    /// Goes on with a monitor on a thread of its own.
    fn go_on(self: &Arc<Self>, monitor: &Arc<Monitor>) -> Result<()> {
        let (hub, working) = (Arc::clone(self), Arc::clone(monitor));
        let name = format!("live-{}", monitor.request().output_workspace);
        let spawned = std::thread::Builder::new()
            .name(name.chars().take(15).collect())
            .stack_size(32 << 20)
            .spawn(move || {
                let worked = catch_unwind(AssertUnwindSafe(|| hub.work(&working)));
                working.done();
                if worked.is_err() {
                    working.failed("an internal fault of this program; see its log".into());
                }
                hub.report();
            });
        if let Err(error) = spawned {
            monitor.done();
            return Err(AlgorithmError::Execution(format!(
                "cannot start a thread for live data: {error}"
            )));
        }
        self.report();
        Ok(())
    }

    /// A monitor's life.
    fn work(&self, monitor: &Arc<Monitor>) {
        crate::python::native::use_cancel(monitor.cancel().clone());
        let every = Duration::try_from_secs_f64(monitor.request().update_every).unwrap_or(RETRY);
        let (mut began, mut looked) = (monitor.began(), Instant::now());
        let mut due_at: Option<Instant> = monitor.has_loaded().then(|| began + every);
        let mut slow = false;
        while !monitor.wait(POLL) {
            if looked.elapsed() < LOOK && due_at.is_some_and(|due| Instant::now() < due) {
                continue;
            }
            looked = Instant::now();
            // Without the writer's lease another worker processes.
            if !self.tools.board.may_write() {
                continue;
            }
            let ended = monitor.session().lock().observe(self.feed.as_ref());
            let due = due_at.is_none_or(|due| Instant::now() >= due) || (ended && !monitor.has_failed());
            if !due {
                continue;
            }
            began = Instant::now();
            let step = monitor.session().lock().step(self.feed.as_ref(), monitor.cancel());
            due_at = Some(began + every);
            monitor.note(&step);
            match step {
                Ok(Step::Stopped(_)) => {
                    monitor.stopped();
                    return;
                }
                Ok(Step::RunEnded(_)) => {
                    let waiting = |run: &RunInfo| run.state == RunState::Complete && monitor.wants(run);
                    if self.feed.runs().iter().any(waiting) {
                        due_at = None;
                    }
                }
                Ok(Step::Loaded) if began.elapsed() > every => {
                    if !slow {
                        self.tools
                            .journal
                            .warning("Cannot process live data as quickly as requested.");
                    }
                    slow = true;
                }
                Ok(Step::Loaded) => slow = false,
                // With no run to read, the next one is looked for at once.
                Ok(Step::Nothing) => due_at = Some(Instant::now() + every.min(LOOK)),
                Err(error) => {
                    due_at = Some(Instant::now() + every.min(RETRY));
                    if monitor.failed(error.to_string()) {
                        self.tools.journal.error(&format!(
                            "Live processing into {} failed: {error}",
                            monitor.request().output_workspace
                        ));
                    }
                }
            }
            self.report();
        }
    }
}

/// The names of what a request makes.
fn written(request: &Request) -> [String; 2] {
    [request.accumulated_in().to_owned(), request.output_workspace.clone()]
}

fn raised(error: ProcessError) -> AlgorithmError {
    match error {
        ProcessError::Algorithm(error) => error,
        other => AlgorithmError::Execution(other.to_string()),
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
