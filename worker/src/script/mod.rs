//! Reduction script of the scientist: loaded as the Python module `reduction_script`, executed repeatedly while a run goes on.
//!
//! Promises: a script that cannot be loaded changes nothing, one that fails is reported with its own lines, and none ends or
//! stalls the worker. Must not fetch scripts or decide when they are executed.
//!
//! # Layout
//! `runner` (load, execute, change of run, check) → `outcome` (results as values).

pub mod outcome;
pub mod runner;

pub use outcome::{ExecutionOutcome, MissingName, RetainedWorkspace, RunChange};
pub use runner::{LoadScriptError, ScriptRunner, StartScriptRunnerError};
