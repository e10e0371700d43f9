//! Histograms as counts: whole numbers and their weights, converted to `f64` row by row on request.
//!
//! Promises: counts are immutable, also when the memo that they came from changes. They are not stored as `f64`. A row
//! is the same bit for bit each time. Errors are squared, except the standard deviations of [`Counts::row_error`] and
//! [`Counts::fill_error`].

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cancel::{Cancel, Cancelled};
use crate::edges::{Binning, Edges};
use crate::kernel::grid::{Grid, Layout};
use crate::kernel::weigh::Sums;
use crate::pool;

/// Contribution of one count of a row to the value and to the squared error.
#[derive(Debug, Clone)]
pub(crate) enum RowWeights {
    Uniform(f64, f64),
    PerRow(Arc<[(f64, f64)]>),
}

impl RowWeights {
    fn at(&self, row: usize) -> (f64, f64) {
        match self {
            Self::Uniform(value, error) => (*value, *error),
            Self::PerRow(weights) => weights.get(row).copied().unwrap_or((0.0, 0.0)),
        }
    }
}

/// Summand of a histogram.
#[derive(Debug, Clone)]
pub(crate) enum CountLayer {
    /// Counts of all cells.
    Grid(Arc<Grid>, RowWeights),
    /// `(cell, count)` of the cells that are not zero, sorted by cell.
    List(Arc<[(u32, u32)]>, RowWeights),
    /// Sums of weights and of squared errors of all cells.
    Sums(Arc<Sums>),
}

/// Histogram of all rows as a sum of layers of counts; clones share them.
#[derive(Debug, Clone)]
pub struct Counts {
    layout: Layout,
    binning: Binning,
    layers: Vec<CountLayer>,
    /// Factor of all values, applied on reading.
    factor: f64,
}

impl Counts {
    pub(crate) fn new(layout: Layout, binning: Binning, layers: Vec<CountLayer>) -> Self {
        Self {
            layout,
            binning,
            layers,
            factor: 1.0,
        }
    }

    /// Number of rows (workspace indices).
    #[must_use]
    pub fn rows(&self) -> usize {
        self.layout.rows()
    }

    /// Number of bins of a row; 0 for a row that does not exist.
    #[must_use]
    pub fn bins(&self, row: usize) -> usize {
        self.layout.range(row).len()
    }

