//! Blocks of selected events, converted step by step: each step is a loop over arrays in the first-level cache.

use crate::chunk::{Chunk, Event, Tail, TailBlock};
use crate::kernel::table::IdTable;
use crate::plan::UNMAPPED;
use crate::selection::Bitmap;
use crate::transform::{Formula, SlotConstants, Transform, TransformStep};

/// Events per block.
pub(crate) const BLOCK: usize = 256;

/// Block of selected events in columns.
#[derive(Debug)]
pub(crate) struct EventBlock {
    /// Dense ids; each has a row.
    pub(crate) ids: [u32; BLOCK],
    /// Times of flight in ns, then in µs, then converted values.
    pub(crate) x: [f64; BLOCK],
    /// Pulse indices in the chunk.
    pub(crate) pulses: [u16; BLOCK],
    /// Number of used entries of the arrays.
    pub(crate) len: usize,
}

/// Consumer of blocks of converted events.
pub(crate) trait BlockConsumer {
    /// Consumes a block; all its events have rows.
    fn consume(&mut self, block: &EventBlock);
}

impl EventBlock {
    pub(crate) fn new() -> Self {
        Self {
            ids: [0; BLOCK],
            x: [0.0; BLOCK],
            pulses: [0; BLOCK],
            len: 0,
        }
    }

    #[inline(always)]
    fn push(&mut self, id: u32, time_of_flight: u32, pulse: u16) {
        if self.len < BLOCK {
            self.ids[self.len] = id;
            self.x[self.len] = f64::from(time_of_flight);
            self.pulses[self.len] = pulse;
            self.len += 1;
        }
    }

    fn finish(&mut self, table: &IdTable, transform: &Transform, consumer: &mut impl BlockConsumer) {
        if self.len > 0 {
            for x in &mut self.x[..self.len] {
                *x /= 1000.0;
            }
            self.convert(table, transform);
            consumer.consume(self);
            self.len = 0;
        }
    }

    fn convert(&mut self, table: &IdTable, transform: &Transform) {
        for (step, constants) in transform.steps().iter().zip(&table.constants) {
            match step {
                TransformStep::Convert(step) => match step.formula {
                    Formula::Linear => self.each(constants, |c, x| c.apply(Formula::Linear, step.inaccessible, x)),
                    Formula::Inverse => self.each(constants, |c, x| c.apply(Formula::Inverse, step.inaccessible, x)),
                    Formula::InverseSquare => {
                        self.each(constants, |c, x| c.apply(Formula::InverseSquare, step.inaccessible, x));
                    }
                    Formula::InverseRoot => {
                        self.each(constants, |c, x| c.apply(Formula::InverseRoot, step.inaccessible, x))
                    }
                    Formula::Root => self.each(constants, |c, x| c.apply(Formula::Root, step.inaccessible, x)),
                    Formula::Square => self.each(constants, |c, x| c.apply(Formula::Square, step.inaccessible, x)),
                },
                TransformStep::Keep { low, high } => {
                    let mut kept = 0;
                    for index in 0..self.len {
                        let x = self.x[index];
                        self.ids[kept] = self.ids[index];
                        self.pulses[kept] = self.pulses[index];
                        self.x[kept] = x;
                        kept += usize::from(x >= *low && x <= *high);
                    }
                    self.len = kept;
                }
            }
        }
    }

    #[inline(always)]
    fn each(&mut self, constants: &[SlotConstants], formula: impl Fn(SlotConstants, f64) -> f64) {
        for (id, x) in self.ids[..self.len].iter().zip(&mut self.x[..self.len]) {
            // Every id in a block has a row and so has constants.
            if let Some(constants) = constants.get(*id as usize) {
                *x = formula(*constants, *x);
            }
        }
    }
}

/// Feeds the selected events of one bucket to a consumer; all events if `pulses` is `None`. `first` is the bucket's
/// first dense id.
pub(crate) fn feed_bucket(
    events: &[Event],
    first: usize,
    pulses: Option<&Bitmap>,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl BlockConsumer,
) {
    let rows = table.rows.get(first..).unwrap_or_default();
    let mut block = EventBlock::new();
    for events in events.chunks(BLOCK) {
        for event in events {
            let low = usize::from(event.low_id());
            let selected = pulses.is_none_or(|pulses| pulses.get(usize::from(event.pulse())));
            if selected && rows.get(low).is_some_and(|row| *row != UNMAPPED) {
                block.push((first + low) as u32, event.time_of_flight(), event.pulse());
            }
        }
        block.finish(table, transform, consumer);
    }
}

/// The selection, or `None` if it selects every pulse and need not be tested.
pub(crate) fn unless_full(pulses: &Bitmap) -> Option<&Bitmap> {
    (!pulses.is_full()).then_some(pulses)
}

/// Feeds the selected events of all buckets of a chunk to a consumer.
pub(crate) fn feed_chunk(
    chunk: &Chunk,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl BlockConsumer,
) {
    for bucket in 0..crate::chunk::BUCKETS {
        let first = bucket << chunk.shift();
        if !table.is_empty(first..first + (1 << chunk.shift())) {
            feed_bucket(
                chunk.bucket(bucket),
                first,
                unless_full(pulses),
                table,
                transform,
                consumer,
            );
        }
    }
}

/// Feeds the selected events of a tail to a consumer.
pub(crate) fn feed_tail(
    tail: &Tail,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl BlockConsumer,
) {
    for block in tail.blocks() {
        feed_block(block, pulses, table, transform, consumer);
    }
}

/// Feeds the selected events of one block of a tail to a consumer.
pub(crate) fn feed_block(
    block: &TailBlock,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl BlockConsumer,
) {
    let mut out = EventBlock::new();
    for (pulse, range) in block.pulses() {
        if !pulses.get(usize::from(pulse)) {
            continue;
        }
        let ids = block.dense_ids().get(range.clone()).unwrap_or_default();
        let times = block.time_of_flight().get(range).unwrap_or_default();
        for (ids, times) in ids.chunks(BLOCK).zip(times.chunks(BLOCK)) {
            if out.len + ids.len() > BLOCK {
                out.finish(table, transform, consumer);
            }
            for (id, time) in ids.iter().zip(times) {
                if table.row(*id as usize) != UNMAPPED {
                    out.push(*id, *time, pulse);
                }
            }
        }
    }
    out.finish(table, transform, consumer);
}
