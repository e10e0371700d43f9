//! Destinations of counts: cells of one thread, cells of several threads, or replicas of few cells.
//!
//! Promises: a cell index beyond the end is ignored; no other cell is written.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Destination that adds 1 or −1 to cells.
pub(crate) trait Sink: Copy + Send + Sync {
    /// Adds to a cell; ignores an index beyond the end.
    fn add(self, cell: usize);

    /// Adds to each cell of a list, which may have a cell more than once.
    #[inline(always)]
    fn add_all(self, cells: &[u32]) {
        for cell in cells {
            self.add(*cell as usize);
        }
    }
}

/// Cells that one thread writes: relaxed loads and stores, which compile to the code of `+=`.
#[derive(Clone, Copy)]
pub(crate) struct OwnedNarrow<'a>(pub(crate) &'a [AtomicU32], pub(crate) u32);
/// As [`OwnedNarrow`], with 64-bit cells.
#[derive(Clone, Copy)]
pub(crate) struct OwnedWide<'a>(pub(crate) &'a [AtomicU64], pub(crate) u64);
/// Cells that several threads write, by atomic addition.
#[derive(Clone, Copy)]
pub(crate) struct ContendedNarrow<'a>(pub(crate) &'a [AtomicU32], pub(crate) u32);
/// As [`ContendedNarrow`], with 64-bit cells.
#[derive(Clone, Copy)]
pub(crate) struct ContendedWide<'a>(pub(crate) &'a [AtomicU64], pub(crate) u64);

impl Sink for OwnedNarrow<'_> {
    #[inline(always)]
    fn add(self, cell: usize) {
        if let Some(count) = self.0.get(cell) {
            count.store(count.load(Ordering::Relaxed).wrapping_add(self.1), Ordering::Relaxed);
        }
    }
}

impl Sink for OwnedWide<'_> {
    #[inline(always)]
    fn add(self, cell: usize) {
        if let Some(count) = self.0.get(cell) {
            count.store(count.load(Ordering::Relaxed).wrapping_add(self.1), Ordering::Relaxed);
        }
    }
}

impl Sink for ContendedNarrow<'_> {
    #[inline(always)]
    fn add(self, cell: usize) {
        if let Some(count) = self.0.get(cell) {
            count.fetch_add(self.1, Ordering::Relaxed);
        }
    }
}

impl Sink for ContendedWide<'_> {
    #[inline(always)]
    fn add(self, cell: usize) {
        if let Some(count) = self.0.get(cell) {
            count.fetch_add(self.1, Ordering::Relaxed);
        }
    }
}

/// Number of replicas of [`ReplicatedCells`].
pub(crate) const REPLICAS: usize = 4;

/// Replicas of the cells, `stride` apart, used in rotation, so that an addition does not wait for the previous one to
/// the same cell. Single additions go to the first replica.
#[derive(Clone, Copy)]
pub(crate) struct ReplicatedCells<S> {
    pub(crate) to: S,
    pub(crate) stride: usize,
}

impl<S: Sink> Sink for ReplicatedCells<S> {
    #[inline(always)]
    fn add(self, cell: usize) {
        self.to.add(cell);
    }

    #[inline(always)]
    fn add_all(self, cells: &[u32]) {
        let (fours, rest) = cells.as_chunks::<REPLICAS>();
        for four in fours {
            for (copy, cell) in four.iter().enumerate() {
                self.to.add(*cell as usize + copy * self.stride);
            }
        }
        for cell in rest {
            self.add(*cell as usize);
        }
    }
}
