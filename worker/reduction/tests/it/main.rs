//! Tests of the public interface: live workspaces from a timeline, instruments from real definitions.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod instruments;
mod live;
mod properties;
mod structure;
mod support;
