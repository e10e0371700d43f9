//! Statuses that follow from observations and problems.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::*;
use live_data_crd::reason::ConditionReason;

use crate::observe::deployment::DeploymentState;
use crate::observe::pods::WorkerPod;
use crate::observe::report_summary::RunSummary;
use crate::observe::{ClaimState, FailedVolume, Observation};
use crate::problem::Problem;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_770_000_000 + second).unwrap()
}

fn deployment(available: i64) -> Option<DeploymentState> {
    Some(DeploymentState {
        current: true,
        replicas: 1,
        updated: 1,
        available,
        total: 1,
        image: Some("i:1".into()),
        ..DeploymentState::default()
    })
}

fn run(number: &str, events: i64) -> Option<RunSummary> {
    Some(RunSummary {
        number: number.into(),
        events,
        ..RunSummary::default()
    })
}

fn claims(phase: &str) -> Vec<ClaimState> {
    vec![ClaimState {
        name: "c".into(),
        phase: Some(phase.into()),
    }]
}

fn fresh(events: i64, rate: i64) -> ReportState {
    ReportState::Fresh(Arc::new(ReportSummary {
        engine: "native".into(),
        run: run("7", events),
        rate,
        lag_seconds: Some(0.1),
        ..ReportSummary::default()
    }))
}

fn observation(report: ReportState) -> Observation {
    Observation {
        deployment: deployment(1),
        claims: claims("Bound"),
        report,
        ..Observation::default()
    }
}

fn made(
    previous: &LiveDataProcessorStatus,
    observation: &Observation,
    problems: &[Problem],
    now: Timestamp,
) -> ComputedStatus {
    let input = StatusInput {
        generation: Some(3),
        instrument: "MERLIN",
        suspend: false,
        planned: problems
            .iter()
            .all(|problem| problem.reason != ConditionReason::InstrumentInUse),
        problems,
        waiting: &[],
        observation,
        resources: 40,
    };
    status(previous, &input, now)
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
        ComputedStatus {
            status: first.clone(),
            retry_after: None
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
    assert_eq!(soon.retry_after, Some(Duration::from_secs(3)));
    let later = made(&first, &observation(fresh(9, 200)), &[], at(5));
    assert_eq!((later.status.rate, later.retry_after), (Some(200), None));
    assert_eq!(later.status.run.as_ref().unwrap().events, 9);
    let mut next = ReportSummary {
        run: run("8", 1),
        rate: 1,
        ..ReportSummary::default()
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
    let input = StatusInput {
        generation: Some(3),
        instrument: "MERLIN",
        suspend: false,
        planned: true,
        problems: &[],
        waiting: &[],
        observation: &changed,
        resources: 1000,
    };
    assert_eq!(
        status(&first, &input, at(10)).retry_after,
        Some(Duration::from_secs(40))
    );
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
    none.pods = vec![Arc::new(WorkerPod {
        running: true,
        ..WorkerPod::default()
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
        Problem::new(ConditionReason::SiteNotConfigured, "no broker"),
        Problem::new(ConditionReason::VolumeDiffers, "path"),
    ];
    let mut observation = observation(fresh(1, 1));
    observation.pods = vec![Arc::new(WorkerPod {
        problem: Some(Problem::new(ConditionReason::CrashLoop, "again")),
        ..WorkerPod::default()
    })];
    let status = made(&LiveDataProcessorStatus::default(), &observation, &problems, at(0)).status;
    assert_eq!(of(&status, "Degraded"), ("True", "VolumeDiffers"));
    assert_eq!(of(&status, "StorageReady"), ("False", "VolumeDiffers"));
    assert_eq!(status.message.as_deref(), Some("path; again; no broker"));
}

#[test]
fn a_resource_that_gets_nothing_says_why_and_is_not_ready() {
    let problems = [Problem::new(ConditionReason::InstrumentInUse, "by fia/first")];
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
    let text = shortened_error(&format!("{}ValueError: é", "é".repeat(2000)));
    assert!(
        text.len() <= MAX_ERROR_BYTES && text.ends_with("ValueError: é"),
        "{}",
        text.len()
    );
}

#[test]
fn a_volume_that_was_given_up_is_told_with_its_words() {
    let mut observation = observation(fresh(1, 1));
    observation.claims = claims("Pending");
    observation.failed_volumes = vec![FailedVolume {
        name: "v".into(),
        message: "the plugin refused it".into(),
    }];
    let computed = made(&LiveDataProcessorStatus::default(), &observation, &[], at(0));
    let storage = computed
        .status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "StorageReady")
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
        let computed = made(&before, &observation(fresh(2, 1)), &[], at(second));
        assert_eq!(computed.status.run.unwrap().events, 2, "{second}");
        assert_eq!(computed.retry_after, None);
    }
}

#[test]
fn what_somebody_waits_for_is_more_than_progress() {
    let nothing = LiveDataProcessorStatus::default();
    let waiting = Observation {
        deployment: deployment(0),
        claims: claims("Pending"),
        ..Observation::default()
    };
    let starting = made(&nothing, &waiting, &[], at(0)).status;
    let bound = Observation {
        claims: claims("Bound"),
        ..waiting.clone()
    };
    let further = made(&starting, &bound, &[], at(1)).status;
    assert_ne!(starting, further);
    assert!(only_progress(&nothing, &starting));
    assert!(only_progress(&starting, &further));
    let ready = made(&further, &observation(ReportState::NotPolled), &[], at(2)).status;
    assert!(!only_progress(&further, &ready));
    // The loss of a worker, and a degradation that begins or ends, are more than progress.
    assert!(!only_progress(&ready, &further));
    let trouble = made(
        &starting,
        &waiting,
        &[Problem::new(ConditionReason::Refused, "a quota")],
        at(1),
    )
    .status;
    assert!(!only_progress(&starting, &trouble));
    assert!(!only_progress(&trouble, &further));
}
