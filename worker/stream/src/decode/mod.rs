//! Decoding of a record's bytes to a [`Message`], for every schema of the instrument's topics.
//!
//! Promises: every byte is verified before it is read. Event columns are borrowed, not copied. Any bytes give a message
//! or a [`DecodeError`], never a panic. Must not compare a message with the run or the instrument: the timeline does.
//!
//! # Layout
//! `verify` (limits and times), then the schemas: `events` (ev42, ev44), `pulse` (pu00, vc00), `run` (pl72, 6s4t),
//! `log` (f144, al00, un00); `error`. The schemas are those of the repository `streaming-data-types` of the ESS and
//! ISIS. The four letters are the flatbuffer's file identifier (bytes 4 to 7).

mod error;
mod events;
mod log;
mod pulse;
mod run;
mod verify;

use flatbuffers::InvalidFlatbuffer;
use isis_streaming_data_types::flatbuffers_generated as isis;
use live_data_engine::message::Message;

use self::verify::{LIMITS, verified};

pub use error::DecodeError;

/// Decodes the value of one Kafka record. Cost: verification in O(bytes of tables and strings); event columns are borrowed,
/// everything else is copied. Messages of schemas that the worker does not use are verified and become
/// [`Message::Ignored`].
///
/// # Errors
/// [`DecodeError`] for bytes that are no valid message of a known schema; its [`reason`](DecodeError::reason) is stable.
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
        b"x5f2" => ignored("x5f2", isis::status_x5f2::root_as_status_with_opts(&LIMITS, payload)),
        b"da00" => ignored(
            "da00",
            isis::dataarray_da00::root_as_da_00_data_array_with_opts(&LIMITS, payload),
        ),
        b"ep01" => ignored(
            "ep01",
            isis::epics_connection_ep01::root_as_epics_pvconnection_info_with_opts(&LIMITS, payload),
        ),
        b"se00" => ignored(
            "se00",
            isis::data_se00::root_as_se_00_sample_environment_data_with_opts(&LIMITS, payload),
        ),
        other => Err(DecodeError::UnknownSchema(other.escape_ascii().to_string())),
    }
}

/// Verifies a message whose content the worker does not use.
fn ignored<'a, T>(schema: &'static str, root: Result<T, InvalidFlatbuffer>) -> Result<Message<'a>, DecodeError> {
    verified(schema, root).map(|_| Message::Ignored(schema))
}
