//! The LiveDataProcessor's status: what the operator has seen.
//!
//! Promises: everything `kubectl get ldp` prints is here; no field holds a secret; nothing changes while
//! nothing changes (the operator writes it only when it differs). It must not compute anything.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the operator has seen of the resource's worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct LiveDataProcessorStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The instrument whose topics are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Ready, Progressing, Degraded and StorageReady, each with a reason and a message in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// The most important message of the conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The run in view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// Events per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<i64>,
    /// Seconds behind the stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// The reduction script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptStatus>,
    /// The engine that runs the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// The image that the Deployment runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// When the figures above were reported; changes only with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_report_time: Option<Time>,
}

/// The run in view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RunStatus {
    /// The run's name.
    pub number: String,
    /// First pulse time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Events in the run.
    pub events: i64,
}

/// The reduction script.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScriptStatus {
    /// `Succeeded`, `Failed` or, before the first execution, `Waiting`.
    pub state: String,
    /// SHA-256 of the script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// When it was last executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// How long that took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_duration: Option<f64>,
    /// How it failed; at most 1 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// The condition types of the resource.
pub mod condition {
    /// A worker is ready: follows the Deployment, never the worker's report.
    pub const READY: &str = "Ready";
    /// Something is being changed.
    pub const PROGRESSING: &str = "Progressing";
    /// Something is wrong, although what runs may go on.
    pub const DEGRADED: &str = "Degraded";
    /// The volumes are bound and as the resource says.
    pub const STORAGE_READY: &str = "StorageReady";
}
