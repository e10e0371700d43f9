//! Vertical axis of a workspace. Promises: clones share the values. Must not: contain X, which is data.

use std::sync::Arc;

use crate::unit::Unit;

/// Vertical axis: one value for each spectrum.
#[derive(Debug, Clone, PartialEq)]
pub enum VerticalAxis {
    /// Spectrum numbers of the mapping.
    Spectra,
    /// Numbers in a unit, such as the angles of ConvertSpectrumAxis.
    Numeric {
        unit: Unit,
        /// One for each spectrum, or one edge more.
        values: Arc<[f64]>,
    },
    /// One label for each spectrum.
    Text(Arc<[String]>),
}
