//! From what is known to the status.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::*;
use crate::observe::DeploymentSeen;
use crate::observe::pods::PodSeen;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

fn deployment(available: i64) -> Option<DeploymentSeen> {
    Some(DeploymentSeen {
        current: true,
        replicas: 1,
        updated: 1,
        available,
        total: 1,
        image: Some("i:1".into()),
        ..DeploymentSeen::default()
    })
}

fn fresh(events: i64, rate: i64) -> ReportState {
    ReportState::Fresh(Arc::new(ReportSeen {
        engine: "native".into(),
        run: Some(("7".into(), None, events)),
        rate,
        lag_seconds: Some(0.1),
        ..ReportSeen::default()
    }))
}

fn observation(report: ReportState) -> Observation {
    Observation {
        deployment: deployment(1),
        claims: vec![("c".into(), Some("Bound".into()))],
        report,
        ..Observation::default()
    }
}

fn made(
    previous: &LiveDataProcessorStatus,
    observation: &Observation,
    problems: &[Problem],
    now: Timestamp,
) -> Outcome {
    let knowledge = Knowledge {
        generation: Some(3),
        instrument: "MERLIN",
        suspend: false,
        planned: problems.iter().all(|problem| problem.reason != "InstrumentInUse"),
        problems,
        waiting: &[],
        observation,
        resources: 40,
    };
    status(previous, &knowledge, now)
}

fn of<'a>(status: &'a LiveDataProcessorStatus, kind: &str) -> (&'a str, &'a str) {
    let condition = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
        .unwrap();
    (&condition.status, &condition.reason)
}

#[test]
fn a_steady_worker_gives_the_same_status_for_ever() {
    let observation = observation(fresh(5, 100));
    let first = made(&LiveDataProcessorStatus::default(), &observation, &[], at(0)).status;
    assert_eq!(of(&first, "Ready"), ("True", "WorkerReady"));
    assert_eq!(of(&first, "Progressing"), ("False", "Complete"));
    assert_eq!(of(&first, "Degraded"), ("False", "AsExpected"));
    assert_eq!(of(&first, "StorageReady"), ("True", "Bound"));
    assert_eq!(
        made(&first, &observation, &[], at(1000)),
        Outcome {
            status: first.clone(),
            again: None
        }
    );
}

#[test]
fn figures_are_held_back_for_five_seconds_and_a_new_run_is_not() {
    let first = made(
        &LiveDataProcessorStatus::default(),
        &observation(fresh(5, 100)),
        &[],
        at(0),
    )
    .status;
    let soon = made(&first, &observation(fresh(9, 200)), &[], at(2));
    assert_eq!(soon.status, first);
    assert_eq!(soon.again, Some(Duration::from_secs(3)));
    let later = made(&first, &observation(fresh(9, 200)), &[], at(5));
    assert_eq!((later.status.rate, later.again), (Some(200), None));
    assert_eq!(later.status.run.as_ref().unwrap().events, 9);
    let mut next = ReportSeen {
        run: Some(("8".into(), None, 1)),
        rate: 1,
        ..ReportSeen::default()
    };
    next.engine = "native".into();
    let next_run = made(&first, &observation(ReportState::Fresh(Arc::new(next))), &[], at(1));
    assert_eq!(next_run.status.run.unwrap().number, "8");
}

#[test]
fn many_resources_write_their_figures_more_rarely() {
    let observation = observation(fresh(5, 100));
    let first = made(&LiveDataProcessorStatus::default(), &observation, &[], at(0)).status;
    let changed = self::observation(fresh(9, 200));
    let knowledge = Knowledge {
        generation: Some(3),
        instrument: "MERLIN",
        suspend: false,
        planned: true,
        problems: &[],
        waiting: &[],
        observation: &changed,
        resources: 1000,
    };
    assert_eq!(status(&first, &knowledge, at(10)).again, Some(Duration::from_secs(40)));
}

#[test]
fn a_report_never_decides_whether_the_worker_is_ready() {
    let missing = made(
        &LiveDataProcessorStatus::default(),
        &observation(ReportState::Missing("no answer".into())),
        &[],
        at(0),
    )
    .status;
    assert_eq!(of(&missing, "Ready"), ("True", "WorkerReady"));
    assert_eq!(of(&missing, "Degraded"), ("True", "NoReport"));
    let mut none = observation(fresh(1, 1));
    none.deployment = deployment(0);
    none.pods = vec![Arc::new(PodSeen {
        running: true,
        ..PodSeen::default()
    })];
    assert_eq!(
        of(&made(&missing, &none, &[], at(1)).status, "Ready"),
        ("False", "CatchingUp")
    );
}

#[test]
fn what_was_last_reported_stays_until_the_worker_has_been_asked() {
    let before = made(
        &LiveDataProcessorStatus::default(),
        &observation(ReportState::Missing("gone".into())),
        &[],
        at(0),
    )
    .status;
    assert_eq!(
        made(&before, &observation(ReportState::NotPolled), &[], at(9)).status,
        before
    );
    let before = made(
        &LiveDataProcessorStatus::default(),
        &observation(fresh(5, 100)),
        &[],
        at(0),
    )
    .status;
    assert_eq!(
        made(&before, &observation(ReportState::NotPolled), &[], at(9)).status,
        before
    );
}

