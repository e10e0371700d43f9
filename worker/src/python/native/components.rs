//! Components of an instrument as a tree.
//!
//! Promises that a component follows its parent, and detectors in order of their ids; positions in metres in the
//! laboratory's frame.

use std::sync::Arc;

use live_data_reduction::error::AlgorithmError;
use live_data_reduction::instrument::{Instrument, V3D};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::workspace::PyWorkspace;

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

/// (name, index of the parent or None, position in m) of each component; the first is the instrument.
#[pyfunction]
fn components(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<Vec<(String, Option<u32>, Point)>> {
    let matrix = cell.get().matrix(py)?;
    let row = |part: &live_data_reduction::instrument::Component| {
        let position = part.position;
        (part.name.to_string(), part.parent, (position.x, position.y, position.z))
    };
    Ok(matrix.instrument().components.iter().map(row).collect())
}

/// Index of the parent component of each detector, in order of detector ids.
#[pyfunction]
fn detector_parents(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<Vec<u32>> {
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
    cell: &Bound<'_, PyWorkspace>,
    work: impl FnOnce(&mut Instrument) -> Result<(), AlgorithmError> + Send,
) -> PyResult<()> {
    cell.get().update(py, |matrix| {
        let mut instrument = (**matrix.instrument()).clone();
        work(&mut instrument)?;
        matrix.set_instrument(Arc::new(instrument));
        Ok(())
    })
}

/// Moves a component and all below it to a position in m.
#[pyfunction]
fn move_component(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, index: usize, to: Point) -> PyResult<()> {
    change(py, cell, |instrument| {
        instrument.move_component(index, V3D::new(to.0, to.1, to.2))
    })
}

/// Moves one detector to a position in m; `RuntimeError` for an unknown id.
#[pyfunction]
fn move_detector(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, id: i32, to: Point) -> PyResult<()> {
    change(py, cell, |instrument| {
        match instrument.move_detector(id, V3D::new(to.0, to.1, to.2)) {
            true => Ok(()),
            false => Err(AlgorithmError::Execution(format!(
                "the instrument has no detector {id}"
            ))),
        }
    })
}
