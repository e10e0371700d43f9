//! Completeness of runs: every partition has passed the stop, or was read to the end that it had some time after the
//! stop.
//!
//! Promises: runs become complete in the order of their starts, each once. It must not execute anything.

use crate::outcome::Signal;
use crate::record_position::{PartitionProgress, TopicRole};
use crate::time::{NANOS_PER_SECOND, PulseTime};

use super::state::TimelineState;

/// Wall-clock window for comparing pulses in runs with pulses outside, ns.
const OUTSIDE_WINDOW: i64 = 10 * NANOS_PER_SECOND;
/// Wall-clock window of the averaged event rate, ns.
const RATE_WINDOW: i64 = 5 * NANOS_PER_SECOND;

impl TimelineState {
    /// Records the progress of partitions; the ends that they have one margin after a run's stop must be read for it.
    pub(super) fn record_progress(&mut self, partitions: &[PartitionProgress], now: PulseTime) {
        for report in partitions {
            let index = self.partition(report.partition);
            if let Some(partition) = self.partitions.get_mut(index) {
                partition.progress = Some((report.next_offset, report.high_watermark));
            }
        }
        let margin = self.config.completion_margin;
        for data in self.runs.values_mut().filter(|data| !data.complete) {
            let due = data.stop_read.is_some_and(|read| now >= read.plus(margin));
            if !due {
                continue;
            }
            for report in partitions {
                if let Some(end) = report.high_watermark {
                    data.required_offsets.entry(report.partition).or_insert(end);
                }
            }
        }
    }

    /// Completes runs, frees memory and returns the signals since the previous call.
    pub(super) fn tick(&mut self, now: PulseTime) -> Vec<Signal> {
        self.complete_runs(now);
        self.watch_pulses_outside(now);
        self.rate_samples.push_back((now, self.counters.events));
        while self.rate_samples.len() > 2
            && self
                .rate_samples
                .get(1)
                .is_some_and(|(then, _)| now.since(*then) > RATE_WINDOW)
        {
            self.rate_samples.pop_front();
        }
        self.free(now);
        std::mem::take(&mut self.signals)
    }

    fn complete_runs(&mut self, now: PulseTime) {
        let order: Vec<_> = self.tracker.runs().iter().map(|run| (run.id, run.stop)).collect();
        for (id, stop) in order {
            let Some(data) = self.runs.get(&id) else { continue };
            if data.complete {
                continue;
            }
            if stop == i64::MAX || !self.is_complete(id, stop) {
                return;
            }
            if let Some(data) = self.runs.get_mut(&id) {
                data.complete = true;
                data.completed = Some(now);
                let key = data.key.clone();
                if let Some(snapshot) = self.snapshot(id) {
                    self.signals.push(Signal::RunComplete {
                        key,
                        snapshot: Box::new(snapshot),
                    });
                }
            }
        }
    }

    /// True if no partition can have further data of a run that ends at `stop` (ns).
    fn is_complete(&self, id: u32, stop: i64) -> bool {
        let until = stop.saturating_add(self.config.completion_margin);
        let Some(data) = self.runs.get(&id) else { return false };
        let mut any = false;
        let all = self.partitions.iter().all(|partition| {
            let timed = matches!(partition.key.role, TopicRole::Events | TopicRole::SampleEnv);
            if !timed && partition.progress.is_none() {
                // No progress was reported, and its records have no pulse times.
                return true;
            }
            any = true;
            let by_time = timed && partition.confirmed_time() >= until;
            let target = data.required_offsets.get(&partition.key);
            let by_offset = target
                .zip(partition.progress)
                .is_some_and(|(&target, (next, _))| next >= target);
            by_time || by_offset
        });
        any && all
    }

    fn watch_pulses_outside(&mut self, now: PulseTime) {
        let began = *self.window_start.get_or_insert(now);
        if now.since(began) < OUTSIDE_WINDOW && now >= began {
            return;
        }
        let open = self
            .tracker
            .runs()
            .last()
            .is_some_and(|run| run.stop == i64::MAX && self.runs.get(&run.id).is_some_and(|data| !data.complete));
        let (inside, outside) = (
            std::mem::take(&mut self.pulses_inside),
            std::mem::take(&mut self.pulses_outside),
        );
        self.window_start = Some(now);
        let every = open && inside == 0 && outside > 0;
        if every != self.counters.every_pulse_outside {
            self.counters.every_pulse_outside = every;
            self.signals.push(Signal::EveryPulseOutside(every));
        }
    }
}
