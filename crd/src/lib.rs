//! The LiveDataProcessor resource, the worker's report and the reasons of both, shared by operator and worker.
//!
//! Promises: types and pure functions only. Must not: contain a client or I/O; need kube without the feature `kube`, which
//! the worker builds without.
//!
//! # Layout
//! - [`report`]: the worker's `/status` document; [`reason`]: its reasons, those of conditions and of Events;
//!   [`live`]: StartLiveData's properties.
//! - With the feature `kube`: `spec` with `image`, `kafka`, `script`, `security` and `storage`: the resource; `status`: its
//!   status; `schema` with `pattern_rules`: the CustomResourceDefinition and the values' schema made from these types.

#[cfg(all(test, feature = "kube"))]
mod examples;
#[cfg(feature = "kube")]
pub mod image;
#[cfg(feature = "kube")]
pub mod kafka;
pub mod live;
#[cfg(feature = "kube")]
mod pattern_rules;
pub mod reason;
pub mod report;
#[cfg(feature = "kube")]
pub mod schema;
#[cfg(feature = "kube")]
pub mod script;
#[cfg(feature = "kube")]
pub mod security;
#[cfg(feature = "kube")]
pub mod spec;
#[cfg(feature = "kube")]
pub mod status;
#[cfg(feature = "kube")]
pub mod storage;

pub use report::WorkerReport;
#[cfg(feature = "kube")]
pub use spec::{LiveDataProcessor, LiveDataProcessorSpec};
#[cfg(feature = "kube")]
pub use status::LiveDataProcessorStatus;
