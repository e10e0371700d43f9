//! The runs of the stream as live processing sees them.
//!
//! Promises: a run that is complete can be read until every session has had it, or a newer one has as well; what is read is
//! one moment of the stream. Must not decide what is processed.

use std::sync::Arc;

use live_data_engine::run::{RunInfo, RunKey, RunState};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::TimelineView;
use parking_lot::Mutex;

/// Complete runs that are held for sessions that have not come to them yet, at most: their events are in memory.
pub const MOST_HELD: usize = 4;

/// Where sessions read runs.
pub trait Feed: Send + Sync {
    /// The runs that are known, by start.
    fn runs(&self) -> Vec<RunInfo>;
    /// A run as it is now; `None` when it can no longer, or cannot yet, be read.
    fn snapshot(&self, run: &RunKey) -> Option<Snapshot>;
    /// The newest pulse that was read.
    fn newest_pulse(&self) -> Option<PulseTime>;
    /// Whether nothing more will come.
    fn has_ended(&self) -> bool {
        false
    }
}

/// The worker's timeline, and the runs that it has handed over complete.
pub struct TimelineFeed {
    view: TimelineView,
    complete: Mutex<Vec<Snapshot>>,
}

impl TimelineFeed {
    /// Reads this timeline.
    pub fn new(view: TimelineView) -> Arc<Self> {
        Arc::new(TimelineFeed {
            view,
            complete: Mutex::default(),
        })
    }

    /// Takes a run that is complete; of those that are held the oldest goes when there are too many. Returns the one that
    /// went.
    pub fn take(&self, run: Snapshot) -> Option<Arc<RunInfo>> {
        let mut held = self.complete.lock();
        held.retain(|known| known.run().key != run.run().key);
        held.push(run);
        held.sort_by_key(|run| run.run().start);
        (held.len() > MOST_HELD).then(|| Arc::clone(held.remove(0).run()))
    }

    /// Lets go of complete runs that nobody needs: those older than the newest run, but for the ones that `needed` wants.
    pub fn let_go(&self, needed: impl Fn(&RunInfo) -> bool) {
        let newest = self.view.current().map(|run| run.start);
        self.complete
            .lock()
            .retain(|run| newest.is_none_or(|newest| run.run().start >= newest) || needed(run.run()));
    }
}

impl Feed for TimelineFeed {
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
        self.view.figures().newest_pulse
    }
}

/// One run that does not change any more, as a program that checks scripts has it: all of it comes from now on.
pub struct OneRun(pub Snapshot);

impl Feed for OneRun {
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
