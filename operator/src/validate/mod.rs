//! Second step of a reconcile: spec, site and built-in defaults become one [`Plan`], or problems forbid it.
//!
//! Promises: the spec takes precedence over WORKER_DEFAULTS, and they over the built-in defaults; every problem is listed,
//! each with its next step; a plan has every value that `build` needs. Must not: make requests; `resolve` makes them.

mod built_in;
mod storage;

use kube::ResourceExt;
use live_data_crd::reason::ConditionReason;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorSpec};

use crate::config::Config;
use crate::plan::{Plan, Script};
use crate::problem::Problem;
use crate::resolve::{OutputClaim, Resolved};
use crate::spec_merge;
use crate::syntax;

/// Longest name of a resource in bytes, because labels and containers are named after it and have 63 at most.
///
/// The schema enforces it for new resources; only older resources exceed it.
const MAX_NAME_BYTES: usize = 45;
/// Longest inline script in bytes: it becomes an annotation of the pod, and all annotations together have 256 KiB.
const MAX_INLINE_BYTES: usize = 200 * 1024;

/// Plan of a resource, or the problems that forbid one.
#[derive(Clone, Debug, PartialEq)]
pub struct Validated {
    /// Instrument of the resource, even if its name is not allowed.
    pub instrument: String,
    /// Objects to build; `None` if a problem forbids it.
    pub plan: Option<Box<Plan>>,
    /// Problems, the worst first.
    pub problems: Vec<Problem>,
}

/// Validates a resource against the site's configuration and the facts of `resolve`.
pub fn validate(resource: &LiveDataProcessor, resolved: &Resolved, config: &Config) -> Validated {
    let instrument = spec_merge::instrument(resource);
    let mut problems = Vec::new();
    check_identity(&instrument, resource, resolved, &mut problems);
    let plan = match spec_merge::merged(&resource.spec, &config.worker_defaults) {
        Ok(spec) => plan(resource, resolved, config, spec, &instrument, &mut problems),
        Err(error) => {
            problems.push(Problem::new(
                ConditionReason::SpecInvalid,
                format!("the spec with the site's defaults is unusable: {error}"),
            ));
            None
        }
    };
    Validated {
        instrument,
        plan,
        problems,
    }
}

/// Appends the problems of the instrument and of the resource's name.
fn check_identity(instrument: &str, resource: &LiveDataProcessor, resolved: &Resolved, problems: &mut Vec<Problem>) {
    if let Some(holder) = &resolved.instrument_holder {
        problems.push(Problem::new(
            ConditionReason::InstrumentInUse,
            format!("{instrument} is processed by the resource {holder}: delete one of the two"),
        ));
    }
    if !syntax::is_instrument(instrument) {
        problems.push(Problem::new(
            ConditionReason::InstrumentInvalid,
            format!("{instrument:?} cannot be an instrument: create the resource with spec.instrument set"),
        ));
    }
    let name = resource.name_any();
    if name.len() > MAX_NAME_BYTES {
        problems.push(Problem::new(
            ConditionReason::NameTooLong,
            format!(
                "the name has {} characters, and labels and containers named after it may have {MAX_NAME_BYTES} of it: \
                 create the resource under a shorter name",
                name.len()
            ),
        ));
    } else if !syntax::is_dns_label(&name) {
        problems.push(Problem::new(
            ConditionReason::NameInvalid,
            format!(
                "containers and labels are named after {name:?}, and cannot be: create the resource under a name of \
                 lower-case letters, digits and -"
            ),
        ));
    }
}

/// Plan of a merged spec, unless a problem so far or one that it appends forbids it.
fn plan(
    resource: &LiveDataProcessor,
    resolved: &Resolved,
    config: &Config,
    spec: LiveDataProcessorSpec,
    instrument: &str,
    problems: &mut Vec<Problem>,
) -> Option<Box<Plan>> {
    let mut missing = Vec::new();
    let output = storage::output(&spec, resource, config, &mut missing);
    let script = built_in::script(&spec);
    check_site(&spec, &script, config, missing, problems);
    if let Script::Inline(text) = &script
        && text.len() > MAX_INLINE_BYTES
    {
        problems.push(Problem::new(
            ConditionReason::ScriptTooLong,
            format!(
                "spec.script.inline has {} bytes, at most {MAX_INLINE_BYTES} fit: use a ConfigMap",
                text.len()
            ),
        ));
    }
    if let Some(OutputClaim {
        name,
        access_modes: None,
    }) = &resolved.output_claim
    {
        problems.push(Problem::new(
            ConditionReason::ClaimMissing,
            format!("the claim {name} of spec.storage.output does not exist: create it in the resource's namespace"),
        ));
    }
    // An output without the site's values gives no object; its problem is appended already.
    let output = output?;
    let forbidden = problems.iter().any(|problem| problem.reason.description().blocks_plan);
    (!forbidden).then(|| {
        Box::new(built_in::plan(
            resource,
            resolved,
            config,
            spec,
            instrument.to_owned(),
            output,
        ))
    })
}

/// Appends one problem with all values that the site has to set; `missing` has those of the output.
fn check_site(
    spec: &LiveDataProcessorSpec,
    script: &Script,
    config: &Config,
    mut missing: Vec<String>,
    problems: &mut Vec<Problem>,
) {
    if *script == Script::FiaApi && config.fia_api_url.is_none() {
        missing.push("FIA_API_URL, for the script".to_owned());
    }
    if built_in::bootstrap_servers(spec, config).is_none() {
        missing.push("KAFKA_BOOTSTRAP_SERVERS or spec.kafka.bootstrapServers, for the stream".to_owned());
    }
    if !missing.is_empty() {
        problems.push(Problem::new(
            ConditionReason::SiteNotConfigured,
            format!(
                "not set: {}; set it in the values of the operator's chart",
                missing.join("; ")
            ),
        ));
    }
}

#[cfg(test)]
mod tests;
