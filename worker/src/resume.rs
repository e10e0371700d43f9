//! Where a worker takes up the work: pure, from the runs that the runInfo topic tells of and the markers on disk.
//!
//! Promises: without any marker only the newest run is executed, never all of retention; else the runs that began since
//! the newest marker, at most [`MOST`] ended ones (the newest: replaying more than a few runs would keep the current one
//! waiting), and the current one. What is passed over is named. It must do no I/O.

use live_data_engine::run::RunKey;
use live_data_engine::time::PulseTime;

use crate::output::marker::Marker;

/// Ended runs that are caught up on, at most.
pub const MOST: usize = 3;

/// A run that the runInfo topic tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastRun {
    /// Its identity.
    pub key: RunKey,
    /// Its name.
    pub name: String,
    /// Its start.
    pub start: PulseTime,
}

/// What is to be done about the past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resume {
    /// Start of the oldest run to be executed: everything is read from a margin before it. `None` where there is no run.
    pub from: Option<PulseTime>,
    /// The runs that were begun earlier than that or have had their final execution.
    pub finished: Vec<RunKey>,
    /// Names of the runs that ended while no worker ran and will not be executed.
    pub skipped: Vec<String>,
}

/// Decides, from the runs of the topic in order of their start.
pub fn resume(runs: &[PastRun], markers: &[Marker]) -> Resume {
    let newest_marker = markers.iter().map(|m| m.start_ns).max();
    let marked = |run: &PastRun| markers.iter().any(|m| m.identity == run.key.as_str());
    let Some(newest) = runs.last() else {
        return Resume::default();
    };
    let due = |run: &&PastRun| match newest_marker {
        None => run.key == newest.key,
        Some(since) => run.start.nanos() > since && !marked(run),
    };
    let due: Vec<&PastRun> = runs.iter().filter(due).collect();
    // The newest run may go on; the others have ended, by a stop or by the next one's start.
    let skip = due.len().saturating_sub(MOST + 1);
    let (skipped, taken) = due.split_at(skip);
    // With nothing due, the newest run is still read: its scientist may change the script.
    let from = taken.first().map_or(newest.start, |run| run.start);
    Resume {
        from: Some(from),
        finished: runs
            .iter()
            .filter(|run| !taken.contains(run))
            .map(|run| run.key.clone())
            .collect(),
        skipped: skipped.iter().map(|run| run.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(number: i64) -> PastRun {
        PastRun {
            key: RunKey::new(&format!("job-{number}"), "", PulseTime::MIN),
            name: number.to_string(),
            start: PulseTime::from_nanos(number * 100),
        }
    }

    fn marker(number: i64) -> Marker {
        Marker {
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
        let resume = resume(&runs, &[]);
        assert_eq!(resume.from, Some(run(9).start));
        assert_eq!(resume.finished, keys(&[1, 2, 3, 4, 5, 6, 7, 8]));
        assert!(resume.skipped.is_empty());
    }

    #[test]
    fn runs_that_ended_meanwhile_are_caught_up_on_and_the_rest_is_named() {
        let runs: Vec<_> = (1..=9).map(run).collect();
        let few = resume(&runs, &[marker(6), marker(7)]);
        assert_eq!((few.from, few.skipped.len()), (Some(run(8).start), 0));
        let many = resume(&runs, &[marker(2)]);
        assert_eq!(many.from, Some(run(6).start));
        assert_eq!(many.skipped, ["3", "4", "5"]);
        assert_eq!(many.finished, keys(&[1, 2, 3, 4, 5]));
    }

    #[test]
    fn a_run_that_is_done_is_read_but_not_executed() {
        let runs = [run(1), run(2)];
        let done = resume(&runs, &[marker(2)]);
        assert_eq!(done.from, Some(run(2).start));
        assert_eq!(done.finished, keys(&[1, 2]));
    }

    #[test]
    fn without_runs_there_is_nothing_to_do() {
        assert_eq!(resume(&[], &[marker(1)]), Resume::default());
    }
}
