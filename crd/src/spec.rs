//! The LiveDataProcessor resource: what a user may ask for.
//!
//! Promises: camelCase, every field optional, and no schema default where a site's configuration may have a
//! say; what the schema and its CEL rules let through is meaningful by itself. What only the cluster can know
//! is left to the operator. It must not hold defaults of the operator (see its `validate` module).

// Each printer column names its own type and path; the lint takes them for repetitions.
#![allow(clippy::duplicated_attributes)]

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, ResourceRequirements, Toleration};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::status::LiveDataProcessorStatus;
use crate::storage::StorageSpec;

/// One instrument's live data processing. Every field is optional: what is left out comes from the operator's
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
        description = "Whether a worker is ready"
    ),
    printcolumn(
        name = "Run",
        type_ = "string",
        json_path = ".status.run.number",
        description = "Run in view"
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
        description = "How the script's last execution went"
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
        description = "What is wrong, or that all is well"
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
    /// The instrument, as in the topic `<INSTRUMENT>_events`. Left out: the resource's name in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_-]{0,31}$"))]
    pub instrument: Option<String>,
    /// The worker's image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSpec>,
    /// Where the stream comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<KafkaSpec>,
    /// The reduction script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<ScriptSpec>,
    /// Processing of chunks as Mantid's StartLiveData does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveSpec>,
    /// The volumes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<StorageSpec>,
    /// How a new worker replaces the old one. Left out: RollingUpdate, or Recreate where the output claim is
    /// ReadWriteOnce.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_strategy: Option<UpdateStrategy>,
    /// User and groups of the worker's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<SecuritySpec>,
    /// CPU and memory of the worker.
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
    /// Priority class of the worker's pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub priority_class_name: Option<String>,
    /// How much the worker logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<LogLevel>,
    /// True stops the worker and keeps its objects and data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}

/// The worker's image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ImageSpec {
    /// Repository, such as `ghcr.io/fiaisis/live-data-worker`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 255), regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$"))]
    pub repository: Option<String>,
    /// Tag. A digest, where there is one, wins.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"))]
    pub tag: Option<String>,
    /// Digest, `sha256:` and 64 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// When the node pulls the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
    /// Names of the secrets that the image is pulled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    pub pull_secrets: Option<Vec<String>>,
}

/// When the node pulls the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// At each start.
    Always,
    /// When the node does not have it.
    IfNotPresent,
    /// Never.
    Never,
}

/// Where the stream comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KafkaSpec {
    /// Brokers as `host:port`, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^[^\s,/]+:[0-9]{1,5}(,[^\s,/]+:[0-9]{1,5})*$"))]
    pub bootstrap_servers: Option<String>,
    /// Topic names that differ from `<INSTRUMENT>_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<TopicsSpec>,
    /// How the worker logs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<KafkaSecuritySpec>,
}

/// Topic names; each is `<INSTRUMENT>_…` when left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicsSpec {
    /// Events; `<INSTRUMENT>_events` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub events: Option<String>,
    /// Run starts and stops; `<INSTRUMENT>_runInfo` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub run_info: Option<String>,
    /// Sample logs; `<INSTRUMENT>_sampleEnv` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub sample_env: Option<String>,
    /// Which veto bits are in force; `<INSTRUMENT>_vetoConfig` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub veto_config: Option<String>,
}

/// How the worker logs in to Kafka. Secrets are mounted as files and never appear in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.protocol) || !self.protocol.startsWith('SASL_') || has(self.credentialsSecret)",
    "message": "a SASL protocol needs credentialsSecret",
    "fieldPath": ".credentialsSecret"
}]))]
pub struct KafkaSecuritySpec {
    /// Protocol of the brokers' listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<KafkaProtocol>,
    /// SASL mechanism; SCRAM-SHA-512 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<SaslMechanism>,
    /// Secret with the user and password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<CredentialsSecret>,
    /// Secret with the certificate authority that the brokers' certificates are checked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<KeyOfSecret>,
}

