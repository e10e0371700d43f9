//! The worker's Deployment: one pod, restricted, replaced without a gap.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapVolumeSource, Container, ContainerPort, DownwardAPIVolumeFile, DownwardAPIVolumeSource,
    EmptyDirVolumeSource, HTTPGetAction, KeyToPath, LocalObjectReference, ObjectFieldSelector,
    PersistentVolumeClaimVolumeSource, PodSecurityContext, PodSpec, PodTemplateSpec, Probe, SeccompProfile,
    SecretVolumeSource, SecurityContext, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use live_data_crd::spec::{FsGroupChangePolicy, PullPolicy, UpdateStrategy};

use super::environment::{self, HOME, INSTRUMENT_DIR, KAFKA_CA_FOLDER, KAFKA_FOLDER, SCRIPT_FOLDER, WORK_DIR};
use crate::names::{SCRIPT, WORKER_PORT};
use crate::validate::{Archive, Instruments, Output, Plan, Script};

pub fn deployment(plan: &Plan) -> Deployment {
    let template_annotations = match &plan.script {
        Script::Inline(text) => Some(BTreeMap::from([(SCRIPT.to_owned(), text.clone())])),
        _ => None,
    };
    Deployment {
        metadata: super::owned(plan, plan.names.deployment()),
        spec: Some(DeploymentSpec {
            replicas: Some(i32::from(!plan.suspend)),
            // Said, so that a pause by hand is a difference: a paused Deployment would never take a new image.
            paused: Some(false),
            selector: LabelSelector {
                match_labels: Some(plan.names.selector()),
                ..LabelSelector::default()
            },
            // A replay of a long run takes its time, and the old worker goes on meanwhile.
            progress_deadline_seconds: Some(3600),
            revision_history_limit: Some(2),
            strategy: Some(strategy(plan.strategy)),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta {
                    labels: Some(plan.names.labels()),
                    annotations: template_annotations,
                    ..ObjectMeta::default()
                }),
                spec: Some(pod(plan)),
            },
            ..DeploymentSpec::default()
        }),
        ..Deployment::default()
    }
}

fn strategy(strategy: UpdateStrategy) -> DeploymentStrategy {
    match strategy {
        UpdateStrategy::RollingUpdate => DeploymentStrategy {
            type_: Some("RollingUpdate".into()),
            rolling_update: Some(RollingUpdateDeployment {
                max_surge: Some(IntOrString::Int(1)),
                max_unavailable: Some(IntOrString::Int(0)),
            }),
        },
        UpdateStrategy::Recreate => DeploymentStrategy {
            type_: Some("Recreate".into()),
            rolling_update: None,
        },
    }
}

