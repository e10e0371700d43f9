//! What the timeline counts: the figures behind `/status` and `/metrics`.
//!
//! Promises: nothing that is refused, repeated or late goes uncounted; reasons are a closed list of short names. It
//! must not format or log.

use std::collections::BTreeMap;

use crate::time::PulseTime;

/// Why a record, or events of it, were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// An event message whose columns of times and ids differ in length.
    EventColumns,
    /// An event message whose pulse index does not fit its events.
    PulseIndex,
    /// A pulse time that no clock can mean: before 2000 or far in the future.
    PulseTime,
    /// A time of flight of 2³¹ ns or more, or negative on the wire; counted by event.
    TimeOfFlight,
    /// More distinct ids than the dictionary can hold; counted by event.
    TooManyIds,
    /// A period number beyond 65,535.
    Period,
    /// A proton charge that is negative, not finite or absurd.
    ProtonCharge,
    /// A run start for another instrument.
    OtherInstrument,
    /// A run start without a believable start time.
    RunStartTime,
    /// A detector map with columns of different lengths; the run goes on without.
    RunMap,
    /// A run stop that names no known run; kept for a while in case the start is late.
    StopWithoutStart,
    /// A log, alarm or unit with a time that no clock can mean.
    LogTime,
    /// A log, alarm or unit beyond the memory for logs.
    LogsFull,
    /// A veto configuration with a time that no clock can mean.
    VetoTime,
}

impl Reason {
    /// The reason's name in `/status` and `/metrics`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventColumns => "event_columns_differ",
            Self::PulseIndex => "pulse_index_malformed",
            Self::PulseTime => "pulse_time_unbelievable",
            Self::TimeOfFlight => "time_of_flight_out_of_range",
            Self::TooManyIds => "too_many_ids",
            Self::Period => "period_out_of_range",
            Self::ProtonCharge => "proton_charge_unbelievable",
            Self::OtherInstrument => "run_start_of_other_instrument",
            Self::RunStartTime => "run_start_time_unbelievable",
            Self::RunMap => "detector_map_malformed",
            Self::StopWithoutStart => "run_stop_without_start",
            Self::LogTime => "log_time_unbelievable",
            Self::LogsFull => "logs_full",
            Self::VetoTime => "veto_time_unbelievable",
        }
    }
}

/// Messages of one schema by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaFigures {
    /// Taken in.
    pub accepted: u64,
    /// Said what an earlier message had said.
    pub repeated: u64,
    /// Read again after a replay, and held already.
    pub held: u64,
    /// Refused.
    pub rejected: u64,
}

/// Everything that is counted, since the start unless it says otherwise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Messages by schema.
    pub messages: BTreeMap<&'static str, SchemaFigures>,
    /// What was refused, by reason: the timeline's own and those of records that could not be decoded.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Events taken in, in a run or not; without repeats and what was read again.
    pub events: u64,
    /// Events a second over the last seconds, by the wall clock.
    pub events_per_second: f64,
    /// Messages of events that repeated an earlier one.
    pub duplicate_messages: u64,
    /// Their events.
    pub duplicate_events: u64,
    /// Repeated log values that were dropped.
    pub duplicate_logs: u64,
    /// Repeated run starts.
    pub duplicate_run_starts: u64,
    /// Events that came after their run was complete; counted only.
    pub late_events: u64,
    /// Events older than anything that is kept; counted only.
    pub expired_events: u64,
    /// Events that were not kept because the memory limit was reached.
    pub not_kept_events: u64,
    /// Pulses (per message) that lay in no run when they came.
    pub pulses_outside_runs: u64,
    /// True while a run is open and no pulse of the last ten seconds lies in any run.
    pub every_pulse_outside: bool,
    /// Events whose id is not in the map of the newest run, counted as they come.
    pub ids_outside_map: u64,
    /// One such id.
    pub id_outside_map: Option<u32>,
    /// Messages of counting producers that should have come and did not, so far.
    pub missing_messages: u64,
    /// Newest pulse that was seen.
    pub newest_pulse: Option<PulseTime>,
    /// Bytes of the events in memory, those that only snapshots hold included.
    pub event_bytes: u64,
    /// Bytes of pulse rows and selections.
    pub pulse_bytes: u64,
    /// Bytes of logs.
    pub log_bytes: u64,
    /// The limit on all of them, if there is one.
    pub memory_limit: Option<u64>,
    /// Events in the timeline's chunks.
    pub events_kept: u64,
    /// Frames in the ledger.
    pub pulses: u64,
    /// Chunks of the timeline, open tails included.
    pub chunks: u64,
    /// No events are added from this pulse time on, because the memory limit was reached.
    pub kept_until: Option<PulseTime>,
    /// Distinct ids seen, in blocks of 64.
    pub dense_ids: u64,
}

impl Figures {
    pub(crate) fn reject(&mut self, reason: Reason, count: u64) {
        *self.rejected.entry(reason.name()).or_insert(0) += count;
    }

    pub(crate) fn schema(&mut self, schema: &'static str) -> &mut SchemaFigures {
        self.messages.entry(schema).or_default()
    }
}
