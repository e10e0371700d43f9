//! Timeline of an instrument: the store to which every record is appended; runs are views of it.
//!
//! Promises: no record stops it, and every record is counted. Each (partition, offset) has effect once. A snapshot
//! shows one moment and waits for one message at most. It must not know Kafka or wait for readers of a snapshot.
//!
//! One thread owns the [`Timeline`] and ingests; any number of [`TimelineView`]s read.

mod completion;
mod events;
mod reading;
mod retention;
mod run_data;
mod runs;
mod sealing;
mod state;

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use crate::config::TimelineConfig;
use crate::counters::Counters;
use crate::message::Message;
use crate::outcome::{IngestOutcome, Signal};
use crate::record_position::{PartitionProgress, RecordPosition};
use crate::run::{RunInfo, RunKey};
use crate::snapshot::Snapshot;
use crate::time::PulseTime;

use sealing::Sealer;
use state::TimelineState;

/// Writer of a timeline, for one thread.
#[derive(Debug)]
pub struct Timeline {
    state: Arc<Mutex<TimelineState>>,
    sealer: Sealer,
}

/// Reader of a timeline; clones share it. Each call locks it for the time of one answer.
#[derive(Clone, Debug)]
pub struct TimelineView {
    state: Arc<Mutex<TimelineState>>,
}

impl Timeline {
    /// Empty timeline and a view of it.
    #[must_use]
    pub fn new(config: TimelineConfig) -> (Self, TimelineView) {
        let state = Arc::new(Mutex::new(TimelineState::new(config)));
        (
            Self {
                state: Arc::clone(&state),
                sealer: Sealer::new(Arc::clone(&state)),
            },
            TimelineView { state },
        )
    }

    /// Ingests a decoded record. Records of one partition must come in offset order, except after a seek back; `now` is
    /// the wall clock.
    pub fn ingest(&mut self, position: RecordPosition, message: Message<'_>, now: PulseTime) -> IngestOutcome {
        let mut state = self.state.lock();
        let outcome = state.ingest(position, message, now);
        let full = std::mem::take(&mut state.full_tails);
        MutexGuard::unlock_fair(state);
        if !full.is_empty() {
            full.into_iter().for_each(|full| self.sealer.submit(full));
            self.state.lock().free(now);
        }
        outcome
    }

    /// Counts a record that could not be decoded, and marks its offset as read. `schema` is the id of its schema or a
    /// short substitute, `reason` a name from a closed list.
    pub fn count_undecodable(&mut self, position: RecordPosition, schema: &'static str, reason: &'static str) {
        self.state.lock().count_undecodable(&position, schema, reason);
    }

    /// Records that reading starts at this pulse time; required before the first record and after every seek. Without
    /// it the first pulse counts as the start, so that an earlier run start causes a replay.
    pub fn set_read_start(&mut self, from: PulseTime) {
        let mut state = self.state.lock();
        let from = from.nanos();
        state.covered_from = Some(state.covered_from.map_or(from, |covered| covered.min(from)));
    }

    /// Records the reading progress of all partitions, empty ones included, with high watermarks fetched immediately
    /// before; about once a second. Runs of a stopped instrument become complete by it.
    pub fn record_progress(&mut self, partitions: &[PartitionProgress], now: PulseTime) {
        self.state.lock().record_progress(partitions, now);
    }

    /// Returns the signals since the previous call, oldest first, completes runs and frees memory. Must be called
    /// several times a second, also without records.
    pub fn tick(&mut self, now: PulseTime) -> Vec<Signal> {
        self.state.lock().tick(now)
    }

    /// Reader of this timeline; any number may exist at once.
    #[must_use]
    pub fn view(&self) -> TimelineView {
        TimelineView {
            state: Arc::clone(&self.state),
        }
    }
}

impl TimelineView {
    /// Known runs by start time, at most 256; freed runs keep their totals but not their detector map.
    #[must_use]
    pub fn runs(&self) -> Vec<RunInfo> {
        self.state.lock().run_infos()
    }

    /// Run with the latest start, open or ended; `None` before the first run start.
    #[must_use]
    pub fn current(&self) -> Option<RunInfo> {
        self.state.lock().newest_run()
    }

    /// Run with this key; `None` if unknown.
    #[must_use]
    pub fn run(&self, key: &RunKey) -> Option<RunInfo> {
        self.state.lock().run_infos().into_iter().find(|run| run.key == *key)
    }

    /// Snapshot of a run at this moment; `None` if the run is unknown or freed. Copies no events.
    #[must_use]
    pub fn snapshot(&self, key: &RunKey) -> Option<Snapshot> {
        let mut state = self.state.lock();
        let id = state.run_id(key)?;
        state.snapshot(id)
    }

    /// Counters since the timeline was made, and gauges at this moment.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.state.lock().counters()
    }
}
