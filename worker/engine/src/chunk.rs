//! Chunks of events as readers see them: sealed, bucketed by id, or the open tail of a partition.
//!
//! Promises: what is reached through a [`ChunkView`] never changes; the columns of a sealed chunk and the blocks of
//! a tail are shared, not copied; the bytes of all live chunks, whoever holds them, are accounted for. It must not
//! know runs, vetoes or periods: which pulses count is a [`Bitmap`](crate::selection::Bitmap) beside the chunk.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::PulseTime;

/// Number of buckets of a sealed chunk.
pub const BUCKETS: usize = 256;
/// Most pulses of a chunk: an event keeps its pulse in 16 bits.
pub const MAX_PULSES: usize = 65_535;
/// Most dense ids: 256 buckets of 65,536.
pub const MAX_DENSE_IDS: u32 = 1 << 24;

/// One event of a sealed chunk in 64 bits: time of flight 32, pulse within the chunk 16, id within the bucket 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Event(u64);

impl Event {
    /// Packs an event; `low_id` is its dense id less the first of its bucket.
    #[must_use]
    pub const fn new(time_of_flight: u32, pulse: u16, low_id: u16) -> Self {
        Self((time_of_flight as u64) << 32 | (pulse as u64) << 16 | low_id as u64)
    }

    /// Time of flight in ns.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn time_of_flight(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Index of its pulse in the chunk's pulses.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn pulse(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Its dense id less the first of its bucket.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn low_id(self) -> u16 {
        self.0 as u16
    }

    /// The 64 bits, as laid out above from the highest bit down.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Counts bytes for as long as it lives: a snapshot that holds a freed chunk is seen in the figures.
#[derive(Debug)]
pub(crate) struct Account {
    total: Arc<AtomicU64>,
    bytes: u64,
}

impl Account {
    pub(crate) fn new(total: &Arc<AtomicU64>, bytes: u64) -> Self {
        total.fetch_add(bytes, Ordering::Relaxed);
        Self {
            total: Arc::clone(total),
            bytes,
        }
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A sealed chunk: about half a million events in 256 buckets by dense id, in arrival order within a bucket.
#[derive(Debug)]
pub struct Chunk {
    pub(crate) id: u64,
    pub(crate) events: Vec<Event>,
    /// Where bucket `b` starts; the last entry is the number of events.
    pub(crate) starts: Box<[u32; BUCKETS + 1]>,
    pub(crate) shift: u32,
    pub(crate) times: Arc<Vec<PulseTime>>,
    /// The latest of them.
    pub(crate) newest: PulseTime,
    pub(crate) time_of_flight: Option<(u32, u32)>,
    /// Whether the pulses of each bucket's events ascend, so that those of one pulse can be found by halving.
    pub(crate) ascending: bool,
    pub(crate) _account: Account,
}

impl Chunk {
    /// Identity of the chunk, never used twice; the tail that it was sealed from had the same.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// All events, bucket after bucket.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Where each bucket starts in [`Self::events`]; entry 256 is the number of events.
    #[must_use]
    pub fn bucket_starts(&self) -> &[u32; BUCKETS + 1] {
        &self.starts
    }

    /// The events of bucket `bucket`, in arrival order; nothing beyond the last bucket.
    #[must_use]
    pub fn bucket(&self, bucket: usize) -> &[Event] {
        match (self.starts.get(bucket), self.starts.get(bucket + 1)) {
            (Some(&from), Some(&to)) => self.events.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// Bucket `b` holds the dense ids from `b << shift` to `(b + 1) << shift`; at most 16.
    #[must_use]
    pub const fn shift(&self) -> u32 {
        self.shift
    }

    /// The dense ids of bucket `bucket`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn bucket_ids(&self, bucket: usize) -> Range<u32> {
        let bucket = bucket.min(BUCKETS) as u32;
        bucket << self.shift..(bucket + 1) << self.shift
    }

    /// The dense id of an event of bucket `bucket`.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn dense_id(&self, bucket: usize, event: Event) -> u32 {
        ((bucket as u32) << self.shift) + event.low_id() as u32
    }

    /// Smallest and largest time of flight in ns, of all events; `None` without events.
    #[must_use]
    pub const fn time_of_flight_range(&self) -> Option<(u32, u32)> {
        self.time_of_flight
    }

    /// Pulse times by pulse index. Mostly ascending, not always; a time may come more than once.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        &self.times
    }
}

/// A stretch of a tail: columns of events in arrival order.
#[derive(Debug, Default)]
pub struct Block {
    pub(crate) time_of_flight: Vec<u32>,
    pub(crate) dense_ids: Vec<u32>,
    pub(crate) spans: Vec<Span>,
}

/// From event `first` of its block on, up to the next span, events belong to pulse `pulse` of the chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first event within the block.
    pub first: u32,
    /// Index of the pulse in the chunk's pulses.
    pub pulse: u16,
}

