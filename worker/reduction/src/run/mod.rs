//! Logs of a run: single values and time series by name. Promises: charge and run number follow Mantid's `Run`. Must
//! not: know the origin of logs.
//!
//! # Layout
//! [`time_roi`] → [`statistics`] → [`series`] → [`property`] → [`Run`] here; `live_logs` fills one from a snapshot.

pub(crate) mod live_logs;
pub mod property;
pub mod series;
pub mod statistics;
pub mod time_roi;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::date_and_time::DateAndTime;
use crate::error::{AlgorithmError, Result, failed};
pub use property::{LogProperty, LogPropertyValue};
pub use series::{SeriesValues, TimeSeriesProperty};
pub use time_roi::TimeRoi;

/// Log with the proton charge of the good frames, µA·h.
pub const GOOD_CHARGE: &str = "gd_prtn_chrg";
/// Time series of the proton charge of each pulse, µA·h or pC by its unit.
pub const PULSE_CHARGE: &str = "proton_charge";

/// Logs and goniometer of a run: Mantid's `Run`. Names are case-sensitive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// In order of insertion, which scripts see; each log is shared between workspaces until one changes it.
    logs: IndexMap<String, Arc<LogProperty>>,
    filter: Option<TimeRoi>,
    /// Rotation matrix by rows; the identity when unset.
    goniometer: Option<[[f64; 3]; 3]>,
}

impl Run {
    /// Names of the logs in order of insertion.
    pub fn names(&self) -> Vec<&str> {
        self.logs.keys().map(String::as_str).collect()
    }

