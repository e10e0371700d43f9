//! A histogram as it was counted: whole numbers and what each counts for, turned into doubles row by row when asked.
//!
//! Promises: it never changes, whatever happens to the memo it came from; no double is stored for what a count can
//! say; rows come out the same each time. Errors are given squared unless the name says otherwise.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::cancel::{Cancel, Cancelled};
use crate::edges::{Binning, Edges};
use crate::kernel::grid::{Grid, Layout};
use crate::kernel::weigh::Sums;
use crate::pool;

/// What one count of a row adds to the value and to the squared error.
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

#[derive(Debug, Clone)]
pub(crate) enum Layer {
    /// Counts of every cell.
    Grid(Arc<Grid>, RowWeights),
    /// Counts of some cells, sorted by cell.
    List(Arc<[(u32, u32)]>, RowWeights),
    /// Sums of weights: value and squared error of each cell.
    Sums(Arc<Sums>),
}

/// Counts of all rows and bins; cloning shares them.
#[derive(Debug, Clone)]
pub struct Counts {
    layout: Layout,
    binning: Binning,
    layers: Vec<Layer>,
    /// What every row's values are multiplied by on top.
    factors: Factors,
}

#[derive(Debug, Clone)]
enum Factors {
    One,
    Uniform(f64),
    PerRow(Arc<[f64]>),
}

impl Counts {
    pub(crate) fn new(layout: Layout, binning: Binning, layers: Vec<Layer>) -> Self {
        Self {
            layout,
            binning,
            layers,
            factors: Factors::One,
        }
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.layout.rows()
    }

    /// How many bins a row has.
    #[must_use]
    pub fn bins(&self, row: usize) -> usize {
        self.layout.range(row).len()
    }

