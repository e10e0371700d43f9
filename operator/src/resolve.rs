//! What a resource refers to and only the cluster knows: the claim that it names, the holder of its instrument.
//!
//! Promises: one read at most, none for a resource that names no claim; a missing claim is an answer, not an
//! error. It must not judge what it finds; `validate` does.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::api::Api;
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::Value;

use crate::failure::Failure;
use crate::validate;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The claim that the output names.
    pub output_claim: Option<Claim>,
    /// Another resource, as namespace/name, that has the instrument.
    pub instrument_holder: Option<String>,
}

/// A claim that the resource names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Its name.
    pub name: String,
    /// Its access modes; absent when there is no such claim.
    pub access_modes: Option<Vec<String>>,
}

/// Looks up what the resource refers to.
///
/// # Errors
/// When the apiserver does not answer.
pub async fn resolve(
    client: &Client,
    resource: &LiveDataProcessor,
    all: &[std::sync::Arc<LiveDataProcessor>],
    worker_defaults: &Value,
) -> Result<Resolved, Failure> {
    let instrument_holder = holder(resource, all);
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
        .map_err(|error| Failure::api("read the claim", &name, error))?;
    let access_modes = claim.map(|claim| claim.spec.and_then(|spec| spec.access_modes).unwrap_or_default());
    Ok(Resolved {
        output_claim: Some(Claim { name, access_modes }),
        instrument_holder,
    })
}

/// Name of the claim that the output names, with the site's defaults.
fn claim_name(resource: &LiveDataProcessor, worker_defaults: &Value) -> Option<String> {
    let spec = validate::merged(&resource.spec, worker_defaults).ok()?;
    Some(spec.storage?.output?.persistent_volume_claim?.claim_name)
}

/// The resource that has this one's instrument: the oldest of those that name it, by creation, then by name.
pub fn holder(resource: &LiveDataProcessor, all: &[std::sync::Arc<LiveDataProcessor>]) -> Option<String> {
    let instrument = validate::instrument(resource);
    let age = |one: &LiveDataProcessor| (one.creation_timestamp(), one.namespace(), one.name_any());
    all.iter()
        .filter(|other| other.uid() != resource.uid())
        .filter(|other| validate::instrument(other).eq_ignore_ascii_case(&instrument))
        .filter(|other| age(other) < age(resource))
        .min_by_key(|other| age(other))
        .map(|other| format!("{}/{}", other.namespace().unwrap_or_default(), other.name_any()))
}
