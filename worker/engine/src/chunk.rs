//! Chunks of events as readers see them: sealed, in buckets by id, or the open tail of a partition.
//!
//! Promises: data reached through a [`ChunkView`] never change, and clones share the columns. The bytes of all live
//! chunks are counted, also of those that only a snapshot holds. It must not know runs, vetoes or periods: the
//! selection of pulses is a [`Bitmap`](crate::selection::Bitmap) beside the chunk.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::time::PulseTime;

/// Buckets of a sealed chunk, each with a range of dense ids.
pub const BUCKETS: usize = 256;
/// Largest number of pulses of a chunk; an event has 16 bits for its pulse.
pub const MAX_PULSES: usize = 65_535;
/// Largest number of dense ids: 256 buckets of 65,536.
pub const MAX_DENSE_IDS: u32 = 1 << 24;

/// Event of a sealed chunk in 64 bits. From the highest: time of flight in ns (32), pulse index in the chunk (16), id
/// within the bucket (16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Event(u64);

impl Event {
    /// Packs an event; `low_id` is its dense id minus the first dense id of its bucket.
    #[must_use]
    pub const fn new(time_of_flight: u32, pulse: u16, low_id: u16) -> Self {
        Self((time_of_flight as u64) << 32 | (pulse as u64) << 16 | low_id as u64)
    }

    /// Time of flight, ns.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn time_of_flight(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Index of the pulse in the chunk's pulse times.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn pulse(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Dense id minus the first dense id of the bucket.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn low_id(self) -> u16 {
        self.0 as u16
    }

    /// Packed 64 bits; their order is that of time of flight.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// Guard that counts bytes until it is dropped, so that the counters include freed chunks that a snapshot holds.
#[derive(Debug)]
pub(crate) struct MemoryAccount {
    total: Arc<AtomicU64>,
    bytes: u64,
}

impl MemoryAccount {
    pub(crate) fn new(total: &Arc<AtomicU64>, bytes: u64) -> Self {
        total.fetch_add(bytes, Ordering::Relaxed);
        Self {
            total: Arc::clone(total),
            bytes,
        }
    }
}

impl Drop for MemoryAccount {
    fn drop(&mut self) {
        self.total.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Sealed chunk: about half a million events in 256 buckets by dense id, in arrival order within a bucket.
#[derive(Debug)]
pub struct Chunk {
    pub(crate) id: u64,
    pub(crate) events: Vec<Event>,
    /// Index of the first event of each bucket; the last entry is the number of events.
    pub(crate) starts: Box<[u32; BUCKETS + 1]>,
    pub(crate) shift: u32,
    pub(crate) times: Arc<Vec<PulseTime>>,
    /// Latest pulse time.
    pub(crate) newest: PulseTime,
    pub(crate) time_of_flight: Option<(u32, u32)>,
    /// True if the pulses of each bucket's events ascend, so that a binary search finds those of one pulse.
    pub(crate) ascending: bool,
    pub(crate) _memory: MemoryAccount,
}

impl Chunk {
    /// Identity of the chunk, unique in the timeline; the same as that of the tail it was sealed from.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Events of all buckets, in bucket order.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Index in [`Self::events`] of the first event of each bucket; entry 256 is the number of events.
    #[must_use]
    pub fn bucket_starts(&self) -> &[u32; BUCKETS + 1] {
        &self.starts
    }

    /// Events of one bucket in arrival order; empty beyond the last bucket.
    #[must_use]
    pub fn bucket(&self, bucket: usize) -> &[Event] {
        match (self.starts.get(bucket), self.starts.get(bucket + 1)) {
            (Some(&from), Some(&to)) => self.events.get(from as usize..to as usize).unwrap_or(&[]),
            _ => &[],
        }
    }

    /// Bits of a dense id within its bucket, at most 16: bucket `b` holds dense ids `[b << shift, (b + 1) << shift)`.
    #[must_use]
    pub const fn shift(&self) -> u32 {
        self.shift
    }

    /// Range of dense ids of one bucket.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn bucket_ids(&self, bucket: usize) -> Range<u32> {
        let bucket = bucket.min(BUCKETS) as u32;
        bucket << self.shift..(bucket + 1) << self.shift
    }

    /// Dense id of an event of the bucket.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn dense_id(&self, bucket: usize, event: Event) -> u32 {
        ((bucket as u32) << self.shift) + event.low_id() as u32
    }

