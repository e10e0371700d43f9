//! Binning: passes over chunks into a grid of counts.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{BUCKETS, Event};
use crate::edges::{Binning, NanosecondEdges};
use crate::kernel::Pass;
use crate::kernel::block::{Block, Consumer, feed_bucket, some};
use crate::kernel::grid::{Grid, Layout, Shared, Spares};
use crate::kernel::prefetch::ask_first;
use crate::kernel::sink::{COPIES, ContendedNarrow, ContendedWide, Copied, OwnedNarrow, OwnedWide, Sink};
use crate::kernel::stretch::Stretches;
use crate::kernel::table::IdTable;
use crate::kernel::tasks::{Tasks, buckets_of};
use crate::kernel::vector::{LANES, LIST, List, Rows, Vector};
use crate::plan::NONE;
use crate::pool;
use crate::selection::Bitmap;
use crate::transform::Transform;

/// Private copies of a grid are made only up to this many cells in all.
const PRIVATE_CELLS: usize = 1 << 23;
/// Up to so many cells are counted in several copies, which together stay in the second-level cache.
const COPIED_CELLS: usize = 1 << 14;

/// How events of one term are binned.
pub(crate) struct Binner<'a> {
    pub(super) table: &'a IdTable,
    pub(super) transform: &'a Transform,
    pub(super) binning: &'a Binning,
    pub(super) layout: &'a Layout,
    /// The first cell of each dense id's row, [`NONE`] for ids that go nowhere.
    pub(super) first_cells: Vec<u32>,
    /// For each dense id, the next one whose row is another.
    same_until: Vec<u32>,
    /// Several events at a time, where that can be.
    vector: Option<Vector<'a>>,
}

/// A pass, with the stretches of its pulses where they are few.
struct Prepared<'a> {
    pass: &'a Pass,
    stretches: Option<Stretches>,
}

impl Prepared<'_> {
    /// Asks memory for what will be looked at of a bucket.
    fn expect(&self, bucket: usize) {
        let events = self.pass.chunk.bucket(bucket);
        match &self.stretches {
            Some(stretches) => stretches.expect(events),
            None => ask_first(events),
        }
    }
}

fn prepare(passes: &[Pass]) -> Vec<Prepared<'_>> {
    let prepared = |pass| Prepared {
        pass,
        stretches: Stretches::of(pass),
    };
    passes.iter().map(prepared).collect()
}

