//! `sys.stdout` and `sys.stderr` of scripts.
//!
//! Promises a text stream that never blocks while it holds the GIL. Lines go to the queue. When a file is run from a
//! terminal, they go there with the GIL released. Must not raise for any text.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use super::lines::LineSplitter;
use super::queue::{LineLevel, LineOrigin, OutputLine, OutputQueue};
use super::redact::Redactor;

/// Bytes of a line at most; the rest is cut and counted.
pub const LONGEST_LINE: usize = 8 << 10;

/// Receiver of output: a worker's queue or a terminal.
#[derive(Clone)]
pub enum OutputSink {
    /// Line by line into the queue.
    Queue(Arc<OutputQueue>),
    /// Unchanged, to these files (standard output, standard error).
    Direct(Arc<(File, File)>),
}

impl OutputSink {
    /// Writes one line that was not written to a stream: a log line.
    pub fn line(&self, line: OutputLine) {
        match self {
            Self::Queue(queue) => queue.push(line),
            Self::Direct(files) => {
                // A closed terminal must not stop the script.
                let _ = writeln!(&files.1, "{}", line.text);
            }
        }
    }
}

/// Python text stream over an [`OutputSink`]; line-buffered, not seekable.
#[pyclass(module = "livedata._native", name = "TextStream", frozen)]
pub struct TextStream {
    sink: OutputSink,
    origin: LineOrigin,
    splitter: Mutex<LineSplitter>,
}

impl TextStream {
    /// Stream for `sys.stdout` or `sys.stderr`, by `origin`.
    #[must_use]
    pub fn new(sink: OutputSink, origin: LineOrigin, redactor: Redactor) -> Self {
        Self {
            sink,
            origin,
            splitter: Mutex::new(LineSplitter::new(LONGEST_LINE, redactor)),
        }
    }

    fn level(&self) -> LineLevel {
        if self.origin == LineOrigin::Stderr {
            LineLevel::Warning
        } else {
            LineLevel::Info
        }
    }

    fn put(&self, py: Python<'_>, text: &str) {
        match &self.sink {
            OutputSink::Queue(queue) => {
                let mut splitter = self.splitter.lock();
                splitter.write(text, |text| {
                    queue.push(OutputLine {
                        level: self.level(),
                        origin: self.origin,
                        text,
                    })
                });
            }
            OutputSink::Direct(files) => py.detach(|| {
                let mut file = if self.origin == LineOrigin::Stderr {
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
    /// Writes text; returns its number of characters.
    fn write(&self, py: Python<'_>, text: &Bound<'_, PyString>) -> usize {
        // Lone surrogates (file names that are not UTF-8) are replaced, not refused.
        self.put(py, &text.to_string_lossy());
        text.len().unwrap_or(0)
    }

    /// Writes each text of an iterable.
    fn writelines(&self, py: Python<'_>, texts: &Bound<'_, PyAny>) -> PyResult<()> {
        for text in texts.try_iter()? {
            self.put(py, &text?.cast_into::<PyString>()?.to_string_lossy());
        }
        Ok(())
    }

    /// No effect: a line is passed on whole, at its end or the execution's.
    fn flush(&self) {}

    /// Passes on the unfinished line, at the end of an execution.
    fn end_line(&self) {
        if let OutputSink::Queue(queue) = &self.sink {
            let level = self.level();
            self.splitter.lock().flush(|text| {
                queue.push(OutputLine {
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
    /// No effect: the stream belongs to the worker.
    fn close(&self) {}
    /// File descriptor for child processes: 1 or 2.
    fn fileno(&self) -> i32 {
        if self.origin == LineOrigin::Stderr { 2 } else { 1 }
    }
    /// No effect; accepts the arguments that text files accept.
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
        if self.origin == LineOrigin::Stderr {
            "<stderr>"
        } else {
            "<stdout>"
        }
    }
    #[getter]
    fn mode(&self) -> &'static str {
        "w"
    }
    /// Binary stream with the same receiver.
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

/// `sys.stdout.buffer`: bytes, decoded as UTF-8.
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
