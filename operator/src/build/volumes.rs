//! PersistentVolumes and claims of the output and the archive, equal to the former operator's.
//!
//! Promises: a volume names its claim: no other claim can bind it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    CSIPersistentVolumeSource, ObjectReference, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeSpec, SecretReference, VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::metadata;
use crate::plan::{Archive, Output, Plan};

/// Volume and claim of a CephFS output; `None` for other outputs.
pub fn output(plan: &Plan) -> Option<(PersistentVolume, PersistentVolumeClaim)> {
    let Output::CephFs(ceph) = &plan.output else {
        return None;
    };
    let name = plan.names.ceph_volume();
    let csi = CSIPersistentVolumeSource {
        driver: "cephfs.csi.ceph.com".into(),
        volume_handle: name.clone(),
        node_stage_secret_ref: Some(SecretReference {
            name: Some(ceph.secret_name.clone()),
            namespace: Some(ceph.secret_namespace.clone()),
        }),
        volume_attributes: Some(BTreeMap::from([
            ("clusterID".into(), ceph.cluster_id.clone()),
            ("fsName".into(), ceph.fs_name.clone()),
            ("mounter".into(), ceph.mounter.into()),
            ("rootPath".into(), ceph.root_path.clone()),
            ("staticVolume".into(), "true".into()),
        ])),
        ..CSIPersistentVolumeSource::default()
    };
    let claim = plan.names.ceph_claim();
    let volume = volume(plan, &name, &claim, &ceph.capacity, "ReadWriteMany", csi);
    Some((volume, self::claim(plan, claim, name, &ceph.capacity, "ReadWriteMany")))
}

/// Volume and claim of an SMB archive; `None` for other archives.
pub fn archive(plan: &Plan) -> Option<(PersistentVolume, PersistentVolumeClaim)> {
    let Archive::Smb(smb) = &plan.archive else { return None };
    let name = plan.names.archive_volume();
    let csi = CSIPersistentVolumeSource {
        driver: "smb.csi.k8s.io".into(),
        read_only: Some(true),
        volume_handle: name.clone(),
        node_stage_secret_ref: Some(SecretReference {
            name: Some(smb.secret_name.clone()),
            namespace: Some(smb.secret_namespace.clone()),
        }),
        volume_attributes: Some(BTreeMap::from([("source".into(), smb.source.clone())])),
        ..CSIPersistentVolumeSource::default()
    };
    let claim = plan.names.archive_claim();
    let mut volume = volume(plan, &name, &claim, &smb.capacity, "ReadOnlyMany", csi);
    if let Some(annotations) = volume.metadata.annotations.as_mut() {
        annotations.insert("pv.kubernetes.io/provisioned-by".into(), "smb.csi.k8s.io".into());
    }
    if let Some(spec) = volume.spec.as_mut() {
        spec.mount_options = Some(smb.mount_options.clone());
    }
    Some((volume, self::claim(plan, claim, name, &smb.capacity, "ReadOnlyMany")))
}

fn volume(
    plan: &Plan,
    name: &str,
    claim: &str,
    capacity: &Quantity,
    access_mode: &str,
    csi: CSIPersistentVolumeSource,
) -> PersistentVolume {
    PersistentVolume {
        metadata: metadata::cluster_wide(plan, name.to_owned()),
        spec: Some(PersistentVolumeSpec {
            capacity: Some(BTreeMap::from([("storage".into(), capacity.clone())])),
            access_modes: Some(vec![access_mode.into()]),
            // The data outlive the resource.
            persistent_volume_reclaim_policy: Some("Retain".into()),
            storage_class_name: Some(String::new()),
            volume_mode: Some("Filesystem".into()),
            claim_ref: Some(ObjectReference {
                api_version: Some("v1".into()),
                kind: Some("PersistentVolumeClaim".into()),
                namespace: Some(plan.names.namespace.clone()),
                name: Some(claim.to_owned()),
                ..ObjectReference::default()
            }),
            csi: Some(csi),
            ..PersistentVolumeSpec::default()
        }),
        ..PersistentVolume::default()
    }
}

fn claim(plan: &Plan, name: String, volume: String, capacity: &Quantity, access_mode: &str) -> PersistentVolumeClaim {
    PersistentVolumeClaim {
        metadata: metadata::owned(plan, name),
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec![access_mode.into()]),
            resources: Some(VolumeResourceRequirements {
                requests: Some(BTreeMap::from([("storage".into(), capacity.clone())])),
                ..VolumeResourceRequirements::default()
            }),
            volume_name: Some(volume),
            storage_class_name: Some(String::new()),
            volume_mode: Some("Filesystem".into()),
            ..PersistentVolumeClaimSpec::default()
        }),
        ..PersistentVolumeClaim::default()
    }
}
