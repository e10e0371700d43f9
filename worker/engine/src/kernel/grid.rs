//! Counts in memory: one cell for each bin of each row, 32 bits wide where that is enough for every event there is.
//!
//! Promises: large cells come from buffers given back earlier where one fits, because fresh memory costs more than
//! counting into it.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rayon::prelude::*;

use crate::edges::Binning;
use crate::plan::PlanError;
use crate::pool;

/// Where the bins of each row are.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    rows: usize,
    bins: usize,
    offsets: Option<Arc<[usize]>>,
    cells: usize,
}

impl Layout {
    pub(crate) fn new(rows: usize, binning: &Binning) -> Result<Self, PlanError> {
        let (bins, offsets, cells) = match binning {
            Binning::PerRow(edges) => {
                if edges.len() != rows {
                    return Err(PlanError::TableLength {
                        what: "bin edges",
                        found: edges.len(),
                        rows,
                    });
                }
                let mut cells = 0_usize;
                let mut offsets = Vec::with_capacity(rows + 1);
                for edges in edges.iter() {
                    offsets.push(cells);
                    cells = cells.saturating_add(edges.bins());
                }
                offsets.push(cells);
                (0, Some(offsets.into()), cells)
            }
            common => (common.bins(0), None, rows.saturating_mul(common.bins(0))),
        };
        // Cells are addressed by 32 bits in the kernels' tables.
        if cells >= u32::MAX as usize {
            return Err(PlanError::TooLarge {
                rows,
                cells: cells as u64,
            });
        }
        Ok(Self {
            rows,
            bins,
            offsets,
            cells,
        })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn cells(&self) -> usize {
        self.cells
    }

    pub(crate) fn range(&self, row: usize) -> Range<usize> {
        if row >= self.rows {
            return 0..0;
        }
        match &self.offsets {
            None => row * self.bins..(row + 1) * self.bins,
            Some(offsets) => offsets[row]..offsets[row + 1],
        }
    }
}

/// Buffers given back.
#[derive(Debug, Default)]
pub(crate) struct Spares(Mutex<Vec<Vec<u32>>>);

/// How many buffers are held back at most.
const SPARE_BUFFERS: usize = 2;
/// Smaller buffers are left to the allocator.
const SPARE_CELLS: usize = 1 << 18;

impl Spares {
    fn take(&self, cells: usize) -> Option<Vec<u32>> {
        let mut spares = self.0.lock();
        // One that is far too large would stay large.
        let index = spares
            .iter()
            .position(|spare| spare.capacity() >= cells && spare.capacity() / 2 <= cells)?;
        Some(spares.swap_remove(index))
    }

    fn give(&self, cells: Vec<u32>) {
        let mut spares = self.0.lock();
        if spares.len() == SPARE_BUFFERS {
            spares.remove(0);
        }
        spares.push(cells);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }

