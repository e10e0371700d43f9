//! Values over time. Promises: times are in order whenever they are read (equal times keep the order in which they
//! were added); a filter limits what is returned as filtered, never what is held; copies share what they hold until one of
//! them changes. A series may be made of what makes its values: that is done once, when somebody looks. Must not know units.

use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::date_and_time::DateAndTime;
use crate::run::LogValue;
use crate::run::statistics::{self, Statistics};

/// Times from which and until which something holds, in order: `[start, stop)`.
pub type Intervals = std::sync::Arc<[(DateAndTime, DateAndTime)]>;

/// The values of a series.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesValues {
    /// Numbers.
    Floats(Vec<f64>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Texts.
    Strs(Vec<String>),
    /// Truth values.
    Bools(Vec<bool>),
}

impl SeriesValues {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Floats(values) => values.len(),
            Self::Ints(values) => values.len(),
            Self::Strs(values) => values.len(),
            Self::Bools(values) => values.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pick(&self, indices: &[usize]) -> Self {
        fn take<T: Clone>(values: &[T], indices: &[usize]) -> Vec<T> {
            indices.iter().filter_map(|index| values.get(*index)).cloned().collect()
        }
        match self {
            Self::Floats(values) => Self::Floats(take(values, indices)),
            Self::Ints(values) => Self::Ints(take(values, indices)),
            Self::Strs(values) => Self::Strs(take(values, indices)),
            Self::Bools(values) => Self::Bools(take(values, indices)),
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

    /// The value at an index.
    pub fn get(&self, index: usize) -> Option<LogValue> {
        match self {
            Self::Floats(values) => values.get(index).map(|v| LogValue::Float(*v)),
            Self::Ints(values) => values.get(index).map(|v| LogValue::Int(*v)),
            Self::Strs(values) => values.get(index).map(|v| LogValue::Str(v.clone())),
            Self::Bools(values) => values.get(index).map(|v| LogValue::Bool(*v)),
        }
    }

    /// Adds a value, converted if that loses nothing. `false` when it cannot be taken.
    fn push(&mut self, value: &LogValue) -> bool {
        match (self, value) {
            (Self::Floats(values), LogValue::Float(v)) => values.push(*v),
            (Self::Floats(values), LogValue::Int(v)) => values.push(*v as f64),
            (Self::Ints(values), LogValue::Int(v)) => values.push(*v),
            (Self::Ints(values), LogValue::Float(v)) if v.fract() == 0.0 => values.push(*v as i64),
            (Self::Strs(values), LogValue::Str(v)) => values.push(v.clone()),
            (Self::Bools(values), LogValue::Bool(v)) => values.push(*v),
            _ => return false,
        }
        true
    }
}

/// Values and their times, in order of the times.
#[derive(Debug, Clone, PartialEq)]
struct Points {
    times: Vec<DateAndTime>,
    values: SeriesValues,
}

impl Points {
    fn new(times: Vec<DateAndTime>, values: SeriesValues) -> Self {
        let mut points = Self { times, values };
        points.sort();
        points
    }

    fn sort(&mut self) {
        if self.times.is_sorted() {
            return;
        }
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        order.sort_by_key(|index| self.times.get(*index));
        self.values = self.values.pick(&order);
        self.times.sort();
    }
}

/// Points that are made when they are first looked at.
type Later = LazyLock<Points, Box<dyn FnOnce() -> Points + Send + Sync>>;

#[derive(Clone)]
enum Held {
    Points(Arc<Points>),
    Later(Arc<Later>),
}

impl Held {
    fn points(&self) -> &Points {
        match self {
            Self::Points(points) => points,
            Self::Later(later) => later,
        }
    }

    /// Changes the points; what others hold stays as it is.
    fn change<R>(&mut self, change: impl FnOnce(&mut Points) -> R) -> R {
        let nothing = Self::Points(Arc::new(Points {
            times: Vec::new(),
            values: SeriesValues::Floats(Vec::new()),
        }));
        let mut points = match std::mem::replace(self, nothing) {
            Self::Points(points) => Arc::unwrap_or_clone(points),
            Self::Later(later) => Points::clone(&later),
        };
        let answer = change(&mut points);
        *self = Self::Points(Arc::new(points));
        answer
    }
}

/// Values over time.
#[derive(Clone)]
pub struct TimeSeries {
    held: Held,
    filter: Option<Intervals>,
}

impl fmt::Debug for TimeSeries {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("TimeSeries");
        // Looking at a series must not make its points.
        match &self.held {
            Held::Points(points) => shown.field("points", points),
            Held::Later(_) => shown.field("points", &"not looked at yet"),
        };
        shown.field("filter", &self.filter).finish()
    }
}

impl PartialEq for TimeSeries {
    fn eq(&self, other: &Self) -> bool {
        self.filter == other.filter && self.held.points() == other.held.points()
    }
}

impl TimeSeries {
    /// A series of these values at these times, put in order. `None` when the lengths differ.
    pub fn new(times: Vec<DateAndTime>, values: SeriesValues) -> Option<Self> {
        (times.len() == values.len()).then(|| Self::of(Points::new(times, values)))
    }

