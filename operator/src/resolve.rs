//! First step of a reconcile: facts about the resource that only the cluster has.
//!
//! Promises: at most one request, and none for a resource whose output names no claim; a missing claim is a result, not
//! an error. Must not: draw conclusions; `validate` does.

use std::sync::Arc;

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::Api;
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::Value;

use crate::error::ReconcileError;
use crate::spec_merge;

/// Facts that `validate` needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// Claim that `spec.storage.output` names; `None` for other kinds of output.
    pub output_claim: Option<OutputClaim>,
    /// Older resource with the same instrument, as `namespace/name`.
    pub instrument_holder: Option<String>,
}

/// Existing or missing claim that `spec.storage.output` names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputClaim {
    /// Name of the claim in the resource's namespace.
    pub name: String,
    /// `spec.accessModes`; `None` if the claim does not exist.
    pub access_modes: Option<Vec<String>>,
}

/// Looks up the claim that the output names, and the resource that has the instrument among `all`.
///
/// # Errors
/// [`ReconcileError::Api`] if the claim cannot be read.
pub async fn resolve(
    client: &Client,
    resource: &LiveDataProcessor,
    all: &[Arc<LiveDataProcessor>],
    worker_defaults: &Value,
) -> Result<Resolved, ReconcileError> {
    let instrument_holder = instrument_holder(resource, all);
    let Some(name) = claim_name(resource, worker_defaults) else {
        return Ok(Resolved {
            output_claim: None,
            instrument_holder,
        });
    };
    let claims: Api<PersistentVolumeClaim> = Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
    let claim = claims
        .get_opt(&name)
        .await
        .map_err(|error| ReconcileError::api("read the claim", &name, error))?;
    let access_modes = claim.map(|claim| claim.spec.and_then(|spec| spec.access_modes).unwrap_or_default());
    Ok(Resolved {
        output_claim: Some(OutputClaim { name, access_modes }),
        instrument_holder,
    })
}

fn claim_name(resource: &LiveDataProcessor, worker_defaults: &Value) -> Option<String> {
    let spec = spec_merge::merged(&resource.spec, worker_defaults).ok()?;
    Some(spec.storage?.output?.persistent_volume_claim?.claim_name)
}

/// Oldest other resource of the same instrument that is older than this one, as `namespace/name`. Resources created in
/// the same second are ordered by namespace and name; instruments are compared without regard to case.
pub fn instrument_holder(resource: &LiveDataProcessor, all: &[Arc<LiveDataProcessor>]) -> Option<String> {
    let instrument = spec_merge::instrument(resource);
    let age = |one: &LiveDataProcessor| (one.creation_timestamp(), one.namespace(), one.name_any());
    all.iter()
        .filter(|other| other.uid() != resource.uid())
        .filter(|other| spec_merge::instrument(other).eq_ignore_ascii_case(&instrument))
        .filter(|other| age(other) < age(resource))
        .min_by_key(|other| age(other))
        .map(|other| format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()))
}
