//! Workspaces, instruments and algorithms on the timeline's snapshots: the native engine of a scientist's script. Must not:
//! know Kafka or Python.
//!
//! # Layout
//! In the order in which data pass:
//! - [`date_and_time`], [`unit`], [`run`] (logs), [`instrument`] (geometry): metadata of a measurement;
//! - [`workspace`]: histograms and events with metadata, in cells that names refer to;
//! - [`run_portion`], [`run_workspace`]: a snapshot of the stream as the live workspace;
//! - [`service`]: data service, configuration, logger;
//! - [`value`], [`declaration`] → `property_values`, `context` → `algorithm` → [`registry`] → [`algorithm_run`]: declaration
//!   and execution of algorithms;
//! - [`algorithms`]: one file each;
//! - [`live`]: live data processing without a stream;
//! - [`atomic_file`]: output files.

// Limits are checked as `!(a > b)`, which NaN fails.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod algorithm;
pub mod algorithm_run;
pub mod algorithms;
pub mod atomic_file;
mod compute;
mod context;
pub mod date_and_time;
pub mod declaration;
pub mod error;
pub mod instrument;
pub mod live;
mod outputs;
mod processed;
mod property_values;
pub mod registry;
pub mod run;
pub mod run_portion;
pub mod run_workspace;
pub mod service;
pub mod unit;
pub mod value;
pub mod workspace;

pub use algorithm_run::AlgorithmRun;
pub use error::{AlgorithmError, ErrorClass, Result};
pub use outputs::Outputs;
pub use service::Services;
pub use value::Value;
pub use workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup, WorkspaceHandle};
