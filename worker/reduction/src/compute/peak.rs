//! A peak in a monitor's count rate: where it is and how wide. Promises: a spectrum without a clear peak is said to
//! have none; any numbers are taken, also NaN. Must not know workspaces.

/// How many standard deviations a point must lie below the threshold to end the peak.
const SIGNIFICANCE: f64 = 2.0;
/// The background is taken on each side over this share of the peak's width.
const BACKGROUND: f64 = 0.5;

/// Count rates at times, with their standard deviations; all of one length.
#[derive(Clone, Copy)]
pub(crate) struct Points<'a> {
    pub x: &'a [f64],
    pub y: &'a [f64],
    pub e: &'a [f64],
}

/// A peak without its background.
pub(crate) struct Peak {
    x: Vec<f64>,
    y: Vec<f64>,
    top: usize,
}

impl Points<'_> {
    fn at(&self, index: usize) -> (f64, f64, f64) {
        let of = |values: &[f64]| values.get(index).copied().unwrap_or(f64::NAN);
        (of(self.x), of(self.y), of(self.e))
    }

    /// The slope at a point that has neighbours, and its uncertainty.
    fn slope(&self, index: usize) -> (f64, f64) {
        let ((x0, y0, e0), (x1, y1, e1), (x2, y2, e2)) =
            (self.at(index.wrapping_sub(1)), self.at(index), self.at(index + 1));
        let (before, after) = (x1 - x0, x2 - x1);
        let slope = 0.5 * ((y2 - y1) / after + (y1 - y0) / before);
        let variance = (e2 * e2 + e1 * e1) / (after * after) + (e1 * e1 + e0 * e0) / (before * before)
            - 2.0 * e1 * e1 / (after * before);
        (slope, 0.5 * variance.max(0.0).sqrt())
    }

    /// The area between two X, where the points are joined by straight lines.
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

    /// The peak around the highest point: as far as the rate falls significantly, down to 1/`prominence` of its height
    /// or below.
    pub(crate) fn peak(&self, prominence: f64) -> Result<Peak, String> {
        let count = self.x.len();
        let finite = |index: &usize| self.at(*index).1.is_finite();
        let by_height = |a: &usize, b: &usize| self.at(*a).1.total_cmp(&self.at(*b).1);
        // Of equal heights the first counts.
        let top = (0..count).rev().filter(finite).max_by(by_height);
        let lowest = (0..count).filter(finite).min_by(by_height);
        let (Some(top), Some(lowest)) = (top, lowest) else {
            return Err("there are no counts in the range".to_owned());
        };
        let floor = self.at(lowest).1;
        let (_, highest, uncertainty) = self.at(top);
        let height = highest - floor;
        if !(height > 0.0) {
            return Err(
                "No peak in the range specified as minimal and maximal values of the function are equal".to_owned(),
            );
        }
        let ended = |index: &usize| {
            let (_, y, e) = self.at(*index);
            let ratio = (y - floor) / height;
            let error = e.hypot(ratio * uncertainty) / height;
            ratio < 1.0 / prominence - SIGNIFICANCE * error
        };
        let ends = (0..top).rev().find(ended).zip((top + 1..count).find(ended));
        let Some((left, right)) = ends else {
            return Err("No peak found in data that satisfies prominence criterion".to_owned());
        };
        // Further out, as long as the rate still falls by more than its uncertainty.
        let flat_right = |index: &usize| {
            let (slope, error) = self.slope(*index);
            !(slope < -error)
        };
        let flat_left = |index: &usize| {
            let (slope, error) = self.slope(*index);
            !(slope > error)
        };
        let right = (right..count - 1).find(flat_right).unwrap_or(count - 1);
        let left = (1..=left).rev().find(flat_left).unwrap_or(0);
        let (first, last) = (self.at(left).0, self.at(right).0);
        let reach = BACKGROUND * (last - first);
        let (mut sum, mut length) = (0.0, 0.0);
        if left > 0 {
            let from = (first - reach).max(self.at(0).0);
            sum += self.area(from, first);
            length += first - from;
        }
        if right < count - 1 {
            let to = (last + reach).min(self.at(count - 1).0);
            sum += self.area(last, to);
            length += to - last;
        }
        let background = if length > 0.0 { sum / length } else { 0.0 };
        Ok(Peak {
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
}

impl Peak {
    fn at(&self, index: usize) -> (f64, f64) {
        let of = |values: &[f64]| values.get(index).copied().unwrap_or(f64::NAN);
        (of(&self.x), of(&self.y))
    }

    /// The width at half height.
    pub(crate) fn width(&self) -> f64 {
        let half = 0.5 * self.at(self.top).1;
        let above = |index: &usize| self.at(*index).1 > half;
        let below = |index: &usize| self.at(*index).1 < half;
        let last = self.x.len().saturating_sub(1);
        // Between the last point before the rate first drops below half, and the first after which it stays there.
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

    fn crossing(&self, inner: usize, outer: usize, half: f64) -> f64 {
        let ((x1, y1), (x2, y2)) = (self.at(inner), self.at(outer));
        x2 + (x1 - x2) * (half - y2) / (y1 - y2)
    }

    /// The mean X, weighted by the rate; `None` when the peak has no area.
    pub(crate) fn mean(&self) -> Option<f64> {
        let moments: Vec<f64> = self.x.iter().zip(&self.y).map(|(x, y)| x * y).collect();
        let (from, to) = (self.at(0).0, self.at(self.x.len().saturating_sub(1)).0);
        let area = |y: &[f64]| Points { x: &self.x, y, e: y }.area(from, to);
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
        let peak = Points { x: &x, y: &y, e: &e }.peak(4.0).unwrap();
        assert!((peak.mean().unwrap() - 1003.3).abs() < 0.05);
        assert!((peak.width() - 2.354_820 * 6.0).abs() < 0.2, "{}", peak.width());
    }

    #[test]
    fn what_has_no_peak_says_so() {
        let x = [1.0, 2.0, 3.0, 4.0];
        for y in [[5.0; 4], [1.0, 2.0, 3.0, 4.0], [f64::NAN; 4], [0.0; 4]] {
            assert!(
                Points {
                    x: &x,
                    y: &y,
                    e: &[1.0; 4]
                }
                .peak(4.0)
                .is_err(),
                "{y:?}"
            );
        }
        assert!(Points { x: &[], y: &[], e: &[] }.peak(4.0).is_err());
    }
}
