//! Decoded messages: the types between decoders and timeline.
//!
//! Promises: event columns are borrowed from the record and copied once, by the timeline; everything else is owned. A
//! decoder verifies that the bytes are a well-formed message of the schema; the timeline validates the values. It must
//! not decode, compare messages or know Kafka. The schemas are those of the ECDC data streaming project, by their
//! four-character FlatBuffers file identifiers.

use std::sync::Arc;

use crate::time::PulseTime;
pub use crate::wire::{LeI32, LeI64, LeU32};

/// One decoded record, by schema.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Events of one or many pulses (ev42, ev44).
    Events(EventBatch<'a>),
    /// Metadata of one frame from accelerator and data acquisition (pu00).
    Pulse(PulseMetadata),
    /// Start of a run (pl72).
    RunStart(RunStart),
    /// Stop of a run (6s4t).
    RunStop(RunStop),
    /// Value of a sample log (f144).
    Log(LogSample),
    /// Alarm of a process variable (al00).
    Alarm(Alarm),
    /// Unit of a process variable (un00).
    Units(LogUnits),
    /// Veto bits in force from a time on (vc00).
    VetoConfig(VetoConfig),
    /// Known schema without content for the timeline (ep01, se00, x5f2, …), counted by its id.
    Ignored(&'static str),
}

impl Message<'_> {
    /// Four-character file identifier of the schema.
    #[must_use]
    pub fn schema(&self) -> &'static str {
        match self {
            Self::Events(batch) => batch.schema.id(),
            Self::Pulse(_) => "pu00",
            Self::RunStart(_) => "pl72",
            Self::RunStop(_) => "6s4t",
            Self::Log(_) => "f144",
            Self::Alarm(_) => "al00",
            Self::Units(_) => "un00",
            Self::VetoConfig(_) => "vc00",
            Self::Ignored(schema) => schema,
        }
    }
}

/// Schema of an event message; decides the meaning of its ids
/// ([`EventIdKind::Auto`](crate::config::EventIdKind::Auto)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventSchema {
    /// One pulse per message; ids are spectrum numbers in ISIS's data acquisition.
    Ev42,
    /// One or many pulses per message; ids are detector ids.
    Ev44,
}

impl EventSchema {
    /// File identifier of the schema: `ev42` or `ev44`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ev42 => "ev42",
            Self::Ev44 => "ev44",
        }
    }
}

/// Events of one message, in columns of equal length that are borrowed from its bytes.
#[derive(Clone, Copy, Debug)]
pub struct EventBatch<'a> {
    pub schema: EventSchema,
    /// Producer's name of the detector bank.
    pub source: &'a str,
    /// Counter of the producer; constant for a producer that does not count.
    pub message_id: i64,
    pub pulses: PulseColumns<'a>,
    /// Time of flight of each event in ns. A negative `i32` on the wire is 2³¹ or more here: out of range, so that the
    /// timeline counts and drops it.
    pub time_of_flight: LeU32<'a>,
    pub ids: IdColumn<'a>,
    /// Metadata of the first pulse, if the message has them (is84 in ev42).
    pub frame: Option<Frame>,
}

/// Pulses of an event message, and the events of each.
#[derive(Clone, Copy, Debug)]
pub enum PulseColumns<'a> {
    /// One pulse with all events.
    Single(PulseTime),
    /// Pulse `i` has the events in `[first[i], first[i + 1])`; the last pulse has those to the end.
    Multiple {
        /// Nanoseconds since the Unix epoch.
        times: LeI64<'a>,
        /// Index of the first event of each pulse, ascending from 0.
        first: LeI32<'a>,
    },
}

/// Ids of an event message.
#[derive(Clone, Copy, Debug)]
pub enum IdColumn<'a> {
    /// Spectrum number or detector id of each event. A negative `i32` on the wire is 2³¹ or more here.
    PerEvent(LeU32<'a>),
    /// No ids in the message: a detector of one pixel, identified by the source
    /// ([`implicit_ids`](crate::config::TimelineConfig::implicit_ids)).
    Implicit,
}

/// Metadata of a frame inside an event message (is84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// From 0.
    pub period: u32,
    /// True for run state SETUP, which is also the schema's default.
    pub setup: bool,
    /// Proton charge of the frame; [`is84_charge_unit`](crate::config::TimelineConfig::is84_charge_unit) converts it to
    /// µA·h.
    pub proton_charge: f32,
}

/// Metadata of a frame (pu00); `None` for fields that the message does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct PulseMetadata {
    pub source: String,
    pub message_id: i64,
    /// Pulse time of the frame.
    pub reference_time: PulseTime,
    /// Bits 0–23: vetoes; bits 24–31: repeat number of the frame.
    pub vetos: Option<u32>,
    /// From 0.
    pub period: Option<u32>,
    /// Proton charge of the frame, µA·h.
    pub proton_charge: Option<f32>,
}

/// Start of a run (pl72).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStart {
    /// Start by the clock of the control computer.
    pub start_time: PulseTime,
    /// Announced stop; `None` if the message has 0.
    pub stop_time: Option<PulseTime>,
    /// `MERLIN71617`, or the digits alone.
    pub run_name: String,
    pub instrument_name: String,
    /// Identity of the run; empty for producers that do not set it.
    pub job_id: String,
    /// Announced number of periods.
    pub n_periods: u32,
    /// Detectors of each spectrum.
    pub map: Option<DetectorSpectrumMap>,
    /// JSON of the NeXus file's structure, with the instrument's geometry.
    pub nexus_structure: Option<String>,
    /// JSON of further metadata.
    pub metadata: Option<String>,
}

