//! Counts of the events that the simulated instrument produced, run by run, with which tests compare reductions.
//!
//! Promises: an event is counted when it is made, not when it is sent, and once, also if a fault sends it twice. Must
//! not be derived from messages.

use std::collections::BTreeMap;

use serde::Serialize;

use super::instrument::InstrumentLayout;

/// Counts of a whole stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Truth {
    /// Runs in order of their starts.
    pub runs: Vec<RunTruth>,
    /// Pulses and events outside runs.
    pub outside: OutsideRuns,
    /// Number of records by schema, `garbage` or `duplicate`.
    pub records: BTreeMap<String, u64>,
    /// Number of events in and outside runs, good and faulty, without duplicates.
    pub events: u64,
    /// Bytes of all payloads.
    pub bytes: u64,
}

/// Counts outside runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutsideRuns {
    /// Pulses between runs, before the first and after the last.
    pub pulses: u64,
    /// Events of these pulses.
    pub events: u64,
}

/// Counts of one run; vetoed pulses and events are counted separately.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunTruth {
    /// `run_name` of the start message.
    pub run_name: String,
    /// `job_id` of the start message.
    pub job_id: String,
    /// Start, ns since the Unix epoch, inclusive.
    pub start_ns: i64,
    /// Stop, ns since the Unix epoch, exclusive.
    pub stop_ns: i64,
    /// True if a stop message was sent.
    pub stop_sent: bool,
    /// Number of pulses, vetoed ones included.
    pub pulses: u64,
    /// Pulses that a veto excludes.
    pub vetoed_pulses: u64,
    /// Events in vetoed pulses: a reduction must not hold them.
    pub vetoed_events: u64,
    /// Proton charge of pulses that are not vetoed, µA·h.
    pub proton_charge: f64,
    /// One entry for each period.
    pub periods: Vec<PeriodTruth>,
    /// Events with an id outside the map, by id, in pulses that are not vetoed.
    pub outside_map: BTreeMap<i64, u64>,
    /// Events with an invalid time of flight (2³¹ ns or more), in pulses that are not vetoed.
    pub bad_time_of_flight: u64,
    /// Number of values of each log with a time within the run.
    pub log_samples: BTreeMap<String, u64>,
}

/// Counts of one period of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeriodTruth {
    /// Number of good events.
    pub events: u64,
    /// Number of pulses that are not vetoed.
    pub pulses: u64,
    /// Proton charge, µA·h.
    pub proton_charge: f64,
    /// Number of good events of each pixel, by its index in the layout.
    pub counts: Vec<u64>,
    /// Sum of the good events' times of flight, ns: equal sums show that the events agree, not only their number.
    pub time_of_flight_sum: u64,
}

impl RunTruth {
    /// Number of good events of all periods: the events that a reduction of the run must have.
    pub fn events(&self) -> u64 {
        self.periods.iter().map(|period| period.events).sum()
    }

    /// Number of good events of each pixel over all periods.
    pub fn counts(&self) -> Vec<u64> {
        let mut sum: Vec<u64> = Vec::new();
        for period in &self.periods {
            sum.resize(sum.len().max(period.counts.len()), 0);
            for (total, count) in sum.iter_mut().zip(&period.counts) {
                *total += count;
            }
        }
        sum
    }

    /// Number of good events by detector id, without zeros.
    pub fn by_detector(&self, layout: &InstrumentLayout) -> BTreeMap<i32, u64> {
        self.grouped(layout, |pixel| pixel.detector_id)
    }

    /// Number of good events by spectrum number, without zeros.
    pub fn by_spectrum(&self, layout: &InstrumentLayout) -> BTreeMap<i32, u64> {
        self.grouped(layout, |pixel| pixel.spectrum)
    }

    fn grouped(&self, layout: &InstrumentLayout, key: impl Fn(&super::instrument::Pixel) -> i32) -> BTreeMap<i32, u64> {
        let mut groups = BTreeMap::new();
        for (pixel, count) in layout.pixels.iter().zip(self.counts()).filter(|(_, count)| *count > 0) {
            *groups.entry(key(pixel)).or_default() += count;
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_summed_over_periods_and_pixels_of_a_spectrum() {
        let mut layout = InstrumentLayout::small("DEMO");
        layout.pixels[3].spectrum = layout.pixels[2].spectrum;
        let period = |counts: Vec<u64>| PeriodTruth {
            events: counts.iter().sum(),
            counts,
            ..PeriodTruth::default()
        };
        let run = RunTruth {
            periods: vec![period(vec![0, 1, 2, 3]), period(vec![0, 0, 0, 4])],
            ..RunTruth::default()
        };
        assert_eq!(run.events(), 10);
        assert_eq!(run.counts(), [0, 1, 2, 7]);
        assert_eq!(run.by_spectrum(&layout), BTreeMap::from([(2, 1), (3, 9)]));
        assert_eq!(run.by_detector(&layout), BTreeMap::from([(2, 1), (1000, 2), (1001, 7)]));
    }
}
