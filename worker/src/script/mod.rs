//! The scientist's script: loaded as `reduction_script`, executed again and again while the run goes on.
//!
//! Promises that a script that cannot be loaded changes nothing, that one that fails is reported with its own lines,
//! and that none can end or stall the worker. Fetching scripts and deciding when to execute them is done elsewhere.
//!
//! # Layout
//! `runner` (load, execute, change of run, check) → `outcome` (what came of it).

pub mod outcome;
pub mod runner;

pub use outcome::{Missing, Outcome, Pinned};
pub use runner::{LoadScriptError, Runner, RunnerError};
