//! `sys.stdout` and `sys.stderr` as scripts see them.
//!
//! Promises a text stream that never blocks while it holds the interpreter: lines go to the queue, or, when a file is
//! run from a terminal, straight to the terminal with the interpreter released. Must not raise for any text.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::lines::LineSplitter;
use super::queue::{Level, Line, Origin, Queue};
use super::redact::Redactor;

/// Longest line passed on, in bytes.
pub const LONGEST_LINE: usize = 8 << 10;

/// Where text goes.
#[derive(Clone)]
pub enum Sink {
    /// Line by line into the queue.
    Queue(Arc<Queue>),
    /// As it is, to files that are the terminal's (standard output and standard error).
    Direct(Arc<(File, File)>),
}

impl Sink {
    /// Passes on one line that did not come through a stream.
    pub fn line(&self, line: Line) {
        match self {
            Self::Queue(queue) => queue.push(line),
            Self::Direct(files) => {
                // A reader that has gone away is no reason to stop the script.
                let _ = writeln!(&files.1, "{}", line.text);
            }
        }
    }
}

/// A text stream over a [`Sink`].
#[pyclass(module = "livedata._native", name = "TextStream", frozen)]
pub struct TextStream {
    sink: Sink,
    origin: Origin,
    splitter: Mutex<LineSplitter>,
}

impl TextStream {
    /// A stream for `sys.stdout` or `sys.stderr`.
    #[must_use]
    pub fn new(sink: Sink, origin: Origin, redactor: Redactor) -> Self {
        Self {
            sink,
            origin,
            splitter: Mutex::new(LineSplitter::new(LONGEST_LINE, redactor)),
        }
    }

    fn level(&self) -> Level {
        if self.origin == Origin::Stderr {
            Level::Warning
        } else {
            Level::Info
        }
    }

    fn put(&self, py: Python<'_>, text: &str) {
        match &self.sink {
            Sink::Queue(queue) => {
                let mut splitter = self.splitter.lock();
                splitter.write(text, |text| {
                    queue.push(Line {
                        level: self.level(),
                        origin: self.origin,
                        text,
                    })
                });
            }
            Sink::Direct(files) => py.detach(|| {
                let mut file = if self.origin == Origin::Stderr {
                    &files.1
                } else {
                    &files.0
                };
                let _ = file.write_all(text.as_bytes());
            }),
        }
    }
}

#[pymethods]
impl TextStream {
    /// Writes text; returns the number of characters.
    fn write(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> usize {
        // Lone surrogates (file names that are no UTF-8) are shown, not refused.
        self.put(py, &text.to_string_lossy());
        text.len().unwrap_or(0)
    }

    /// Writes each of the texts.
    fn writelines(&self, py: Python<'_>, texts: &Bound<'_, PyAny>) -> PyResult<()> {
        for text in texts.try_iter()? {
            self.put(py, &text?.cast_into::<PyString>()?.to_string_lossy());
        }
        Ok(())
    }

    /// A no-op while a line is unfinished: it is passed on whole, at its end or the execution's.
    fn flush(&self) {}

    /// Passes an unfinished line on.
    fn end_line(&self) {
        if let Sink::Queue(queue) = &self.sink {
            let level = self.level();
            self.splitter.lock().flush(|text| {
                queue.push(Line {
                    level,
                    origin: self.origin,
                    text,
                })
            });
        }
    }

    fn isatty(&self) -> bool {
        false
    }
    fn readable(&self) -> bool {
        false
    }
    fn writable(&self) -> bool {
        true
    }
    fn seekable(&self) -> bool {
        false
    }
    /// Closing is ignored: the stream is the worker's.
    fn close(&self) {}
    /// The descriptor, for child processes.
    fn fileno(&self) -> i32 {
        if self.origin == Origin::Stderr { 2 } else { 1 }
    }
    /// Accepts what text files accept; nothing about this stream can be changed.
    #[pyo3(signature = (**_options))]
    fn reconfigure(&self, _options: Option<&Bound<'_, PyAny>>) {}
    #[getter]
    fn closed(&self) -> bool {
        false
    }
    #[getter]
    fn encoding(&self) -> &'static str {
        "utf-8"
    }
    #[getter]
    fn errors(&self) -> &'static str {
        "replace"
    }
    #[getter]
    fn line_buffering(&self) -> bool {
        true
    }
    #[getter]
    fn name(&self) -> &'static str {
        if self.origin == Origin::Stderr {
            "<stderr>"
        } else {
            "<stdout>"
        }
    }
    #[getter]
    fn mode(&self) -> &'static str {
        "w"
    }
    /// The stream that takes bytes.
    #[getter]
    fn buffer(slf: Py<Self>) -> ByteStream {
        ByteStream { text: slf }
    }
    fn __enter__(slf: Py<Self>) -> Py<Self> {
        slf
    }
    #[pyo3(signature = (*_error))]
    fn __exit__(&self, _error: &Bound<'_, PyAny>) -> bool {
        false
    }
}

/// `sys.stdout.buffer`: bytes, taken for UTF-8.
#[pyclass(module = "livedata._native", name = "ByteStream", frozen)]
pub struct ByteStream {
    text: Py<TextStream>,
}

#[pymethods]
impl ByteStream {
    fn write(&self, py: Python<'_>, bytes: &Bound<'_, PyAny>) -> PyResult<usize> {
        let bytes = py.get_type::<PyBytes>().call1((bytes,))?.cast_into::<PyBytes>()?;
        self.text.get().put(py, &String::from_utf8_lossy(bytes.as_bytes()));
        Ok(bytes.as_bytes().len())
    }
    fn flush(&self) {}
    fn fileno(&self) -> i32 {
        self.text.get().fileno()
    }
    fn writable(&self) -> bool {
        true
    }
}
