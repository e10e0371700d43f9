//! Keeps the output folder usable and the writer's lease held, and tells the others.
//!
//! Promises: an unwritable folder is reported in words and tried again, never fatal; the lease, once taken, is kept until
//! [`Keeper::release`], so that no execution is ever cut off by a hand-over. It must not execute or publish anything.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::OutputFolder;
use super::lease::WriterLease;
use crate::board::Board;

/// How often the folder and the lease are tried again: a hand-over takes no longer than this.
const EVERY: Duration = Duration::from_millis(500);

/// The keeper of one output folder.
#[derive(Debug)]
pub struct Keeper {
    output: OutputFolder,
    board: Arc<Board>,
    lease: Mutex<Option<WriterLease>>,
    holds: watch::Sender<bool>,
}

impl Keeper {
    /// Keeps `output`; nothing is done before [`Keeper::keep`].
    pub fn new(output: OutputFolder, board: Arc<Board>) -> Self {
        Keeper {
            output,
            board,
            lease: Mutex::new(None),
            holds: watch::Sender::new(false),
        }
    }

    /// Follows whether the lease is held and the folder can be written.
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.holds.subscribe()
    }

    /// Takes the lease as soon as `wanted` says that this worker is ready for it, until `stop`.
    pub async fn keep(self: Arc<Self>, wanted: impl Fn() -> bool, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let keeper = Arc::clone(&self);
            let take = wanted();
            // The folder may be on a file server that hangs: never on a thread that serves pages.
            let usable = tokio::task::spawn_blocking(move || keeper.review(take))
                .await
                .unwrap_or(false);
            self.board.set_writer(usable);
            self.holds
                .send_if_modified(|holds| std::mem::replace(holds, usable) != usable);
            let _ = tokio::time::timeout(EVERY, stop.cancelled()).await;
        }
    }

    /// Gives the lease up, for the worker that waits for it.
    pub fn release(&self) {
        self.lease.lock().take();
        self.board.set_writer(false);
        self.holds.send_replace(false);
    }

    fn review(&self, take: bool) -> bool {
        if let Err(error) = self.output.prepare() {
            self.board
                .degrade("OutputNotWritable", format!("{error}. Nothing is executed until then"));
            return false;
        }
        self.board.recover("OutputNotWritable");
        let mut lease = self.lease.lock();
        if lease.is_none() && take {
            match WriterLease::try_take(&self.output) {
                Ok(taken) => *lease = taken,
                Err(error) => self.board.degrade("LeaseNotTaken", error.to_string()),
            }
            if lease.is_some() {
                self.board.recover("LeaseNotTaken");
                if let Err(error) = self.output.sweep() {
                    tracing::warn!(%error, "left the files of a former worker");
                }
            }
        }
        lease.is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn the_lease_is_taken_when_wanted_and_handed_over_on_release() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        let board = Arc::new(Board::new("LET", None));
        let stop = CancellationToken::new();
        let first = Arc::new(Keeper::new(output.clone(), Arc::clone(&board)));
        let second = Arc::new(Keeper::new(output, Arc::new(Board::new("LET", None))));
        tokio::spawn(Arc::clone(&first).keep(|| true, stop.clone()));
        first.watch().wait_for(|holds| *holds).await.unwrap();
        tokio::spawn(Arc::clone(&second).keep(|| true, stop.clone()));
        assert!(
            tokio::time::timeout(EVERY * 3, second.watch().wait_for(|holds| *holds))
                .await
                .is_err()
        );
        stop.cancel();
        first.release();
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&second).keep(|| true, stop.clone()));
        second.watch().wait_for(|holds| *holds).await.unwrap();
        assert!(!board.report().writer);
    }
}
