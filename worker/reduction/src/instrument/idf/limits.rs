//! Limits that end definitions which multiply or contain themselves.

/// Largest number of detectors, above that of any instrument.
pub(super) const MAX_DETECTORS: usize = 10_000_000;
/// Largest depth of nested components, above that of any instrument.
pub(super) const MAX_DEPTH: usize = 24;
