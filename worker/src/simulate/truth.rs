//! What the simulated instrument really produced, run by run: what a test compares a reduction with.
//!
//! Promises: counted when an event is made, not when it is sent, and each event once, however often a fault
//! sends it. Must not derive anything from the messages.

use std::collections::BTreeMap;

use serde::Serialize;

use super::instrument::Layout;

/// All that was produced.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Truth {
    /// The runs, in order.
    pub runs: Vec<RunTruth>,
    /// Pulses and events that belong to no run.
    pub outside: Outside,
    /// Records by what they are: schema, `garbage` or `duplicate`.
    pub records: BTreeMap<String, u64>,
    /// Every event that was made, in and outside runs, good and bad, without duplicates.
    pub events: u64,
    /// Bytes of all records.
    pub bytes: u64,
}

/// What belongs to no run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Outside {
    /// Pulses between runs, before the first and after the last.
    pub pulses: u64,
    /// Their events.
    pub events: u64,
}

/// One run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct RunTruth {
    /// As in the start message.
    pub run_name: String,
    /// As in the start message.
    pub job_id: String,
    /// ns since the Unix epoch, inclusive.
    pub start_ns: i64,
    /// ns since the Unix epoch, exclusive.
    pub stop_ns: i64,
    /// Whether a stop message was sent.
    pub stop_sent: bool,
    /// Pulses, vetoed ones among them.
    pub pulses: u64,
    /// Pulses that a veto excludes.
    pub vetoed_pulses: u64,
    /// Events in vetoed pulses: a reduction must not hold them.
    pub vetoed_events: u64,
    /// µAh of the pulses that are not vetoed.
    pub proton_charge: f64,
    /// One for each period.
    pub periods: Vec<PeriodTruth>,
    /// Events with an id that the map does not have, by id (not vetoed).
    pub outside_map: BTreeMap<i64, u64>,
    /// Events whose time of flight is not one (beyond the frame; not vetoed).
    pub bad_time_of_flight: u64,
    /// Samples of each log whose timestamp is within the run.
    pub log_samples: BTreeMap<String, u64>,
}

/// One period of a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PeriodTruth {
    /// Good events.
    pub events: u64,
    /// Pulses that are not vetoed.
    pub pulses: u64,
    /// µAh.
    pub proton_charge: f64,
    /// Good events of each pixel, by its index in the layout.
    pub counts: Vec<u64>,
    /// The sum of the good events' times of flight, in ns: the same events, not only as many.
    pub time_of_flight_sum: u64,
}

impl RunTruth {
    /// Events that a reduction of the run must hold: good ones, in all periods.
    pub fn events(&self) -> u64 {
        self.periods.iter().map(|period| period.events).sum()
    }

    /// Good events of each pixel, over all periods.
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

    /// Good events by detector id, zeros left out.
    pub fn by_detector(&self, layout: &Layout) -> BTreeMap<i32, u64> {
        self.grouped(layout, |pixel| pixel.detector_id)
    }

    /// Good events by spectrum number, zeros left out.
    pub fn by_spectrum(&self, layout: &Layout) -> BTreeMap<i32, u64> {
        self.grouped(layout, |pixel| pixel.spectrum)
    }

    fn grouped(&self, layout: &Layout, key: impl Fn(&super::instrument::Pixel) -> i32) -> BTreeMap<i32, u64> {
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
        let mut layout = Layout::small("DEMO");
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
