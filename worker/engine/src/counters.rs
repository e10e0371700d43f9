//! Counters of the timeline, for `/status` and `/metrics`.
//!
//! Promises: every record and event that is refused, repeated or late is counted; reasons are a closed list of short
//! names. It must not format or log.

use std::collections::BTreeMap;

use crate::metric::counters;
use crate::time::PulseTime;

/// Reason for which a record, or some of its events, were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// The columns of times of flight and of ids differ in length.
    EventColumns,
    /// The index of a pulse's first event falls, or lies beyond the events.
    PulseIndex,
    /// The pulse time lies before 2000 or more than an hour ahead of the clock.
    PulseTime,
    /// Time of flight of 2³¹ ns (2.1 s) or more, or negative on the wire; counted per event.
    TimeOfFlight,
    /// The dictionary holds 2²⁴ ids already; counted per event.
    TooManyIds,
    /// The period number is above 65,535.
    Period,
    /// The proton charge is negative, not finite or above 10⁶ µA·h.
    ProtonCharge,
    /// The run start names another instrument.
    OtherInstrument,
    /// The start time of the run lies before 2000 or more than an hour ahead of the clock.
    RunStartTime,
    /// The detector map has columns of different lengths; the run has no map then.
    RunMap,
    /// The run stop names no known run; it is remembered in case the start is late.
    StopWithoutStart,
    /// The time of a log value, alarm or unit is negative or more than an hour ahead of the clock.
    LogTime,
    /// The memory for logs (`log_limit`) is used up.
    LogsFull,
    /// The time of a veto configuration is negative or more than an hour ahead of the clock.
    VetoTime,
}

impl Refusal {
    /// Value of the label `reason` of `live_data_rejected_total`, and key in `/status`.
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

/// Records of one schema by their [`IngestOutcome`](crate::outcome::IngestOutcome).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaCounters {
    pub accepted: u64,
    /// Records with the content of an earlier record at another offset.
    pub repeated: u64,
    /// Records read again after a replay while their content is still in memory.
    pub held: u64,
    pub rejected: u64,
}

counters! {
    /// Counters of one timeline since the worker's start, and gauges at the moment of the call.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Counters {
        /// Records by schema id (`ev44`, `pu00`, …).
        messages: BTreeMap<&'static str, SchemaCounters>,
        /// Refused records or events by reason: those of [`Refusal`], and those of records that could not be decoded.
        rejected: BTreeMap<&'static str, u64>,
        /// Events accepted, in a run or not, stored or dropped; without duplicates and without records read again.
        events: u64 => Counter "events", "Events read since the start",
        /// Events per second of wall-clock time, averaged over 5 s.
        events_per_second: f64 => Gauge "event_rate", "Events read per second",
        duplicate_messages: u64,
        duplicate_events: u64,
        /// Log values, alarms and units that were dropped as duplicates.
        duplicate_logs: u64,
        /// Events that arrived after their run was complete; they are not stored.
        late_events: u64,
        /// Events older than everything that is kept; they are not stored.
        expired_events: u64,
        /// Events that were not stored because the memory limit was reached.
        not_kept_events: u64,
        /// Pulses outside all runs at their arrival, counted once per message.
        pulses_outside_runs: u64,
        /// True while a run is open and no pulse of the last 10 s lies in any run.
        every_pulse_outside: bool,
        /// Events whose id is not in the detector map of the newest run.
        ids_outside_map: u64,
        /// Latest id that was not in the detector map.
        id_outside_map: Option<u32>,
        /// Gaps in the message ids of producers that count.
        missing_messages: u64,
        newest_pulse: Option<PulseTime>,
        /// Bytes of events in memory, including chunks that only snapshots hold.
        event_bytes: u64 => Bytes "event_memory", "Memory of the events that are held",
        /// Bytes of frames, dictionary and pulse selections.
        pulse_bytes: u64,
        /// Limit in bytes on events, pulses and logs together; `None` for no limit.
        memory_limit: Option<u64>,
        /// Events in the chunks of the timeline.
        events_kept: u64 => Gauge "events_held", "Events that are held",
        /// Frames in memory.
        pulses: u64,
        /// Chunks of the timeline, open tails included.
        chunks: u64 => Gauge "chunks", "Sealed chunks that are held",
        /// Pulse time from which no events are stored because the memory limit was reached.
        kept_until: Option<PulseTime>,
    }
}

impl Counters {
    pub(crate) fn reject(&mut self, reason: Refusal, count: u64) {
        *self.rejected.entry(reason.name()).or_insert(0) += count;
    }

    pub(crate) fn schema(&mut self, schema: &'static str) -> &mut SchemaCounters {
        self.messages.entry(schema).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::MetricValue;

    #[test]
    fn a_field_with_a_name_is_a_metric() {
        let counters = Counters {
            events: 7,
            event_bytes: 56,
            ..Counters::default()
        };
        let value = |name| {
            counters
                .metrics()
                .into_iter()
                .find(|metric| metric.name == name)
                .map(|metric| metric.value)
        };
        assert_eq!(value("events"), Some(MetricValue::Counter(7)));
        assert_eq!(value("event_memory"), Some(MetricValue::Bytes(56)));
        assert_eq!(value("chunks"), Some(MetricValue::Gauge(0.0)));
    }
}
