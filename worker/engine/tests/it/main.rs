//! Tests of the engine's public interface: records in, snapshots out.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod stream;
mod timeline_limits;
mod timeline_order;
mod timeline_runs;
