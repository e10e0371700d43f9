//! One live data processing as the rest of the worker sees it: whether it goes on, what it was asked, how it is.
//!
//! Promises: asking never waits for a chunk. Must not process anything: its session does, on its thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_crd::report::MonitorReport;
use live_data_engine::cancel::Cancel;
use live_data_engine::run::RunInfo;
use live_data_engine::time::PulseTime;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{MonitorState, Request};
use parking_lot::{Condvar, Mutex};

use super::methods::{ProcessError, Running};
use super::session::{Session, Step, Wanted};
use crate::board;

/// Who asked for a processing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The settings: it goes on for as long as the worker does.
    Settings,
    /// A script.
    Script,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Alive,
    Ending,
    Stopped,
    Done,
}

#[derive(Debug)]
struct Told {
    life: Life,
    stopped: bool,
    chunks: u64,
    last_time_stamp: Option<PulseTime>,
    last_error: Option<String>,
    overdue: Option<String>,
    wanted: Wanted,
    kept: Vec<String>,
}

/// One live data processing.
pub struct Monitor {
    id: u64,
    origin: Origin,
    request: Request,
    session: Mutex<Session>,
    running: Arc<Running>,
    cancel: Cancel,
    began: Instant,
    told: Mutex<Told>,
    changed: Condvar,
}

impl Monitor {
    /// A monitor of a session that has not begun.
    pub fn new(id: u64, origin: Origin, session: Session) -> Self {
        Monitor {
            id,
            origin,
            request: session.request().clone(),
            running: Arc::clone(session.running()),
            cancel: Cancel::new(),
            began: Instant::now(),
            told: Mutex::new(Told {
                life: Life::Alive,
                stopped: false,
                chunks: 0,
                last_time_stamp: None,
                last_error: None,
                overdue: None,
                wanted: session.wanted(),
                kept: Vec::new(),
            }),
            session: Mutex::new(session),
            changed: Condvar::new(),
        }
    }

    /// A number that no other monitor has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Who asked for it.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// What was asked for.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What works; locked for as long as a chunk takes.
    pub fn session(&self) -> &Mutex<Session> {
        &self.session
    }

    /// Python that runs for it.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// The end of what is being computed.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// When it was made.
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Whether it goes on.
    pub fn is_alive(&self) -> bool {
        self.told.lock().life == Life::Alive
    }

    /// Whether its thread is gone.
    pub fn is_done(&self) -> bool {
        matches!(self.told.lock().life, Life::Done | Life::Stopped)
    }

    /// Whether the end of a run has stopped it.
    pub fn was_stopped(&self) -> bool {
        self.told.lock().stopped
    }

    /// Whether it is in the report: what goes on, and what was stopped by a run's end or failed.
    pub fn is_shown(&self) -> bool {
        let told = self.told.lock();
        told.life == Life::Alive || told.stopped || told.last_error.is_some()
    }

    /// Whether it has processed a chunk.
    pub fn has_loaded(&self) -> bool {
        self.told.lock().chunks > 0
    }

    /// Whether its last chunk failed.
    pub fn has_failed(&self) -> bool {
        self.told.lock().last_error.is_some()
    }

    /// Whether it still has to come to a run.
    pub fn wants(&self, run: &RunInfo) -> bool {
        let told = self.told.lock();
        told.life == Life::Alive && told.wanted.holds(run)
    }

    /// Results of former runs that it has kept.
    pub fn kept(&self) -> Vec<String> {
        self.told.lock().kept.clone()
    }

    /// The newest pulse that was loaded.
    pub fn last_time_stamp(&self) -> Option<PulseTime> {
        self.told.lock().last_time_stamp
    }

    /// Waits a little; true when it has to end.
    pub fn wait(&self, patience: Duration) -> bool {
        let mut told = self.told.lock();
        if told.life == Life::Alive {
            self.changed.wait_for(&mut told, patience);
        }
        told.life != Life::Alive
    }

    /// Ends it after the chunk that it works on.
    pub fn end(&self) {
        let mut told = self.told.lock();
        if told.life == Life::Alive {
            told.life = Life::Ending;
        }
        self.changed.notify_all();
    }

    /// Ends what is being computed.
    pub fn abandon(&self) {
        self.cancel.cancel();
        if let Some(under) = self.running.now() {
            under.cancel.cancel();
        }
    }

    /// The end of a run has stopped it.
    pub fn stopped(&self) {
        let mut told = self.told.lock();
        told.stopped = true;
        told.life = Life::Stopped;
    }

    /// Its thread is gone.
    pub fn done(&self) {
        let mut told = self.told.lock();
        if told.life != Life::Stopped {
            told.life = Life::Done;
        }
        self.changed.notify_all();
    }

    /// Notes what a step did. Called on the thread that made the step.
    pub fn note(&self, step: &Result<Step, ProcessError>) {
        let (chunks, last, wanted, kept) = {
            let session = self.session.lock();
            (
                session.chunks(),
                session.last_time_stamp(),
                session.wanted(),
                session.kept().to_vec(),
            )
        };
        let mut told = self.told.lock();
        (told.chunks, told.last_time_stamp, told.wanted, told.kept) = (chunks, last, wanted, kept);
        if matches!(step, Ok(Step::Loaded | Step::RunEnded(_) | Step::Stopped(_))) {
            told.last_error = None;
        }
    }

    /// Notes why a chunk could not be processed; false when that is known.
    pub fn failed(&self, error: String) -> bool {
        let mut told = self.told.lock();
        let new = told.last_error.as_ref() != Some(&error);
        told.last_error = Some(error);
        new
    }

    /// Says that Python takes too long, or no longer does; true when that is another thing to say than before.
    pub fn overdue(&self, words: Option<String>) -> bool {
        let mut told = self.told.lock();
        let changed = told.overdue != words;
        told.overdue = words;
        changed
    }

    /// What is wrong with it, in a sentence.
    pub fn wrong(&self) -> Option<String> {
        let told = self.told.lock();
        let what = told.overdue.as_ref().or(told.last_error.as_ref())?;
        // The last line of a traceback says what went wrong.
        let line = what
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        Some(format!(
            "live processing into {}: {line}",
            self.request.output_workspace
        ))
    }

    /// What the report says of it.
    pub fn report(&self) -> MonitorReport {
        let told = self.told.lock();
        MonitorReport {
            output_workspace: self.request.output_workspace.clone(),
            accumulation_workspace: self.request.accumulation_workspace.clone().unwrap_or_default(),
            update_every: self.request.update_every,
            chunks: told.chunks,
            last_time_stamp: told.last_time_stamp.and_then(|time| board::rfc3339_ns(time.nanos())),
            last_error: told.overdue.clone().or_else(|| told.last_error.clone()),
        }
    }

    /// What algorithms are told of it.
    pub fn state(&self) -> MonitorState {
        MonitorState {
            id: self.id,
            request: self.request.clone(),
            last_time_stamp: self.last_time_stamp().map(DateAndTime::from_pulse),
        }
    }
}
