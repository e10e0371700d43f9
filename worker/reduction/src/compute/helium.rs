//! Efficiency of a ³He tube. Promises: accurate to about 1e-12 for a cylinder that is lit evenly from the side. Two series
//! are computed once, because the efficiency is evaluated bin by bin. Must not: know instruments.
//!
//! ε(d) = 1 − ∫₀^{π/2} sin θ exp(−d sin θ) dθ, with d the absorption along the diameter (dimensionless). A chord at the
//! angle θ has length diameter·sin θ. d = [`ABSORPTION`]·radius·pressure/k for neutrons across the tube: radius in m,
//! pressure in atm, k = 2π/λ in Å⁻¹.
//!
//! Source: T. G. Perring (1990) in Mantid's page DetectorEfficiencyCor v1, which has the same integral and constants.

use std::f64::consts::{FRAC_PI_2, FRAC_PI_8, PI};
use std::sync::LazyLock;

/// Absorption of ³He, m⁻¹ atm⁻¹ Å⁻¹, for the radius instead of the diameter (factor 2).
///
/// 143.23 m⁻¹: absorption at 10 atm for 2200 m/s, whose k is 3.494 16 Å⁻¹. Absorption grows as 1/k. It is Loschmidt's
/// density at 0 °C, 2.687e25 m⁻³ atm⁻¹, times a cross section of 5331 b.
pub(crate) const ABSORPTION: f64 = 2.0 * 143.23 * 3.49416 / 10.0;

/// Absorption that separates the series for thin and thick tubes.
const THICK: f64 = 10.0;
const TERMS: usize = 36;

/// Fraction of neutrons counted, in [0, 1]; `depth` is the absorption d along the diameter.
pub(crate) fn efficiency(depth: f64) -> f64 {
    static SERIES: LazyLock<(ChebyshevSeries, ChebyshevSeries)> = LazyLock::new(|| {
        let thin = ChebyshevSeries::of(|t| (1.0 - missed(thin_depth(t))) / thin_depth(t));
        let thick = ChebyshevSeries::of(|t| missed(thick_depth(t)) * thick_depth(t).powi(2));
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

/// Fraction of neutrons that pass uncounted: ∫₀^{π/2} sin θ exp(−depth sin θ) dθ by Gauss–Legendre panels.
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

/// Nodes in (−1, 1) and weights of Gauss–Legendre quadrature, by Newton's method on Legendre polynomials.
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

/// Chebyshev series over [−1, 1], evaluated by Clenshaw's recurrence.
struct ChebyshevSeries([f64; TERMS]);

impl ChebyshevSeries {
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
    fn the_constants_are_those_of_helium() {
        // Loschmidt's density at 10 atm and 5331 b; 2200 m/s is 3.494 Å⁻¹.
        assert!((10.0_f64 * 2.686_8e25 * 5331e-28 - 143.23).abs() < 0.05);
        let k = 2.0 * PI / (crate::unit::de_broglie() / 2200e-6);
        assert!((k - 3.494_16).abs() < 1e-3, "{k}");
        // A tube of 1 inch and 10 atm counts 91.2 % of thermal neutrons: d = 143.23 m⁻¹ · 25.4 mm.
        let depth = ABSORPTION * 0.0127 * 10.0 / 3.494_16;
        assert!((depth - 143.23 * 0.0254).abs() < 1e-9);
        assert!((efficiency(depth) - 0.912).abs() < 1e-3, "{}", efficiency(depth));
    }

    #[test]
    fn thin_tubes_count_by_their_mean_chord_and_thick_ones_all() {
        assert!((efficiency(1e-6) / 1e-6 - PI / 4.0).abs() < 1e-6);
        assert!((efficiency(1e9) - 1.0).abs() < 1e-15);
        assert!(efficiency(f64::NAN).is_nan());
    }
}