    /// A series whose times and values are made when somebody looks at them; those beyond the shorter list are left out.
    pub fn later(make: impl FnOnce() -> (Vec<DateAndTime>, SeriesValues) + Send + Sync + 'static) -> Self {
        let make = move || {
            let (mut times, mut values) = make();
            let length = times.len().min(values.len());
            times.truncate(length);
            values.truncate(length);
            Points::new(times, values)
        };
        Self {
            held: Held::Later(Arc::new(LazyLock::new(Box::new(make)))),
            filter: None,
        }
    }

    fn of(points: Points) -> Self {
        Self {
            held: Held::Points(Arc::new(points)),
            filter: None,
        }
    }

    /// A series of one value; `None` when the value is a list.
    pub fn single(time: DateAndTime, value: &LogValue) -> Option<Self> {
        let values = match value {
            LogValue::Float(v) => SeriesValues::Floats(vec![*v]),
            LogValue::Int(v) => SeriesValues::Ints(vec![*v]),
            LogValue::Str(v) => SeriesValues::Strs(vec![v.clone()]),
            LogValue::Bool(v) => SeriesValues::Bools(vec![*v]),
            _ => return None,
        };
        Self::new(vec![time], values)
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.times().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.times().is_empty()
    }

    /// The times, in order.
    pub fn times(&self) -> &[DateAndTime] {
        &self.held.points().times
    }

    /// The values, in order of their times.
    pub fn values(&self) -> &SeriesValues {
        &self.held.points().values
    }

