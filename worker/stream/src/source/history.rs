//! The runs that the runInfo topic tells of: starts with their ends.
//!
//! Promises: pure; a repeated start is one run; a stop finds its start by job id, by run name only where there
//! is no job id. Which run is executed is not decided here.

use live_data_engine::message::{RunStart, RunStop};
use live_data_engine::time::PulseTime;

use super::Place;

/// A start or stop, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    Start(RunStart),
    Stop(RunStop),
}

/// A run that was found on the topic.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundRun {
    /// The start message, without its map, structure and metadata: the record itself is read again.
    pub start: RunStart,
    /// Where the start message stands.
    pub place: Place,
    /// When the run ended; None while it goes on.
    pub end: Option<PulseTime>,
}

/// The runs of a topic, the oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    /// By start time.
    pub runs: Vec<FoundRun>,
    /// Whether the topic has been read to its beginning: there are no other runs then.
    pub complete: bool,
}

impl RunHistory {
    /// The run that goes on, if one does.
    pub fn current(&self) -> Option<&FoundRun> {
        self.runs.last().filter(|run| run.end.is_none())
    }

    /// The runs that ended, the latest first.
    pub fn ended(&self) -> impl Iterator<Item = &FoundRun> {
        self.runs.iter().rev().filter(|run| run.end.is_some())
    }

    pub(super) fn of(mut records: Vec<(Place, Told)>, complete: bool) -> RunHistory {
        records.sort_by_key(|(place, _)| (place.timestamp_ms, place.topic, place.partition, place.offset));
        let mut runs: Vec<FoundRun> = Vec::new();
        let mut stops = Vec::new();
        for (place, told) in records {
            match told {
                Told::Start(start) => {
                    if !runs.iter().any(|run| same_run(&run.start, &start)) {
                        let end = start.stop_time;
                        runs.push(FoundRun { start, place, end });
                    }
                }
                Told::Stop(stop) => stops.push((place, stop)),
            }
        }
        runs.sort_by_key(|run| run.start.start_time);
        for (place, stop) in stops {
            let end = stop
                .stop_time
                .unwrap_or_else(|| PulseTime::from_millis(place.timestamp_ms));
            let found = runs.iter_mut().rev().find(|run| stops_run(&stop, end, &run.start));
            if let Some(run) = found {
                run.end = Some(end);
            }
        }
        let starts: Vec<PulseTime> = runs.iter().map(|run| run.start.start_time).collect();
        for (run, &next) in runs.iter_mut().zip(starts.iter().skip(1)) {
            // Without a stop (a crash), the next start is the end; a stop cannot be later than it either.
            run.end = Some(run.end.map_or(next, |end| end.min(next)));
        }
        RunHistory { runs, complete }
    }
}

pub(super) fn same_run(one: &RunStart, other: &RunStart) -> bool {
    if one.job_id.is_empty() && other.job_id.is_empty() {
        one.run_name == other.run_name && one.start_time == other.start_time
    } else {
        one.job_id == other.job_id
    }
}

fn stops_run(stop: &RunStop, end: PulseTime, start: &RunStart) -> bool {
    if stop.job_id.is_empty() || start.job_id.is_empty() {
        stop.run_name == start.run_name && start.start_time <= end
    } else {
        stop.job_id == start.job_id
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::topics::Role;

    fn place(offset: i64) -> Place {
        Place {
            role: Role::RunInfo,
            topic: 1,
            partition: 0,
            offset,
            timestamp_ms: 1000 * offset,
        }
    }

    fn start(offset: i64, name: &str, job: &str) -> (Place, Told) {
        let start = RunStart {
            start_time: PulseTime::from_millis(1000 * offset),
            run_name: name.into(),
            job_id: job.into(),
            ..RunStart::default()
        };
        (place(offset), Told::Start(start))
    }

    fn stop(offset: i64, name: &str, job: &str, at: Option<i64>) -> (Place, Told) {
        let stop_time = at.map(PulseTime::from_millis);
        (
            place(offset),
            Told::Stop(RunStop {
                stop_time,
                run_name: name.into(),
                job_id: job.into(),
            }),
        )
    }

    fn ends(history: &RunHistory) -> Vec<Option<i64>> {
        history.runs.iter().map(|run| run.end.map(PulseTime::millis)).collect()
    }

    #[test]
    fn a_stop_finds_its_start_by_job_id_whatever_its_name() {
        let records = vec![
            start(1, "10", "a"),
            stop(2, "test_run", "a", Some(1900)),
            start(3, "11", "b"),
            stop(4, "10", "a", None),
        ];
        let history = RunHistory::of(records, true);
        assert_eq!(ends(&history), [Some(3000), None]);
        assert_eq!(history.current().unwrap().start.run_name, "11");
    }

    #[test]
    fn without_a_job_id_the_name_decides_and_the_records_time_is_the_end() {
        let history = RunHistory::of(vec![start(1, "10", ""), stop(5, "10", "", None)], false);
        assert_eq!(ends(&history), [Some(5000)]);
        assert!(history.current().is_none());
        let unknown = RunHistory::of(vec![start(1, "10", ""), stop(5, "12", "", None)], false);
        assert_eq!(ends(&unknown), [None]);
    }

    #[test]
    fn a_missing_stop_ends_with_the_next_start_and_a_repeat_is_no_run() {
        let records = vec![start(1, "10", "a"), start(2, "10", "a"), start(7, "10", "b")];
        let history = RunHistory::of(records, true);
        assert_eq!(ends(&history), [Some(7000), None]);
        assert_eq!(history.runs[0].place.offset, 1);
        assert_eq!(history.ended().count(), 1);
    }
}
