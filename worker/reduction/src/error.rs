//! What can go wrong in a reduction, classed as a script sees it. Promises: every error carries the offending value
//! and what to do next, in the words that scripts written for Mantid match on; must not know Python.

use thiserror::Error;

/// The class of an error, which decides the exception that a script sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// A value that an algorithm or method cannot take (`ValueError`).
    InvalidArgument,
    /// A value of the wrong type, or an unknown property (`TypeError`).
    Type,
    /// A name that does not exist in the data service (`KeyError`).
    NotFound,
    /// Anything that fails while computing (`RuntimeError`).
    Execution,
    /// An index outside a workspace (`IndexError`).
    Index,
    /// The execution was cancelled.
    Cancelled,
}

/// An error of the framework, of a workspace or of an algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AlgorithmError {
    /// A value that cannot be taken.
    #[error("{0}")]
    InvalidArgument(String),
    /// A value of the wrong type, or an unknown property.
    #[error("{0}")]
    Type(String),
    /// A name that the data service does not hold.
    #[error("{0}")]
    NotFound(String),
    /// A failure while computing.
    #[error("{0}")]
    Execution(String),
    /// An index outside a workspace.
    #[error("{0}")]
    Index(String),
    /// The execution was cancelled.
    #[error("Algorithm terminated")]
    Cancelled,
}

/// The result of anything in this crate that can fail.
pub type Result<T, E = AlgorithmError> = std::result::Result<T, E>;

impl AlgorithmError {
    /// The class of the error.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::InvalidArgument(_) => ErrorClass::InvalidArgument,
            Self::Type(_) => ErrorClass::Type,
            Self::NotFound(_) => ErrorClass::NotFound,
            Self::Execution(_) => ErrorClass::Execution,
            Self::Index(_) => ErrorClass::Index,
            Self::Cancelled => ErrorClass::Cancelled,
        }
    }

    /// The same error with its text replaced.
    pub fn with_text(self, text: String) -> Self {
        match self {
            Self::InvalidArgument(_) => Self::InvalidArgument(text),
            Self::Type(_) => Self::Type(text),
            Self::NotFound(_) => Self::NotFound(text),
            Self::Execution(_) => Self::Execution(text),
            Self::Index(_) => Self::Index(text),
            Self::Cancelled => Self::Cancelled,
        }
    }
}

/// A value that cannot be taken.
pub(crate) fn invalid<T>(text: impl Into<String>) -> Result<T> {
    Err(AlgorithmError::InvalidArgument(text.into()))
}

/// A failure while computing.
pub(crate) fn failed<T>(text: impl Into<String>) -> Result<T> {
    Err(AlgorithmError::Execution(text.into()))
}

/// An index that is outside `0..size`.
pub(crate) fn outside<T>(what: &str, index: impl std::fmt::Display, size: usize) -> Result<T> {
    Err(AlgorithmError::Index(format!(
        "{what} {index} is out of range: the workspace has {size}, counted from 0"
    )))
}
