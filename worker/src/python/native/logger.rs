//! Lines of log from algorithms and from `mantid.kernel.Logger`, on their way to the output.
//!
//! Promises never to block, and to drop what is below the level that was set.

use std::sync::atomic::{AtomicU8, Ordering};

use live_data_reduction::service::{Level, Logger};

use crate::python::output::{self, Line, LineSplitter, Origin, Redactor, Sink, stream::LONGEST_LINE};

/// The least serious level that is passed on; the process has one logger.
static LEVEL: AtomicU8 = AtomicU8::new(Level::Notice as u8);

/// Sets the least serious level that is passed on, as Mantid counts them (1 fatal to 8 trace).
pub(crate) fn set_level(number: u8) {
    LEVEL.store(number.clamp(1, 8) - 1, Ordering::Relaxed);
}

/// Passes lines on to where scripts' output goes.
pub struct SinkLogger {
    sink: Sink,
    redactor: Redactor,
}

impl SinkLogger {
    /// A logger over a sink.
    #[must_use]
    pub fn new(sink: Sink, redactor: Redactor) -> Self {
        Self { sink, redactor }
    }
}

impl Logger for SinkLogger {
    fn log(&self, level: Level, source: &str, text: &str) {
        if level as u8 > LEVEL.load(Ordering::Relaxed) {
            return;
        }
        let level = match level {
            Level::Fatal | Level::Critical => output::Level::Critical,
            Level::Error => output::Level::Error,
            Level::Warning => output::Level::Warning,
            Level::Notice | Level::Information => output::Level::Info,
            Level::Debug | Level::Trace => output::Level::Debug,
        };
        let mut splitter = LineSplitter::new(LONGEST_LINE, self.redactor.clone());
        let emit = |text: String| {
            self.sink.line(Line {
                level,
                origin: Origin::Logging,
                text: format!("[{source}] {text}"),
            });
        };
        splitter.write(text, emit);
        splitter.flush(emit);
    }
}
