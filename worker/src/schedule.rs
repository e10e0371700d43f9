//! Schedule of executions: the next action for given runs, script and conditions.
//!
//! Pure, so that every order of events is tested without a clock or a script. Promises: executions are in run order,
//! and a run has one final execution. That is repeated only if the script changed or failed while no newer run has
//! events. Nothing is executed before the worker has caught up and holds the writer's lease, nor for a run without
//! events.

use std::time::{Duration, Instant};

use live_data_engine::run::RunKey;

/// Run as far as the schedule depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduledRun {
    pub key: RunKey,
    /// Number of events in the run's view.
    pub events: u64,
    /// True once nothing more can arrive for the run.
    pub complete: bool,
    /// True once its final execution is done, by this worker or an earlier one.
    pub finished: bool,
}

/// Conditions, script and runs at one moment.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleInputs<'a> {
    pub caught_up: bool,
    pub holds_lease: bool,
    /// Hash of the loaded script's text; `None` while none is loaded.
    pub script: Option<u64>,
    /// Runs that are open or complete and held, in order of their start.
    pub runs: &'a [ScheduledRun],
    pub now: Instant,
}

/// Kind of an execution; only a final one is followed by a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionKind {
    /// Of a run that goes on, repeated by the interval.
    Live,
    /// Of a complete run, followed by its completion marker.
    Final,
}

/// Decision of the schedule, carried out by the executor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextAction {
    /// Nothing before this time, or before an input changes.
    Wait(Option<Instant>),
    /// Execute the script on this run.
    Execute(RunKey, ExecutionKind),
    /// Mark this complete run without events as finished.
    Close(RunKey),
}

#[derive(Clone, Debug)]
struct LastExecution {
    run: RunKey,
    script: u64,
    started: Instant,
    failed: bool,
}

/// Schedule of one worker: interval and last execution, the only state between decisions.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: Duration,
    last: Option<LastExecution>,
}

impl Schedule {
    /// Schedule without a last execution; `interval` is the time between the starts of two live executions of a run.
    pub fn new(interval: Duration) -> Self {
        Schedule { interval, last: None }
    }

    /// Records an execution of `script` that started at `started`, as the last one.
    pub fn record_execution(&mut self, run: RunKey, script: u64, started: Instant, failed: bool) {
        self.last = Some(LastExecution {
            run,
            script,
            started,
            failed,
        });
    }

    /// Next action. O(number of runs).
    pub fn next_action(&self, inputs: &ScheduleInputs<'_>) -> NextAction {
        if !inputs.caught_up || !inputs.holds_lease {
            return NextAction::Wait(None);
        }
        match inputs.runs.iter().find(|run| !run.finished) {
            Some(run) if run.complete && run.events == 0 => NextAction::Close(run.key.clone()),
            Some(run) if run.complete => match inputs.script {
                Some(_) => NextAction::Execute(run.key.clone(), ExecutionKind::Final),
                None => NextAction::Wait(None),
            },
            Some(run) if run.events == 0 => self.repeat_final(inputs),
            Some(run) => self.execute_when_due(inputs, &run.key, ExecutionKind::Live, true),
            None => self.repeat_final(inputs),
        }
    }

    /// Repeats the newest final execution with a changed or failed script: its scientist may still be at work on it.
    fn repeat_final(&self, inputs: &ScheduleInputs<'_>) -> NextAction {
        match inputs.runs.iter().rev().find(|run| run.finished && run.events > 0) {
            // Runs that an earlier worker finished are not executed again only because this one started.
            Some(run) => match &self.last {
                Some(last) if last.run == run.key => {
                    self.execute_when_due(inputs, &run.key, ExecutionKind::Final, last.failed)
                }
                _ => NextAction::Wait(None),
            },
            None => NextAction::Wait(None),
        }
    }