/// Protocol of the brokers' listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum KafkaProtocol {
    /// Neither encrypted nor authenticated.
    #[serde(rename = "PLAINTEXT")]
    Plaintext,
    /// Encrypted.
    #[serde(rename = "SSL")]
    Ssl,
    /// Authenticated.
    #[serde(rename = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// Encrypted and authenticated.
    #[serde(rename = "SASL_SSL")]
    SaslSsl,
}

/// SASL mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SaslMechanism {
    /// User and password in clear; only over TLS.
    #[serde(rename = "PLAIN")]
    Plain,
    /// Salted challenge, SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge, SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    ScramSha512,
}

/// Secret with a user and a password, in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsSecret {
    /// Name of the secret.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key of the user; `username` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub username_key: Option<String>,
    /// Key of the password; `password` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub password_key: Option<String>,
}

/// One key of a secret in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyOfSecret {
    /// Name of the secret.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key in it.
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: String,
}

/// The reduction script, which defines `execute()`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.configMap) == (has(self.source) && self.source == 'ConfigMap')",
        "message": "configMap names the script exactly when source is ConfigMap",
        "fieldPath": ".configMap"
    },
    {
        "rule": "has(self.inline) == (has(self.source) && self.source == 'Inline')",
        "message": "inline holds the script exactly when source is Inline",
        "fieldPath": ".inline"
    }
]))]
pub struct ScriptSpec {
    /// Where the script comes from. Left out: the FIA API, unless `live` processes the chunks itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ScriptSource>,
    /// The ConfigMap that holds the script, in the resource's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<KeyOfConfigMap>,
    /// The script itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 262_144))]
    pub inline: Option<String>,
    /// Seconds between looks for a changed script; 30 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub refresh_seconds: Option<i64>,
    /// Seconds between executions; 300 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub run_seconds: Option<i64>,
    /// Seconds after which an execution is interrupted; 900 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: Option<i64>,
}

/// Where the script comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ScriptSource {
    /// `GET {FIA_API_URL}/live-data/<instrument>/script`.
    FiaApi,
    /// A key of a ConfigMap.
    ConfigMap,
    /// The resource itself.
    Inline,
}

/// One key of a ConfigMap in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyOfConfigMap {
    /// Name of the ConfigMap.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key in it.
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: String,
}

