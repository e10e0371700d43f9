//! Lists of the cells of few events, in place of a grid: for unsettled pulses and open tails.
//!
//! Promises: the list has each cell with the count that a grid would have; scheduling has no effect.

use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, TailBlock};
use crate::edges::Binning;
use crate::kernel::block::{BlockConsumer, EventBlock, feed_block, feed_bucket, unless_full};
use crate::kernel::scatter::{Binner, bin_of};
use crate::kernel::tally::tally;
use crate::kernel::{Pass, TailPass};
use crate::pool;
use crate::selection::Bitmap;

impl Binner<'_> {
    /// Cells of the events that passes and tails select, sorted, with their counts.
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
            .flat_map(|pass| (0..BUCKETS).map(move |bucket| ListTask::Bucket(pass, bucket)));
        let blocks = tails.iter().flat_map(|pass| {
            let blocks = pass.tail.blocks().iter();
            blocks.map(move |block| ListTask::Block(block, &pass.pulses))
        });
        let tasks: Vec<ListTask<'_>> = buckets.chain(blocks).collect();
        let threads = pool::threads();
        let lists: Mutex<Vec<Vec<u32>>> = Mutex::default();
        let next = AtomicUsize::new(0);
        pool::run_tasks(threads.min(tasks.len()), cancel, |_| {
            let mut lister = CellLister {
                binning: self.binning,
                rows: &self.table.rows,
                first_cells: &self.first_cells,
                cells: Vec::new(),
            };
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                if cancel.is_cancelled() {
                    return;
                }
                match task {
                    ListTask::Bucket(pass, bucket) => {
                        let first = bucket << pass.chunk.shift();
                        let (events, pulses) = (pass.chunk.bucket(*bucket), unless_full(&pass.pulses));
                        feed_bucket(events, first, pulses, self.table, self.transform, &mut lister);
                    }
                    ListTask::Block(block, pulses) => {
                        feed_block(block, pulses, self.table, self.transform, &mut lister)
                    }
                }
            }
            lists.lock().push(lister.cells);
        })?;
        Ok(tally(&lists.into_inner(), self.layout.cells()))
    }
}

/// Task of a list: one bucket of a sealed chunk, or one block of a tail.
enum ListTask<'a> {
    Bucket(&'a Pass, usize),
    Block(&'a TailBlock, &'a Bitmap),
}

/// Consumer that appends the cells of converted events to a list.
struct CellLister<'a> {
    binning: &'a Binning,
    rows: &'a [u32],
    first_cells: &'a [u32],
    cells: Vec<u32>,
}

impl BlockConsumer for CellLister<'_> {
    fn consume(&mut self, block: &EventBlock) {
        for (id, x) in block.ids[..block.len].iter().zip(&block.x[..block.len]) {
            let id = *id as usize;
            if let (Some(bin), Some(first)) = (bin_of(self.binning, self.rows, id, *x), self.first_cells.get(id)) {
                self.cells.push(first + bin as u32);
            }
        }
    }
}
