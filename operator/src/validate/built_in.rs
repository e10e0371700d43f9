//! Built-in defaults: values of a plan that neither spec nor site give.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use live_data_crd::live::LiveSpec;
use live_data_crd::script::ScriptSource;
use live_data_crd::security::FsGroupChangePolicy;
use live_data_crd::spec::UpdateStrategy;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorSpec};

use super::storage;
use crate::config::Config;
use crate::names::Names;
use crate::plan::{Output, Plan, Script, SecretKey};
use crate::resolve::Resolved;

/// Repository of the former processor's images, used with LIVE_DATA_PROCESSOR_IMAGE_SHA.
const FORMER_REPOSITORY: &str = "ghcr.io/fiaisis/live-data-processor";
/// Repository of the worker's images.
const REPOSITORY: &str = "ghcr.io/fiaisis/live-data-worker";
/// User and group of the worker's process; the images are built for this user.
const WORKER_USER: i64 = 1000;
/// Seconds after which an execution is interrupted.
const SCRIPT_TIMEOUT: i64 = 900;

/// Source of the script; none if StartLiveData processes the chunks and no source is chosen.
pub(super) fn script(spec: &LiveDataProcessorSpec) -> Script {
    let script = spec.script.clone().unwrap_or_default();
    match (script.source, script.config_map, script.inline) {
        (Some(ScriptSource::ConfigMap), Some(key), _) => Script::ConfigMap(key),
        (Some(ScriptSource::Inline), _, Some(text)) => Script::Inline(text),
        (Some(_), _, _) => Script::FiaApi,
        (None, _, _) => {
            let processes = spec.live.as_ref().is_some_and(LiveSpec::processes_chunks);
            if processes { Script::None } else { Script::FiaApi }
        }
    }
}

/// Image with tag or digest. LIVE_DATA_PROCESSOR_IMAGE_SHA wins over the site's image, not over the resource's own.
fn image(spec: &LiveDataProcessorSpec, own: &LiveDataProcessorSpec, config: &Config) -> String {
    let chosen = own
        .image
        .as_ref()
        .is_some_and(|image| image.repository.is_some() || image.tag.is_some() || image.digest.is_some());
    if let Some(sha) = &config.processor_image_sha
        && !chosen
    {
        return format!("{FORMER_REPOSITORY}@sha256:{sha}");
    }
    let image = spec.image.clone().unwrap_or_default();
    let repository = image.repository.unwrap_or_else(|| REPOSITORY.into());
    match (image.digest, image.tag) {
        (Some(digest), _) => format!("{repository}@{digest}"),
        (None, Some(tag)) => format!("{repository}:{tag}"),
        (None, None) => format!("{repository}:{}", env!("CARGO_PKG_VERSION")),
    }
}

/// Brokers of the spec, else of the site.
pub(super) fn bootstrap_servers(spec: &LiveDataProcessorSpec, config: &Config) -> Option<String> {
    spec.kafka
        .as_ref()
        .and_then(|kafka| kafka.bootstrap_servers.clone())
        .or_else(|| config.kafka_bootstrap_servers.clone())
}

/// Recreate for an output claim that only one node can mount, which excludes two workers at once; else RollingUpdate.
fn default_strategy(resolved: &Resolved) -> UpdateStrategy {
    let single_writer = resolved
        .output_claim
        .as_ref()
        .and_then(|claim| claim.access_modes.as_ref())
        .is_some_and(|modes| !modes.is_empty() && modes.iter().all(|mode| mode.starts_with("ReadWriteOnce")));
    if single_writer {
        UpdateStrategy::Recreate
    } else {
        UpdateStrategy::RollingUpdate
    }
}

fn default_resources() -> ResourceRequirements {
    ResourceRequirements {
        requests: Some(BTreeMap::from([("memory".into(), Quantity("32Gi".into()))])),
        limits: Some(BTreeMap::from([("memory".into(), Quantity("128Gi".into()))])),
        ..ResourceRequirements::default()
    }
}

/// Toleration of the taint `staging=big`, which the site's nodes with much memory carry.
fn default_tolerations() -> Vec<Toleration> {
    vec![Toleration {
        key: Some("staging".into()),
        operator: Some("Equal".into()),
        value: Some("big".into()),
        effect: Some("NoSchedule".into()),
        ..Toleration::default()
    }]
}

/// Plan of a spec that was merged over the site's defaults and has no problem that forbids one.
pub(super) fn plan(
    resource: &LiveDataProcessor,
    resolved: &Resolved,
    config: &Config,
    spec: LiveDataProcessorSpec,
    instrument: String,
    output: Output,
) -> Plan {
    let image = image(&spec, &resource.spec, config);
    let archive = storage::archive(&spec, resource, config);
    let instruments = storage::instruments(&spec);
    let source = script(&spec);
    let bootstrap_servers = bootstrap_servers(&spec, config);
    let of_image = spec.image.unwrap_or_default();
    let kafka = spec.kafka.unwrap_or_default();
    let script = spec.script.unwrap_or_default();
    let security = spec.security.unwrap_or_default();
    let run_as_user = security.run_as_user.unwrap_or(WORKER_USER);
    let run_as_group = security.run_as_group.unwrap_or(run_as_user);
    Plan {
        names: Names::new(&resource.namespace().unwrap_or_default(), &resource.name_any()),
        uid: resource.uid().unwrap_or_default(),
        instrument,
        image,
        pull_policy: of_image.pull_policy,
        pull_secrets: of_image.pull_secrets.unwrap_or_default(),
        bootstrap_servers,
        topics: kafka.topics.unwrap_or_default(),
        kafka_security: kafka.security,
        script: source,
        refresh_seconds: script.refresh_seconds,
        run_seconds: script.run_seconds,
        timeout_seconds: script.timeout_seconds.unwrap_or(SCRIPT_TIMEOUT),
        live: spec.live,
        output,
        archive,
        instruments,
        strategy: spec.update_strategy.unwrap_or_else(|| default_strategy(resolved)),
        run_as_user,
        run_as_group,
        supplemental_groups: security.supplemental_groups.unwrap_or_default(),
        fs_group: security.fs_group.unwrap_or(run_as_group),
        fs_group_change_policy: security
            .fs_group_change_policy
            .unwrap_or(FsGroupChangePolicy::OnRootMismatch),
        resources: spec.resources.unwrap_or_else(default_resources),
        node_selector: spec.node_selector,
        tolerations: spec.tolerations.unwrap_or_else(default_tolerations),
        affinity: spec.affinity,
        priority_class_name: spec.priority_class_name,
        log_level: spec.log_level,
        suspend: spec.suspend.unwrap_or(false),
        fia_api_url: config.fia_api_url.clone(),
        valkey_host: config.valkey_host.clone(),
        valkey_port: config.valkey_port,
        github_token: config.github_secret_name.clone().map(|secret| SecretKey {
            secret,
            key: config.github_secret_key.clone(),
        }),
        network_policy: config.network_policy,
    }
}
