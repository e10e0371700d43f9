//! Logs as properties of a run, and the scalar values of time series. Promises: conversions lose nothing or fail. Must
//! not: know names of logs.

use super::series::{SeriesValues, TimeSeriesProperty};
use crate::date_and_time::DateAndTime;

/// Value of a log: a scalar, a list or a time series.
#[derive(Debug, Clone, PartialEq)]
pub enum LogPropertyValue {
    Int(i64),
    Float(f64),
    Str(String),
    Bool(bool),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Series(TimeSeriesProperty),
}

/// Log of a run: its value with the unit, Mantid's `Property`.
#[derive(Debug, Clone, PartialEq)]
pub struct LogProperty {
    pub value: LogPropertyValue,
    /// Unit as the sender spells it; empty when unknown.
    pub units: String,
}

impl LogProperty {
    /// Log without a unit; [`Self::with_units`] sets one.
    pub fn new(value: LogPropertyValue) -> Self {
        Self {
            value,
            units: String::new(),
        }
    }

    /// Sets the unit, in the sender's spelling.
    pub fn with_units(mut self, units: &str) -> Self {
        units.clone_into(&mut self.units);
        self
    }

    /// Value as one number; `None` for other texts and for lists of more than one value.
    ///
    /// A time series gives its [time average](TimeSeriesProperty::time_average), a text the number that it spells.
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            LogPropertyValue::Int(v) => Some(*v as f64),
            LogPropertyValue::Float(v) => Some(*v),
            LogPropertyValue::Bool(v) => Some(f64::from(u8::from(*v))),
            LogPropertyValue::Series(series) => series.time_average(),
            LogPropertyValue::Str(text) => text.trim().parse().ok(),
            LogPropertyValue::Floats(values) if values.len() == 1 => values.first().copied(),
            LogPropertyValue::Ints(values) if values.len() == 1 => values.first().map(|v| *v as f64),
            LogPropertyValue::Ints(_) | LogPropertyValue::Floats(_) => None,
        }
    }

    /// Value as text: lists joined by commas, a series as one line for each value, `true` as 1.
    pub fn text(&self) -> String {
        fn join<T: ToString>(items: &[T]) -> String {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        match &self.value {
            LogPropertyValue::Int(v) => v.to_string(),
            LogPropertyValue::Float(v) => v.to_string(),
            LogPropertyValue::Str(text) => text.clone(),
            LogPropertyValue::Bool(v) => if *v { "1" } else { "0" }.to_owned(),
            LogPropertyValue::Ints(items) => join(items),
            LogPropertyValue::Floats(items) => join(items),
            LogPropertyValue::Series(series) => series.to_text(),
        }
    }
}

impl SeriesValues {
    /// Value at an index; `None` outside.
    pub fn get(&self, index: usize) -> Option<LogPropertyValue> {
        match self {
            Self::Floats(values) => values.get(index).map(|v| LogPropertyValue::Float(*v)),
            Self::Ints(values) => values.get(index).map(|v| LogPropertyValue::Int(*v)),
            Self::Strs(values) => values.get(index).map(|v| LogPropertyValue::Str(v.clone())),
            Self::Bools(values) => values.get(index).map(|v| LogPropertyValue::Bool(*v)),
        }
    }

    /// Appends a value, converted between integer and number where that is exact. `false` for another type.
    pub(super) fn push(&mut self, value: &LogPropertyValue) -> bool {
        match (self, value) {
            (Self::Floats(values), LogPropertyValue::Float(v)) => values.push(*v),
            (Self::Floats(values), LogPropertyValue::Int(v)) => values.push(*v as f64),
            (Self::Ints(values), LogPropertyValue::Int(v)) => values.push(*v),
            (Self::Ints(values), LogPropertyValue::Float(v)) if v.fract() == 0.0 => values.push(*v as i64),
            (Self::Strs(values), LogPropertyValue::Str(v)) => values.push(v.clone()),
            (Self::Bools(values), LogPropertyValue::Bool(v)) => values.push(*v),
            _ => return false,
        }
        true
    }
}

impl TimeSeriesProperty {
    /// Series of one scalar value; `None` for lists and series.
    pub fn single(time: DateAndTime, value: &LogPropertyValue) -> Option<Self> {
        let values = match value {
            LogPropertyValue::Float(v) => SeriesValues::Floats(vec![*v]),
            LogPropertyValue::Int(v) => SeriesValues::Ints(vec![*v]),
            LogPropertyValue::Str(v) => SeriesValues::Strs(vec![v.clone()]),
            LogPropertyValue::Bool(v) => SeriesValues::Bools(vec![*v]),
            _ => return None,
        };
        Self::new(vec![time], values)
    }

    /// Inserts a value in order of time. `false`, and no change, when the value is of another type.
    pub fn push(&mut self, time: DateAndTime, value: &LogPropertyValue) -> bool {
        self.storage.change(|points| {
            let accepted = points.values.push(value);
            if accepted {
                points.times.push(time);
                points.sort();
            }
            accepted
        })
    }

    /// Value in force at a time: the last at or before it, else the first. `None` when the series is empty.
    pub fn value_at(&self, time: DateAndTime) -> Option<LogPropertyValue> {
        let after = self.times().partition_point(|t| *t <= time);
        self.values().get(after.saturating_sub(1))
    }

    /// One line for each value: time, two spaces, value.
    pub fn to_text(&self) -> String {
        let mut lines = Vec::with_capacity(self.len());
        for (index, time) in self.times().iter().enumerate() {
            let value = self
                .values()
                .get(index)
                .map(|v| LogProperty::new(v).text())
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
