//! Logger of algorithms and of `mantid.kernel.Logger`.
//!
//! Promises never to block, and to drop lines below the level that was set.

use std::sync::atomic::{AtomicU8, Ordering};

use live_data_reduction::service::{LogLevel, Logger};

use crate::python::output::{self, LineOrigin, LineSplitter, OutputLine, OutputSink, Redactor, stream::LONGEST_LINE};

/// Least serious level that is passed on; one level per process.
static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Notice as u8);

/// Sets the least serious level that is passed on, in Mantid's numbering (1 fatal to 8 trace).
pub(crate) fn set_level(number: u8) {
    LEVEL.store(number.clamp(1, 8) - 1, Ordering::Relaxed);
}

/// Logger that writes to the scripts' output, as `[source] text`.
pub struct SinkLogger {
    sink: OutputSink,
    redactor: Redactor,
}

impl SinkLogger {
    /// Logger that blots `redactor`'s secrets out of each line.
    #[must_use]
    pub fn new(sink: OutputSink, redactor: Redactor) -> Self {
        Self { sink, redactor }
    }
}

impl Logger for SinkLogger {
    fn log(&self, level: LogLevel, source: &str, text: &str) {
        if level as u8 > LEVEL.load(Ordering::Relaxed) {
            return;
        }
        let level = match level {
            LogLevel::Fatal | LogLevel::Critical => output::LineLevel::Critical,
            LogLevel::Error => output::LineLevel::Error,
            LogLevel::Warning => output::LineLevel::Warning,
            LogLevel::Notice | LogLevel::Information => output::LineLevel::Info,
            LogLevel::Debug | LogLevel::Trace => output::LineLevel::Debug,
        };
        let mut splitter = LineSplitter::new(LONGEST_LINE, self.redactor.clone());
        let emit = |text: String| {
            self.sink.line(OutputLine {
                level,
                origin: LineOrigin::Logging,
                text: format!("[{source}] {text}"),
            });
        };
        splitter.write(text, emit);
        splitter.flush(emit);
    }
}
