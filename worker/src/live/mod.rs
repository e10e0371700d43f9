//! Live data: how views of runs reach scripts, and how the stream is processed chunk by chunk as StartLiveData does.
//!
//! Promises: one implementation, whether it is asked for by the resource (in the environment), on the command line, or by a
//! script; neither ingest nor the script thread waits for it.
//!
//! # Layout
//! - [`binding`]: a view of a run under the live workspace's name, for scripts that are executed on it.
//! - [`args`]: StartLiveData's properties as flags and variables.
//! - [`inlet`] (what ingest leaves) → [`feed`] (runs as live processing sees them) → [`cursor`] with [`frames`] (what is new, pure) → [`session`] (one chunk's
//!   way: bind, process, put together, post-process, publish; run transitions) with [`methods`] (scripts and algorithms) →
//!   [`hub`] (all of them as [`monitor`]s on threads, and what is asked of them) with [`overseer`] (those that take too long).

pub mod args;
pub mod binding;
pub mod cursor;
pub mod feed;
pub mod frames;
pub mod hub;
pub mod inlet;
pub mod methods;
pub mod monitor;
pub mod overseer;
pub mod session;
#[cfg(test)]
mod testing;

pub use binding::{HubLimits, Live, event_ids, timeline_config};
