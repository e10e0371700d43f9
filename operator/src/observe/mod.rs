//! What the cluster and the workers say about one resource's worker.
//!
//! Promises: an observation is a value; it is put together from what the watches and the poll have brought, without
//! a request. It must not judge; `status` does.
//!
//! # Layout
//! - [`pods`]: what matters of a pod, and why it does not run.
//! - [`reports`]: the workers' own reports, polled.

pub mod pods;
pub mod reports;

use std::sync::Arc;

use serde_json::Value;

use crate::names::Names;
use crate::objects::{Kind, Live, Objects};
use pods::{PodSeen, Pods};
use reports::{ReportState, Reports};

/// Everything that is known about one resource's worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// Its Deployment.
    pub deployment: Option<DeploymentSeen>,
    /// Its pods, the newest last.
    pub pods: Vec<Arc<PodSeen>>,
    /// Claims of ours: name and phase; absent when there is no such claim.
    pub claims: Vec<(String, Option<String>)>,
    /// Volumes of those claims that the control plane has given up: name and its words.
    pub failed_volumes: Vec<(String, String)>,
    /// The report of the pod that speaks for the resource.
    pub report: ReportState,
}

/// What matters of a Deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentSeen {
    /// Whether its controller has seen the newest spec.
    pub current: bool,
    /// Pods that it should have.
    pub replicas: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods that are available.
    pub available: i64,
    /// Pods of whatever template.
    pub total: i64,
    /// The image of its template.
    pub image: Option<String>,
    /// Message of the condition ReplicaFailure: a quota or an admission policy refuses pods.
    pub replica_failure: Option<String>,
    /// Whether the deadline for progress has passed.
    pub deadline_exceeded: bool,
}

impl DeploymentSeen {
    /// Whether no pod is left but those of the newest template, all of them available.
    pub fn is_rolled_out(&self) -> bool {
        self.current && self.updated == self.replicas && self.total == self.replicas && self.available == self.replicas
    }
}

/// Puts together what is known. `claims` are the names of the claims that the plan has.
pub fn observe(objects: &Objects, pods: &Pods, reports: &Reports, names: &Names, claims: &[String]) -> Observation {
    let deployment = objects
        .get(Kind::Deployment, &names.namespace, &names.deployment())
        .map(|live| deployment(&live.value()));
    let pods = pods.of(&names.namespace, &names.resource);
    let claims: Vec<_> = claims
        .iter()
        .map(|name| {
            (
                name.clone(),
                objects.get(Kind::PersistentVolumeClaim, &names.namespace, name),
            )
        })
        .collect();
    let failed_volumes = claims
        .iter()
        .filter_map(|(_, claim)| failed_volume(objects, &claim.as_ref()?.value()))
        .collect();
    let claims = claims
        .into_iter()
        .map(|(name, claim)| {
            let phase = |live: Arc<Live>| text(&live.value(), "/status/phase").unwrap_or_else(|| "Pending".to_owned());
            (name, claim.map(phase))
        })
        .collect();
    let report = reports.of(&pods);
    Observation {
        deployment,
        pods,
        claims,
        failed_volumes,
        report,
    }
}

fn text(value: &Value, path: &str) -> Option<String> {
    value.pointer(path).and_then(Value::as_str).map(str::to_owned)
}

/// The volume of a claim, if the control plane has given it up.
fn failed_volume(objects: &Objects, claim: &Value) -> Option<(String, String)> {
    let name = text(claim, "/spec/volumeName")?;
    let volume = objects.get(Kind::PersistentVolume, "", &name)?.value();
    (text(&volume, "/status/phase")? == "Failed").then(|| {
        let words = text(&volume, "/status/message").or_else(|| text(&volume, "/status/reason"));
        (name, words.unwrap_or_else(|| "no reason was given".to_owned()))
    })
}

/// What matters of a Deployment.
pub fn deployment(value: &Value) -> DeploymentSeen {
    let number = |path: &str| value.pointer(path).and_then(Value::as_i64);
    let condition = |kind: &str| {
        value
            .pointer("/status/conditions")
            .and_then(Value::as_array)
            .and_then(|conditions| conditions.iter().find(|condition| condition["type"] == kind))
    };
    let replica_failure = condition("ReplicaFailure")
        .filter(|condition| condition["status"] == "True")
        .and_then(|condition| condition["message"].as_str())
        .map(str::to_owned);
    DeploymentSeen {
        current: number("/status/observedGeneration") >= number("/metadata/generation"),
        replicas: number("/spec/replicas").unwrap_or(1),
        updated: number("/status/updatedReplicas").unwrap_or(0),
        available: number("/status/availableReplicas").unwrap_or(0),
        total: number("/status/replicas").unwrap_or(0),
        image: value
            .pointer("/spec/template/spec/containers/0/image")
            .and_then(Value::as_str)
            .map(str::to_owned),
        replica_failure,
        deadline_exceeded: condition("Progressing")
            .is_some_and(|condition| condition["reason"] == "ProgressDeadlineExceeded"),
    }
}
