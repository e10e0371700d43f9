//! Thread that requests metadata and watermarks at their intervals, so that reading never waits for the broker.
//!
//! Promises: only the newest update is kept, with topic states that were not read yet; the thread ends when
//! [`MetadataThread`] is dropped. Must not fetch records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client_context::ClientError;
use super::metadata_client::{MetadataClient, TopicPartition, TopicState, Watermarks, existing_partitions};

/// Result of one round of requests.
#[derive(Debug, Clone)]
pub(super) struct MetadataUpdate {
    /// Time before the watermarks were requested: they are at least as recent.
    pub(super) requested_at: Instant,
    /// Present once in each metadata interval.
    pub(super) topic_states: Option<Vec<TopicState>>,
    pub(super) watermarks: Vec<(TopicPartition, Watermarks)>,
    /// Error text of the first request that failed.
    pub(super) failure: Option<String>,
    pub(super) client_errors: Vec<ClientError>,
}

/// Values passed between the thread and the source.
#[derive(Default)]
struct Mailbox {
    update: Option<MetadataUpdate>,
    offsets_to_commit: Vec<(TopicPartition, i64)>,
}

#[derive(Default)]
struct ThreadState {
    is_stopping: AtomicBool,
    /// True while an update is unread; while false, the reading thread takes no lock.
    has_update: AtomicBool,
    mailbox: Mutex<Mailbox>,
    wake: Condvar,
}

/// Handle of the thread; dropping it stops the thread and waits for the request in progress.
pub(super) struct MetadataThread {
    state: Arc<ThreadState>,
    thread: Option<JoinHandle<()>>,
}

impl MetadataThread {
    pub(super) fn start(
        client: Arc<MetadataClient>,
        metadata_interval: Duration,
        watermark_interval: Duration,
    ) -> std::io::Result<MetadataThread> {
        let state = Arc::new(ThreadState::default());
        let thread_state = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("kafka-watch".into())
            .spawn(move || run(&thread_state, &client, metadata_interval, watermark_interval))?;
        Ok(MetadataThread {
            state,
            thread: Some(thread),
        })
    }

    /// Removes and returns the newest update; `None` without an update since the last call.
    pub(super) fn newest_update(&self) -> Option<MetadataUpdate> {
        if !self.state.has_update.swap(false, Ordering::Acquire) {
            return None;
        }
        self.state
            .mailbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .update
            .take()
    }

    /// Commits these offsets of next records in the next round, instead of those of earlier calls.
    pub(super) fn commit(&self, offsets: Vec<(TopicPartition, i64)>) {
        self.state
            .mailbox
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .offsets_to_commit = offsets;
    }
}

impl Drop for MetadataThread {
    fn drop(&mut self) {
        self.state.is_stopping.store(true, Ordering::Release);
        self.state.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // The panic hook has reported a panic of the thread.
            drop(thread.join());
        }
    }
}

fn run(state: &ThreadState, client: &MetadataClient, metadata_interval: Duration, watermark_interval: Duration) {
    let mut partitions: Vec<TopicPartition> = Vec::new();
    let mut metadata_due = Instant::now();
    while !state.is_stopping.load(Ordering::Acquire) {
        let mut update = MetadataUpdate {
            requested_at: Instant::now(),
            topic_states: None,
            watermarks: Vec::new(),
            failure: None,
            client_errors: Vec::new(),
        };
        if update.requested_at >= metadata_due {
            match client.topic_states() {
                Ok(states) => {
                    partitions = existing_partitions(&states);
                    // Users wait for a missing topic: request it more often.
                    let missing = states.iter().any(|state| !matches!(state, TopicState::Present(_)));
                    let pause = if missing {
                        metadata_interval.min(watermark_interval.saturating_mul(2))
                    } else {
                        metadata_interval
                    };
                    metadata_due = Instant::now() + pause;
                    update.topic_states = Some(states);
                }
                Err(error) => update.failure = Some(error.to_string()),
            }
        }
        update.requested_at = Instant::now();
        match client.watermarks(&partitions) {
            Ok(watermarks) => {
                let pairs = partitions.iter().copied().zip(watermarks);
                update.watermarks = pairs
                    .filter_map(|(partition, watermarks)| Some((partition, watermarks?)))
                    .collect();
            }
            Err(error) => update.failure = update.failure.take().or_else(|| Some(error.to_string())),
        }
        update.client_errors = client.client_errors();
        if let Err(error) = client.commit(&exchange(state, update)) {
            tracing::debug!("cannot commit offsets for monitoring: {error}");
        }
        let mailbox = state.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_stopping.load(Ordering::Acquire) {
            drop(state.wake.wait_timeout(mailbox, watermark_interval));
        }
    }
}

/// Publishes an update, with the topic states of an unread one where it has none, and returns the offsets to commit.
fn exchange(state: &ThreadState, mut update: MetadataUpdate) -> Vec<(TopicPartition, i64)> {
    let mut mailbox = state.mailbox.lock().unwrap_or_else(PoisonError::into_inner);
    if let (None, Some(unread)) = (&update.topic_states, mailbox.update.take()) {
        update.topic_states = unread.topic_states;
    }
    mailbox.update = Some(update);
    state.has_update.store(true, Ordering::Release);
    std::mem::take(&mut mailbox.offsets_to_commit)
}
