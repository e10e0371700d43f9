//! Python's exceptions as text of bounded length.
//!
//! Promises never to print: `PyErr::print` would end the process on `SystemExit`. If formatting fails, the text is the
//! exception's own message.

use pyo3::prelude::*;
use pyo3::types::PyTracebackMethods;

/// Bytes of error text kept at most.
pub const LONGEST_ERROR: usize = 8 << 10;

/// Exception with its traceback, without secrets, of at most [`LONGEST_ERROR`] bytes and a note.
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

/// Text of at most `limit` bytes and a note of what was cut.
///
/// The middle is cut: a traceback's last line names the failure.
#[must_use]
pub fn bounded(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let head = text.floor_char_boundary(limit / 3);
    let tail = text.floor_char_boundary(text.len() - (limit - limit / 3));
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
