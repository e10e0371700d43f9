//! Operator as a process against a real control plane, with the chart's rights.
//!
//! Tests that take minutes are marked as ignored and run in `ci/test --full`. All need the programs that `ci/setup` builds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admission;
mod adverse;
mod claims;
mod commands;
mod conflicts;
mod definitions;
mod faults;
mod lab;
mod lifecycle;
mod processes;
mod rights;
mod skew;
mod speed;
mod steady;
mod streams;
mod takeover;
mod workers;
