//! The four conditions of a resource.
//!
//! Promises: Ready follows the Deployment; Degraded lists every problem, the worst first, and takes its reason from that;
//! a transition time changes only with the status. Must not: read the clock or the cluster.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use live_data_crd::reason::{ConditionReason, ConditionType};

use super::input::StatusInput;
use crate::observe::Observation;
use crate::observe::deployment::DeploymentState;
use crate::observe::report_summary::ReportSummary;
use crate::observe::reports::ReportState;
use crate::problem::Problem;

/// Lag in seconds above which a worker counts as behind the stream.
const MAX_LAG_SECONDS: f64 = 60.0;
/// Longest message of a condition in characters; the API allows 32 KiB.
const MAX_MESSAGE_CHARS: usize = 2048;

struct ConditionState {
    holds: bool,
    reason: ConditionReason,
    message: String,
}

impl ConditionState {
    fn met(reason: ConditionReason, message: impl Into<String>) -> Self {
        Self {
            holds: true,
            reason,
            message: message.into(),
        }
    }

    fn unmet(reason: ConditionReason, message: impl Into<String>) -> Self {
        Self {
            holds: false,
            reason,
            message: message.into(),
        }
    }
}

/// Conditions in the order of [`ConditionType`]. `previous` are the present ones, `now` is the time of new transitions.
pub fn conditions(previous: &[Condition], input: &StatusInput<'_>, now: Timestamp) -> Vec<Condition> {
    let former = |type_: ConditionType| previous.iter().find(|condition| condition.type_ == type_.name());
    let problems = all_problems(input);
    let states = [
        (ConditionType::Ready, ready(input, &problems)),
        (ConditionType::Progressing, progressing(input)),
        (
            ConditionType::Degraded,
            degraded(input, &problems, former(ConditionType::Degraded)),
        ),
        (ConditionType::StorageReady, storage(input)),
    ];
    states
        .into_iter()
        .map(|(type_, state)| {
            let status = if state.holds { "True" } else { "False" };
            let last_transition_time = former(type_).filter(|former| former.status == status).map_or_else(
                || Time(whole_seconds(now)),
                |former| former.last_transition_time.clone(),
            );
            Condition {
                type_: type_.name().into(),
                status: status.into(),
                reason: state.reason.name().into(),
                message: shortened(state.message),
                observed_generation: input.generation,
                last_transition_time,
            }
        })
        .collect()
}

/// Time without its fraction, because the API stores whole seconds and a finer time would never compare equal.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn ready(input: &StatusInput<'_>, problems: &[Problem]) -> ConditionState {
    use ConditionReason as Reason;
    if input.suspend {
        return ConditionState::unmet(Reason::Suspended, "spec.suspend is true: there is no worker");
    }
    match &input.observation.deployment {
        Some(deployment) if deployment.available > 0 => ConditionState::met(Reason::WorkerReady, "a worker is ready"),
        // Without a plan nothing is built, and the first problem is the reason.
        _ => match problems.first() {
            Some(problem) => ConditionState::unmet(problem.reason, problem.message.clone()),
            None if input.observation.pods.iter().any(|pod| pod.running) => ConditionState::unmet(
                Reason::CatchingUp,
                "the worker runs and reads the stream from the run's start; it is ready when it has caught up",
            ),
            None => ConditionState::unmet(Reason::WorkerStarting, "the worker is being started"),
        },
    }
}

fn progressing(input: &StatusInput<'_>) -> ConditionState {
    use ConditionReason as Reason;
    if let Some(waiting) = input.waiting.first() {
        return ConditionState::met(
            Reason::WaitingForDeletion,
            format!(
                "{waiting} is being deleted and will be made anew; claims and volumes go when no pod uses them any more: \
                 suspend the resource to let them go"
            ),
        );
    }
    if !input.planned {
        return ConditionState::unmet(Reason::Blocked, "nothing is made until what Degraded says is put right");
    }
    match &input.observation.deployment {
        None => ConditionState::met(Reason::Creating, "the objects are being made"),
        Some(deployment) if deployment.deadline_exceeded => {
            ConditionState::unmet(Reason::DeadlineExceeded, deadline_message(deployment))
        }
        Some(deployment) if input.suspend && deployment.total > 0 => {
            ConditionState::met(Reason::Suspending, "the worker is being stopped")
        }
        Some(deployment) if !deployment.current || deployment.updated < deployment.replicas => {
            ConditionState::met(Reason::RollingOut, "a new worker is being made")
        }
        Some(deployment) if deployment.total > deployment.replicas || deployment.available < deployment.replicas => {
            ConditionState::met(
                Reason::RollingOut,
                format!("a new worker is getting ready; {}", old_worker(deployment)),
            )
        }
        Some(_) => ConditionState::unmet(Reason::Complete, "everything is as the spec says"),
    }
}

fn deadline_message(deployment: &DeploymentState) -> String {
    format!("the new worker is not ready after an hour; {}", old_worker(deployment))
}

fn old_worker(deployment: &DeploymentState) -> &'static str {
    if deployment.available > 0 {
        "the old one goes on until then"
    } else {
        "there is no old one that goes on"
    }
}

