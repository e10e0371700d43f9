//! Which runs there are and what their bounds are, from run starts and stops in any order.
//!
//! Promises: pure: the runs depend on the set of messages alone, never on their order; runs never overlap. It must
//! not know events: whether a run has any, or is complete, is not its business.
//!
//! A run begins at its start message's time and ends at the earliest of its stop message's time and the next run's
//! start. A stop belongs to the run of its job id; by name only where one of the two has no job id.

use crate::message::{RunStart, RunStop};

/// Most runs and stops that are remembered.
const MOST: usize = 256;

/// A run and its bounds: it holds the pulses with `start <= time < stop`, in ns by the pulses' clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Number of the run in the order in which its start was read.
    pub id: u32,
    /// First moment.
    pub start: i64,
    /// First moment after it; `i64::MAX` while it goes on.
    pub stop: i64,
    /// A stop that names the run but lies before its start.
    pub stop_before_start: Option<i64>,
    announced_stop: Option<i64>,
    timestamp: i64,
    job_id: String,
    run_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Stop {
    time: i64,
    job_id: String,
    run_name: String,
}

/// What a run start was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// A new run, of this number.
    New(u32),
    /// A repeat of the start of this run.
    Repeat(u32),
}

/// What a run stop was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It names a known run.
    Run(u32),
    /// It names no known run; remembered in case the start is late.
    Unknown,
    /// An earlier one said the same.
    Repeat,
}

/// All runs that are known.
#[derive(Clone, Debug, Default)]
pub struct RunTracker {
    runs: Vec<Run>,
    stops: Vec<Stop>,
    next: u32,
    offset: i64,
}

impl RunTracker {
    /// No runs yet; `offset` ns are added to the times of starts and stops.
    #[must_use]
    pub fn new(offset: i64) -> Self {
        Self {
            offset,
            ..Self::default()
        }
    }

    /// The runs by start time.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// The run that holds `time`.
    #[must_use]
    pub fn find(&self, time: i64) -> Option<&Run> {
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

    /// The run of a number.
    #[must_use]
    pub fn get(&self, id: u32) -> Option<&Run> {
        self.runs.iter().rfind(|run| run.id == id)
    }

    /// Takes in a run start; `timestamp` is its record's, in ns.
    pub fn start(&mut self, start: &RunStart, timestamp: i64) -> Started {
        let time = start.start_time.nanos().saturating_add(self.offset);
        let same = |run: &&Run| {
            if start.job_id.is_empty() {
                run.job_id.is_empty() && run.run_name == start.run_name && run.start == time
            } else {
                run.job_id == start.job_id
            }
        };
        if let Some(run) = self.runs.iter().find(same) {
            return Started::Repeat(run.id);
        }
        let id = self.next;
        self.next += 1;
        self.runs.push(Run {
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
            let order = |run: &Run| (run.start, run.timestamp);
            order(a)
                .cmp(&order(b))
                .then_with(|| (&a.job_id, &a.run_name).cmp(&(&b.job_id, &b.run_name)))
        });
        if self.runs.len() > MOST {
            self.runs.remove(0);
        }
        self.bound();
        Started::New(id)
    }

    /// Takes in a run stop; `timestamp` is its record's, in ns, and counts where the message has no time.
    pub fn stop(&mut self, stop: &RunStop, timestamp: i64) -> Stopped {
        let time = stop
            .stop_time
            .map_or(timestamp, |time| time.nanos())
            .saturating_add(self.offset);
        let stop = Stop {
            time,
            job_id: stop.job_id.clone(),
            run_name: stop.run_name.clone(),
        };
        if self.stops.contains(&stop) {
            return Stopped::Repeat;
        }
        let run = self.owner(&stop);
        self.stops.push(stop);
        if self.stops.len() > MOST {
            self.stops.remove(0);
        }
        self.bound();
        run.map_or(Stopped::Unknown, Stopped::Run)
    }

    /// The run that a stop names.
    fn owner(&self, stop: &Stop) -> Option<u32> {
        if !stop.job_id.is_empty()
            && let Some(run) = self.runs.iter().find(|run| run.job_id == stop.job_id)
        {
            return Some(run.id);
        }
        let named = |run: &&Run| {
            (stop.job_id.is_empty() || run.job_id.is_empty()) && run.run_name == stop.run_name && run.start <= stop.time
        };
        self.runs.iter().rfind(named).map(|run| run.id)
    }

    /// Derives every run's stop anew.
    fn bound(&mut self) {
        let owners: Vec<_> = self.stops.iter().map(|stop| (self.owner(stop), stop.time)).collect();
        let mut next = i64::MAX;
        for run in self.runs.iter_mut().rev() {
            let mine = || {
                owners
                    .iter()
                    .filter(|(owner, _)| *owner == Some(run.id))
                    .map(|&(_, time)| time)
            };
            let told = mine().filter(|&time| time >= run.start).min();
            run.stop_before_start = if told.is_none() { mine().max() } else { None };
            let own = told
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
        assert_eq!(tracker.start(&start("a", "1", 100), 0), Started::New(0));
        assert_eq!(bounds(&tracker), [(100, i64::MAX)]);
        assert_eq!(
            tracker.start(&start("b", "1", 200), 0),
            Started::New(1),
            "same name, new job"
        );
        assert_eq!(bounds(&tracker), [(100, 200), (200, i64::MAX)]);
        assert_eq!(tracker.stop(&stop("b", "test_run", Some(250)), 0), Stopped::Run(1));
        assert_eq!(tracker.start(&start("b", "1", 200), 9), Started::Repeat(1));
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
        assert_eq!(tracker.stop(&stop("z", "1", Some(150)), 0), Stopped::Unknown);
        assert_eq!(bounds(&tracker), [(100, i64::MAX)]);
        assert_eq!(tracker.stop(&stop("", "1", Some(160)), 0), Stopped::Run(0));
        assert_eq!(bounds(&tracker), [(100, 160)]);
        tracker.start(&start("z", "2", 120), 0);
        assert_eq!(
            bounds(&tracker),
            [(100, 120), (120, 150)],
            "the stop waited for its start"
        );
    }

    #[test]
    fn a_stop_before_the_start_is_told_and_not_used() {
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
        assert_eq!((tracker.runs.len(), tracker.stops.len()), (MOST, MOST));
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
                    // A job has one start; a repeat says the same again.
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
