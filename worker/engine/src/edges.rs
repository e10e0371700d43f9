//! Bin edges, and the bin that a value falls in.
//!
//! Promises: `edges[i] <= x < edges[i + 1]` decides the bin, the last edge is outside, and every way of finding the
//! bin (arithmetic for uniform edges, a table for all others) gives exactly what a binary search gives, whatever the
//! rounding of the arithmetic: a guess is only used where construction has shown it to be off by one at most.

use std::sync::Arc;

use thiserror::Error;

/// Why a list of numbers cannot serve as bin edges.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EdgesError {
    /// Fewer than two edges hold no bin.
    #[error("{count} bin edge(s) given: at least two are needed to hold a bin")]
    TooFew {
        /// How many there were.
        count: usize,
    },
    /// An edge that is not a finite number.
    #[error("bin edge {index} is {value}: edges must be finite numbers")]
    NotFinite {
        /// Its place in the list.
        index: usize,
        /// The edge.
        value: f64,
    },
    /// An edge that is not above the one before it.
    #[error("bin edge {index} ({value}) is not above the edge before it ({before}): edges must increase")]
    NotIncreasing {
        /// Its place in the list.
        index: usize,
        /// The edge.
        value: f64,
        /// The edge before it.
        before: f64,
    },
    /// More bins than a row of counts can have.
    #[error("{count} bin edges are more than the {limit} that one histogram may have")]
    TooMany {
        /// How many there were.
        count: usize,
        /// The most that is allowed.
        limit: usize,
    },
}

/// The most edges of one histogram: bin numbers are kept in 32 bits with room for arithmetic.
pub const MAX_EDGES: usize = 1 << 28;

/// How the bin of a value is guessed before it is corrected.
#[derive(Debug, Clone)]
enum Guess {
    /// `x·slope + intercept`, shown to be at most one bin off everywhere.
    Uniform { slope: f64, intercept: f64 },
    /// Cells of equal width in `x·slope + intercept`; `below[c]` edges lie in cells before `c`.
    Linear {
        slope: f64,
        intercept: f64,
        below: Arc<[u32]>,
    },
    /// Cells of equal width in the upper bits of the number (all edges positive): equal steps in the logarithm.
    Bits { shift: u32, first: u64, below: Arc<[u32]> },
}

/// Strictly increasing, finite bin edges with a constant-time search.
///
/// Cloning shares the edges.
#[derive(Debug, Clone)]
pub struct Edges {
    values: Arc<[f64]>,
    guess: Guess,
    nanoseconds: Option<NanosecondEdges>,
}

impl PartialEq for Edges {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.values, &other.values) || self.values == other.values
    }
}