    pub(crate) fn memory(&self) -> usize {
        self.0.lock().iter().map(|spare| spare.capacity() * 4).sum()
    }
}

#[derive(Debug)]
enum Cells {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

/// Counts of one structure.
#[derive(Debug)]
pub(crate) struct Grid {
    cells: Cells,
    home: Weak<Spares>,
}

/// Cells that several threads write: each cell by one of them, or by addition that no other can come between.
#[derive(Clone, Copy)]
pub(crate) enum Shared<'a> {
    Narrow(&'a [AtomicU32]),
    Wide(&'a [AtomicU64]),
}

impl Grid {
    /// Zeros; wide cells where `events` might overflow narrow ones.
    pub(crate) fn zeros(cells: usize, events: u64, spares: &Arc<Spares>) -> Self {
        let home = Arc::downgrade(spares);
        if events >= u64::from(u32::MAX) {
            return Self {
                cells: Cells::Wide(vec![0; cells]),
                home,
            };
        }
        let cells = if cells < SPARE_CELLS {
            vec![0; cells]
        } else if let Some(mut spare) = spares.take(cells) {
            spare.clear();
            spare.resize(cells, 0);
            spare
        } else {
            vec![0; cells]
        };
        Self {
            cells: Cells::Narrow(cells),
            home,
        }
    }

    /// A copy, with cells wide enough for `events` events.
    pub(crate) fn copy(&self, events: u64, spares: &Arc<Spares>) -> Self {
        let home = Arc::downgrade(spares);
        let wide = events >= u64::from(u32::MAX);
        let cells = match &self.cells {
            Cells::Wide(cells) => Cells::Wide(cells.clone()),
            Cells::Narrow(cells) if wide => Cells::Wide(cells.iter().map(|count| u64::from(*count)).collect()),
            Cells::Narrow(cells) if cells.len() < SPARE_CELLS => Cells::Narrow(cells.clone()),
            Cells::Narrow(cells) => {
                let mut copy = match spares.take(cells.len()) {
                    Some(mut spare) => {
                        spare.resize(cells.len(), 0);
                        spare
                    }
                    None => vec![0; cells.len()],
                };
                pool::install(|| {
                    let parts = copy.par_chunks_mut(1 << 16).zip(cells.par_chunks(1 << 16));
                    parts.for_each(|(to, from)| to.copy_from_slice(from));
                });
                Cells::Narrow(copy)
            }
        };
        Self { cells, home }
    }

    /// Whether the cells are wide enough for `events` events in all.
    pub(crate) fn holds(&self, events: u64) -> bool {
        matches!(self.cells, Cells::Wide(_)) || events < u64::from(u32::MAX)
    }

    pub(crate) fn memory(&self) -> usize {
        match &self.cells {
            Cells::Narrow(cells) => cells.capacity() * 4,
            Cells::Wide(cells) => cells.capacity() * 8,
        }
    }

    pub(crate) fn shared(&mut self) -> Shared<'_> {
        match &mut self.cells {
            Cells::Narrow(cells) => {
                let cells: &mut [u32] = cells;
                // SAFETY: `AtomicU32` has the size, alignment and bit validity of `u32` (documented by std), and the
                // exclusive borrow, which the result inherits, rules out any other access while atomics are used.
                Shared::Narrow(unsafe { &*(std::ptr::from_mut(cells) as *const [AtomicU32]) })
            }
            Cells::Wide(cells) => {
                let cells: &mut [u64] = cells;
                // SAFETY: as above; on the 64-bit targets that are supported `AtomicU64` is aligned as `u64` is.
                Shared::Wide(unsafe { &*(std::ptr::from_mut(cells) as *const [AtomicU64]) })
            }
        }
    }

    /// Adds the counts of another grid, from its cell `first` on, as far as this one goes.
    pub(crate) fn add_from(&mut self, other: &Self, first: usize) {
        fn each<T: Copy, U: Copy>(to: &mut [T], from: &[U], first: usize, add: impl Fn(T, U) -> T) {
            let from = from.get(first..).unwrap_or_default();
            to.iter_mut().zip(from).for_each(|(to, from)| *to = add(*to, *from));
        }
        match (&mut self.cells, &other.cells) {
            (Cells::Narrow(to), Cells::Narrow(from)) => each(to, from, first, u32::wrapping_add),
            (Cells::Wide(to), Cells::Wide(from)) => each(to, from, first, u64::wrapping_add),
            (Cells::Wide(to), Cells::Narrow(from)) => {
                each(to, from, first, |to, from| to.wrapping_add(u64::from(from)));
            }
            (Cells::Narrow(to), Cells::Wide(from)) => each(to, from, first, |to, from| to.wrapping_add(from as u32)),
        }
    }

    /// Calls `visit(bin, count)` for the cells of a range that are not zero.
    #[inline(always)]
    pub(crate) fn each(&self, range: Range<usize>, mut visit: impl FnMut(usize, f64)) {
        match &self.cells {
            Cells::Narrow(cells) => {
                for (bin, count) in cells.get(range).unwrap_or_default().iter().enumerate() {
                    if *count != 0 {
                        visit(bin, f64::from(*count));
                    }
                }
            }
            Cells::Wide(cells) => {
                for (bin, count) in cells.get(range).unwrap_or_default().iter().enumerate() {
                    if *count != 0 {
                        visit(bin, *count as f64);
                    }
                }
            }
        }
    }

    /// Adds the counts of a range, times a weight, to a buffer. An empty cell adds nothing, even where the weight is
    /// not a finite number.
    #[inline]
    pub(crate) fn add_to(&self, range: Range<usize>, weight: f64, out: &mut [f64]) {
        if !weight.is_finite() {
            return self.each(range, |bin, count| {
                if let Some(to) = out.get_mut(bin) {
                    *to += count * weight;
                }
            });
        }
        match &self.cells {
            Cells::Narrow(cells) => {
                let counts = cells.get(range).unwrap_or_default();
                out.iter_mut()
                    .zip(counts)
                    .for_each(|(to, count)| *to += f64::from(*count) * weight);
            }
            Cells::Wide(cells) => {
                let counts = cells.get(range).unwrap_or_default();
                out.iter_mut()
                    .zip(counts)
                    .for_each(|(to, count)| *to += *count as f64 * weight);
            }
        }
    }

    /// The sum of a range of cells.
    pub(crate) fn sum(&self, range: Range<usize>) -> u64 {
        match &self.cells {
            Cells::Narrow(cells) => cells
                .get(range)
                .unwrap_or_default()
                .iter()
                .map(|count| u64::from(*count))
                .sum(),
            Cells::Wide(cells) => cells.get(range).unwrap_or_default().iter().sum(),
        }
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        if let (Cells::Narrow(cells), Some(home)) = (&mut self.cells, self.home.upgrade())
            && cells.capacity() >= SPARE_CELLS
        {
            home.give(std::mem::take(cells));
        }
    }
}
