//! Grids of counts: one cell per bin of each row, 32 bits wide if that suffices for all events, 64 otherwise.
//!
//! Promises: large grids reuse pooled buffers that fit, because fresh pages cost more than counting into them.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rayon::prelude::*;

use crate::edges::Binning;
use crate::plan::PlanError;
use crate::pool;

/// Positions of the rows' bins in a grid.
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
        // The kernels' tables address cells with 32 bits.
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

    /// Range of a row's cells; empty for a row that does not exist.
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

/// Pool of buffers of dropped grids.
#[derive(Debug, Default)]
pub(crate) struct BufferPool(Mutex<Vec<Vec<u32>>>);

/// Largest number of pooled buffers.
const MAX_POOLED_BUFFERS: usize = 2;
/// Cells below which a buffer is not pooled.
const MIN_POOLED_CELLS: usize = 1 << 18;

impl BufferPool {
    fn acquire(&self, cells: usize) -> Option<Vec<u32>> {
        let mut buffers = self.0.lock();
        // A buffer of more than twice the size is not used: the grid would keep its memory.
        let index = buffers
            .iter()
            .position(|buffer| buffer.capacity() >= cells && buffer.capacity() / 2 <= cells)?;
        Some(buffers.swap_remove(index))
    }

    fn release(&self, cells: Vec<u32>) {
        let mut buffers = self.0.lock();
        if buffers.len() == MAX_POOLED_BUFFERS {
            buffers.remove(0);
        }
        buffers.push(cells);
    }

    pub(crate) fn clear(&self) {
        self.0.lock().clear();
    }

    pub(crate) fn memory(&self) -> usize {
        self.0.lock().iter().map(|buffer| buffer.capacity() * 4).sum()
    }
}

