//! The streaming worker: Kafka to timeline to reduction to published file, while the run goes on.
//!
//! # Layout
//! In the order in which data flow through it.
//! - [`cli`], [`settings`]: arguments as typed, and judged.
//! - [`ingest`]: the thread that takes records from the source, decodes them and appends them to the timeline.
//! - [`fetch`]: where the reduction script comes from.
//! - [`schedule`], [`executor`]: what is executed next (pure), and its execution.
//! - [`python`], [`script`]: the embedded interpreter and the script in it.
//! - [`output`]: the output folder, the writer's lease, completion markers.
//! - [`journal`]: the scientist's log, to the pod's log, the browsers and Valkey.
//! - [`board`], [`http`], [`progress`], [`logging`], [`memory`]: what the worker tells of itself.
//! - [`worker`]: all of it put together, until told to stop.
//! - [`simulate`], [`demo`], [`check`]: a simulated instrument, the whole system on one machine, a script's check.

pub mod board;
pub mod cli;
pub mod fetch;
pub mod http;
pub mod journal;
pub mod logging;
pub mod memory;
pub mod output;
pub mod progress;
pub mod settings;
pub mod simulate;
