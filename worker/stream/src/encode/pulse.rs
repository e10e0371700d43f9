//! Messages of pulses: pu00 and vc00.

use isis_streaming_data_types::flatbuffers_generated::{pulse_metadata_pu00 as pu00, veto_configuration_vc00 as vc00};

use super::encoder::Encoder;

/// Message pu00: metadata of one pulse. `None` leaves a field out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pu00<'a> {
    /// Name of the producer; message ids are consecutive within one.
    pub source: &'a str,
    /// Consecutive number of the message within its source.
    pub message_id: i64,
    /// Time of the pulse, ns since the Unix epoch.
    pub reference_time: i64,
    /// Veto bits (bits 0–23) and repeat number (bits 24–31).
    pub vetos: Option<u32>,
    /// Number of the period, from 0.
    pub period_number: Option<u32>,
    /// Proton charge of the pulse, µA·h.
    pub proton_charge: Option<f32>,
}

impl Encoder {
    /// Encodes a pu00 message; the bytes are lent until the next message.
    pub fn pu00(&mut self, message: &Pu00<'_>) -> &[u8] {
        let builder = self.reset();
        let arguments = pu00::Pu00MessageArgs {
            source_name: Some(builder.create_string(message.source)),
            message_id: message.message_id,
            reference_time: message.reference_time,
            vetos: message.vetos,
            period_number: message.period_number,
            proton_charge: message.proton_charge,
        };
        let root = pu00::Pu00Message::create(builder, &arguments);
        pu00::finish_pu_00_message_buffer(builder, root);
        self.finished()
    }

    /// Encodes a vc00 message: the veto bits in force from `timestamp` (ns since the Unix epoch) on, and the names of
    /// the bits.
    pub fn vc00(&mut self, timestamp: i64, vetoes: u32, names: &[&str]) -> &[u8] {
        let builder = self.reset();
        let names: Vec<_> = names.iter().map(|name| builder.create_string(name)).collect();
        let veto_names = Some(builder.create_vector(&names));
        let root = vc00::Vetoes::create(
            builder,
            &vc00::VetoesArgs {
                timestamp,
                vetoes,
                veto_names,
            },
        );
        vc00::finish_vetoes_buffer(builder, root);
        self.finished()
    }
}
