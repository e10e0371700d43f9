//! The timeline of a neutron instrument and what is computed from it: runs are views of one event store, and
//! event workspaces are lazy plans over it.
//!
//! # Layout
//! In the order in which data pass:
//! - what decoders hand over: [`message`] in columns of [`wire`], stamped with [`time`];
//! - the event store: [`dictionary`] → [`chunk`], with [`selection`]s of pulses.
//! - plans: [`plan`] over the store or [`columns`] → [`transform`] → [`edges`], computed on a [`pool`] until
//!   [`cancel`]led, known by a [`fingerprint`].

pub mod cancel;
pub mod chunk;
pub mod columns;
pub mod dictionary;
pub mod edges;
pub mod fingerprint;
pub mod plan;
pub mod message;
pub mod pool;
pub mod selection;
pub mod time;
pub mod transform;
pub mod wire;
