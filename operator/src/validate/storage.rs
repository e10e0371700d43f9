//! Output, archive and instrument definitions of a plan.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use live_data_crd::storage::CephMounter;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorSpec};

use crate::config::Config;
use crate::plan::{Archive, CephFs, Instruments, Output, Smb};

/// Folder of CephFS below which each resource has a folder for its output.
const OUTPUT_ROOT: &str = "/isis/instrument/GENERIC/livereduce";
/// SMB share with the raw files of all instruments.
const ARCHIVE_SOURCE: &str = "//isisdatar55.isis.cclrc.ac.uk/inst$/";

/// Output; `None` if the site lacks a value for it. Appends the absent values to `missing`.
pub(super) fn output(
    spec: &LiveDataProcessorSpec,
    resource: &LiveDataProcessor,
    config: &Config,
    missing: &mut Vec<String>,
) -> Option<Output> {
    let output = spec
        .storage
        .as_ref()
        .and_then(|storage| storage.output.clone())
        .unwrap_or_default();
    if let Some(claim) = output.persistent_volume_claim {
        return Some(Output::Claim(claim.claim_name));
    }
    if let Some(empty) = output.empty_dir {
        return Some(Output::EmptyDir(empty.size_limit));
    }
    let ceph = output.ceph_fs.unwrap_or_default();
    let cluster_id = ceph.cluster_id.or_else(|| config.cluster_id.clone());
    let fs_name = ceph.fs_name.or_else(|| config.fs_name.clone());
    if cluster_id.is_none() {
        missing.push("CLUSTER_ID or spec.storage.output.cephFs.clusterID, for the output's volume".into());
    }
    if fs_name.is_none() {
        missing.push("FS_NAME or spec.storage.output.cephFs.fsName, for the output's volume".into());
    }
    let staging = if config.dev_mode { "-staging" } else { "" };
    Some(Output::CephFs(CephFs {
        cluster_id: cluster_id?,
        fs_name: fs_name?,
        root_path: ceph
            .root_path
            .unwrap_or_else(|| format!("{OUTPUT_ROOT}/{}{staging}", resource.name_any().to_uppercase())),
        mounter: ceph.mounter.unwrap_or(CephMounter::Fuse).into(),
        secret_name: ceph
            .secret_name
            .or_else(|| config.ceph_secret_name.clone())
            .unwrap_or_else(|| "ceph-creds".into()),
        secret_namespace: secret_namespace(ceph.secret_namespace, resource, config),
        capacity: ceph.capacity.unwrap_or_else(|| Quantity("1000Gi".into())),
    }))
}

/// Archive; SMB with the built-in share if neither spec nor site choose.
pub(super) fn archive(spec: &LiveDataProcessorSpec, resource: &LiveDataProcessor, config: &Config) -> Archive {
    let archive = spec
        .storage
        .as_ref()
        .and_then(|storage| storage.archive.clone())
        .unwrap_or_default();
    if archive.none.is_some() {
        return Archive::None;
    }
    if let Some(claim) = archive.persistent_volume_claim {
        return Archive::Claim(claim.claim_name);
    }
    let smb = archive.smb.unwrap_or_default();
    Archive::Smb(Smb {
        source: smb.source.unwrap_or_else(|| ARCHIVE_SOURCE.into()),
        secret_name: smb.secret_name.unwrap_or_else(|| "archive-creds".into()),
        secret_namespace: secret_namespace(smb.secret_namespace, resource, config),
        mount_options: smb
            .mount_options
            .unwrap_or_else(|| ["noserverino", "_netdev", "vers=2.1"].map(str::to_owned).to_vec()),
        capacity: smb.capacity.unwrap_or_else(|| Quantity("1000Gi".into())),
    })
}

/// Source of instrument definitions; the image if neither spec nor site choose.
pub(super) fn instruments(spec: &LiveDataProcessorSpec) -> Instruments {
    let chosen = spec
        .storage
        .as_ref()
        .and_then(|storage| storage.instruments.clone())
        .unwrap_or_default();
    match (chosen.config_map, chosen.persistent_volume_claim) {
        (Some(map), _) => Instruments::ConfigMap(map.name),
        (None, Some(claim)) => Instruments::Claim(claim.claim_name),
        (None, None) => Instruments::Image,
    }
}

fn secret_namespace(given: Option<String>, resource: &LiveDataProcessor, config: &Config) -> String {
    given
        .or_else(|| config.ceph_secret_namespace.clone())
        .unwrap_or_else(|| resource.namespace().unwrap_or_default())
}
