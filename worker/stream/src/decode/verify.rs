//! Verification of flatbuffers, and conversion of their times.

use flatbuffers::{InvalidFlatbuffer, VerifierOptions};
use live_data_engine::time::PulseTime;

use super::error::DecodeError;

/// Limits of verification. Producers send run starts of several MB and event messages of tens of MB. The limits exceed
/// those, and bound the work that a malicious message can cause.
pub(super) const LIMITS: VerifierOptions = VerifierOptions {
    max_depth: 16,
    max_tables: 1 << 20,
    max_apparent_size: 1 << 31,
    // Some producers omit the terminator; strings are read by their length.
    ignore_missing_null_terminator: true,
};

/// Root of a verified message; the error has the first line of the verifier's report.
pub(super) fn verified<T>(schema: &'static str, root: Result<T, InvalidFlatbuffer>) -> Result<T, DecodeError> {
    root.map_err(|error| {
        let what = error.to_string().lines().next().unwrap_or("no reason given").to_owned();
        DecodeError::Malformed { schema, what }
    })
}

/// Time since the Unix epoch from a `u64` in units of `unit_ns` ns. Times after 2262-04-11 (`i64::MAX` ns) are refused.
pub(super) fn time(
    schema: &'static str,
    field: &'static str,
    value: u64,
    unit_ns: i64,
) -> Result<PulseTime, DecodeError> {
    i64::try_from(value)
        .ok()
        .and_then(|value| value.checked_mul(unit_ns))
        .map(PulseTime::from_nanos)
        .ok_or_else(|| DecodeError::BadValue {
            schema,
            field,
            value: value.to_string(),
        })
}
