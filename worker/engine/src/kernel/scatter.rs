//! Binning: passes over chunks that add counts to a grid.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, Event};
use crate::edges::{Binning, NanosecondEdges};
use crate::kernel::Pass;
use crate::kernel::block::{BlockConsumer, EventBlock, feed_bucket, unless_full};
use crate::kernel::grid::{BufferPool, Grid, Layout, SharedCells};
use crate::kernel::prefetch::prefetch_first;
use crate::kernel::pulse_ranges::PulseRanges;
use crate::kernel::sink::{ContendedNarrow, ContendedWide, OwnedNarrow, OwnedWide, REPLICAS, ReplicatedCells, Sink};
use crate::kernel::table::IdTable;
use crate::kernel::tasks::{Tasks, buckets_of};
use crate::kernel::vector::{CellList, LANES, LIST_CELLS, RowCells, VectorBinner};
use crate::plan::UNMAPPED;
use crate::pool;
use crate::selection::Bitmap;
use crate::transform::Transform;

/// Largest number of cells of all threads' private grids together.
const MAX_PRIVATE_CELLS: usize = 1 << 23;
/// Largest number of cells of a grid that is counted in several replicas, which fit the second-level cache.
const MAX_REPLICATED_CELLS: usize = 1 << 14;

/// Binning of the events of one term.
pub(crate) struct Binner<'a> {
    pub(super) table: &'a IdTable,
    pub(super) transform: &'a Transform,
    pub(super) binning: &'a Binning,
    pub(super) layout: &'a Layout,
    /// First cell of the row of each dense id; [`UNMAPPED`] for ids without a row.
    pub(super) first_cells: Vec<u32>,
    /// Next dense id with another row, by dense id.
    same_until: Vec<u32>,
    /// SIMD implementation, if processor, edges and conversion allow it.
    vector: Option<VectorBinner<'a>>,
}

/// Pass with the ranges of its pulses, if they are few.
struct PreparedPass<'a> {
    pass: &'a Pass,
    pulse_ranges: Option<PulseRanges>,
}

impl PreparedPass<'_> {
    /// Prefetches the events of a bucket that will be read first.
    fn prefetch(&self, bucket: usize) {
        let events = self.pass.chunk.bucket(bucket);
        match &self.pulse_ranges {
            Some(pulse_ranges) => pulse_ranges.prefetch(events),
            None => prefetch_first(events),
        }
    }
}

fn prepare(passes: &[Pass]) -> Vec<PreparedPass<'_>> {
    let prepared = |pass| PreparedPass {
        pass,
        pulse_ranges: PulseRanges::of(pass),
    };
    passes.iter().map(prepared).collect()
}

impl<'a> Binner<'a> {
    pub(crate) fn new(table: &'a IdTable, transform: &'a Transform, binning: &'a Binning, layout: &'a Layout) -> Self {
        let first_cells: Vec<u32> = table
            .rows
            .iter()
            .map(|row| {
                if *row == UNMAPPED {
                    UNMAPPED
                } else {
                    layout.range(*row as usize).start as u32
                }
            })
            .collect();
        let mut same_until = vec![0; first_cells.len()];
        let mut until = first_cells.len();
        for id in (0..first_cells.len()).rev() {
            if first_cells.get(id + 1).is_some_and(|next| *next != first_cells[id]) {
                until = id + 1;
            }
            same_until[id] = until as u32;
        }
        Self {
            table,
            transform,
            binning,
            layout,
            first_cells,
            same_until,
            vector: VectorBinner::new(table, transform, binning),
        }
    }

    /// Binner without SIMD, the reference in tests.
    #[cfg(test)]
    pub(crate) fn plain(mut self) -> Self {
        self.vector = None;
        self
    }

    /// Adds or subtracts the counts of the selected events of the passes.
    ///
    /// # Errors
    /// [`Cancelled`]; the grid then has part of the passes.
    pub(crate) fn run(
        &self,
        grid: &mut Grid,
        passes: &[Pass],
        buffers: &Arc<BufferPool>,
        cancel: &Cancel,
    ) -> Result<(), Cancelled> {
        let tasks = Tasks::new(passes, self.table);
        let threads = pool::threads();
        if tasks.is_lopsided(threads) {
            if self.layout.cells().saturating_mul(threads) <= MAX_PRIVATE_CELLS {
                return self.run_private(grid, passes, threads, buffers, cancel);
            }
            return self.run_contended(grid, passes, cancel);
        }
        let cells = grid.shared();
        let prepared = prepare(passes);
        pool::run_tasks(tasks.groups.len(), cancel, |index| {
            let list = &mut [0; LIST_CELLS + LANES];
            for bucket in &tasks.groups[index] {
                for (at, pass) in prepared.iter().enumerate() {
                    if cancel.is_cancelled() {
                        return;
                    }
                    if let Some(next) = prepared.get(at + 1) {
                        next.prefetch(buckets_of(&next.pass.chunk, *bucket, tasks.shift).start);
                    }
                    for bucket in buckets_of(&pass.pass.chunk, *bucket, tasks.shift) {
                        match cells {
                            SharedCells::Narrow(cells) => {
                                self.bucket(pass, bucket, OwnedNarrow(cells, sign(pass.pass) as u32), list);
                            }
                            SharedCells::Wide(cells) => {
                                self.bucket(pass, bucket, OwnedWide(cells, sign(pass.pass) as u64), list);
                            }
                        }
                    }
                }
            }
        })
    }

