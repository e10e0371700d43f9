//! Bin edges, and the bin that a value falls in.
//!
//! Promises: `edges[i] <= x < edges[i + 1]` decides the bin, the last edge is outside, and every way of finding the
//! bin (arithmetic for uniform edges, a table for all others) gives exactly what a binary search gives, whatever the
//! rounding of the arithmetic: a guess is only used where construction has shown it to be off by one at most.

mod guess;
pub(crate) mod lanes;
mod nanoseconds;

use std::sync::Arc;

use thiserror::Error;

use guess::{Guess, guess_for};
use lanes::LaneSearch;
pub(crate) use nanoseconds::NanosecondEdges;

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
        Some(self.guess.find(edges, x))
    }

    /// How bins are found eight values at a time, where the edges allow it.
    pub(crate) fn lanes(&self) -> Option<LaneSearch> {
        LaneSearch::new(&self.values, &self.guess)
    }

    /// The same edges as limits on whole nanoseconds, where the values are microseconds that came from whole
    /// nanoseconds; `None` where they do not fit 32 bits.
    pub(crate) fn nanoseconds(&self) -> Option<&NanosecondEdges> {
        self.nanoseconds.as_ref()
    }
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
