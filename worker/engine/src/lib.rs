//! The timeline of a neutron instrument and what is computed from it: runs are views of one event store, and
//! event workspaces are lazy plans over it.
//!
//! # Layout
//! In the order in which data pass:
//! - what decoders hand over: [`message`] in columns of [`wire`], stamped with [`time`], from a [`place`], at a
//!   time of the [`clock`];
//! - the [`timeline`], as its [`config`] says: which [`offsets`] of a partition are held → duplicates → [`dictionary`] of
//!   ids → entries, sealed into [`chunk`]s; beside them the [`ledger`] of pulses, the [`logs`], and the [`run`]s that
//!   the [`tracker`] finds; it answers with an [`outcome`] and counts [`figures`];
//! - readers: a [`snapshot`] of a run is its chunks with a [`selection`] of pulses each.
//! - plans: [`plan`] over the store or [`columns`] → [`transform`] → [`edges`] → [`counts`], kept in [`memo`]s by
//!   [`fingerprint`], computed on a [`pool`] until [`cancel`]led.

pub mod cancel;
pub mod chunk;
pub mod clock;
pub mod columns;
pub mod config;
pub mod counts;
pub mod dictionary;
mod duplicates;
pub mod edges;
mod entry;
pub mod figures;
pub mod fingerprint;
mod kernel;
pub mod ledger;
pub mod logs;
pub mod memo;
pub mod message;
pub mod offsets;
pub mod outcome;
mod partition;
pub mod period_totals;
pub mod place;
pub mod plan;
pub mod pool;
pub mod run;
mod seal;
pub mod selection;
pub mod snapshot;
pub mod time;
mod timed;
pub mod timeline;
pub mod tracker;
pub mod transform;
pub mod wire;
