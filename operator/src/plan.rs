//! The plan: everything that one resource's objects are made from, with no question left open.
//!
//! Values only; `validate` makes them, `desired` reads them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use live_data_crd::spec::{
    FsGroupChangePolicy, KafkaSecuritySpec, KeyOfConfigMap, LiveSpec, LogLevel, PullPolicy, TopicsSpec, UpdateStrategy,
};

use crate::names::Names;

/// Everything that the objects of one resource are made from.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Names of the objects.
    pub names: Names,
    /// UID of the resource, for owner references.
    pub uid: String,
    /// INSTRUMENT of the worker.
    pub instrument: String,
    /// Image with tag or digest.
    pub image: String,
    /// When it is pulled.
    pub pull_policy: Option<PullPolicy>,
    /// What it is pulled with.
    pub pull_secrets: Vec<String>,
    /// KAFKA_BOOTSTRAP_SERVERS of the worker.
    pub bootstrap_servers: Option<String>,
    /// Topics that are named otherwise.
    pub topics: TopicsSpec,
    /// How the worker logs in to Kafka.
    pub kafka_security: Option<KafkaSecuritySpec>,
    /// The reduction script.
    pub script: Script,
    /// Seconds between looks for a changed script.
    pub refresh_seconds: Option<i64>,
    /// Seconds between executions.
    pub run_seconds: Option<i64>,
    /// Seconds after which an execution is interrupted.
    pub timeout_seconds: i64,
    /// StartLiveData's properties.
    pub live: Option<LiveSpec>,
    /// Where results go.
    pub output: Output,
    /// Where the archive comes from.
    pub archive: Archive,
    /// Where definitions of instruments come from.
    pub instruments: Instruments,
    /// How a new worker replaces the old one.
    pub strategy: UpdateStrategy,
    /// User id of the process.
    pub run_as_user: i64,
    /// Group id of the process.
    pub run_as_group: i64,
    /// Further groups.
    pub supplemental_groups: Vec<i64>,
    /// Group of the volumes.
    pub fs_group: i64,
    /// When the volumes are given to it.
    pub fs_group_change_policy: FsGroupChangePolicy,
    /// CPU and memory.
    pub resources: ResourceRequirements,
    /// Which nodes.
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Which taints are tolerated.
    pub tolerations: Vec<Toleration>,
    /// Affinity of the pod.
    pub affinity: Option<Affinity>,
    /// Priority class of the pod.
    pub priority_class_name: Option<String>,
    /// LOG_LEVEL of the worker.
    pub log_level: Option<LogLevel>,
    /// No worker, but everything else.
    pub suspend: bool,
    /// FIA_API_URL of the worker.
    pub fia_api_url: Option<String>,
    /// VALKEY_HOST of the worker.
    pub valkey_host: Option<String>,
    /// VALKEY_PORT of the worker.
    pub valkey_port: Option<u16>,
    /// Secret and key of GITHUB_API_TOKEN.
    pub github_token: Option<(String, String)>,
    /// Make a NetworkPolicy.
    pub network_policy: bool,
}

/// Where the reduction script comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// The FIA API.
    FiaApi,
    /// A ConfigMap.
    ConfigMap(KeyOfConfigMap),
    /// The resource.
    Inline(String),
    /// There is none: chunks are processed as StartLiveData does.
    None,
}

/// Where results go.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A volume that the operator makes.
    CephFs(CephFs),
    /// A claim that exists.
    Claim(String),
    /// The node's disk.
    EmptyDir(Option<Quantity>),
}

/// A folder of a CephFS.
#[derive(Clone, Debug, PartialEq)]
pub struct CephFs {
    /// Id of the Ceph cluster.
    pub cluster_id: String,
    /// Name of the file system.
    pub fs_name: String,
    /// Folder.
    pub root_path: String,
    /// `fuse` or `kernel`.
    pub mounter: &'static str,
    /// Secret that the node mounts it with.
    pub secret_name: String,
    /// Its namespace.
    pub secret_namespace: String,
    /// Capacity that the volume states.
    pub capacity: Quantity,
}

/// Where the archive comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Archive {
    /// A volume that the operator makes.
    Smb(Smb),
    /// A claim that exists.
    Claim(String),
    /// No archive.
    None,
}

/// Where definitions of instruments come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruments {
    /// The image's own folder.
    Image,
    /// A ConfigMap that exists.
    ConfigMap(String),
    /// A claim that exists.
    Claim(String),
}

/// An SMB share.
#[derive(Clone, Debug, PartialEq)]
pub struct Smb {
    /// The share.
    pub source: String,
    /// Secret that the node mounts it with.
    pub secret_name: String,
    /// Its namespace.
    pub secret_namespace: String,
    /// Options of the mount.
    pub mount_options: Vec<String>,
    /// Capacity that the volume states.
    pub capacity: Quantity,
}
