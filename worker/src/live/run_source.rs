//! Runs that live data processing reads.
//!
//! Promises: a complete run stays readable until every session has processed it, or [`MAX_COMPLETE_RUNS`] newer ones are
//! complete. A snapshot is one moment of the stream. Must not decide what is processed.

use std::sync::Arc;

use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::TimelineView;
use parking_lot::Mutex;

/// Complete runs kept at most for sessions that are behind: their events are in memory.
pub const MAX_COMPLETE_RUNS: usize = 4;

/// Runs of a stream, or one recorded run.
pub trait RunSource: Send + Sync {
    /// Known runs, ascending by start.
    fn runs(&self) -> Vec<RunInfo>;
    /// Snapshot of a run; `None` if its events are not in memory, no longer or not yet.
    fn snapshot(&self, run: &RunKey) -> Option<Snapshot>;
    /// Time of the newest pulse that was read.
    fn newest_pulse(&self) -> Option<PulseTime>;
    /// True if no further events will come.
    fn has_ended(&self) -> bool {
        false
    }
}

/// Runs of the worker's timeline, with complete runs that the timeline has released.
pub struct TimelineRunSource {
    view: TimelineView,
    complete: Mutex<Vec<Snapshot>>,
}

impl TimelineRunSource {
    /// Source without complete runs.
    pub fn new(view: TimelineView) -> Arc<Self> {
        Arc::new(TimelineRunSource {
            view,
            complete: Mutex::default(),
        })
    }

    /// Stores a complete run. Removes and returns the oldest one beyond [`MAX_COMPLETE_RUNS`].
    pub fn push_complete(&self, run: Snapshot) -> Option<Arc<RunInfo>> {
        let mut held = self.complete.lock();
        held.retain(|known| known.run().key != run.run().key);
        held.push(run);
        held.sort_by_key(|run| run.run().start);
        (held.len() > MAX_COMPLETE_RUNS).then(|| Arc::clone(held.remove(0).run()))
    }

    /// Drops complete runs that are older than the newest run and not `needed`.
    pub fn release(&self, needed: impl Fn(&RunInfo) -> bool) {
        let newest = self.view.current().map(|run| run.start);
        self.complete
            .lock()
            .retain(|run| newest.is_none_or(|newest| run.run().start >= newest) || needed(run.run()));
    }
}

impl RunSource for TimelineRunSource {
    fn runs(&self) -> Vec<RunInfo> {
        let mut runs = self.view.runs();
        let held = self.complete.lock();
        for run in held.iter() {
            if !runs.iter().any(|known| known.key == run.run().key) {
                runs.push((**run.run()).clone());
            }
        }
        runs.sort_by_key(|run| run.start);
        runs
    }

    fn snapshot(&self, run: &RunKey) -> Option<Snapshot> {
        let held = self.complete.lock().iter().find(|held| held.run().key == *run).cloned();
        held.or_else(|| self.view.snapshot(run))
    }

    fn newest_pulse(&self) -> Option<PulseTime> {
        self.view.counters().newest_pulse
    }
}

/// One complete run in memory, for `live-data-worker check-script`: with FromNow all of it is new.
pub struct SingleRunSource(pub Snapshot);

impl RunSource for SingleRunSource {
    fn runs(&self) -> Vec<RunInfo> {
        let mut run = (**self.0.run()).clone();
        run.state = RunState::Complete;
        vec![run]
    }

    fn snapshot(&self, run: &RunKey) -> Option<Snapshot> {
        (self.0.run().key == *run).then(|| self.0.clone())
    }

    fn newest_pulse(&self) -> Option<PulseTime> {
        Some(self.0.run().start.plus(-1))
    }

    fn has_ended(&self) -> bool {
        true
    }
}