#[test]
fn everything_that_is_wrong_is_told_the_worst_first() {
    let problems = [
        Problem::new("SiteNotConfigured", "no broker"),
        Problem::new("VolumeDiffers", "path"),
    ];
    let mut observation = observation(fresh(1, 1));
    observation.pods = vec![Arc::new(PodSeen {
        trouble: Some(Problem::new("CrashLoop", "again")),
        ..PodSeen::default()
    })];
    let status = made(&LiveDataProcessorStatus::default(), &observation, &problems, at(0)).status;
    assert_eq!(of(&status, "Degraded"), ("True", "VolumeDiffers"));
    assert_eq!(of(&status, "StorageReady"), ("False", "VolumeDiffers"));
    assert_eq!(status.message.as_deref(), Some("path; again; no broker"));
}

#[test]
fn a_resource_that_gets_nothing_says_why_and_is_not_ready() {
    let problems = [Problem::new("InstrumentInUse", "by fia/first")];
    let status = made(
        &LiveDataProcessorStatus::default(),
        &Observation::default(),
        &problems,
        at(0),
    )
    .status;
    assert_eq!(of(&status, "Ready"), ("False", "InstrumentInUse"));
    assert_eq!(of(&status, "Progressing"), ("False", "Blocked"));
    assert_eq!(of(&status, "StorageReady"), ("False", "Blocked"));
}

#[test]
fn times_of_transition_change_only_with_the_status() {
    let ready = made(
        &LiveDataProcessorStatus::default(),
        &observation(fresh(1, 1)),
        &[],
        at(0),
    )
    .status;
    let mut gone = observation(fresh(1, 1));
    gone.deployment = deployment(0);
    let not_ready = made(&ready, &gone, &[], at(60)).status;
    let time = |status: &LiveDataProcessorStatus, kind: &str| {
        status
            .conditions
            .iter()
            .find(|condition| condition.type_ == kind)
            .unwrap()
            .last_transition_time
            .0
    };
    assert_eq!(time(&not_ready, "Ready"), at(60));
    assert_eq!(time(&not_ready, "StorageReady"), at(0));
}

#[test]
fn a_long_traceback_keeps_its_end() {
    let text = end_of(&format!("{}ValueError: é", "é".repeat(2000)));
    assert!(
        text.len() <= LONGEST_ERROR && text.ends_with("ValueError: é"),
        "{}",
        text.len()
    );
}

#[test]
fn a_volume_that_was_given_up_is_told_with_its_words() {
    let mut observation = observation(fresh(1, 1));
    observation.claims = vec![("c".into(), Some("Pending".into()))];
    observation.failed_volumes = vec![("v".into(), "the plugin refused it".into())];
    let outcome = made(&LiveDataProcessorStatus::default(), &observation, &[], at(0));
    let storage = outcome
        .status
        .conditions
        .iter()
        .find(|found| found.type_ == condition::STORAGE_READY)
        .unwrap();
    assert_eq!(
        (storage.status.as_str(), storage.reason.as_str()),
        ("False", "VolumeFailed")
    );
    assert!(storage.message.contains("the plugin refused it"), "{}", storage.message);
}

#[test]
fn figures_of_the_future_and_of_long_ago_hold_nothing_back() {
    let before = made(
        &LiveDataProcessorStatus::default(),
        &observation(fresh(1, 1)),
        &[],
        at(0),
    )
    .status;
    // The replica that wrote them had another clock.
    for second in [-3600, 3600] {
        let outcome = made(&before, &observation(fresh(2, 1)), &[], at(second));
        assert_eq!(outcome.status.run.unwrap().events, 2, "{second}");
        assert_eq!(outcome.again, None);
    }
}

#[test]
fn what_somebody_waits_for_is_more_than_progress() {
    let nothing = LiveDataProcessorStatus::default();
    let waiting = Observation {
        deployment: deployment(0),
        claims: vec![("c".into(), Some("Pending".into()))],
        ..Observation::default()
    };
    let starting = made(&nothing, &waiting, &[], at(0)).status;
    let bound = Observation {
        claims: vec![("c".into(), Some("Bound".into()))],
        ..waiting.clone()
    };
    let further = made(&starting, &bound, &[], at(1)).status;
    assert_ne!(starting, further);
    assert!(only_progress(&nothing, &starting));
    assert!(only_progress(&starting, &further));
    let ready = made(&further, &observation(ReportState::NotPolled), &[], at(2)).status;
    assert!(!only_progress(&further, &ready));
    // A worker that is lost, and trouble that comes and goes.
    assert!(!only_progress(&ready, &further));
    let trouble = made(&starting, &waiting, &[Problem::new("Refused", "a quota")], at(1)).status;
    assert!(!only_progress(&starting, &trouble));
    assert!(!only_progress(&trouble, &further));
}
