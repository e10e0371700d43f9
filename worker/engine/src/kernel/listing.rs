//! Cells of few events, listed instead of counted into a grid: what is not settled, and what is still open.
//!
//! Promises: the list says of every cell how often it would have been counted, whatever thread took which part.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, Block as TailBlock};
use crate::edges::Binning;
use crate::kernel::block::{Block, Consumer, feed_block, feed_bucket, some};
use crate::kernel::scatter::{Binner, bin_of};
use crate::kernel::tally::tally;
use crate::kernel::{Pass, TailPass};
use crate::pool;
use crate::selection::Bitmap;

impl Binner<'_> {
    /// The cells of the events that the passes and tails select, sorted, with how often each comes.
    ///
    /// # Errors
    /// [`Cancelled`].
    pub(crate) fn list(
        &self,
        passes: &[Pass],
        tails: &[TailPass],
        cancel: &Cancel,
    ) -> Result<Vec<(u32, u32)>, Cancelled> {
        let buckets = passes
            .iter()
            .flat_map(|pass| (0..BUCKETS).map(move |bucket| Part::Bucket(pass, bucket)));
        let blocks = tails.iter().flat_map(|pass| {
            let blocks = pass.tail.blocks().iter();
            blocks.map(move |block| Part::Block(block, &pass.pulses))
        });
        let parts: Vec<Part<'_>> = buckets.chain(blocks).collect();
        let threads = pool::threads();
        let lists: Mutex<Vec<Vec<u32>>> = Mutex::default();
        let next = AtomicUsize::new(0);
        pool::run_tasks(threads.min(parts.len()), cancel, |_| {
            let mut lister = Lister {
                binning: self.binning,
                rows: &self.table.rows,
                first_cells: &self.first_cells,
                cells: Vec::new(),
            };
            while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                if cancel.is_cancelled() {
                    return;
                }
                match part {
                    Part::Bucket(pass, bucket) => {
                        let first = bucket << pass.chunk.shift();
                        let (events, pulses) = (pass.chunk.bucket(*bucket), some(&pass.pulses));
                        feed_bucket(events, first, pulses, self.table, self.transform, &mut lister);
                    }
                    Part::Block(block, pulses) => feed_block(block, pulses, self.table, self.transform, &mut lister),
                }
            }
            lists.lock().push(lister.cells);
        })?;
        Ok(tally(&lists.into_inner(), self.layout.cells()))
    }
}

/// A piece of work of a list.
enum Part<'a> {
    Bucket(&'a Pass, usize),
    Block(&'a TailBlock, &'a Bitmap),
}

/// Lists the cells of blocks of converted events.
struct Lister<'a> {
    binning: &'a Binning,
    rows: &'a [u32],
    first_cells: &'a [u32],
    cells: Vec<u32>,
}

impl Consumer for Lister<'_> {
    fn take(&mut self, block: &Block) {
        for (id, x) in block.ids[..block.len].iter().zip(&block.x[..block.len]) {
            let id = *id as usize;
            if let (Some(bin), Some(first)) = (bin_of(self.binning, self.rows, id, *x), self.first_cells.get(id)) {
                self.cells.push(first + bin as u32);
            }
        }
    }
}