    /// Counts whole chunks into one grid per thread and adds the grids at the end.
    fn run_private(
        &self,
        grid: &mut Grid,
        passes: &[Pass],
        threads: usize,
        buffers: &Arc<BufferPool>,
        cancel: &Cancel,
    ) -> Result<(), Cancelled> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Grid>> = Mutex::new(Vec::new());
        let prepared = prepare(passes);
        // Neighbouring events often fall in one cell of a small grid; without replicas each addition waits for the
        // previous one.
        let replicas = if self.layout.cells() <= MAX_REPLICATED_CELLS {
            REPLICAS
        } else {
            1
        };
        let stride = self.layout.cells();
        pool::run_tasks(threads.min(passes.len()), cancel, |_| {
            let events = passes.iter().map(|pass| pass.chunk.events().len() as u64).sum();
            let mut own = Grid::zeros(stride * replicas, events, buffers);
            let cells = own.shared();
            let list = &mut [0; LIST_CELLS + LANES];
            while let Some(pass) = prepared.get(next.fetch_add(1, Ordering::Relaxed)) {
                if cancel.is_cancelled() {
                    return;
                }
                for bucket in 0..BUCKETS {
                    match cells {
                        SharedCells::Narrow(cells) if replicas > 1 => {
                            let replicated = ReplicatedCells {
                                to: OwnedNarrow(cells, sign(pass.pass) as u32),
                                stride,
                            };
                            self.bucket(pass, bucket, replicated, list);
                        }
                        SharedCells::Narrow(cells) => {
                            self.bucket(pass, bucket, OwnedNarrow(cells, sign(pass.pass) as u32), list);
                        }
                        SharedCells::Wide(cells) => {
                            self.bucket(pass, bucket, OwnedWide(cells, sign(pass.pass) as u64), list);
                        }
                    }
                }
            }
            done.lock().push(own);
        })?;
        for own in done.into_inner() {
            for copy in 0..replicas {
                grid.add_from(&own, copy * stride);
            }
        }
        Ok(())
    }

    /// Counts whole chunks of all threads into one grid by atomic additions: for many rows that share spectra of all
    /// buckets.
    fn run_contended(&self, grid: &mut Grid, passes: &[Pass], cancel: &Cancel) -> Result<(), Cancelled> {
        let cells = grid.shared();
        let prepared = prepare(passes);
        pool::run_tasks(prepared.len(), cancel, |index| {
            let pass = &prepared[index];
            let list = &mut [0; LIST_CELLS + LANES];
            for bucket in 0..BUCKETS {
                if cancel.is_cancelled() {
                    return;
                }
                match cells {
                    SharedCells::Narrow(cells) => {
                        self.bucket(pass, bucket, ContendedNarrow(cells, sign(pass.pass) as u32), list);
                    }
                    SharedCells::Wide(cells) => {
                        self.bucket(pass, bucket, ContendedWide(cells, sign(pass.pass) as u64), list);
                    }
                }
            }
        })
    }

    fn bucket<S: Sink>(&self, prepared: &PreparedPass<'_>, bucket: usize, sink: S, list: &mut CellList) {
        let chunk = &prepared.pass.chunk;
        let (events, ids) = (chunk.bucket(bucket), chunk.bucket_ids(bucket));
        let first = ids.start as usize;
        if events.is_empty() || self.table.is_empty(first..ids.end as usize) {
            return;
        }
        let Some(pulse_ranges) = &prepared.pulse_ranges else {
            let pulses = unless_full(&prepared.pass.pulses);
            return self.events(events, pulses, first..ids.end as usize, sink, list);
        };
        pulse_ranges.each(events, |events| {
            self.events(events, None, first..ids.end as usize, sink, list);
        });
    }

    /// First cell of the row of all these dense ids; `None` unless they have the same row.
    fn only_cell(&self, ids: &Range<usize>) -> Option<u32> {
        let until = *self.same_until.get(ids.start)? as usize;
        let one_row = until >= ids.end.min(self.first_cells.len());
        self.first_cells
            .get(ids.start)
            .copied()
            .filter(|cell| one_row && *cell != UNMAPPED)
    }

    /// First cells of the rows of these dense ids.
    fn rows(&self, ids: &Range<usize>) -> RowCells<'_> {
        RowCells {
            first_cells: self.first_cells.get(ids.start..).unwrap_or_default(),
            only: self.only_cell(ids),
        }
    }

    /// Counts the selected events of a bucket, whose dense ids are `ids`.
    fn events<S: Sink>(
        &self,
        events: &[Event],
        pulses: Option<&Bitmap>,
        ids: Range<usize>,
        sink: S,
        list: &mut CellList,
    ) {
        let first = ids.start;
        if let Some(vector) = &self.vector {
            let rows = self.rows(&ids);
            for from in (0..events.len()).step_by(LIST_CELLS) {
                let events = events.get(from..).unwrap_or_default();
                let count = vector.list(events, first, pulses, rows, list);
                sink.add_all(list.get(..count).unwrap_or_default());
            }
            return;
        }
        let first_cells = self.first_cells.get(first..).unwrap_or_default();
        if self.transform.is_identity() {
            match self.binning {
                Binning::Common(edges) => {
                    if let Some(edges) = edges.nanoseconds() {
                        return scatter_nanoseconds(events, pulses, first_cells, edges, sink);
                    }
                }
                Binning::Whole => return scatter_whole(events, pulses, first_cells, sink),
                Binning::PerRow(_) => {}
            }
        }
        let mut counter = self.counter(sink);
        feed_bucket(events, first, pulses, self.table, self.transform, &mut counter);
    }

    fn counter<S: Sink>(&self, sink: S) -> BlockCounter<'_, S> {
        BlockCounter {
            binning: self.binning,
            rows: &self.table.rows,
            first_cells: &self.first_cells,
            sink,
        }
    }
}

