//! Errors of reading an instrument from a NeXus structure.

use thiserror::Error;

/// Reason why a structure gives no instrument.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NexusError {
    /// Text that is not JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// `depends_on` with a path outside the structure.
    #[error("{owner} depends on \"{path}\", which is not in the structure")]
    NoTransformation { owner: String, path: String },
    /// Transformation without usable type, unit, vector or value.
    #[error("the transformation \"{path}\" cannot be used: {reason}")]
    BadTransformation { path: String, reason: String },
    /// Chain of transformations that returns to itself.
    #[error("the transformations of {owner} depend on each other in a circle")]
    EndlessChain { owner: String },
    /// Detector whose ids and offsets contradict each other.
    #[error("the detector {name} cannot be used: {reason}")]
    BadDetector { name: String, reason: String },
    /// Detectors without a source: no flight path is known.
    #[error("it has detectors, but no NXsource or NXmoderator that says where it is")]
    NoSource,
}
