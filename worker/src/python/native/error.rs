//! The reduction's errors as Python's exceptions.
//!
//! Promises the class that Mantid raises for each kind of failure, and that an interruption that is due goes before
//! the error that it caused.

use live_data_reduction::error::{AlgorithmError, ErrorClass};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// The exception for an error.
pub(crate) fn raised(py: Python<'_>, error: AlgorithmError) -> PyErr {
    worded(py, error.class(), error.to_string())
}

/// The exception of a class with other words.
pub(crate) fn worded(py: Python<'_>, class: ErrorClass, text: String) -> PyErr {
    match class {
        ErrorClass::InvalidArgument => PyValueError::new_err(text),
        ErrorClass::Type => PyTypeError::new_err(text),
        ErrorClass::NotFound => PyKeyError::new_err(text),
        ErrorClass::Execution => PyRuntimeError::new_err(text),
        ErrorClass::Index => PyIndexError::new_err(text),
        ErrorClass::Cancelled => match py.check_signals() {
            Err(interruption) => interruption,
            Ok(()) => PyRuntimeError::new_err(text),
        },
    }
}

/// `map_err` for results of the reduction.
pub(crate) trait Raise<T> {
    /// The value, or the exception.
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> Raise<T> for Result<T, AlgorithmError> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raised(py, error))
    }
}
