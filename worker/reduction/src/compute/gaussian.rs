//! Least-squares fit of a Gaussian by the method of Levenberg and Marquardt. Promises: the number of steps is bounded; a fit
//! without result is `None`; points without an uncertainty are ignored. Must not: know workspaces.
//!
//! Source: D. W. Marquardt, J. Soc. Indust. Appl. Math. 11, 431 (1963), doi:10.1137/0111030.

/// Largest number of steps.
const MAX_STEPS: usize = 500;
/// Relative decrease of the sum of squares below which the fit has converged.
const TOLERANCE: f64 = 1e-10;

/// Gaussian height·exp(−½ ((x − centre)/sigma)²).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gaussian {
    pub height: f64,
    pub centre: f64,
    pub sigma: f64,
}

/// Result of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GaussianFit {
    pub value: Gaussian,
    /// Standard deviation of each parameter: square root of the diagonal of the inverse curvature matrix.
    pub error: Gaussian,
    /// Reduced χ² = ∑ ((yᵢ − f(xᵢ))/eᵢ)² / (n − 3).
    pub chi_squared: f64,
}

type Matrix = [[f64; 3]; 3];

impl Gaussian {
    fn parameters(self) -> [f64; 3] {
        [self.height, self.centre, self.sigma]
    }

    fn from_parameters([height, centre, sigma]: [f64; 3]) -> Self {
        Self { height, centre, sigma }
    }

    /// Value at x and its derivatives by height, centre and sigma.
    fn at(self, x: f64) -> (f64, [f64; 3]) {
        let u = (x - self.centre) / self.sigma;
        let shape = (-0.5 * u * u).exp();
        let slope = self.height * shape * u / self.sigma;
        (self.height * shape, [shape, slope, slope * u])
    }

    fn sum_of_squares(self, points: &[(f64, f64, f64)]) -> f64 {
        points.iter().map(|(x, y, e)| ((y - self.at(*x).0) / e).powi(2)).sum()
    }

    /// Curvature matrix JᵀWJ and gradient JᵀW(y − f), W = 1/e².
    fn normal_equations(self, points: &[(f64, f64, f64)]) -> (Matrix, [f64; 3]) {
        let (mut curvature, mut slope) = (Matrix::default(), [0.0; 3]);
        for (x, y, e) in points {
            let (value, gradient) = self.at(*x);
            for ((row, total), g) in curvature.iter_mut().zip(&mut slope).zip(gradient) {
                *total += g * (y - value) / (e * e);
                for (cell, h) in row.iter_mut().zip(gradient) {
                    *cell += g * h / (e * e);
                }
            }
        }
        (curvature, slope)
    }
}

/// Fit of points (x, y, e) from a guess; `None` for fewer than four points, a useless guess, or no convergence.
pub(crate) fn fit(points: &[(f64, f64, f64)], guess: Gaussian) -> Option<GaussianFit> {
    let counts = |(x, y, e): &&(f64, f64, f64)| x.is_finite() && y.is_finite() && e.is_finite() && *e > 0.0;
    let points: Vec<_> = points.iter().filter(counts).copied().collect();
    let freedom = points.len().checked_sub(3).filter(|freedom| *freedom > 0)?;
    let (mut best, mut damping) = (guess, 1e-3);
    let mut sum = best.sum_of_squares(&points);
    if !sum.is_finite() || !(guess.sigma > 0.0) {
        return None;
    }
    for _ in 0..MAX_STEPS {
        let (mut curvature, slope) = best.normal_equations(&points);
        for (at, row) in curvature.iter_mut().enumerate() {
            if let Some(cell) = row.get_mut(at) {
                *cell *= 1.0 + damping;
            }
        }
        let inverse = invert(curvature)?;
        let mut next = best.parameters();
        for (parameter, row) in next.iter_mut().zip(inverse) {
            *parameter += row.iter().zip(slope).map(|(a, b)| a * b).sum::<f64>();
        }
        let tried = Gaussian::from_parameters(next);
        let reached = tried.sum_of_squares(&points);
        if reached.is_finite() && reached <= sum {
            let last = sum - reached <= TOLERANCE * sum;
            (best, sum, damping) = (tried, reached, damping / 10.0);
            if last {
                return finish(best, &points, sum / freedom as f64);
            }
        } else if damping > 1e12 {
            // No step improves the sum: the minimum within rounding.
            return finish(best, &points, sum / freedom as f64);
        } else {
            damping *= 10.0;
        }
    }
    None
}

fn finish(found: Gaussian, points: &[(f64, f64, f64)], chi_squared: f64) -> Option<GaussianFit> {
    let [[a, ..], [_, b, _], [.., c]] = invert(found.normal_equations(points).0)?;
    let value = Gaussian {
        sigma: found.sigma.abs(),
        ..found
    };
    let error = Gaussian::from_parameters([a, b, c].map(|variance| variance.max(0.0).sqrt()));
    Some(GaussianFit {
        value,
        error,
        chi_squared,
    })
}

fn invert([[a, b, c], [d, e, f], [g, h, i]]: Matrix) -> Option<Matrix> {
    let (p, q, r) = (e * i - f * h, f * g - d * i, d * h - e * g);
    let determinant = a * p + b * q + c * r;
    let scaled = |value: f64| value / determinant;
    let inverse = [
        [p, c * h - b * i, b * f - c * e].map(scaled),
        [q, a * i - c * g, c * d - a * f].map(scaled),
        [r, b * g - a * h, a * e - b * d].map(scaled),
    ];
    inverse
        .iter()
        .flatten()
        .all(|value| value.is_finite())
        .then_some(inverse)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_a_gaussian_is_found() {
        let wanted = Gaussian {
            height: 40.0,
            centre: 512.5,
            sigma: 7.0,
        };
        let points: Vec<_> = (480..540)
            .map(|x| (f64::from(x), wanted.at(f64::from(x)).0, 2.0))
            .collect();
        let guess = Gaussian {
            height: 30.0,
            centre: 515.0,
            sigma: 9.0,
        };
        let found = fit(&points, guess).unwrap();
        for (a, b) in found.value.parameters().into_iter().zip(wanted.parameters()) {
            assert!((a - b).abs() < 1e-6 * b, "{found:?}");
        }
        assert!(found.chi_squared < 1e-9);
        // Uncertainty of the centre for equal uncertainties e = 2 at unit spacing: e/height·√(2 sigma/√π).
        let expected = 2.0 / 40.0 * (2.0 * 7.0 / std::f64::consts::PI.sqrt()).sqrt();
        assert!((found.error.centre - expected).abs() < 0.01 * expected, "{found:?}");
        let mut odd = points.clone();
        odd.push((500.0, 1e6, 0.0));
        odd.push((501.0, f64::NAN, 1.0));
        assert_eq!(fit(&odd, guess), fit(&points, guess));
    }

    #[test]
    fn what_is_none_ends() {
        let guess = Gaussian {
            height: 1.0,
            centre: 2.0,
            sigma: 1.0,
        };
        assert_eq!(fit(&[(1.0, 1.0, 1.0), (2.0, 2.0, 1.0), (3.0, 1.0, 1.0)], guess), None);
        let zeros: Vec<_> = (0..20).map(|x| (f64::from(x), 0.0, 1.0)).collect();
        let ended = fit(&zeros, guess);
        assert!(ended.is_none_or(|fitted| fitted.value.height.abs() < 1e-3));
        assert_eq!(fit(&zeros, Gaussian { sigma: 0.0, ..guess }), None);
        assert_eq!(fit(&[(f64::NAN, f64::NAN, f64::NAN); 9], guess), None);
    }
}
