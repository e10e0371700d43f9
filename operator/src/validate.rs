//! Spec, site and built-in defaults made one plan, or the reasons why there is none.
//!
//! Promises: order spec, WORKER_DEFAULTS, built-in; every reason at once, each with the next step; a plan has no
//! open question left, so that `desired` cannot fail. Pure.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use live_data_crd::spec::{FsGroupChangePolicy, ScriptSource, UpdateStrategy};
use live_data_crd::storage::CephMounter;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorSpec};
use serde_json::{Map, Value};

use crate::config::Config;
use crate::names::Names;
pub use crate::plan::{Archive, CephFs, Instruments, Output, Plan, Script, Smb};
use crate::resolve::{Claim, Resolved};
use crate::shape;

/// Repository of the former processor's images, which LIVE_DATA_PROCESSOR_IMAGE_SHA chooses from.
const FORMER_REPOSITORY: &str = "ghcr.io/fiaisis/live-data-processor";
/// Repository of the worker's images.
const REPOSITORY: &str = "ghcr.io/fiaisis/live-data-worker";
/// Where results go on a CephFS: one folder a resource.
const OUTPUT_ROOT: &str = "/isis/instrument/GENERIC/livereduce";
/// The archive that every instrument's raw files are in.
const ARCHIVE_SOURCE: &str = "//isisdatar55.isis.cclrc.ac.uk/inst$/";
/// What is named after a resource has at most 63 characters. Such a name can only be older than the schema.
const LONGEST_NAME: usize = 45;
/// A script in the resource becomes an annotation of the pod; all annotations together may have 256 KiB.
const LONGEST_INLINE: usize = 200 * 1024;

/// Something that the resource's owner or the site has to see to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Reason of the condition.
    pub reason: &'static str,
    /// What is wrong and what to do next.
    pub message: String,
}

impl Problem {
    /// A problem.
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}

/// What came of the validation.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The instrument, as far as it is known.
    pub instrument: String,
    /// What to make; absent when `problems` forbid it.
    pub plan: Option<Box<Plan>>,
    /// What is wrong, the worst first.
    pub problems: Vec<Problem>,
}

/// The instrument that a resource is for.
pub fn instrument(resource: &LiveDataProcessor) -> String {
    resource
        .spec
        .instrument
        .clone()
        .unwrap_or_else(|| resource.name_any().to_uppercase())
}

/// Makes the plan for a resource.
pub fn validate(resource: &LiveDataProcessor, resolved: &Resolved, config: &Config) -> Verdict {
    let instrument = instrument(resource);
    let mut problems = Vec::new();
    let mut forbidden = false;
    if let Some(holder) = &resolved.instrument_holder {
        forbidden = true;
        problems.push(Problem::new(
            "InstrumentInUse",
            format!("{instrument} is processed by the resource {holder}: delete one of the two"),
        ));
    }
    if !shape::is_instrument(&instrument) {
        forbidden = true;
        problems.push(Problem::new(
            "InstrumentInvalid",
            format!("{instrument:?} cannot be an instrument: create the resource with spec.instrument set"),
        ));
    }
    let name = resource.name_any();
    if name.len() > LONGEST_NAME {
        forbidden = true;
        problems.push(Problem::new(
            "NameTooLong",
            format!(
                "the name has {} characters, and labels and containers named after it may have {LONGEST_NAME} of it: \
                 create the resource under a shorter name",
                name.len()
            ),
        ));
    }
    if !shape::is_dns_label(&name) && name.len() <= LONGEST_NAME {
        forbidden = true;
        problems.push(Problem::new(
            "NameInvalid",
            format!(
                "containers and labels are named after {name:?}, and cannot be: create the resource under a name of \
                 lower-case letters, digits and -"
            ),
        ));
    }
    let spec = match merged(&resource.spec, &config.worker_defaults) {
        Ok(spec) => spec,
        Err(error) => {
            problems.push(Problem::new(
                "SpecInvalid",
                format!("the spec with the site's defaults is unusable: {error}"),
            ));
            return Verdict {
                instrument,
                plan: None,
                problems,
            };
        }
    };
    let mut missing = Vec::new();
    let output = output(&spec, resource, config, &mut missing);
    let archive = archive(&spec, resource, config);
    if !missing.is_empty() {
        forbidden = true;
    }
    let script = script(&spec);
    let bootstrap_servers = spec
        .kafka
        .as_ref()
        .and_then(|kafka| kafka.bootstrap_servers.clone())
        .or_else(|| config.kafka_bootstrap_servers.clone());
    if script == Script::FiaApi && config.fia_api_url.is_none() {
        missing.push("FIA_API_URL, for the script".to_owned());
    }
    if bootstrap_servers.is_none() {
        missing.push("KAFKA_BOOTSTRAP_SERVERS or spec.kafka.bootstrapServers, for the stream".to_owned());
    }
    if !missing.is_empty() {
        problems.push(Problem::new(
            "SiteNotConfigured",
            format!(
                "not set: {}; set it in the values of the operator's chart",
                missing.join("; ")
            ),
        ));
    }
    if let Script::Inline(text) = &script
        && text.len() > LONGEST_INLINE
    {
        forbidden = true;
        problems.push(Problem::new(
            "ScriptTooLong",
            format!(
                "spec.script.inline has {} bytes, at most {LONGEST_INLINE} fit: use a ConfigMap",
                text.len()
            ),
        ));
    }
    if let Some(Claim {
        name,
        access_modes: None,
    }) = &resolved.output_claim
    {
        problems.push(Problem::new(
            "ClaimMissing",
            format!("the claim {name} of spec.storage.output does not exist: create it in the resource's namespace"),
        ));
    }
    let plan = match output {
        Some(output) if !forbidden => Some(Box::new(plan(
            resource,
            resolved,
            config,
            spec,
            Parts {
                instrument: instrument.clone(),
                output,
                archive,
                script,
                bootstrap_servers,
            },
        ))),
        _ => None,
    };
    Verdict {
        instrument,
        plan,
        problems,
    }
}

