//! The streaming worker: Kafka to timeline to reduction to published file, while the run goes on.
//!
//! # Layout
//! In the order in which data flow through it.
//! - [`cli`], [`settings`]: arguments as typed, and judged.
//! - [`resume`]: where a worker takes up the work (pure).
//! - [`ingest`], [`figures`], [`limiter`]: the thread that takes records from the source, decodes them and appends them to the timeline.
//! - [`fetch`]: where the reduction script comes from.
//! - [`schedule`], [`executor`]: what is executed next (pure), and its execution.
//! - [`engine`], [`python`], [`script`], [`live`]: the engines, the embedded interpreter, the script, the live workspace and live
//!   data processing.
//! - [`output`]: the output folder, the writer's lease, completion markers.
//! - [`journal`]: the scientist's log, to the pod's log, the browsers and Valkey.
//! - [`board`], [`http`], [`progress`], [`logging`], [`memory`]: what the worker tells of itself.
//! - [`worker`]: all of it put together, until told to stop.
//! - [`simulate`], [`simulate_command`], [`demo`], [`check`], [`python_file`]: the program's other commands.

pub mod board;
pub mod check;
pub mod cli;
pub mod demo;
pub mod engine;
pub mod executor;
pub mod fetch;
pub mod figures;
pub mod http;
pub mod ingest;
pub mod journal;
pub mod limiter;
pub mod live;
pub mod logging;
pub mod memory;
pub mod output;
pub mod progress;
pub mod python;
pub mod python_file;
pub mod resume;
pub mod schedule;
pub mod script;
pub mod settings;
pub mod simulate;
pub mod simulate_command;
pub mod worker;
