//! Instrument of a workspace: detectors, components, parameters.
//!
//! Promises positions in metres in the laboratory's frame and angles in radians, as plain numbers; the `mantid` package
//! makes `V3D`s and components of them. An unknown detector or component is `None`, not an error.

use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::instrument::{Detector, Instrument, V3D};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::error::RaiseInPython;
use super::workspace::PyWorkspace;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(instrument_name, module)?,
        wrap_pyfunction!(source_and_sample, module)?,
        wrap_pyfunction!(component, module)?,
        wrap_pyfunction!(component_at, module)?,
        wrap_pyfunction!(children, module)?,
        wrap_pyfunction!(detector, module)?,
        wrap_pyfunction!(detectors_within, module)?,
        wrap_pyfunction!(detector_ids, module)?,
        wrap_pyfunction!(spectrum_geometry, module)?,
        wrap_pyfunction!(spectrum_flags, module)?,
        wrap_pyfunction!(detector_masked, module)?,
        wrap_pyfunction!(set_masked, module)?,
        wrap_pyfunction!(parameter, module)?,
        wrap_pyfunction!(parameter_names, module)?,
        wrap_pyfunction!(parse_time, module)?,
        wrap_pyfunction!(format_time, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

type Point = (f64, f64, f64);

fn point(v: V3D) -> Point {
    (v.x, v.y, v.z)
}

#[pyfunction]
fn instrument_name(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<String> {
    Ok(cell.get().matrix(py)?.instrument().name.clone())
}

/// (index, name, position) of the source and of the sample position; None where the definition lacks it.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "two rows of a table, taken apart in Python")]
fn source_and_sample(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
) -> PyResult<(Option<(usize, String, Point)>, Option<(usize, String, Point)>)> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    let part = |index: Option<u32>| index.and_then(|index| part_at(instrument, index as usize));
    Ok((part(instrument.source), part(instrument.sample)))
}

fn part_at(instrument: &Instrument, index: usize) -> Option<(usize, String, Point)> {
    instrument
        .components
        .get(index)
        .map(|part| (index, part.name.to_string(), point(part.position)))
}

/// (index, name, position) of the component with a name or path.
#[pyfunction]
fn component(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, name: &str) -> PyResult<Option<(usize, String, Point)>> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    Ok(instrument.component(name).and_then(|index| part_at(instrument, index)))
}

#[pyfunction]
fn component_at(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    index: usize,
) -> PyResult<Option<(usize, String, Point)>> {
    Ok(part_at(cell.get().matrix(py)?.instrument(), index))
}

/// Indices of a component's direct children.
#[pyfunction]
fn children(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<Vec<usize>> {
    let matrix = cell.get().matrix(py)?;
    let parts = matrix.instrument().components.iter().enumerate();
    Ok(parts
        .filter(|(_, part)| part.parent.map(|p| p as usize) == Some(index))
        .map(|(at, _)| at)
        .collect())
}

type DetectorRow = (i32, String, Point, bool, f64, f64, f64, f64);

fn row(instrument: &Instrument, detector: &Detector) -> DetectorRow {
    (
        detector.id,
        instrument.detector_name(detector),
        point(detector.position),
        detector.monitor,
        instrument.l2(detector),
        instrument.two_theta(detector),
        instrument.phi(detector),
        instrument.signed_two_theta(detector),
    )
}

/// Row of a detector: (id, name, position, is monitor, L2 in m, 2θ, φ, signed 2θ), angles in radians.
#[pyfunction]
fn detector(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, id: i32) -> PyResult<Option<DetectorRow>> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    Ok(instrument.detector(id).map(|detector| row(instrument, detector)))
}

