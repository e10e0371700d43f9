//! The logs of a run: single values and time series by name. Promises: names are found as given; the charge and the
//! run number are read as scripts expect them; must not know where logs come from.

pub(crate) mod logs_of_run;
pub mod series;
pub mod statistics;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::date_and_time::DateAndTime;
use crate::error::{AlgorithmError, Result, failed};
pub use series::{Intervals, SeriesValues, TimeSeries};

/// The log that holds the charge, µAh.
pub const GOOD_CHARGE: &str = "gd_prtn_chrg";
/// The time series of the charge of each pulse.
pub const PULSE_CHARGE: &str = "proton_charge";

/// The value of a log.
#[derive(Debug, Clone, PartialEq)]
pub enum LogValue {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text.
    Str(String),
    /// A truth value.
    Bool(bool),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f64>),
    /// Values over time.
    Series(TimeSeries),
}

/// One log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogProperty {
    /// Its value.
    pub value: LogValue,
    /// The unit of its value; empty when it is not known.
    pub units: String,
}

impl LogProperty {
    /// A log without a unit.
    pub fn new(value: LogValue) -> Self {
        Self {
            value,
            units: String::new(),
        }
    }

    /// With a unit.
    pub fn with_units(mut self, units: &str) -> Self {
        units.clone_into(&mut self.units);
        self
    }

    /// The value as one number: a time series' average over time, `None` for what is no number.
    pub fn number(&self) -> Option<f64> {
        match &self.value {
            LogValue::Int(v) => Some(*v as f64),
            LogValue::Float(v) => Some(*v),
            LogValue::Bool(v) => Some(f64::from(u8::from(*v))),
            LogValue::Series(series) => series.time_average(),
            LogValue::Str(text) => text.trim().parse().ok(),
            LogValue::Floats(values) if values.len() == 1 => values.first().copied(),
            LogValue::Ints(values) if values.len() == 1 => values.first().map(|v| *v as f64),
            LogValue::Ints(_) | LogValue::Floats(_) => None,
        }
    }

    /// The value as text: numbers as digits, a series as one line for each value.
    pub fn text(&self) -> String {
        fn join<T: ToString>(items: &[T]) -> String {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        match &self.value {
            LogValue::Int(v) => v.to_string(),
            LogValue::Float(v) => v.to_string(),
            LogValue::Str(text) => text.clone(),
            LogValue::Bool(v) => if *v { "1" } else { "0" }.to_owned(),
            LogValue::Ints(items) => join(items),
            LogValue::Floats(items) => join(items),
            LogValue::Series(series) => series.to_text(),
        }
    }
}

/// The logs of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// In the order in which they were added, which is how scripts list them; shared between workspaces until one of
    /// them changes a log.
    logs: IndexMap<String, Arc<LogProperty>>,
    /// The intervals to which filtered values are limited, when a filter was applied.
    filter: Option<Intervals>,
    /// The goniometer's rotation, row by row; the identity when none was set.
    goniometer: Option<[[f64; 3]; 3]>,
}

impl Run {
    /// The names of the logs, in the order in which they were added.
    pub fn names(&self) -> Vec<&str> {
        self.logs.keys().map(String::as_str).collect()
    }

