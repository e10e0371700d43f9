//! The instrument's Kafka stream: topics, schemas, and the source of records.
//!
//! # Layout
//! - settings: [`topics`], [`security`], [`config`];
//! - reading: [`source`] finds the runs, starts at their offsets and reads the topics;
//! - content: [`decode`](mod@decode) makes a [`Message`](live_data_engine::message::Message) of a record's bytes,
//!   [`encode`] the reverse, for the simulated instrument and the tests.

pub mod config;
pub mod decode;
pub mod encode;
mod generated;
pub mod security;
pub mod source;
pub mod topics;

pub use decode::{DecodeError, decode};
