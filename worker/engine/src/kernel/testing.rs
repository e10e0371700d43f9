//! Chunks from lists of events, for the tests of plans, kernels and memos.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::chunk::{BUCKETS, Chunk, Event, MemoryAccount, PulseSpan, Tail, TailBlock};
use crate::time::PulseTime;

static NEXT: AtomicU64 = AtomicU64::new(1 << 40);

/// Time of flight in ns, pulse within the chunk, dense id.
pub(crate) type Raw = (u32, u16, u32);

/// Cases of a slow property: `full` in `ci/test --full`, which sets LIVE_DATA_FULL, a quarter of them in the gate.
pub(crate) fn cases(full: u32) -> u32 {
    if std::env::var_os("LIVE_DATA_FULL").is_some() {
        full
    } else {
        full.div_ceil(4)
    }
}

fn times(pulse_times: &[i64]) -> Arc<Vec<PulseTime>> {
    Arc::new(pulse_times.iter().map(|time| PulseTime::from_nanos(*time)).collect())
}

/// Sealed chunk of the events, in list order within each bucket.
pub(crate) fn sealed(events: &[Raw], pulse_times: &[i64]) -> Arc<Chunk> {
    let highest = events.iter().map(|event| event.2).max().unwrap_or(0);
    let mut shift = 0;
    while (highest >> shift) as usize >= BUCKETS {
        shift += 1;
    }
    let mut starts = Box::new([0_u32; BUCKETS + 1]);
    for (_, _, id) in events {
        starts[(id >> shift) as usize + 1] += 1;
    }
    for bucket in 0..BUCKETS {
        starts[bucket + 1] += starts[bucket];
    }
    let mut next = *starts;
    let mut packed = vec![Event::new(0, 0, 0); events.len()];
    for (time_of_flight, pulse, id) in events {
        let bucket = (id >> shift) as usize;
        packed[next[bucket] as usize] = Event::new(*time_of_flight, *pulse, (id - ((bucket as u32) << shift)) as u16);
        next[bucket] += 1;
    }
    Arc::new(Chunk {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        events: packed,
        starts,
        shift,
        times: times(pulse_times),
        newest: crate::chunk::newest(&times(pulse_times)),
        time_of_flight: None,
        ascending: events.is_sorted_by_key(|event| event.1),
        _memory: MemoryAccount::new(&Arc::default(), 0),
    })
}

/// Tail of the events, in blocks of seven.
pub(crate) fn tail(events: &[Raw], pulse_times: &[i64]) -> Arc<Tail> {
    let blocks = events
        .chunks(7)
        .map(|events| {
            let mut spans: Vec<PulseSpan> = Vec::new();
            for (index, event) in events.iter().enumerate() {
                if spans.last().is_none_or(|span| span.pulse != event.1) {
                    spans.push(PulseSpan {
                        first: index as u32,
                        pulse: event.1,
                    });
                }
            }
            Arc::new(TailBlock {
                time_of_flight: events.iter().map(|event| event.0).collect(),
                dense_ids: events.iter().map(|event| event.2).collect(),
                spans,
            })
        })
        .collect();
    Arc::new(Tail {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        blocks,
        times: times(pulse_times),
        events: events.len(),
    })
}
