//! What the thread that takes records in leaves for live data processing.
//!
//! Promises: leaving something here never waits for a chunk that is being processed. Must not decide what is processed.

use std::sync::{Arc, OnceLock};

use live_data_engine::run::RunKey;
use live_data_engine::snapshot::Snapshot;

use super::feed::TimelineFeed;
use super::hub::Hub;

/// Where runs are left.
pub struct Inlet {
    feed: Arc<TimelineFeed>,
    hub: OnceLock<Arc<Hub>>,
    finished: OnceLock<Vec<RunKey>>,
}

impl Inlet {
    /// Leaves runs in this feed.
    pub fn new(feed: Arc<TimelineFeed>) -> Arc<Self> {
        Arc::new(Inlet {
            feed,
            hub: OnceLock::new(),
            finished: OnceLock::new(),
        })
    }

    /// The feed.
    pub fn feed(&self) -> &Arc<TimelineFeed> {
        &self.feed
    }

    /// Names who processes, as soon as the engine is known.
    pub fn set_hub(&self, hub: Arc<Hub>) {
        let _ = self.hub.set(hub);
    }

    /// Everything of a run was read.
    pub fn complete(&self, run: Snapshot) {
        let Some(lost) = self.feed.take(run) else { return };
        if let Some(hub) = self.hub.get().filter(|hub| hub.wants(&lost)) {
            hub.tools().journal.error(&format!(
                "Live data processing is too slow: run {} is given up before all of it was processed.",
                lost.run_name
            ));
        }
    }

    /// The runs of the stream are known; these were finished by an earlier worker.
    pub fn resumed(&self, finished: Vec<RunKey>) {
        let _ = self.finished.set(finished);
    }

    /// The runs that an earlier worker finished, once the runs of the stream are known.
    pub fn finished(&self) -> Option<&[RunKey]> {
        self.finished.get().map(Vec::as_slice)
    }
}
