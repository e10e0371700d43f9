//! A thread that keeps asking the broker what there is, so that reading never waits for an answer.
//!
//! Promises: the newest answer only is kept; ends when told to. Must not fetch records.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::ClientError;
use super::survey::{Ends, Partition, Surveyor, TopicState};

/// What the broker said last.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// When the questions were sent: the ends are at least as recent.
    pub(super) asked: Instant,
    /// The topics, where they were asked about.
    pub(super) topics: Option<Vec<TopicState>>,
    /// The ends of the partitions that are known.
    pub(super) ends: Vec<(Partition, Ends)>,
    /// Why there is no answer.
    pub(super) failure: Option<String>,
    /// The asking client's own errors.
    pub(super) errors: Vec<ClientError>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    fresh: AtomicBool,
    slot: Mutex<Slot>,
    wake: Condvar,
}

#[derive(Default)]
struct Slot {
    survey: Option<Survey>,
    commits: Vec<(Partition, i64)>,
}

/// The thread, as long as this value lives.
pub(super) struct Watch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    pub(super) fn start(surveyor: Arc<Surveyor>, metadata: Duration, watermarks: Duration) -> std::io::Result<Watch> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("kafka-watch".into())
            .spawn(move || watch(&theirs, &surveyor, metadata, watermarks))?;
        Ok(Watch {
            shared,
            thread: Some(thread),
        })
    }

    /// The newest answer, if it was not taken yet.
    pub(super) fn take(&self) -> Option<Survey> {
        if !self.shared.fresh.swap(false, Ordering::Acquire) {
            return None;
        }
        self.shared
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .survey
            .take()
    }

    /// Has these positions committed at the next round.
    pub(super) fn commit(&self, positions: Vec<(Partition, i64)>) {
        self.shared.slot.lock().unwrap_or_else(PoisonError::into_inner).commits = positions;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has been reported by the panic hook; there is nothing left to do here.
            drop(thread.join());
        }
    }
}

fn watch(shared: &Shared, surveyor: &Surveyor, metadata: Duration, watermarks: Duration) {
    let mut partitions: Vec<Partition> = Vec::new();
    let mut topics_due = Instant::now();
    while !shared.stop.load(Ordering::Acquire) {
        let mut survey = Survey {
            asked: Instant::now(),
            topics: None,
            ends: Vec::new(),
            failure: None,
            errors: Vec::new(),
        };
        if survey.asked >= topics_due {
            match surveyor.topics() {
                Ok(topics) => {
                    partitions = present(&topics);
                    // A topic that is not there yet is what somebody waits for: look sooner.
                    let missing = topics.iter().any(|topic| !matches!(topic, TopicState::Present(_)));
                    let pause = if missing {
                        metadata.min(watermarks.saturating_mul(2))
                    } else {
                        metadata
                    };
                    topics_due = Instant::now() + pause;
                    survey.topics = Some(topics);
                }
                Err(error) => survey.failure = Some(error.to_string()),
            }
        }
        survey.asked = Instant::now();
        match surveyor.ends(&partitions) {
            Ok(ends) => {
                let known = partitions.iter().copied().zip(ends);
                survey.ends = known.filter_map(|(partition, ends)| Some((partition, ends?))).collect();
            }
            Err(error) => survey.failure = survey.failure.take().or_else(|| Some(error.to_string())),
        }
        survey.errors = surveyor.errors();
        let commits = {
            let mut slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let (None, Some(unread)) = (&survey.topics, slot.survey.take()) {
                survey.topics = unread.topics;
            }
            slot.survey = Some(survey);
            shared.fresh.store(true, Ordering::Release);
            std::mem::take(&mut slot.commits)
        };
        if let Err(error) = surveyor.commit(&commits) {
            tracing::debug!("cannot commit offsets for monitoring: {error}");
        }
        let slot = shared.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if !shared.stop.load(Ordering::Acquire) {
            drop(shared.wake.wait_timeout(slot, watermarks));
        }
    }
}

pub(super) fn present(topics: &[TopicState]) -> Vec<Partition> {
    topics
        .iter()
        .enumerate()
        .filter_map(|(topic, state)| match state {
            TopicState::Present(numbers) => Some(numbers.iter().map(move |&number| Partition { topic, number })),
            _ => None,
        })
        .flatten()
        .collect()
}
