//! Exceptions raised in a Python thread from outside it.
//!
//! Promises: an exception reaches the thread between two of its bytecode instructions. Must not wait: a thread inside C
//! code, a sleep or a socket receives it only when that returns.

use pyo3::ffi;
use pyo3::prelude::*;

/// Raises `exception` (a class) in the Python thread with the identifier `thread` of `threading.get_ident()`.
pub fn raise_in_thread(py: Python<'_>, thread: u64, exception: &Bound<'_, PyAny>) {
    set_async_exception(py, thread, exception.as_ptr());
}

/// Withdraws an exception of [`raise_in_thread`] that the thread has not received yet.
pub fn withdraw_exception(py: Python<'_>, thread: u64) {
    set_async_exception(py, thread, std::ptr::null_mut());
}

fn set_async_exception(_py: Python<'_>, thread: u64, exception: *mut ffi::PyObject) {
    // SAFETY: the token proves that the interpreter is attached. CPython ignores an identifier that it does not know. The
    // exception is a class borrowed for the call, or null, which withdraws a pending one.
    unsafe {
        ffi::PyThreadState_SetAsyncExc(thread as _, exception);
    }
}