    /// How many bins all rows have together.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.layout.cells()
    }

    /// The edges of all rows.
    #[must_use]
    pub fn binning(&self) -> &Binning {
        &self.binning
    }

    /// The edges of a row, where it has any.
    #[must_use]
    pub fn edges(&self, row: usize) -> Option<&Edges> {
        self.binning.edges(row)
    }

    fn factor(&self, row: usize) -> f64 {
        match &self.factors {
            Factors::One => 1.0,
            Factors::Uniform(value) => *value,
            Factors::PerRow(values) => values.get(row).copied().unwrap_or(0.0),
        }
    }

    /// The same with every value times `value` (an exact number: errors are multiplied by its magnitude).
    #[must_use]
    pub fn scaled(&self, value: f64) -> Self {
        let factors = match &self.factors {
            Factors::One => Factors::Uniform(value),
            Factors::Uniform(before) => Factors::Uniform(before * value),
            Factors::PerRow(values) => Factors::PerRow(values.iter().map(|before| before * value).collect()),
        };
        Self {
            factors,
            ..self.clone()
        }
    }

    /// The same with the values of row `i` times `values[i]`; rows beyond the end of `values` become zero.
    #[must_use]
    pub fn scaled_rows(&self, values: &[f64]) -> Self {
        let factors = (0..self.rows())
            .map(|row| self.factor(row) * values.get(row).copied().unwrap_or(0.0))
            .collect();
        Self {
            factors: Factors::PerRow(factors),
            ..self.clone()
        }
    }

    /// Adds a row's values and squared errors to buffers as long as it has bins; longer buffers keep their ends.
    pub fn add_row(&self, row: usize, y: &mut [f64], error_squared: &mut [f64]) {
        self.each_layer(row, &mut |bin, value, error| {
            if let (Some(y), Some(e)) = (y.get_mut(bin), error_squared.get_mut(bin)) {
                *y += value;
                *e += error;
            }
        });
    }

    /// Writes a row's values into a buffer as long as it has bins.
    pub fn row_y(&self, row: usize, y: &mut [f64]) {
        self.write_row(row, y, |(value, _)| value, |sums| &sums.y);
        multiply(y, self.factor(row));
    }

    /// Writes a row's squared errors into a buffer as long as it has bins.
    pub fn row_error_squared(&self, row: usize, error_squared: &mut [f64]) {
        self.write_row(row, error_squared, |(_, error)| error, |sums| &sums.error_squared);
        multiply(error_squared, self.factor(row) * self.factor(row));
    }

    /// Writes a row's errors into a buffer as long as it has bins.
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
                Layer::Grid(grid, weights) => grid.add_to(range.clone(), weight(weights.at(row)), out),
                Layer::List(list, weights) => {
                    let weight = weight(weights.at(row));
                    for (cell, count) in part_of(list, &range) {
                        if let Some(to) = out.get_mut(*cell as usize - range.start) {
                            *to += f64::from(*count) * weight;
                        }
                    }
                }
                Layer::Sums(sums) => {
                    let from = sums_of(sums).get(range.clone()).unwrap_or_default();
                    out.iter_mut().zip(from).for_each(|(to, from)| *to += from);
                }
            }
        }
    }

    /// Visits what is not zero, layer by layer; everything where the row's factor makes zero something else.
    fn each_layer(&self, row: usize, visit: &mut impl FnMut(usize, f64, f64)) {
        let (range, factor) = (self.layout.range(row), self.factor(row));
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
                Layer::Grid(grid, weights) => {
                    let (value, error) = weights.at(row);
                    let (value, error) = (value * factor, error * factor * factor);
                    grid.each(range.clone(), |bin, count| visit(bin, count * value, count * error));
                }
                Layer::List(list, weights) => {
                    let (value, error) = weights.at(row);
                    let (value, error) = (value * factor, error * factor * factor);
                    for (cell, count) in part_of(list, &range) {
                        let count = f64::from(*count);
                        visit(*cell as usize - range.start, count * value, count * error);
                    }
                }
                Layer::Sums(sums) => {
                    let y = sums.y.get(range.clone()).unwrap_or_default();
                    let e = sums.error_squared.get(range.clone()).unwrap_or_default();
                    for (bin, (y, e)) in y.iter().zip(e).enumerate() {
                        visit(bin, y * factor, e * factor * factor);
                    }
                }
            }
        }
    }

    /// Fills a buffer with the values of rows `rows`, one after the other, on the compute pool. A buffer that is
    /// too short or too long is filled as far as both go.
    ///
    /// # Errors
    /// When cancelled; part of the buffer is then filled.
    pub fn fill_y(&self, rows: Range<usize>, out: &mut [f64], cancel: &Cancel) -> Result<(), Cancelled> {
        self.fill(rows, out, cancel, &|row, out| self.row_y(row, out))
    }

    /// Fills a buffer with the errors (not squared) of rows `rows`; otherwise as [`Counts::fill_y`].
    ///
    /// # Errors
    /// When cancelled; part of the buffer is then filled.
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
        // Blocks of rows, cut where rows end.
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

    /// The value and the squared error of a row's bins together.
    #[must_use]
    pub fn row_total(&self, row: usize) -> (f64, f64) {
        let mut total = (0.0, 0.0);
        self.each_layer(row, &mut |_, value, error| {
            total.0 += value;
            total.1 += error;
        });
        total
    }

    /// The value and the squared error of all rows' bins together.
    #[must_use]
    pub fn total(&self) -> (f64, f64) {
        (0..self.rows())
            .map(|row| self.row_total(row))
            .fold((0.0, 0.0), |(y, e), (dy, de)| (y + dy, e + de))
    }

    /// The sum of the given rows, bin by bin: values and squared errors. Only for rows with as many bins as the
    /// first; others are added as far as both go.
    ///
    /// # Errors
    /// When cancelled.
    pub fn sum_rows(&self, rows: &[usize], cancel: &Cancel) -> Result<(Vec<f64>, Vec<f64>), Cancelled> {
        let bins = rows.first().map_or(0, |row| self.bins(*row));
        let zeros = || (vec![0.0; bins], vec![0.0; bins]);
        // Blocks of a fixed number of rows, added in order, so that the rounding is the same each time.
        let blocks: Vec<(Vec<f64>, Vec<f64>)> = pool::install(|| {
            rows.par_chunks(1024)
                .map(|rows| {
                    cancel.check()?;
                    let mut sum = zeros();
                    rows.iter().for_each(|row| self.add_row(*row, &mut sum.0, &mut sum.1));
                    Ok(sum)
                })
                .collect::<Result<_, Cancelled>>()
        })?;
        let mut sum = zeros();
        for (y, e) in blocks {
            sum.0.iter_mut().zip(y).for_each(|(to, from)| *to += from);
            sum.1.iter_mut().zip(e).for_each(|(to, from)| *to += from);
        }
        Ok(sum)
    }

    /// How many events each row's bins counted, whatever they weigh; `None` where weights were summed instead.
    #[must_use]
    pub fn events(&self) -> Option<Vec<u64>> {
        let mut events = vec![0; self.rows()];
        for layer in &self.layers {
            for (row, events) in events.iter_mut().enumerate() {
                let range = self.layout.range(row);
                *events += match layer {
                    Layer::Grid(grid, _) => grid.sum(range),
                    Layer::List(list, _) => part_of(list, &range).iter().map(|(_, count)| u64::from(*count)).sum(),
                    Layer::Sums(_) => return None,
                };
            }
        }
        Some(events)
    }

    /// The memory that these counts hold, in bytes; part of it may be shared with a memo.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.layers
            .iter()
            .map(|layer| match layer {
                Layer::Grid(grid, _) => grid.memory(),
                Layer::List(list, _) => size_of_val(&**list),
                Layer::Sums(sums) => (sums.y.capacity() + sums.error_squared.capacity()) * 8,
            })
            .sum()
    }
}

fn multiply(values: &mut [f64], factor: f64) {
    if factor.to_bits() != 1.0_f64.to_bits() {
        values.iter_mut().for_each(|value| *value *= factor);
    }
}

/// The entries of a list whose cells lie in a range.
fn part_of<'a>(list: &'a [(u32, u32)], range: &Range<usize>) -> &'a [(u32, u32)] {
    let from = list.partition_point(|(cell, _)| (*cell as usize) < range.start);
    let to = list.partition_point(|(cell, _)| (*cell as usize) < range.end);
    list.get(from..to).unwrap_or_default()
}