fn pod(plan: &Plan) -> PodSpec {
    let (volumes, mounts) = volumes(plan);
    PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        service_account_name: Some(plan.names.base()),
        restart_policy: Some("Always".into()),
        // A script that runs is waited for.
        termination_grace_period_seconds: Some(plan.timeout_seconds.saturating_add(30)),
        image_pull_secrets: (!plan.pull_secrets.is_empty()).then(|| {
            plan.pull_secrets
                .iter()
                .map(|name| LocalObjectReference { name: name.clone() })
                .collect()
        }),
        node_selector: plan.node_selector.clone(),
        tolerations: (!plan.tolerations.is_empty()).then(|| plan.tolerations.clone()),
        affinity: plan.affinity.clone(),
        priority_class_name: plan.priority_class_name.clone(),
        security_context: Some(PodSecurityContext {
            run_as_non_root: Some(true),
            run_as_user: Some(plan.run_as_user),
            run_as_group: Some(plan.run_as_group),
            supplemental_groups: (!plan.supplemental_groups.is_empty()).then(|| plan.supplemental_groups.clone()),
            fs_group: Some(plan.fs_group),
            fs_group_change_policy: Some(
                match plan.fs_group_change_policy {
                    FsGroupChangePolicy::OnRootMismatch => "OnRootMismatch",
                    FsGroupChangePolicy::Always => "Always",
                }
                .into(),
            ),
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".into(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        containers: vec![Container {
            name: plan.names.base(),
            image: Some(plan.image.clone()),
            image_pull_policy: plan.pull_policy.map(|policy| {
                match policy {
                    PullPolicy::Always => "Always",
                    PullPolicy::IfNotPresent => "IfNotPresent",
                    PullPolicy::Never => "Never",
                }
                .into()
            }),
            env: Some(environment::environment(plan)),
            ports: Some(vec![ContainerPort {
                name: Some("http".into()),
                container_port: WORKER_PORT,
                protocol: Some("TCP".into()),
                ..ContainerPort::default()
            }]),
            resources: Some(plan.resources.clone()),
            volume_mounts: Some(mounts),
            security_context: Some(SecurityContext {
                allow_privilege_escalation: Some(false),
                read_only_root_filesystem: Some(true),
                capabilities: Some(Capabilities {
                    drop: Some(vec!["ALL".into()]),
                    ..Capabilities::default()
                }),
                ..SecurityContext::default()
            }),
            // Reading from the start of a long run may take an hour; only a worker that answers no more is ended.
            startup_probe: Some(probe("/healthz", 5, 60)),
            liveness_probe: Some(probe("/healthz", 15, 8)),
            readiness_probe: Some(probe("/readyz", 5, 3)),
            ..Container::default()
        }],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        http_get: Some(HTTPGetAction {
            path: Some(path.into()),
            port: IntOrString::String("http".into()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(5),
        failure_threshold: Some(failures),
        ..Probe::default()
    }
}

/// Volumes and where they are mounted. `ceph-mount` and `archive-mount` are the former operator's names, kept for
/// every kind of storage, so that its Deployments can be taken over.
fn volumes(plan: &Plan) -> (Vec<Volume>, Vec<VolumeMount>) {
    let mut volumes = Vec::new();
    let mut mounts = Vec::new();
    let mut add = |volume: Volume, path: &str, read_only: bool| {
        mounts.push(VolumeMount {
            name: volume.name.clone(),
            mount_path: path.into(),
            read_only: read_only.then_some(true),
            ..VolumeMount::default()
        });
        volumes.push(volume);
    };
    add(
        match &plan.output {
            Output::CephFs(_) => claim("ceph-mount", plan.names.ceph_claim(), false),
            Output::Claim(name) => claim("ceph-mount", name.clone(), false),
            Output::EmptyDir(limit) => Volume {
                name: "ceph-mount".into(),
                empty_dir: Some(EmptyDirVolumeSource {
                    size_limit: limit.clone(),
                    ..EmptyDirVolumeSource::default()
                }),
                ..Volume::default()
            },
        },
        "/output",
        false,
    );
    match &plan.archive {
        Archive::Smb(_) => add(
            claim("archive-mount", plan.names.archive_claim(), true),
            "/archive",
            true,
        ),
        Archive::Claim(name) => add(claim("archive-mount", name.clone(), true), "/archive", true),
        Archive::None => {}
    }
    match &plan.instruments {
        Instruments::ConfigMap(name) => add(
            Volume {
                name: "instruments".into(),
                config_map: Some(ConfigMapVolumeSource {
                    name: name.clone(),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            },
            INSTRUMENT_DIR,
            true,
        ),
        Instruments::Claim(name) => add(claim("instruments", name.clone(), true), INSTRUMENT_DIR, true),
        Instruments::Image => {}
    }
    for (name, path) in [("work", WORK_DIR), ("home", HOME), ("tmp", "/tmp")] {
        let empty_dir = Some(EmptyDirVolumeSource::default());
        add(
            Volume {
                name: name.into(),
                empty_dir,
                ..Volume::default()
            },
            path,
            false,
        );
    }
    match &plan.script {
        Script::ConfigMap(key) => add(
            Volume {
                name: "script".into(),
                config_map: Some(ConfigMapVolumeSource {
                    name: key.name.clone(),
                    items: Some(vec![KeyToPath {
                        key: key.key.clone(),
                        path: "reduction_script.py".into(),
                        ..KeyToPath::default()
                    }]),
                    ..ConfigMapVolumeSource::default()
                }),
                ..Volume::default()
            },
            SCRIPT_FOLDER,
            true,
        ),
        // The operator may not read ConfigMaps, let alone write them: an inline script travels as an annotation.
        Script::Inline(_) => add(
            Volume {
                name: "script".into(),
                downward_api: Some(DownwardAPIVolumeSource {
                    items: Some(vec![DownwardAPIVolumeFile {
                        path: "reduction_script.py".into(),
                        field_ref: Some(ObjectFieldSelector {
                            field_path: format!("metadata.annotations['{SCRIPT}']"),
                            ..ObjectFieldSelector::default()
                        }),
                        ..DownwardAPIVolumeFile::default()
                    }]),
                    ..DownwardAPIVolumeSource::default()
                }),
                ..Volume::default()
            },
            SCRIPT_FOLDER,
            true,
        ),
        Script::FiaApi | Script::None => {}
    }
    if let Some(security) = &plan.kafka_security {
        if let Some(credentials) = &security.credentials_secret {
            let key = credentials.password_key.as_deref().unwrap_or("password");
            add(secret("kafka", &credentials.name, key, "password"), KAFKA_FOLDER, true);
        }
        if let Some(ca) = &security.ca_secret {
            add(secret("kafka-ca", &ca.name, &ca.key, "ca.crt"), KAFKA_CA_FOLDER, true);
        }
    }
    (volumes, mounts)
}

fn claim(name: &str, claim_name: String, read_only: bool) -> Volume {
    Volume {
        name: name.into(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name,
            read_only: read_only.then_some(true),
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
