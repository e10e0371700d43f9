//! Messages of sample logs: f144, al00 and un00.

use isis_streaming_data_types::flatbuffers_generated::{alarm_al00 as al00, logdata_f144 as f144, units_un00 as un00};
use live_data_engine::message::{AlarmSeverity, LogValue};

use super::encoder::Encoder;

impl Encoder {
    /// Encodes an f144 message: the value of the process variable `source` at `timestamp` (ns since the Unix epoch). Text
    /// becomes an array of signed bytes, as a character waveform of EPICS does.
    pub fn f144(&mut self, source: &str, timestamp: i64, value: &LogValue) -> &[u8] {
        let builder = self.reset();
        macro_rules! scalar {
            ($table:ident, $arguments:ident, $value:expr) => {{
                let table = f144::$table::create(builder, &f144::$arguments { value: $value });
                (f144::Value::$table, table.as_union_value())
            }};
        }
        macro_rules! array {
            ($table:ident, $arguments:ident, $values:expr) => {{
                let value = Some(builder.create_vector($values));
                let table = f144::$table::create(builder, &f144::$arguments { value });
                (f144::Value::$table, table.as_union_value())
            }};
        }
        let (value_type, value) = match value {
            LogValue::I8(value) => scalar!(Byte, ByteArgs, *value),
            LogValue::U8(value) => scalar!(UByte, UByteArgs, *value),
            LogValue::I16(value) => scalar!(Short, ShortArgs, *value),
            LogValue::U16(value) => scalar!(UShort, UShortArgs, *value),
            LogValue::I32(value) => scalar!(Int, IntArgs, *value),
            LogValue::U32(value) => scalar!(UInt, UIntArgs, *value),
            LogValue::I64(value) => scalar!(Long, LongArgs, *value),
            LogValue::U64(value) => scalar!(ULong, ULongArgs, *value),
            LogValue::F32(value) => scalar!(Float, FloatArgs, *value),
            LogValue::F64(value) => scalar!(Double, DoubleArgs, *value),
            LogValue::I8s(values) => array!(ArrayByte, ArrayByteArgs, values),
            LogValue::U8s(values) => array!(ArrayUByte, ArrayUByteArgs, values),
            LogValue::I16s(values) => array!(ArrayShort, ArrayShortArgs, values),
            LogValue::U16s(values) => array!(ArrayUShort, ArrayUShortArgs, values),
            LogValue::I32s(values) => array!(ArrayInt, ArrayIntArgs, values),
            LogValue::U32s(values) => array!(ArrayUInt, ArrayUIntArgs, values),
            LogValue::I64s(values) => array!(ArrayLong, ArrayLongArgs, values),
            LogValue::U64s(values) => array!(ArrayULong, ArrayULongArgs, values),
            LogValue::F32s(values) => array!(ArrayFloat, ArrayFloatArgs, values),
            LogValue::F64s(values) => array!(ArrayDouble, ArrayDoubleArgs, values),
            LogValue::Text(text) => {
                let bytes: Vec<i8> = text.bytes().map(u8::cast_signed).collect();
                array!(ArrayByte, ArrayByteArgs, &bytes)
            }
        };
        let source_name = Some(builder.create_string(source));
        let arguments = f144::f144_LogDataArgs {
            source_name,
            timestamp,
            value_type,
            value: Some(value),
        };
        let root = f144::f144_LogData::create(builder, &arguments);
        f144::finish_f_144_log_data_buffer(builder, root);
        self.finished()
    }

    /// Encodes an al00 message: the alarm of the process variable `source` from `timestamp` (ns since the Unix epoch) on.
    pub fn al00(&mut self, source: &str, timestamp: i64, severity: AlarmSeverity, message: &str) -> &[u8] {
        let builder = self.reset();
        let severity = match severity {
            AlarmSeverity::Ok => al00::Severity::OK,
            AlarmSeverity::Minor => al00::Severity::MINOR,
            AlarmSeverity::Major => al00::Severity::MAJOR,
            AlarmSeverity::Invalid => al00::Severity::INVALID,
        };
        let source_name = Some(builder.create_string(source));
        let message = Some(builder.create_string(message));
        let root = al00::Alarm::create(
            builder,
            &al00::AlarmArgs {
                source_name,
                timestamp,
                severity,
                message,
            },
        );
        al00::finish_alarm_buffer(builder, root);
        self.finished()
    }

    /// Encodes a un00 message: the units of the process variable `source` from `timestamp` (ns since the Unix epoch) on.
    pub fn un00(&mut self, source: &str, timestamp: i64, units: Option<&str>) -> &[u8] {
        let builder = self.reset();
        let source_name = Some(builder.create_string(source));
        let units = units.map(|units| builder.create_string(units));
        let root = un00::Units::create(
            builder,
            &un00::UnitsArgs {
                source_name,
                timestamp,
                units,
            },
        );
        un00::finish_units_buffer(builder, root);
        self.finished()
    }
}
