//! Events of a workspace.
//!
//! Promises columns as new arrays, in arrival order within a spectrum. Values are in the unit of X (time of flight in
//! µs), pulse times in nanoseconds since 1990. Reads them without the GIL.

use live_data_engine::columns::{EventKind, Events};
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::error::AlgorithmError;
use live_data_reduction::unit::Unit;
use live_data_reduction::workspace::MatrixWorkspace;
use live_data_reduction::workspace::axis::VerticalAxis;
use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::engine_services::engine_services;
use super::error::RaiseInPython;
use super::workspace::PyWorkspace;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(number_of_events, module)?,
        wrap_pyfunction!(number_of_events_at, module)?,
        wrap_pyfunction!(range_of_events, module)?,
        wrap_pyfunction!(event_column, module)?,
        wrap_pyfunction!(pulse_times, module)?,
        wrap_pyfunction!(event_type, module)?,
        wrap_pyfunction!(weigh_events, module)?,
        wrap_pyfunction!(add_event, module)?,
        wrap_pyfunction!(clear_events, module)?,
        wrap_pyfunction!(monitor_workspace, module)?,
        wrap_pyfunction!(set_monitor_workspace, module)?,
        wrap_pyfunction!(vertical_axis, module)?,
        wrap_pyfunction!(set_vertical_axis, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

fn no_events<T>(matrix: &MatrixWorkspace) -> Result<T, AlgorithmError> {
    Err(AlgorithmError::Execution(format!("a {} holds no events", matrix.id())))
}

/// Number of events of all spectra; `RuntimeError` for histograms.
#[pyfunction]
fn number_of_events(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<u64> {
    let matrix = cell.get().matrix(py)?;
    let cancel = engine_services()?.cancel();
    py.detach(|| {
        matrix
            .events()
            .map_or_else(|| no_events(&matrix), |events| events.number(&cancel))
    })
    .raise(py)
}

#[pyfunction]
fn number_of_events_at(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<u64> {
    let matrix = cell.get().matrix(py)?;
    let cancel = engine_services()?.cancel();
    let counts = py.detach(|| {
        matrix
            .events()
            .map_or_else(|| no_events(&matrix), |events| events.counts(&cancel))
    });
    Ok(counts.raise(py)?.get(index).copied().unwrap_or_default())
}

/// Smallest and largest value in the unit of X; None without events.
#[pyfunction]
fn range_of_events(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<Option<(f64, f64)>> {
    let matrix = cell.get().matrix(py)?;
    let cancel = engine_services()?.cancel();
    py.detach(|| {
        matrix
            .events()
            .map_or_else(|| no_events(&matrix), |events| events.range(&cancel))
    })
    .raise(py)
}

fn read(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<Events> {
    let matrix = cell.get().matrix(py)?;
    let cancel = engine_services()?.cancel();
    py.detach(|| {
        matrix
            .events()
            .map_or_else(|| no_events(&matrix), |events| events.spectrum(index, &cancel))
    })
    .raise(py)
}

/// Column of a spectrum's events: `tof` (unit of X), `weight`, or `error` (standard deviation).
#[pyfunction]
fn event_column<'py>(
    py: Python<'py>,
    cell: &Bound<'py, PyWorkspace>,
    index: usize,
    column: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let events = read(py, cell, index)?;
    let count = events.x.len();
    let numbers: Vec<f64> = match column {
        "tof" => events.x,
        "weight" if events.weight.is_empty() => vec![1.0; count],
        "weight" => events.weight.iter().map(|weight| f64::from(*weight)).collect(),
        _ if events.error_squared.is_empty() => vec![1.0; count],
        _ => events
            .error_squared
            .iter()
            .map(|squared| f64::from(*squared).sqrt())
            .collect(),
    };
    Ok(numbers.into_pyarray(py).into_any())
}

/// Pulse time of each event of a spectrum, nanoseconds since 1990.
#[pyfunction]
fn pulse_times<'py>(py: Python<'py>, cell: &Bound<'py, PyWorkspace>, index: usize) -> PyResult<Bound<'py, PyAny>> {
    let times = read(py, cell, index)?.pulse_time;
    let since_1990 = times
        .into_iter()
        .map(|time| DateAndTime::from_unix_nanoseconds(time).nanoseconds());
    Ok(since_1990.collect::<Vec<i64>>().into_pyarray(py).into_any())
}

/// Mantid's event type: `TOF`, `WEIGHTED` or `WEIGHTED_NOTIME`.
#[pyfunction]
fn event_type(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<&'static str> {
    let matrix = cell.get().matrix(py)?;
    let Some(events) = matrix.events() else {
        return no_events(&matrix).raise(py);
    };
    Ok(match events.kind() {
        EventKind::Plain => "TOF",
        EventKind::WeightedNoTime => "WEIGHTED_NOTIME",
        _ => "WEIGHTED",
    })
}

/// Gives unweighted events of a spectrum weight 1 and variance 1; `timeless` drops their pulse times.
#[pyfunction]
fn weigh_events(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize, timeless: bool) -> PyResult<()> {
    let mut events = read(py, cell, index)?;
    if events.weight.is_empty() {
        events.weight = vec![1.0; events.x.len()];
        events.error_squared = vec![1.0; events.x.len()];
    }
    if timeless {
        events.pulse_time.clear();
    }
    cell.get().update(py, |matrix| match matrix.events_mut() {
        Some(held) => held.replace_spectrum(index, events),
        None => no_events(matrix),
    })
}

/// Appends one event: `value` in the unit of X, pulse `time` in nanoseconds since 1990.
#[pyfunction]
fn add_event(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize, value: f64, time: i64) -> PyResult<()> {
    let time = DateAndTime::from_nanoseconds(time).unix_nanoseconds();
    let added = cell.get().handle().modify(|matrix| match matrix.events_mut() {
        Some(events) => events.add_event(index, value, time),
        None => no_events(matrix),
    });
    added.raise(py)
}

/// Removes all events of a spectrum.
#[pyfunction]
fn clear_events(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<()> {
    cell.get().update(py, |matrix| match matrix.events_mut() {
        Some(events) => events.replace_spectrum(index, Events::default()),
        None => no_events(matrix),
    })
}

#[pyfunction]
fn monitor_workspace(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<Option<PyWorkspace>> {
    Ok(cell.get().matrix(py)?.monitor_workspace().map(PyWorkspace::new))
}

#[pyfunction]
#[pyo3(signature = (cell, monitor=None))]
fn set_monitor_workspace(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    monitor: Option<&Bound<'_, PyWorkspace>>,
) -> PyResult<()> {
    let monitor = monitor.map(|cell| cell.get().handle().clone());
    cell.get().update(py, |matrix| {
        matrix.set_monitor_workspace(monitor);
        Ok(())
    })
}

/// Vertical axis: (`spectra`, `numeric` or `text`; (id, caption, symbol) of its unit; values).
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a row of a table, taken apart in Python")]
fn vertical_axis<'py>(
    py: Python<'py>,
    cell: &Bound<'py, PyWorkspace>,
) -> PyResult<(&'static str, (String, String, String), Bound<'py, PyAny>)> {
    let matrix = cell.get().matrix(py)?;
    Ok(match matrix.vertical() {
        VerticalAxis::Spectra => {
            let unit = ("Label".to_owned(), "Spectrum".to_owned(), String::new());
            (
                "spectra",
                unit,
                matrix.spectra().numbers().to_vec().into_pyarray(py).into_any(),
            )
        }
        VerticalAxis::Numeric { unit, values } => {
            let names = (
                unit.id().to_owned(),
                unit.caption().to_owned(),
                unit.symbol().to_owned(),
            );
            ("numeric", names, values.to_vec().into_pyarray(py).into_any())
        }
        VerticalAxis::Text(texts) => {
            let unit = ("Label".to_owned(), String::new(), String::new());
            ("text", unit, texts.to_vec().into_pyobject(py)?)
        }
    })
}

/// Replaces the vertical axis by numbers in `unit`, or by texts if `unit` is `Text`.
#[pyfunction]
fn set_vertical_axis(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    unit: &str,
    values: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let axis = if unit == "Text" {
        VerticalAxis::Text(values.extract::<Vec<String>>()?.into())
    } else {
        let unit = Unit::from_id(unit).ok_or_else(|| PyValueError::new_err(format!("there is no unit {unit}")))?;
        VerticalAxis::Numeric {
            unit,
            values: super::arrays::row_from(values)?,
        }
    };
    cell.get().update(py, |matrix| matrix.set_vertical(axis))
}
