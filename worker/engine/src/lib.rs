//! Timeline of a neutron instrument and lazy reduction of its events. Runs are views of one event store, and event
//! workspaces are lazy plans over it.
//!
//! # Layout
//! In the order in which data pass:
//! - input: a decoded [`message`] with columns of [`wire`] format, its [`record_position`], its [`time`], and the
//!   [`clock`];
//! - store: the [`timeline`] with its [`config`]. It checks [`offsets`] and duplicates, maps ids by the [`dictionary`],
//!   and seals events into [`chunk`]s. Beside them are the frames ([`pulse_table`]), the [`logs`], and the [`run`]s of
//!   the [`tracker`]. Results are an [`outcome`] per record and [`counters`];
//! - readers: a [`snapshot`] of a run has its chunks with a [`selection`] of pulses each, and its [`run_logs`];
//! - plans: a [`plan`] over the store or over [`columns`] has a [`transform`] and is binned by [`edges`] into
//!   [`counts`]. [`memo`]s keep counts by [`fingerprint`]; the compute [`pool`] works until [`cancel`]led.

pub mod cancel;
mod checksum;
pub mod chunk;
pub mod clock;
pub mod columns;
pub mod config;
pub mod counters;
pub mod counts;
pub mod dictionary;
mod duplicates;
pub mod edges;
pub mod fingerprint;
mod frame_row;
mod frame_store;
mod frame_sums;
mod kernel;
pub mod logs;
pub mod memo;
pub mod message;
mod message_gaps;
pub mod metric;
pub mod offsets;
pub mod outcome;
mod partition;
pub mod period_totals;
pub mod plan;
pub mod pool;
pub mod pulse_table;
pub mod record_position;
pub mod run;
pub mod run_logs;
mod seal;
pub mod selection;
pub mod snapshot;
pub mod time;
mod timed;
pub mod timeline;
mod timeline_chunk;
pub mod tracker;
pub mod transform;
mod veto_masks;
pub mod wire;
