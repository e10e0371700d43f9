//! First guess of a bin by arithmetic, corrected by comparing with one or two edges.

use std::sync::Arc;

/// Method of guessing the bin of a value.
#[derive(Debug, Clone)]
pub(super) enum Guess {
    /// `x·slope + intercept`, verified to be at most one bin off everywhere.
    Uniform { slope: f64, intercept: f64 },
    /// Cells of equal width in `x·slope + intercept`; `below[c]` edges lie in cells before `c`.
    Linear {
        slope: f64,
        intercept: f64,
        below: Arc<[u32]>,
    },
    /// Cells of equal width in the upper bits of the number (all edges positive), which are nearly equal steps of log
    /// x.
    Bits { shift: u32, first: u64, below: Arc<[u32]> },
}

impl Guess {
    /// Bin of an `x` within the edges.
    #[inline]
    pub(super) fn find(&self, edges: &[f64], x: f64) -> usize {
        let last = edges.len() - 1;
        match self {
            Self::Uniform { slope, intercept } => {
                let guess = ((x * slope + intercept) as usize).min(last - 1);
                guess + usize::from(x >= edges[guess + 1]) - usize::from(x < edges[guess])
            }
            Self::Linear {
                slope,
                intercept,
                below,
            } => {
                let cell = ((x * slope + intercept) as usize).min(below.len() - 2);
                within_cell(edges, below, cell, x)
            }
            Self::Bits { shift, first, below } => {
                let cell = ((x.to_bits() >> shift).saturating_sub(*first) as usize).min(below.len() - 2);
                within_cell(edges, below, cell, x)
            }
        }
    }
}

/// Bin of `x` among the edges of its cell: between `below[cell]` and `below[cell + 1]` edges are at or under `x`. Cells
/// of more than eight edges are searched by halves.
#[inline]
fn within_cell(edges: &[f64], below: &[u32], cell: usize, x: f64) -> usize {
    let low = below[cell] as usize;
    let high = below[cell + 1] as usize;
    let mut at_or_under = low;
    if high - low > 8 {
        at_or_under += edges[low..high].partition_point(|edge| *edge <= x);
    } else {
        while at_or_under < high && edges[at_or_under] <= x {
            at_or_under += 1;
        }
    }
    at_or_under - 1
}

pub(super) fn guess_for(edges: &[f64]) -> Guess {
    let bins = edges.len() - 1;
    let (first, last) = (edges[0], edges[bins]);
    let slope = bins as f64 / (last - first);
    let intercept = -first * slope;
    if slope.is_finite() && intercept.is_finite() && slope > 0.0 {
        let guess = |x: f64| ((x * slope + intercept) as usize).min(bins - 1);
        // The guess grows with x: its values at both ends of a bin bound it within the bin.
        let close = (0..bins).all(|bin| guess(edges[bin]) + 1 >= bin && guess(edges[bin + 1].next_down()) <= bin + 1);
        if close {
            return Guess::Uniform { slope, intercept };
        }
    }
    if first > 0.0 {
        return guess_by_bits(edges);
    }
    // Twice as many cells as bins; one cell, with a binary search, if the span overflows.
    let cells = if slope.is_finite() && intercept.is_finite() && slope > 0.0 {
        (2 * bins).min(1 << 22)
    } else {
        1
    };
    let slope = if cells == 1 { 0.0 } else { cells as f64 / (last - first) };
    let intercept = if cells == 1 { 0.0 } else { -first * slope };
    let (slope, intercept) = if slope.is_finite() && intercept.is_finite() {
        (slope, intercept)
    } else {
        (0.0, 0.0)
    };
    let cell = |x: f64| ((x * slope + intercept) as usize).min(cells - 1);
    Guess::Linear {
        slope,
        intercept,
        below: edges_below(edges, cells, cell),
    }
}

fn guess_by_bits(edges: &[f64]) -> Guess {
    let bins = edges.len() - 1;
    let (low, high) = (edges[0].to_bits(), edges[bins].to_bits());
    // The finest cells of at most about four per bin. Positive doubles are ordered like their bits.
    let limit = (4 * bins as u64).clamp(1024, 1 << 22);
    let mut shift = 0;
    while ((high >> shift) - (low >> shift)) >= limit {
        shift += 1;
    }
    let first = low >> shift;
    let cells = ((high >> shift) - first) as usize + 1;
    let cell = |x: f64| (((x.to_bits() >> shift) - first) as usize).min(cells - 1);
    Guess::Bits {
        shift,
        first,
        below: edges_below(edges, cells, cell),
    }
}

/// Number of edges in the cells before each cell; the last entry counts all edges.
fn edges_below(edges: &[f64], cells: usize, cell: impl Fn(f64) -> usize) -> Arc<[u32]> {
    let mut below = vec![0_u32; cells + 1];
    for edge in edges {
        below[cell(*edge) + 1] += 1;
    }
    for index in 1..below.len() {
        below[index] += below[index - 1];
    }
    below.into()
}
