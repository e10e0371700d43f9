//! Encoding of messages, for the simulated instrument, the tests and the worker's heartbeat.
//!
//! Promises: a message that is encoded here decodes to the same values. Must not validate the values, since tests encode
//! invalid ones on purpose.
//!
//! # Layout
//! [`Encoder`] (`encoder`) with the schemas of `events` (ev42, ev44), `pulse` (pu00, vc00), `run` (pl72, 6s4t), `log`
//! (f144, al00, un00) and `service` (x5f2). The schemas are those of the repository `streaming-data-types` of the ESS and
//! ISIS.

mod encoder;
mod events;
mod log;
mod pulse;
mod run;
mod service;

pub use encoder::Encoder;
pub use events::{Ev42, Ev44, IsisFrame};
pub use pulse::Pu00;
pub use run::{Pl72, RunStop6s4t, SpectrumMap};
pub use service::X5f2;