/// Cells of 32 or 64 bits.
#[derive(Debug)]
enum GridCells {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

/// Counts of all cells of one structure.
#[derive(Debug)]
pub(crate) struct Grid {
    cells: GridCells,
    pool: Weak<BufferPool>,
}

/// Cells for several threads: each cell has one writer, or is added to atomically.
#[derive(Clone, Copy)]
pub(crate) enum SharedCells<'a> {
    Narrow(&'a [AtomicU32]),
    Wide(&'a [AtomicU64]),
}

impl Grid {
    /// Grid of zeros, with cells wide enough for `events` events.
    pub(crate) fn zeros(cells: usize, events: u64, buffers: &Arc<BufferPool>) -> Self {
        let pool = Arc::downgrade(buffers);
        if events >= u64::from(u32::MAX) {
            return Self {
                cells: GridCells::Wide(vec![0; cells]),
                pool,
            };
        }
        let cells = if cells < MIN_POOLED_CELLS {
            vec![0; cells]
        } else if let Some(mut buffer) = buffers.acquire(cells) {
            buffer.clear();
            buffer.resize(cells, 0);
            buffer
        } else {
            vec![0; cells]
        };
        Self {
            cells: GridCells::Narrow(cells),
            pool,
        }
    }

    /// Copy with cells wide enough for `events` events.
    pub(crate) fn copy(&self, events: u64, buffers: &Arc<BufferPool>) -> Self {
        let pool = Arc::downgrade(buffers);
        let wide = events >= u64::from(u32::MAX);
        let cells = match &self.cells {
            GridCells::Wide(cells) => GridCells::Wide(cells.clone()),
            GridCells::Narrow(cells) if wide => GridCells::Wide(cells.iter().map(|count| u64::from(*count)).collect()),
            GridCells::Narrow(cells) if cells.len() < MIN_POOLED_CELLS => GridCells::Narrow(cells.clone()),
            GridCells::Narrow(cells) => {
                let mut copy = match buffers.acquire(cells.len()) {
                    Some(mut buffer) => {
                        buffer.resize(cells.len(), 0);
                        buffer
                    }
                    None => vec![0; cells.len()],
                };
                pool::install(|| {
                    let parts = copy.par_chunks_mut(1 << 16).zip(cells.par_chunks(1 << 16));
                    parts.for_each(|(to, from)| to.copy_from_slice(from));
                });
                GridCells::Narrow(copy)
            }
        };
        Self { cells, pool }
    }

    /// True if the cells are wide enough for `events` events.
    pub(crate) fn holds(&self, events: u64) -> bool {
        matches!(self.cells, GridCells::Wide(_)) || events < u64::from(u32::MAX)
    }

    pub(crate) fn memory(&self) -> usize {
        match &self.cells {
            GridCells::Narrow(cells) => cells.capacity() * 4,
            GridCells::Wide(cells) => cells.capacity() * 8,
        }
    }

    /// Cells for the threads of one pass.
    pub(crate) fn shared(&mut self) -> SharedCells<'_> {
        match &mut self.cells {
            GridCells::Narrow(cells) => {
                let cells: &mut [u32] = cells;
                // SAFETY: `AtomicU32` has the size, alignment and bit validity of `u32` (documented by std). The result
                // inherits the exclusive borrow, which rules out any other access while atomics are used.
                SharedCells::Narrow(unsafe { &*(std::ptr::from_mut(cells) as *const [AtomicU32]) })
            }
            GridCells::Wide(cells) => {
                let cells: &mut [u64] = cells;
                // SAFETY: as above; on the 64-bit targets that are supported `AtomicU64` is aligned as `u64` is.
                SharedCells::Wide(unsafe { &*(std::ptr::from_mut(cells) as *const [AtomicU64]) })
            }
        }
    }

    /// Adds the counts of another grid, from its cell `first` on, as far as both go.
    pub(crate) fn add_from(&mut self, other: &Self, first: usize) {
        fn each<T: Copy, U: Copy>(to: &mut [T], from: &[U], first: usize, add: impl Fn(T, U) -> T) {
            let from = from.get(first..).unwrap_or_default();
            to.iter_mut().zip(from).for_each(|(to, from)| *to = add(*to, *from));
        }
        match (&mut self.cells, &other.cells) {
            (GridCells::Narrow(to), GridCells::Narrow(from)) => each(to, from, first, u32::wrapping_add),
            (GridCells::Wide(to), GridCells::Wide(from)) => each(to, from, first, u64::wrapping_add),
            (GridCells::Wide(to), GridCells::Narrow(from)) => {
                each(to, from, first, |to, from| to.wrapping_add(u64::from(from)));
            }
            (GridCells::Narrow(to), GridCells::Wide(from)) => {
                each(to, from, first, |to, from| to.wrapping_add(from as u32))
            }
        }
    }

    /// Calls `visit(bin, count)` for the non-zero cells of a range; bins count from the start of the range.
    #[inline(always)]
    pub(crate) fn each(&self, range: Range<usize>, mut visit: impl FnMut(usize, f64)) {
        match &self.cells {
            GridCells::Narrow(cells) => {
                for (bin, count) in cells.get(range).unwrap_or_default().iter().enumerate() {
                    if *count != 0 {
                        visit(bin, f64::from(*count));
                    }
                }
            }
            GridCells::Wide(cells) => {
                for (bin, count) in cells.get(range).unwrap_or_default().iter().enumerate() {
                    if *count != 0 {
                        visit(bin, *count as f64);
                    }
                }
            }
        }
    }

    /// Adds the counts of a range, times a weight, to a buffer. An empty cell adds nothing, even for an infinite or NaN
    /// weight.
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
            GridCells::Narrow(cells) => {
                let counts = cells.get(range).unwrap_or_default();
                out.iter_mut()
                    .zip(counts)
                    .for_each(|(to, count)| *to += f64::from(*count) * weight);
            }
            GridCells::Wide(cells) => {
                let counts = cells.get(range).unwrap_or_default();
                out.iter_mut()
                    .zip(counts)
                    .for_each(|(to, count)| *to += *count as f64 * weight);
            }
        }
    }

    /// Sum of a range of cells.
    pub(crate) fn sum(&self, range: Range<usize>) -> u64 {
        match &self.cells {
            GridCells::Narrow(cells) => cells
                .get(range)
                .unwrap_or_default()
                .iter()
                .map(|count| u64::from(*count))
                .sum(),
            GridCells::Wide(cells) => cells.get(range).unwrap_or_default().iter().sum(),
        }
    }
}

impl Drop for Grid {
    fn drop(&mut self) {
        if let (GridCells::Narrow(cells), Some(pool)) = (&mut self.cells, self.pool.upgrade())
            && cells.capacity() >= MIN_POOLED_CELLS
        {
            pool.release(std::mem::take(cells));
        }
    }
}
