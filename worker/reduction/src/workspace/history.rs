//! History of a workspace. Promises: entries are shared and never changed. Must not: execute algorithms.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::date_and_time::DateAndTime;

/// Execution of an algorithm: Mantid's `AlgorithmHistory`.
#[derive(Debug, Clone, PartialEq)]
pub struct AlgorithmHistory {
    pub name: String,
    pub version: u32,
    /// End of the execution, UTC.
    pub time: DateAndTime,
    /// Duration in seconds.
    pub seconds: f64,
    pub properties: Vec<PropertyHistory>,
}

/// Property of an execution, as text.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyHistory {
    pub name: String,
    pub value: String,
    /// True if the caller did not set it.
    pub is_default: bool,
}

impl AlgorithmHistory {
    /// Text of the execution in the format of Mantid's processed files.
    pub fn to_text(&self) -> String {
        let mut text = format!("Algorithm: {} v{}\n", self.name, self.version);
        let _ = writeln!(text, "Execution Date: {}", self.time.to_iso_seconds());
        let _ = writeln!(text, "Execution Duration: {:.6} seconds", self.seconds);
        text.push_str("Parameters:\n");
        for PropertyHistory {
            name,
            value,
            is_default,
        } in &self.properties
        {
            let yes = if *is_default { "Yes" } else { "No" };
            let _ = writeln!(text, "  Name: {name}, Value: {value}, Default?: {yes}");
        }
        text
    }
}

/// Executions that made a workspace, oldest first: Mantid's `WorkspaceHistory`.
#[derive(Debug, Clone, Default)]
pub struct WorkspaceHistory {
    executions: Arc<Vec<Arc<AlgorithmHistory>>>,
}

impl WorkspaceHistory {
    /// Executions, oldest first.
    pub fn executions(&self) -> &[Arc<AlgorithmHistory>] {
        &self.executions
    }

    /// Appends an execution, which becomes the newest.
    pub fn push(&mut self, execution: Arc<AlgorithmHistory>) {
        Arc::make_mut(&mut self.executions).push(execution);
    }

    /// Removes all executions.
    pub fn clear(&mut self) {
        self.executions = Arc::default();
    }
}
