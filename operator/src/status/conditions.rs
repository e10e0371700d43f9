//! The four conditions, each with a reason in one word and a message in words.
//!
//! Promises: Ready follows the Deployment; Degraded lists everything that is wrong, the worst first, and takes its
//! reason from that; a transition time changes only with the status. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use live_data_crd::status::condition;

use super::Knowledge;
use crate::observe::reports::ReportState;
use crate::observe::{DeploymentSeen, Observation};
use crate::validate::Problem;

/// A worker that is this far behind does not show the present, seconds.
const LAG: f64 = 60.0;
/// Longest message of a condition; the API takes 32 KiB, a reader less.
const LONGEST: usize = 2048;
/// Reasons of Degraded that only a report can bring; they stay until the worker has been asked again.
pub const FROM_REPORT: [&str; 4] = ["NoReport", "Lagging", "ScriptFailed", "WorkerDegraded"];

struct Finding {
    holds: bool,
    reason: String,
    message: String,
}

impl Finding {
    fn new(holds: bool, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            holds,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// Makes the conditions.
pub fn conditions(previous: &[Condition], knowledge: &Knowledge<'_>, now: Timestamp) -> Vec<Condition> {
    let former = |kind: &str| previous.iter().find(|condition| condition.type_ == kind);
    let troubles = troubles(knowledge);
    let findings = [
        (condition::READY, ready(knowledge, &troubles)),
        (condition::PROGRESSING, progressing(knowledge)),
        (
            condition::DEGRADED,
            degraded(knowledge, &troubles, former(condition::DEGRADED)),
        ),
        (condition::STORAGE_READY, storage(knowledge)),
    ];
    findings
        .into_iter()
        .map(|(kind, finding)| {
            let status = if finding.holds { "True" } else { "False" };
            let last_transition_time = former(kind).filter(|former| former.status == status).map_or_else(
                || Time(super::whole_seconds(now)),
                |former| former.last_transition_time.clone(),
            );
            Condition {
                type_: kind.into(),
                status: status.into(),
                reason: finding.reason,
                message: shortened(finding.message),
                observed_generation: knowledge.generation,
                last_transition_time,
            }
        })
        .collect()
}

fn ready(knowledge: &Knowledge<'_>, troubles: &[Problem]) -> Finding {
    if knowledge.suspend {
        return Finding::new(false, "Suspended", "spec.suspend is true: there is no worker");
    }
    match &knowledge.observation.deployment {
        Some(deployment) if deployment.available > 0 => Finding::new(true, "WorkerReady", "a worker is ready"),
        // Without a plan nothing is made, and the first problem says why.
        _ => match troubles.first() {
            Some(trouble) => Finding::new(false, trouble.reason, trouble.message.clone()),
            None if knowledge.observation.pods.iter().any(|pod| pod.running) => Finding::new(
                false,
                "CatchingUp",
                "the worker runs and reads the stream from the run's start; it is ready when it has caught up",
            ),
            None => Finding::new(false, "WorkerStarting", "the worker is being started"),
        },
    }
}

fn progressing(knowledge: &Knowledge<'_>) -> Finding {
    if let Some(waiting) = knowledge.waiting.first() {
        return Finding::new(
            true,
            "WaitingForDeletion",
            format!(
                "{waiting} is being deleted and will be made anew; claims and volumes go when no pod uses them any more: \
                 suspend the resource to let them go"
            ),
        );
    }
    if !knowledge.planned {
        return Finding::new(
            false,
            "Blocked",
            "nothing is made until what Degraded says is put right",
        );
    }
    match &knowledge.observation.deployment {
        None => Finding::new(true, "Creating", "the objects are being made"),
        Some(deployment) if deployment.deadline_exceeded => Finding::new(
            false,
            "DeadlineExceeded",
            format!("the new worker is not ready after an hour; {}", old_one(deployment)),
        ),
        Some(deployment) if knowledge.suspend && deployment.total > 0 => {
            Finding::new(true, "Suspending", "the worker is being stopped")
        }
        Some(deployment) if !deployment.current || deployment.updated < deployment.replicas => {
            Finding::new(true, "RollingOut", "a new worker is being made")
        }
        Some(deployment) if deployment.total > deployment.replicas || deployment.available < deployment.replicas => {
            Finding::new(
                true,
                "RollingOut",
                format!("a new worker is getting ready; {}", old_one(deployment)),
            )
        }
        Some(_) => Finding::new(false, "Complete", "everything is as the spec says"),
    }
}

fn old_one(deployment: &DeploymentSeen) -> &'static str {
    if deployment.available > 0 {
        "the old one goes on until then"
    } else {
        "there is no old one that goes on"
    }
}

fn degraded(knowledge: &Knowledge<'_>, troubles: &[Problem], former: Option<&Condition>) -> Finding {
    let mut all: Vec<(String, String)> = troubles
        .iter()
        .map(|trouble| (trouble.reason.to_owned(), trouble.message.clone()))
        .collect();
    match &knowledge.observation.report {
        ReportState::Fresh(report) => {
            for degradation in &report.degraded {
                all.push((
                    "WorkerDegraded".into(),
                    format!("{}: {}", degradation.reason, degradation.message),
                ));
            }
            if let Some(error) = &report.script_last_error {
                let last = error
                    .lines()
                    .rev()
                    .find(|line| !line.trim().is_empty())
                    .unwrap_or_default();
                all.push(("ScriptFailed".into(), format!("the script failed: {}", last.trim())));
            }
            if report.lag_seconds.is_some_and(|lag| lag > LAG) {
                all.push((
                    "Lagging".into(),
                    format!("the worker is more than {LAG} s behind the stream"),
                ));
            }
        }
        ReportState::Missing(message) => all.push(("NoReport".into(), message.clone())),
        // Nothing is known yet: what was last known stays.
        ReportState::NotPolled => {
            if let Some(former) = former.filter(|former| FROM_REPORT.contains(&former.reason.as_str()))
                && all.is_empty()
            {
                return Finding::new(former.status == "True", former.reason.clone(), former.message.clone());
            }
        }
        ReportState::NoWorker => {}
    }
    match all.first() {
        None => Finding::new(false, "AsExpected", "nothing is wrong"),
        Some((reason, _)) => {
            let messages: Vec<&str> = all.iter().map(|(_, message)| message.as_str()).collect();
            Finding::new(true, reason.clone(), messages.join("; "))
        }
    }
}

fn storage(knowledge: &Knowledge<'_>) -> Finding {
    const STORAGE: [&str; 4] = ["VolumeTaken", "ClaimTaken", "VolumeDiffers", "ClaimMissing"];
    if let Some(problem) = knowledge
        .problems
        .iter()
        .find(|problem| STORAGE.contains(&problem.reason))
    {
        return Finding::new(false, problem.reason, problem.message.clone());
    }
    if !knowledge.planned {
        return Finding::new(
            false,
            "Blocked",
            "no volume is made until what Degraded says is put right",
        );
    }
    if let Some((name, words)) = knowledge.observation.failed_volumes.first() {
        return Finding::new(
            false,
            "VolumeFailed",
            format!(
                "the volume {name} is Failed: {words}; delete it and its claim, and both are made anew (the data stay)"
            ),
        );
    }
    let claims = &knowledge.observation.claims;
    if let Some((name, phase)) = claims.iter().find(|(_, phase)| phase.as_deref() != Some("Bound")) {
        return match phase.as_deref() {
            Some("Lost") => Finding::new(
                false,
                "ClaimLost",
                format!("the volume of the claim {name} is gone: delete the claim, and both are made anew"),
            ),
            Some(_) => Finding::new(false, "Binding", format!("the claim {name} is not bound yet")),
            None => Finding::new(false, "Creating", format!("the claim {name} is being made")),
        };
    }
    if claims.is_empty() {
        Finding::new(true, "NotNeeded", "no volume is made for this resource")
    } else {
        Finding::new(true, "Bound", "all claims are bound")
    }
}

/// What is wrong, but for the report: what validation and apply found, then what the pods and the Deployment tell.
fn troubles(knowledge: &Knowledge<'_>) -> Vec<Problem> {
    let Observation {
        deployment,
        pods,
        claims,
        ..
    } = knowledge.observation;
    let mut all = knowledge.problems.to_vec();
    if !knowledge.suspend {
        // The newest pod is the one that is wanted; trouble of one that goes does not matter. No node takes a pod
        // whose claims are being bound: StorageReady tells of that.
        let binding = claims.iter().any(|(_, phase)| phase.as_deref() != Some("Bound"));
        let newest = pods.iter().rev().find(|pod| !pod.deleting);
        if let Some(trouble) = newest.and_then(|pod| pod.trouble.clone())
            && !(trouble.reason == "Unschedulable" && (binding || trouble.message.contains("unbound immediate")))
        {
            all.push(trouble);
        }
        if let Some(message) = deployment
            .as_ref()
            .and_then(|deployment| deployment.replica_failure.clone())
        {
            all.push(Problem::new("PodRefused", format!("the pod is refused: {message}")));
        }
        if let Some(deployment) = deployment.as_ref().filter(|deployment| deployment.deadline_exceeded) {
            all.push(Problem::new(
                "DeadlineExceeded",
                format!("the new worker is not ready after an hour; {}", old_one(deployment)),
            ));
        }
    }
    let blocking = |problem: &Problem| u8::from(problem.reason == "SiteNotConfigured" && knowledge.planned);
    all.sort_by_key(blocking);
    all
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
