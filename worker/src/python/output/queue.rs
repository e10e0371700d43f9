//! Bounded queue of output lines between the interpreter and the log.
//!
//! Promises that `push` never waits for a reader. A full queue, or an execution that has used up its allowance, drops
//! the line and counts it. The reader receives one notice with the number of dropped lines. Must not call Python.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Severity of an output line, by the names of Python's `logging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineLevel {
    /// Details for the script's author.
    Debug,
    /// Text of `print` and standard output.
    Info,
    /// Text on standard error.
    Warning,
    /// Failure that the script survives.
    Error,
    /// Failure that ends the script.
    Critical,
}

impl LineLevel {
    /// Python's name of the level, as in FIA's log stream.
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

    /// Level for a level number of Python's `logging` (10 debug to 50 critical).
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

/// Writer of an output line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineOrigin {
    /// `sys.stdout`
    Stdout,
    /// `sys.stderr`
    Stderr,
    /// Python's `logging` or Mantid's logger.
    Logging,
    /// File descriptor 1 or 2, by C code or a child process.
    Descriptor,
    /// The queue's own notice of dropped lines.
    Queue,
}

/// One line of output, without its newline and without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputLine {
    pub level: LineLevel,
    pub origin: LineOrigin,
    pub text: String,
}

/// Capacity of the queue and of one execution's output.
#[derive(Debug, Clone, Copy)]
pub struct OutputQueueLimits {
    /// Lines queued at most.
    pub lines: usize,
    /// Bytes of text queued at most, newlines included.
    pub bytes: usize,
    /// Bytes of one execution; further lines below `Error` are dropped and counted.
    pub allowance: usize,
}

impl Default for OutputQueueLimits {
    fn default() -> Self {
        Self {
            lines: 20_000,
            bytes: 4 << 20,
            allowance: 4 << 20,
        }
    }
}

/// Lines counted since the last call of [`OutputQueue::begin`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCounts {
    pub kept: u64,
    pub dropped: u64,
}

struct OutputQueueState {
    lines: VecDeque<OutputLine>,
    bytes: usize,
    allowance: usize,
    unannounced: u64,
    counts: LineCounts,
}

/// Queue shared by all writers of a process and one reader.
pub struct OutputQueue {
    limits: OutputQueueLimits,
    state: Mutex<OutputQueueState>,
    ready: Condvar,
}

impl OutputQueue {
    /// Empty queue with a full allowance.
    #[must_use]
    pub fn new(limits: OutputQueueLimits) -> Self {
        Self {
            limits,
            state: Mutex::new(OutputQueueState {
                lines: VecDeque::new(),
                bytes: 0,
                allowance: limits.allowance,
                unannounced: 0,
                counts: LineCounts::default(),
            }),
            ready: Condvar::new(),
        }
    }

    /// Starts an execution: full allowance, counts at zero.
    pub fn begin(&self) {
        let mut state = self.state.lock();
        state.allowance = self.limits.allowance;
        state.counts = LineCounts::default();
    }

    /// Lines kept and dropped since [`OutputQueue::begin`].
    #[must_use]
    pub fn counts(&self) -> LineCounts {
        self.state.lock().counts
    }

    /// Appends a line, or drops and counts it; never waits for the reader.
    pub fn push(&self, line: OutputLine) {
        let size = line.text.len().saturating_add(1);
        {
            let mut state = self.state.lock();
            let full = state.lines.len() >= self.limits.lines || state.bytes.saturating_add(size) > self.limits.bytes;
            // Errors pass even when prints have used up the allowance.
            let spent = size > state.allowance && line.level < LineLevel::Error;
            if full || spent {
                state.unannounced += 1;
                state.counts.dropped += 1;
            } else {
                state.allowance = state.allowance.saturating_sub(size);
                state.bytes += size;
                state.counts.kept += 1;
                state.lines.push_back(line);
            }
        }
        self.ready.notify_one();
    }

    /// Removes the oldest line, waiting for at most `patience`.
    ///
    /// After an empty queue's wait, a notice counts the lines dropped since the last notice.
    pub fn receive(&self, patience: Duration) -> Option<OutputLine> {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.bytes = state.bytes.saturating_sub(line.text.len() + 1);
                return Some(line);
            }
            let timed_out = self.ready.wait_until(&mut state, until).timed_out();
            if state.lines.is_empty() && timed_out {
                if state.unannounced == 0 {
                    return None;
                }
                let dropped = std::mem::take(&mut state.unannounced);
                return Some(OutputLine {
                    level: LineLevel::Warning,
                    origin: LineOrigin::Queue,
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

    fn line(text: &str, level: LineLevel) -> OutputLine {
        OutputLine {
            level,
            origin: LineOrigin::Stdout,
            text: text.into(),
        }
    }

    #[test]
    fn a_full_queue_drops_counts_and_reports_once() {
        let queue = OutputQueue::new(OutputQueueLimits {
            lines: 2,
            bytes: 1000,
            allowance: 1000,
        });
        for text in ["a", "b", "c", "d"] {
            queue.push(line(text, LineLevel::Info));
        }
        let wait = Duration::from_millis(1);
        assert_eq!(queue.receive(wait).unwrap().text, "a");
        assert_eq!(queue.receive(wait).unwrap().text, "b");
        let notice = queue.receive(wait).unwrap();
        assert!(notice.text.starts_with("2 more lines"), "{}", notice.text);
        assert_eq!(queue.receive(wait), None);
        assert_eq!(queue.counts(), LineCounts { kept: 2, dropped: 2 });
    }

    #[test]
    fn an_execution_has_an_allowance_that_errors_pass() {
        let queue = OutputQueue::new(OutputQueueLimits {
            lines: 100,
            bytes: 1000,
            allowance: 10,
        });
        queue.push(line("12345678", LineLevel::Info));
        queue.push(line("12345678", LineLevel::Info));
        queue.push(line("it failed", LineLevel::Error));
        assert_eq!(queue.counts(), LineCounts { kept: 2, dropped: 1 });
        queue.begin();
        queue.push(line("12345678", LineLevel::Info));
        assert_eq!(queue.counts(), LineCounts { kept: 1, dropped: 0 });
    }

    #[test]
    fn levels_have_pythons_names() {
        assert_eq!(LineLevel::from_logging(25).name(), "INFO");
        assert_eq!(LineLevel::from_logging(50).name(), "CRITICAL");
        assert_eq!(LineLevel::from_logging(0).name(), "DEBUG");
    }
}
