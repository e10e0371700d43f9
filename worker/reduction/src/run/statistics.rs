//! Statistics of values over time. Promises: pure functions of times and values; NaNs give NaNs, never a panic.

use crate::date_and_time::DateAndTime;
use crate::run::series::Intervals;

/// Statistics of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// The smallest value.
    pub minimum: f64,
    /// The largest value.
    pub maximum: f64,
    /// The mean of the values.
    pub mean: f64,
    /// The median of the values.
    pub median: f64,
    /// The standard deviation of the values about their mean.
    pub standard_deviation: f64,
    /// The mean, each value weighted by how long it held.
    pub time_mean: f64,
    /// The standard deviation about that mean, weighted likewise.
    pub time_standard_deviation: f64,
    /// From the first value to the last, s.
    pub duration: f64,
}

impl Statistics {
    pub(crate) fn of(times: &[DateAndTime], values: &[f64], time_mean: f64, time_deviation: f64) -> Option<Self> {
        let count = values.len() as f64;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (minimum, maximum) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let upper = *sorted.get(middle)?;
        let median = if sorted.len() % 2 == 1 {
            upper
        } else {
            (upper + *sorted.get(middle.checked_sub(1)?)?) / 2.0
        };
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        Some(Self {
            minimum,
            maximum,
            mean,
            median,
            standard_deviation: variance.sqrt(),
            time_mean,
            time_standard_deviation: time_deviation,
            duration: times.last()?.seconds_since(*times.first()?),
        })
    }
}

/// Mean and standard deviation of a step function over its span, or over intervals. `None` when there is no value.
pub(crate) fn time_average(times: &[DateAndTime], values: &[f64], intervals: Option<&Intervals>) -> Option<(f64, f64)> {
    let (first, last) = (*times.first()?, *times.last()?);
    let whole: Intervals = [(first, last)].into();
    let intervals = intervals.unwrap_or(&whole);
    let (mut weight, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for (start, stop) in intervals.iter() {
        let mut index = times.partition_point(|t| *t <= *start).saturating_sub(1);
        while let Some(value) = values.get(index) {
            let from = times
                .get(index)
                .copied()
                .filter(|t| index > 0 && *t > *start)
                .unwrap_or(*start);
            let to = times.get(index + 1).copied().unwrap_or(*stop).min(*stop);
            let held = to.seconds_since(from).max(0.0);
            weight += held;
            sum += value * held;
            squares += value * value * held;
            index += 1;
            if times.get(index).is_none_or(|t| *t >= *stop) {
                break;
            }
        }
    }
    if weight <= 0.0 {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
        return Some((mean, variance.sqrt()));
    }
    let mean = sum / weight;
    Some((mean, (squares / weight - mean * mean).max(0.0).sqrt()))
}
