//! Messages of sample logs: f144 (values), al00 (alarms) and un00 (units). Times are in ns since the Unix epoch.
//!
//! Promises: a value keeps its numeric type. f144 has no strings: a string PV arrives as an array of bytes and remains
//! one.

use isis_streaming_data_types::flatbuffers_generated::alarm_al00::{self, root_as_alarm_with_opts};
use isis_streaming_data_types::flatbuffers_generated::logdata_f144::{
    Value, f144_LogData, root_as_f_144_log_data_with_opts,
};
use isis_streaming_data_types::flatbuffers_generated::units_un00::root_as_units_with_opts;
use live_data_engine::message::{Alarm, AlarmSeverity, LogSample, LogUnits, LogValue};
use live_data_engine::time::PulseTime;

use super::error::DecodeError;
use super::verify::{LIMITS, verified};

pub(super) fn f144(payload: &[u8]) -> Result<LogSample, DecodeError> {
    let message = verified("f144", root_as_f_144_log_data_with_opts(&LIMITS, payload))?;
    let value = value(&message).ok_or_else(|| DecodeError::BadValue {
        schema: "f144",
        field: "value_type",
        value: message.value_type().0.to_string(),
    })?;
    Ok(LogSample {
        source: source_name("f144", Some(message.source_name()))?,
        time: PulseTime::from_nanos(message.timestamp()),
        value,
    })
}

/// Value of an f144 message; `None` for an unknown type, or a union without its table.
fn value(message: &f144_LogData<'_>) -> Option<LogValue> {
    macro_rules! array {
        ($table:expr, $variant:ident) => {
            LogValue::$variant(
                $table?
                    .value()
                    .map_or_else(|| Vec::new().into(), |column| column.iter().collect()),
            )
        };
    }
    Some(match message.value_type() {
        Value::Byte => LogValue::I8(message.value_as_byte()?.value()),
        Value::UByte => LogValue::U8(message.value_as_ubyte()?.value()),
        Value::Short => LogValue::I16(message.value_as_short()?.value()),
        Value::UShort => LogValue::U16(message.value_as_ushort()?.value()),
        Value::Int => LogValue::I32(message.value_as_int()?.value()),
        Value::UInt => LogValue::U32(message.value_as_uint()?.value()),
        Value::Long => LogValue::I64(message.value_as_long()?.value()),
        Value::ULong => LogValue::U64(message.value_as_ulong()?.value()),
        Value::Float => LogValue::F32(message.value_as_float()?.value()),
        Value::Double => LogValue::F64(message.value_as_double()?.value()),
        Value::ArrayByte => array!(message.value_as_array_byte(), I8s),
        Value::ArrayUByte => array!(message.value_as_array_ubyte(), U8s),
        Value::ArrayShort => array!(message.value_as_array_short(), I16s),
        Value::ArrayUShort => array!(message.value_as_array_ushort(), U16s),
        Value::ArrayInt => array!(message.value_as_array_int(), I32s),
        Value::ArrayUInt => array!(message.value_as_array_uint(), U32s),
        Value::ArrayLong => array!(message.value_as_array_long(), I64s),
        Value::ArrayULong => array!(message.value_as_array_ulong(), U64s),
        Value::ArrayFloat => array!(message.value_as_array_float(), F32s),
        Value::ArrayDouble => array!(message.value_as_array_double(), F64s),
        _ => return None,
    })
}

pub(super) fn al00(payload: &[u8]) -> Result<Alarm, DecodeError> {
    let message = verified("al00", root_as_alarm_with_opts(&LIMITS, payload))?;
    let severity = match message.severity() {
        alarm_al00::Severity::OK => AlarmSeverity::Ok,
        alarm_al00::Severity::MINOR => AlarmSeverity::Minor,
        alarm_al00::Severity::MAJOR => AlarmSeverity::Major,
        alarm_al00::Severity::INVALID => AlarmSeverity::Invalid,
        other => {
            return Err(DecodeError::BadValue {
                schema: "al00",
                field: "severity",
                value: other.0.to_string(),
            });
        }
    };
    Ok(Alarm {
        source: source_name("al00", message.source_name())?,
        time: PulseTime::from_nanos(message.timestamp()),
        severity,
        message: message.message().unwrap_or_default().to_owned(),
    })
}

pub(super) fn un00(payload: &[u8]) -> Result<LogUnits, DecodeError> {
    let message = verified("un00", root_as_units_with_opts(&LIMITS, payload))?;
    Ok(LogUnits {
        source: source_name("un00", Some(message.source_name()))?,
        time: PulseTime::from_nanos(message.timestamp()),
        units: message.units().map(str::to_owned),
    })
}

/// Name of the process variable; an empty one is refused.
fn source_name(schema: &'static str, name: Option<&str>) -> Result<String, DecodeError> {
    name.filter(|name| !name.is_empty())
        .map(str::to_owned)
        .ok_or(DecodeError::MissingField {
            schema,
            field: "source_name",
        })
}
