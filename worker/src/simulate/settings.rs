//! What is simulated: the settings of a stream and the times that follow from them.
//!
//! Promises: pure; a run's bounds are whole milliseconds, as start and stop messages carry them. Makes no record.

use super::faults::Faults;
use super::instrument::Layout;

pub(super) const MILLISECOND: i64 = 1_000_000;

/// The formats of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Schema {
    /// ev42 with is84: charge and period ride on the events; ids are spectrum numbers.
    Ev42,
    /// ev44 alone: neither charge nor period; ids are detector ids.
    Ev44,
    /// ev44 with a pu00 for each frame: charge, period, vetoes; ids are detector ids.
    #[value(name = "ev44+pu00")]
    Ev44Pu00,
}

/// What to simulate. [`Settings::new`] gives the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The instrument.
    pub layout: Layout,
    /// The same seed gives the same stream.
    pub seed: u64,
    /// When the first pulse is, in ns since the Unix epoch (rounded down to a ms).
    pub start_ns: i64,
    /// Pulses a second: 50 at ISIS's first target station, 10 at its second.
    pub pulse_rate: f64,
    /// Events a second.
    pub event_rate: f64,
    /// Events a message at most.
    pub events_per_message: usize,
    /// Pulses a message at most (ev44 only).
    pub pulses_per_message: usize,
    /// The format of events.
    pub schema: Schema,
    /// Partitions of the events topic.
    pub partitions: i32,
    /// Periods, which take turns pulse by pulse.
    pub periods: u32,
    /// The share of pulses that are vetoed (pu00 only).
    pub veto_share: f64,
    /// The share of events that monitors see.
    pub monitor_share: f64,
    /// How many runs; None for one after the other for ever.
    pub runs: Option<u32>,
    /// Seconds of a run.
    pub run_seconds: f64,
    /// Seconds of beam between two runs.
    pub gap_seconds: f64,
    /// Seconds of beam before the first run.
    pub lead_seconds: f64,
    /// The first run's number.
    pub first_run: u32,
    /// Whether the start messages carry the detector-spectrum map.
    pub with_map: bool,
    /// The start messages' nexus_structure.
    pub nexus_structure: Option<String>,
    /// What goes wrong.
    pub faults: Faults,
}

impl Settings {
    /// One minute-long run of a small instrument, 50 pulses and 100,000 events a second.
    pub fn new(layout: Layout, start_ns: i64) -> Settings {
        Settings {
            layout,
            seed: 1,
            start_ns,
            pulse_rate: 50.0,
            event_rate: 100_000.0,
            events_per_message: 2000,
            pulses_per_message: 1,
            schema: Schema::Ev42,
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

    /// How long all of it takes, in ns of pulse time; None for ever.
    pub fn duration_ns(&self) -> Option<i64> {
        let runs = i64::from(self.runs?);
        Some(nanoseconds(self.lead_seconds) + runs * self.cycle_ns())
    }

    fn cycle_ns(&self) -> i64 {
        (nanoseconds(self.run_seconds) + nanoseconds(self.gap_seconds)).max(MILLISECOND)
    }

    /// The bounds of run `index`, in ns since the Unix epoch.
    pub(super) fn bounds(&self, index: u32) -> (i64, i64) {
        let begin = self.start_ns.div_euclid(MILLISECOND) * MILLISECOND;
        let start = begin + nanoseconds(self.lead_seconds) + i64::from(index) * self.cycle_ns();
        (start, start + nanoseconds(self.run_seconds))
    }
}

/// Seconds in ns, in whole milliseconds.
pub(super) fn nanoseconds(seconds: f64) -> i64 {
    ((seconds.max(0.0) * 1e3).round() as i64).saturating_mul(MILLISECOND)
}