    /// Names and logs in order of insertion.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &LogProperty)> {
        self.logs.iter().map(|(name, log)| (name.as_str(), &**log))
    }

    /// True if a log has this name.
    pub fn has(&self, name: &str) -> bool {
        self.logs.contains_key(name)
    }

    /// Log `name`, which is case-sensitive.
    pub fn get(&self, name: &str) -> Option<&LogProperty> {
        self.logs.get(name).map(|log| &**log)
    }

    /// Log `name`.
    ///
    /// # Errors
    /// `Execution` without such a log.
    pub fn property(&self, name: &str) -> Result<&LogProperty> {
        self.get(name)
            .ok_or_else(|| AlgorithmError::Execution(format!("Unknown property search object {name}")))
    }

    /// Adds or replaces a log; a replaced log keeps its place in the order.
    pub fn set(&mut self, name: &str, log: LogProperty) {
        self.logs.insert(name.to_owned(), Arc::new(log));
    }

    /// Adds or replaces a log with one number.
    pub fn set_number(&mut self, name: &str, value: f64, units: &str) {
        self.set(name, LogProperty::new(LogPropertyValue::Float(value)).with_units(units));
    }

    /// Adds or replaces a log with one text and without a unit.
    pub fn set_text(&mut self, name: &str, value: &str) {
        self.set(name, LogProperty::new(LogPropertyValue::Str(value.to_owned())));
    }

    /// Removes a log and returns it; `None` without such a log.
    pub fn remove(&mut self, name: &str) -> Option<LogProperty> {
        self.logs.shift_remove(name).map(Arc::unwrap_or_clone)
    }

    /// Log `name` if it is a time series.
    pub fn series(&self, name: &str) -> Option<&TimeSeriesProperty> {
        match &self.get(name)?.value {
            LogPropertyValue::Series(series) => Some(series),
            _ => None,
        }
    }

    /// Log `name` for changes if it is a time series; copied first if another workspace shares it.
    pub fn series_mut(&mut self, name: &str) -> Option<&mut TimeSeriesProperty> {
        match &mut Arc::make_mut(self.logs.get_mut(name)?).value {
            LogPropertyValue::Series(series) => Some(series),
            _ => None,
        }
    }

    /// Log as one number, see [`LogProperty::number`].
    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.number()
    }

    /// Log as text, see [`LogProperty::text`].
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(LogProperty::text)
    }

    /// Digits of the log `run_number`; 0 without any.
    pub fn run_number(&self) -> i64 {
        let digits: String = self
            .text("run_number")
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_digit)
            .collect();
        digits.parse().unwrap_or_default()
    }

    /// Start of the run: the log `start_time`, else `run_start`.
    ///
    /// # Errors
    /// `Execution` when neither is a time.
    pub fn start_time(&self) -> Result<DateAndTime> {
        self.time_of(&["start_time", "run_start"])
            .ok_or_else(|| AlgorithmError::Execution("No valid start time has been set for this run.".to_owned()))
    }

    /// End of the run: the log `end_time`, else `run_end`.
    ///
    /// # Errors
    /// `Execution` when neither is a time.
    pub fn end_time(&self) -> Result<DateAndTime> {
        self.time_of(&["end_time", "run_end"])
            .ok_or_else(|| AlgorithmError::Execution("No valid end time has been set for this run.".to_owned()))
    }

    fn time_of(&self, names: &[&str]) -> Option<DateAndTime> {
        names.iter().find_map(|name| match &self.get(name)?.value {
            LogPropertyValue::Str(text) => DateAndTime::parse(text),
            _ => None,
        })
    }

    /// Proton charge of the good frames, µA·h: the log `gd_prtn_chrg`, else [`Self::integrated_charge`], else 0.
    ///
    /// Source: Mantid's `Run::getProtonCharge`.
    ///
    /// ```
    /// # use live_data_reduction::date_and_time::DateAndTime;
    /// # use live_data_reduction::run::{LogProperty, LogPropertyValue, Run, SeriesValues, TimeSeriesProperty};
    /// // 1 µA·h is 3600 µC, here in two pulses of 1.8e9 pC.
    /// let times = vec![DateAndTime::from_nanoseconds(0), DateAndTime::from_nanoseconds(1)];
    /// let pulses = TimeSeriesProperty::new(times, SeriesValues::Floats(vec![1.8e9, 1.8e9])).unwrap();
    /// let mut run = Run::default();
    /// run.set("proton_charge", LogProperty::new(LogPropertyValue::Series(pulses)).with_units("picoCoulomb"));
    /// assert!((run.proton_charge() - 1.0).abs() < 1e-12);
    /// ```
    pub fn proton_charge(&self) -> f64 {
        self.number_or_none(GOOD_CHARGE)
            .or_else(|| self.integrated_charge())
            .unwrap_or_default()
    }

    fn number_or_none(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(LogProperty::number)
    }

    /// Sum of the filtered series `proton_charge`, µA·h; `None` without it. pC are converted: 1 pC = 10⁻⁶ / 3600 µA·h.
    pub fn integrated_charge(&self) -> Option<f64> {
        let log = self.get(PULSE_CHARGE)?;
        let LogPropertyValue::Series(series) = &log.value else {
            return None;
        };
        let sum: f64 = series.filtered().numbers()?.iter().sum();
        Some(if is_picocoulomb(&log.units) {
            sum * 1e-6 / 3600.0
        } else {
            sum
        })
    }

    /// Sets the filter of every time series, or lifts it.
    pub fn set_filter(&mut self, filter: Option<TimeRoi>) {
        for log in self.logs.values_mut() {
            if matches!(log.value, LogPropertyValue::Series(_))
                && let LogPropertyValue::Series(series) = &mut Arc::make_mut(log).value
            {
                series.set_filter(filter.clone());
            }
        }
        self.filter = filter;
    }

    /// Removes values outside the intervals from every series of more than one value, and recomputes `gd_prtn_chrg`.
    pub fn crop(&mut self, intervals: &TimeRoi) {
        for (name, log) in &mut self.logs {
            let cropped = match &log.value {
                LogPropertyValue::Series(series) if series.len() > 1 || name == PULSE_CHARGE => {
                    series.within(intervals)
                }
                _ => continue,
            };
            *log = Arc::new(LogProperty {
                value: LogPropertyValue::Series(cropped),
                units: log.units.clone(),
            });
        }
        if let Some(charge) = self.integrated_charge() {
            self.set_number(GOOD_CHARGE, charge, "uA.hour");
        }
    }

    /// Rotation matrix R of the goniometer, by rows; the identity when unset.
    pub fn goniometer(&self) -> [[f64; 3]; 3] {
        self.goniometer
            .unwrap_or([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    }

    /// Sets the rotation matrix, which must be orthogonal with determinant 1.
    pub fn set_goniometer(&mut self, rotation: [[f64; 3]; 3]) {
        self.goniometer = Some(rotation);
    }

    /// Merges the logs of another run by the rules of Mantid's `Plus`.
    ///
    /// Series are joined; charge, frames, duration and monitor counts are summed; other logs keep their value.
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
                (None, LogPropertyValue::Series(_)) => {
                    self.logs.insert(name.clone(), log.clone());
                }
                (Some(mine), LogPropertyValue::Series(theirs)) => {
                    if let LogPropertyValue::Series(series) = &mut Arc::make_mut(mine).value {
                        series.join(theirs);
                    }
                }
                (Some(mine), theirs) if summed => match (&mut Arc::make_mut(mine).value, theirs) {
                    (LogPropertyValue::Int(a), LogPropertyValue::Int(b)) => *a = a.saturating_add(*b),
                    (LogPropertyValue::Float(a), LogPropertyValue::Float(b)) => *a += b,
                    (LogPropertyValue::Float(a), LogPropertyValue::Int(b)) => *a += *b as f64,
                    (value @ LogPropertyValue::Int(_), LogPropertyValue::Float(b)) => {
                        let a = if let LogPropertyValue::Int(a) = value {
                            *a as f64
                        } else {
                            0.0
                        };
                        *value = LogPropertyValue::Float(a + b);
                    }
                    _ => {}
                },
                _ => {}
            }
        }
    }

    /// Appends a value to a time series, creating the log if needed.
    ///
    /// # Errors
    /// `Execution` when the log is no time series, or its values are of another type.
    pub fn append(&mut self, name: &str, time: DateAndTime, value: &LogPropertyValue) -> Result<()> {
        let Some(log) = self.logs.get_mut(name) else {
            let Some(series) = TimeSeriesProperty::single(time, value) else {
                return failed(format!("the log {name} can take no such value"));
            };
            self.set(name, LogProperty::new(LogPropertyValue::Series(series)));
            return Ok(());
        };
        match &mut Arc::make_mut(log).value {
            LogPropertyValue::Series(series) => match series.push(time, value) {
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
        LogProperty::new(LogPropertyValue::Series(
            TimeSeriesProperty::new(times, SeriesValues::Floats(values.to_vec())).unwrap(),
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
