//! Integration tests of the stream crate with real producers and a real broker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod broker;
mod kafka;
mod malformed;
mod mock;
mod outage;
mod producers;
mod round_trip;
mod samples;