impl Edges {
    /// Takes edges over, in the unit of the values that will be binned.
    ///
    /// # Errors
    /// When there are fewer than two, one is not finite, or they do not increase.
    pub fn new(values: impl Into<Arc<[f64]>>) -> Result<Self, EdgesError> {
        let values: Arc<[f64]> = values.into();
        let count = values.len();
        if count < 2 {
            return Err(EdgesError::TooFew { count });
        }
        if count > MAX_EDGES {
            return Err(EdgesError::TooMany {
                count,
                limit: MAX_EDGES,
            });
        }
        if let Some((index, &value)) = values.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            return Err(EdgesError::NotFinite { index, value });
        }
        for (index, pair) in values.windows(2).enumerate() {
            if pair[1] <= pair[0] {
                return Err(EdgesError::NotIncreasing {
                    index: index + 1,
                    value: pair[1],
                    before: pair[0],
                });
            }
        }
        let guess = guess_for(&values);
        let nanoseconds = NanosecondEdges::new(&values);
        Ok(Self {
            values,
            guess,
            nanoseconds,
        })
    }

    /// `bins` bins of equal width from `first` to `last`.
    ///
    /// # Errors
    /// As [`Edges::new`].
    pub fn uniform(first: f64, last: f64, bins: usize) -> Result<Self, EdgesError> {
        if bins == 0 || bins >= MAX_EDGES {
            return if bins == 0 {
                Err(EdgesError::TooFew { count: 1 })
            } else {
                Err(EdgesError::TooMany {
                    count: bins.saturating_add(1),
                    limit: MAX_EDGES,
                })
            };
        }
        let width = (last - first) / bins as f64;
        let mut values: Vec<f64> = (0..bins).map(|i| first + i as f64 * width).collect();
        values.push(last);
        Self::new(values)
    }

    /// The edges, in increasing order.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// The edges, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<[f64]> {
        Arc::clone(&self.values)
    }

    /// How many bins they hold.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.values.len() - 1
    }

    /// The bin of `x`, `None` outside all bins and for a NaN.
    #[must_use]
    #[inline]
    pub fn find(&self, x: f64) -> Option<usize> {
        let edges = &*self.values;
        let last = edges.len() - 1;
        if !(x >= edges[0] && x < edges[last]) {
            return None;
        }
        Some(match &self.guess {
            Guess::Uniform { slope, intercept } => {
                let guess = ((x * slope + intercept) as usize).min(last - 1);
                guess + usize::from(x >= edges[guess + 1]) - usize::from(x < edges[guess])
            }
            Guess::Linear {
                slope,
                intercept,
                below,
            } => {
                let cell = ((x * slope + intercept) as usize).min(below.len() - 2);
                within_cell(edges, below, cell, x)
            }
            Guess::Bits { shift, first, below } => {
                let cell = ((x.to_bits() >> shift).saturating_sub(*first) as usize).min(below.len() - 2);
                within_cell(edges, below, cell, x)
            }
        })
    }

    /// The same edges as limits on whole nanoseconds, where the values are microseconds that came from whole
    /// nanoseconds; `None` where they do not fit 32 bits.
    pub(crate) fn nanoseconds(&self) -> Option<&NanosecondEdges> {
        self.nanoseconds.as_ref()
    }
}

/// The bin in the edges that cell `cell` allows: between `below[cell]` and `below[cell + 1]` edges are at or under
/// `x`. Crowded cells are searched by halves.
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

/// The bin by halving: what every other search must agree with.
#[must_use]
pub fn find_by_halves(edges: &[f64], x: f64) -> Option<usize> {
    let last = edges.last()?;
    if !(x >= *edges.first()? && x < *last) {
        return None;
    }
    edges.partition_point(|edge| *edge <= x).checked_sub(1)
}

