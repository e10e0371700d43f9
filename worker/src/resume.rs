//! Plan of a worker that takes up the work of an earlier one.
//!
//! Pure, from the runs of the runInfo topic and the completion markers. Promises: without a marker only the newest run
//! is executed, never all of the topic. Otherwise the current run and the newest [`MAX_ENDED_RUNS`] ended runs since
//! the newest marker are executed. More would keep the current run waiting. Skipped runs are named.

use live_data_engine::run::RunKey;
use live_data_engine::time::PulseTime;

use crate::output::marker::CompletionMarker;

/// Number of ended runs that are executed after a restart, at most.
pub const MAX_ENDED_RUNS: usize = 3;

/// Run whose start message is in the runInfo topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRun {
    pub key: RunKey,
    pub name: String,
    pub start: PulseTime,
}

/// Runs to execute and to skip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumePlan {
    /// Start of the oldest run to be executed, before which a margin is read; `None` without a run.
    pub from: Option<PulseTime>,
    /// Runs that are not executed: older than `from`, skipped, or marked.
    pub finished: Vec<RunKey>,
    /// Names of the runs that ended while no worker ran and are not executed, oldest first.
    pub skipped: Vec<String>,
}

impl ResumePlan {
    /// Plan for `runs` in order of their start.
    pub fn new(runs: &[KnownRun], markers: &[CompletionMarker]) -> Self {
        let Some(newest) = runs.last() else {
            return ResumePlan::default();
        };
        let newest_marker = markers.iter().map(|marker| marker.start_ns).max();
        let marked = |run: &KnownRun| markers.iter().any(|marker| marker.identity == run.key.as_str());
        let due = |run: &&KnownRun| match newest_marker {
            None => run.key == newest.key,
            Some(since) => run.start.nanos() > since && !marked(run),
        };
        let due: Vec<&KnownRun> = runs.iter().filter(due).collect();
        // The newest run may go on; the others have ended, by a stop or by the next one's start.
        let (skipped, executed) = due.split_at(due.len().saturating_sub(MAX_ENDED_RUNS + 1));
        // With nothing due, the newest run is still read: its scientist may change the script.
        let from = executed.first().map_or(newest.start, |run| run.start);
        ResumePlan {
            from: Some(from),
            finished: runs
                .iter()
                .filter(|run| !executed.contains(run))
                .map(|run| run.key.clone())
                .collect(),
            skipped: skipped.iter().map(|run| run.name.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: i64) -> KnownRun {
        KnownRun {
            key: RunKey::new(&format!("job-{number}"), "", PulseTime::MIN),
            name: number.to_string(),
            start: PulseTime::from_nanos(number * 100),
        }
    }

    fn marker(number: i64) -> CompletionMarker {
        CompletionMarker {
            identity: format!("job-{number}"),
            run_name: number.to_string(),
            start_ns: number * 100,
            stop_ns: None,
            events: 1,
            script: None,
            finished: String::new(),
            error: None,
        }
    }

    fn keys(runs: &[i64]) -> Vec<RunKey> {
        runs.iter().map(|n| run(*n).key).collect()
    }

    #[test]
    fn the_first_worker_ever_takes_the_newest_run_alone() {
        let runs: Vec<_> = (1..=9).map(run).collect();
        let resume = ResumePlan::new(&runs, &[]);
        assert_eq!(resume.from, Some(run(9).start));
        assert_eq!(resume.finished, keys(&[1, 2, 3, 4, 5, 6, 7, 8]));
        assert!(resume.skipped.is_empty());
    }

    #[test]
    fn runs_that_ended_meanwhile_are_caught_up_on_and_the_rest_is_named() {
        let runs: Vec<_> = (1..=9).map(run).collect();
        let few = ResumePlan::new(&runs, &[marker(6), marker(7)]);
        assert_eq!((few.from, few.skipped.len()), (Some(run(8).start), 0));
        let many = ResumePlan::new(&runs, &[marker(2)]);
        assert_eq!(many.from, Some(run(6).start));
        assert_eq!(many.skipped, ["3", "4", "5"]);
        assert_eq!(many.finished, keys(&[1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_run_that_is_done_is_read_but_not_executed() {
        let runs = [run(1), run(2)];
        let done = ResumePlan::new(&runs, &[marker(2)]);
        assert_eq!(done.from, Some(run(2).start));
        assert_eq!(done.finished, keys(&[1, 2]));
    }

    #[test]
    fn without_runs_there_is_nothing_to_do() {
        assert_eq!(ResumePlan::new(&[], &[marker(1)]), ResumePlan::default());
    }
}
