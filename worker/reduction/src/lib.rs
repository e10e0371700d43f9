//! Workspaces and algorithms: what a scientist's script calls, computed on the timeline's snapshots. Knows neither
//! Kafka nor Python.
//!
//! # Layout
//! In the order in which data pass:
//! - [`date_and_time`], [`unit`], [`run`] (logs), [`instrument`] (geometry): what is known about a measurement;
//! - [`workspace`]: histograms and events with all of that, in cells that names refer to;
//! - [`bind`]: a snapshot of the stream as the live workspace;
//! - [`service`]: the data service, the configuration, the logger;
//! - [`value`] → [`declaration`] → [`algorithm`] → [`registry`]: how an algorithm is declared, called and executed;
//! - [`algorithms`]: one file each;
//! - [`live`]: live data processing, as far as it needs no stream;
//! - [`publish`]: files that appear whole.

// Limits and widths are checked as `!(a > b)`, so that a NaN fails the check.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

pub mod algorithm;
pub mod algorithms;
pub mod bind;
mod compute;
pub mod date_and_time;
pub mod declaration;
pub mod error;
pub mod instrument;
pub mod live;
mod processed;
pub mod publish;
pub mod registry;
pub mod run;
pub mod service;
pub mod unit;
pub mod value;
pub mod workspace;

pub use algorithm::{AlgorithmRun, Outputs};
pub use error::{AlgorithmError, ErrorClass, Result};
pub use service::Service;
pub use value::Value;
pub use workspace::{Handle, MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};