fn guess_for(edges: &[f64]) -> Guess {
    let bins = edges.len() - 1;
    let (first, last) = (edges[0], edges[bins]);
    let slope = bins as f64 / (last - first);
    let intercept = -first * slope;
    if slope.is_finite() && intercept.is_finite() && slope > 0.0 {
        let guess = |x: f64| ((x * slope + intercept) as usize).min(bins - 1);
        // The guess grows with x, so that its values at both ends of a bin bound it everywhere in the bin.
        let close = (0..bins).all(|bin| guess(edges[bin]) + 1 >= bin && guess(edges[bin + 1].next_down()) <= bin + 1);
        if close {
            return Guess::Uniform { slope, intercept };
        }
    }
    if first > 0.0 {
        return guess_by_bits(edges);
    }
    // Twice as many cells as bins; where the span overflows, one cell for all, searched by halves.
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
    // The finest cells that stay within about four a bin: the positive doubles are ordered as their bits are.
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

/// How many edges lie in cells before each cell, and in all of them at the end.
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

/// Edges in microseconds, as the smallest whole number of nanoseconds at or above each: for times of flight that
/// are whole nanoseconds, comparing these integers is comparing `ns / 1000.0` with the edges.
#[derive(Debug, Clone)]
pub(crate) struct NanosecondEdges {
    limits: Arc<[u32]>,
    guess: Option<(f64, f64)>,
}

impl NanosecondEdges {
    fn new(edges: &[f64]) -> Option<Self> {
        if edges.iter().any(|edge| *edge > 4_294_967.0) {
            return None;
        }
        let limits: Arc<[u32]> = edges.iter().map(|edge| first_nanosecond(*edge)).collect();
        let bins = limits.len() - 1;
        let slope = bins as f64 / (edges[bins] - edges[0]);
        let intercept = -edges[0] * slope;
        let slope = slope / 1000.0;
        let guess = |ns: u32| ((f64::from(ns) * slope + intercept) as usize).min(bins - 1);
        let close = slope.is_finite()
            && intercept.is_finite()
            && (0..bins).all(|bin| {
                limits[bin] >= limits[bin + 1]
                    || (guess(limits[bin]) + 1 >= bin && guess(limits[bin + 1] - 1) <= bin + 1)
            });
        Some(Self {
            limits,
            guess: close.then_some((slope, intercept)),
        })
    }

    /// The bin of a time of flight in nanoseconds.
    #[inline]
    pub(crate) fn find(&self, ns: u32) -> Option<usize> {
        let limits = &*self.limits;
        let last = limits.len() - 1;
        if !(ns >= limits[0] && ns < limits[last]) {
            return None;
        }
        match self.guess {
            Some((slope, intercept)) => {
                let guess = ((f64::from(ns) * slope + intercept) as usize).min(last - 1);
                Some(guess + usize::from(ns >= limits[guess + 1]) - usize::from(ns < limits[guess]))
            }
            None => limits.partition_point(|limit| *limit <= ns).checked_sub(1),
        }
    }

    /// Slope, intercept and limits, where the arithmetic guess is at most one bin off.
    pub(crate) fn arithmetic(&self) -> Option<(f64, f64, &[u32])> {
        self.guess.map(|(slope, intercept)| (slope, intercept, &*self.limits))
    }
}

/// The smallest whole number of nanoseconds whose microseconds (`ns / 1000.0`) are at or above `edge`, which is at
/// most 4,294,967.
fn first_nanosecond(edge: f64) -> u32 {
    if edge <= 0.0 {
        return 0;
    }
    let mut ns = (edge * 1000.0).ceil().min(f64::from(u32::MAX)) as u32;
    while ns > 0 && f64::from(ns - 1) / 1000.0 >= edge {
        ns -= 1;
    }
    while ns < u32::MAX && f64::from(ns) / 1000.0 < edge {
        ns += 1;
    }
    ns
}

/// The edges of every row of a histogram.
#[derive(Debug, Clone)]
pub enum Binning {
    /// The same for every row.
    Common(Edges),
    /// Edges of its own for each row.
    PerRow(Arc<[Edges]>),
    /// One bin that takes every event that is kept, whatever its value.
    Whole,
}

impl Binning {
    /// How many bins a row has.
    #[must_use]
    pub fn bins(&self, row: usize) -> usize {
        match self {
            Self::Common(edges) => edges.bins(),
            Self::PerRow(rows) => rows.get(row).map_or(0, Edges::bins),
            Self::Whole => 1,
        }
    }

    /// The edges of a row; `None` for a row that does not exist, and where there are no edges.
    #[must_use]
    pub fn edges(&self, row: usize) -> Option<&Edges> {
        match self {
            Self::Common(edges) => Some(edges),
            Self::PerRow(rows) => rows.get(row),
            Self::Whole => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;

    fn agree(edges: &[f64], probes: &[f64]) -> Result<(), TestCaseError> {
        let search = Edges::new(edges.to_vec()).unwrap();
        let near = edges.iter().flat_map(|edge| [edge.next_down(), *edge, edge.next_up()]);
        for x in near.chain(probes.iter().copied()) {
            prop_assert_eq!(search.find(x), find_by_halves(edges, x), "x = {:?}", x);
        }
        if let Some(whole) = search.nanoseconds() {
            let near = edges.iter().flat_map(|edge| {
                let ns = (edge * 1000.0).max(0.0) as u32;
                [ns.saturating_sub(1), ns, ns.saturating_add(1)]
            });
            for ns in near.chain(probes.iter().map(|x| (x.abs() * 1000.0) as u32)) {
                prop_assert_eq!(
                    whole.find(ns),
                    find_by_halves(edges, f64::from(ns) / 1000.0),
                    "ns = {}",
                    ns
                );
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn uniform_edges_agree_with_halving(
            first in -1e5_f64..1e5, width in 1e-3_f64..1e3, bins in 1_usize..600,
            probes in prop::collection::vec(-2e5_f64..1e6, 50),
        ) {
            let edges: Vec<f64> = (0..=bins).map(|i| first + i as f64 * width).collect();
            agree(&edges, &probes)?;
        }

        #[test]
        fn edges_grown_by_addition_agree_with_halving(first in 0.0_f64..100.0, width in 1e-2_f64..10.0, bins in 1_usize..3000) {
            let mut edges = vec![first];
            for i in 0..bins {
                edges.push(edges[i] + width);
            }
            agree(&edges, &[])?;
        }

        #[test]
        fn logarithmic_edges_agree_with_halving(
            first in 1e-6_f64..1e4, step in 1e-4_f64..0.5, bins in 1_usize..2000,
            probes in prop::collection::vec(0.0_f64..1e6, 50),
        ) {
            let mut edges = vec![first];
            for i in 0..bins {
                let next = edges[i] * (1.0 + step);
                if next < 1e12 { edges.push(next) } else { break }
            }
            prop_assume!(edges.len() > 1);
            agree(&edges, &probes)?;
        }

        #[test]
        fn any_edges_agree_with_halving(
            mut edges in prop::collection::vec(prop_oneof![-1e6_f64..1e6, -1.0_f64..1.0, any::<f64>()], 2..200),
            probes in prop::collection::vec(prop_oneof![-1e6_f64..1e6, any::<f64>()], 100),
        ) {
            edges.retain(|x| x.is_finite());
            edges.sort_by(f64::total_cmp);
            edges.dedup_by(|a, b| *a <= *b);
            prop_assume!(edges.len() > 1);
            agree(&edges, &probes)?;
        }
    }

    #[test]
    fn the_last_edge_is_outside_and_the_first_inside() {
        let edges = Edges::uniform(0.0, 10.0, 5).unwrap();
        assert_eq!(edges.find(0.0), Some(0));
        assert_eq!(edges.find(2.0), Some(1));
        assert_eq!(edges.find(10.0), None);
        assert_eq!(edges.find(f64::NAN), None);
        assert_eq!(edges.find(-f64::MIN_POSITIVE), None);
    }

    #[test]
    fn edges_that_hold_no_bin_are_refused_with_the_offending_value() {
        assert_eq!(Edges::new(vec![1.0]).unwrap_err(), EdgesError::TooFew { count: 1 });
        assert!(matches!(
            Edges::new(vec![1.0, f64::NAN]),
            Err(EdgesError::NotFinite { index: 1, .. })
        ));
        let error = Edges::new(vec![1.0, 3.0, 3.0]).unwrap_err();
        assert_eq!(
            error,
            EdgesError::NotIncreasing {
                index: 2,
                value: 3.0,
                before: 3.0
            }
        );
        assert!(error.to_string().contains("3"));
        assert!(matches!(Edges::uniform(0.0, 1.0, 0), Err(EdgesError::TooFew { .. })));
    }

    #[test]
    fn edges_beyond_the_range_of_an_event_are_still_found() {
        let edges = Edges::new(vec![-f64::MAX, 0.0, 1.0, f64::MAX]).unwrap();
        assert_eq!(edges.find(-1e300), Some(0));
        assert_eq!(edges.find(0.5), Some(1));
        assert_eq!(edges.find(1e300), Some(2));
    }
}
