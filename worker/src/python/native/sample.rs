//! The sample of a workspace: name, size, crystal lattice.
//!
//! Promises plain numbers: lengths in Å and mm, angles in degrees, matrices row by row; the face makes them what
//! Mantid has.

use std::sync::Arc;

use live_data_reduction::error::AlgorithmError;
use live_data_reduction::workspace::sample::{Lattice, Matrix3, Sample};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::cell::Cell;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sample, module)?)?;
    module.add_function(wrap_pyfunction!(set_sample, module)?)
}

/// (lengths, angles, UB, volume) of a lattice.
type LatticeRow = ([f64; 3], [f64; 3], Matrix3, f64);

/// (name, geometry, (thickness, height, width), lattice or None).
#[pyfunction]
fn sample(py: Python<'_>, cell: &Bound<'_, Cell>) -> PyResult<(String, i32, [f64; 3], Option<LatticeRow>)> {
    let matrix = cell.get().matrix(py)?;
    let held = matrix.sample();
    let lattice = held.lattice.map(|it| (it.lengths, it.angles, it.ub, it.volume()));
    Ok((held.name.clone(), held.geometry, held.size, lattice))
}

/// Replaces the sample; without UB it has no lattice.
#[pyfunction]
#[pyo3(signature = (cell, name, geometry, size, ub=None))]
fn set_sample(
    py: Python<'_>,
    cell: &Bound<'_, Cell>,
    name: String,
    geometry: i32,
    size: [f64; 3],
    ub: Option<Matrix3>,
) -> PyResult<()> {
    cell.get().update(py, |matrix| {
        let lattice = ub
            .map(Lattice::of)
            .transpose()
            .map_err(AlgorithmError::InvalidArgument)?;
        matrix.set_sample(Arc::new(Sample {
            name,
            geometry,
            size,
            lattice,
        }));
        Ok(())
    })
}
