//! Integration tests of the nexus crate: its files, read by h5py and by itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod processed;
