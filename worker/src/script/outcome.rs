//! What came of loading or executing a script, as values for the status, the log and the metrics.
//!
//! Must not hold anything of Python.

use std::time::Duration;

use crate::python::output::Counts;

/// One execution.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Whether `execute()` returned.
    pub ok: bool,
    /// What it raised, with the script's lines; bounded.
    pub error: Option<String>,
    /// Whether it was interrupted (at its time limit, or because the worker stops).
    pub interrupted: bool,
    /// How long it took.
    pub duration: Duration,
    /// Lines that it printed, and lines of it that were dropped.
    pub lines: Counts,
    /// Threads of the script that go on after it, by name and place.
    pub surviving_threads: Vec<String>,
}

/// A workspace of the former run that something still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its name when the run changed.
    pub name: String,
    /// What it takes, in bytes.
    pub bytes: u64,
}

/// Something a script uses that the engine lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Line of the script, counted from 1.
    pub line: u32,
    /// The name used.
    pub name: String,
    /// What is missing, and how to get it.
    pub remark: String,
}
