//! Passes that read events, or the range of their values, without counting.

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, ChunkView};
use crate::kernel::block::{BlockConsumer, EventBlock, feed_bucket, feed_chunk, feed_tail, unless_full};
use crate::kernel::table::IdTable;
use crate::selection::Bitmap;
use crate::time::PulseTime;
use crate::transform::Transform;

/// Smallest and largest value of a chunk's selected events; `None` without a value that is a number.
pub(crate) fn limits(chunk: &ChunkView, pulses: &Bitmap, table: &IdTable, transform: &Transform) -> Option<(f64, f64)> {
    let mut limits = ValueLimits(f64::INFINITY, f64::NEG_INFINITY);
    match chunk {
        ChunkView::Sealed(chunk) => feed_chunk(chunk, pulses, table, transform, &mut limits),
        ChunkView::Tail(tail) => feed_tail(tail, pulses, table, transform, &mut limits),
    }
    (limits.0 <= limits.1).then_some((limits.0, limits.1))
}

/// Consumer that finds the smallest and the largest value.
struct ValueLimits(f64, f64);

impl BlockConsumer for ValueLimits {
    fn consume(&mut self, block: &EventBlock) {
        for x in &block.x[..block.len] {
            // NaN compares false and is ignored.
            self.0 = if *x < self.0 { *x } else { self.0 };
            self.1 = if *x > self.1 { *x } else { self.1 };
        }
    }
}

/// Calls `visit(dense id, value, pulse time)` for the selected events with a row, in arrival order for each id.
pub(crate) fn visit(
    chunk: &ChunkView,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    cancel: &Cancel,
    visit: &mut impl FnMut(usize, f64, PulseTime),
) -> Result<(), Cancelled> {
    let mut visitor = EventVisitor {
        times: chunk.pulse_times(),
        visit,
    };
    match chunk {
        ChunkView::Sealed(chunk) => {
            for bucket in 0..BUCKETS {
                cancel.check()?;
                let ids = chunk.bucket_ids(bucket);
                if !table.is_empty(ids.start as usize..ids.end as usize) {
                    let first = ids.start as usize;
                    feed_bucket(
                        chunk.bucket(bucket),
                        first,
                        unless_full(pulses),
                        table,
                        transform,
                        &mut visitor,
                    );
                }
            }
        }
        ChunkView::Tail(tail) => {
            cancel.check()?;
            feed_tail(tail, pulses, table, transform, &mut visitor);
        }
    }
    Ok(())
}

/// Consumer that calls a function for each event.
struct EventVisitor<'a, F> {
    times: &'a [PulseTime],
    visit: &'a mut F,
}

impl<F: FnMut(usize, f64, PulseTime)> BlockConsumer for EventVisitor<'_, F> {
    fn consume(&mut self, block: &EventBlock) {
        for index in 0..block.len {
            let time = self
                .times
                .get(usize::from(block.pulses[index]))
                .copied()
                .unwrap_or_default();
            (self.visit)(block.ids[index] as usize, block.x[index], time);
        }
    }
}
