//! The operator as a process against a real control plane, with the rights that the chart gives it.
//!
//! What takes minutes is marked as ignored, and runs in `ci/test --full`. Needs what `ci/setup` builds.
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
