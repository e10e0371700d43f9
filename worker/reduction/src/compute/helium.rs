//! How efficient a tube of ³He counts neutrons. Promises: the efficiency of a cylinder that is lit evenly from the
//! side, to about 1e-12; computed once as two series, since it is asked for bin by bin. Must not know instruments.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_8, PI};
use std::sync::LazyLock;

/// Absorption in ³He at 10 atm over a metre, for neutrons of one Å⁻¹, times two for radius to diameter.
pub(crate) const ABSORPTION: f64 = 2.0 * 143.23 * 3.49416 / 10.0;

/// Where the series for thin tubes ends and that for thick ones begins.
const THICK: f64 = 10.0;
const TERMS: usize = 36;

/// The part of neutrons that is counted; `depth` is the absorption along the diameter.
pub(crate) fn efficiency(depth: f64) -> f64 {
    static SERIES: LazyLock<(Series, Series)> = LazyLock::new(|| {
        let thin = Series::of(|t| (1.0 - missed(thin_depth(t))) / thin_depth(t));
        let thick = Series::of(|t| missed(thick_depth(t)) * thick_depth(t).powi(2));
        (thin, thick)
    });
    let (thin, thick) = &*SERIES;
    if depth <= THICK {
        depth * thin.at(2.0 * depth / THICK - 1.0)
    } else {
        1.0 - thick.at(1.0 - 2.0 * THICK / depth) / (depth * depth)
    }
}

fn thin_depth(t: f64) -> f64 {
    THICK * (1.0 + t) / 2.0
}

fn thick_depth(t: f64) -> f64 {
    2.0 * THICK / (1.0 - t)
}

/// The part of neutrons that passes a tube uncounted: over the tube's width, the mean of exp(-depth · chord / diameter).
fn missed(depth: f64) -> f64 {
    static RULE: LazyLock<Vec<(f64, f64)>> = LazyLock::new(|| gauss_legendre(20));
    let panel = FRAC_PI_8.min(2.0 / depth);
    let end = FRAC_PI_2.min(80.0 / depth);
    let panels = (end / panel).ceil().max(1.0);
    let width = end / panels;
    (0..panels as usize)
        .map(|index| {
            let centre = (index as f64 + 0.5) * width;
            let term = |(node, weight): &(f64, f64)| {
                let chord = (centre + 0.5 * width * node).sin();
                weight * chord * (-depth * chord).exp()
            };
            0.5 * width * RULE.iter().map(term).sum::<f64>()
        })
        .sum()
}

/// Nodes in (-1, 1) and weights.
fn gauss_legendre(count: usize) -> Vec<(f64, f64)> {
    (0..count)
        .map(|index| {
            let mut x = (PI * (index as f64 + 0.75) / (count as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..20 {
                let (mut before, mut value) = (1.0, x);
                for n in 2..=count {
                    let n = n as f64;
                    (before, value) = (value, ((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n);
                }
                slope = count as f64 * (x * value - before) / (x * x - 1.0);
                x -= value / slope;
            }
            (x, 2.0 / ((1.0 - x * x) * slope * slope))
        })
        .collect()
}

/// A Chebyshev series over [-1, 1].
struct Series([f64; TERMS]);

impl Series {
    fn of(f: impl Fn(f64) -> f64) -> Self {
        let angle = |k: usize| PI * (k as f64 + 0.5) / TERMS as f64;
        let values: Vec<f64> = (0..TERMS).map(|k| f(angle(k).cos())).collect();
        let term = |j: usize| {
            let sum: f64 = values
                .iter()
                .enumerate()
                .map(|(k, v)| v * (j as f64 * angle(k)).cos())
                .sum();
            2.0 * sum / TERMS as f64
        };
        Self(std::array::from_fn(term))
    }

    fn at(&self, t: f64) -> f64 {
        let (mut next, mut after) = (0.0, 0.0);
        for coefficient in self.0.iter().skip(1).rev() {
            (next, after) = (2.0 * t * next - after + coefficient, next);
        }
        t * next - after + 0.5 * self.0[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_are_the_integral() {
        for depth in [1e-3, 0.1, 1.0, 3.7, 9.99, 10.0, 10.01, 25.0, 400.0, 1e5] {
            let exact = 1.0 - missed(depth);
            assert!(
                (efficiency(depth) - exact).abs() < 1e-12,
                "{depth}: {} {exact}",
                efficiency(depth)
            );
        }
    }

    #[test]
    fn thin_tubes_count_by_their_mean_chord_and_thick_ones_all() {
        assert!((efficiency(1e-6) / 1e-6 - PI / 4.0).abs() < 1e-6);
        assert!((efficiency(1e9) - 1.0).abs() < 1e-15);
        assert!(efficiency(f64::NAN).is_nan());
    }
}
