//! Settings of a timeline: limits, clocks and units.
//!
//! Promises: the defaults are the documented ones. It must not read the environment: the caller fills in the values.

use std::collections::HashMap;

use crate::time::NANOS_PER_SECOND;

/// Settings of a timeline. All durations and times are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineConfig {
    /// Run starts of another instrument are refused (case does not matter), and log names lose
    /// `IN:<INSTRUMENT>:CS:SB:`.
    pub instrument: String,
    /// Column of a run's map against which the ids of events are checked.
    pub event_ids: EventIdKind,
    /// True excludes frames of run state SETUP (is84) from every run.
    pub exclude_setup: bool,
    /// Clock of the pulses minus clock of the control computer; added to the start and stop times of runs.
    pub run_clock_offset: i64,
    /// Data before the newest pulse that are kept while no run is open. Default 120 s.
    pub grace: i64,
    /// Largest age, in pulse time, of a message whose duplicate is recognised. Default 60 s.
    pub duplicate_window: i64,
    /// Bytes of events, pulses and logs from which no more events are stored; `None` for no limit.
    pub memory_limit: Option<u64>,
    /// Bytes of logs from which no more log values are stored. Default 512 MiB.
    pub log_limit: u64,
    /// Factor from the unit of is84's proton charge to µA·h. Default 1.
    pub is84_charge_unit: f64,
    /// Detector id by source name, for sources that send no ids (a detector of one pixel); sources that are not listed
    /// have id 0.
    pub implicit_ids: HashMap<String, u32>,
    /// Largest lead of a pulse time over the wall clock and over the record's timestamp. Default 1 h.
    pub clock_ahead: i64,
    /// Earliest pulse time that is accepted, since the Unix epoch. Default 2000-01-01T00:00:00Z.
    pub clock_start: i64,
    /// Span before a run's start and after its stop in which pulses outside all runs are reported. Default 5 s.
    pub near_bounds: i64,
    /// Pulse time that must pass after a run's stop before the run is complete, and wall-clock time before high
    /// watermarks count instead. Default 10 s.
    pub completion_margin: i64,
    /// Age, in pulse time, from which a pulse counts as settled without its metadata. Default 2 s.
    pub settle: i64,
    /// Events at which a tail is sealed. Default 524,288.
    pub seal_events: usize,
    /// Pulses at which a tail is sealed; at most 65,535, which is the default.
    pub seal_pulses: usize,
}

/// Meaning of the ids of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventIdKind {
    /// Spectrum numbers for ev42 if the run has a map, otherwise detector ids.
    #[default]
    Auto,
    /// Spectrum numbers of the run's map.
    Spectrum,
    /// Detector ids.
    Detector,
    /// Workspace indices.
    Index,
}

impl TimelineConfig {
    /// Default settings for an instrument.
    #[must_use]
    pub fn new(instrument: &str) -> Self {
        Self {
            instrument: instrument.to_owned(),
            event_ids: EventIdKind::Auto,
            exclude_setup: false,
            run_clock_offset: 0,
            grace: 120 * NANOS_PER_SECOND,
            duplicate_window: 60 * NANOS_PER_SECOND,
            memory_limit: None,
            log_limit: 512 << 20,
            is84_charge_unit: 1.0,
            implicit_ids: HashMap::new(),
            clock_ahead: 3600 * NANOS_PER_SECOND,
            // 2000-01-01T00:00:00Z
            clock_start: 946_684_800 * NANOS_PER_SECOND,
            near_bounds: 5 * NANOS_PER_SECOND,
            completion_margin: 10 * NANOS_PER_SECOND,
            settle: 2 * NANOS_PER_SECOND,
            seal_events: 512 << 10,
            seal_pulses: crate::chunk::MAX_PULSES,
        }
    }
}
