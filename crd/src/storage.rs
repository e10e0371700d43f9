//! The storage part of the resource: where results go, where the archive and instruments' definitions come from.
//!
//! Promises: each choice has one member, CEL lets at most one be set, and a member left out falls back to the
//! site's. It must not know how a volume is made; the operator's `desired` does.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The volumes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageSpec {
    /// Where results go; mounted at `/output`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputSpec>,
    /// The instruments' archive; mounted read-only at `/archive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archive: Option<ArchiveSpec>,
    /// Instrument definition files; mounted read-only where the worker looks for them (INSTRUMENT_DIR).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruments: Option<InstrumentsSpec>,
}

/// Where results go: one of the members; CephFS when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.cephFs), has(self.persistentVolumeClaim), has(self.emptyDir)].filter(x, x).size() <= 1",
    "message": "choose one of cephFs, persistentVolumeClaim and emptyDir"
}]))]
pub struct OutputSpec {
    /// A folder of a CephFS, by a persistent volume that the operator makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceph_fs: Option<CephFsSpec>,
    /// A claim that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// The node's disk, gone with the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub empty_dir: Option<EmptyDirSpec>,
}

/// Where the archive comes from: one of the members; SMB when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.smb), has(self.persistentVolumeClaim), has(self.none)].filter(x, x).size() <= 1",
    "message": "choose one of smb, persistentVolumeClaim and none"
}]))]
pub struct ArchiveSpec {
    /// An SMB share, by a persistent volume that the operator makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub smb: Option<SmbSpec>,
    /// A claim that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// No archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<Nothing>,
}

/// Where instrument definition files (`<NAME>_Definition*.xml`, `<NAME>_Parameters.xml`) come from: one of the members;
/// those of the image when none is set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.configMap), has(self.persistentVolumeClaim), has(self.none)].filter(x, x).size() <= 1",
    "message": "choose one of configMap, persistentVolumeClaim and none"
}]))]
pub struct InstrumentsSpec {
    /// A ConfigMap with a key for each file; 1 MiB at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<ConfigMapSpec>,
    /// A claim that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim: Option<ClaimSpec>,
    /// Those of the image, whatever the site has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub none: Option<Nothing>,
}

/// Nothing of the kind: an empty object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nothing {}

/// A ConfigMap in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigMapSpec {
    /// Name of the ConfigMap.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
}

/// A folder of a CephFS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CephFsSpec {
    /// Id of the Ceph cluster.
    #[serde(rename = "clusterID", skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub cluster_id: Option<String>,
    /// Name of the file system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub fs_name: Option<String>,
    /// Folder; `/isis/instrument/GENERIC/livereduce/<NAME>` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^/"))]
    pub root_path: Option<String>,
    /// How the node mounts it; `fuse` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mounter: Option<CephMounter>,
    /// Name of the secret that the node mounts it with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub secret_name: Option<String>,
    /// Namespace of that secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub secret_namespace: Option<String>,
    /// Capacity that the volume states; 1000Gi when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
}

/// How the node mounts a CephFS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CephMounter {
    /// ceph-fuse.
    Fuse,
    /// The kernel's client.
    Kernel,
}

/// An SMB share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SmbSpec {
    /// The share, such as `//host/share/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^//[^/]+/.+"))]
    pub source: Option<String>,
    /// Name of the secret that the node mounts it with; `archive-creds` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub secret_name: Option<String>,
    /// Namespace of that secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"))]
    pub secret_namespace: Option<String>,
    /// Options of the mount; `noserverino`, `_netdev` and `vers=2.1` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub mount_options: Option<Vec<String>>,
    /// Capacity that the volume states; 1000Gi when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Quantity>,
}

/// A claim that exists in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimSpec {
    /// Name of the claim.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub claim_name: String,
}

/// The node's disk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct EmptyDirSpec {
    /// How much may be written before the pod is evicted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_limit: Option<Quantity>,
}
