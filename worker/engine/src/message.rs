//! What a record of the stream says, once decoded: the vocabulary between decoders and timeline.
//!
//! Promises: event columns are borrowed from the record and copied once, by the timeline; everything else is
//! owned. It must not decode, check against other messages or know Kafka: a decoder only has to have verified
//! that the bytes are a well-formed message of the schema, the timeline judges the values.

use std::sync::Arc;

use crate::time::PulseTime;
pub use crate::wire::{LeI32, LeI64, LeU32};

/// One decoded record.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Events of one or many pulses (ev42, ev44).
    Events(EventBatch<'a>),
    /// What the accelerator and the acquisition say about one frame (pu00).
    Pulse(PulseMetadata),
    /// A run starts (pl72).
    RunStart(RunStart),
    /// A run stops (6s4t).
    RunStop(RunStop),
    /// A value of a sample log (f144).
    Log(LogSample),
    /// An alarm of a process variable (al00).
    Alarm(Alarm),
    /// The unit of a process variable (un00).
    Units(LogUnits),
    /// Which veto bits are in force (vc00).
    VetoConfig(VetoConfig),
    /// A schema that is known and has nothing for the timeline (ep01, se00, x5f2, …): counted by its id.
    Known(&'static str),
}

impl Message<'_> {
    /// The four-letter id of the message's schema.
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
            Self::Known(schema) => schema,
        }
    }
}

/// The schema that events came in: it decides what their ids mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventSchema {
    /// One pulse a message; ids are spectrum numbers with ISIS's acquisition.
    Ev42,
    /// One or many pulses a message; ids are detector ids.
    Ev44,
}

impl EventSchema {
    /// The schema's file identifier.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Ev42 => "ev42",
            Self::Ev44 => "ev44",
        }
    }
}

/// Events of one message.
#[derive(Clone, Copy, Debug)]
pub struct EventBatch<'a> {
    /// The schema of the message.
    pub schema: EventSchema,
    /// The producer's name for the detector bank.
    pub source: &'a str,
    /// Counter of the producer; constant where it does not count.
    pub message_id: i64,
    /// The pulses that the events belong to.
    pub pulses: Pulses<'a>,
    /// Time of flight of each event in ns. What was a negative `i32` on the wire is 2³¹ or more here: out of
    /// range, counted and dropped by the timeline.
    pub time_of_flight: LeU32<'a>,
    /// Id of each event.
    pub ids: Ids<'a>,
    /// The frame's metadata where they ride on the events (ev42's is84); belongs to the first pulse.
    pub frame: Option<Frame>,
}

/// The pulses of an event message.
#[derive(Clone, Copy, Debug)]
pub enum Pulses<'a> {
    /// All events belong to one pulse.
    One(PulseTime),
    /// Pulse `i` has the events from `first[i]` to `first[i + 1]`, the last one those to the end.
    Many {
        /// Pulse times in ns since the Unix epoch.
        times: LeI64<'a>,
        /// Index of each pulse's first event.
        first: LeI32<'a>,
    },
}

/// The ids of an event message.
#[derive(Clone, Copy, Debug)]
pub enum Ids<'a> {
    /// One id per event, spectrum number or detector id. A negative `i32` on the wire is 2³¹ or more here.
    Given(LeU32<'a>),
    /// A detector of a single pixel, known by the message's source.
    Implicit,
}

/// Metadata of a frame that ride on an event message (is84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// Period number, from 0.
    pub period: u32,
    /// True for run_state SETUP, which is the schema's default too.
    pub setup: bool,
    /// Proton charge of the frame, in the unit that the configuration names.
    pub proton_charge: f32,
}

/// Metadata of a frame (pu00); what the message left out is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct PulseMetadata {
    /// The producer's name.
    pub source: String,
    /// Counter of the producer.
    pub message_id: i64,
    /// The pulse that the frame belongs to.
    pub reference_time: PulseTime,
    /// Veto bits; bits 24-31 are the frame's repeat number.
    pub vetos: Option<u32>,
    /// Period number, from 0.
    pub period: Option<u32>,
    /// Proton charge of the frame in µA·h.
    pub proton_charge: Option<f32>,
}

/// A run starts (pl72).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RunStart {
    /// Start by the control computer's clock.
    pub start_time: PulseTime,
    /// The announced stop; `None` where the message has 0.
    pub stop_time: Option<PulseTime>,
    /// The run's name: `MERLIN71617`, or its digits alone.
    pub run_name: String,
    /// The instrument.
    pub instrument_name: String,
    /// Identity of the run; may be empty.
    pub job_id: String,
    /// Number of periods as announced.
    pub n_periods: u32,
    /// Which detectors make up each spectrum.
    pub map: Option<DetectorSpectrumMap>,
    /// The instrument and the file's structure as JSON.
    pub nexus_structure: Option<String>,
    /// Further metadata as JSON.
    pub metadata: Option<String>,
}

/// Which detectors make up each spectrum (df12): entry `i` says that detector `detector_id[i]` is in spectrum
/// `spectrum[i]`. The timeline refuses one with columns of different lengths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorSpectrumMap {
    /// Spectrum number of each entry.
    pub spectrum: Vec<i32>,
    /// Detector id of each entry.
    pub detector_id: Vec<i32>,
    /// Number of entries as the message states it.
    pub n_spectra: i32,
}

/// A run stops (6s4t).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunStop {
    /// Stop by the control computer's clock; `None` where the message has 0: then the record's timestamp counts.
    pub stop_time: Option<PulseTime>,
    /// The run's name, which some producers leave at a default.
    pub run_name: String,
    /// Identity of the run; may be empty.
    pub job_id: String,
}

/// A value of a sample log (f144).
#[derive(Clone, Debug, PartialEq)]
pub struct LogSample {
    /// The process variable.
    pub source: String,
    /// When the value was taken.
    pub time: PulseTime,
    /// The value.
    pub value: LogValue,
}

/// The value of a log: the ten numeric kinds of f144, arrays of each, and text.
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
    /// The value as a number, for the ten scalar kinds; 64-bit integers beyond 2⁵³ are rounded.
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

    /// Bytes held beside the value itself, on the heap.
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

    /// True when both are the same value, bit for bit: two NaN are.
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

/// An alarm of a process variable (al00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// The process variable.
    pub source: String,
    /// When the alarm changed.
    pub time: PulseTime,
    /// How bad it is.
    pub severity: Severity,
    /// What it says.
    pub message: String,
}

/// Severity of an alarm, in the schema's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// No alarm.
    Ok,
    /// A minor alarm.
    Minor,
    /// A major alarm.
    Major,
    /// The value is not to be trusted.
    Invalid,
}

/// The unit of a process variable (un00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogUnits {
    /// The process variable.
    pub source: String,
    /// From when on.
    pub time: PulseTime,
    /// The unit; `None` where the message has none.
    pub units: Option<String>,
}

/// Which of pu00's veto bits are in force (vc00).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VetoConfig {
    /// From when on.
    pub time: PulseTime,
    /// The bits that veto a frame.
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
    fn a_repeat_is_told_bit_for_bit() {
        assert!(LogValue::F64(f64::NAN).same(&LogValue::F64(f64::NAN)));
        assert!(LogValue::F32s([f32::NAN].into()).same(&LogValue::F32s([f32::NAN].into())));
        assert!(!LogValue::F64(0.0).same(&LogValue::F64(-0.0)));
        assert!(!LogValue::I32(1).same(&LogValue::I64(1)));
    }
}
