//! Search for the bins of several values at once in SIMD lanes: one guess, one comparison with an edge, no branch.
//!
//! Promises: equals [`super::Edges::find`] for every value within the edges. Edges that do not allow such a search have
//! none.

use std::sync::Arc;

use super::guess::Guess;

/// Branch-free search for one set of edges.
#[derive(Debug, Clone)]
pub(crate) struct LaneSearch {
    /// First and last edge.
    pub(crate) range: (f64, f64),
    pub(crate) guess: LaneGuess,
    /// Deciding edge by guess: the bin is one higher for values at or above it.
    pub(crate) deciding: Vec<f64>,
}

/// Method of guessing an index into the deciding edges, which is the bin or one below it.
#[derive(Debug, Clone)]
pub(crate) enum LaneGuess {
    /// `x·slope + intercept`, clamped to the bins.
    Uniform { slope: f64, intercept: f64 },
    /// `below` of the cell `x·slope + intercept`, less one.
    Linear {
        slope: f64,
        intercept: f64,
        below: Arc<[u32]>,
    },
    /// `below` of the cell of the number's upper bits, less one.
    Bits { shift: u32, first: u64, below: Arc<[u32]> },
}

impl LaneSearch {
    pub(super) fn new(edges: &[f64], guess: &Guess) -> Option<Self> {
        let range = (*edges.first()?, *edges.last()?);
        let bins = edges.len() - 1;
        // Bins and cells are 32-bit signed numbers in the lanes.
        i32::try_from(4 * edges.len()).ok()?;
        let single = |below: &[u32]| below.windows(2).all(|pair| pair[1] - pair[0] <= 1);
        let beyond = || edges.iter().copied().chain([f64::INFINITY]).collect();
        match guess {
            Guess::Uniform { slope, intercept } => {
                // Lowered, so that rounding never gives a bin too high.
                let intercept = [1e-6, 0.25, 0.5]
                    .map(|low| intercept - low)
                    .into_iter()
                    .find(|intercept| {
                        let guess = |x: f64| ((x * slope + intercept) as usize).min(bins - 1);
                        (0..bins).all(|bin| {
                            let (first, last) = (guess(edges[bin]), guess(edges[bin + 1].next_down()));
                            first + 1 >= bin && last <= bin
                        })
                    })?;
                Some(Self {
                    range,
                    guess: LaneGuess::Uniform {
                        slope: *slope,
                        intercept,
                    },
                    deciding: edges[1..].to_vec(),
                })
            }
            Guess::Linear {
                slope,
                intercept,
                below,
            } if single(below) => Some(Self {
                range,
                guess: LaneGuess::Linear {
                    slope: *slope,
                    intercept: *intercept,
                    below: Arc::clone(below),
                },
                deciding: beyond(),
            }),
            Guess::Bits { shift, first, below } if single(below) => Some(Self {
                range,
                guess: LaneGuess::Bits {
                    shift: *shift,
                    first: *first,
                    below: Arc::clone(below),
                },
                deciding: beyond(),
            }),
            _ => None,
        }
    }
}
