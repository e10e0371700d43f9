//! Streaming worker: from Kafka records to a timeline, reduced data and published files, while the run goes on.
//!
//! # Layout
//! In the order of the data's flow.
//! - [`cli`], [`settings`]: arguments, and settings validated from them.
//! - [`resume`]: plan of a worker that takes up the work of an earlier one (pure).
//! - [`ingest`], [`ingest_status`], [`log_rate_limiter`]: thread that polls the source, decodes records and appends them to
//!   the timeline.
//! - [`fetch`]: source of the reduction script.
//! - [`readiness`], [`schedule`], [`executor`]: conditions, choice (pure) and execution of the next action; the live workspace.
//! - [`engine`], [`python`], [`script`], [`live`]: engines, embedded interpreter, script, live data processing.
//! - [`output`]: output folder, writer's lease, completion markers.
//! - [`script_log`]: log for the scientist, to the pod's log, the browsers and Valkey.
//! - [`status_registry`], [`degradation`], [`timestamps`], [`http`], [`progress`], [`logging`], [`memory`]: status of the worker
//!   and its publication.
//! - [`worker`]: all parts put together.
//! - [`simulate`], [`simulate_command`], [`demo`], [`check`], [`python_file`]: the program's other commands.

pub mod check;
pub mod cli;
pub mod degradation;
pub mod demo;
pub mod engine;
pub mod executor;
pub mod fetch;
pub mod http;
pub mod ingest;
pub mod ingest_status;
pub mod live;
pub mod log_rate_limiter;
pub mod logging;
pub mod memory;
pub mod output;
pub mod progress;
pub mod python;
pub mod python_file;
pub mod readiness;
pub mod resume;
pub mod schedule;
pub mod script;
pub mod script_log;
pub mod settings;
pub mod simulate;
pub mod simulate_command;
pub mod status_registry;
pub mod timestamps;
pub mod worker;
