//! Sealing on a separate thread, so that a full tail does not delay later records.
//!
//! Promises: every submitted tail is sealed once and replaced by its chunk. If the thread is behind or missing, the
//! caller seals, so that at most a few tails wait. It must not decide when a tail is full.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::chunk::ChunkView;
use crate::seal::{FullTail, seal};

use super::state::TimelineState;

/// Tails that wait for the thread at most, beside the one in progress.
const MAX_WAITING_TAILS: usize = 2;
/// Events below which the caller seals: passing a tail to the thread costs about as much.
const MIN_THREAD_EVENTS: usize = 1 << 16;

/// Sealer of full tails; joins its thread on drop.
#[derive(Debug)]
pub(super) struct Sealer {
    state: Arc<Mutex<TimelineState>>,
    total: Arc<AtomicU64>,
    thread: SealerThread,
}

/// Thread of the sealer; it starts with the first large tail.
#[derive(Debug)]
enum SealerThread {
    /// No tail was submitted yet.
    NotStarted,
    /// The caller seals: one core, or the thread could not start.
    Unavailable,
    Running(Option<SyncSender<FullTail>>, Option<JoinHandle<()>>),
}

impl Sealer {
    pub(super) fn new(state: Arc<Mutex<TimelineState>>) -> Self {
        let total = Arc::clone(&state.lock().event_bytes);
        Self {
            state,
            total,
            thread: SealerThread::NotStarted,
        }
    }

    /// Seals a tail at once, or queues it for the thread.
    pub(super) fn submit(&mut self, full: FullTail) {
        if full.tail.len() < MIN_THREAD_EVENTS {
            return seal_into(&self.state, &self.total, &full);
        }
        if matches!(self.thread, SealerThread::NotStarted) {
            self.thread = self.start_thread();
        }
        let refused = match &self.thread {
            SealerThread::Running(Some(sender), _) => match sender.try_send(full) {
                Ok(()) => return,
                Err(TrySendError::Full(full) | TrySendError::Disconnected(full)) => full,
            },
            _ => full,
        };
        seal_into(&self.state, &self.total, &refused);
    }

    fn start_thread(&self) -> SealerThread {
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return SealerThread::Unavailable;
        }
        let (sender, receiver) = sync_channel::<FullTail>(MAX_WAITING_TAILS);
        let (state, total) = (Arc::clone(&self.state), Arc::clone(&self.total));
        let thread = std::thread::Builder::new().name("seal".to_owned()).spawn(move || {
            for full in receiver {
                seal_into(&state, &total, &full);
            }
        });
        match thread {
            Ok(thread) => SealerThread::Running(Some(sender), Some(thread)),
            Err(_) => SealerThread::Unavailable,
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        if let SealerThread::Running(sender, thread) = &mut self.thread {
            drop(sender.take());
            // The thread ends after the waiting tails; the text of a panic was printed when it happened.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

fn seal_into(state: &Mutex<TimelineState>, total: &Arc<AtomicU64>, full: &FullTail) {
    let chunk = ChunkView::Sealed(Arc::new(seal(&full.tail, full.shift, total)));
    state.lock().replace_tail(chunk);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::chunk::ChunkView;
    use crate::config::TimelineConfig;
    use crate::message::{EventBatch, EventSchema, IdColumn, LeU32, Message, PulseColumns, RunStart};
    use crate::record_position::{PartitionKey, RecordPosition, TopicRole};
    use crate::time::PulseTime;
    use crate::timeline::Timeline;

    #[test]
    fn what_is_sealed_aside_is_all_there() {
        let mut config = TimelineConfig::new("TEST");
        config.seal_events = 100_000;
        config.clock_ahead = i64::MAX / 4;
        let (mut timeline, view) = Timeline::new(config);
        let second = 1_000_000_000;
        let at = |number: i64| PulseTime::from_nanos(1_760_000_000 * second + number * second / 50);
        let position = |role, offset| RecordPosition {
            partition: PartitionKey {
                role,
                topic: role as u16,
                partition: 0,
            },
            offset,
            timestamp_ms: 1_760_000_000_000,
        };
        timeline.set_read_start(at(-50));
        let start = RunStart {
            start_time: at(0),
            run_name: "1".into(),
            instrument_name: "TEST".into(),
            job_id: "a".into(),
            ..RunStart::default()
        };
        timeline.ingest(position(TopicRole::RunInfo, 0), Message::RunStart(start), at(0));
        let messages = 500;
        for number in 0..messages {
            let column = |of: &dyn Fn(u32) -> u32| (0..2000).flat_map(|n| of(n).to_le_bytes()).collect::<Vec<u8>>();
            let (times, ids) = (column(&|n| n * 10 + number as u32), column(&|n| 1 + n * 7 % 5000));
            let batch = EventBatch {
                schema: EventSchema::Ev44,
                source: "bank",
                message_id: number,
                pulses: PulseColumns::Single(at(number)),
                time_of_flight: LeU32::new(&times),
                ids: IdColumn::PerEvent(LeU32::new(&ids)),
                frame: None,
            };
            timeline.ingest(position(TopicRole::Events, number), Message::Events(batch), at(number));
        }
        // Waits for the submitted tails.
        drop(timeline);
        let snapshot = view.snapshot(&view.current().unwrap().key).unwrap();
        let replace_tail = |part: &&crate::snapshot::SelectedChunk| matches!(part.chunk, ChunkView::Sealed(_));
        assert_eq!(
            (
                snapshot.chunks().len(),
                snapshot.chunks().iter().filter(replace_tail).count()
            ),
            (10, 10)
        );
        let (mut events, mut sum) = (0_i64, 0_i64);
        snapshot.for_each_event(|id, time, _| {
            events += 1;
            sum += i64::from(id) * 31 + i64::from(time);
        });
        let expected =
            (0..messages).flat_map(|number| (0..2000_i64).map(move |n| (1 + n * 7 % 5000) * 31 + n * 10 + number));
        assert_eq!((events, sum), (messages * 2000, expected.sum::<i64>()));
        assert!(
            (8_000_000..8_100_000).contains(&view.counters().event_bytes),
            "{}",
            view.counters().event_bytes
        );
    }
}
