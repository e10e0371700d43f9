//! Sealing: conversion of a tail's columns to 256 buckets of packed events.
//!
//! Promises: the chunk has every event of the tail once, in its bucket, in arrival order. It must not change the tail,
//! which snapshots may hold.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::chunk::{BUCKETS, Chunk, Event, MemoryAccount, Tail, newest};

/// Closed tail that waits for sealing.
#[derive(Debug)]
pub(crate) struct FullTail {
    pub(crate) tail: Arc<Tail>,
    /// Bits of a dense id within its bucket.
    pub(crate) shift: u32,
}

/// Sorts a tail's events into buckets of `1 << shift` dense ids (counting sort, O(n)); `total` counts the chunk's
/// bytes.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn seal(tail: &Tail, shift: u32, total: &Arc<AtomicU64>) -> Chunk {
    let limits = tail.time_of_flight_range();
    let ascending = {
        let mut pulses = tail
            .blocks
            .iter()
            .flat_map(|block| block.spans.iter().map(|span| span.pulse));
        let mut last = 0;
        pulses.all(|pulse| std::mem::replace(&mut last, pulse) <= pulse)
    };
    let mut counts = [0_u32; BUCKETS];
    for block in &tail.blocks {
        for id in &block.dense_ids {
            counts[bucket(*id, shift)] += 1;
        }
    }
    let mut starts = Box::new([0_u32; BUCKETS + 1]);
    let mut sum = 0;
    for (start, count) in starts.iter_mut().zip(counts) {
        *start = sum;
        sum += count;
    }
    starts[BUCKETS] = sum;
    let mut next: [u32; BUCKETS] = std::array::from_fn(|bucket| starts[bucket]);
    let mut events = vec![Event::new(0, 0, 0); sum as usize];
    let low = (1_u32 << shift) - 1;
    for block in &tail.blocks {
        for (pulse, range) in block.pulses() {
            let ids = block.dense_ids.get(range.clone()).unwrap_or(&[]);
            let times = block.time_of_flight.get(range).unwrap_or(&[]);
            for (&id, &time) in ids.iter().zip(times) {
                let position = &mut next[bucket(id, shift)];
                if let Some(event) = events.get_mut(*position as usize) {
                    *event = Event::new(time, pulse, (id & low) as u16);
                }
                *position += 1;
            }
        }
    }
    let bytes = size_of_val(events.as_slice()) + size_of_val(&*starts) + size_of::<Chunk>();
    Chunk {
        id: tail.id,
        events,
        starts,
        shift,
        times: Arc::clone(&tail.times),
        newest: newest(&tail.times),
        time_of_flight: limits,
        ascending,
        _memory: MemoryAccount::new(total, bytes as u64),
    }
}

/// Bucket of a dense id. 256 buckets of `1 << shift` hold all ids; the mask only avoids a bounds check.
const fn bucket(id: u32, shift: u32) -> usize {
    (id >> shift) as usize & (BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chunk::{PulseSpan, TailBlock};
    use crate::time::PulseTime;
    use proptest::prelude::*;
    use std::sync::atomic::Ordering;

    proptest! {
        #[test]
        fn every_event_keeps_its_id_time_and_pulse(
            blocks in prop::collection::vec(prop::collection::vec((0_u32..16_384, any::<u32>()), 1..200), 0..5),
        ) {
            let mut pulse = 0;
            let blocks: Vec<_> = blocks.iter().map(|events| {
                pulse += 2;
                let half = events.len() / 2;
                let mut spans = vec![PulseSpan { first: 0, pulse }];
                if half > 0 {
                    spans.push(PulseSpan { first: half as u32, pulse: pulse + 1 });
                }
                Arc::new(TailBlock {
                    time_of_flight: events.iter().map(|event| event.1).collect(),
                    dense_ids: events.iter().map(|event| event.0).collect(),
                    spans,
                })
            }).collect();
            let events = blocks.iter().map(|block| block.len()).sum();
            let tail = Tail { id: 3, blocks, times: Arc::new(vec![PulseTime::MIN; 12]), events };
            let total = Arc::new(AtomicU64::new(0));
            let chunk = seal(&tail, 6, &total);
            let (mut sealed, mut arrived) = (Vec::new(), Vec::new());
            crate::chunk::ChunkView::Sealed(Arc::new(chunk)).for_each(|id, time, pulse| sealed.push((id >> 6, id, time, pulse)));
            crate::chunk::ChunkView::Tail(Arc::new(tail)).for_each(|id, time, pulse| arrived.push((id >> 6, id, time, pulse)));
            arrived.sort_by_key(|event| event.0);
            prop_assert_eq!(sealed, arrived);
            prop_assert_eq!(total.load(Ordering::Relaxed), 0);
        }
    }
}
