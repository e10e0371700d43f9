//! Errors of a reduction by the exception that a script sees. Promises: a text has the offending value and a remedy, and
//! Mantid's wording where scripts match on it. Must not: know Python.

use thiserror::Error;

/// Class of an error, which decides the Python exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Invalid value (`ValueError`).
    InvalidArgument,
    /// Value of the wrong type, or unknown property (`TypeError`).
    Type,
    /// Name that is not in the data service (`KeyError`).
    NotFound,
    /// Failure of a computation (`RuntimeError`).
    Execution,
    /// Index outside a workspace (`IndexError`).
    Index,
    /// Cancelled execution; the script is being interrupted.
    Cancelled,
}

/// Error of the framework, a workspace or an algorithm, with its text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AlgorithmError {
    #[error("{0}")]
    InvalidArgument(String),
    #[error("{0}")]
    Type(String),
    #[error("{0}")]
    NotFound(String),
    #[error("{0}")]
    Execution(String),
    #[error("{0}")]
    Index(String),
    #[error("Algorithm terminated")]
    Cancelled,
}

/// Result with [`AlgorithmError`] by default.
pub type Result<T, E = AlgorithmError> = std::result::Result<T, E>;

impl AlgorithmError {
    /// Class of the error, which decides the Python exception.
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

    /// Error of the same class with another text; `Cancelled` keeps its own.
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

/// `InvalidArgument` with a text.
pub(crate) fn invalid<T>(text: impl Into<String>) -> Result<T> {
    Err(AlgorithmError::InvalidArgument(text.into()))
}

/// `Execution` with a text.
pub(crate) fn failed<T>(text: impl Into<String>) -> Result<T> {
    Err(AlgorithmError::Execution(text.into()))
}

/// `Index` for an index outside `0..size`; `what` names the kind of index.
pub(crate) fn outside<T>(what: &str, index: impl std::fmt::Display, size: usize) -> Result<T> {
    Err(AlgorithmError::Index(format!(
        "{what} {index} is out of range: the workspace has {size}, counted from 0"
    )))
}