fn sign(pass: &Pass) -> i64 {
    if pass.subtract { -1 } else { 1 }
}

/// Bin of a value in the row of a dense id.
#[inline(always)]
pub(super) fn bin_of(binning: &Binning, rows: &[u32], id: usize, x: f64) -> Option<usize> {
    match binning {
        Binning::Common(edges) => edges.find(x),
        Binning::Whole => Some(0),
        Binning::PerRow(all) => all.get(*rows.get(id)? as usize)?.find(x),
    }
}

/// Consumer that counts converted events.
struct BlockCounter<'a, S> {
    binning: &'a Binning,
    rows: &'a [u32],
    first_cells: &'a [u32],
    sink: S,
}

impl<S: Sink> BlockConsumer for BlockCounter<'_, S> {
    fn consume(&mut self, block: &EventBlock) {
        if let Binning::Common(edges) = self.binning {
            for (id, x) in block.ids[..block.len].iter().zip(&block.x[..block.len]) {
                if let (Some(bin), Some(first)) = (edges.find(*x), self.first_cells.get(*id as usize)) {
                    self.sink.add(*first as usize + bin);
                }
            }
            return;
        }
        for (id, x) in block.ids[..block.len].iter().zip(&block.x[..block.len]) {
            let id = *id as usize;
            if let (Some(bin), Some(first)) = (bin_of(self.binning, self.rows, id, *x), self.first_cells.get(id)) {
                self.sink.add(*first as usize + bin);
            }
        }
    }
}

/// Counts times of flight (ns) into common bins with integer comparisons.
fn scatter_nanoseconds<S: Sink>(
    events: &[Event],
    pulses: Option<&Bitmap>,
    first_cells: &[u32],
    edges: &NanosecondEdges,
    sink: S,
) {
    let Some((slope, intercept, limits)) = edges.arithmetic() else {
        return visit(events, pulses, first_cells, |first, ns| {
            if let Some(bin) = edges.find(ns) {
                sink.add(first + bin);
            }
        });
    };
    let last = limits.len() - 1;
    let (low, span) = (limits[0], limits[last] - limits[0]);
    visit(events, pulses, first_cells, |first, ns| {
        if ns.wrapping_sub(low) < span {
            let guess = ((f64::from(ns) * slope + intercept) as i32).clamp(0, last as i32 - 1) as usize;
            let bin = guess + usize::from(ns >= limits[guess + 1]) - usize::from(ns < limits[guess]);
            sink.add(first + bin);
        }
    });
}

fn scatter_whole<S: Sink>(events: &[Event], pulses: Option<&Bitmap>, first_cells: &[u32], sink: S) {
    visit(events, pulses, first_cells, |first, _| sink.add(first));
}

/// Calls `act(first cell of the row, time of flight in ns)` for every selected event with a row.
#[inline(always)]
fn visit(events: &[Event], pulses: Option<&Bitmap>, first_cells: &[u32], mut act: impl FnMut(usize, u32)) {
    let mut one = |event: &Event| match first_cells.get(usize::from(event.low_id())) {
        Some(&first) if first != UNMAPPED => act(first as usize, event.time_of_flight()),
        _ => {}
    };
    let Some(pulses) = pulses else {
        return events.iter().for_each(one);
    };
    let words = pulses.words();
    for event in events {
        let pulse = usize::from(event.pulse());
        if words
            .get(pulse / 64)
            .is_some_and(|word| (word >> (pulse % 64)) & 1 == 1)
        {
            one(event);
        }
    }
}

#[cfg(test)]
mod tests;
