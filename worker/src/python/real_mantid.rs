//! Live workspaces in the real Mantid, made from the native view of a run.
//!
//! Promises that a live workspace holds exactly the view's events and that only new ones are added. Count and digest of
//! a spectrum's events are remembered; a spectrum whose earlier events changed (late metadata, a moved bound) is filled
//! anew. All calls of Mantid are in `livedata.mantid_adapter`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::Columns;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::run::{LogPropertyValue, SeriesValues, TimeSeriesProperty};
use live_data_reduction::workspace::MatrixWorkspace;
use numpy::IntoPyArray;
use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// Events of one spectrum that Mantid's workspace holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SpectrumProgress {
    count: usize,
    digest: u64,
}

impl Default for SpectrumProgress {
    fn default() -> Self {
        Self {
            count: 0,
            digest: digest(&[], &[]),
        }
    }
}

/// Change that makes a spectrum of Mantid's workspace equal to the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SpectrumUpdate {
    /// No new events.
    Keep,
    /// Add the events from this index on.
    Append(usize),
    /// Earlier events have changed: clear the spectrum and add all.
    Refill,
}

fn digest(times_of_flight: &[f64], pulse_times: &[i64]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (x, time) in times_of_flight.iter().zip(pulse_times) {
        hasher.write_u64(x.to_bits());
        hasher.write_i64(*time);
    }
    hasher.finish()
}

fn change_of(held: SpectrumProgress, times_of_flight: &[f64], pulse_times: &[i64]) -> SpectrumUpdate {
    let (Some(x), Some(times)) = (times_of_flight.get(..held.count), pulse_times.get(..held.count)) else {
        return SpectrumUpdate::Refill;
    };
    if digest(x, times) != held.digest {
        SpectrumUpdate::Refill
    } else if times_of_flight.len() == held.count {
        SpectrumUpdate::Keep
    } else {
        SpectrumUpdate::Append(held.count)
    }
}

/// Counts of one update of the live workspaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateSummary {
    /// Events added over all periods and spectra.
    pub added: u64,
    /// Spectra filled anew because earlier events changed.
    pub refilled: usize,
    /// Spectra without a detector in Mantid's instrument; their events are left out.
    pub left_out: usize,
}

/// Live workspaces of the real Mantid's data service, with the events they hold.
pub struct RealMantid {
    adapter: Py<PyAny>,
    fed: Mutex<HashMap<String, Vec<SpectrumProgress>>>,
}

impl RealMantid {
    /// State before the first update: Mantid's data service is not touched.
    ///
    /// # Errors
    /// When `livedata.mantid_adapter` or Mantid cannot be imported.
    pub fn new(py: Python<'_>) -> PyResult<Self> {
        let adapter = py
            .import("livedata.mantid_adapter")?
            .getattr("LiveWorkspaces")?
            .call0()?;
        Ok(Self {
            adapter: adapter.unbind(),
            fed: Mutex::default(),
        })
    }

    /// Updates the workspace `name` to the events and logs of `periods`.
    ///
    /// One period is the workspace itself; several become a group of `name_1`, `name_2` and so on.
    ///
    /// # Errors
    /// Exceptions of Mantid; `ValueError` if a period holds histograms.
    pub fn update(
        &self,
        py: Python<'_>,
        name: &str,
        instrument: &str,
        periods: &[MatrixWorkspace],
        cancel: &Cancel,
    ) -> PyResult<UpdateSummary> {
        let mut total = UpdateSummary::default();
        let mut members = Vec::new();
        for (number, period) in (1..).zip(periods) {
            let member = if periods.len() == 1 {
                name.to_owned()
            } else {
                format!("{name}_{number}")
            };
            let one = self.update_period(py, &member, instrument, period, cancel)?;
            total.added += one.added;
            total.refilled += one.refilled;
            total.left_out = total.left_out.max(one.left_out);
            members.push(member);
        }
        if periods.len() > 1 {
            self.adapter.bind(py).call_method1("group", (name, members))?;
        }
        Ok(total)
    }

    fn update_period(
        &self,
        py: Python<'_>,
        name: &str,
        instrument: &str,
        period: &MatrixWorkspace,
        cancel: &Cancel,
    ) -> PyResult<UpdateSummary> {
        let adapter = self.adapter.bind(py);
        let Some(events) = period.events() else {
            return Err(PyValueError::new_err("the live view holds no events"));
        };
        let plan = events.plan();
        let columns = py.detach(|| plan.to_columns(cancel));
        py.check_signals()?;
        let columns = columns.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;

        let spectra = period.spectra();
        let detectors: Vec<&[i32]> = (0..spectra.len()).map(|index| spectra.detectors(index)).collect();
        let (empty, left_out): (bool, Vec<usize>) = adapter
            .call_method1("prepare", (name, instrument, spectra.numbers(), detectors))?
            .extract()?;
        // Removed while the workspace is filled: after a failure the next update fills it anew.
        let former = self.fed.lock().remove(name).unwrap_or_default();
        let mut fed = if empty { Vec::new() } else { former };
        fed.resize(columns.rows(), SpectrumProgress::default());

        let mut view = UpdateSummary {
            left_out: left_out.len(),
            ..UpdateSummary::default()
        };
        let mut range: Option<(f64, f64)> = None;
        for (index, held) in fed.iter_mut().enumerate() {
            let (x, times) = row(&columns, index);
            for value in x {
                let (low, high) = range.unwrap_or((*value, *value));
                range = Some((low.min(*value), high.max(*value)));
            }
            let from = match change_of(*held, x, times) {
                SpectrumUpdate::Keep => continue,
                SpectrumUpdate::Append(from) => from,
                SpectrumUpdate::Refill => {
                    adapter.call_method1("clear_events", (name, index))?;
                    view.refilled += 1;
                    0
                }
            };
            let new_x = x.get(from..).unwrap_or_default().to_vec();
            let since_1990 = |time: &i64| DateAndTime::from_unix_nanoseconds(*time).nanoseconds();
            let new_times: Vec<i64> = times.get(from..).unwrap_or_default().iter().map(since_1990).collect();
            view.added += new_x.len() as u64;
            adapter.call_method1(
                "add_events",
                (name, index, new_x.into_pyarray(py), new_times.into_pyarray(py)),
            )?;
            *held = SpectrumProgress {
                count: x.len(),
                digest: digest(x, times),
            };
        }
        adapter.call_method1("set_logs", (name, period.title(), logs(py, period)?))?;
        let (low, high) = range.map_or((0.0, 0.0), |(low, high)| (low, high.next_up()));
        adapter.call_method1("finish", (name, low, high))?;
        self.fed.lock().insert(name.to_owned(), fed);
        Ok(view)
    }

