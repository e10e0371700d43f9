//! Integration tests of the worker, against real parts: Kafka, Redis, HTTP, and h5py reading the files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod bad_input;
mod brokers;
mod full_disk;
mod instruments;
mod journal;
mod lab;
mod live;
mod live_calls;
mod main_job;
mod nexus;
mod page;
mod process;
mod python;
mod restarts;
mod scripts;
mod stream;
