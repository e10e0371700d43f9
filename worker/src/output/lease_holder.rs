//! Holder of the writer's lease: checks the output folder and acquires the lease for a worker that has caught up.
//!
//! Promises: an unwritable folder is reported and tried again, never fatal. The lease, once acquired, is held until
//! [`LeaseHolder::release`], so that no execution is cut off by a hand-over. Must not execute or publish.

use std::sync::Arc;
use std::time::Duration;

use live_data_crd::reason::WorkerReason;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::OutputFolder;
use super::lease::WriterLease;
use crate::degradation::DegradationGuard;
use crate::readiness::Readiness;
use crate::status_registry::StatusRegistry;

/// Interval of checks of the folder and the lease, and so the longest delay of a hand-over.
const CHECK_INTERVAL: Duration = Duration::from_millis(500);

/// Holder of the lease of one output folder.
#[derive(Debug)]
pub struct LeaseHolder {
    output: OutputFolder,
    status: Arc<StatusRegistry>,
    readiness: Arc<Readiness>,
    state: Mutex<LeaseState>,
}

#[derive(Debug, Default)]
struct LeaseState {
    lease: Option<WriterLease>,
    not_writable: Option<DegradationGuard>,
    not_acquired: Option<DegradationGuard>,
}

impl LeaseHolder {
    /// Holder of no lease; [`LeaseHolder::run`] acquires it.
    pub fn new(output: OutputFolder, status: Arc<StatusRegistry>, readiness: Arc<Readiness>) -> Self {
        LeaseHolder {
            output,
            status,
            readiness,
            state: Mutex::default(),
        }
    }

    /// Checks the folder every 500 ms until `stop`, and acquires the lease once the worker has caught up.
    ///
    /// The readiness follows: it has the lease while the lease is held and the folder is writable.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let holder = Arc::clone(&self);
            // The folder may be on a file server that hangs: never on a thread that serves pages.
            let usable = tokio::task::spawn_blocking(move || holder.check())
                .await
                .unwrap_or(false);
            self.readiness.set_holds_lease(usable);
            let _ = tokio::time::timeout(CHECK_INTERVAL, stop.cancelled()).await;
        }
    }

    /// Releases the lease for another worker.
    pub fn release(&self) {
        self.state.lock().lease = None;
        self.readiness.set_holds_lease(false);
    }

    /// True if the folder is writable and the lease is held.
    fn check(&self) -> bool {
        let writable = self.output.prepare();
        let mut state = self.state.lock();
        if let Err(error) = writable {
            let message = format!("{error}. Nothing is executed until then");
            state.not_writable = Some(self.status.degrade(WorkerReason::OutputNotWritable, message));
            return false;
        }
        state.not_writable = None;
        if state.lease.is_none() && self.readiness.is_caught_up() {
            match WriterLease::try_acquire(&self.output) {
                Ok(lease) => state.lease = lease,
                Err(error) => {
                    state.not_acquired = Some(self.status.degrade(WorkerReason::LeaseNotTaken, error.to_string()))
                }
            }
            if state.lease.is_some() {
                state.not_acquired = None;
                if let Err(error) = self.output.remove_partial_files() {
                    tracing::warn!(%error, "left the files of a former worker");
                }
            }
        }
        state.lease.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn holder(output: &OutputFolder) -> (Arc<LeaseHolder>, Arc<Readiness>, Arc<StatusRegistry>) {
        let readiness = Arc::new(Readiness::default());
        readiness.set_caught_up();
        let status = Arc::new(StatusRegistry::new("LET", None, Arc::clone(&readiness)));
        let holder = LeaseHolder::new(output.clone(), Arc::clone(&status), Arc::clone(&readiness));
        (Arc::new(holder), readiness, status)
    }

    #[tokio::test]
    async fn the_lease_is_taken_when_wanted_and_handed_over_on_release() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        let stop = CancellationToken::new();
        let (first, first_readiness, status) = holder(&output);
        let (second, second_readiness, _) = holder(&output);
        tokio::spawn(Arc::clone(&first).run(stop.clone()));
        first_readiness.watch_lease().wait_for(|holds| *holds).await.unwrap();
        tokio::spawn(Arc::clone(&second).run(stop.clone()));
        assert!(
            tokio::time::timeout(
                CHECK_INTERVAL * 3,
                second_readiness.watch_lease().wait_for(|holds| *holds)
            )
            .await
            .is_err()
        );
        stop.cancel();
        first.release();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&second).run(stop.clone()));
        second_readiness.watch_lease().wait_for(|holds| *holds).await.unwrap();
        assert!(!status.report().writer);
    }

    #[tokio::test]
    async fn a_folder_that_becomes_writable_ends_its_degradation() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("output");
        std::fs::write(&root, b"a file in the folder's place").unwrap();
        let (holder, _, status) = holder(&OutputFolder::new(&root));
        assert!(!holder.check());
        assert_eq!(status.report().degraded[0].reason, "OutputNotWritable");
        std::fs::remove_file(&root).unwrap();
        assert!(holder.check());
        assert!(status.report().degraded.is_empty());
    }
}
