//! Log messages of algorithms. Promises: priorities in Mantid's order. Must not: know the destination of messages.

/// Priority of a log message, in Mantid's names and order: the most serious is the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// The program cannot continue.
    Fatal,
    /// A result is lost.
    Critical,
    /// One operation failed.
    Error,
    /// A result may be wrong.
    Warning,
    /// Worth reading in normal operation; the default threshold.
    Notice,
    /// Progress of an algorithm.
    Information,
    /// For developers.
    Debug,
    /// For developers, in inner loops.
    Trace,
}

/// Destination of log messages, called from any thread.
pub trait Logger: Send + Sync {
    /// Records one message of `source`, such as the name of an algorithm. Must not block.
    fn log(&self, level: LogLevel, source: &str, text: &str);
}

/// Logger that drops every message, for tests and checks of scripts.
pub struct NullLogger;

impl Logger for NullLogger {
    fn log(&self, _: LogLevel, _: &str, _: &str) {}
}