    /// Smallest and largest time of flight, ns, selected or not; `None` without events.
    #[must_use]
    pub const fn time_of_flight_range(&self) -> Option<(u32, u32)> {
        self.time_of_flight
    }

    /// Pulse times by pulse index; usually ascending, and a time may occur more than once.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        &self.times
    }
}

/// Block of a tail: columns of events in arrival order.
#[derive(Debug, Default)]
pub struct TailBlock {
    pub(crate) time_of_flight: Vec<u32>,
    pub(crate) dense_ids: Vec<u32>,
    pub(crate) spans: Vec<PulseSpan>,
}

/// Consecutive events of one pulse in a block; ends where the next span begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PulseSpan {
    /// Index of the first event in the block.
    pub first: u32,
    /// Index in the chunk's pulse times.
    pub pulse: u16,
}

impl TailBlock {
    /// Time of flight of each event, ns.
    #[must_use]
    pub fn time_of_flight(&self) -> &[u32] {
        &self.time_of_flight
    }

    /// Dense id of each event.
    #[must_use]
    pub fn dense_ids(&self) -> &[u32] {
        &self.dense_ids
    }

    /// Spans, ascending by `first`; the first begins at event 0.
    #[must_use]
    pub fn spans(&self) -> &[PulseSpan] {
        &self.spans
    }

    /// Number of events, selected or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.time_of_flight.len()
    }

    /// True without events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.time_of_flight.is_empty()
    }

    /// Pulse index in the chunk and range of events in this block, span by span.
    pub fn pulses(&self) -> impl Iterator<Item = (u16, Range<usize>)> + '_ {
        self.spans.iter().enumerate().map(|(index, span)| {
            let end = self.spans.get(index + 1).map_or(self.len(), |next| next.first as usize);
            (span.pulse, span.first as usize..end)
        })
    }
}

/// Open end of a partition at one moment, in blocks of columns.
#[derive(Clone, Debug)]
pub struct Tail {
    pub(crate) id: u64,
    pub(crate) blocks: Vec<Arc<TailBlock>>,
    pub(crate) times: Arc<Vec<PulseTime>>,
    pub(crate) events: usize,
}

impl Tail {
    /// Identity of the chunk that the tail is sealed into; a later tail of the same id holds the same events and more.
    #[must_use]
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Blocks in arrival order.
    #[must_use]
    pub fn blocks(&self) -> &[Arc<TailBlock>] {
        &self.blocks
    }

    /// Smallest and largest time of flight, ns, selected or not; `None` without events.
    #[must_use]
    pub fn time_of_flight_range(&self) -> Option<(u32, u32)> {
        let blocks = self.blocks.iter().filter(|block| !block.is_empty());
        let limits = blocks.map(|block| crate::wire::limits(&block.time_of_flight));
        limits.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Number of events, selected or not.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.events
    }

    /// True without events.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Pulse times by pulse index; usually ascending.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        &self.times
    }
}

/// Latest pulse time; [`PulseTime::MIN`] without any.
pub(crate) fn newest(times: &[PulseTime]) -> PulseTime {
    times.iter().copied().max().unwrap_or(PulseTime::MIN)
}

/// Events of one partition over a range of offsets; clones share them.
#[derive(Clone, Debug)]
pub enum ChunkView {
    /// Complete, in buckets.
    Sealed(Arc<Chunk>),
    /// Open, or closed and not yet in buckets.
    Tail(Arc<Tail>),
}

impl ChunkView {
    /// Identity of the chunk; sealing does not change it.
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

    /// True without events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Pulse times by pulse index; usually ascending.
    #[must_use]
    pub fn pulse_times(&self) -> &[PulseTime] {
        match self {
            Self::Sealed(chunk) => chunk.pulse_times(),
            Self::Tail(tail) => tail.pulse_times(),
        }
    }

    /// Latest pulse time; [`PulseTime::MIN`] without pulses.
    #[must_use]
    pub fn newest_pulse(&self) -> PulseTime {
        match self {
            Self::Sealed(chunk) => chunk.newest,
            Self::Tail(tail) => newest(&tail.times),
        }
    }

    /// Calls `visit(dense id, time of flight in ns, pulse index)` for every event, in any order; slow, for tests and
    /// rare operations.
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
        let account = MemoryAccount::new(&total, 5);
        assert_eq!(total.load(Ordering::Relaxed), 5);
        drop(account);
        assert_eq!(total.load(Ordering::Relaxed), 0);
    }
}
