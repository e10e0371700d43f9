//! The bounded queue of lines between the interpreter and whoever shows them.
//!
//! Promises that `push` never waits for a reader: a full queue, or an execution that has used up its allowance, drops
//! the line and counts it, and the reader is told how many were dropped, once. Must not call back into Python.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How serious a line is, by Python's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Details for whoever writes the script.
    Debug,
    /// What `print` writes.
    Info,
    /// What goes to the standard error.
    Warning,
    /// A failure that the script goes on after.
    Error,
    /// A failure that it doesn't.
    Critical,
}

impl Level {
    /// Python's name of the level, as FIA's log stream has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// The level of a number of Python's `logging`.
    #[must_use]
    pub fn from_logging(number: i64) -> Self {
        match number {
            ..20 => Self::Debug,
            20..30 => Self::Info,
            30..40 => Self::Warning,
            40..50 => Self::Error,
            50.. => Self::Critical,
        }
    }
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// `sys.stdout`
    Stdout,
    /// `sys.stderr`
    Stderr,
    /// Python's `logging` or Mantid's logger.
    Logging,
    /// Written to file descriptor 1 or 2 by C code or a child process.
    Descriptor,
    /// The queue itself, about what it dropped.
    Queue,
}

/// One line, without its newline and without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How serious it is.
    pub level: Level,
    /// Where it came from.
    pub origin: Origin,
    /// Its text.
    pub text: String,
}

/// Sizes of the queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Lines held at once.
    pub lines: usize,
    /// Bytes of text held at once.
    pub bytes: usize,
    /// Bytes that one execution may print before the rest is only counted.
    pub allowance: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            lines: 20_000,
            bytes: 4 << 20,
            allowance: 4 << 20,
        }
    }
}

/// Lines counted since the last call of [`Queue::begin`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines that entered the queue.
    pub kept: u64,
    /// Lines that were dropped.
    pub dropped: u64,
}

struct Inner {
    lines: VecDeque<Line>,
    bytes: usize,
    allowance: usize,
    unannounced: u64,
    counts: Counts,
}

/// The queue. One is shared by all writers.
pub struct Queue {
    limits: QueueLimits,
    inner: Mutex<Inner>,
    ready: Condvar,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(limits: QueueLimits) -> Self {
        Self {
            limits,
            inner: Mutex::new(Inner {
                lines: VecDeque::new(),
                bytes: 0,
                allowance: limits.allowance,
                unannounced: 0,
                counts: Counts::default(),
            }),
            ready: Condvar::new(),
        }
    }

    /// Gives the next execution its allowance.
    pub fn begin(&self) {
        let mut inner = self.inner.lock();
        inner.allowance = self.limits.allowance;
        inner.counts = Counts::default();
    }

    /// What has been counted since [`Queue::begin`].
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.inner.lock().counts
    }

    /// Adds a line, or drops and counts it. Never waits for the reader.
    pub fn push(&self, line: Line) {
        let size = line.text.len().saturating_add(1);
        {
            let mut inner = self.inner.lock();
            let full = inner.lines.len() >= self.limits.lines || inner.bytes.saturating_add(size) > self.limits.bytes;
            // Errors are told even when prints have used the allowance up.
            let spent = size > inner.allowance && line.level < Level::Error;
            if full || spent {
                inner.unannounced += 1;
                inner.counts.dropped += 1;
            } else {
                inner.allowance = inner.allowance.saturating_sub(size);
                inner.bytes += size;
                inner.counts.kept += 1;
                inner.lines.push_back(line);
            }
        }
        self.ready.notify_one();
    }

    /// The next line, waiting for at most `patience`. Lines dropped since the last were told of are announced once the
    /// queue has been read empty.
    pub fn receive(&self, patience: Duration) -> Option<Line> {
        let until = Instant::now() + patience;
        let mut inner = self.inner.lock();
        loop {
            if let Some(line) = inner.lines.pop_front() {
                inner.bytes = inner.bytes.saturating_sub(line.text.len() + 1);
                return Some(line);
            }
            let timed_out = self.ready.wait_until(&mut inner, until).timed_out();
            if inner.lines.is_empty() && timed_out {
                if inner.unannounced == 0 {
                    return None;
                }
                let dropped = std::mem::take(&mut inner.unannounced);
                return Some(Line {
                    level: Level::Warning,
                    origin: Origin::Queue,
                    text: format!("{dropped} more lines of output were dropped: print less"),
                });
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn line(text: &str, level: Level) -> Line {
        Line {
            level,
            origin: Origin::Stdout,
            text: text.into(),
        }
    }

    #[test]
    fn a_full_queue_drops_counts_and_says_so_once() {
        let queue = Queue::new(QueueLimits {
            lines: 2,
            bytes: 1000,
            allowance: 1000,
        });
        for text in ["a", "b", "c", "d"] {
            queue.push(line(text, Level::Info));
        }
        let wait = Duration::from_millis(1);
        assert_eq!(queue.receive(wait).unwrap().text, "a");
        assert_eq!(queue.receive(wait).unwrap().text, "b");
        let notice = queue.receive(wait).unwrap();
        assert!(notice.text.starts_with("2 more lines"), "{}", notice.text);
        assert_eq!(queue.receive(wait), None);
        assert_eq!(queue.counts(), Counts { kept: 2, dropped: 2 });
    }

    #[test]
    fn an_execution_has_an_allowance_that_errors_pass() {
        let queue = Queue::new(QueueLimits {
            lines: 100,
            bytes: 1000,
            allowance: 10,
        });
        queue.push(line("12345678", Level::Info));
        queue.push(line("12345678", Level::Info));
        queue.push(line("it failed", Level::Error));
        assert_eq!(queue.counts(), Counts { kept: 2, dropped: 1 });
        queue.begin();
        queue.push(line("12345678", Level::Info));
        assert_eq!(queue.counts(), Counts { kept: 1, dropped: 0 });
    }

    #[test]
    fn levels_have_pythons_names() {
        assert_eq!(Level::from_logging(25).name(), "INFO");
        assert_eq!(Level::from_logging(50).name(), "CRITICAL");
        assert_eq!(Level::from_logging(0).name(), "DEBUG");
    }
}
