//! Files as an independent reader (h5py) and our own see them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod processed;
