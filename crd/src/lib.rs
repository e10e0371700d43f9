//! The LiveDataProcessor resource and the worker's report, shared by the operator and the worker.
//!
//! Types and pure checks only: no client, no I/O.
//!
//! # Layout
//! - [`report`]: the worker's `/status` document.

pub mod report;

pub use report::WorkerReport;
