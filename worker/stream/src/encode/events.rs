//! ev42 with is84, and ev44.

use isis_streaming_data_types::flatbuffers_generated::events_ev44 as ev44;

use super::Encoder;
use crate::generated::ev42_events as ev42;

/// What ISIS adds to an ev42 message (is84).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IsisFrame {
    /// From 0.
    pub period_number: u32,
    /// RUNNING, not SETUP.
    pub running: bool,
    /// Of the frame.
    pub proton_charge: f32,
}

/// An ev42 message: the events of one pulse.
#[derive(Debug, Clone, Copy)]
pub struct Ev42<'a> {
    /// The producer.
    pub source: &'a str,
    /// Consecutive for a source.
    pub message_id: u64,
    /// ns since the Unix epoch.
    pub pulse_time: u64,
    /// ns, one for each event.
    pub time_of_flight: &'a [u32],
    /// One for each event.
    pub detector_id: &'a [u32],
    /// ISIS's addition, if any.
    pub isis: Option<IsisFrame>,
}

/// An ev44 message: the events of one or many pulses.
#[derive(Debug, Clone, Copy)]
pub struct Ev44<'a> {
    /// The producer.
    pub source: &'a str,
    /// Consecutive for a source, or always 0.
    pub message_id: i64,
    /// ns since the Unix epoch, one for each pulse.
    pub reference_time: &'a [i64],
    /// The first event of each pulse.
    pub reference_time_index: &'a [i32],
    /// ns, one for each event.
    pub time_of_flight: &'a [i32],
    /// One for each event, or empty for a detector of one pixel.
    pub pixel_id: &'a [i32],
}

impl Encoder {
    /// ev42.
    pub fn ev42(&mut self, message: &Ev42<'_>) -> &[u8] {
        let builder = self.fresh();
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
        self.bytes()
    }

    /// ev44.
    pub fn ev44(&mut self, message: &Ev44<'_>) -> &[u8] {
        let builder = self.fresh();
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
        self.bytes()
    }
}
