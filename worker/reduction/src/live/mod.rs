//! Live data processing as Mantid's StartLiveData means it, as far as it needs neither a stream nor Python: the
//! properties and what is wrong with them, a chunk's way through an algorithm, and how chunks are put together.
//!
//! Promises: all of it works on values. Must not know where chunks come from, nor when: who implements [`LiveData`] does.
//!
//! # Layout
//! [`properties`] (as declared, judged into a [`Request`]) → [`contract`] (who carries requests out) →
//! [`process`] (a chunk through an algorithm) → [`accumulate`] (chunks put together).

pub mod accumulate;
pub mod contract;
pub mod process;
pub mod properties;

pub use contract::{LiveData, LiveSlot, MonitorState};
pub use properties::{Accumulation, Method, Properties, Request, StartFrom, Transition};
