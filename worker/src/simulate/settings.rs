//! Settings of a simulated stream, and the times of its runs.
//!
//! Promises: pure; a run's bounds are whole milliseconds, the unit of start and stop messages. Must not make records.

use super::faults::Faults;
use super::instrument::InstrumentLayout;

pub(super) const MILLISECOND: i64 = 1_000_000;

/// Formats of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum EventSchema {
    /// ev42 with is84: event messages carry charge and period; ids are spectrum numbers.
    Ev42,
    /// ev44 alone: neither charge nor period; ids are detector ids.
    Ev44,
    /// ev44 with a pu00 for each frame: charge, period, vetoes; ids are detector ids.
    #[value(name = "ev44+pu00")]
    Ev44Pu00,
}

/// Settings of a stream; [`SimulationSettings::new`] has the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulationSettings {
    pub layout: InstrumentLayout,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Time of the first pulse, ns since the Unix epoch, rounded down to 1 ms.
    pub start_ns: i64,
    /// Pulses a second: 50 at ISIS's first target station, 10 at its second.
    pub pulse_rate: f64,
    /// Mean number of events a second.
    pub event_rate: f64,
    /// Largest number of events in a message.
    pub events_per_message: usize,
    /// Largest number of pulses in a message (ev44 only).
    pub pulses_per_message: usize,
    pub schema: EventSchema,
    /// Number of partitions of the events topic.
    pub partitions: i32,
    /// Number of periods, which alternate pulse by pulse.
    pub periods: u32,
    /// Fraction of vetoed pulses, 0 to 1 (pu00 only).
    pub veto_share: f64,
    /// Fraction of events in monitors, 0 to 1.
    pub monitor_share: f64,
    /// Number of runs; `None` for runs without end.
    pub runs: Option<u32>,
    /// Duration of a run, s.
    pub run_seconds: f64,
    /// Time of beam between two runs, s.
    pub gap_seconds: f64,
    /// Time of beam before the first run, s.
    pub lead_seconds: f64,
    /// Number of the first run.
    pub first_run: u32,
    /// True if start messages carry the detector-spectrum map.
    pub with_map: bool,
    /// JSON of the start messages' field `nexus_structure`.
    pub nexus_structure: Option<String>,
    pub faults: Faults,
}

impl SimulationSettings {
    /// One run of 60 s with 50 pulses and 100,000 events a second.
    pub fn new(layout: InstrumentLayout, start_ns: i64) -> SimulationSettings {
        SimulationSettings {
            layout,
            seed: 1,
            start_ns,
            pulse_rate: 50.0,
            event_rate: 100_000.0,
            events_per_message: 2000,
            pulses_per_message: 1,
            schema: EventSchema::Ev42,
            partitions: 1,
            periods: 1,
            veto_share: 0.0,
            monitor_share: 0.05,
            runs: Some(1),
            run_seconds: 60.0,
            gap_seconds: 2.0,
            lead_seconds: 1.0,
            first_run: 1000,
            with_map: true,
            nexus_structure: None,
            faults: Faults::default(),
        }
    }

    /// Duration of the stream in ns of pulse time; `None` without end.
    pub fn duration_ns(&self) -> Option<i64> {
        let runs = i64::from(self.runs?);
        Some(nanoseconds(self.lead_seconds) + runs * self.cycle_ns())
    }

    fn cycle_ns(&self) -> i64 {
        (nanoseconds(self.run_seconds) + nanoseconds(self.gap_seconds)).max(MILLISECOND)
    }

    /// Start (inclusive) and stop (exclusive) of run `index`, ns since the Unix epoch.
    pub(super) fn bounds(&self, index: u32) -> (i64, i64) {
        let begin = self.start_ns.div_euclid(MILLISECOND) * MILLISECOND;
        let start = begin + nanoseconds(self.lead_seconds) + i64::from(index) * self.cycle_ns();
        (start, start + nanoseconds(self.run_seconds))
    }
}

/// `seconds` in ns, rounded to whole milliseconds; 0 for negative numbers.
pub(super) fn nanoseconds(seconds: f64) -> i64 {
    ((seconds.max(0.0) * 1e3).round() as i64).saturating_mul(MILLISECOND)
}
