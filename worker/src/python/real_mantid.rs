//! Feeds runs to the real Mantid: the native view of a run is what its live workspace is made of.
//!
//! Promises that the live workspace holds exactly the view's events, and that only new ones are added: what was fed of a
//! spectrum is known by count and digest, and a spectrum whose past changed (late metadata, a moved bound) is filled
//! anew. All calls of Mantid are in `livedata.mantid_adapter`.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::Columns;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::run::{LogValue, SeriesValues, TimeSeries};
use live_data_reduction::workspace::MatrixWorkspace;
use numpy::IntoPyArray;
use parking_lot::Mutex;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// What was fed of one spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fed {
    count: usize,
    digest: u64,
}

impl Default for Fed {
    fn default() -> Self {
        Self {
            count: 0,
            digest: digest(&[], &[]),
        }
    }
}

/// What to do with a spectrum so that it holds the events of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing is new.
    Keep,
    /// Events from this one on are new.
    Append(usize),
    /// The past has changed: clear it and feed all.
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

fn step(fed: Fed, times_of_flight: &[f64], pulse_times: &[i64]) -> Step {
    let (Some(x), Some(times)) = (times_of_flight.get(..fed.count), pulse_times.get(..fed.count)) else {
        return Step::Refill;
    };
    if digest(x, times) != fed.digest {
        Step::Refill
    } else if times_of_flight.len() == fed.count {
        Step::Keep
    } else {
        Step::Append(fed.count)
    }
}

/// What came of feeding a view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FedView {
    /// Events that were added.
    pub added: u64,
    /// Spectra that were filled anew because their past changed.
    pub refilled: usize,
    /// Spectra that Mantid's instrument has no detector for, whose events it cannot hold.
    pub left_out: usize,
}

/// The live workspaces in the real Mantid.
pub struct RealMantid {
    adapter: Py<PyAny>,
    fed: Mutex<HashMap<String, Vec<Fed>>>,
}

impl RealMantid {
    /// The adapter, with nothing fed.
    ///
    /// # Errors
    /// When the adapter cannot be made.
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

    /// Makes the workspace `name` hold the events and logs of the view: one period as itself, several as a group of
    /// `name_1`, `name_2` and so on.
    ///
    /// # Errors
    /// What Mantid raises, and when the view holds no events.
    pub fn feed(
        &self,
        py: Python<'_>,
        name: &str,
        instrument: &str,
        periods: &[MatrixWorkspace],
        cancel: &Cancel,
    ) -> PyResult<FedView> {
        let mut total = FedView::default();
        let mut members = Vec::new();
        for (number, period) in (1..).zip(periods) {
            let member = if periods.len() == 1 {
                name.to_owned()
            } else {
                format!("{name}_{number}")
            };
            let one = self.feed_period(py, &member, instrument, period, cancel)?;
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

    fn feed_period(
        &self,
        py: Python<'_>,
        name: &str,
        instrument: &str,
        period: &MatrixWorkspace,
        cancel: &Cancel,
    ) -> PyResult<FedView> {
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
        // While the workspace is being filled its state is unknown: a failure half-way must begin anew.
        let former = self.fed.lock().remove(name).unwrap_or_default();
        let mut fed = if empty { Vec::new() } else { former };
        fed.resize(columns.rows(), Fed::default());

        let mut view = FedView {
            left_out: left_out.len(),
            ..FedView::default()
        };
        let mut range: Option<(f64, f64)> = None;
        for (index, held) in fed.iter_mut().enumerate() {
            let (x, times) = row(&columns, index);
            for value in x {
                let (low, high) = range.unwrap_or((*value, *value));
                range = Some((low.min(*value), high.max(*value)));
            }
            let from = match step(*held, x, times) {
                Step::Keep => continue,
                Step::Append(from) => from,
                Step::Refill => {
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
            *held = Fed {
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

    /// Empties Mantid's data service.
    ///
    /// # Errors
    /// What Mantid raises.
    pub fn clear(&self, py: Python<'_>) -> PyResult<()> {
        self.fed.lock().clear();
        self.adapter.bind(py).call_method0("clear").map(drop)
    }

    /// (name, kind, bytes) of what Mantid's data service holds.
    ///
    /// # Errors
    /// What Mantid raises.
    pub fn workspaces(&self, py: Python<'_>) -> PyResult<Vec<(String, String, u64)>> {
        self.adapter.bind(py).call_method0("workspaces")?.extract()
    }
}

/// Values and pulse times of one spectrum.
fn row(columns: &Columns, index: usize) -> (&[f64], &[i64]) {
    let range = columns.range(index);
    let times = columns.pulse_times().and_then(|times| times.get(range.clone()));
    (columns.x().get(range).unwrap_or_default(), times.unwrap_or_default())
}

type Log<'py> = (String, Bound<'py, PyAny>, String, Option<Vec<i64>>);

fn logs<'py>(py: Python<'py>, period: &MatrixWorkspace) -> PyResult<Vec<Log<'py>>> {
    let mut logs = Vec::new();
    for (name, log) in period.run().iter() {
        let (value, times) = match &log.value {
            LogValue::Int(number) => (number.into_pyobject(py)?.into_any(), None),
            LogValue::Float(number) => (number.into_pyobject(py)?.into_any(), None),
            LogValue::Bool(flag) => (flag.into_pyobject(py)?.to_owned().into_any(), None),
            LogValue::Str(text) => (text.into_pyobject(py)?.into_any(), None),
            LogValue::Ints(items) => (items.into_pyobject(py)?.into_any(), None),
            LogValue::Floats(items) => (items.into_pyobject(py)?.into_any(), None),
            LogValue::Series(series) if series.is_empty() => continue,
            LogValue::Series(series) => (values(py, series)?, Some(times_of(series))),
        };
        logs.push((name.to_owned(), value, log.units.clone(), times));
    }
    Ok(logs)
}

fn values<'py>(py: Python<'py>, series: &TimeSeries) -> PyResult<Bound<'py, PyAny>> {
    Ok(match series.values() {
        SeriesValues::Floats(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Ints(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Strs(values) => values.into_pyobject(py)?.into_any(),
        SeriesValues::Bools(values) => values.into_pyobject(py)?.into_any(),
    })
}

fn times_of(series: &TimeSeries) -> Vec<i64> {
    series.times().iter().map(|time| time.nanoseconds()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(x: &[f64], times: &[i64]) -> Fed {
        Fed {
            count: x.len(),
            digest: digest(x, times),
        }
    }

    #[test]
    fn only_what_is_new_is_added() {
        let (x, times) = ([1.0, 2.0, 3.0], [10, 10, 20]);
        assert_eq!(step(Fed::default(), &[], &[]), Step::Keep);
        assert_eq!(step(Fed::default(), &x, &times), Step::Append(0));
        assert_eq!(step(fed(&x[..2], &times[..2]), &x, &times), Step::Append(2));
        assert_eq!(step(fed(&x, &times), &x, &times), Step::Keep);
    }

    #[test]
    fn a_past_that_changed_is_filled_anew() {
        let (x, times) = ([1.0, 2.0, 3.0], [10, 10, 20]);
        assert_eq!(step(fed(&x, &times), &x[..2], &times[..2]), Step::Refill);
        assert_eq!(step(fed(&[1.0, 9.0], &[10, 10]), &x, &times), Step::Refill);
        assert_eq!(step(fed(&x[..2], &[10, 11]), &x, &times), Step::Refill);
    }
}