/// The spec laid over the site's defaults. Objects are merged, lists and what belongs together are replaced whole.
///
/// # Errors
/// When the result is not a spec.
pub fn merged(spec: &LiveDataProcessorSpec, defaults: &Value) -> Result<LiveDataProcessorSpec, serde_json::Error> {
    let mut base = defaults.clone();
    let over = serde_json::to_value(spec)?;
    let Value::Object(base_fields) = &mut base else {
        return serde_json::from_value(over);
    };
    // One choice excludes the other: the site's must not show through the resource's.
    for choice in ["output", "archive", "instruments"] {
        let pointer = format!("/storage/{choice}");
        let Some(chosen) = over
            .pointer(&pointer)
            .and_then(Value::as_object)
            .filter(|chosen| !chosen.is_empty())
        else {
            continue;
        };
        if let Some(of_site) = base_fields
            .get_mut("storage")
            .and_then(|storage| storage.get_mut(choice))
            .and_then(Value::as_object_mut)
        {
            of_site.retain(|member, _| chosen.contains_key(member));
        }
    }
    let script = over.get("script");
    let processes = over
        .pointer("/live")
        .and_then(Value::as_object)
        .is_some_and(|live| live.keys().any(|name| name.starts_with("processing")));
    if script.is_some_and(|script| script.get("source").is_some()) || processes {
        without(base_fields, "script", &["source", "configMap", "inline"]);
    }
    if script.is_some_and(|script| script.get("source").is_some()) {
        without(
            base_fields,
            "live",
            &["processingAlgorithm", "processingScript", "processingScriptFilename"],
        );
    }
    if over.pointer("/image/tag").is_some() {
        without(base_fields, "image", &["digest"]);
    }
    for whole in ["resources", "affinity", "nodeSelector", "live"] {
        if over.get(whole).is_some() {
            base_fields.remove(whole);
        }
    }
    merge(&mut base, over);
    serde_json::from_value(base)
}

