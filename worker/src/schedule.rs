//! Decides what is executed next: pure, so that every order of events can be tested without a clock or a script.
//!
//! Promises: executions are strictly in run order, a run's final execution comes once (again only when the script changed
//! or failed while no newer run was there), nothing is executed before the worker has caught up and holds the writer's
//! lease, nor for a run that has no events. It must hold no client and take no lock.

use std::time::{Duration, Instant};

use live_data_engine::run::RunKey;

/// What the scheduler needs to know of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Which run.
    pub key: RunKey,
    /// Events in its view.
    pub events: u64,
    /// Nothing more can arrive for it.
    pub complete: bool,
    /// Its final execution is done, here or by an earlier worker.
    pub finished: bool,
}

/// What the scheduler needs to know of the worker.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Every partition has once reached the high watermark read at the start.
    pub ready: bool,
    /// This worker holds the writer's lease.
    pub writer: bool,
    /// Identity of the script that is loaded; changes with its text.
    pub script: Option<u64>,
    /// The runs in view, oldest first.
    pub runs: &'a [Turn],
    /// The time.
    pub now: Instant,
}

/// Why an execution is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The run goes on.
    Live,
    /// The run is complete.
    Final,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing before this time, or before something changes.
    Wait(Option<Instant>),
    /// Execute the script on this run.
    Execute(RunKey, Kind),
    /// The run ended without events: note it as finished.
    Close(RunKey),
}

#[derive(Clone, Debug)]
struct Last {
    run: RunKey,
    script: u64,
    started: Instant,
    failed: bool,
}

/// The memory of the scheduler: the interval and the last execution.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval: Duration,
    last: Option<Last>,
}

impl Schedule {
    /// Executes every `interval` while a run goes on.
    pub fn new(interval: Duration) -> Self {
        Schedule { interval, last: None }
    }

    /// Notes an execution that was made.
    pub fn executed(&mut self, run: RunKey, script: u64, started: Instant, failed: bool) {
        self.last = Some(Last {
            run,
            script,
            started,
            failed,
        });
    }

    /// When the next execution is due by the interval alone.
    pub fn due(&self) -> Option<Instant> {
        self.last
            .as_ref()
            .and_then(|last| last.started.checked_add(self.interval))
    }

    /// What to do now.
    pub fn next(&self, situation: &Situation<'_>) -> Next {
        if !situation.ready || !situation.writer {
            return Next::Wait(None);
        }
        match situation.runs.iter().find(|run| !run.finished) {
            Some(run) if run.complete && run.events == 0 => Next::Close(run.key.clone()),
            Some(run) if run.complete => match situation.script {
                Some(_) => Next::Execute(run.key.clone(), Kind::Final),
                None => Next::Wait(None),
            },
            Some(run) if run.events == 0 => self.again_on_ended(situation),
            Some(run) => self.when_due(situation, &run.key, Kind::Live, true),
            None => self.again_on_ended(situation),
        }
    }

    /// The newest run has ended: its scientist may still be at work on the script.
    fn again_on_ended(&self, situation: &Situation<'_>) -> Next {
        match situation.runs.iter().rev().find(|run| run.finished && run.events > 0) {
            // Runs that an earlier worker finished are not executed again merely because this one started.
            Some(run) => match &self.last {
                Some(last) if last.run == run.key => self.when_due(situation, &run.key, Kind::Final, last.failed),
                _ => Next::Wait(None),
            },
            None => Next::Wait(None),
        }
    }

