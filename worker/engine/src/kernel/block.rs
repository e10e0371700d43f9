//! Events of selected pulses, taken in blocks: filtered, then converted stage by stage, each stage a plain loop over
//! arrays that stay in the first-level cache.

use crate::chunk::{Block as TailBlock, Chunk, Event, Tail};
use crate::kernel::table::IdTable;
use crate::plan::NONE;
use crate::selection::Bitmap;
use crate::transform::{Constants, Formula, Stage, Transform};

/// How many events a block holds.
pub(crate) const BLOCK: usize = 256;

/// Some events on their way.
#[derive(Debug)]
pub(crate) struct Block {
    /// Dense ids; each has a row.
    pub(crate) ids: [u32; BLOCK],
    /// Values, as far as they are converted.
    pub(crate) x: [f64; BLOCK],
    /// Pulses within the chunk.
    pub(crate) pulses: [u16; BLOCK],
    /// How many of the arrays' entries count.
    pub(crate) len: usize,
}

/// What is done with converted events.
pub(crate) trait Consumer {
    /// Takes a block of events that all have rows.
    fn take(&mut self, block: &Block);
}

impl Block {
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

    fn finish(&mut self, table: &IdTable, transform: &Transform, consumer: &mut impl Consumer) {
        if self.len > 0 {
            for x in &mut self.x[..self.len] {
                *x /= 1000.0;
            }
            self.convert(table, transform);
            consumer.take(self);
            self.len = 0;
        }
    }

    fn convert(&mut self, table: &IdTable, transform: &Transform) {
        for (stage, constants) in transform.stages().iter().zip(&table.constants) {
            match stage {
                Stage::Convert(step) => match step.formula {
                    Formula::Linear => self.each(constants, |c, x| c.apply(Formula::Linear, step.beyond, x)),
                    Formula::Inverse => self.each(constants, |c, x| c.apply(Formula::Inverse, step.beyond, x)),
                    Formula::InverseSquare => {
                        self.each(constants, |c, x| c.apply(Formula::InverseSquare, step.beyond, x));
                    }
                    Formula::InverseRoot => self.each(constants, |c, x| c.apply(Formula::InverseRoot, step.beyond, x)),
                    Formula::Root => self.each(constants, |c, x| c.apply(Formula::Root, step.beyond, x)),
                    Formula::Square => self.each(constants, |c, x| c.apply(Formula::Square, step.beyond, x)),
                },
                Stage::Keep { low, high } => {
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
    fn each(&mut self, constants: &[Constants], formula: impl Fn(Constants, f64) -> f64) {
        for (id, x) in self.ids[..self.len].iter().zip(&mut self.x[..self.len]) {
            // Every id in a block has a row, and with it constants.
            if let Some(constants) = constants.get(*id as usize) {
                *x = formula(*constants, *x);
            }
        }
    }
}

/// Feeds the selected events of one bucket, whose first dense id is `first`; all of them where no selection is given.
pub(crate) fn feed_bucket(
    events: &[Event],
    first: usize,
    pulses: Option<&Bitmap>,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl Consumer,
) {
    let rows = table.rows.get(first..).unwrap_or_default();
    let mut block = Block::new();
    for events in events.chunks(BLOCK) {
        for event in events {
            let low = usize::from(event.low_id());
            let selected = pulses.is_none_or(|pulses| pulses.get(usize::from(event.pulse())));
            if selected && rows.get(low).is_some_and(|row| *row != NONE) {
                block.push((first + low) as u32, event.time_of_flight(), event.pulse());
            }
        }
        block.finish(table, transform, consumer);
    }
}

/// A selection that must be looked at: none where it selects everything.
pub(crate) fn some(pulses: &Bitmap) -> Option<&Bitmap> {
    (!pulses.is_full()).then_some(pulses)
}

/// Feeds the selected events of all buckets of a chunk.
pub(crate) fn feed_chunk(
    chunk: &Chunk,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl Consumer,
) {
    for bucket in 0..crate::chunk::BUCKETS {
        let first = bucket << chunk.shift();
        if !table.is_empty(first..first + (1 << chunk.shift())) {
            feed_bucket(chunk.bucket(bucket), first, some(pulses), table, transform, consumer);
        }
    }
}

/// Feeds the selected events of a tail.
pub(crate) fn feed_tail(
    tail: &Tail,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl Consumer,
) {
    for block in tail.blocks() {
        feed_block(block, pulses, table, transform, consumer);
    }
}

/// Feeds the selected events of one block of a tail.
pub(crate) fn feed_block(
    block: &TailBlock,
    pulses: &Bitmap,
    table: &IdTable,
    transform: &Transform,
    consumer: &mut impl Consumer,
) {
    let mut out = Block::new();
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
                if table.row(*id as usize) != NONE {
                    out.push(*id, *time, pulse);
                }
            }
        }
    }
    out.finish(table, transform, consumer);
}
