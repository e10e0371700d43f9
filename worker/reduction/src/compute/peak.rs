//! Position and width of a peak in a monitor's count rate. Promises: a spectrum without a clear peak is an error; any
//! numbers are valid input, also NaN. Must not: know workspaces.
//!
//! Source: Mantid's page GetEi v2 and its peak search (prominence 4, significance 2), which follows `GetEi` of HOMER.
//! The slope and its variance are those of central differences with independent uncertainties.

/// Standard deviations below the threshold at which a point ends the peak.
const SIGNIFICANCE: f64 = 2.0;
/// Width of the background on each side, as a share of the peak's width.
const BACKGROUND_SHARE: f64 = 0.5;

/// Count rates y ± e at x (times of flight, µs); all of one length.
#[derive(Clone, Copy)]
pub(crate) struct RateCurve<'a> {
    pub x: &'a [f64],
    pub y: &'a [f64],
    pub e: &'a [f64],
}

/// Points of a peak with the background subtracted.
pub(crate) struct RatePeak {
    x: Vec<f64>,
    y: Vec<f64>,
    top: usize,
}

impl RateCurve<'_> {
    fn at(&self, index: usize) -> (f64, f64, f64) {
        let of = |values: &[f64]| values.get(index).copied().unwrap_or(f64::NAN);
        (of(self.x), of(self.y), of(self.e))
    }

    /// Slope dy/dx at an inner point and its standard deviation:
    /// ½ ((y₂ − y₁)/(x₂ − x₁) + (y₁ − y₀)/(x₁ − x₀)).
    fn slope(&self, index: usize) -> (f64, f64) {
        let ((x0, y0, e0), (x1, y1, e1), (x2, y2, e2)) =
            (self.at(index.wrapping_sub(1)), self.at(index), self.at(index + 1));
        let (before, after) = (x1 - x0, x2 - x1);
        let slope = 0.5 * ((y2 - y1) / after + (y1 - y0) / before);
        let variance = (e2 * e2 + e1 * e1) / (after * after) + (e1 * e1 + e0 * e0) / (before * before)
            - 2.0 * e1 * e1 / (after * before);
        (slope, 0.5 * variance.max(0.0).sqrt())
    }

    /// Area ∫ y dx between two x by the trapezoidal rule.
    fn area(&self, from: f64, to: f64) -> f64 {
        let mut sum = 0.0;
        for index in 1..self.x.len() {
            let ((x0, y0, _), (x1, y1, _)) = (self.at(index - 1), self.at(index));
            let (a, b) = (x0.max(from), x1.min(to));
            if b > a && x1 > x0 {
                let value = |x: f64| y0 + (y1 - y0) * (x - x0) / (x1 - x0);
                sum += 0.5 * (b - a) * (value(a) + value(b));
            }
        }
        sum
    }

    /// Peak around the highest point, out to where the rate is significantly below 1/`prominence` of its height.
    ///
    /// # Errors
    /// A sentence without counts, for equal counts, or when a side does not fall that far.
    pub(crate) fn peak(&self, prominence: f64) -> Result<RatePeak, String> {
        let count = self.x.len();
        let finite = |index: &usize| self.at(*index).1.is_finite();
        let by_height = |a: &usize, b: &usize| self.at(*a).1.total_cmp(&self.at(*b).1);
        // max_by returns the last of equal heights: reversed, the first one.
        let top = (0..count).rev().filter(finite).max_by(by_height);
        let lowest = (0..count).filter(finite).min_by(by_height);
        let (Some(top), Some(lowest)) = (top, lowest) else {
            return Err("there are no counts in the range".to_owned());
        };
        let floor = self.at(lowest).1;
        let height = self.at(top).1 - floor;
        if !(height > 0.0) {
            return Err(
                "No peak in the range specified as minimal and maximal values of the function are equal".to_owned(),
            );
        }
        let Some((left, right)) = self.significant_ends(top, floor, prominence) else {
            return Err("No peak found in data that satisfies prominence criterion".to_owned());
        };
        let (left, right) = self.flat_ends(left, right);
        let background = self.background(left, right);
        Ok(RatePeak {
            x: self.x.get(left..=right).unwrap_or_default().to_vec(),
            y: self
                .y
                .get(left..=right)
                .unwrap_or_default()
                .iter()
                .map(|y| y - background)
                .collect(),
            top: top - left,
        })
    }

    /// Nearest points on both sides of `top` whose height above `floor` is significantly below 1/`prominence` of the
    /// peak's; `None` if a side has none.
    fn significant_ends(&self, top: usize, floor: f64, prominence: f64) -> Option<(usize, usize)> {
        let (_, highest, uncertainty) = self.at(top);
        let height = highest - floor;
        let ended = |index: &usize| {
            let (_, y, e) = self.at(*index);
            let ratio = (y - floor) / height;
            let error = e.hypot(ratio * uncertainty) / height;
            ratio < 1.0 / prominence - SIGNIFICANCE * error
        };
        (0..top).rev().find(ended).zip((top + 1..self.x.len()).find(ended))
    }

    /// Ends moved outwards for as long as the rate falls by more than its uncertainty.
    fn flat_ends(&self, left: usize, right: usize) -> (usize, usize) {
        let last = self.x.len().saturating_sub(1);
        let flat_right = |index: &usize| {
            let (slope, error) = self.slope(*index);
            !(slope < -error)
        };
        let flat_left = |index: &usize| {
            let (slope, error) = self.slope(*index);
            !(slope > error)
        };
        let right = (right..last).find(flat_right).unwrap_or(last);
        let left = (1..=left).rev().find(flat_left).unwrap_or(0);
        (left, right)
    }

    /// Mean rate beside the peak, over [`BACKGROUND_SHARE`] of its width on each side; 0 without points there.
    fn background(&self, left: usize, right: usize) -> f64 {
        let count = self.x.len();
        let (first, last) = (self.at(left).0, self.at(right).0);
        let reach = BACKGROUND_SHARE * (last - first);
        let (mut sum, mut length) = (0.0, 0.0);
        if left > 0 {
            let from = (first - reach).max(self.at(0).0);
            sum += self.area(from, first);
            length += first - from;
        }
        if right + 1 < count {
            let to = (last + reach).min(self.at(count - 1).0);
            sum += self.area(last, to);
            length += to - last;
        }
        if length > 0.0 { sum / length } else { 0.0 }
    }
}

