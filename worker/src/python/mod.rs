//! Embedded Python: the interpreter on its thread, the output of scripts, and the modules that they import.
//!
//! Promises that scripts reach the rest of the process through values only: output through a bounded queue, and errors
//! as text. A watchdog enforces time limits. Ingest must not use it.
//!
//! # Layout
//! - `config` (settings), `venv` (choice of Python), `engine` (choice of `mantid`).
//! - `interpreter` (script thread and handle), with `module` (modules installed at start), `watchdog` and `interruption`
//!   (time limits), `output` (printed lines).
//! - `file` and `errors`: running a file, exceptions as text.
//! - `native`: Python classes over the native engine; `real_mantid`: live workspaces in the real Mantid.

pub mod config;
pub mod engine;
pub mod errors;
mod file;
pub mod interpreter;
pub mod interruption;
mod module;
pub mod native;
pub mod output;
pub mod real_mantid;
pub mod venv;
pub mod watchdog;

pub use config::{InterpreterConfig, NativeSetup};
pub use engine::{Engine, EngineChoice};
pub use interpreter::{Interpreter, InterpreterHandle, InterpreterInfo, JobError, PendingResult, StartError};
pub use watchdog::Limits;
