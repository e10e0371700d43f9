//! Fifth step of a reconcile: the present state of one resource's worker, as a value.
//!
//! Promises: no request; the state comes from the watches and the poll. Must not: draw conclusions; `status` does.
//!
//! # Layout
//! - [`deployment`], [`pods`]: fields that matter of a Deployment and of a pod.
//! - [`poll`]: requests for the workers' reports; [`reports`]: the newest of each; [`report_summary`]: the part kept of it.

pub mod deployment;
pub mod pods;
pub mod poll;
pub mod report_summary;
pub mod reports;

use std::sync::Arc;

use serde_json::Value;

use crate::names::Names;
use crate::object_cache::ObjectCache;
use crate::object_kind::ObjectKind;
use deployment::DeploymentState;
use pods::{WorkerPod, WorkerPods};
use reports::{ReportState, WorkerReports};

/// State of one resource's worker and volumes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The worker's Deployment; `None` until it is created.
    pub deployment: Option<DeploymentState>,
    /// The worker's pods, oldest first.
    pub pods: Vec<Arc<WorkerPod>>,
    /// Claims of the plan.
    pub claims: Vec<ClaimState>,
    /// Volumes of those claims that Kubernetes could not reclaim.
    pub failed_volumes: Vec<FailedVolume>,
    /// Report of the pod that represents the resource.
    pub report: ReportState,
}

impl Observation {
    /// First claim that is absent or not bound.
    pub fn unbound_claim(&self) -> Option<&ClaimState> {
        self.claims.iter().find(|claim| claim.phase.as_deref() != Some("Bound"))
    }
}

/// Claim of a plan, present or absent in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimState {
    pub name: String,
    /// `status.phase`; `None` if the claim does not exist.
    pub phase: Option<String>,
}

/// Volume in phase Failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailedVolume {
    pub name: String,
    /// `status.message`, else `status.reason`.
    pub message: String,
}

/// Present state of the worker of `names`; `claims` are the names of the plan's claims.
pub fn observe(
    objects: &ObjectCache,
    pods: &WorkerPods,
    reports: &WorkerReports,
    names: &Names,
    claims: &[String],
) -> Observation {
    let deployment = objects
        .get(ObjectKind::Deployment, &names.namespace, &names.deployment())
        .map(|object| DeploymentState::from(&object.value()));
    let pods = pods.of_resource(&names.namespace, &names.resource);
    let mut claim_states = Vec::new();
    let mut failed_volumes = Vec::new();
    for name in claims {
        let claim = objects
            .get(ObjectKind::PersistentVolumeClaim, &names.namespace, name)
            .map(|object| object.value());
        failed_volumes.extend(claim.as_ref().and_then(|claim| failed_volume(objects, claim)));
        claim_states.push(ClaimState {
            name: name.clone(),
            phase: claim.map(|claim| text(&claim, "/status/phase").unwrap_or_else(|| "Pending".to_owned())),
        });
    }
    let report = reports.of_pods(&pods);
    Observation {
        deployment,
        pods,
        claims: claim_states,
        failed_volumes,
        report,
    }
}

fn text(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

/// Volume of a claim, if it is in phase Failed.
fn failed_volume(objects: &ObjectCache, claim: &Value) -> Option<FailedVolume> {
    let name = text(claim, "/spec/volumeName")?;
    let volume = objects.get(ObjectKind::PersistentVolume, "", &name)?.value();
    (text(&volume, "/status/phase")? == "Failed").then(|| FailedVolume {
        name,
        message: text(&volume, "/status/message")
            .or_else(|| text(&volume, "/status/reason"))
            .unwrap_or_else(|| "no reason was given".to_owned()),
    })
}
