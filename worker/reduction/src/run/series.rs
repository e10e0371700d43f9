//! Time series of values. Promises: times are in ascending order (equal times in the order of insertion); a filter limits
//! what [`TimeSeriesProperty::filtered`] returns, not the stored values; clones share their values until one changes.
//! Deferred values are computed once, at the first read. Must not: know units.

use std::fmt;
use std::sync::{Arc, LazyLock};

use super::statistics::{self, TimeSeriesPropertyStatistics};
use super::time_roi::TimeRoi;
use crate::date_and_time::DateAndTime;

/// Values of a time series, all of one type.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesValues {
    Floats(Vec<f64>),
    Ints(Vec<i64>),
    Strs(Vec<String>),
    Bools(Vec<bool>),
}

impl SeriesValues {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Ints(values) => values.len(),
            Self::Strs(values) => values.len(),
            Self::Bools(values) => values.len(),
        }
    }

    /// True without any value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn subset(&self, indices: &[usize]) -> Self {
        fn at_indices<T: Clone>(values: &[T], indices: &[usize]) -> Vec<T> {
            indices.iter().filter_map(|index| values.get(*index)).cloned().collect()
        }
        match self {
            Self::Floats(values) => Self::Floats(at_indices(values, indices)),
            Self::Ints(values) => Self::Ints(at_indices(values, indices)),
            Self::Strs(values) => Self::Strs(at_indices(values, indices)),
            Self::Bools(values) => Self::Bools(at_indices(values, indices)),
        }
    }

    fn truncate(&mut self, length: usize) {
        match self {
            Self::Floats(values) => values.truncate(length),
            Self::Ints(values) => values.truncate(length),
            Self::Strs(values) => values.truncate(length),
            Self::Bools(values) => values.truncate(length),
        }
    }
}

/// Times in ascending order, each with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SeriesPoints {
    pub(super) times: Vec<DateAndTime>,
    pub(super) values: SeriesValues,
}

impl SeriesPoints {
    fn new(times: Vec<DateAndTime>, values: SeriesValues) -> Self {
        let mut points = Self { times, values };
        points.sort();
        points
    }

    pub(super) fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|index| self.times.get(*index));
        self.values = self.values.subset(&order);
        self.times.sort();
    }
}

/// Points computed at the first read.
pub(super) type DeferredPoints = LazyLock<SeriesPoints, Box<dyn FnOnce() -> SeriesPoints + Send + Sync>>;

#[derive(Clone)]
pub(super) enum SeriesStorage {
    Computed(Arc<SeriesPoints>),
    Deferred(Arc<DeferredPoints>),
}

impl SeriesStorage {
    fn points(&self) -> &SeriesPoints {
        match self {
            Self::Computed(points) => points,
            Self::Deferred(later) => later,
        }
    }

    /// Changes the points, after copying them if another series shares them.
    pub(super) fn change<R>(&mut self, change: impl FnOnce(&mut SeriesPoints) -> R) -> R {
        let nothing = Self::Computed(Arc::new(SeriesPoints {
            times: Vec::new(),
            values: SeriesValues::Floats(Vec::new()),
        }));
        let mut points = match std::mem::replace(self, nothing) {
            Self::Computed(points) => Arc::unwrap_or_clone(points),
            Self::Deferred(later) => SeriesPoints::clone(&later),
        };
        let answer = change(&mut points);
        *self = Self::Computed(Arc::new(points));
        answer
    }
}

/// Log with a value for each of several times: Mantid's `TimeSeriesProperty`.
#[derive(Clone)]
pub struct TimeSeriesProperty {
    pub(super) storage: SeriesStorage,
    filter: Option<TimeRoi>,
}

impl fmt::Debug for TimeSeriesProperty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("TimeSeriesProperty");
        // Debug output must not compute deferred points: it may run with a lock held.
        match &self.storage {
            SeriesStorage::Computed(points) => shown.field("points", points),
            SeriesStorage::Deferred(_) => shown.field("points", &"deferred"),
        };
        shown.field("filter", &self.filter).finish()
    }
}

impl PartialEq for TimeSeriesProperty {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.storage.points() == other.storage.points()
    }
}

impl TimeSeriesProperty {
    /// Series of values at times in any order; both of one length, else `None`.
    pub fn new(times: Vec<DateAndTime>, values: SeriesValues) -> Option<Self> {
        (times.len() == values.len()).then(|| Self::of(SeriesPoints::new(times, values)))
    }

