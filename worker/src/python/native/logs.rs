//! The logs of a run.
//!
//! Promises values as Python has them: numbers, texts, arrays, and time series as a class of their own whose copy is
//! cheap. Must not know which workspace they belong to.

use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::run::{LogProperty, LogValue, SeriesValues, TimeSeries};
use numpy::IntoPyArray;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList};

use super::value;

/// Values over time.
#[pyclass(module = "livedata._engine", frozen)]
pub(crate) struct Series(TimeSeries);

fn array<'py>(py: Python<'py>, values: &SeriesValues) -> PyResult<Bound<'py, PyAny>> {
    Ok(match values {
        SeriesValues::Floats(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Ints(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Bools(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Strs(values) => PyList::new(py, values)?.into_any(),
    })
}

fn times<'py>(py: Python<'py>, series: &TimeSeries) -> Bound<'py, PyAny> {
    series
        .times()
        .iter()
        .map(|time| time.nanoseconds())
        .collect::<Vec<i64>>()
        .into_pyarray(py)
        .into_any()
}

#[pymethods]
impl Series {
    /// A series of values at times (nanoseconds since 1990).
    #[new]
    fn new(times: Vec<i64>, values: &Bound<'_, PyAny>) -> PyResult<Self> {
        let texts: Option<Vec<String>> = values.extract().ok();
        let values = match (texts, value::from_python(values)?) {
            (_, live_data_reduction::value::Value::Ints(values)) => SeriesValues::Ints(values),
            (_, live_data_reduction::value::Value::Floats(values)) => SeriesValues::Floats(values),
            (Some(texts), _) => SeriesValues::Strs(texts),
            _ => return Err(PyTypeError::new_err("a time series holds numbers or texts")),
        };
        let times = times.into_iter().map(DateAndTime::from_nanoseconds).collect();
        TimeSeries::new(times, values)
            .map(Self)
            .ok_or_else(|| PyTypeError::new_err("a time series needs as many times as values"))
    }

    /// `float`, `int`, `bool` or `string`.
    fn kind(&self) -> &'static str {
        match self.0.values() {
            SeriesValues::Floats(_) => "float",
            SeriesValues::Ints(_) => "int",
            SeriesValues::Strs(_) => "string",
            SeriesValues::Bools(_) => "bool",
        }
    }
    fn size(&self) -> usize {
        self.0.len()
    }
    /// The values, in order of their times.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array(py, self.0.values())
    }
    /// The times, nanoseconds since 1990.
    fn times<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        times(py, &self.0)
    }
    /// What a filter leaves.
    fn filtered(&self) -> Self {
        Self(self.0.filtered())
    }
    fn is_filtered(&self) -> bool {
        self.0.filter().is_some()
    }
    /// The value at an index; None outside.
    fn at_index<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.values().get(index).map(|held| to_python(py, &held)).transpose()
    }
    /// The value that held at a time (nanoseconds since 1990).
    fn at<'py>(&self, py: Python<'py>, nanoseconds: i64) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0
            .at(DateAndTime::from_nanoseconds(nanoseconds))
            .map(|held| to_python(py, &held))
            .transpose()
    }
    fn time_average(&self) -> Option<f64> {
        self.0.time_average()
    }
    /// minimum, maximum, mean, median, standard deviation, time mean, time standard deviation, duration (s).
    fn statistics(&self) -> Option<[f64; 8]> {
        let s = self.0.statistics()?;
        Some([
            s.minimum,
            s.maximum,
            s.mean,
            s.median,
            s.standard_deviation,
            s.time_mean,
            s.time_standard_deviation,
            s.duration,
        ])
    }
    fn text(&self) -> String {
        self.0.to_text()
    }
}

/// A log's value as Python has it; series as [`Series`].
pub(crate) fn to_python<'py>(py: Python<'py>, held: &LogValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match held {
        LogValue::Int(number) => number.into_pyobject(py)?.into_any(),
        LogValue::Float(number) => number.into_pyobject(py)?.into_any(),
        LogValue::Str(text) => text.into_pyobject(py)?.into_any(),
        LogValue::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        LogValue::Ints(items) => items.clone().into_pyarray(py).into_any(),
        LogValue::Floats(items) => items.clone().into_pyarray(py).into_any(),
        LogValue::Series(series) => Bound::new(py, Series(series.clone()))?.into_any(),
    })
}

/// A log from what a script gives.
pub(crate) fn from_python(object: &Bound<'_, PyAny>, units: &str) -> PyResult<LogProperty> {
    use live_data_reduction::value::Value;
    let held = if let Ok(series) = object.cast::<Series>() {
        LogValue::Series(series.get().0.clone())
    } else {
        match value::from_python(object)? {
            Value::Bool(flag) => LogValue::Bool(flag),
            Value::Int(number) => LogValue::Int(number),
            Value::Float(number) => LogValue::Float(number),
            Value::Str(text) => LogValue::Str(text),
            Value::Ints(items) => LogValue::Ints(items),
            Value::Floats(items) => LogValue::Floats(items),
            _ => {
                let name = object.get_type().name()?;
                return Err(PyTypeError::new_err(format!(
                    "a log cannot hold an object of type {name}"
                )));
            }
        }
    };
    Ok(LogProperty::new(held).with_units(units))
}
