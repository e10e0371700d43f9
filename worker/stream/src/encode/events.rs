//! Event messages: ev42 with its ISIS extension is84, and ev44.

use isis_streaming_data_types::flatbuffers_generated::events_ev44 as ev44;

use super::encoder::Encoder;
use crate::generated::ev42_events as ev42;

/// ISIS's extension of ev42 (schema is84): metadata of the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsisFrame {
    /// Number of the period, from 0.
    pub period_number: u32,
    /// True for the run state RUNNING, false for SETUP.
    pub running: bool,
    /// Proton charge of the frame, µA·h.
    pub proton_charge: f32,
}

/// Message ev42: events of one pulse.
#[derive(Debug, Clone, Copy)]
pub struct Ev42<'a> {
    /// Name of the producer; message ids are consecutive within one.
    pub source: &'a str,
    /// Consecutive number of the message within its source.
    pub message_id: u64,
    /// Time of the pulse, ns since the Unix epoch.
    pub pulse_time: u64,
    /// Time of flight of each event, ns since its pulse.
    pub time_of_flight: &'a [u32],
    /// Detector id of each event.
    pub detector_id: &'a [u32],
    pub isis: Option<IsisFrame>,
}

/// Message ev44: events of one or more pulses.
#[derive(Debug, Clone, Copy)]
pub struct Ev44<'a> {
    /// Name of the producer; message ids are consecutive within one.
    pub source: &'a str,
    /// Consecutive number of the message within its source; 0 throughout where the producer does not count.
    pub message_id: i64,
    /// Time of each pulse, ns since the Unix epoch.
    pub reference_time: &'a [i64],
    /// Index of the first event of each pulse; ascends from 0.
    pub reference_time_index: &'a [i32],
    /// Time of flight of each event, ns since its pulse.
    pub time_of_flight: &'a [i32],
    /// Detector id of each event; empty for a detector of one pixel.
    pub pixel_id: &'a [i32],
}

impl Encoder {
    /// Encodes an ev42 message; the bytes are lent until the next message.
    pub fn ev42(&mut self, message: &Ev42<'_>) -> &[u8] {
        let builder = self.reset();
        let source_name = Some(builder.create_string(message.source));
        let time_of_flight = Some(builder.create_vector(message.time_of_flight));
        let detector_id = Some(builder.create_vector(message.detector_id));
        let isis = message.isis.map(|frame| {
            let run_state = if frame.running {
                ev42::RunState::RUNNING
            } else {
                ev42::RunState::SETUP
            };
            let arguments = ev42::ISISDataArgs {
                period_number: frame.period_number,
                run_state,
                proton_charge: frame.proton_charge,
            };
            ev42::ISISData::create(builder, &arguments).as_union_value()
        });
        let arguments = ev42::EventMessageArgs {
            source_name,
            message_id: message.message_id,
            pulse_time: message.pulse_time,
            time_of_flight,
            detector_id,
            facility_specific_data_type: isis.map_or(ev42::FacilityData::NONE, |_| ev42::FacilityData::ISISData),
            facility_specific_data: isis,
        };
        let root = ev42::EventMessage::create(builder, &arguments);
        ev42::finish_event_message_buffer(builder, root);
        self.finished()
    }

    /// Encodes an ev44 message; the bytes are lent until the next message.
    pub fn ev44(&mut self, message: &Ev44<'_>) -> &[u8] {
        let builder = self.reset();
        let arguments = ev44::Event44MessageArgs {
            source_name: Some(builder.create_string(message.source)),
            message_id: message.message_id,
            reference_time: Some(builder.create_vector(message.reference_time)),
            reference_time_index: Some(builder.create_vector(message.reference_time_index)),
            time_of_flight: Some(builder.create_vector(message.time_of_flight)),
            pixel_id: Some(builder.create_vector(message.pixel_id)),
        };
        let root = ev44::Event44Message::create(builder, &arguments);
        ev44::finish_event_44_message_buffer(builder, root);
        self.finished()
    }
}
