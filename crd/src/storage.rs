//! Volumes of the output, the archive and the instrument definitions.
//!
//! Promises: each choice is an object of which CEL allows at most one member; an empty choice falls back to the
//! site's. Must not: decide the objects of a volume; the operator's `build` does.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Volumes of the worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageSpec {
    /// Volume of the results; mounted at `/output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSpec>,
    /// Archive of raw files; mounted read-only at `/archive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveSpec>,
    /// Instrument definition files; mounted read-only at the worker's INSTRUMENT_DIR.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruments: Option<InstrumentsSpec>,
}

/// Volume of the results: at most one of the members; CephFS when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.cephFs), has(self.persistentVolumeClaim), has(self.emptyDir)].filter(x, x).size() <= 1",
    "message": "choose one of cephFs, persistentVolumeClaim and emptyDir"
}]))]
pub struct OutputSpec {
    /// Folder of a CephFS, by a PersistentVolume that the operator makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceph_fs: Option<CephFsSpec>,
    /// Existing claim in the resource's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// Disk of the node; its files are lost with the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDirSpec>,
}

/// Source of the archive: at most one of the members; SMB when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.smb), has(self.persistentVolumeClaim), has(self.none)].filter(x, x).size() <= 1",
    "message": "choose one of smb, persistentVolumeClaim and none"
}]))]
pub struct ArchiveSpec {
    /// SMB share, by a PersistentVolume that the operator makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smb: Option<SmbSpec>,
    /// Existing claim in the resource's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// No archive, whatever the site has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<EmptyObject>,
}

/// Source of instrument definition files (`<NAME>_Definition*.xml`, `<NAME>_Parameters.xml`): at most one of the members;
/// the image's files when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.configMap), has(self.persistentVolumeClaim), has(self.none)].filter(x, x).size() <= 1",
    "message": "choose one of configMap, persistentVolumeClaim and none"
}]))]
pub struct InstrumentsSpec {
    /// ConfigMap with a key for each file; 1 MiB at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ConfigMapSpec>,
    /// Existing claim in the resource's namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// Files of the image, whatever the site has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<EmptyObject>,
}

/// Empty object `{}`: its presence chooses the member that has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmptyObject {}

/// ConfigMap in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapSpec {
    /// Name of a ConfigMap in the resource's namespace.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
}

/// Folder of a CephFS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CephFsSpec {
    /// ID of the Ceph cluster; the site's CLUSTER_ID when left out.
    #[serde(rename = "clusterID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub cluster_id: Option<String>,
    /// Name of the file system; the site's FS_NAME when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub fs_name: Option<String>,
    /// Absolute path of the folder; `/isis/instrument/GENERIC/livereduce/<NAME>` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^/"))]
    pub root_path: Option<String>,
    /// Client that mounts it; `fuse` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounter: Option<CephMounter>,
    /// Name of the Secret with the mount's credentials; the site's, else `ceph-creds`, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub secret_name: Option<String>,
    /// Namespace of that Secret; the site's, else the resource's, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub secret_namespace: Option<String>,
    /// Nominal capacity of the volume, which nothing enforces; 1000Gi when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
}

/// Client that mounts a CephFS on the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CephMounter {
    /// ceph-fuse.
    Fuse,
    /// The kernel's client.
    Kernel,
}

/// SMB share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SmbSpec {
    /// Address of the share, such as `//host/share/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^//[^/]+/.+"))]
    pub source: Option<String>,
    /// Name of the Secret with the mount's credentials; `archive-creds` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub secret_name: Option<String>,
    /// Namespace of that Secret; the site's, else the resource's, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub secret_namespace: Option<String>,
    /// Mount options, at most 32; `noserverino`, `_netdev` and `vers=2.1` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub mount_options: Option<Vec<String>>,
    /// Nominal capacity of the volume, which nothing enforces; 1000Gi when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
}

/// Existing claim in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimSpec {
    /// Name of an existing PersistentVolumeClaim in the resource's namespace.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub claim_name: String,
}

/// Disk of the node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EmptyDirSpec {
    /// Amount of data beyond which the pod is evicted; unlimited when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}
