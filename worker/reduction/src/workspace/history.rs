//! What was done to a workspace. Promises: entries are shared, never changed; must not know how algorithms run.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::date_and_time::DateAndTime;

/// One execution of one algorithm.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryEntry {
    /// The algorithm's name.
    pub name: String,
    /// The algorithm's version.
    pub version: u32,
    /// When it ended.
    pub time: DateAndTime,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Name, value and whether it was the default, of each property.
    pub properties: Vec<(String, String, bool)>,
}

impl HistoryEntry {
    /// The text that saved files hold for this execution.
    pub fn to_text(&self) -> String {
        let mut text = format!("Algorithm: {} v{}\n", self.name, self.version);
        let _ = writeln!(text, "Execution Date: {}", self.time.to_iso_seconds());
        let _ = writeln!(text, "Execution Duration: {:.6} seconds", self.seconds);
        text.push_str("Parameters:\n");
        for (name, value, default) in &self.properties {
            let yes = if *default { "Yes" } else { "No" };
            let _ = writeln!(text, "  Name: {name}, Value: {value}, Default?: {yes}");
        }
        text
    }
}

/// The executions that made a workspace, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    entries: Arc<Vec<Arc<HistoryEntry>>>,
}

impl History {
    /// The executions, oldest first.
    pub fn entries(&self) -> &[Arc<HistoryEntry>] {
        &self.entries
    }

    /// Adds an execution.
    pub fn push(&mut self, entry: Arc<HistoryEntry>) {
        Arc::make_mut(&mut self.entries).push(entry);
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries = Arc::default();
    }
}