    /// At once for another run or script than the last; else after the interval, if `repeat`.
    fn execute_when_due(
        &self,
        inputs: &ScheduleInputs<'_>,
        run: &RunKey,
        kind: ExecutionKind,
        repeat: bool,
    ) -> NextAction {
        let Some(script) = inputs.script else {
            return NextAction::Wait(None);
        };
        match &self.last {
            Some(last) if last.run == *run && last.script == script => match last.started.checked_add(self.interval) {
                Some(due) if repeat && inputs.now >= due => NextAction::Execute(run.clone(), kind),
                due if repeat => NextAction::Wait(due),
                _ => NextAction::Wait(None),
            },
            _ => NextAction::Execute(run.clone(), kind),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use live_data_engine::time::PulseTime;

    const INTERVAL: Duration = Duration::from_secs(300);

    fn key(run: u64) -> RunKey {
        RunKey::new(&run.to_string(), "", PulseTime::MIN)
    }

    fn run(run: u64, events: u64, complete: bool, finished: bool) -> ScheduledRun {
        ScheduledRun {
            key: key(run),
            events,
            complete,
            finished,
        }
    }

    fn at(runs: &[ScheduledRun], script: Option<u64>, now: Instant) -> ScheduleInputs<'_> {
        ScheduleInputs {
            caught_up: true,
            holds_lease: true,
            script,
            runs,
            now,
        }
    }

    #[test]
    fn nothing_before_the_worker_is_ready_and_holds_the_lease() {
        let (schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let runs = [run(1, 5, true, false)];
        assert_eq!(
            schedule.next_action(&ScheduleInputs {
                caught_up: false,
                ..at(&runs, Some(1), now)
            }),
            NextAction::Wait(None)
        );
        assert_eq!(
            schedule.next_action(&ScheduleInputs {
                holds_lease: false,
                ..at(&runs, Some(1), now)
            }),
            NextAction::Wait(None)
        );
        assert_eq!(schedule.next_action(&at(&runs, None, now)), NextAction::Wait(None));
        assert_eq!(
            schedule.next_action(&at(&runs, Some(1), now)),
            NextAction::Execute(key(1), ExecutionKind::Final)
        );
    }

    #[test]
    fn a_running_run_is_executed_at_once_then_by_the_interval_and_at_once_after_a_new_script() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let empty = [run(1, 0, false, false)];
        assert_eq!(schedule.next_action(&at(&empty, Some(7), now)), NextAction::Wait(None));
        let runs = [run(1, 5, false, false)];
        assert_eq!(
            schedule.next_action(&at(&runs, Some(7), now)),
            NextAction::Execute(key(1), ExecutionKind::Live)
        );
        schedule.record_execution(key(1), 7, now, true);
        let due = now + INTERVAL;
        assert_eq!(
            schedule.next_action(&at(&runs, Some(7), now)),
            NextAction::Wait(Some(due))
        );
        assert_eq!(
            schedule.next_action(&at(&runs, Some(7), due)),
            NextAction::Execute(key(1), ExecutionKind::Live)
        );
        assert_eq!(
            schedule.next_action(&at(&runs, Some(8), now)),
            NextAction::Execute(key(1), ExecutionKind::Live)
        );
    }

    #[test]
    fn the_next_run_waits_for_the_final_execution_of_the_former() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.record_execution(key(1), 7, now, false);
        let ending = [run(1, 5, false, false), run(2, 9, false, false)];
        assert_eq!(
            schedule.next_action(&at(&ending, Some(7), now)),
            NextAction::Wait(Some(now + INTERVAL))
        );
        let ended = [run(1, 5, true, false), run(2, 9, false, false)];
        assert_eq!(
            schedule.next_action(&at(&ended, Some(7), now)),
            NextAction::Execute(key(1), ExecutionKind::Final)
        );
        let finished = [run(1, 5, true, true), run(2, 9, false, false)];
        assert_eq!(
            schedule.next_action(&at(&finished, Some(7), now)),
            NextAction::Execute(key(2), ExecutionKind::Live)
        );
    }

    #[test]
    fn a_run_without_events_is_closed_without_an_execution() {
        let (schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        assert_eq!(
            schedule.next_action(&at(&[run(1, 0, true, false)], None, now)),
            NextAction::Close(key(1))
        );
    }

    #[test]
    fn after_the_last_run_a_new_script_is_tried_on_it_and_a_failed_one_again() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let runs = [run(1, 5, true, true)];
        assert_eq!(
            schedule.next_action(&at(&runs, Some(7), now)),
            NextAction::Wait(None),
            "finished by an earlier worker"
        );
        schedule.record_execution(key(1), 7, now, false);
        assert_eq!(
            schedule.next_action(&at(&runs, Some(7), now + INTERVAL)),
            NextAction::Wait(None)
        );
        assert_eq!(
            schedule.next_action(&at(&runs, Some(8), now)),
            NextAction::Execute(key(1), ExecutionKind::Final)
        );
        schedule.record_execution(key(1), 8, now, true);
        assert_eq!(
            schedule.next_action(&at(&runs, Some(8), now)),
            NextAction::Wait(Some(now + INTERVAL))
        );
        assert_eq!(
            schedule.next_action(&at(&runs, Some(8), now + INTERVAL)),
            NextAction::Execute(key(1), ExecutionKind::Final)
        );
    }
}