    /// Number of bins of all rows together.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.layout.cells()
    }

    /// Bin edges of all rows.
    #[must_use]
    pub fn binning(&self) -> &Binning {
        &self.binning
    }

    /// Bin edges of a row; `None` for [`Binning::Whole`].
    #[must_use]
    pub fn edges(&self, row: usize) -> Option<&Edges> {
        self.binning.edges(row)
    }

    /// Histogram with all values times `value`, a number without error: errors are multiplied by its magnitude.
    /// O(layers).
    #[must_use]
    pub fn scaled(&self, value: f64) -> Self {
        Self {
            factor: self.factor * value,
            ..self.clone()
        }
    }

    /// Adds a row's values and squared errors to buffers, as far as row and buffer go.
    #[cfg(test)]
    pub(crate) fn add_row(&self, row: usize, y: &mut [f64], error_squared: &mut [f64]) {
        self.each_layer(row, &mut |bin, value, error| {
            if let (Some(y), Some(e)) = (y.get_mut(bin), error_squared.get_mut(bin)) {
                *y += value;
                *e += error;
            }
        });
    }

    /// Writes a row's values into a buffer of one element per bin.
    pub fn row_y(&self, row: usize, y: &mut [f64]) {
        self.write_row(row, y, |(value, _)| value, |sums| &sums.y);
        multiply(y, self.factor);
    }

    /// Writes a row's squared errors into a buffer of one element per bin.
    pub fn row_error_squared(&self, row: usize, error_squared: &mut [f64]) {
        self.write_row(row, error_squared, |(_, error)| error, |sums| &sums.error_squared);
        multiply(error_squared, self.factor * self.factor);
    }

    /// Writes a row's standard deviations into a buffer of one element per bin.
    pub fn row_error(&self, row: usize, error: &mut [f64]) {
        self.row_error_squared(row, error);
        error.iter_mut().for_each(|e| *e = e.sqrt());
    }

    fn write_row(
        &self,
        row: usize,
        out: &mut [f64],
        weight: impl Fn((f64, f64)) -> f64,
        sums_of: impl Fn(&Sums) -> &[f64],
    ) {
        out.fill(0.0);
        let range = self.layout.range(row);
        for layer in &self.layers {
            match layer {
                CountLayer::Grid(grid, weights) => grid.add_to(range.clone(), weight(weights.at(row)), out),
                CountLayer::List(list, weights) => {
                    let weight = weight(weights.at(row));
                    for (cell, count) in cells_in(list, &range) {
                        if let Some(to) = out.get_mut(*cell as usize - range.start) {
                            *to += f64::from(*count) * weight;
                        }
                    }
                }
                CountLayer::Sums(sums) => {
                    let from = sums_of(sums).get(range.clone()).unwrap_or_default();
                    out.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
        }
    }

    /// Visits the non-zero cells of a row, layer by layer; all cells if the row's factor is not finite.
    fn each_layer(&self, row: usize, visit: &mut impl FnMut(usize, f64, f64)) {
        let (range, factor) = (self.layout.range(row), self.factor);
        if !factor.is_finite() {
            let mut buffers = (vec![0.0; range.len()], vec![0.0; range.len()]);
            self.row_y(row, &mut buffers.0);
            self.row_error_squared(row, &mut buffers.1);
            buffers
                .0
                .iter()
                .zip(&buffers.1)
                .enumerate()
                .for_each(|(bin, (y, e))| visit(bin, *y, *e));
            return;
        }
        for layer in &self.layers {
            match layer {
                CountLayer::Grid(grid, weights) => {
                    let (value, error) = weights.at(row);
                    let (value, error) = (value * factor, error * factor * factor);
                    grid.each(range.clone(), |bin, count| visit(bin, count * value, count * error));
                }
                CountLayer::List(list, weights) => {
                    let (value, error) = weights.at(row);
                    let (value, error) = (value * factor, error * factor * factor);
                    for (cell, count) in cells_in(list, &range) {
                        let count = f64::from(*count);
                        visit(*cell as usize - range.start, count * value, count * error);
                    }
                }
                CountLayer::Sums(sums) => {
                    let y = sums.y.get(range.clone()).unwrap_or_default();
                    let e = sums.error_squared.get(range.clone()).unwrap_or_default();
                    for (bin, (y, e)) in y.iter().zip(e).enumerate() {
                        visit(bin, y * factor, e * factor * factor);
                    }
                }
            }
        }
    }

    /// Fills a buffer with the values of `rows` in row order, on the compute pool, as far as rows and buffer go.
    ///
    /// # Errors
    /// [`Cancelled`]; part of the buffer is then filled.
    pub fn fill_y(&self, rows: Range<usize>, out: &mut [f64], cancel: &Cancel) -> Result<(), Cancelled> {
        self.fill(rows, out, cancel, &|row, out| self.row_y(row, out))
    }

    /// Fills a buffer with the standard deviations of `rows`; otherwise as [`Counts::fill_y`].
    ///
    /// # Errors
    /// [`Cancelled`]; part of the buffer is then filled.
    pub fn fill_error(&self, rows: Range<usize>, out: &mut [f64], cancel: &Cancel) -> Result<(), Cancelled> {
        self.fill(rows, out, cancel, &|row, out| self.row_error(row, out))
    }

    fn fill(
        &self,
        rows: Range<usize>,
        out: &mut [f64],
        cancel: &Cancel,
        write: &(impl Fn(usize, &mut [f64]) + Sync),
    ) -> Result<(), Cancelled> {
        // Blocks of whole rows.
        let mut blocks = Vec::new();
        let mut rest = out;
        let mut row = rows.start;
        while row < rows.end.min(self.rows()) && !rest.is_empty() {
            let first = row;
            let mut length = 0;
            while row < rows.end.min(self.rows()) && (length == 0 || length < 1 << 16) {
                length += self.bins(row);
                row += 1;
            }
            let (block, after) = rest.split_at_mut(length.min(rest.len()));
            blocks.push((first..row, block));
            rest = after;
        }
        pool::install(|| {
            blocks.into_par_iter().try_for_each(|(rows, mut block)| {
                cancel.check()?;
                for row in rows {
                    let (this, after) = block.split_at_mut(self.bins(row).min(block.len()));
                    write(row, this);
                    block = after;
                }
                Ok(())
            })
        })
    }

    /// Sum over a row's bins: value and squared error.
    #[must_use]
    pub fn row_total(&self, row: usize) -> (f64, f64) {
        let mut total = (0.0, 0.0);
        self.each_layer(row, &mut |_, value, error| {
            total.0 += value;
            total.1 += error;
        });
        total
    }

    /// Sum over all bins of all rows: value and squared error.
    #[must_use]
    pub fn total(&self) -> (f64, f64) {
        (0..self.rows())
            .map(|row| self.row_total(row))
            .fold((0.0, 0.0), |(y, e), (dy, de)| (y + dy, e + de))
    }

    /// Number of events of each row, whatever their weights; `None` if a layer holds sums of weights.
    #[must_use]
    pub fn events(&self) -> Option<Vec<u64>> {
        let mut events = vec![0; self.rows()];
        for layer in &self.layers {
            for (row, events) in events.iter_mut().enumerate() {
                let range = self.layout.range(row);
                *events += match layer {
                    CountLayer::Grid(grid, _) => grid.sum(range),
                    CountLayer::List(list, _) => {
                        cells_in(list, &range).iter().map(|(_, count)| u64::from(*count)).sum()
                    }
                    CountLayer::Sums(_) => return None,
                };
            }
        }
        Some(events)
    }

    /// Bytes of all layers; a memo may share part of them.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| match layer {
                CountLayer::Grid(grid, _) => grid.memory(),
                CountLayer::List(list, _) => size_of_val(&**list),
                CountLayer::Sums(sums) => (sums.y.capacity() + sums.error_squared.capacity()) * 8,
            })
            .sum()
    }
}

fn multiply(values: &mut [f64], factor: f64) {
    if factor.to_bits() != 1.0_f64.to_bits() {
        values.iter_mut().for_each(|value| *value *= factor);
    }
}

/// Entries of a sorted list whose cells lie in a range.
fn cells_in<'a>(list: &'a [(u32, u32)], range: &Range<usize>) -> &'a [(u32, u32)] {
    let from = list.partition_point(|(cell, _)| (*cell as usize) < range.start);
    let to = list.partition_point(|(cell, _)| (*cell as usize) < range.end);
    list.get(from..to).unwrap_or_default()
}