fn without(fields: &mut Map<String, Value>, name: &str, members: &[&str]) {
    if let Some(object) = fields.get_mut(name).and_then(Value::as_object_mut) {
        object.retain(|member, _| !members.contains(&member.as_str()));
    }
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (name, value) in over {
                match base.get_mut(&name) {
                    Some(present) => merge(present, value),
                    None => {
                        base.insert(name, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

fn output(
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
        mounter: match ceph.mounter {
            Some(CephMounter::Kernel) => "kernel",
            Some(CephMounter::Fuse) | None => "fuse",
        },
        secret_name: ceph
            .secret_name
            .or_else(|| config.ceph_secret_name.clone())
            .unwrap_or_else(|| "ceph-creds".into()),
        secret_namespace: secret_namespace(ceph.secret_namespace, resource, config),
        capacity: ceph.capacity.unwrap_or_else(|| Quantity("1000Gi".into())),
    }))
}

fn archive(spec: &LiveDataProcessorSpec, resource: &LiveDataProcessor, config: &Config) -> Archive {
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

fn instruments(spec: &LiveDataProcessorSpec) -> Instruments {
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

fn script(spec: &LiveDataProcessorSpec) -> Script {
    let script = spec.script.clone().unwrap_or_default();
    match (script.source, script.config_map, script.inline) {
        (Some(ScriptSource::ConfigMap), Some(key), _) => Script::ConfigMap(key),
        (Some(ScriptSource::Inline), _, Some(text)) => Script::Inline(text),
        (Some(_), _, _) => Script::FiaApi,
        (None, _, _) => {
            let processes = spec.live.as_ref().is_some_and(|live| {
                live.processing_algorithm.is_some()
                    || live.processing_script.is_some()
                    || live.processing_script_filename.is_some()
            });
            if processes { Script::None } else { Script::FiaApi }
        }
    }
}

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

struct Parts {
    instrument: String,
    output: Output,
    archive: Archive,
    script: Script,
    bootstrap_servers: Option<String>,
}

fn plan(
    resource: &LiveDataProcessor,
    resolved: &Resolved,
    config: &Config,
    spec: LiveDataProcessorSpec,
    parts: Parts,
) -> Plan {
    let image = image(&spec, &resource.spec, config);
    let instruments = instruments(&spec);
    let of_image = spec.image.unwrap_or_default();
    let kafka = spec.kafka.unwrap_or_default();
    let script = spec.script.unwrap_or_default();
    let security = spec.security.unwrap_or_default();
    let single_writer = resolved
        .output_claim
        .as_ref()
        .and_then(|claim| claim.access_modes.as_ref())
        .is_some_and(|modes| !modes.is_empty() && modes.iter().all(|mode| mode.starts_with("ReadWriteOnce")));
    let run_as_user = security.run_as_user.unwrap_or(1000);
    let run_as_group = security.run_as_group.unwrap_or(run_as_user);
    Plan {
        names: Names::new(&resource.namespace().unwrap_or_default(), &resource.name_any()),
        uid: resource.uid().unwrap_or_default(),
        instrument: parts.instrument,
        image,
        pull_policy: of_image.pull_policy,
        pull_secrets: of_image.pull_secrets.unwrap_or_default(),
        bootstrap_servers: parts.bootstrap_servers,
        topics: kafka.topics.unwrap_or_default(),
        kafka_security: kafka.security,
        script: parts.script,
        refresh_seconds: script.refresh_seconds,
        run_seconds: script.run_seconds,
        timeout_seconds: script.timeout_seconds.unwrap_or(900),
        live: spec.live,
        output: parts.output,
        archive: parts.archive,
        instruments,
        strategy: spec.update_strategy.unwrap_or(if single_writer {
            UpdateStrategy::Recreate
        } else {
            UpdateStrategy::RollingUpdate
        }),
        run_as_user,
        run_as_group,
        supplemental_groups: security.supplemental_groups.unwrap_or_default(),
        fs_group: security.fs_group.unwrap_or(run_as_group),
        fs_group_change_policy: security
            .fs_group_change_policy
            .unwrap_or(FsGroupChangePolicy::OnRootMismatch),
        resources: spec.resources.unwrap_or_else(|| ResourceRequirements {
            requests: Some(BTreeMap::from([("memory".into(), Quantity("32Gi".into()))])),
            limits: Some(BTreeMap::from([("memory".into(), Quantity("128Gi".into()))])),
            ..ResourceRequirements::default()
        }),
        node_selector: spec.node_selector,
        tolerations: spec.tolerations.unwrap_or_else(|| {
            vec![Toleration {
                key: Some("staging".into()),
                operator: Some("Equal".into()),
                value: Some("big".into()),
                effect: Some("NoSchedule".into()),
                ..Toleration::default()
            }]
        }),
        affinity: spec.affinity,
        priority_class_name: spec.priority_class_name,
        log_level: spec.log_level,
        suspend: spec.suspend.unwrap_or(false),
        fia_api_url: config.fia_api_url.clone(),
        valkey_host: config.valkey_host.clone(),
        valkey_port: config.valkey_port,
        github_token: config
            .github_secret_name
            .clone()
            .map(|name| (name, config.github_secret_key.clone())),
        network_policy: config.network_policy,
    }
}

#[cfg(test)]
mod tests;
