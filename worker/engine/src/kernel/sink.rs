//! Where counts go: into cells that one thread owns, cells that several threads share, or copies of few cells.
//!
//! Promises: a cell that does not exist is left out; nothing else is touched.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Adds one (or takes one away) to cells.
pub(crate) trait Sink: Copy + Send + Sync {
    /// Adds to a cell; a cell that does not exist is left out.
    fn add(self, cell: usize);

    /// Adds to each cell of a list.
    #[inline(always)]
    fn add_all(self, cells: &[u32]) {
        for cell in cells {
            self.add(*cell as usize);
        }
    }
}

/// Cells that only this thread writes: plain loads and stores are enough, and compile to what a `+=` does.
#[derive(Clone, Copy)]
pub(crate) struct OwnedNarrow<'a>(pub(crate) &'a [AtomicU32], pub(crate) u32);
/// As [`OwnedNarrow`], 64 bits wide.
#[derive(Clone, Copy)]
pub(crate) struct OwnedWide<'a>(pub(crate) &'a [AtomicU64], pub(crate) u64);
/// Cells that other threads write too.
#[derive(Clone, Copy)]
pub(crate) struct ContendedNarrow<'a>(pub(crate) &'a [AtomicU32], pub(crate) u32);
/// As [`ContendedNarrow`], 64 bits wide.
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

/// How many copies [`Copied`] counts into.
pub(crate) const COPIES: usize = 4;

/// Takes turns between copies of the cells, `stride` apart, so that an addition need not wait for the one before to the
/// same cell. What comes singly goes to the first.
#[derive(Clone, Copy)]
pub(crate) struct Copied<S> {
    pub(crate) to: S,
    pub(crate) stride: usize,
}

impl<S: Sink> Sink for Copied<S> {
    #[inline(always)]
    fn add(self, cell: usize) {
        self.to.add(cell);
    }

    #[inline(always)]
    fn add_all(self, cells: &[u32]) {
        let (fours, rest) = cells.as_chunks::<COPIES>();
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