    /// Removes all workspaces from Mantid's data service.
    ///
    /// # Errors
    /// Exceptions of Mantid.
    pub fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.fed.lock().clear();
        self.adapter.bind(py).call_method0("clear").map(drop)
    }

    /// (name, class, bytes) of each workspace in Mantid's data service.
    ///
    /// # Errors
    /// Exceptions of Mantid.
    pub fn workspaces(&self, py: Python<'_>) -> PyResult<Vec<(String, String, u64)>> {
        self.adapter.bind(py).call_method0("workspaces")?.extract()
    }
}

/// Times of flight in µs and pulse times in Unix ns of one spectrum.
fn row(columns: &Columns, index: usize) -> (&[f64], &[i64]) {
    let range = columns.range(index);
    let times = columns.pulse_times().and_then(|times| times.get(range.clone()));
    (columns.x().get(range).unwrap_or_default(), times.unwrap_or_default())
}

/// (name, value, units, times in ns since 1990 of a series).
type LogRow<'py> = (String, Bound<'py, PyAny>, String, Option<Vec<i64>>);

fn logs<'py>(py: Python<'py>, period: &MatrixWorkspace) -> PyResult<Vec<LogRow<'py>>> {
    let mut logs = Vec::new();
    for (name, log) in period.run().iter() {
        let (value, times) = match &log.value {
            LogPropertyValue::Int(number) => (number.into_pyobject(py)?.into_any(), None),
            LogPropertyValue::Float(number) => (number.into_pyobject(py)?.into_any(), None),
            LogPropertyValue::Bool(flag) => (flag.into_pyobject(py)?.to_owned().into_any(), None),
            LogPropertyValue::Str(text) => (text.into_pyobject(py)?.into_any(), None),
            LogPropertyValue::Ints(items) => (items.into_pyobject(py)?.into_any(), None),
            LogPropertyValue::Floats(items) => (items.into_pyobject(py)?.into_any(), None),
            LogPropertyValue::Series(series) if series.is_empty() => continue,
            LogPropertyValue::Series(series) => (values(py, series)?, Some(times_of(series))),
        };
        logs.push((name.to_owned(), value, log.units.clone(), times));
    }
    Ok(logs)
}

fn values<'py>(py: Python<'py>, series: &TimeSeriesProperty) -> PyResult<Bound<'py, PyAny>> {
    Ok(match series.values() {
        SeriesValues::Floats(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Ints(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Strs(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Bools(values) => values.into_pyobject(py)?.into_any(),
    })
}

fn times_of(series: &TimeSeriesProperty) -> Vec<i64> {
    series.times().iter().map(|time| time.nanoseconds()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(x: &[f64], times: &[i64]) -> SpectrumProgress {
        SpectrumProgress {
            count: x.len(),
            digest: digest(x, times),
        }
    }

    #[test]
    fn only_what_is_new_is_added() {
        let (x, times) = ([1.0, 2.0, 3.0], [10, 10, 20]);
        assert_eq!(change_of(SpectrumProgress::default(), &[], &[]), SpectrumUpdate::Keep);
        assert_eq!(
            change_of(SpectrumProgress::default(), &x, &times),
            SpectrumUpdate::Append(0)
        );
        assert_eq!(
            change_of(fed(&x[..2], &times[..2]), &x, &times),
            SpectrumUpdate::Append(2)
        );
        assert_eq!(change_of(fed(&x, &times), &x, &times), SpectrumUpdate::Keep);
    }

    #[test]
    fn a_past_that_changed_is_filled_anew() {
        let (x, times) = ([1.0, 2.0, 3.0], [10, 10, 20]);
        assert_eq!(change_of(fed(&x, &times), &x[..2], &times[..2]), SpectrumUpdate::Refill);
        assert_eq!(
            change_of(fed(&[1.0, 9.0], &[10, 10]), &x, &times),
            SpectrumUpdate::Refill
        );
        assert_eq!(change_of(fed(&x[..2], &[10, 11]), &x, &times), SpectrumUpdate::Refill);
    }
}
