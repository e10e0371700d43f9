//! Volumes of the worker's pod.
//!
//! Promises: every path that the worker writes to is a volume, because its root file system is read-only. The names
//! `ceph-mount` and `archive-mount` are the former operator's for every kind of storage: its Deployments can be taken
//! over.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, DownwardAPIVolumeFile, DownwardAPIVolumeSource, EmptyDirVolumeSource, KeyToPath,
    ObjectFieldSelector, PersistentVolumeClaimVolumeSource, SecretVolumeSource, Volume, VolumeMount,
};

use super::environment::{HOME, INSTRUMENT_DIR, KAFKA_CA_FOLDER, KAFKA_FOLDER, SCRIPT_FOLDER, WORK_DIR};
use crate::names::SCRIPT_ANNOTATION;
use crate::plan::{Archive, Instruments, Output, Plan, Script};

/// File name of the script in [`SCRIPT_FOLDER`].
const SCRIPT_FILE: &str = "reduction_script.py";

/// Access of the container to a volume.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    ReadOnly,
    ReadWrite,
}

/// Volumes of the pod, and their mounts in its container, in the same order.
#[derive(Default)]
pub(super) struct PodVolumes {
    pub(super) volumes: Vec<Volume>,
    pub(super) mounts: Vec<VolumeMount>,
}

impl PodVolumes {
    fn push(&mut self, volume: Volume, path: &str, access: Access) {
        self.mounts.push(VolumeMount {
            name: volume.name.clone(),
            mount_path: path.into(),
            read_only: (access == Access::ReadOnly).then_some(true),
            ..VolumeMount::default()
        });
        self.volumes.push(volume);
    }

    fn push_storage(&mut self, plan: &Plan) {
        let output = match &plan.output {
            Output::CephFs(_) => claim("ceph-mount", plan.names.ceph_claim(), Access::ReadWrite),
            Output::Claim(name) => claim("ceph-mount", name.clone(), Access::ReadWrite),
            Output::EmptyDir(limit) => empty_dir(
                "ceph-mount",
                EmptyDirVolumeSource {
                    size_limit: limit.clone(),
                    ..EmptyDirVolumeSource::default()
                },
            ),
        };
        self.push(output, "/output", Access::ReadWrite);
        let archive = match &plan.archive {
            Archive::Smb(_) => Some(plan.names.archive_claim()),
            Archive::Claim(name) => Some(name.clone()),
            Archive::None => None,
        };
        if let Some(name) = archive {
            self.push(
                claim("archive-mount", name, Access::ReadOnly),
                "/archive",
                Access::ReadOnly,
            );
        }
        match &plan.instruments {
            Instruments::ConfigMap(name) => {
                let source = ConfigMapVolumeSource {
                    name: name.clone(),
                    ..ConfigMapVolumeSource::default()
                };
                self.push(config_map("instruments", source), INSTRUMENT_DIR, Access::ReadOnly);
            }
            Instruments::Claim(name) => self.push(
                claim("instruments", name.clone(), Access::ReadOnly),
                INSTRUMENT_DIR,
                Access::ReadOnly,
            ),
            Instruments::Image => {}
        }
    }

    fn push_script(&mut self, script: &Script) {
        let volume = match script {
            Script::ConfigMap(key) => config_map(
                "script",
                ConfigMapVolumeSource {
                    name: key.name.clone(),
                    items: Some(vec![KeyToPath {
                        key: key.key.clone(),
                        path: SCRIPT_FILE.into(),
                        ..KeyToPath::default()
                    }]),
                    ..ConfigMapVolumeSource::default()
                },
            ),
            // An annotation of the pod, because the operator may neither read nor write ConfigMaps.
            Script::Inline(_) => Volume {
                name: "script".into(),
                downward_api: Some(DownwardAPIVolumeSource {
                    items: Some(vec![DownwardAPIVolumeFile {
                        path: SCRIPT_FILE.into(),
                        field_ref: Some(ObjectFieldSelector {
                            field_path: format!("metadata.annotations['{SCRIPT_ANNOTATION}']"),
                            ..ObjectFieldSelector::default()
                        }),
                        ..DownwardAPIVolumeFile::default()
                    }]),
                    ..DownwardAPIVolumeSource::default()
                }),
                ..Volume::default()
            },
            Script::FiaApi | Script::None => return,
        };
        self.push(volume, SCRIPT_FOLDER, Access::ReadOnly);
    }
}

/// Volumes of a plan's pod: output, archive, instrument definitions, writable folders, script and Kafka's secrets.
pub(super) fn pod_volumes(plan: &Plan) -> PodVolumes {
    let mut volumes = PodVolumes::default();
    volumes.push_storage(plan);
    for (name, path) in [("work", WORK_DIR), ("home", HOME), ("tmp", "/tmp")] {
        volumes.push(
            empty_dir(name, EmptyDirVolumeSource::default()),
            path,
            Access::ReadWrite,
        );
    }
    volumes.push_script(&plan.script);
    if let Some(security) = &plan.kafka_security {
        if let Some(credentials) = &security.credentials_secret {
            let key = credentials.password_key.as_deref().unwrap_or("password");
            let volume = secret("kafka", &credentials.name, key, "password");
            volumes.push(volume, KAFKA_FOLDER, Access::ReadOnly);
        }
        if let Some(ca) = &security.ca_secret {
            let volume = secret("kafka-ca", &ca.name, &ca.key, "ca.crt");
            volumes.push(volume, KAFKA_CA_FOLDER, Access::ReadOnly);
        }
    }
    volumes
}

fn empty_dir(name: &str, source: EmptyDirVolumeSource) -> Volume {
    Volume {
        name: name.into(),
        empty_dir: Some(source),
        ..Volume::default()
    }
}

fn config_map(name: &str, source: ConfigMapVolumeSource) -> Volume {
    Volume {
        name: name.into(),
        config_map: Some(source),
        ..Volume::default()
    }
}

fn claim(name: &str, claim_name: String, access: Access) -> Volume {
    Volume {
        name: name.into(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name,
            read_only: (access == Access::ReadOnly).then_some(true),
        }),
        ..Volume::default()
    }
}

fn secret(name: &str, secret: &str, key: &str, path: &str) -> Volume {
    Volume {
        name: name.into(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(secret.into()),
            items: Some(vec![KeyToPath {
                key: key.into(),
                path: path.into(),
                ..KeyToPath::default()
            }]),
            // Readable by the group, which is fsGroup, and by nobody else.
            default_mode: Some(0o440),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    }
}
