//! Hand-over of runs from ingest to live data processing.
//!
//! Promises: no method waits for a chunk that is being processed. Must not decide what is processed.

use std::sync::{Arc, OnceLock};

use live_data_engine::run::RunKey;
use live_data_engine::snapshot::Snapshot;

use super::live_data_service::LiveDataService;
use super::run_source::TimelineRunSource;

/// Inbox of complete runs, filled by ingest and read by the live data service.
pub struct RunInbox {
    runs: Arc<TimelineRunSource>,
    service: OnceLock<Arc<LiveDataService>>,
    finished: OnceLock<Vec<RunKey>>,
}

impl RunInbox {
    /// Inbox that stores complete runs in `runs`.
    pub fn new(runs: Arc<TimelineRunSource>) -> Arc<Self> {
        Arc::new(RunInbox {
            runs,
            service: OnceLock::new(),
            finished: OnceLock::new(),
        })
    }

    /// Runs that sessions read, complete runs included.
    pub fn runs(&self) -> &Arc<TimelineRunSource> {
        &self.runs
    }

    /// Sets the service once the engine is known; later calls have no effect.
    pub fn set_service(&self, service: Arc<LiveDataService>) {
        let _ = self.service.set(service);
    }

    /// Stores a run whose last event was read; logs an error if an unprocessed older run is dropped for it.
    pub fn push_complete(&self, run: Snapshot) {
        let Some(dropped) = self.runs.push_complete(run) else {
            return;
        };
        if let Some(service) = self.service.get().filter(|service| service.needs(&dropped)) {
            service.dependencies().script_log.error(&format!(
                "Live data processing is too slow: run {} is given up before all of it was processed.",
                dropped.run_name
            ));
        }
    }

    /// Sets the runs that an earlier worker finished, once the runs of the stream are known.
    pub fn set_finished(&self, finished: Vec<RunKey>) {
        let _ = self.finished.set(finished);
    }

    /// Runs that an earlier worker finished; `None` until ingest has called [`RunInbox::set_finished`].
    pub fn finished(&self) -> Option<&[RunKey]> {
        self.finished.get().map(Vec::as_slice)
    }
}
