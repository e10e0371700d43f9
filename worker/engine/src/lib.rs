//! The timeline of a neutron instrument and what is computed from it: runs are views of one event store, and
//! event workspaces are lazy plans over it.
//!
//! # Layout
//! In the order in which data pass:
//! - plans: [`columns`] → [`transform`] → [`edges`], computed on a [`pool`] until [`cancel`]led, known by a
//!   [`fingerprint`].

pub mod cancel;
pub mod columns;
pub mod edges;
pub mod fingerprint;
pub mod pool;
pub mod transform;