impl Block {
    /// Time of flight of each event in ns.
    #[must_use]
    pub fn time_of_flight(&self) -> &[u32] {
        &self.time_of_flight
    }

    /// Dense id of each event.
    #[must_use]
    pub fn dense_ids(&self) -> &[u32] {
        &self.dense_ids
    }

    /// Runs of events of one pulse, ascending by `first`; the first begins at event 0.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_of_flight.len()
    }

    /// True when there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_of_flight.is_empty()
    }

    /// The events of each pulse: its index in the chunk and the range of events in this block.
    pub fn pulses(&self) -> impl Iterator<Item = (u16, Range<usize>)> + '_ {
        self.spans.iter().enumerate().map(|(index, span)| {
            let end = self.spans.get(index + 1).map_or(self.len(), |next| next.first as usize);
            (span.pulse, span.first as usize..end)
        })
    }
}

/// The open end of a partition at one moment: blocks of columns in arrival order.
#[derive(Clone, Debug)]
pub struct Tail {
    pub(crate) id: u64,
    pub(crate) blocks: Vec<Arc<Block>>,
    pub(crate) times: Arc<Vec<PulseTime>>,
    pub(crate) events: usize,
}

impl Tail {
    /// Identity of the chunk that this tail will be sealed into; a later tail of the same id holds more events.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// The blocks in arrival order.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<Block>] {
        &self.blocks
    }

    /// Smallest and largest time of flight in ns, of all events; `None` without events.
    #[must_use]
    pub fn time_of_flight_range(&self) -> Option<(u32, u32)> {
        let blocks = self.blocks.iter().filter(|block| !block.is_empty());
        let limits = blocks.map(|block| crate::wire::limits(&block.time_of_flight));
        limits.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Number of events.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events
    }

    /// True when there are no events.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Pulse times by pulse index.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        &self.times
    }
}

/// The latest of some pulse times.
pub(crate) fn newest(times: &[PulseTime]) -> PulseTime {
    times.iter().copied().max().unwrap_or(PulseTime::MIN)
}

/// Events of one partition over a stretch of offsets.
#[derive(Clone, Debug)]
pub enum ChunkView {
    /// Complete and bucketed.
    Sealed(Arc<Chunk>),
    /// Still open, or not bucketed yet.
    Tail(Arc<Tail>),
}

impl ChunkView {
    /// Identity of the chunk; stays the same when a tail is sealed.
    #[must_use]
    pub fn id(&self) -> u64 {
        match self {
            Self::Sealed(chunk) => chunk.id(),
            Self::Tail(tail) => tail.id(),
        }
    }

    /// Number of events, selected or not.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Sealed(chunk) => chunk.events.len(),
            Self::Tail(tail) => tail.len(),
        }
    }

    /// True when there are no events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pulse times by pulse index.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        match self {
            Self::Sealed(chunk) => chunk.pulse_times(),
            Self::Tail(tail) => tail.pulse_times(),
        }
    }

    /// The latest pulse time; the earliest there is without pulses.
    #[must_use]
    pub fn newest_pulse(&self) -> PulseTime {
        match self {
            Self::Sealed(chunk) => chunk.newest,
            Self::Tail(tail) => newest(&tail.times),
        }
    }

    /// Calls `visit(dense id, time of flight in ns, pulse index)` for every event, in no promised order: the plain
    /// way to read a chunk, for tests and for what is not worth a kernel.
    pub fn for_each(&self, mut visit: impl FnMut(u32, u32, u16)) {
        match self {
            Self::Sealed(chunk) => {
                for bucket in 0..BUCKETS {
                    for &event in chunk.bucket(bucket) {
                        visit(chunk.dense_id(bucket, event), event.time_of_flight(), event.pulse());
                    }
                }
            }
            Self::Tail(tail) => {
                for block in &tail.blocks {
                    for (pulse, range) in block.pulses() {
                        let columns = block.dense_ids.iter().zip(&block.time_of_flight);
                        for (&id, &time) in columns.take(range.end).skip(range.start) {
                            visit(id, time, pulse);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_packed_without_loss() {
        let event = Event::new(0xdead_beef, 65_534, 65_535);
        assert_eq!(event.time_of_flight(), 0xdead_beef);
        assert_eq!(event.pulse(), 65_534);
        assert_eq!(event.low_id(), 65_535);
        assert_eq!(size_of::<Event>(), 8);
    }

    #[test]
    fn bytes_are_counted_while_somebody_holds_them() {
        let total = Arc::new(AtomicU64::new(0));
        let account = Account::new(&total, 5);
        assert_eq!(total.load(Ordering::Relaxed), 5);
        drop(account);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
