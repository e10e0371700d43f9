//! Who seals: a thread beside ingest, so that a full tail does not hold up what comes after it.
//!
//! Promises: every tail that is handed over is sealed once and put in its place. Where that thread is behind, or there
//! is none, the caller seals by itself, so that no more than a few tails ever wait. It must not decide when a tail is
//! full.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use parking_lot::Mutex;

use crate::chunk::{ChunkView, Tail};
use crate::seal::seal;

use super::state::State;

/// Tails that may wait for the thread, beside the one that it is at.
const WAITING: usize = 2;
/// Smaller tails are sealed at once: handing them over costs about as much.
const SMALL: usize = 1 << 16;

/// A tail that is full, and how wide its buckets are to be.
pub(super) type Full = (Arc<Tail>, u32);

/// Seals tails.
#[derive(Debug)]
pub(super) struct Sealer {
    state: Arc<Mutex<State>>,
    total: Arc<AtomicU64>,
    aside: Aside,
}

#[derive(Debug)]
enum Aside {
    /// Nothing was handed over yet.
    NotYet,
    /// Every tail is sealed by the caller: one core, or no thread to be had.
    Never,
    Thread(Option<SyncSender<Full>>, Option<JoinHandle<()>>),
}

impl Sealer {
    pub(super) fn new(state: Arc<Mutex<State>>) -> Self {
        let total = Arc::clone(&state.lock().event_bytes);
        Self {
            state,
            total,
            aside: Aside::NotYet,
        }
    }

    /// Seals a tail, now or soon.
    pub(super) fn take(&mut self, full: Full) {
        if full.0.len() < SMALL {
            return one(&self.state, &self.total, &full);
        }
        if matches!(self.aside, Aside::NotYet) {
            self.aside = self.begin();
        }
        let refused = match &self.aside {
            Aside::Thread(Some(sender), _) => match sender.try_send(full) {
                Ok(()) => return,
                Err(TrySendError::Full(full) | TrySendError::Disconnected(full)) => full,
            },
            _ => full,
        };
        one(&self.state, &self.total, &refused);
    }

    fn begin(&self) -> Aside {
        if std::thread::available_parallelism().is_ok_and(|cores| cores.get() < 2) {
            return Aside::Never;
        }
        let (sender, receiver) = sync_channel::<Full>(WAITING);
        let (state, total) = (Arc::clone(&self.state), Arc::clone(&self.total));
        let thread = std::thread::Builder::new().name("seal".to_owned()).spawn(move || {
            for full in receiver {
                one(&state, &total, &full);
            }
        });
        match thread {
            Ok(thread) => Aside::Thread(Some(sender), Some(thread)),
            Err(_) => Aside::Never,
        }
    }
}

impl Drop for Sealer {
    fn drop(&mut self) {
        if let Aside::Thread(sender, thread) = &mut self.aside {
            drop(sender.take());
            // It ends with the tails that wait; what a panic of its would say was printed where it happened.
            let _ = thread.take().map(JoinHandle::join);
        }
    }
}

fn one(state: &Mutex<State>, total: &Arc<AtomicU64>, (tail, shift): &Full) {
    let chunk = ChunkView::Sealed(Arc::new(seal(tail, *shift, total)));
    state.lock().sealed(chunk);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::chunk::ChunkView;
    use crate::config::TimelineConfig;
    use crate::message::{EventBatch, EventSchema, Ids, LeU32, Message, Pulses, RunStart};
    use crate::place::{PartitionKey, Place, TopicRole};
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
        let place = |role, offset| Place {
            partition: PartitionKey {
                role,
                topic: role as u16,
                partition: 0,
            },
            offset,
            timestamp_ms: 1_760_000_000_000,
        };
        timeline.positioned(at(-50));
        let start = RunStart {
            start_time: at(0),
            run_name: "1".into(),
            instrument_name: "TEST".into(),
            job_id: "a".into(),
            ..RunStart::default()
        };
        timeline.ingest(place(TopicRole::RunInfo, 0), Message::RunStart(start), at(0));
        let messages = 500;
        for number in 0..messages {
            let column = |of: &dyn Fn(u32) -> u32| (0..2000).flat_map(|n| of(n).to_le_bytes()).collect::<Vec<u8>>();
            let (times, ids) = (column(&|n| n * 10 + number as u32), column(&|n| 1 + n * 7 % 5000));
            let batch = EventBatch {
                schema: EventSchema::Ev44,
                source: "bank",
                message_id: number,
                pulses: Pulses::One(at(number)),
                time_of_flight: LeU32::new(&times),
                ids: Ids::Given(LeU32::new(&ids)),
                frame: None,
            };
            timeline.ingest(place(TopicRole::Events, number), Message::Events(batch), at(number));
        }
        // Waits for what was handed over.
        drop(timeline);
        let snapshot = view.snapshot(&view.current().unwrap().key).unwrap();
        let sealed = |part: &&crate::snapshot::Part| matches!(part.chunk, ChunkView::Sealed(_));
        assert_eq!(
            (snapshot.parts().len(), snapshot.parts().iter().filter(sealed).count()),
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
            (8_000_000..8_100_000).contains(&view.figures().event_bytes),
            "{}",
            view.figures().event_bytes
        );
    }
}
