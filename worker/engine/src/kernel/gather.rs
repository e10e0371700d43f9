//! Passes that take events or their limits out, instead of counting them.

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, ChunkView};
use crate::kernel::block::{Block, Consumer, feed_bucket, feed_chunk, feed_tail, some};
use crate::kernel::table::IdTable;
use crate::selection::Bitmap;
use crate::time::PulseTime;
use crate::transform::Transform;

/// The smallest and the largest value of a chunk's selected events; `None` if there is no event with a value.
pub(crate) fn limits(chunk: &ChunkView, pulses: &Bitmap, table: &IdTable, transform: &Transform) -> Option<(f64, f64)> {
    let mut limits = Limits(f64::INFINITY, f64::NEG_INFINITY);
    match chunk {
        ChunkView::Sealed(chunk) => feed_chunk(chunk, pulses, table, transform, &mut limits),
        ChunkView::Tail(tail) => feed_tail(tail, pulses, table, transform, &mut limits),
    }
    (limits.0 <= limits.1).then_some((limits.0, limits.1))
}

struct Limits(f64, f64);

impl Consumer for Limits {
    fn take(&mut self, block: &Block) {
        for x in &block.x[..block.len] {
            // A NaN compares false and is left out.
            self.0 = if *x < self.0 { *x } else { self.0 };
            self.1 = if *x > self.1 { *x } else { self.1 };
        }
    }
}

/// Calls `visit(dense id, value, pulse time)` for the selected events of a chunk that have rows; in arrival order
/// for the events of one id.
pub(crate) fn visit(
    chunk: &ChunkView,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    cancel: &Cancel,
    visit: &mut impl FnMut(usize, f64, PulseTime),
) -> Result<(), Cancelled> {
    let mut visitor = Visitor {
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
                        some(pulses),
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

struct Visitor<'a, F> {
    times: &'a [PulseTime],
    visit: &'a mut F,
}

impl<F: FnMut(usize, f64, PulseTime)> Consumer for Visitor<'_, F> {
    fn take(&mut self, block: &Block) {
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
