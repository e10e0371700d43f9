//! Deployment of the worker: one restricted pod, replaced without a gap.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, Container, ContainerPort, HTTPGetAction, LocalObjectReference, PodSecurityContext, PodSpec,
    PodTemplateSpec, Probe, SeccompProfile, SecurityContext, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use live_data_crd::spec::UpdateStrategy;

use super::metadata;
use super::pod_volumes::PodVolumes;
use super::{environment, pod_volumes};
use crate::names::{SCRIPT_ANNOTATION, WORKER_PORT};
use crate::plan::{Plan, Script};

/// Deployment of one replica, or of none while the resource is suspended.
pub fn deployment(plan: &Plan) -> Deployment {
    let template_annotations = match &plan.script {
        Script::Inline(text) => Some(BTreeMap::from([(SCRIPT_ANNOTATION.to_owned(), text.clone())])),
        _ => None,
    };
    Deployment {
        metadata: metadata::owned(plan, plan.names.deployment()),
        spec: Some(DeploymentSpec {
            replicas: Some(i32::from(!plan.suspend)),
            // Explicit: a pause by hand is then a difference. A paused Deployment never gets a new image.
            paused: Some(false),
            selector: LabelSelector {
                match_labels: Some(plan.names.selector()),
                ..LabelSelector::default()
            },
            // Seconds: a replay of a long run takes up to an hour, during which the old worker goes on.
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
    let PodVolumes { volumes, mounts } = pod_volumes::pod_volumes(plan);
    PodSpec {
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        service_account_name: Some(plan.names.base()),
        restart_policy: Some("Always".into()),
        // An execution under way ends first.
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
        security_context: Some(pod_security(plan)),
        containers: vec![container(plan, mounts)],
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn pod_security(plan: &Plan) -> PodSecurityContext {
    PodSecurityContext {
        run_as_non_root: Some(true),
        run_as_user: Some(plan.run_as_user),
        run_as_group: Some(plan.run_as_group),
        supplemental_groups: (!plan.supplemental_groups.is_empty()).then(|| plan.supplemental_groups.clone()),
        fs_group: Some(plan.fs_group),
        fs_group_change_policy: Some(<&str>::from(plan.fs_group_change_policy).into()),
        seccomp_profile: Some(SeccompProfile {
            type_: "RuntimeDefault".into(),
            ..SeccompProfile::default()
        }),
        ..PodSecurityContext::default()
    }
}

fn container(plan: &Plan, mounts: Vec<VolumeMount>) -> Container {
    Container {
        name: plan.names.base(),
        image: Some(plan.image.clone()),
        image_pull_policy: plan.pull_policy.map(|policy| <&str>::from(policy).into()),
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
        // Reading from the start of a long run may take an hour: the probe ends only a worker that stops answering.
        startup_probe: Some(probe("/healthz", 5, 60)),
        liveness_probe: Some(probe("/healthz", 15, 8)),
        readiness_probe: Some(probe("/readyz", 5, 3)),
        ..Container::default()
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
