//! State of a worker's Deployment.

use serde_json::Value;

/// Fields of a Deployment that the status depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploymentState {
    /// The Deployment controller has seen the newest generation of the spec.
    pub current: bool,
    /// Pods that the spec asks for: 0 or 1.
    pub replicas: i64,
    /// Pods of the newest template.
    pub updated: i64,
    /// Pods that have been ready for `minReadySeconds`.
    pub available: i64,
    /// Pods of any template.
    pub total: i64,
    /// Image of the template's first container.
    pub image: Option<String>,
    /// Message of the condition ReplicaFailure: a quota or an admission policy refuses pods.
    pub replica_failure: Option<String>,
    /// `progressDeadlineSeconds` have passed without progress.
    pub deadline_exceeded: bool,
}

impl DeploymentState {
    /// True if only pods of the newest template are left, and all of them are available.
    pub fn is_rolled_out(&self) -> bool {
        self.current && self.updated == self.replicas && self.total == self.replicas && self.available == self.replicas
    }
}

impl From<&Value> for DeploymentState {
    fn from(deployment: &Value) -> Self {
        let number = |path: &str| deployment.pointer(path).and_then(Value::as_i64);
        let condition = |type_: &str| {
            deployment
                .pointer("/status/conditions")
                .and_then(Value::as_array)
                .and_then(|conditions| conditions.iter().find(|condition| condition["type"] == type_))
        };
        let replica_failure = condition("ReplicaFailure")
            .filter(|condition| condition["status"] == "True")
            .and_then(|condition| condition["message"].as_str())
            .map(str::to_owned);
        Self {
            current: number("/status/observedGeneration") >= number("/metadata/generation"),
            replicas: number("/spec/replicas").unwrap_or(1),
            updated: number("/status/updatedReplicas").unwrap_or(0),
            available: number("/status/availableReplicas").unwrap_or(0),
            total: number("/status/replicas").unwrap_or(0),
            image: deployment
                .pointer("/spec/template/spec/containers/0/image")
                .and_then(Value::as_str)
                .map(str::to_owned),
            replica_failure,
            deadline_exceeded: condition("Progressing")
                .is_some_and(|condition| condition["reason"] == "ProgressDeadlineExceeded"),
        }
    }
}
