//! Log for the scientist: lines printed by the script, and the worker's own about runs and executions.
//!
//! Each line goes to three places: the pod's log, the browsers on `/logs`, and the Valkey stream ([`valkey`]) that the FIA
//! web page shows. Promises: writing never blocks, and lines that Valkey did not receive are counted. Must not receive
//! secrets: lines of scripts are redacted where they are captured.

pub mod valkey;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};

/// Number of lines that a browser receives when it opens `/logs`.
const RECENT_LINES: usize = 500;
/// Number of lines that are kept for Valkey while it is unreachable.
const PENDING_LINES: usize = 2000;

/// Severity of a line; the names are those of Python's `logging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogLevel {
    Debug,
    Info,
    Warning,
    Error,
    Critical,
}

impl LogLevel {
    /// Name in Python's `logging`, as in the Valkey stream and on `/logs`.
    pub fn name(self) -> &'static str {
        match self {
            LogLevel::Debug => "DEBUG",
            LogLevel::Info => "INFO",
            LogLevel::Warning => "WARNING",
            LogLevel::Error => "ERROR",
            LogLevel::Critical => "CRITICAL",
        }
    }
}

/// One line of the log; the field names are those of the Valkey stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogRecord {
    /// Text without a line end.
    pub msg: String,
    pub level: LogLevel,
}

/// Writing end of the log; clones write to the same log.
#[derive(Clone, Debug)]
pub struct ScriptLog {
    recipients: Arc<Recipients>,
    pending: mpsc::Sender<LogRecord>,
}

#[derive(Debug)]
struct Recipients {
    recent: Mutex<VecDeque<LogRecord>>,
    browsers: broadcast::Sender<LogRecord>,
    dropped: AtomicU64,
}

impl ScriptLog {
    /// Empty log, and the receiver of its lines for Valkey.
    pub fn new() -> (Self, mpsc::Receiver<LogRecord>) {
        let (pending, receiver) = mpsc::channel(PENDING_LINES);
        let (browsers, _) = broadcast::channel(1024);
        let recipients = Recipients {
            recent: Mutex::new(VecDeque::new()),
            browsers,
            dropped: AtomicU64::new(0),
        };
        (
            ScriptLog {
                recipients: Arc::new(recipients),
                pending,
            },
            receiver,
        )
    }

    /// Appends a record for each line of `text` that is not blank.
    pub fn write(&self, level: LogLevel, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.append(LogRecord {
                msg: line.trim_end().to_owned(),
                level,
            });
        }
    }

    /// Appends lines of level `INFO`.
    pub fn info(&self, text: &str) {
        self.write(LogLevel::Info, text);
    }

    /// Appends lines of level `WARNING`.
    pub fn warning(&self, text: &str) {
        self.write(LogLevel::Warning, text);
    }

    /// Appends lines of level `ERROR`.
    pub fn error(&self, text: &str) {
        self.write(LogLevel::Error, text);
    }

    /// Number of lines lost to Valkey because more than 2000 were pending.
    pub fn dropped(&self) -> u64 {
        self.recipients.dropped.load(Ordering::Relaxed)
    }

    /// Newest 500 lines, oldest first, and a receiver of those that follow without a gap.
    pub fn subscribe(&self) -> (Vec<LogRecord>, broadcast::Receiver<LogRecord>) {
        let recent = self.recipients.recent.lock();
        (recent.iter().cloned().collect(), self.recipients.browsers.subscribe())
    }

    fn append(&self, record: LogRecord) {
        // The target is part of LOG_LEVEL filters in use: it keeps its name.
        match record.level {
            LogLevel::Debug => tracing::debug!(target: "journal", "{}", record.msg),
            LogLevel::Info => tracing::info!(target: "journal", "{}", record.msg),
            LogLevel::Warning => tracing::warn!(target: "journal", "{}", record.msg),
            LogLevel::Error | LogLevel::Critical => tracing::error!(target: "journal", "{}", record.msg),
        }
        if self.pending.try_send(record.clone()).is_err() {
            self.recipients.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let mut recent = self.recipients.recent.lock();
        if recent.len() == RECENT_LINES {
            recent.pop_front();
        }
        // Sent under the lock, so that early and late subscribers see one order.
        let _ = self.recipients.browsers.send(record.clone());
        recent.push_back(record);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_late_listener_sees_the_newest_lines_and_then_the_next() {
        let (script_log, mut pending) = ScriptLog::new();
        script_log.info("one\n\ntwo\n");
        let (recent, mut next) = script_log.subscribe();
        script_log.error("three");
        assert_eq!(
            recent.iter().map(|e| e.msg.as_str()).collect::<Vec<_>>(),
            ["one", "two"]
        );
        assert_eq!(
            next.recv().await.unwrap(),
            LogRecord {
                msg: "three".into(),
                level: LogLevel::Error
            }
        );
        assert_eq!(pending.recv().await.unwrap().msg, "one");
    }

    #[test]
    fn what_cannot_be_kept_is_counted_and_nothing_blocks() {
        let (script_log, _pending) = ScriptLog::new();
        for n in 0..PENDING_LINES + 5 {
            script_log.info(&n.to_string());
        }
        assert_eq!(script_log.dropped(), 5);
        assert_eq!(script_log.subscribe().0.len(), RECENT_LINES);
    }
}