/// Detectors of each spectrum (df12): detector `detector_id[i]` belongs to spectrum `spectrum[i]`. The timeline refuses
/// a map with columns of different lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorSpectrumMap {
    pub spectrum: Vec<i32>,
    pub detector_id: Vec<i32>,
    /// Number of entries stated by the message; informative only.
    pub n_spectra: i32,
}

/// Stop of a run (6s4t).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStop {
    /// Stop by the clock of the control computer; `None` if the message has 0, and the record's timestamp counts.
    pub stop_time: Option<PulseTime>,
    /// Name of the run; some producers leave a default value.
    pub run_name: String,
    /// Identity of the run; empty for producers that do not set it.
    pub job_id: String,
}

/// Value of a sample log at a time (f144).
#[derive(Clone, Debug, PartialEq)]
pub struct LogSample {
    /// EPICS process variable.
    pub source: String,
    /// Time of the measurement.
    pub time: PulseTime,
    pub value: LogValue,
}

/// Value of a log: the ten numeric types of f144, arrays of each, and text.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum LogValue {
    I8(i8),
    U8(u8),
    I16(i16),
    U16(u16),
    I32(i32),
    U32(u32),
    I64(i64),
    U64(u64),
    F32(f32),
    F64(f64),
    I8s(Arc<[i8]>),
    U8s(Arc<[u8]>),
    I16s(Arc<[i16]>),
    U16s(Arc<[u16]>),
    I32s(Arc<[i32]>),
    U32s(Arc<[u32]>),
    I64s(Arc<[i64]>),
    U64s(Arc<[u64]>),
    F32s(Arc<[f32]>),
    F64s(Arc<[f64]>),
    Text(Arc<str>),
}

impl LogValue {
    /// Number of a scalar value; `None` for arrays and text. 64-bit integers beyond 2⁵³ are rounded.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn number(&self) -> Option<f64> {
        Some(match *self {
            Self::I8(value) => f64::from(value),
            Self::U8(value) => f64::from(value),
            Self::I16(value) => f64::from(value),
            Self::U16(value) => f64::from(value),
            Self::I32(value) => f64::from(value),
            Self::U32(value) => f64::from(value),
            Self::I64(value) => value as f64,
            Self::U64(value) => value as f64,
            Self::F32(value) => f64::from(value),
            Self::F64(value) => value,
            _ => return None,
        })
    }

    /// Bytes of array elements or text on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::I8s(values) => size_of_val(&**values),
            Self::U8s(values) => size_of_val(&**values),
            Self::I16s(values) => size_of_val(&**values),
            Self::U16s(values) => size_of_val(&**values),
            Self::I32s(values) => size_of_val(&**values),
            Self::U32s(values) => size_of_val(&**values),
            Self::I64s(values) => size_of_val(&**values),
            Self::U64s(values) => size_of_val(&**values),
            Self::F32s(values) => size_of_val(&**values),
            Self::F64s(values) => size_of_val(&**values),
            Self::Text(text) => text.len(),
            _ => 0,
        }
    }

    /// True if type and bits are equal: NaN equals NaN, `0.0` differs from `-0.0`.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F32(a), Self::F32(b)) => a.to_bits() == b.to_bits(),
            (Self::F64(a), Self::F64(b)) => a.to_bits() == b.to_bits(),
            (Self::F32s(a), Self::F32s(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            (Self::F64s(a), Self::F64s(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.to_bits() == b.to_bits())
            }
            _ => self == other,
        }
    }
}

/// Alarm of a process variable (al00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// EPICS process variable.
    pub source: String,
    /// Time at which the alarm changed.
    pub time: PulseTime,
    pub severity: AlarmSeverity,
    /// EPICS alarm status, such as `HIHI_ALARM`.
    pub message: String,
}

/// Severity of an EPICS alarm, ascending; al00 lists them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmSeverity {
    /// NO_ALARM of EPICS.
    Ok,
    /// MINOR of EPICS.
    Minor,
    /// MAJOR of EPICS.
    Major,
    /// INVALID of EPICS: the value is not valid.
    Invalid,
}

/// Unit of a process variable from a time on (un00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogUnits {
    /// EPICS process variable.
    pub source: String,
    /// Time from which it holds.
    pub time: PulseTime,
    /// `None` if the message has no unit.
    pub units: Option<String>,
}

/// Veto bits of pu00 that are in force (vc00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VetoConfig {
    /// Time from which it holds.
    pub time: PulseTime,
    /// Bits that veto a frame.
    pub mask: u32,
    /// Name of each bit, from bit 0.
    pub names: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_and_the_rest_is_not() {
        assert_eq!(LogValue::I8(-3).number(), Some(-3.0));
        assert_eq!(LogValue::F32(0.5).number(), Some(0.5));
        assert_eq!(LogValue::Text("on".into()).number(), None);
        assert_eq!(LogValue::F64s([1.0].into()).number(), None);
    }

    #[test]
    fn equality_is_bit_for_bit() {
        assert!(LogValue::F64(f64::NAN).same(&LogValue::F64(f64::NAN)));
        assert!(LogValue::F32s([f32::NAN].into()).same(&LogValue::F32s([f32::NAN].into())));
        assert!(!LogValue::F64(0.0).same(&LogValue::F64(-0.0)));
        assert!(!LogValue::I32(1).same(&LogValue::I64(1)));
    }
}
