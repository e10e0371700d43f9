//! Errors of the reduction as Python's exceptions.
//!
//! Promises the class that Mantid raises for each kind of failure. A pending interruption takes precedence over the error
//! that it caused.

use live_data_reduction::error::{AlgorithmError, ErrorClass};
use pyo3::exceptions::{PyIndexError, PyKeyError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;

/// Exception for an error, with its own text.
pub(crate) fn to_exception(py: Python<'_>, error: AlgorithmError) -> PyErr {
    exception_of(py, error.class(), error.to_string())
}

/// Exception for a class of errors with another text.
pub(crate) fn exception_of(py: Python<'_>, class: ErrorClass, text: String) -> PyErr {
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

/// Conversion of the reduction's results for `?` in functions that Python calls.
pub(crate) trait RaiseInPython<T> {
    /// The value, or the exception for the error.
    fn raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> RaiseInPython<T> for Result<T, AlgorithmError> {
    fn raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| to_exception(py, error))
    }
}