    /// Names and logs, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LogProperty)> {
        self.logs.iter().map(|(name, log)| (name.as_str(), &**log))
    }

    /// Whether there is a log of this name.
    pub fn has(&self, name: &str) -> bool {
        self.logs.contains_key(name)
    }

    /// The log of this name, if there is one.
    pub fn get(&self, name: &str) -> Option<&LogProperty> {
        self.logs.get(name).map(|log| &**log)
    }

    /// The log of this name.
    ///
    /// # Errors
    /// `Execution` when there is none.
    pub fn property(&self, name: &str) -> Result<&LogProperty> {
        self.get(name)
            .ok_or_else(|| AlgorithmError::Execution(format!("Unknown property search object {name}")))
    }

    /// Sets a log, in place of one that may be there.
    pub fn set(&mut self, name: &str, log: LogProperty) {
        self.logs.insert(name.to_owned(), Arc::new(log));
    }

    /// Sets a number.
    pub fn set_number(&mut self, name: &str, value: f64, units: &str) {
        self.set(name, LogProperty::new(LogValue::Float(value)).with_units(units));
    }

    /// Sets a text.
    pub fn set_text(&mut self, name: &str, value: &str) {
        self.set(name, LogProperty::new(LogValue::Str(value.to_owned())));
    }

    /// Removes a log. Returns it, if there was one.
    pub fn remove(&mut self, name: &str) -> Option<LogProperty> {
        self.logs.shift_remove(name).map(Arc::unwrap_or_clone)
    }

    /// The time series of this name, if there is one.
    pub fn series(&self, name: &str) -> Option<&TimeSeries> {
        match &self.get(name)?.value {
            LogValue::Series(series) => Some(series),
            _ => None,
        }
    }

    /// The time series of this name, to be changed, if there is one.
    pub fn series_mut(&mut self, name: &str) -> Option<&mut TimeSeries> {
        match &mut Arc::make_mut(self.logs.get_mut(name)?).value {
            LogValue::Series(series) => Some(series),
            _ => None,
        }
    }

    /// A log as one number; see `LogProperty::number`.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    /// A log as text.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(LogProperty::text)
    }

    /// The run number: the digits of the log `run_number`; 0 when there is none.
    pub fn run_number(&self) -> i64 {
        let digits: String = self
            .text("run_number")
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap_or_default()
    }

    /// The start: `start_time`, else `run_start`.
    ///
    /// # Errors
    /// When neither is a time.
    pub fn start_time(&self) -> Result<DateAndTime> {
        self.time_of(&["start_time", "run_start"])
            .ok_or_else(|| AlgorithmError::Execution("No valid start time has been set for this run.".to_owned()))
    }

    /// The end: `end_time`, else `run_end`.
    ///
    /// # Errors
    /// When neither is a time.
    pub fn end_time(&self) -> Result<DateAndTime> {
        self.time_of(&["end_time", "run_end"])
            .ok_or_else(|| AlgorithmError::Execution("No valid end time has been set for this run.".to_owned()))
    }

    fn time_of(&self, names: &[&str]) -> Option<DateAndTime> {
        names.iter().find_map(|name| match &self.get(name)?.value {
            LogValue::Str(text) => DateAndTime::parse(text),
            _ => None,
        })
    }

    /// The charge, µAh: `gd_prtn_chrg`, else the sum of `proton_charge`; 0 when neither is there.
    pub fn proton_charge(&self) -> f64 {
        self.number_or_none(GOOD_CHARGE)
            .or_else(|| self.integrated_charge())
            .unwrap_or_default()
    }

    fn number_or_none(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(LogProperty::number)
    }

    /// The sum of `proton_charge`, µAh: a series in pC is converted.
    pub fn integrated_charge(&self) -> Option<f64> {
        let log = self.get(PULSE_CHARGE)?;
        let LogValue::Series(series) = &log.value else {
            return None;
        };
        let sum: f64 = series.filtered().numbers()?.iter().sum();
        Some(if is_picocoulomb(&log.units) {
            sum * 1e-6 / 3600.0
        } else {
            sum
        })
    }

    /// Limits filtered values of every series to intervals, or lifts the limit.
    pub fn set_filter(&mut self, filter: Option<Intervals>) {
        for log in self.logs.values_mut() {
            if matches!(log.value, LogValue::Series(_))
                && let LogValue::Series(series) = &mut Arc::make_mut(log).value
            {
                series.set_filter(filter.clone());
            }
        }
        self.filter = filter;
    }

    /// Keeps only what lies in the intervals, in every series (a series of one value is kept whole), and computes the
    /// charge anew.
    pub fn crop(&mut self, intervals: &Intervals) {
        for (name, log) in &mut self.logs {
            let cropped = match &log.value {
                LogValue::Series(series) if series.len() > 1 || name == PULSE_CHARGE => series.within(intervals),
                _ => continue,
            };
            *log = Arc::new(LogProperty {
                value: LogValue::Series(cropped),
                units: log.units.clone(),
            });
        }
        if let Some(charge) = self.integrated_charge() {
            self.set_number(GOOD_CHARGE, charge, "uA.hour");
        }
    }

    /// The goniometer's rotation, row by row.
    pub fn goniometer(&self) -> [[f64; 3]; 3] {
        self.goniometer
            .unwrap_or([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    }

    /// Sets the goniometer's rotation.
    pub fn set_goniometer(&mut self, rotation: [[f64; 3]; 3]) {
        self.goniometer = Some(rotation);
    }

    /// Adds the logs of another run: series are joined, what accumulates is summed, other logs stay.
    pub fn merge(&mut self, other: &Self) {
        const SUMMED: &[&str] = &[
            "gd_prtn_chrg",
            "tot_prtn_chrg",
            "rawfrm",
            "goodfrm",
            "dur",
            "gd_prtn_chrg_by_period",
            "uA.hour",
        ];
        for (name, log) in &other.logs {
            let summed = SUMMED.contains(&name.as_str()) || (name.starts_with("monitor") && name.ends_with("_counts"));
            match (self.logs.get_mut(name), &log.value) {
                (None, LogValue::Series(_)) => {
                    self.logs.insert(name.clone(), log.clone());
                }
                (Some(mine), LogValue::Series(theirs)) => {
                    if let LogValue::Series(series) = &mut Arc::make_mut(mine).value {
                        series.join(theirs);
                    }
                }
                (Some(mine), theirs) if summed => match (&mut Arc::make_mut(mine).value, theirs) {
                    (LogValue::Int(a), LogValue::Int(b)) => *a = a.saturating_add(*b),
                    (LogValue::Float(a), LogValue::Float(b)) => *a += b,
                    (LogValue::Float(a), LogValue::Int(b)) => *a += *b as f64,
                    (value @ LogValue::Int(_), LogValue::Float(b)) => {
                        let a = if let LogValue::Int(a) = value { *a as f64 } else { 0.0 };
                        *value = LogValue::Float(a + b);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// Adds one value to a series, which is made if it is not there.
    ///
    /// # Errors
    /// When the log is there and is no series of such values.
    pub fn append(&mut self, name: &str, time: DateAndTime, value: &LogValue) -> Result<()> {
        let Some(log) = self.logs.get_mut(name) else {
            let Some(series) = TimeSeries::single(time, value) else {
                return failed(format!("the log {name} can take no such value"));
            };
            self.set(name, LogProperty::new(LogValue::Series(series)));
            return Ok(());
        };
        match &mut Arc::make_mut(log).value {
            LogValue::Series(series) => match series.push(time, value) {
                true => Ok(()),
                false => failed(format!(
                    "Log '{name}' exists but the values are not of a compatible type"
                )),
            },
            _ => failed(format!(
                "Log '{name}' already exists but is not a time series. Use DeleteExisting=True to replace it."
            )),
        }
    }
}

fn is_picocoulomb(units: &str) -> bool {
    let units = units.to_ascii_lowercase();
    units.contains("picocoulomb") || units == "pc"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn series(values: &[f64]) -> LogProperty {
        let times = (0..values.len())
            .map(|i| DateAndTime::from_nanoseconds(i as i64 * 1_000_000_000))
            .collect();
        LogProperty::new(LogValue::Series(
            TimeSeries::new(times, SeriesValues::Floats(values.to_vec())).unwrap(),
        ))
    }

    #[test]
    fn charge_comes_from_the_total_else_from_the_pulses() {
        let mut run = Run::default();
        assert_eq!(run.proton_charge(), 0.0);
        run.set(PULSE_CHARGE, series(&[1.8e9, 1.8e9]).with_units("picoCoulomb"));
        assert!((run.proton_charge() - 1.0).abs() < 1e-12);
        run.set_number(GOOD_CHARGE, 10.0, "uA.hour");
        assert_eq!(run.proton_charge(), 10.0);
    }

    #[test]
    fn merging_sums_what_accumulates_and_joins_series() {
        let (mut a, mut b) = (Run::default(), Run::default());
        for run in [&mut a, &mut b] {
            run.set_number(GOOD_CHARGE, 1.5, "");
            run.set_text("run_title", "one");
            run.set("temp", series(&[1.0, 2.0]));
        }
        b.set_text("run_title", "two");
        a.merge(&b);
        assert_eq!(a.number(GOOD_CHARGE), Some(3.0));
        assert_eq!(a.text("run_title").unwrap(), "one");
        assert_eq!(a.series("temp").unwrap().len(), 4);
    }

    #[test]
    fn logs_are_listed_as_they_were_added() {
        let (mut a, mut b) = (Run::default(), Run::default());
        for name in ["start", "end", "angle"] {
            a.set_text(name, "x");
        }
        for name in ["angle", "start", "end"] {
            b.set_text(name, "x");
        }
        a.set_text("start", "x");
        assert_eq!(a.names(), ["start", "end", "angle"]);
        assert_eq!(a, b);
        a.remove("start");
        assert_eq!(a.names(), ["end", "angle"]);
    }

    #[test]
    fn run_numbers_are_digits() {
        let mut run = Run::default();
        run.set_text("run_number", "MERLIN71617");
        assert_eq!(run.run_number(), 71617);
    }
}
