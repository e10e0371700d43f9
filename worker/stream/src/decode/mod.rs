//! From a record's bytes to a [`Message`], for every schema of the instrument's topics.
//!
//! Promises: every byte that is read was verified; event columns are borrowed, not copied; whatever the bytes
//! are, the answer is a message or a [`DecodeError`], never a panic. Judges a message by itself only: whether
//! it fits the run or the instrument is the timeline's to say.
//!
//! # Layout
//! [`events`] (ev42, ev44), [`pulse`] (pu00, vc00), [`run`] (pl72, 6s4t), [`log`] (f144, al00, un00),
//! [`error`].

mod error;
mod events;
mod log;
mod pulse;
mod run;

use flatbuffers::{InvalidFlatbuffer, VerifierOptions};
use isis_streaming_data_types::flatbuffers_generated as isis;
use live_data_engine::message::Message;
use live_data_engine::time::PulseTime;

pub use error::DecodeError;

/// Large enough for what producers send (a run start's map and structure are several MB, event messages tens
/// of MB), small enough that a few bytes cannot ask for hours of work.
const LIMITS: VerifierOptions = VerifierOptions {
    max_depth: 16,
    max_tables: 1 << 20,
    max_apparent_size: 1 << 31,
    // Strings are read by their length; some producers leave the terminator out.
    ignore_missing_null_terminator: true,
};

/// Decodes one record.
///
/// # Errors
/// A [`DecodeError`] for whatever is not a sensible message of a known schema.
pub fn decode(payload: &[u8]) -> Result<Message<'_>, DecodeError> {
    if payload.is_empty() {
        return Err(DecodeError::Empty);
    }
    let Some(&[a, b, c, d]) = payload.get(4..8) else {
        return Err(DecodeError::TooShort(payload.len()));
    };
    match &[a, b, c, d] {
        b"ev44" => events::ev44(payload).map(Message::Events),
        b"ev42" => events::ev42(payload).map(Message::Events),
        b"pu00" => pulse::pu00(payload).map(Message::Pulse),
        b"f144" => log::f144(payload).map(Message::Log),
        b"al00" => log::al00(payload).map(Message::Alarm),
        b"un00" => log::un00(payload).map(Message::Units),
        b"pl72" => run::pl72(payload).map(Message::RunStart),
        b"6s4t" => run::run_stop(payload).map(Message::RunStop),
        b"vc00" => pulse::vc00(payload).map(Message::VetoConfig),
        b"x5f2" => known("x5f2", isis::status_x5f2::root_as_status_with_opts(&LIMITS, payload)),
        b"da00" => known(
            "da00",
            isis::dataarray_da00::root_as_da_00_data_array_with_opts(&LIMITS, payload),
        ),
        b"ep01" => known(
            "ep01",
            isis::epics_connection_ep01::root_as_epics_pvconnection_info_with_opts(&LIMITS, payload),
        ),
        b"se00" => known(
            "se00",
            isis::data_se00::root_as_se_00_sample_environment_data_with_opts(&LIMITS, payload),
        ),
        other => Err(DecodeError::UnknownSchema(other.escape_ascii().to_string())),
    }
}

fn known<'a, T>(schema: &'static str, root: Result<T, InvalidFlatbuffer>) -> Result<Message<'a>, DecodeError> {
    verified(schema, root).map(|_| Message::Known(schema))
}

/// The root of a message, or the first line of what the verifier says against it.
fn verified<T>(schema: &'static str, root: Result<T, InvalidFlatbuffer>) -> Result<T, DecodeError> {
    root.map_err(|error| {
        let what = error.to_string().lines().next().unwrap_or("no reason given").to_owned();
        DecodeError::Malformed { schema, what }
    })
}

/// A time in ns or ms that a u64 carries; one beyond the year 2262 is refused.
fn time(schema: &'static str, field: &'static str, value: u64, unit_ns: i64) -> Result<PulseTime, DecodeError> {
    i64::try_from(value)
        .ok()
        .and_then(|value| value.checked_mul(unit_ns))
        .map(PulseTime::from_nanos)
        .ok_or_else(|| DecodeError::Value {
            schema,
            field,
            value: value.to_string(),
        })
}
