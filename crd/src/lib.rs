//! The LiveDataProcessor resource and the worker's report, shared by the operator and the worker.
//!
//! Types and pure functions only: no client, no I/O.
//!
//! # Layout
//! - [`spec`]: what a user may ask for; [`storage`]: its volumes.
//! - [`report`]: the worker's `/status` document.
//! - [`status`]: what the operator writes back.
//! - [`schema`]: the CustomResourceDefinition and the values' schema, made from these types, with `words` for patterns.

#[cfg(test)]
mod examples;
pub mod report;
pub mod schema;
pub mod spec;
pub mod status;
pub mod storage;
mod words;

pub use report::WorkerReport;
pub use spec::{LiveDataProcessor, LiveDataProcessorSpec};
pub use status::LiveDataProcessorStatus;
