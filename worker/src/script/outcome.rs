//! Results of checking, executing and reloading a script, as values for the status, the log and the metrics.
//!
//! Must not hold an object of Python.

use std::time::Duration;

use crate::python::output::LineCounts;

/// Result of one call of `execute()`.
#[derive(Debug, Clone, PartialEq)]
pub struct ExecutionOutcome {
    /// True if `execute()` returned.
    pub ok: bool,
    /// Traceback of the exception, bounded; `None` if `execute()` returned.
    pub error: Option<String>,
    /// True if the execution was interrupted at its time limit or for the worker's stop.
    pub interrupted: bool,
    pub duration: Duration,
    /// Numbers of printed and of dropped lines.
    pub lines: LineCounts,
    /// Threads that the script started and that outlived `execute()`, by name and source line.
    pub surviving_threads: Vec<String>,
}

/// Workspace of a former run that a script still references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedWorkspace {
    /// Name in the data service when the run changed.
    pub name: String,
    pub bytes: u64,
}

/// Result of clearing a former run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunChange {
    pub retained: Vec<RetainedWorkspace>,
    /// Error of the script's top level when it was loaded anew; its former module stays in use.
    pub reload_error: Option<String>,
}

/// Name used by a script that the engine lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingName {
    /// Line of the script, counted from 1.
    pub line: u32,
    pub name: String,
    /// Explanation with the next step.
    pub remark: String,
}
