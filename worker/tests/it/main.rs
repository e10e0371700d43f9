//! Integration tests of the worker, against real parts.
#![allow(clippy::unwrap_used, clippy::expect_used)]
