//! Unit conversion and short names of instruments, which belong to no workspace.

use live_data_reduction::instrument::source;
use live_data_reduction::unit::{self, EMode, FlightPath, Unit};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(convert_unit, module)?)?;
    module.add_function(wrap_pyfunction!(short_name, module)?)
}

/// Converts a value between units: `l1` and `l2` in m, `two_theta` in radians, `efixed` in meV.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "what Mantid's own call takes, one by one")]
fn convert_unit(
    from: &str,
    to: &str,
    value: f64,
    l1: f64,
    l2: f64,
    two_theta: f64,
    mode: &str,
    efixed: f64,
) -> PyResult<f64> {
    let quantity = |id: &str| {
        let known = Unit::from_id(id)
            .map(|unit| unit.quantity())
            .filter(|q| unit::is_convertible(*q));
        known.ok_or_else(|| PyRuntimeError::new_err(format!("the unit {id} is not known or cannot be converted")))
    };
    let (from, to) = (quantity(from)?, quantity(to)?);
    let mode = EMode::from_name(mode).unwrap_or(EMode::Elastic);
    let flight = FlightPath {
        l1,
        l2,
        two_theta,
        efixed,
    };
    Ok(unit::convert(from, to, mode, &flight, value))
}

/// Mantid's short name of an instrument, such as MER for MERLIN.
#[pyfunction]
fn short_name(name: &str) -> String {
    source::short_name(name).to_owned()
}