impl<'a> Binner<'a> {
    pub(crate) fn new(table: &'a IdTable, transform: &'a Transform, binning: &'a Binning, layout: &'a Layout) -> Self {
        let first_cells: Vec<u32> = table
            .rows
            .iter()
            .map(|row| {
                if *row == NONE {
                    NONE
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
            vector: Vector::new(table, transform, binning),
        }
    }

    /// The same, event by event: what the other way must agree with.
    #[cfg(test)]
    pub(crate) fn plain(mut self) -> Self {
        self.vector = None;
        self
    }

    /// Adds (or takes away) what the passes select.
    ///
    /// # Errors
    /// [`Cancelled`]: the grid then holds part of the passes.
    pub(crate) fn run(
        &self,
        grid: &mut Grid,
        passes: &[Pass],
        spares: &Arc<Spares>,
        cancel: &Cancel,
    ) -> Result<(), Cancelled> {
        let tasks = Tasks::new(passes, self.table);
        let threads = pool::threads();
        if tasks.is_lopsided(threads) {
            if self.layout.cells().saturating_mul(threads) <= PRIVATE_CELLS {
                return self.run_private(grid, passes, threads, spares, cancel);
            }
            return self.run_contended(grid, passes, cancel);
        }
        let cells = grid.shared();
        let prepared = prepare(passes);
        pool::run_tasks(tasks.groups.len(), cancel, |index| {
            let list = &mut [0; LIST + LANES];
            for bucket in &tasks.groups[index] {
                for (at, pass) in prepared.iter().enumerate() {
                    if cancel.is_cancelled() {
                        return;
                    }
                    if let Some(next) = prepared.get(at + 1) {
                        next.expect(buckets_of(&next.pass.chunk, *bucket, tasks.shift).start);
                    }
                    for bucket in buckets_of(&pass.pass.chunk, *bucket, tasks.shift) {
                        match cells {
                            Shared::Narrow(cells) => {
                                self.bucket(pass, bucket, OwnedNarrow(cells, sign(pass.pass) as u32), list);
                            }
                            Shared::Wide(cells) => {
                                self.bucket(pass, bucket, OwnedWide(cells, sign(pass.pass) as u64), list);
                            }
                        }
                    }
                }
            }
        })
    }

    /// Each thread counts whole chunks into a grid of its own; they are added up at the end.
    fn run_private(
        &self,
        grid: &mut Grid,
        passes: &[Pass],
        threads: usize,
        spares: &Arc<Spares>,
        cancel: &Cancel,
    ) -> Result<(), Cancelled> {
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<Grid>> = Mutex::new(Vec::new());
        let prepared = prepare(passes);
        // Where neighbouring events often meet in a cell, each addition would wait for the one before.
        let copies = if self.layout.cells() <= COPIED_CELLS { COPIES } else { 1 };
        let stride = self.layout.cells();
        pool::run_tasks(threads.min(passes.len()), cancel, |_| {
            let events = passes.iter().map(|pass| pass.chunk.events().len() as u64).sum();
            let mut own = Grid::zeros(stride * copies, events, spares);
            let cells = own.shared();
            let list = &mut [0; LIST + LANES];
            while let Some(pass) = prepared.get(next.fetch_add(1, Ordering::Relaxed)) {
                if cancel.is_cancelled() {
                    return;
                }
                for bucket in 0..BUCKETS {
                    match cells {
                        Shared::Narrow(cells) if copies > 1 => {
                            let copied = Copied {
                                to: OwnedNarrow(cells, sign(pass.pass) as u32),
                                stride,
                            };
                            self.bucket(pass, bucket, copied, list);
                        }
                        Shared::Narrow(cells) => {
                            self.bucket(pass, bucket, OwnedNarrow(cells, sign(pass.pass) as u32), list);
                        }
                        Shared::Wide(cells) => {
                            self.bucket(pass, bucket, OwnedWide(cells, sign(pass.pass) as u64), list);
                        }
                    }
                }
            }
            done.lock().push(own);
        })?;
        for own in done.into_inner() {
            for copy in 0..copies {
                grid.add_from(&own, copy * stride);
            }
        }
        Ok(())
    }

    /// All threads count whole chunks into one grid by additions that cannot come between each other: for many rows
    /// that take spectra from everywhere.
    fn run_contended(&self, grid: &mut Grid, passes: &[Pass], cancel: &Cancel) -> Result<(), Cancelled> {
        let cells = grid.shared();
        let prepared = prepare(passes);
        pool::run_tasks(prepared.len(), cancel, |index| {
            let pass = &prepared[index];
            let list = &mut [0; LIST + LANES];
            for bucket in 0..BUCKETS {
                if cancel.is_cancelled() {
                    return;
                }
                match cells {
                    Shared::Narrow(cells) => {
                        self.bucket(pass, bucket, ContendedNarrow(cells, sign(pass.pass) as u32), list);
                    }
                    Shared::Wide(cells) => {
                        self.bucket(pass, bucket, ContendedWide(cells, sign(pass.pass) as u64), list);
                    }
                }
            }
        })
    }

    fn bucket<S: Sink>(&self, prepared: &Prepared<'_>, bucket: usize, sink: S, list: &mut List) {
        let chunk = &prepared.pass.chunk;
        let (events, ids) = (chunk.bucket(bucket), chunk.bucket_ids(bucket));
        let first = ids.start as usize;
        if events.is_empty() || self.table.is_empty(first..ids.end as usize) {
            return;
        }
        let Some(stretches) = &prepared.stretches else {
            let pulses = some(&prepared.pass.pulses);
            return self.events(events, pulses, first..ids.end as usize, sink, list);
        };
        stretches.each(events, |events| {
            self.events(events, None, first..ids.end as usize, sink, list);
        });
    }

    /// The cell from which all of these dense ids are counted, where they have one row.
    fn only_cell(&self, ids: &Range<usize>) -> Option<u32> {
        let until = *self.same_until.get(ids.start)? as usize;
        let one_row = until >= ids.end.min(self.first_cells.len());
        self.first_cells
            .get(ids.start)
            .copied()
            .filter(|cell| one_row && *cell != NONE)
    }

    /// Where the rows of these dense ids begin.
    fn rows(&self, ids: &Range<usize>) -> Rows<'_> {
        Rows {
            first_cells: self.first_cells.get(ids.start..).unwrap_or_default(),
            only: self.only_cell(ids),
        }
    }

    /// Counts the selected events of a bucket with these dense ids.
    fn events<S: Sink>(&self, events: &[Event], pulses: Option<&Bitmap>, ids: Range<usize>, sink: S, list: &mut List) {
        let first = ids.start;
        if let Some(vector) = &self.vector {
            let rows = self.rows(&ids);
            for from in (0..events.len()).step_by(LIST) {
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

    fn counter<S: Sink>(&self, sink: S) -> Counter<'_, S> {
        Counter {
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

/// The bin of a value in a row.
#[inline(always)]
pub(super) fn bin_of(binning: &Binning, rows: &[u32], id: usize, x: f64) -> Option<usize> {
    match binning {
        Binning::Common(edges) => edges.find(x),
        Binning::Whole => Some(0),
        Binning::PerRow(all) => all.get(*rows.get(id)? as usize)?.find(x),
    }
}

/// Counts blocks of converted events.
struct Counter<'a, S> {
    binning: &'a Binning,
    rows: &'a [u32],
    first_cells: &'a [u32],
    sink: S,
}

impl<S: Sink> Consumer for Counter<'_, S> {
    fn take(&mut self, block: &Block) {
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

/// Times of flight as they are, into common bins: integers all the way.
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

/// Calls `act(first cell of its row, time of flight)` for every selected event that has a row.
#[inline(always)]
fn visit(events: &[Event], pulses: Option<&Bitmap>, first_cells: &[u32], mut act: impl FnMut(usize, u32)) {
    let mut one = |event: &Event| match first_cells.get(usize::from(event.low_id())) {
        Some(&first) if first != NONE => act(first as usize, event.time_of_flight()),
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