    /// Series whose times and values are computed at the first read; entries beyond the shorter list are dropped.
    pub fn deferred(make: impl FnOnce() -> (Vec<DateAndTime>, SeriesValues) + Send + Sync + 'static) -> Self {
        let make = move || {
            let (mut times, mut values) = make();
            let length = times.len().min(values.len());
            times.truncate(length);
            values.truncate(length);
            SeriesPoints::new(times, values)
        };
        Self {
            storage: SeriesStorage::Deferred(Arc::new(LazyLock::new(Box::new(make)))),
            filter: None,
        }
    }

    fn of(points: SeriesPoints) -> Self {
        Self {
            storage: SeriesStorage::Computed(Arc::new(points)),
            filter: None,
        }
    }

    /// Number of values. Computes deferred values.
    pub fn len(&self) -> usize {
        self.times().len()
    }

    /// True without any value.
    pub fn is_empty(&self) -> bool {
        self.times().is_empty()
    }

    /// Times in ascending order.
    pub fn times(&self) -> &[DateAndTime] {
        &self.storage.points().times
    }

    /// Values in the order of their times.
    pub fn values(&self) -> &SeriesValues {
        &self.storage.points().values
    }

    /// Values as numbers, `true` as 1; `None` for texts.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match self.values() {
            SeriesValues::Floats(values) => Some(values.clone()),
            SeriesValues::Ints(values) => Some(values.iter().map(|v| *v as f64).collect()),
            SeriesValues::Bools(values) => Some(values.iter().map(|v| f64::from(u8::from(*v))).collect()),
            SeriesValues::Strs(_) => None,
        }
    }

    fn points_at(&self, indices: &[usize]) -> SeriesPoints {
        let SeriesPoints { times, values } = self.storage.points();
        SeriesPoints {
            times: indices.iter().filter_map(|index| times.get(*index)).copied().collect(),
            values: values.subset(indices),
        }
    }

    /// Values at ascending indices.
    pub(crate) fn subset(&self, indices: &[usize]) -> Self {
        Self {
            filter: self.filter.clone(),
            ..Self::of(self.points_at(indices))
        }
    }

    /// Inserts the values of another series; a series of another type is ignored.
    pub fn join(&mut self, other: &Self) {
        let other = other.storage.points();
        self.storage.change(|points| {
            match (&mut points.values, &other.values) {
                (SeriesValues::Floats(mine), SeriesValues::Floats(theirs)) => mine.extend_from_slice(theirs),
                (SeriesValues::Ints(mine), SeriesValues::Ints(theirs)) => mine.extend_from_slice(theirs),
                (SeriesValues::Strs(mine), SeriesValues::Strs(theirs)) => mine.extend_from_slice(theirs),
                (SeriesValues::Bools(mine), SeriesValues::Bools(theirs)) => mine.extend_from_slice(theirs),
                _ => return,
            }
            points.times.extend_from_slice(&other.times);
            points.sort();
        });
    }

    /// Removes all values; the type stays.
    pub fn clear(&mut self) {
        *self = Self::of(self.points_at(&[]));
    }

    /// Sets the intervals of [`Self::filtered`], or lifts the limit.
    pub fn set_filter(&mut self, filter: Option<TimeRoi>) {
        self.filter = filter;
    }

    /// Intervals that limit filtered values, if a filter is set.
    pub fn filter(&self) -> Option<&TimeRoi> {
        self.filter.as_ref()
    }

    /// Values inside the filter's intervals, and for each interval the value in force at its start.
    ///
    /// All values without a filter, and of a series of one value.
    pub fn filtered(&self) -> Self {
        let Some(filter) = self.filter.as_ref().filter(|_| self.len() > 1) else {
            return self.clone();
        };
        let mut indices = Vec::new();
        let mut times = Vec::new();
        for (start, stop) in filter.iter() {
            let first = self.times().partition_point(|t| *t < *start);
            let exact = self.times().get(first) == Some(start);
            if !exact && first > 0 {
                indices.push(first - 1);
                times.push(*start);
            }
            for index in first..self.times().partition_point(|t| *t < *stop) {
                if let Some(time) = self.times().get(index) {
                    indices.push(index);
                    times.push(*time);
                }
            }
        }
        Self::of(SeriesPoints {
            values: self.values().subset(&indices),
            times,
        })
    }

    /// Values whose times are inside the intervals, without filter.
    pub fn within(&self, intervals: &TimeRoi) -> Self {
        let mut indices = Vec::new();
        for (start, stop) in intervals.iter() {
            indices.extend(self.times().partition_point(|t| *t < *start)..self.times().partition_point(|t| *t < *stop));
        }
        indices.sort_unstable();
        indices.dedup();
        Self::of(self.points_at(&indices))
    }

    /// Time-weighted mean ∑ vᵢ Δtᵢ / ∑ Δtᵢ, where Δtᵢ is the time until the next value; the plain mean when ∑ Δtᵢ is 0.
    ///
    /// Of filtered values if a filter is set; `None` for texts and for an empty series. Source: Mantid's
    /// `TimeSeriesProperty::timeAverageValue`.
    ///
    /// ```
    /// # use live_data_reduction::date_and_time::DateAndTime;
    /// # use live_data_reduction::run::{SeriesValues, TimeSeriesProperty};
    /// let second = |s: i64| DateAndTime::from_nanoseconds(s * 1_000_000_000);
    /// // 1 for one second, then 3 for three seconds: (1·1 + 3·3) / 4.
    /// let times = vec![second(0), second(1), second(4)];
    /// let series = TimeSeriesProperty::new(times, SeriesValues::Floats(vec![1.0, 3.0, 100.0])).unwrap();
    /// assert_eq!(series.time_average(), Some(2.5));
    /// ```
    pub fn time_average(&self) -> Option<f64> {
        let numbers = self.numbers()?;
        statistics::time_average(self.times(), &numbers, self.filter.as_ref().filter(|_| self.len() > 1))
            .map(|(mean, _)| mean)
    }

    /// Statistics of filtered values; `None` for texts and for an empty series.
    pub fn statistics(&self) -> Option<TimeSeriesPropertyStatistics> {
        let filtered = self.filtered();
        let (mean, deviation) = statistics::time_average(
            self.times(),
            &self.numbers()?,
            self.filter.as_ref().filter(|_| self.len() > 1),
        )?;
        TimeSeriesPropertyStatistics::of(filtered.times(), &filtered.numbers()?, mean, deviation)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::run::property::LogPropertyValue;

    fn at(second: i64) -> DateAndTime {
        DateAndTime::from_nanoseconds(second * 1_000_000_000)
    }

    fn series(points: &[(i64, f64)]) -> TimeSeriesProperty {
        let times = points.iter().map(|(t, _)| at(*t)).collect();
        TimeSeriesProperty::new(times, SeriesValues::Floats(points.iter().map(|(_, v)| *v).collect())).unwrap()
    }

    #[test]
    fn values_are_ordered_by_time_and_doubles_kept() {
        let mut log = series(&[(5, 1.0), (2, 2.0)]);
        assert!(log.push(at(5), &LogPropertyValue::Float(3.0)));
        assert!(!log.push(at(6), &LogPropertyValue::Str("x".into())));
        assert_eq!(log.numbers().unwrap(), [2.0, 1.0, 3.0]);
        assert_eq!(log.value_at(at(4)), Some(LogPropertyValue::Float(2.0)));
        assert_eq!(log.value_at(at(0)), Some(LogPropertyValue::Float(2.0)));
    }

    #[test]
    fn what_is_made_later_is_made_once_and_only_when_looked_at() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let log = TimeSeriesProperty::deferred(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            (vec![at(5), at(2), at(9)], SeriesValues::Floats(vec![1.0, 2.0]))
        });
        let mut other = log.clone();
        other.set_filter(Some([(at(5), at(15))].into()));
        assert!(format!("{log:?}").contains("deferred"));
        assert_eq!(made.load(Ordering::Relaxed), 0);
        assert!(other.push(at(3), &LogPropertyValue::Float(7.0)));
        assert_eq!(other.numbers().unwrap(), [2.0, 7.0, 1.0]);
        assert_eq!(
            (log.times(), log.numbers().unwrap()),
            (&[at(2), at(5)][..], vec![2.0, 1.0])
        );
        assert_eq!(made.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn averages_weight_by_time() {
        let log = series(&[(0, 1.0), (1, 3.0), (4, 100.0)]);
        assert!((log.time_average().unwrap() - 2.5).abs() < 1e-12);
        let stats = log.statistics().unwrap();
        assert_eq!(
            (stats.minimum, stats.maximum, stats.median, stats.duration),
            (1.0, 100.0, 3.0, 4.0)
        );
    }

    #[test]
    fn a_filter_limits_what_is_returned_as_filtered() {
        let mut log = series(&[(0, 1.0), (10, 2.0), (20, 3.0)]);
        log.set_filter(Some([(at(5), at(15))].into()));
        let filtered = log.filtered();
        assert_eq!(filtered.numbers().unwrap(), [1.0, 2.0]);
        assert_eq!(filtered.times(), [at(5), at(10)]);
        assert!((log.time_average().unwrap() - 1.5).abs() < 1e-12);
        assert_eq!(log.len(), 3);
    }
}
