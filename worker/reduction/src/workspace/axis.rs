//! What the vertical axis of a workspace counts: spectra, numbers in a unit, or texts. Promises: cloning shares the
//! values; must not hold the X values of spectra, which are data.

use std::sync::Arc;

use crate::unit::Unit;

/// What the vertical axis counts.
#[derive(Debug, Clone, PartialEq)]
pub enum VerticalAxis {
    /// Spectrum numbers.
    Spectra,
    /// One number per spectrum (or one edge more than spectra), in a unit.
    Numeric {
        /// The unit of the numbers.
        unit: Unit,
        /// The numbers.
        values: Arc<[f64]>,
    },
    /// One text per spectrum.
    Text(Arc<[String]>),
}
