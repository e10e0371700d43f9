//! Runs of the runInfo topics: start messages, joined with their stops.
//!
//! Promises: pure; a repeated start is one run. A stop is matched by job id, and by run name only where one of the two
//! has no job id. Must not decide which run is reduced.

use live_data_engine::message::{RunStart, RunStop};
use live_data_engine::record_position::RecordPosition;
use live_data_engine::time::PulseTime;

/// Message of a runInfo topic.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunMessage {
    Start(RunStart),
    Stop(RunStop),
}

/// Run of a [`RunHistory`], from one start message and its repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRun {
    /// Start message without its map, NeXus structure and metadata, which are read again with the record.
    pub start: RunStart,
    /// Position of the record with the start message.
    pub position: RecordPosition,
    /// Stop time, or the next run's start if that is earlier; `None` for a run without either.
    pub end: Option<PulseTime>,
}

/// Runs of the runInfo topics, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunHistory {
    /// In ascending order of start times.
    pub runs: Vec<HistoryRun>,
    /// True when the topics were read down to their low watermarks: no older run is retained.
    pub complete: bool,
}

impl RunHistory {
    /// Newest run, if it has no end.
    pub fn current(&self) -> Option<&HistoryRun> {
        self.runs.last().filter(|run| run.end.is_none())
    }

    /// Runs with an end, newest first.
    pub fn ended(&self) -> impl Iterator<Item = &HistoryRun> {
        self.runs.iter().rev().filter(|run| run.end.is_some())
    }

    /// Joins starts with stops. `records` may be in any order; they are sorted by Kafka timestamp.
    pub(super) fn new(mut records: Vec<(RecordPosition, RunMessage)>, complete: bool) -> RunHistory {
        records.sort_by_key(|(position, _)| (position.timestamp_ms, position.partition, position.offset));
        let mut runs: Vec<HistoryRun> = Vec::new();
        let mut stops = Vec::new();
        for (position, message) in records {
            match message {
                RunMessage::Start(start) => {
                    if !runs.iter().any(|run| is_same_run(&run.start, &start)) {
                        let end = start.stop_time;
                        runs.push(HistoryRun { start, position, end });
                    }
                }
                RunMessage::Stop(stop) => stops.push((position, stop)),
            }
        }
        runs.sort_by_key(|run| run.start.start_time);
        for (position, stop) in stops {
            let end = stop.stop_time.unwrap_or_else(|| position.timestamp());
            let stopped = runs.iter_mut().rev().find(|run| stops_run(&stop, end, &run.start));
            if let Some(run) = stopped {
                run.end = Some(end);
            }
        }
        let starts: Vec<PulseTime> = runs.iter().map(|run| run.start.start_time).collect();
        for (run, &next) in runs.iter_mut().zip(starts.iter().skip(1)) {
            // A run without a stop message ends with the next start; runs do not overlap.
            run.end = Some(run.end.map_or(next, |end| end.min(next)));
        }
        RunHistory { runs, complete }
    }
}

/// True for two start messages of one run: equal job ids, or equal names and times where neither has a job id.
pub(super) fn is_same_run(one: &RunStart, other: &RunStart) -> bool {
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
    use live_data_engine::record_position::{PartitionKey, TopicRole};

    use super::*;

    fn position(offset: i64) -> RecordPosition {
        RecordPosition {
            partition: PartitionKey {
                role: TopicRole::RunInfo,
                topic: 1,
                partition: 0,
            },
            offset,
            timestamp_ms: 1000 * offset,
        }
    }

    fn start(offset: i64, name: &str, job: &str) -> (RecordPosition, RunMessage) {
        let start = RunStart {
            start_time: PulseTime::from_millis(1000 * offset),
            run_name: name.into(),
            job_id: job.into(),
            ..RunStart::default()
        };
        (position(offset), RunMessage::Start(start))
    }

    fn stop(offset: i64, name: &str, job: &str, at: Option<i64>) -> (RecordPosition, RunMessage) {
        let stop_time = at.map(PulseTime::from_millis);
        (
            position(offset),
            RunMessage::Stop(RunStop {
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
        let history = RunHistory::new(records, true);
        assert_eq!(ends(&history), [Some(3000), None]);
        assert_eq!(history.current().unwrap().start.run_name, "11");
    }

    #[test]
    fn without_a_job_id_the_name_decides_and_the_records_time_is_the_end() {
        let history = RunHistory::new(vec![start(1, "10", ""), stop(5, "10", "", None)], false);
        assert_eq!(ends(&history), [Some(5000)]);
        assert!(history.current().is_none());
        let unknown = RunHistory::new(vec![start(1, "10", ""), stop(5, "12", "", None)], false);
        assert_eq!(ends(&unknown), [None]);
    }

    #[test]
    fn a_missing_stop_ends_with_the_next_start_and_a_repeat_is_no_run() {
        let records = vec![start(1, "10", "a"), start(2, "10", "a"), start(7, "10", "b")];
        let history = RunHistory::new(records, true);
        assert_eq!(ends(&history), [Some(7000), None]);
        assert_eq!(history.runs[0].position.offset, 1);
        assert_eq!(history.ended().count(), 1);
    }
}
