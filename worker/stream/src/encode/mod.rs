//! Messages in the field's wire formats, for the simulated instrument, the tests and the worker's own
//! heartbeat.
//!
//! Promises: what is encoded here decodes to the same values; the returned bytes are lent from one buffer that
//! is used again. Must not check whether the values make sense: tests encode nonsense on purpose.
//!
//! # Layout
//! [`events`] (ev42, ev44), [`pulse`] (pu00, vc00), [`run`] (pl72, 6s4t), [`log`] (f144, al00, un00),
//! [`service`] (x5f2).

mod events;
mod log;
mod pulse;
mod run;
mod service;

use flatbuffers::FlatBufferBuilder;

pub use events::{Ev42, Ev44, IsisFrame};
pub use pulse::Pu00;
pub use run::{Pl72, RunStop6s4t, SpectrumMap};
pub use service::X5f2;

/// A buffer for messages, used again and again.
#[derive(Default)]
pub struct Encoder {
    builder: FlatBufferBuilder<'static>,
}

impl Encoder {
    /// With no memory yet.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    fn fresh(&mut self) -> &mut FlatBufferBuilder<'static> {
        self.builder.reset();
        &mut self.builder
    }

    fn bytes(&self) -> &[u8] {
        self.builder.finished_data()
    }
}