/// The properties of Mantid's StartLiveData, under their names in camelCase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "[has(self.processingAlgorithm), has(self.processingScript), has(self.processingScriptFilename)].filter(x, x).size() <= 1",
        "message": "Only specify one processing method"
    },
    {
        "rule": "[has(self.postProcessingAlgorithm), has(self.postProcessingScript), has(self.postProcessingScriptFilename)].filter(x, x).size() <= 1",
        "message": "Only specify one post processing method"
    },
    {
        "rule": "!(has(self.postProcessingAlgorithm) || has(self.postProcessingScript) || has(self.postProcessingScriptFilename)) || has(self.accumulationWorkspace)",
        "message": "Must specify the AccumulationWorkspace parameter if using PostProcessing.",
        "fieldPath": ".accumulationWorkspace"
    },
    {
        "rule": "!has(self.accumulationWorkspace) || !has(self.outputWorkspace) || self.accumulationWorkspace != self.outputWorkspace",
        "message": "The AccumulationWorkspace must be different than the OutputWorkspace, when using PostProcessing.",
        "fieldPath": ".accumulationWorkspace"
    },
    {
        "rule": "[has(self.fromNow) && self.fromNow, has(self.fromStartOfRun) && self.fromStartOfRun, has(self.fromTime) && self.fromTime].filter(x, x).size() <= 1 && (!has(self.fromNow) || self.fromNow || (has(self.fromStartOfRun) && self.fromStartOfRun) || (has(self.fromTime) && self.fromTime))",
        "message": "Please check exactly one of FromNow, FromStartOfRun, FromTime."
    },
    {
        "rule": "has(self.startTime) == (has(self.fromTime) && self.fromTime)",
        "message": "startTime is given exactly with fromTime",
        "fieldPath": ".startTime"
    },
    {
        "rule": "has(self.outputWorkspace)",
        "message": "Must specify the OutputWorkspace.",
        "fieldPath": ".outputWorkspace"
    }
]))]
pub struct LiveSpec {
    /// Algorithm that each chunk is processed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{0,127}$"))]
    pub processing_algorithm: Option<String>,
    /// Its properties, as `Name=value;Name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub processing_properties: Option<String>,
    /// Python that each chunk is processed with; `input` and `output` are the workspaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    pub processing_script: Option<String>,
    /// File with such Python, as the worker sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub processing_script_filename: Option<String>,
    /// How chunks are put together; Add when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accumulation_method: Option<AccumulationMethod>,
    /// Keeps events instead of histograms; false when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_events: Option<bool>,
    /// Algorithm that the accumulated data are processed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z][A-Za-z0-9_]{0,127}$"))]
    pub post_processing_algorithm: Option<String>,
    /// Its properties, as `Name=value;Name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8192))]
    pub post_processing_properties: Option<String>,
    /// Python that the accumulated data are processed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65_536))]
    pub post_processing_script: Option<String>,
    /// File with such Python, as the worker sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub post_processing_script_filename: Option<String>,
    /// What happens when a run ends; Restart when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_transition_behavior: Option<RunTransitionBehavior>,
    /// Starts with what arrives from now on; true when neither of the others is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_now: Option<bool>,
    /// Starts with the start of the run in view.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_start_of_run: Option<bool>,
    /// Starts at `startTime`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_time: Option<bool>,
    /// Where to start with `fromTime`, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40), extend("format" = "date-time"))]
    pub start_time: Option<String>,
    /// Seconds between chunks; 60 when left out, 0 for a single chunk.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 86_400))]
    pub update_every: Option<f64>,
    /// Workspace that chunks are accumulated in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"))]
    pub accumulation_workspace: Option<String>,
    /// Workspace that results are put in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,127}$"))]
    pub output_workspace: Option<String>,
}

/// How chunks are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AccumulationMethod {
    /// Chunks are summed.
    Add,
    /// A chunk replaces the former one.
    Replace,
    /// A chunk's spectra are appended.
    Append,
}

/// What happens when a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RunTransitionBehavior {
    /// The next run starts with empty workspaces.
    Restart,
    /// Processing stops.
    Stop,
    /// The workspace is kept under another name, and the next run starts with empty ones.
    Rename,
}

/// How a new worker replaces the old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpdateStrategy {
    /// The new worker is ready before the old one goes; both need room on the nodes for a while.
    RollingUpdate,
    /// The old worker goes first.
    Recreate,
}

/// User and groups of the worker's process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SecuritySpec {
    /// User id; not root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_294_i64))]
    pub run_as_user: Option<i64>,
    /// Group id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_294_967_294_i64))]
    pub run_as_group: Option<i64>,
    /// Further groups of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub supplemental_groups: Option<Vec<i64>>,
    /// Group that volumes which support it are given to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_294_967_294_i64))]
    pub fs_group: Option<i64>,
    /// When a volume's files are given to `fsGroup`; OnRootMismatch when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group_change_policy: Option<FsGroupChangePolicy>,
}

/// When a volume's files are given to `fsGroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FsGroupChangePolicy {
    /// When the volume's root does not have it.
    OnRootMismatch,
    /// At each start.
    Always,
}

/// How much the worker logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum LogLevel {
    /// Errors only.
    Error,
    /// Warnings too.
    Warn,
    /// What happens.
    Info,
    /// Why it happens.
    Debug,
    /// Everything.
    Trace,
}
