//! Runs and their bounds, from run starts and stops in any order.
//!
//! Promises: the runs depend on the set of messages alone, never on their order; runs never overlap. It must not know
//! events or completeness.
//!
//! A run begins at the time of its start message. It ends at the time of its stop message or at the start of the next
//! run, whichever is earlier. A stop belongs to the run of its job id; the name decides only if one of the two has
//! none.

use crate::message::{RunStart, RunStop};

/// Runs, and stops, that are remembered; the earliest run and the oldest stop go first.
const MAX_TRACKED: usize = 256;

/// Run and its bounds: pulses in `[start, stop)`, ns by the clock of the pulses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackedRun {
    /// Ordinal number of the run start in the order of reading.
    pub id: u32,
    pub start: i64,
    /// `i64::MAX` while the run is open.
    pub stop: i64,
    /// Latest stop of the run that lies before its start, if it has no valid stop.
    pub stop_before_start: Option<i64>,
    announced_stop: Option<i64>,
    timestamp: i64,
    job_id: String,
    run_name: String,
}

/// Run stop with its time in ns by the clock of the pulses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TrackedStop {
    time: i64,
    job_id: String,
    run_name: String,
}

/// Result of a run start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartOutcome {
    /// New run with this id.
    New(u32),
    /// Duplicate of the start of the run with this id.
    Duplicate(u32),
}

/// Result of a run stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopOutcome {
    /// Stop of the known run with this id.
    Stopped(u32),
    /// Stop of no known run; remembered in case the start is late.
    Unknown,
    /// Equal to an earlier stop.
    Duplicate,
}

/// Known runs, by start time.
#[derive(Clone, Debug, Default)]
pub struct RunTracker {
    runs: Vec<TrackedRun>,
    stops: Vec<TrackedStop>,
    next: u32,
    offset: i64,
}

impl RunTracker {
    /// Tracker without runs; `offset` ns are added to the times of starts and stops.
    #[must_use]
    pub fn new(offset: i64) -> Self {
        Self {
            offset,
            ..Self::default()
        }
    }

    /// Runs by start time, disjoint.
    #[must_use]
    pub fn runs(&self) -> &[TrackedRun] {
        &self.runs
    }

    /// Run that contains the pulse time (ns); O(1) for the newest run.
    #[must_use]
    pub fn find(&self, time: i64) -> Option<&TrackedRun> {
        // Most pulses are of the newest run.
        if let Some(last) = self.runs.last()
            && time >= last.start
        {
            return (time < last.stop).then_some(last);
        }
        let after = self.runs.partition_point(|run| run.start <= time);
        after
            .checked_sub(1)
            .and_then(|index| self.runs.get(index))
            .filter(|run| time < run.stop)
    }

