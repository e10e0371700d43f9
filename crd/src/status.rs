//! Status of the LiveDataProcessor.
//!
//! Promises: it contains everything that `kubectl get ldp` prints; no field holds a secret; no field changes merely because
//! time passes. Must not: compute anything; the operator's `status` does.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reason::ConditionType;

/// State of the resource's worker, as the operator observed it last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct LiveDataProcessorStatus {
    /// Generation of the spec that this status belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Instrument whose topics are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// Ready, Progressing, Degraded and StorageReady, each with a reason and a message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
    /// Message of Degraded if that is True, else of Ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Newest run, open or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunStatus>,
    /// Events per second, to three significant digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<i64>,
    /// Seconds behind the stream, to a tenth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Reduction script and its last execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptStatus>,
    /// Engine that runs the script: `native` or `mantid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// Image of the Deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Time of the figures above (events, rate, lag); changes only with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker_report_time: Option<Time>,
}

impl LiveDataProcessorStatus {
    /// Condition of one type, if the status has it.
    pub fn condition(&self, type_: ConditionType) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.type_ == type_.name())
    }
}

/// Newest run of the worker's report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RunStatus {
    /// Name of the run.
    pub number: String,
    /// First pulse time, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// Events in the run.
    pub events: i64,
}

/// Reduction script and its last execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScriptStatus {
    /// `Succeeded`, `Failed` or, before the first execution, `Waiting`.
    pub state: String,
    /// SHA-256 of the script's text, hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Start of the last execution, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// Duration of the last execution in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_duration: Option<f64>,
    /// End of the last execution's traceback, at most 1 KiB; absent after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}
