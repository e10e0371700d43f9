//! The one timeline that everything is appended to; runs are views of it.
//!
//! Promises: no record stops it and none goes uncounted; each (partition, offset) is taken in once; a snapshot is
//! one moment, taken while ingest goes on, and waits for one message at most. It must not know Kafka, and must not
//! wait for what readers do with a snapshot.
//!
//! A [`Timeline`] belongs to the one thread that ingests; any number of [`TimelineView`]s read.

mod completion;
mod events;
mod reading;
mod retention;
mod runs;
mod sealing;
mod state;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::config::TimelineConfig;
use crate::figures::Figures;
use crate::message::Message;
use crate::outcome::{Ingested, Signal};
use crate::place::{PartitionProgress, Place};
use crate::run::{RunInfo, RunKey};
use crate::snapshot::Snapshot;
use crate::time::PulseTime;

use sealing::Sealer;
use state::State;

/// The writing end of the timeline.
#[derive(Debug)]
pub struct Timeline {
    state: Arc<Mutex<State>>,
    sealer: Sealer,
}

/// A reading end of the timeline; cloning is cheap.
#[derive(Clone, Debug)]
pub struct TimelineView {
    state: Arc<Mutex<State>>,
}

impl Timeline {
    /// An empty timeline and a view of it.
    #[must_use]
    pub fn new(config: TimelineConfig) -> (Self, TimelineView) {
        let state = Arc::new(Mutex::new(State::new(config)));
        (
            Self {
                state: Arc::clone(&state),
                sealer: Sealer::new(Arc::clone(&state)),
            },
            TimelineView { state },
        )
    }

    /// Takes in a record. Records of one partition must come in the order of their offsets, but for going back in a
    /// replay; `now` is the wall clock.
    pub fn ingest(&mut self, place: Place, message: Message<'_>, now: PulseTime) -> Ingested {
        let mut state = self.state.lock();
        let outcome = state.ingest(place, message, now);
        let full = std::mem::take(&mut state.to_seal);
        MutexGuard::unlock_fair(state);
        if !full.is_empty() {
            full.into_iter().for_each(|full| self.sealer.take(full));
            self.state.lock().free(now);
        }
        outcome
    }

    /// Counts a record that could not be decoded; its offset is read. `schema` is its schema's id, or a name for
    /// what it is instead; `reason` is short and of a closed list.
    pub fn reject(&mut self, place: Place, schema: &'static str, reason: &'static str) {
        self.state.lock().reject(&place, schema, reason);
    }

    /// Says that the stream is read from this pulse time on: at the start, before the first record, and after every
    /// seek. Without it the first pulse that comes is taken for the beginning.
    pub fn positioned(&mut self, from: PulseTime) {
        let mut state = self.state.lock();
        let from = from.nanos();
        state.covered_from = Some(state.covered_from.map_or(from, |covered| covered.min(from)));
    }

    /// Says how far every partition has been read, with high watermarks fetched just before: about once a second.
    /// Runs of a stopped instrument complete by it. All partitions that are read must be named, also empty ones.
    pub fn progress(&mut self, partitions: &[PartitionProgress], now: PulseTime) {
        self.state.lock().progress(partitions, now);
    }

    /// What happened since the last call, oldest first: several times a second, also when no records come.
    pub fn tick(&mut self, now: PulseTime) -> Vec<Signal> {
        self.state.lock().tick(now)
    }

    /// Changes the memory limit.
    pub fn set_memory_limit(&mut self, bytes: Option<u64>) {
        self.state.lock().config.memory_limit = bytes;
    }

    /// Another view.
    #[must_use]
    pub fn view(&self) -> TimelineView {
        TimelineView {
            state: Arc::clone(&self.state),
        }
    }
}

impl TimelineView {
    /// The runs that are known, by start time; those let go of keep their totals, not their map.
    #[must_use]
    pub fn runs(&self) -> Vec<RunInfo> {
        self.state.lock().infos()
    }

    /// The newest run.
    #[must_use]
    pub fn current(&self) -> Option<RunInfo> {
        self.state.lock().current()
    }

    /// One run.
    #[must_use]
    pub fn run(&self, key: &RunKey) -> Option<RunInfo> {
        self.state.lock().infos().into_iter().find(|run| run.key == *key)
    }

    /// The view of a run as it is now; `None` when the run is not known or was let go of.
    #[must_use]
    pub fn snapshot(&self, key: &RunKey) -> Option<Snapshot> {
        let mut state = self.state.lock();
        let id = state.id(key)?;
        state.snapshot(id)
    }

    /// Everything that is counted.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.state.lock().figures()
    }
}