#[pyfunction]
fn detectors_within(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<Vec<i32>> {
    Ok(cell.get().matrix(py)?.instrument().detectors_within(index))
}

/// Ids of all detectors, ascending; without monitors if `monitors` is false.
#[pyfunction]
fn detector_ids(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, monitors: bool) -> PyResult<Vec<i32>> {
    let matrix = cell.get().matrix(py)?;
    let detectors = matrix.instrument().detectors.iter();
    Ok(detectors
        .filter(|detector| monitors || !detector.monitor)
        .map(|detector| detector.id)
        .collect())
}

/// Geometry of a spectrum as means over its detectors: (L1 in m, L2 in m, 2θ, signed 2θ, φ, position).
///
/// None if none of its detectors is in the instrument.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a row of a table, taken apart in Python")]
fn spectrum_geometry(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    index: usize,
) -> PyResult<Option<(Option<f64>, f64, f64, f64, f64, Point)>> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    let ids = matrix.spectra().detectors(index);
    let known: Vec<&Detector> = ids.iter().filter_map(|id| instrument.detector(*id)).collect();
    if known.is_empty() {
        return Ok(None);
    }
    let count = known.len() as f64;
    let mean = |f: &dyn Fn(&Detector) -> f64| known.iter().map(|detector| f(detector)).sum::<f64>() / count;
    let position = (
        mean(&|d| d.position.x),
        mean(&|d| d.position.y),
        mean(&|d| d.position.z),
    );
    Ok(Some((
        instrument.l1(),
        mean(&|d| instrument.l2(d)),
        mean(&|d| instrument.two_theta(d)),
        mean(&|d| instrument.signed_two_theta(d)),
        mean(&|d| instrument.phi(d)),
        position,
    )))
}

/// Flags of a spectrum: (has detectors, is monitor, is masked).
#[pyfunction]
fn spectrum_flags(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize) -> PyResult<(bool, bool, bool)> {
    let matrix = cell.get().matrix(py)?;
    Ok((
        matrix.has_detectors(index),
        matrix.is_monitor(index),
        matrix.is_masked(index),
    ))
}

#[pyfunction]
fn detector_masked(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, id: i32) -> PyResult<bool> {
    Ok(cell.get().matrix(py)?.is_detector_masked(id))
}

#[pyfunction]
fn set_masked(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, ids: Vec<i32>, masked: bool) -> PyResult<()> {
    cell.get().update(py, |matrix| {
        matrix.set_masked(&ids, masked);
        Ok(())
    })
}

/// Instrument parameter: (text, number if numeric, type). Looked up at the detector, else at the component, else at the
/// instrument, and then at their parents; None if undefined.
#[pyfunction]
#[pyo3(signature = (cell, name, component=None, detector=None))]
fn parameter(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    name: &str,
    component: Option<usize>,
    detector: Option<i32>,
) -> PyResult<Option<(String, Option<f64>, &'static str)>> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    let held = match detector.and_then(|id| instrument.detector(id)) {
        Some(detector) => instrument.detector_parameter(detector, name),
        None => instrument.parameter(component, name),
    };
    Ok(held.map(|held| (held.text(), held.number(), held.kind())))
}

/// Names of the parameters of a detector, else of a component, else of the instrument. `carried` adds those of parents.
#[pyfunction]
#[pyo3(signature = (cell, carried, component=None, detector=None))]
fn parameter_names(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    carried: bool,
    component: Option<usize>,
    detector: Option<i32>,
) -> PyResult<Vec<String>> {
    let matrix = cell.get().matrix(py)?;
    let instrument = matrix.instrument();
    let detector = detector.and_then(|id| instrument.detector(id));
    let names = instrument.parameter_names(component, detector, carried).into_iter();
    Ok(names.map(str::to_owned).collect())
}

/// Nanoseconds since 1990 of a time in ISO 8601; `ValueError` for other texts.
#[pyfunction]
fn parse_time(py: Python<'_>, text: &str) -> PyResult<i64> {
    let wrong = || {
        live_data_reduction::error::AlgorithmError::InvalidArgument(format!(
            "Error interpreting string '{text}' as a date/time."
        ))
    };
    Ok(DateAndTime::parse(text).ok_or_else(wrong).raise(py)?.nanoseconds())
}

/// ISO 8601 of nanoseconds since 1990. `digits` forces nine digits of fraction, else a zero fraction is left out.
#[pyfunction]
#[pyo3(signature = (nanoseconds, digits=false))]
fn format_time(nanoseconds: i64, digits: bool) -> String {
    let time = DateAndTime::from_nanoseconds(nanoseconds);
    if digits {
        time.to_iso_nanoseconds()
    } else {
        time.to_iso()
    }
}
