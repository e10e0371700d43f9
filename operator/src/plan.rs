//! Plan of one resource: all values that its objects are built from.
//!
//! Promises: every value is decided. Must not: contain logic; `validate` makes the plan, `build` reads it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Affinity, ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use live_data_crd::image::PullPolicy;
use live_data_crd::kafka::{KafkaSecuritySpec, TopicsSpec};
use live_data_crd::live::LiveSpec;
use live_data_crd::script::KeyOfConfigMap;
use live_data_crd::security::FsGroupChangePolicy;
use live_data_crd::spec::{LogLevel, UpdateStrategy};

use crate::names::Names;

/// Values that the objects of one resource are built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub names: Names,
    /// UID of the resource, for owner references.
    pub uid: String,
    /// INSTRUMENT of the worker.
    pub instrument: String,
    /// Image reference with tag or digest.
    pub image: String,
    /// Times at which the node pulls the image; `None` is the cluster's default.
    pub pull_policy: Option<PullPolicy>,
    /// Names of Secrets with the registry's credentials.
    pub pull_secrets: Vec<String>,
    /// KAFKA_BOOTSTRAP_SERVERS of the worker.
    pub bootstrap_servers: Option<String>,
    /// Names of topics that are not `<INSTRUMENT>_…`.
    pub topics: TopicsSpec,
    /// Encryption and authentication of the connection to Kafka.
    pub kafka_security: Option<KafkaSecuritySpec>,
    pub script: Script,
    /// Seconds between checks for a changed script; `None` is the worker's default.
    pub refresh_seconds: Option<i64>,
    /// Seconds between executions; `None` is the worker's default.
    pub run_seconds: Option<i64>,
    /// Seconds after which an execution is interrupted.
    pub timeout_seconds: i64,
    pub live: Option<LiveSpec>,
    pub output: Output,
    pub archive: Archive,
    pub instruments: Instruments,
    pub strategy: UpdateStrategy,
    /// User ID of the process, not 0.
    pub run_as_user: i64,
    /// Group ID of the process.
    pub run_as_group: i64,
    /// Further group IDs of the process.
    pub supplemental_groups: Vec<i64>,
    /// Group ID that owns the files of the volumes.
    pub fs_group: i64,
    /// Times at which the files get that group.
    pub fs_group_change_policy: FsGroupChangePolicy,
    /// CPU and memory of the container.
    pub resources: ResourceRequirements,
    /// Labels of the nodes that may run the pod.
    pub node_selector: Option<BTreeMap<String, String>>,
    /// Taints that the pod tolerates.
    pub tolerations: Vec<Toleration>,
    pub affinity: Option<Affinity>,
    /// Name of the pod's priority class.
    pub priority_class_name: Option<String>,
    /// LOG_LEVEL of the worker.
    pub log_level: Option<LogLevel>,
    /// True builds the Deployment without replicas.
    pub suspend: bool,
    /// FIA_API_URL of the worker.
    pub fia_api_url: Option<String>,
    /// VALKEY_HOST of the worker.
    pub valkey_host: Option<String>,
    /// VALKEY_PORT of the worker.
    pub valkey_port: Option<u16>,
    /// Source of GITHUB_API_TOKEN; `None` gives the worker no token.
    pub github_token: Option<SecretKey>,
    /// True builds a NetworkPolicy.
    pub network_policy: bool,
}

/// Key of a Secret in the resource's namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretKey {
    pub secret: String,
    pub key: String,
}

/// Source of the reduction script, decided by spec and site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Script {
    /// FIA API of the site.
    FiaApi,
    /// Key of an existing ConfigMap.
    ConfigMap(KeyOfConfigMap),
    /// Text in the resource.
    Inline(String),
    /// No script: StartLiveData processes the chunks.
    None,
}

/// Volume of the results, mounted at `/output`.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Volume and claim that the operator makes.
    CephFs(CephFs),
    /// Name of an existing claim.
    Claim(String),
    /// Disk of the node, with its size limit.
    EmptyDir(Option<Quantity>),
}

/// Folder of a CephFS that receives the results.
#[derive(Clone, Debug, PartialEq)]
pub struct CephFs {
    /// ID of the Ceph cluster.
    pub cluster_id: String,
    /// Name of the file system.
    pub fs_name: String,
    /// Absolute path of the folder.
    pub root_path: String,
    /// Client that mounts it: `fuse` or `kernel`.
    pub mounter: &'static str,
    /// Name of the Secret with the mount's credentials.
    pub secret_name: String,
    /// Namespace of that Secret.
    pub secret_namespace: String,
    /// Nominal capacity, which nothing enforces.
    pub capacity: Quantity,
}

/// Source of the archive of raw files, mounted read-only at `/archive`.
#[derive(Clone, Debug, PartialEq)]
pub enum Archive {
    /// Volume and claim that the operator makes.
    Smb(Smb),
    /// Name of an existing claim.
    Claim(String),
    /// No archive.
    None,
}

/// Source of instrument definition files, mounted read-only at INSTRUMENT_DIR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruments {
    /// Folder of the worker's image.
    Image,
    /// Name of an existing ConfigMap.
    ConfigMap(String),
    /// Name of an existing claim.
    Claim(String),
}

/// SMB share that holds the archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Smb {
    /// Address, such as `//host/share/`.
    pub source: String,
    /// Name of the Secret with the mount's credentials.
    pub secret_name: String,
    /// Namespace of that Secret.
    pub secret_namespace: String,
    pub mount_options: Vec<String>,
    /// Nominal capacity, which nothing enforces.
    pub capacity: Quantity,
}
