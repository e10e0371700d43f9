//! Binning of weights: sums of weights and of squared errors, for rows of different weights and for columns.
//!
//! Promises: the order of additions does not depend on scheduling, so that results are equal bit for bit each time.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::cancel::{Cancel, Cancelled};
use crate::columns::Columns;
use crate::edges::Binning;
use crate::kernel::block::{BlockConsumer, EventBlock, feed_bucket, feed_tail, unless_full};
use crate::kernel::grid::Layout;
use crate::kernel::table::IdTable;
use crate::kernel::tasks::{Tasks, buckets_of};
use crate::kernel::{Pass, TailPass};
use crate::plan::{Term, UNMAPPED, Weights};
use crate::pool;
use crate::transform::Transform;

/// Sums of weights and of squared errors by cell.
#[derive(Debug)]
pub(crate) struct Sums {
    pub(crate) y: Vec<f64>,
    pub(crate) error_squared: Vec<f64>,
}

/// Sums in progress as bits of `f64`; one thread at a time writes a cell.
struct WeightCells {
    y: Vec<AtomicU64>,
    error_squared: Vec<AtomicU64>,
}

impl WeightCells {
    fn zeros(cells: usize) -> Self {
        let zeros = || (0..cells).map(|_| AtomicU64::new(0)).collect();
        Self {
            y: zeros(),
            error_squared: zeros(),
        }
    }

    #[inline(always)]
    fn add(&self, cell: usize, (weight, error): (f64, f64)) {
        let plus = |cell: Option<&AtomicU64>, value: f64| {
            if let Some(cell) = cell {
                let sum = f64::from_bits(cell.load(Ordering::Relaxed)) + value;
                cell.store(sum.to_bits(), Ordering::Relaxed);
            }
        };
        plus(self.y.get(cell), weight);
        plus(self.error_squared.get(cell), error);
    }

    fn finish(self) -> Sums {
        let numbers = |cells: Vec<AtomicU64>| {
            cells
                .into_iter()
                .map(|cell| f64::from_bits(cell.into_inner()))
                .collect()
        };
        Sums {
            y: numbers(self.y),
            error_squared: numbers(self.error_squared),
        }
    }
}

/// Sums of a view of the stream with weights by slot.
pub(crate) fn weigh_stream(
    (table, transform, weights): (&IdTable, &Transform, &Weights),
    (binning, layout): (&Binning, &Layout),
    (passes, tails): (&[Pass], &[TailPass]),
    cancel: &Cancel,
) -> Result<Sums, Cancelled> {
    let cells = WeightCells::zeros(layout.cells());
    let weights: Vec<(f64, f64)> = table
        .slots
        .iter()
        .map(|slot| weights.at(*slot as usize).apply(1.0, 1.0))
        .collect();
    let weigher = || Weigher {
        table,
        binning,
        layout,
        weights: &weights,
        cells: &cells,
    };
    let tasks = Tasks::new(passes, table);
    pool::run_tasks(tasks.groups.len(), cancel, |index| {
        for bucket in &tasks.groups[index] {
            for pass in passes {
                if cancel.is_cancelled() {
                    return;
                }
                for bucket in buckets_of(&pass.chunk, *bucket, tasks.shift) {
                    let first = pass.chunk.bucket_ids(bucket).start as usize;
                    let events = pass.chunk.bucket(bucket);
                    feed_bucket(
                        events,
                        first,
                        unless_full(&pass.pulses),
                        table,
                        transform,
                        &mut weigher(),
                    );
                }
            }
        }
    })?;
    for pass in tails {
        cancel.check()?;
        feed_tail(&pass.tail, &pass.pulses, table, transform, &mut weigher());
    }
    Ok(cells.finish())
}

/// Consumer that sums the weights of events by cell.
struct Weigher<'a> {
    table: &'a IdTable,
    binning: &'a Binning,
    layout: &'a Layout,
    weights: &'a [(f64, f64)],
    cells: &'a WeightCells,
}

impl BlockConsumer for Weigher<'_> {
    fn consume(&mut self, block: &EventBlock) {
        for (id, x) in block.ids[..block.len].iter().zip(&block.x[..block.len]) {
            let id = *id as usize;
            let row = self.table.row(id) as usize;
            if let (Some(bin), Some(weight)) = (find(self.binning, row, *x), self.weights.get(id)) {
                self.cells.add(self.layout.range(row).start + bin, *weight);
            }
        }
    }
}

/// Bin of a value in a row.
#[inline(always)]
pub(crate) fn find(binning: &Binning, row: usize, x: f64) -> Option<usize> {
    match binning {
        Binning::Whole => Some(0),
        edges => edges.edges(row)?.find(x),
    }
}

/// Sums of columns with the weights of their events and the factors of their slots.
pub(crate) fn weigh_columns(
    columns: &Columns,
    term: &Term,
    (binning, layout): (&Binning, &Layout),
    cancel: &Cancel,
) -> Result<Sums, Cancelled> {
    let cells = WeightCells::zeros(layout.cells());
    let mut by_row: Vec<(u32, u32)> = (0..columns.rows())
        .filter_map(|slot| term.rows().row(slot).map(|row| (row as u32, slot as u32)))
        .filter(|(row, _)| *row != UNMAPPED)
        .collect();
    by_row.sort_unstable();
    // A task is a range of whole rows with more than 50,000 events.
    let mut tasks: Vec<std::ops::Range<usize>> = Vec::new();
    let (mut start, mut events) = (0, 0);
    for (index, (row, slot)) in by_row.iter().enumerate() {
        events += columns.range(*slot as usize).len();
        let last_of_row = by_row.get(index + 1).is_none_or(|(next, _)| next != row);
        if last_of_row && (events > 50_000 || index + 1 == by_row.len()) {
            tasks.push(start..index + 1);
            (start, events) = (index + 1, 0);
        }
    }
    pool::run_tasks(tasks.len(), cancel, |task| {
        for (row, slot) in &by_row[tasks[task].clone()] {
            if cancel.is_cancelled() {
                return;
            }
            let (row, slot) = (*row as usize, *slot as usize);
            let (first, factor) = (layout.range(row).start, term.weights().at(slot));
            let range = columns.range(slot);
            for (index, x) in range.clone().zip(columns.x().get(range).unwrap_or_default()) {
                let value = term.transform().apply(slot, *x);
                if let Some(bin) = value.and_then(|x| find(binning, row, x)) {
                    let (weight, error) = columns.weight(index);
                    cells.add(first + bin, factor.apply(weight, error));
                }
            }
        }
    })?;
    Ok(cells.finish())
}
