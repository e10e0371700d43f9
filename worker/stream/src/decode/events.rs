//! Event messages: ev42 with its ISIS extension is84, and ev44. Times of flight are in ns.
//!
//! Promises: as many ids as times of flight, or no ids for a detector of one pixel. The pulses' first events ascend
//! from 0 and do not exceed the number of events.

use isis_streaming_data_types::flatbuffers_generated::events_ev44::root_as_event_44_message_with_opts;
use live_data_engine::message::{EventBatch, EventSchema, Frame, IdColumn, LeI32, LeI64, LeU32, PulseColumns};
use live_data_engine::time::PulseTime;

use super::error::DecodeError;
use super::verify::{LIMITS, time, verified};
use crate::generated::ev42_events::{RunState, root_as_event_message_with_opts};

pub(super) fn ev42(payload: &[u8]) -> Result<EventBatch<'_>, DecodeError> {
    let message = verified("ev42", root_as_event_message_with_opts(&LIMITS, payload))?;
    let time_of_flight = LeU32::new(message.time_of_flight().map_or(&[][..], |column| column.bytes()));
    let ids = LeU32::new(message.detector_id().map_or(&[][..], |column| column.bytes()));
    if ids.len() != time_of_flight.len() {
        return Err(DecodeError::MismatchedLengths {
            schema: "ev42",
            left_name: "times of flight",
            left: time_of_flight.len(),
            right_name: "detector ids",
            right: ids.len(),
        });
    }
    Ok(EventBatch {
        schema: EventSchema::Ev42,
        source: message.source_name().unwrap_or(""),
        message_id: message.message_id().cast_signed(),
        pulses: PulseColumns::Single(time("ev42", "pulse_time", message.pulse_time(), 1)?),
        time_of_flight,
        ids: IdColumn::PerEvent(ids),
        frame: message.facility_specific_data_as_isisdata().map(|isis| Frame {
            period: isis.period_number(),
            setup: isis.run_state() == RunState::SETUP,
            proton_charge: isis.proton_charge(),
        }),
    })
}

pub(super) fn ev44(payload: &[u8]) -> Result<EventBatch<'_>, DecodeError> {
    let message = verified("ev44", root_as_event_44_message_with_opts(&LIMITS, payload))?;
    let times = LeI64::new(message.reference_time().bytes());
    let first = LeI32::new(message.reference_time_index().bytes());
    let time_of_flight = LeU32::new(message.time_of_flight().map_or(&[][..], |column| column.bytes()));
    let ids = LeU32::new(message.pixel_id().map_or(&[][..], |column| column.bytes()));
    let lengths = |left_name, left, right_name, right| DecodeError::MismatchedLengths {
        schema: "ev44",
        left_name,
        left,
        right_name,
        right,
    };
    if !ids.is_empty() && ids.len() != time_of_flight.len() {
        return Err(lengths("times of flight", time_of_flight.len(), "pixel ids", ids.len()));
    }
    Ok(EventBatch {
        schema: EventSchema::Ev44,
        source: message.source_name(),
        message_id: message.message_id(),
        pulses: pulses(times, first, time_of_flight.len())?,
        time_of_flight,
        ids: if ids.is_empty() && !time_of_flight.is_empty() {
            IdColumn::Implicit
        } else {
            IdColumn::PerEvent(ids)
        },
        frame: None,
    })
}

/// Pulse times (ns since the Unix epoch) and the index of each pulse's first event, checked.
fn pulses<'a>(times: LeI64<'a>, first: LeI32<'a>, events: usize) -> Result<PulseColumns<'a>, DecodeError> {
    if times.len() != first.len() {
        return Err(DecodeError::MismatchedLengths {
            schema: "ev44",
            left_name: "reference times",
            left: times.len(),
            right_name: "reference time indices",
            right: first.len(),
        });
    }
    if times.is_empty() && events > 0 {
        return Err(DecodeError::MissingField {
            schema: "ev44",
            field: "reference_time",
        });
    }
    let mut before = 0;
    for (at, value) in first.iter().enumerate() {
        let in_order = if at == 0 { value == 0 } else { value >= before };
        if !in_order || usize::try_from(value).is_ok_and(|value| value > events) {
            return Err(DecodeError::BadPulseIndex {
                schema: "ev44",
                at,
                value,
                before,
                events,
            });
        }
        before = value;
    }
    Ok(match (times.len(), times.get(0)) {
        (1, Some(only)) => PulseColumns::Single(PulseTime::from_nanos(only)),
        _ => PulseColumns::Multiple { times, first },
    })
}