    /// Run with this id.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&TrackedRun> {
        self.runs.iter().rfind(|run| run.id == id)
    }

    /// Records a run start; `timestamp` is that of its record, ns.
    pub fn start(&mut self, start: &RunStart, timestamp: i64) -> StartOutcome {
        let time = start.start_time.nanos().saturating_add(self.offset);
        let same = |run: &&TrackedRun| {
            if start.job_id.is_empty() {
                run.job_id.is_empty() && run.run_name == start.run_name && run.start == time
            } else {
                run.job_id == start.job_id
            }
        };
        if let Some(run) = self.runs.iter().find(same) {
            return StartOutcome::Duplicate(run.id);
        }
        let id = self.next;
        self.next += 1;
        self.runs.push(TrackedRun {
            id,
            start: time,
            stop: i64::MAX,
            stop_before_start: None,
            announced_stop: start.stop_time.map(|stop| stop.nanos().saturating_add(self.offset)),
            timestamp,
            job_id: start.job_id.clone(),
            run_name: start.run_name.clone(),
        });
        self.runs.sort_by(|a, b| {
            let order = |run: &TrackedRun| (run.start, run.timestamp);
            order(a)
                .cmp(&order(b))
                .then_with(|| (&a.job_id, &a.run_name).cmp(&(&b.job_id, &b.run_name)))
        });
        if self.runs.len() > MAX_TRACKED {
            self.runs.remove(0);
        }
        self.derive_stops();
        StartOutcome::New(id)
    }

    /// Records a run stop; the timestamp of its record (ns) counts if the message has no time.
    pub fn stop(&mut self, stop: &RunStop, timestamp: i64) -> StopOutcome {
        let time = stop
            .stop_time
            .map_or(timestamp, |time| time.nanos())
            .saturating_add(self.offset);
        let stop = TrackedStop {
            time,
            job_id: stop.job_id.clone(),
            run_name: stop.run_name.clone(),
        };
        if self.stops.contains(&stop) {
            return StopOutcome::Duplicate;
        }
        let run = self.owner(&stop);
        self.stops.push(stop);
        if self.stops.len() > MAX_TRACKED {
            self.stops.remove(0);
        }
        self.derive_stops();
        run.map_or(StopOutcome::Unknown, StopOutcome::Stopped)
    }

    /// Id of the run that a stop belongs to.
    fn owner(&self, stop: &TrackedStop) -> Option<u32> {
        if !stop.job_id.is_empty()
            && let Some(run) = self.runs.iter().find(|run| run.job_id == stop.job_id)
        {
            return Some(run.id);
        }
        let named = |run: &&TrackedRun| {
            (stop.job_id.is_empty() || run.job_id.is_empty()) && run.run_name == stop.run_name && run.start <= stop.time
        };
        self.runs.iter().rfind(named).map(|run| run.id)
    }

    /// Derives the stops of all runs from the known starts and stops.
    fn derive_stops(&mut self) {
        let owners: Vec<_> = self.stops.iter().map(|stop| (self.owner(stop), stop.time)).collect();
        let mut next = i64::MAX;
        for run in self.runs.iter_mut().rev() {
            let own_stops = || {
                owners
                    .iter()
                    .filter(|(owner, _)| *owner == Some(run.id))
                    .map(|&(_, time)| time)
            };
            let valid_stop = own_stops().filter(|&time| time >= run.start).min();
            run.stop_before_start = if valid_stop.is_none() { own_stops().max() } else { None };
            let own = valid_stop
                .or(run.announced_stop.filter(|&stop| stop > run.start))
                .unwrap_or(i64::MAX);
            run.stop = own.min(next);
            next = run.start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::PulseTime;
    use proptest::prelude::*;

    fn start(job: &str, name: &str, seconds: i64) -> RunStart {
        RunStart {
            start_time: PulseTime::from_nanos(seconds),
            run_name: name.into(),
            job_id: job.into(),
            ..RunStart::default()
        }
    }

    fn stop(job: &str, name: &str, time: Option<i64>) -> RunStop {
        RunStop {
            stop_time: time.map(PulseTime::from_nanos),
            run_name: name.into(),
            job_id: job.into(),
        }
    }

    fn bounds(tracker: &RunTracker) -> Vec<(i64, i64)> {
        tracker.runs().iter().map(|run| (run.start, run.stop)).collect()
    }

    #[test]
    fn a_run_ends_at_its_stop_or_at_the_next_start() {
        let mut tracker = RunTracker::default();
        assert_eq!(tracker.start(&start("a", "1", 100), 0), StartOutcome::New(0));
        assert_eq!(bounds(&tracker), [(100, i64::MAX)]);
        assert_eq!(
            tracker.start(&start("b", "1", 200), 0),
            StartOutcome::New(1),
            "same name, new job"
        );
        assert_eq!(bounds(&tracker), [(100, 200), (200, i64::MAX)]);
        assert_eq!(
            tracker.stop(&stop("b", "test_run", Some(250)), 0),
            StopOutcome::Stopped(1)
        );
        assert_eq!(tracker.start(&start("b", "1", 200), 9), StartOutcome::Duplicate(1));
        assert_eq!(bounds(&tracker), [(100, 200), (200, 250)]);
        assert_eq!(tracker.find(199).map(|run| run.id), Some(0));
        assert_eq!(tracker.find(200).map(|run| run.id), Some(1));
        assert_eq!(tracker.find(250), None);
        assert_eq!(tracker.find(99), None);
    }

    #[test]
    fn a_stop_without_time_has_its_records() {
        let mut tracker = RunTracker::new(5);
        tracker.start(&start("a", "1", 100), 0);
        tracker.stop(&stop("a", "", None), 300);
        tracker.stop(&stop("a", "", None), 400);
        assert_eq!(bounds(&tracker), [(105, 305)]);
    }

    #[test]
    fn the_job_decides_and_the_name_only_where_there_is_none() {
        let mut tracker = RunTracker::default();
        tracker.start(&start("a", "1", 100), 0);
        assert_eq!(tracker.stop(&stop("z", "1", Some(150)), 0), StopOutcome::Unknown);
        assert_eq!(bounds(&tracker), [(100, i64::MAX)]);
        assert_eq!(tracker.stop(&stop("", "1", Some(160)), 0), StopOutcome::Stopped(0));
        assert_eq!(bounds(&tracker), [(100, 160)]);
        tracker.start(&start("z", "2", 120), 0);
        assert_eq!(
            bounds(&tracker),
            [(100, 120), (120, 150)],
            "the stop waited for its start"
        );
    }

    #[test]
    fn a_stop_before_the_start_is_reported_and_not_used() {
        let mut tracker = RunTracker::default();
        tracker.start(&start("a", "1", 100), 0);
        tracker.stop(&stop("a", "", Some(50)), 0);
        assert_eq!(bounds(&tracker), [(100, i64::MAX)]);
        assert_eq!(tracker.runs()[0].stop_before_start, Some(50));
    }

    #[test]
    fn memory_is_bounded() {
        let mut tracker = RunTracker::default();
        for number in 0..2000 {
            tracker.start(&start(&number.to_string(), "", number), 0);
            tracker.stop(&stop(&(number + 10_000).to_string(), "x", Some(number)), 0);
        }
        assert_eq!((tracker.runs.len(), tracker.stops.len()), (MAX_TRACKED, MAX_TRACKED));
    }

    #[derive(Clone, Debug)]
    enum Fact {
        Start(RunStart, i64),
        Stop(RunStop, i64),
    }

    fn fact() -> impl Strategy<Value = Fact> {
        let job = prop_oneof![Just(String::new()), (0..6_u8).prop_map(|job| job.to_string())];
        let name = (0..3_u8).prop_map(|name| format!("R{name}"));
        (any::<bool>(), job, name, 0_i64..50, prop::option::of(0_i64..60)).prop_map(
            |(starts, job, name, time, stop_time)| {
                if starts {
                    // A job has one start, and a repeat equals it.
                    let time = job.bytes().next().map_or(time, |byte| i64::from(byte) * 7 % 50);
                    let name = if job.is_empty() { name } else { format!("R{}", time % 3) };
                    Fact::Start(start(&job, &name, time), 0)
                } else {
                    Fact::Stop(stop(&job, &name, stop_time), time)
                }
            },
        )
    }

    proptest! {
        #[test]
        fn the_order_does_not_matter(facts in prop::collection::vec(fact(), 0..20), seed in any::<u64>()) {
            let apply = |facts: &[Fact]| {
                let mut tracker = RunTracker::default();
                for fact in facts {
                    match fact {
                        Fact::Start(start, timestamp) => { tracker.start(start, *timestamp); }
                        Fact::Stop(stop, timestamp) => { tracker.stop(stop, *timestamp); }
                    }
                }
                for pair in tracker.runs().windows(2) {
                    assert!(pair[0].stop <= pair[1].start, "runs overlap");
                }
                let runs = tracker.runs().iter();
                runs.map(|run| (run.start, run.stop, run.job_id.clone(), run.run_name.clone())).collect::<Vec<_>>()
            };
            let mut shuffled = facts.clone();
            let mut state = seed | 1;
            for index in (1..shuffled.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                shuffled.swap(index, (state >> 33) as usize % (index + 1));
            }
            let repeated: Vec<_> = shuffled.iter().chain(&facts).cloned().collect();
            prop_assert_eq!(apply(&facts), apply(&shuffled));
            prop_assert_eq!(apply(&facts), apply(&repeated));
        }
    }
}
