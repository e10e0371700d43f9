//! Conditions under which a worker executes scripts and writes results.
//!
//! Promises: each condition has one writer (ingest, the lease holder, the worker), and reading one never blocks.
//! Must not be derived from a report: reports are derived from it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Inputs of the executor, of live data processing and of `/readyz`.
#[derive(Debug, Default)]
pub struct Readiness {
    caught_up: AtomicBool,
    holds_lease: watch::Sender<bool>,
    stopping: AtomicBool,
}

impl Readiness {
    /// Records that every partition has reached the high watermark read at the start. Permanent; called by ingest.
    pub fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    /// True from the first call of [`Readiness::set_caught_up`] on.
    pub fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Acquire)
    }

    /// Records that this worker holds the writer's lease of a writable folder, or no longer does. Called by the lease holder.
    pub fn set_holds_lease(&self, holds_lease: bool) {
        self.holds_lease
            .send_if_modified(|held| std::mem::replace(held, holds_lease) != holds_lease);
    }

    /// True while this worker holds the writer's lease.
    pub fn holds_lease(&self) -> bool {
        *self.holds_lease.borrow()
    }

    /// Receiver of changes of [`Readiness::holds_lease`].
    pub fn watch_lease(&self) -> watch::Receiver<bool> {
        self.holds_lease.subscribe()
    }

    /// True while results may be written: the worker has caught up and holds the lease.
    pub fn may_write(&self) -> bool {
        self.is_caught_up() && self.holds_lease()
    }

    /// Records the start of the worker's shutdown. Permanent; called by the worker.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// Kubernetes readiness: the worker has caught up and is not stopping.
    pub fn is_serving(&self) -> bool {
        self.is_caught_up() && !self.stopping.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_written_only_by_a_caught_up_holder_of_the_lease() {
        let readiness = Readiness::default();
        readiness.set_holds_lease(true);
        assert!(!readiness.may_write());
        readiness.set_caught_up();
        assert!(readiness.may_write() && readiness.is_serving());
        readiness.set_holds_lease(false);
        readiness.set_stopping();
        assert!(!readiness.may_write() && !readiness.is_serving() && readiness.is_caught_up());
    }
}
