//! The streaming worker: Kafka to timeline to reduction to published file, while the run goes on.
//!
//! # Layout
//! In the order in which data flow through it.
