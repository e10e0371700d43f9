//! The parts of an instrument as a tree.
//!
//! Promises that a part comes after the one that carries it, and detectors in order of their ids; positions in metres
//! in the laboratory's frame.

use std::sync::Arc;

use live_data_reduction::error::AlgorithmError;
use live_data_reduction::instrument::{Instrument, V3};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::cell::Cell;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(components, module)?,
        wrap_pyfunction!(detector_parents, module)?,
        wrap_pyfunction!(move_component, module)?,
        wrap_pyfunction!(move_detector, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

type Point = (f64, f64, f64);

/// (name, index of what carries it or None, position) of every part; the first is the instrument.
#[pyfunction]
fn components(py: Python<'_>, cell: &Bound<'_, Cell>) -> PyResult<Vec<(String, Option<u32>, Point)>> {
    let matrix = cell.get().matrix(py)?;
    let row = |part: &live_data_reduction::instrument::Component| {
        let place = part.position;
        (part.name.to_string(), part.parent, (place.x, place.y, place.z))
    };
    Ok(matrix.instrument().components.iter().map(row).collect())
}

/// The index of the part that carries each detector, in order of their ids.
#[pyfunction]
fn detector_parents(py: Python<'_>, cell: &Bound<'_, Cell>) -> PyResult<Vec<u32>> {
    let matrix = cell.get().matrix(py)?;
    Ok(matrix
        .instrument()
        .detectors
        .iter()
        .map(|detector| detector.parent)
        .collect())
}

fn change(
    py: Python<'_>,
    cell: &Bound<'_, Cell>,
    work: impl FnOnce(&mut Instrument) -> Result<(), AlgorithmError> + Send,
) -> PyResult<()> {
    cell.get().update(py, |matrix| {
        let mut instrument = (**matrix.instrument()).clone();
        work(&mut instrument)?;
        matrix.set_instrument(Arc::new(instrument));
        Ok(())
    })
}

/// Moves a part with all that it carries.
#[pyfunction]
fn move_component(py: Python<'_>, cell: &Bound<'_, Cell>, index: usize, to: Point) -> PyResult<()> {
    change(py, cell, |instrument| {
        instrument.move_component(index, V3::new(to.0, to.1, to.2))
    })
}

/// Moves one detector.
#[pyfunction]
fn move_detector(py: Python<'_>, cell: &Bound<'_, Cell>, id: i32, to: Point) -> PyResult<()> {
    change(py, cell, |instrument| {
        match instrument.move_detector(id, V3::new(to.0, to.1, to.2)) {
            true => Ok(()),
            false => Err(AlgorithmError::Execution(format!(
                "the instrument has no detector {id}"
            ))),
        }
    })
}