    /// The values as numbers; `None` for texts.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        match self.values() {
            SeriesValues::Floats(values) => Some(values.clone()),
            SeriesValues::Ints(values) => Some(values.iter().map(|v| *v as f64).collect()),
            SeriesValues::Bools(values) => Some(values.iter().map(|v| f64::from(u8::from(*v))).collect()),
            SeriesValues::Strs(_) => None,
        }
    }

    /// Adds a value. `false` when the series cannot take it.
    pub fn push(&mut self, time: DateAndTime, value: &LogValue) -> bool {
        self.held.change(|points| {
            let taken = points.values.push(value);
            if taken {
                points.times.push(time);
                points.sort();
            }
            taken
        })
    }

    fn pick(&self, indices: &[usize]) -> Points {
        let Points { times, values } = self.held.points();
        Points {
            times: indices.iter().filter_map(|index| times.get(*index)).copied().collect(),
            values: values.pick(indices),
        }
    }

    /// The values at these indices, in their order.
    pub(crate) fn picked(&self, indices: &[usize]) -> Self {
        Self {
            filter: self.filter.clone(),
            ..Self::of(self.pick(indices))
        }
    }

    /// Adds the values of another series of the same kind; others are ignored.
    pub fn join(&mut self, other: &Self) {
        let other = other.held.points();
        self.held.change(|points| {
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

    /// Removes everything.
    pub fn clear(&mut self) {
        *self = Self::of(self.pick(&[]));
    }

    /// The value that held at a time: the last at or before it, else the first. `None` when the series is empty.
    pub fn at(&self, time: DateAndTime) -> Option<LogValue> {
        let after = self.times().partition_point(|t| *t <= time);
        self.values().get(after.saturating_sub(1))
    }

    /// Limits filtered values to intervals, or lifts the limit.
    pub fn set_filter(&mut self, filter: Option<Intervals>) {
        self.filter = filter;
    }

    /// The intervals that filtered values are limited to.
    pub fn filter(&self) -> Option<&Intervals> {
        self.filter.as_ref()
    }

    /// The values that a filter leaves, and for each interval the value that held at its start. Everything when there
    /// is no filter, or a single value.
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
        Self::of(Points {
            values: self.values().pick(&indices),
            times,
        })
    }

    /// The values whose times lie in the intervals.
    pub fn within(&self, intervals: &Intervals) -> Self {
        let mut indices = Vec::new();
        for (start, stop) in intervals.iter() {
            indices.extend(self.times().partition_point(|t| *t < *start)..self.times().partition_point(|t| *t < *stop));
        }
        indices.sort_unstable();
        indices.dedup();
        Self::of(self.pick(&indices))
    }

    /// The average over time, each value weighted by how long it held until the next; the plain mean when no time
    /// passed. Of filtered values, when there is a filter. `None` for texts and for an empty series.
    pub fn time_average(&self) -> Option<f64> {
        let numbers = self.numbers()?;
        statistics::time_average(self.times(), &numbers, self.filter.as_ref().filter(|_| self.len() > 1))
            .map(|(mean, _)| mean)
    }

    /// Minimum, maximum, mean and so on, of filtered values when there is a filter.
    pub fn statistics(&self) -> Option<Statistics> {
        let filtered = self.filtered();
        let (mean, deviation) = statistics::time_average(
            self.times(),
            &self.numbers()?,
            self.filter.as_ref().filter(|_| self.len() > 1),
        )?;
        Statistics::of(filtered.times(), &filtered.numbers()?, mean, deviation)
    }

    /// One line for each value: time and value.
    pub fn to_text(&self) -> String {
        let mut lines = Vec::with_capacity(self.len());
        for (index, time) in self.times().iter().enumerate() {
            let value = self
                .values()
                .get(index)
                .map(|v| crate::run::LogProperty::new(v).text())
                .unwrap_or_default();
            lines.push(format!("{}  {value}", time.to_simple()));
        }
        let mut text = lines.join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(second: i64) -> DateAndTime {
        DateAndTime::from_nanoseconds(second * 1_000_000_000)
    }

    fn series(points: &[(i64, f64)]) -> TimeSeries {
        let times = points.iter().map(|(t, _)| at(*t)).collect();
        TimeSeries::new(times, SeriesValues::Floats(points.iter().map(|(_, v)| *v).collect())).unwrap()
    }

    #[test]
    fn values_are_ordered_by_time_and_doubles_kept() {
        let mut log = series(&[(5, 1.0), (2, 2.0)]);
        assert!(log.push(at(5), &LogValue::Float(3.0)));
        assert!(!log.push(at(6), &LogValue::Str("x".into())));
        assert_eq!(log.numbers().unwrap(), [2.0, 1.0, 3.0]);
        assert_eq!(log.at(at(4)), Some(LogValue::Float(2.0)));
        assert_eq!(log.at(at(0)), Some(LogValue::Float(2.0)));
    }

    #[test]
    fn what_is_made_later_is_made_once_and_only_when_looked_at() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let made = Arc::new(AtomicUsize::new(0));
        let counter = made.clone();
        let log = TimeSeries::later(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            (vec![at(5), at(2), at(9)], SeriesValues::Floats(vec![1.0, 2.0]))
        });
        let mut other = log.clone();
        other.set_filter(Some([(at(5), at(15))].into()));
        assert!(format!("{log:?}").contains("not looked at"));
        assert_eq!(made.load(Ordering::Relaxed), 0);
        assert!(other.push(at(3), &LogValue::Float(7.0)));
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