fn degraded(input: &StatusInput<'_>, problems: &[Problem], former: Option<&Condition>) -> ConditionState {
    let mut all = problems.to_vec();
    match &input.observation.report {
        ReportState::Fresh(report) => all.extend(reported_problems(report)),
        ReportState::Missing(message) => all.push(Problem::new(ConditionReason::NoReport, message.clone())),
        // A new leader has no reports yet: a reason that came from one stays until the first poll.
        ReportState::NotPolled => {
            if all.is_empty()
                && let Some(former) = former
                && let Ok(reason) = former.reason.parse::<ConditionReason>()
                && reason.description().reported_by_worker
            {
                return ConditionState {
                    holds: former.status == "True",
                    reason,
                    message: former.message.clone(),
                };
            }
        }
        ReportState::NoWorker => {}
    }
    match all.first() {
        None => ConditionState::unmet(ConditionReason::AsExpected, "nothing is wrong"),
        Some(worst) => {
            let messages: Vec<&str> = all.iter().map(|problem| problem.message.as_str()).collect();
            ConditionState::met(worst.reason, messages.join("; "))
        }
    }
}

/// Problems that a worker's report contains.
fn reported_problems(report: &ReportSummary) -> Vec<Problem> {
    let mut problems: Vec<Problem> = report
        .degraded
        .iter()
        .map(|degradation| {
            Problem::new(
                ConditionReason::WorkerDegraded,
                format!("{}: {}", degradation.reason, degradation.message),
            )
        })
        .collect();
    if let Some(error) = &report.script_last_error {
        let last = error
            .lines()
            .rev()
            .find(|line| !line.trim().is_empty())
            .unwrap_or_default();
        problems.push(Problem::new(
            ConditionReason::ScriptFailed,
            format!("the script failed: {}", last.trim()),
        ));
    }
    if report.lag_seconds.is_some_and(|lag| lag > MAX_LAG_SECONDS) {
        problems.push(Problem::new(
            ConditionReason::Lagging,
            format!("the worker is more than {MAX_LAG_SECONDS} s behind the stream"),
        ));
    }
    problems
}

fn storage(input: &StatusInput<'_>) -> ConditionState {
    use ConditionReason as Reason;
    if let Some(problem) = input
        .problems
        .iter()
        .find(|problem| problem.reason.description().concerns_storage)
    {
        return ConditionState::unmet(problem.reason, problem.message.clone());
    }
    if !input.planned {
        return ConditionState::unmet(
            Reason::Blocked,
            "no volume is made until what Degraded says is put right",
        );
    }
    if let Some(volume) = input.observation.failed_volumes.first() {
        return ConditionState::unmet(
            Reason::VolumeFailed,
            format!(
                "the volume {} is Failed: {}; delete it and its claim, and both are made anew (the data stay)",
                volume.name, volume.message
            ),
        );
    }
    if let Some(claim) = input.observation.unbound_claim() {
        let name = &claim.name;
        return match claim.phase.as_deref() {
            Some("Lost") => ConditionState::unmet(
                Reason::ClaimLost,
                format!("the volume of the claim {name} is gone: delete the claim, and both are made anew"),
            ),
            Some(_) => ConditionState::unmet(Reason::Binding, format!("the claim {name} is not bound yet")),
            None => ConditionState::unmet(Reason::Creating, format!("the claim {name} is being made")),
        };
    }
    if input.observation.claims.is_empty() {
        ConditionState::met(Reason::NotNeeded, "no volume is made for this resource")
    } else {
        ConditionState::met(Reason::Bound, "all claims are bound")
    }
}

/// Problems of validation and apply, then those of the newest pod and of the Deployment; the report's are not included.
fn all_problems(input: &StatusInput<'_>) -> Vec<Problem> {
    let Observation { deployment, pods, .. } = input.observation;
    let mut all = input.problems.to_vec();
    if !input.suspend {
        // Only the newest pod counts: another one is being replaced.
        let newest = pods.iter().rev().find(|pod| !pod.deleting);
        all.extend(
            newest
                .and_then(|pod| pod.problem.clone())
                .filter(|problem| !is_due_to_binding(problem, input.observation)),
        );
        if let Some(deployment) = deployment {
            if let Some(message) = &deployment.replica_failure {
                all.push(Problem::new(
                    ConditionReason::PodRefused,
                    format!("the pod is refused: {message}"),
                ));
            }
            if deployment.deadline_exceeded {
                all.push(Problem::new(
                    ConditionReason::DeadlineExceeded,
                    deadline_message(deployment),
                ));
            }
        }
    }
    // A site that lacks a value matters least while the worker exists.
    all.sort_by_key(|problem| problem.reason == ConditionReason::SiteNotConfigured && input.planned);
    all
}

/// True for a pod without node while its claims are being bound, which StorageReady already shows.
fn is_due_to_binding(problem: &Problem, observation: &Observation) -> bool {
    problem.reason == ConditionReason::Unschedulable
        && (observation.unbound_claim().is_some() || problem.message.contains("unbound immediate"))
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
