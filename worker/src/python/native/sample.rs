//! Sample of a workspace: name, size, crystal lattice.
//!
//! Promises plain numbers: lattice lengths in Å, sample sizes in mm, angles in degrees, matrices row by row. The `mantid`
//! package makes Mantid's classes of them.

use std::sync::Arc;

use live_data_reduction::error::AlgorithmError;
use live_data_reduction::workspace::sample::{Matrix3, OrientedLattice, Sample};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::workspace::PyWorkspace;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sample, module)?)?;
    module.add_function(wrap_pyfunction!(set_sample, module)?)
}

/// Lattice: (lengths in Å, angles in degrees, UB in 1/Å, volume in Å³).
type LatticeRow = ([f64; 3], [f64; 3], Matrix3, f64);

/// Sample: (name, geometry flag, (thickness, height, width) in mm, lattice or None).
#[pyfunction]
fn sample(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<(String, i32, [f64; 3], Option<LatticeRow>)> {
    let matrix = cell.get().matrix(py)?;
    let held = matrix.sample();
    let lattice = held.lattice.map(|it| (it.lengths, it.angles, it.ub, it.volume()));
    Ok((held.name.clone(), held.geometry, held.size, lattice))
}

/// Replaces the sample; without `ub` it has no lattice.
#[pyfunction]
#[pyo3(signature = (cell, name, geometry, size, ub=None))]
fn set_sample(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    name: String,
    geometry: i32,
    size: [f64; 3],
    ub: Option<Matrix3>,
) -> PyResult<()> {
    cell.get().update(py, |matrix| {
        let lattice = ub
            .map(OrientedLattice::from_ub)
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
