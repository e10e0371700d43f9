//! Bin edges, and the search for the bin of a value.
//!
//! Promises: bin `i` holds `edges[i] <= x < edges[i + 1]`; the last edge lies outside, as in Mantid's Rebin of events.
//! Every search (arithmetic for uniform edges, a table for others) gives exactly the result of a binary search. The
//! constructor uses a guess only if it is off by one bin at most, rounding included.

mod guess;
pub(crate) mod lanes;
mod nanoseconds;

use std::sync::Arc;

use thiserror::Error;

use guess::{Guess, guess_for};
use lanes::LaneSearch;
pub(crate) use nanoseconds::NanosecondEdges;

/// Error of a list of numbers that cannot serve as bin edges.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum EdgesError {
    /// Fewer than two edges.
    #[error("{count} bin edge(s) given: at least two are needed to hold a bin")]
    TooFew { count: usize },
    /// An edge is NaN or infinite.
    #[error("bin edge {index} is {value}: edges must be finite numbers")]
    NotFinite { index: usize, value: f64 },
    /// An edge is not above the one before it.
    #[error("bin edge {index} ({value}) is not above the edge before it ({before}): edges must increase")]
    NotIncreasing { index: usize, value: f64, before: f64 },
    /// More edges than [`MAX_EDGES`].
    #[error("{count} bin edges are more than the {limit} that one histogram may have")]
    TooMany { count: usize, limit: usize },
}

/// Largest number of edges of one histogram, 2²⁸: bin numbers are 32-bit with room for arithmetic.
pub const MAX_EDGES: usize = 1 << 28;

/// Strictly increasing, finite bin edges with a search in constant time; clones share them.
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
    /// Edges in the unit of the values to be binned; checks them in O(n).
    ///
    /// # Errors
    /// [`EdgesError::TooFew`], [`EdgesError::TooMany`], [`EdgesError::NotFinite`] or [`EdgesError::NotIncreasing`],
    /// with the first offending edge.
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

    /// Edges of `bins` bins of equal width `(last - first) / bins`.
    ///
    /// # Errors
    /// As [`Edges::new`]; [`EdgesError::TooFew`] for zero bins.
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

    /// Edges, ascending; one more than bins.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Edges without a copy, for a caller that outlives `self`.
    #[must_use]
    pub fn shared(&self) -> Arc<[f64]> {
        Arc::clone(&self.values)
    }

    /// Number of bins, at least 1: edges minus one.
    #[must_use]
    pub fn bins(&self) -> usize {
        self.values.len() - 1
    }

    /// Bin with `edges[bin] <= x < edges[bin + 1]`; `None` outside all bins and for NaN.
    ///
    /// ```
    /// use live_data_engine::edges::Edges;
    ///
    /// let edges = Edges::uniform(0.0, 10.0, 5)?;
    /// assert_eq!(edges.find(2.0), Some(1));
    /// assert_eq!(edges.find(10.0), None);
    /// # Ok::<(), live_data_engine::edges::EdgesError>(())
    /// ```
    #[must_use]
    #[inline]
    pub fn find(&self, x: f64) -> Option<usize> {
        let edges = &*self.values;
        let last = edges.len() - 1;
        if !(x >= edges[0] && x < edges[last]) {
            return None;
        }
        Some(self.guess.find(edges, x))
    }

    /// Search for several values at once, if the edges allow it.
    pub(crate) fn lanes(&self) -> Option<LaneSearch> {
        LaneSearch::new(&self.values, &self.guess)
    }

    /// The edges, in µs, as limits on whole nanoseconds; `None` if they do not fit 32 bits.
    pub(crate) fn nanoseconds(&self) -> Option<&NanosecondEdges> {
        self.nanoseconds.as_ref()
    }
}

/// Bin by binary search, O(log n); the reference for every other search.
#[cfg(test)]
pub(crate) fn find_by_halves(edges: &[f64], x: f64) -> Option<usize> {
    let last = edges.last()?;
    if !(x >= *edges.first()? && x < *last) {
        return None;
    }
    edges.partition_point(|edge| *edge <= x).checked_sub(1)
}

/// Bin edges of every row of a histogram.
#[derive(Debug, Clone)]
pub enum Binning {
    /// Same edges for all rows.
    Common(Edges),
    /// Edges by row.
    PerRow(Arc<[Edges]>),
    /// One bin for events of any value (an event count).
    Whole,
}

impl Binning {
    /// Number of bins of a row; 0 for a row that does not exist.
    #[must_use]
    pub fn bins(&self, row: usize) -> usize {
        match self {
            Self::Common(edges) => edges.bins(),
            Self::PerRow(rows) => rows.get(row).map_or(0, Edges::bins),
            Self::Whole => 1,
        }
    }

    /// Edges of a row; `None` for [`Binning::Whole`] and for a row that does not exist.
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
