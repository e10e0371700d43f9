//! Statistics of time series. Promises: pure functions of times and values; NaNs give NaNs, never a panic.
//!
//! Source: Mantid's `TimeSeriesPropertyStatistics`.

use super::time_roi::TimeRoi;
use crate::date_and_time::DateAndTime;

/// Statistics of a time series, in the unit of its values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimeSeriesPropertyStatistics {
    pub minimum: f64,
    pub maximum: f64,
    /// Plain mean ∑ vᵢ / n.
    pub mean: f64,
    /// Middle value, or the mean of both middle ones.
    pub median: f64,
    /// √(∑ (vᵢ − mean)² / n): the deviation of a population, not of a sample.
    pub standard_deviation: f64,
    /// Mean weighted by the time until the next value.
    pub time_mean: f64,
    /// Standard deviation about `time_mean` with the same weights.
    pub time_standard_deviation: f64,
    /// Seconds from the first value to the last.
    pub duration: f64,
}

impl TimeSeriesPropertyStatistics {
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

/// Time-weighted mean and standard deviation of a step function over its span, or over intervals; `None` without values.
///
/// mean = ∑ vᵢ Δtᵢ / ∑ Δtᵢ and σ² = ∑ vᵢ² Δtᵢ / ∑ Δtᵢ − mean², Δtᵢ the time until the next value, s. Plain mean and
/// deviation when ∑ Δtᵢ is 0.
pub(crate) fn time_average(times: &[DateAndTime], values: &[f64], intervals: Option<&TimeRoi>) -> Option<(f64, f64)> {
    let (first, last) = (*times.first()?, *times.last()?);
    let whole: TimeRoi = [(first, last)].into();
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
            let duration = to.seconds_since(from).max(0.0);
            weight += duration;
            sum += value * duration;
            squares += value * value * duration;
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