    fn when_due(&self, situation: &Situation<'_>, run: &RunKey, kind: Kind, repeat: bool) -> Next {
        let Some(script) = situation.script else {
            return Next::Wait(None);
        };
        match &self.last {
            Some(last) if last.run == *run && last.script == script => match self.due() {
                Some(due) if repeat && situation.now >= due => Next::Execute(run.clone(), kind),
                due if repeat => Next::Wait(due),
                _ => Next::Wait(None),
            },
            _ => Next::Execute(run.clone(), kind),
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

    fn run(run: u64, events: u64, complete: bool, finished: bool) -> Turn {
        Turn {
            key: key(run),
            events,
            complete,
            finished,
        }
    }

    fn at(runs: &[Turn], script: Option<u64>, now: Instant) -> Situation<'_> {
        Situation {
            ready: true,
            writer: true,
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
            schedule.next(&Situation {
                ready: false,
                ..at(&runs, Some(1), now)
            }),
            Next::Wait(None)
        );
        assert_eq!(
            schedule.next(&Situation {
                writer: false,
                ..at(&runs, Some(1), now)
            }),
            Next::Wait(None)
        );
        assert_eq!(schedule.next(&at(&runs, None, now)), Next::Wait(None));
        assert_eq!(
            schedule.next(&at(&runs, Some(1), now)),
            Next::Execute(key(1), Kind::Final)
        );
    }

    #[test]
    fn a_running_run_is_executed_at_once_then_by_the_interval_and_at_once_after_a_new_script() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let empty = [run(1, 0, false, false)];
        assert_eq!(schedule.next(&at(&empty, Some(7), now)), Next::Wait(None));
        let runs = [run(1, 5, false, false)];
        assert_eq!(
            schedule.next(&at(&runs, Some(7), now)),
            Next::Execute(key(1), Kind::Live)
        );
        schedule.executed(key(1), 7, now, true);
        let due = now + INTERVAL;
        assert_eq!(schedule.next(&at(&runs, Some(7), now)), Next::Wait(Some(due)));
        assert_eq!(
            schedule.next(&at(&runs, Some(7), due)),
            Next::Execute(key(1), Kind::Live)
        );
        assert_eq!(
            schedule.next(&at(&runs, Some(8), now)),
            Next::Execute(key(1), Kind::Live)
        );
    }

    #[test]
    fn the_next_run_waits_for_the_final_execution_of_the_former() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        schedule.executed(key(1), 7, now, false);
        let ending = [run(1, 5, false, false), run(2, 9, false, false)];
        assert_eq!(
            schedule.next(&at(&ending, Some(7), now)),
            Next::Wait(Some(now + INTERVAL))
        );
        let ended = [run(1, 5, true, false), run(2, 9, false, false)];
        assert_eq!(
            schedule.next(&at(&ended, Some(7), now)),
            Next::Execute(key(1), Kind::Final)
        );
        let finished = [run(1, 5, true, true), run(2, 9, false, false)];
        assert_eq!(
            schedule.next(&at(&finished, Some(7), now)),
            Next::Execute(key(2), Kind::Live)
        );
    }

    #[test]
    fn a_run_without_events_is_closed_without_an_execution() {
        let (schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        assert_eq!(
            schedule.next(&at(&[run(1, 0, true, false)], None, now)),
            Next::Close(key(1))
        );
    }

    #[test]
    fn after_the_last_run_a_new_script_is_tried_on_it_and_a_failed_one_again() {
        let (mut schedule, now) = (Schedule::new(INTERVAL), Instant::now());
        let runs = [run(1, 5, true, true)];
        assert_eq!(
            schedule.next(&at(&runs, Some(7), now)),
            Next::Wait(None),
            "finished by an earlier worker"
        );
        schedule.executed(key(1), 7, now, false);
        assert_eq!(schedule.next(&at(&runs, Some(7), now + INTERVAL)), Next::Wait(None));
        assert_eq!(
            schedule.next(&at(&runs, Some(8), now)),
            Next::Execute(key(1), Kind::Final)
        );
        schedule.executed(key(1), 8, now, true);
        assert_eq!(
            schedule.next(&at(&runs, Some(8), now)),
            Next::Wait(Some(now + INTERVAL))
        );
        assert_eq!(
            schedule.next(&at(&runs, Some(8), now + INTERVAL)),
            Next::Execute(key(1), Kind::Final)
        );
    }
}