impl RatePeak {
    fn at(&self, index: usize) -> (f64, f64) {
        let of = |values: &[f64]| values.get(index).copied().unwrap_or(f64::NAN);
        (of(&self.x), of(&self.y))
    }

    /// Full width at half maximum, in the unit of x.
    pub(crate) fn width(&self) -> f64 {
        let half = 0.5 * self.at(self.top).1;
        let above = |index: &usize| self.at(*index).1 > half;
        let below = |index: &usize| self.at(*index).1 < half;
        let last = self.x.len().saturating_sub(1);
        // Noise may cross half height several times: interpolate between the innermost and the outermost crossing.
        let right = if self.at(last).1 < half {
            let inner = (self.top..=last)
                .find(below)
                .map_or(self.top, |index| index.saturating_sub(1));
            let outer = (self.top..=last)
                .rev()
                .find(above)
                .map_or(last, |index| (index + 1).min(last));
            self.crossing(
                if inner == outer { inner.saturating_sub(1) } else { inner },
                outer,
                half,
            )
        } else {
            self.at(last).0
        };
        let left = if self.at(0).1 < half {
            let inner = (0..=self.top).rev().find(below).map_or(self.top, |index| index + 1);
            let outer = (0..=self.top).find(above).map_or(0, |index| index.saturating_sub(1));
            self.crossing(if inner == outer { inner + 1 } else { inner }, outer, half)
        } else {
            self.at(0).0
        };
        right - left
    }

    /// X at which the line through two points has height `half`.
    fn crossing(&self, inner: usize, outer: usize, half: f64) -> f64 {
        let ((x1, y1), (x2, y2)) = (self.at(inner), self.at(outer));
        x2 + (x1 - x2) * (half - y2) / (y1 - y2)
    }

    /// First moment ∫ x y dx / ∫ y dx; `None` for a peak without area.
    pub(crate) fn mean(&self) -> Option<f64> {
        let moments: Vec<f64> = self.x.iter().zip(&self.y).map(|(x, y)| x * y).collect();
        let (from, to) = (self.at(0).0, self.at(self.x.len().saturating_sub(1)).0);
        let area = |y: &[f64]| RateCurve { x: &self.x, y, e: y }.area(from, to);
        let mean = area(&moments) / area(&self.y);
        mean.is_finite().then_some(mean)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn gauss(centre: f64, sigma: f64, background: f64) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let x: Vec<f64> = (0..400).map(|i| 900.0 + 0.5 * f64::from(i)).collect();
        let y: Vec<f64> = x
            .iter()
            .map(|x| background + 1e4 * (-0.5 * ((x - centre) / sigma).powi(2)).exp())
            .collect();
        let e = y.iter().map(|y| y.sqrt()).collect();
        (x, y, e)
    }

    #[test]
    fn a_gaussian_has_its_centre_and_width() {
        let (x, y, e) = gauss(1003.3, 6.0, 40.0);
        let peak = RateCurve { x: &x, y: &y, e: &e }.peak(4.0).unwrap();
        assert!((peak.mean().unwrap() - 1003.3).abs() < 0.05);
        assert!((peak.width() - 2.354_820 * 6.0).abs() < 0.2, "{}", peak.width());
    }

    #[test]
    fn what_has_no_peak_says_so() {
        let x = [1.0, 2.0, 3.0, 4.0];
        for y in [[5.0; 4], [1.0, 2.0, 3.0, 4.0], [f64::NAN; 4], [0.0; 4]] {
            assert!(
                RateCurve {
                    x: &x,
                    y: &y,
                    e: &[1.0; 4]
                }
                .peak(4.0)
                .is_err(),
                "{y:?}"
            );
        }
        assert!(RateCurve { x: &[], y: &[], e: &[] }.peak(4.0).is_err());
    }
}
