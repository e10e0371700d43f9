//! The instrument's stream: what its records mean, and how they are read from Kafka.
//!
//! # Layout
//! In the order in which a record passes:
//! - what to read: [`topics`], [`security`], [`config`];
//! - reading: [`source`] finds the runs, begins at the right offsets and follows the topics;
//! - meaning: [`decode`] makes a [`Message`](live_data_engine::message::Message) of a record's bytes;
//! - and the reverse, for the simulated instrument and the tests: [`encode`].

pub mod config;
pub mod decode;
pub mod encode;
mod generated;
pub mod security;
pub mod source;
pub mod topics;

pub use decode::{DecodeError, decode};
