//! Python's exceptions as text, bounded.
//!
//! Promises never to print: `PyErr::print` would end the process on `SystemExit`. Falls back to the exception's own
//! words when formatting it fails.

use pyo3::prelude::*;
use pyo3::types::PyTracebackMethods;

use super::output::lines::floor_boundary;

/// Longest error text kept, in bytes.
pub const LONGEST_ERROR: usize = 8 << 10;

/// The exception with its traceback.
#[must_use]
pub fn text_of(py: Python<'_>, error: &PyErr) -> String {
    let formatted = py
        .import("livedata.failures")
        .and_then(|module| module.call_method1("describe", (error.value(py),)))
        .and_then(|text| text.extract::<String>());
    let text = formatted.unwrap_or_else(|_| {
        let trace = error
            .traceback(py)
            .and_then(|trace| trace.format().ok())
            .unwrap_or_default();
        format!("{trace}{error}")
    });
    bounded(&text, LONGEST_ERROR)
}

/// The text, its middle left out when it is longer than `limit` bytes: the end of a traceback says what failed.
#[must_use]
pub fn bounded(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = floor_boundary(text, limit / 3);
    let tail = floor_boundary(text, text.len() - (limit - limit / 3));
    format!(
        "{}\n[… {} bytes left out …]\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_keep_their_start_and_their_end() {
        let text = format!("Traceback{}ValueError: ä", "€".repeat(10_000));
        let short = bounded(&text, 300);
        assert!(short.starts_with("Traceback") && short.ends_with("ValueError: ä"));
        assert!(short.len() < 400);
        assert_eq!(bounded("short", 300), "short");
    }
}
