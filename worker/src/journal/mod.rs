//! The scientist's log: what the script prints and what the worker has to tell about runs and executions.
//!
//! Each line goes to three places: the pod's log, the browsers on `/logs`, and the Valkey stream ([`valkey`]) from which
//! the FIA web page shows it. Promises that writing a line never blocks and that what could not be kept is counted.
//! It must not receive secrets: lines of scripts are redacted where they are captured.

pub mod valkey;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::{broadcast, mpsc};

/// Lines that a browser which has just opened `/logs` is shown.
const REMEMBERED: usize = 500;
/// Lines that wait for Valkey while it is away.
const WAITING: usize = 2000;

/// A line's importance, named as Python names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// For developers.
    Debug,
    /// Ordinary.
    Info,
    /// Something to look at.
    Warning,
    /// Something failed.
    Error,
    /// The worker cannot go on.
    Critical,
}

impl Level {
    /// Python's name of the level.
    pub fn name(self) -> &'static str {
        match self {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warning => "WARNING",
            Level::Error => "ERROR",
            Level::Critical => "CRITICAL",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its text, without a line end.
    pub msg: String,
    /// Its importance.
    pub level: Level,
}

/// A handle for writing lines; clones write to the same log.
#[derive(Clone, Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    stream: mpsc::Sender<Entry>,
}

#[derive(Debug)]
struct Shared {
    recent: Mutex<VecDeque<Entry>>,
    listeners: broadcast::Sender<Entry>,
    dropped: AtomicU64,
}

impl Journal {
    /// A new log, and the end from which the lines for Valkey are taken.
    pub fn new() -> (Self, mpsc::Receiver<Entry>) {
        let (stream, waiting) = mpsc::channel(WAITING);
        let (listeners, _) = broadcast::channel(1024);
        let shared = Shared {
            recent: Mutex::new(VecDeque::new()),
            listeners,
            dropped: AtomicU64::new(0),
        };
        (
            Journal {
                shared: Arc::new(shared),
                stream,
            },
            waiting,
        )
    }

    /// Writes a line, or several where the text has line ends.
    pub fn write(&self, level: Level, text: &str) {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            self.keep(Entry {
                msg: line.trim_end().to_owned(),
                level,
            });
        }
    }

    /// Writes an ordinary line.
    pub fn info(&self, text: &str) {
        self.write(Level::Info, text);
    }

    /// Writes a warning.
    pub fn warning(&self, text: &str) {
        self.write(Level::Warning, text);
    }

    /// Writes an error.
    pub fn error(&self, text: &str) {
        self.write(Level::Error, text);
    }

    /// Lines that were lost because Valkey was away for too long.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// The newest lines, and the end from which the next ones come.
    pub fn listen(&self) -> (Vec<Entry>, broadcast::Receiver<Entry>) {
        let recent = self.shared.recent.lock();
        (recent.iter().cloned().collect(), self.shared.listeners.subscribe())
    }

    fn keep(&self, entry: Entry) {
        match entry.level {
            Level::Debug => tracing::debug!(target: "journal", "{}", entry.msg),
            Level::Info => tracing::info!(target: "journal", "{}", entry.msg),
            Level::Warning => tracing::warn!(target: "journal", "{}", entry.msg),
            Level::Error | Level::Critical => tracing::error!(target: "journal", "{}", entry.msg),
        }
        if self.stream.try_send(entry.clone()).is_err() {
            self.shared.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let mut recent = self.shared.recent.lock();
        if recent.len() == REMEMBERED {
            recent.pop_front();
        }
        // Sending under the lock keeps the order the same for those who listen and those who come later.
        let _ = self.shared.listeners.send(entry.clone());
        recent.push_back(entry);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn a_late_listener_sees_the_newest_lines_and_then_the_next() {
        let (journal, mut waiting) = Journal::new();
        journal.info("one\n\ntwo\n");
        let (recent, mut next) = journal.listen();
        journal.error("three");
        assert_eq!(
            recent.iter().map(|e| e.msg.as_str()).collect::<Vec<_>>(),
            ["one", "two"]
        );
        assert_eq!(
            next.recv().await.unwrap(),
            Entry {
                msg: "three".into(),
                level: Level::Error
            }
        );
        assert_eq!(waiting.recv().await.unwrap().msg, "one");
    }

    #[test]
    fn what_cannot_be_kept_is_counted_and_nothing_blocks() {
        let (journal, _waiting) = Journal::new();
        for n in 0..WAITING + 5 {
            journal.info(&n.to_string());
        }
        assert_eq!(journal.dropped(), 5);
        assert_eq!(journal.listen().0.len(), REMEMBERED);
    }
}
