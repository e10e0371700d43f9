//! Live data processing: the stream is reduced chunk by chunk, as Mantid's StartLiveData does it.
//!
//! Promises: one implementation for requests of the resource (environment), of the command line and of scripts. Neither
//! ingest nor the script thread waits for it.
//!
//! # Layout
//! - [`args`]: StartLiveData's properties as flags and variables.
//! - [`run_inbox`] (runs handed over by ingest) → [`run_source`] (runs that sessions read) → [`cursor`] with [`frames`] (next
//!   chunk of a run; pure).
//! - [`session`]: one request from run to run, with [`processing`] (algorithms and scripts).
//! - [`live_data_service`]: all sessions as [`monitor`]s on threads; [`supervisor`]: start and time limit.

pub mod args;
pub mod cursor;
pub mod frames;
pub mod live_data_service;
pub mod monitor;
pub mod processing;
pub mod run_inbox;
pub mod run_source;
pub mod session;
pub mod supervisor;
#[cfg(test)]
mod testing;
