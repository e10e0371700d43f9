//! Buffer that messages are encoded into.

use flatbuffers::FlatBufferBuilder;

/// Encoder of flatbuffers with one buffer: the bytes of a message are lent until the next message is encoded.
#[derive(Default)]
pub struct Encoder {
    builder: FlatBufferBuilder<'static>,
}

impl Encoder {
    /// Encoder with an empty buffer, which grows to the largest message.
    pub fn new() -> Encoder {
        Encoder::default()
    }

    /// Builder without the former message.
    pub(super) fn reset(&mut self) -> &mut FlatBufferBuilder<'static> {
        self.builder.reset();
        &mut self.builder
    }

    /// Bytes of the message that was finished last.
    pub(super) fn finished(&self) -> &[u8] {
        self.builder.finished_data()
    }
}
