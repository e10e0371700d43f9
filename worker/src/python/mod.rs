//! The embedded Python: the interpreter on its own thread, what scripts print, and what they import.
//!
//! Promises that nothing a script does reaches the rest of the process but through values: output through a bounded
//! queue, errors as text, time limits kept by a watchdog. Ingest never comes here.
//!
//! # Layout
//! `venv` (which Python) and `engine` (which `mantid`) → `interpreter` (the script thread and the handle to it), which
//! uses `module` (what is installed at start), `watchdog` (time limits) and `output` (what is printed) → `file` and
//! `errors` (running, and what went wrong). `native` is what scripts reach of the native
//! engine, `real_mantid` what feeds the real Mantid.

pub mod engine;
pub mod errors;
mod file;
pub mod interpreter;
mod module;
pub mod native;
pub mod output;
pub mod real_mantid;
pub mod venv;
pub mod watchdog;

pub use engine::{Engine, EngineChoice};
pub use interpreter::{Handle, Interpreter, InterpreterConfig, JobError, Pending, StartError, Started};
pub use watchdog::Limits;
