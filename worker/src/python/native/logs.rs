//! Sample logs of a run.
//!
//! Promises Python's own types for values: numbers, texts, arrays; time series are a class whose copy is cheap. Must not
//! know to which workspace a log belongs.

use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::run::{LogProperty, LogPropertyValue, SeriesValues, TimeSeriesProperty};
use numpy::IntoPyArray;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyList};

use super::value;

/// Time series of a sample log: Mantid's `TimeSeriesProperty`.
#[pyclass(module = "livedata._engine", name = "NativeTimeSeries", frozen)]
pub(crate) struct PyTimeSeries(TimeSeriesProperty);

fn array<'py>(py: Python<'py>, values: &SeriesValues) -> PyResult<Bound<'py, PyAny>> {
    Ok(match values {
        SeriesValues::Floats(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Ints(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Bools(values) => values.clone().into_pyarray(py).into_any(),
        SeriesValues::Strs(values) => PyList::new(py, values)?.into_any(),
    })
}

fn times<'py>(py: Python<'py>, series: &TimeSeriesProperty) -> Bound<'py, PyAny> {
    series
        .times()
        .iter()
        .map(|time| time.nanoseconds())
        .collect::<Vec<i64>>()
        .into_pyarray(py)
        .into_any()
}

#[pymethods]
impl PyTimeSeries {
    /// Series of values at `times`, nanoseconds since 1990; both must have the same length.
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
        TimeSeriesProperty::new(times, values)
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
    /// Values in order of time, the filter ignored.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        array(py, self.0.values())
    }
    /// Times of the values, nanoseconds since 1990, ascending.
    fn times<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        times(py, &self.0)
    }
    /// Copy with the values inside the series' filter only.
    fn filtered(&self) -> Self {
        Self(self.0.filtered())
    }
    fn is_filtered(&self) -> bool {
        self.0.filter().is_some()
    }
    /// Value at an index; None outside `[0, size)`.
    fn at_index<'py>(&self, py: Python<'py>, index: usize) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.values().get(index).map(|held| to_python(py, &held)).transpose()
    }
    /// Last value at or before a time, nanoseconds since 1990.
    fn at<'py>(&self, py: Python<'py>, nanoseconds: i64) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0
            .value_at(DateAndTime::from_nanoseconds(nanoseconds))
            .map(|held| to_python(py, &held))
            .transpose()
    }
    fn time_average(&self) -> Option<f64> {
        self.0.time_average()
    }
    /// Minimum, maximum, mean, median, standard deviation, time mean, time standard deviation, duration in s.
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

/// Python object for a log's value; a time series becomes a [`PyTimeSeries`].
pub(crate) fn to_python<'py>(py: Python<'py>, held: &LogPropertyValue) -> PyResult<Bound<'py, PyAny>> {
    Ok(match held {
        LogPropertyValue::Int(number) => number.into_pyobject(py)?.into_any(),
        LogPropertyValue::Float(number) => number.into_pyobject(py)?.into_any(),
        LogPropertyValue::Str(text) => text.into_pyobject(py)?.into_any(),
        LogPropertyValue::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        LogPropertyValue::Ints(items) => items.clone().into_pyarray(py).into_any(),
        LogPropertyValue::Floats(items) => items.clone().into_pyarray(py).into_any(),
        LogPropertyValue::Series(series) => Bound::new(py, PyTimeSeries(series.clone()))?.into_any(),
    })
}

/// Log property from a script's value and units; `TypeError` for unsupported types.
pub(crate) fn from_python(object: &Bound<'_, PyAny>, units: &str) -> PyResult<LogProperty> {
    use live_data_reduction::value::Value;
    let held = if let Ok(series) = object.cast::<PyTimeSeries>() {
        LogPropertyValue::Series(series.get().0.clone())
    } else {
        match value::from_python(object)? {
            Value::Bool(flag) => LogPropertyValue::Bool(flag),
            Value::Int(number) => LogPropertyValue::Int(number),
            Value::Float(number) => LogPropertyValue::Float(number),
            Value::Str(text) => LogPropertyValue::Str(text),
            Value::Ints(items) => LogPropertyValue::Ints(items),
            Value::Floats(items) => LogPropertyValue::Floats(items),
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
