//! What the timeline can be told: limits, clocks and units.
//!
//! Promises: the defaults are the documented ones. It must not read the environment: whoever starts the timeline
//! fills the values in.

use std::collections::HashMap;

use crate::time::NANOS_PER_SECOND;

/// Settings of a timeline. All times are in nanoseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineConfig {
    /// The instrument: run starts of another one are refused, and log names lose `IN:<instrument>:CS:SB:`.
    pub instrument: String,
    /// What the ids of events are compared with when they are checked against a run's map.
    pub event_ids: EventIds,
    /// Leaves frames of run state SETUP out of every run.
    pub exclude_setup: bool,
    /// Added to the start and stop times of runs: the pulses' clock less the control computer's.
    pub run_clock_offset: i64,
    /// How much is kept when no run is open, before the newest pulse.
    pub grace: i64,
    /// How far apart, in pulse time, a repeated message is still recognised.
    pub duplicate_window: i64,
    /// Bytes of events, pulses and logs at which no more events are kept; `None` for no limit.
    pub memory_limit: Option<u64>,
    /// Bytes of log values at which no more are kept.
    pub log_limit: u64,
    /// µA·h in one unit of is84's proton charge.
    pub is84_charge_unit: f64,
    /// Detector ids of sources that send no ids (a detector of one pixel); others get 0.
    pub implicit_ids: HashMap<String, u32>,
    /// How far a pulse may lie in the future of the wall clock and of its record's timestamp.
    pub clock_ahead: i64,
    /// Earliest time of a pulse that is believed.
    pub clock_start: i64,
    /// How far outside a run's bounds pulses are reported.
    pub near_bounds: i64,
    /// Pulse time, and wall-clock time before watermarks count, that must pass after a run's stop.
    pub completion_margin: i64,
    /// Age, in pulse time, from which a pulse without metadata is taken as it is.
    pub settle: i64,
    /// Number of events at which a tail is sealed.
    pub seal_events: usize,
    /// Number of pulses at which a tail is sealed; at most 65,535.
    pub seal_pulses: usize,
}

/// What an event's id is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EventIds {
    /// Spectrum numbers for ev42 when the run has a map, else detector ids.
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
    /// The defaults for an instrument.
    #[must_use]
    pub fn new(instrument: &str) -> Self {
        Self {
            instrument: instrument.to_owned(),
            event_ids: EventIds::Auto,
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
