//! The LiveDataProcessor resource and its spec.
//!
//! Promises: camelCase; every field is optional; no schema default for a field that a site's configuration may set; a spec
//! that the schema and its CEL rules accept is meaningful by itself. Must not: hold defaults of the operator, which are in
//! its `validate` module, or check anything that needs the cluster.

// Each printer column names its own type and path; the lint takes them for repetitions.
#![allow(clippy::duplicated_attributes)]

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, ResourceRequirements, Toleration};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::image::ImageSpec;
use crate::kafka::KafkaSpec;
use crate::live::LiveSpec;
use crate::script::ScriptSpec;
use crate::security::SecuritySpec;
use crate::status::LiveDataProcessorStatus;
use crate::storage::StorageSpec;

/// Live data processing of one instrument. Every field is optional: a field that is left out comes from the operator's
/// configuration, and the instrument from the resource's name in upper case.
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "fia.com",
    version = "v1",
    kind = "LiveDataProcessor",
    plural = "livedataprocessors",
    singular = "livedataprocessor",
    shortname = "ldp",
    category = "fia",
    namespaced,
    status = "LiveDataProcessorStatus",
    derive = "PartialEq",
    derive = "Default",
    doc = "Processes one instrument's live data: reads its stream, reduces it with a script, publishes the result.",
    printcolumn(
        name = "Instrument",
        type_ = "string",
        json_path = ".status.instrument",
        description = "Instrument whose topics are read"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "True while a worker is available"
    ),
    printcolumn(
        name = "Run",
        type_ = "string",
        json_path = ".status.run.number",
        description = "Newest run"
    ),
    printcolumn(
        name = "Events",
        type_ = "integer",
        json_path = ".status.run.events",
        description = "Events in the run"
    ),
    printcolumn(
        name = "Rate",
        type_ = "integer",
        json_path = ".status.rate",
        description = "Events per second"
    ),
    printcolumn(
        name = "Lag",
        type_ = "number",
        json_path = ".status.lagSeconds",
        description = "Seconds behind the stream"
    ),
    printcolumn(
        name = "Script",
        type_ = "string",
        json_path = ".status.script.state",
        description = "Result of the script's last execution"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Engine",
        type_ = "string",
        json_path = ".status.engine",
        priority = 1,
        description = "Engine that runs the script"
    ),
    printcolumn(
        name = "Image",
        type_ = "string",
        json_path = ".status.image",
        priority = 1,
        description = "Image of the worker"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.message",
        priority = 1,
        description = "Most important message of the conditions"
    )
)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.instrument) == has(oldSelf.instrument) && (!has(self.instrument) || self.instrument == oldSelf.instrument)",
        "message": "instrument cannot be changed: delete the resource and create one for the other instrument",
        "fieldPath": ".instrument"
    },
    {
        "rule": "!(has(self.script) && has(self.script.source) && has(self.live) && (has(self.live.processingAlgorithm) || has(self.live.processingScript) || has(self.live.processingScriptFilename)))",
        "message": "choose one: script.source executes a reduction script, live.processing* processes chunks as StartLiveData does"
    }
]))]
pub struct LiveDataProcessorSpec {
    /// Instrument, as in the topic `<INSTRUMENT>_events`. Left out: the resource's name in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"))]
    pub instrument: Option<String>,
    /// Image of the worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Source of the instrument's stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaSpec>,
    /// Reduction script and the times of its executions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptSpec>,
    /// Properties of Mantid's StartLiveData, which processes the stream in chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSpec>,
    /// Volumes of the output, the archive and the instrument definitions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// Replacement of the old worker by a new one. Left out: RollingUpdate, or Recreate where the output claim is
    /// ReadWriteOnce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<UpdateStrategy>,
    /// User and groups of the worker's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySpec>,
    /// CPU and memory of the worker; 32Gi requested and 128Gi allowed when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// Labels of the nodes that may run the worker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that the worker tolerates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<Vec<Toleration>>,
    /// Affinity of the worker's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Name of the priority class of the worker's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub priority_class_name: Option<String>,
    /// Least severity of the worker's log lines; Info when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<LogLevel>,
    /// True stops the worker and keeps its objects and data; false when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// Replacement of the old worker by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpdateStrategy {
    /// The old worker stops when the new one is ready; the nodes need room for both.
    RollingUpdate,
    /// The old worker stops before the new one starts.
    Recreate,
}

/// Least severity of the worker's log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// Errors and warnings.
    Warn,
    /// Events of the operation too, such as starts of runs.
    Info,
    /// Decisions of the worker too.
    Debug,
    /// Single messages too.
    Trace,
}
