//! Bin edges as limits on whole nanoseconds, for times of flight that were not converted.

use std::sync::Arc;

/// Smallest whole number of nanoseconds at or above each edge (µs). Comparing whole nanoseconds with these limits is
/// comparing `ns / 1000.0` with the edges.
#[derive(Debug, Clone)]
pub(crate) struct NanosecondEdges {
    limits: Arc<[u32]>,
    guess: Option<(f64, f64)>,
    exact: Option<(f64, f64)>,
}

impl NanosecondEdges {
    pub(super) fn new(edges: &[f64]) -> Option<Self> {
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
        let exact = [0.5, 1e-3]
            .map(|ahead| (slope, (ahead - edges[0] * 1000.0) * slope))
            .into_iter()
            .find(|(slope, intercept)| is_exact(&limits, *slope, *intercept));
        Some(Self {
            limits,
            guess: close.then_some((slope, intercept)),
            exact,
        })
    }

    /// `(slope, intercept, first limit, last limit)` such that `trunc(ns·slope + intercept)` is the bin of every whole
    /// `ns` in `[first, last)`; `None` if rounding forbids it.
    pub(crate) fn exact(&self) -> Option<(f64, f64, u32, u32)> {
        let (slope, intercept) = self.exact?;
        Some((slope, intercept, *self.limits.first()?, *self.limits.last()?))
    }

    /// Bin of a time of flight in ns; `None` outside the edges.
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

    /// Slope, intercept and limits if the arithmetic guess is at most one bin off.
    pub(crate) fn arithmetic(&self) -> Option<(f64, f64, &[u32])> {
        self.guess.map(|(slope, intercept)| (slope, intercept, &*self.limits))
    }
}

/// Smallest whole number of nanoseconds with `ns / 1000.0 >= edge` (µs, at most 4,294,967).
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

/// True if the arithmetic gives every bin exactly. It grows with the time of flight, so that both ends of each bin
/// suffice.
fn is_exact(limits: &[u32], slope: f64, intercept: f64) -> bool {
    let bin_of = |ns: u32| f64::from(ns) * slope + intercept;
    slope.is_finite()
        && intercept.is_finite()
        && limits.windows(2).enumerate().all(|(bin, pair)| {
            let (low, high) = (bin as f64, (bin + 1) as f64);
            pair[0] >= pair[1] || (bin_of(pair[0]) >= low && bin_of(pair[1] - 1) < high)
        })
}
