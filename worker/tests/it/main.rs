//! Integration tests of the worker as a process, with real Kafka, Redis and HTTP servers; h5py reads its files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod api;
mod bad_input;
mod brokers;
mod full_disk;
mod instruments;
mod lab;
mod live;
mod live_calls;
mod main_job;
mod nexus;
mod page;
mod process;
mod python;
mod restarts;
mod script_log;
mod scripts;
mod stream;
