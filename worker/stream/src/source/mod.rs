//! The instrument's topics as one sequence of records, read from the wanted offsets on.
//!
//! Promises: every partition of every topic is read, those created later too. A record is lent, not copied. Rewinding
//! never moves a partition forward. An unreachable broker, a missing topic and deleted records become a [`Notice`], and
//! reading continues. Must not decode events, nor decide which run a pulse belongs to.
//!
//! # Layout
//! [`Source`] (`kafka_source`, with `assignment`, `metadata_update` and `rewind`) reads records through `fetcher` and
//! keeps its `positions`. `metadata_client` requests metadata and offsets, `metadata_thread` repeats that in the
//! background. `run_search` finds runs by a `backward_scan` of the runInfo topics and gives a `run_history`.
//! `starting_offset` resolves where a partition begins. [`notice`] and `notice_queue` report changes and troubles.
//!
//! # Use
//! [`Source::open`], [`Source::connect`] until it succeeds, [`Source::find_runs`] until [`RunSearchStatus::Finished`],
//! [`Source::assign`], then [`Source::poll`] again and again, all from one thread.

mod assignment;
mod backward_scan;
mod client_context;
mod fetcher;
mod kafka_source;
mod metadata_client;
mod metadata_thread;
mod metadata_update;
pub mod notice;
mod notice_queue;
mod positions;
mod request_error;
mod rewind;
mod run_history;
mod run_search;
mod starting_offset;

pub use kafka_source::{Polled, Record, Source};
pub use notice::{Notice, NoticeClass};
pub use positions::PartitionPosition;
pub use request_error::BrokerRequestError;
pub use rewind::Rewind;
pub use run_history::{HistoryRun, RunHistory};
pub use run_search::RunSearchStatus;
pub use starting_offset::{StartingOffset, StartingOffsets};
