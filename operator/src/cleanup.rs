//! The way back: what a resource that is being deleted leaves behind is removed before it goes.
//!
//! Promises: Deployment, claims, volumes in that order, each only if it is this resource's and still the one that was
//! seen; the finalizer goes when the volumes are gone. It does not wait for volumes before deleting claims: a bound
//! volume stays Terminating until its claim is gone. The data stay (reclaim policy Retain). What has an owner
//! reference and no finalizer (Service, account, policy) is the garbage collector's.

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::json;

use crate::apply;
use crate::failure::Failure;
use crate::names::{FINALIZER, MANAGER, Names};
use crate::objects::{Kind, Objects};
use crate::ownership;

/// How far the cleaning up is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Volumes are still there; their watch will tell.
    Waiting,
    /// Something is kept by a finalizer of someone else's; in words.
    Held(String),
    /// All is gone, and the finalizer with it.
    Done,
}

/// Goes on cleaning up.
///
/// # Errors
/// When a request fails.
pub async fn cleanup(client: &Client, objects: &Objects, resource: &LiveDataProcessor) -> Result<Cleanup, Failure> {
    if !resource.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        return Ok(Cleanup::Done);
    }
    let namespace = resource.namespace().unwrap_or_default();
    let names = Names::new(&namespace, &resource.name_any());
    let uid = resource.uid().unwrap_or_default();
    let volumes = [names.ceph_volume(), names.archive_volume()];
    let ordered = [
        (Kind::Deployment, names.deployment()),
        (Kind::PersistentVolumeClaim, names.ceph_claim()),
        (Kind::PersistentVolumeClaim, names.archive_claim()),
    ];
    let ordered = ordered
        .into_iter()
        .chain(volumes.iter().map(|name| (Kind::PersistentVolume, name.clone())));
    let mut held = Vec::new();
    for (kind, name) in ordered {
        if let Some(live) = objects.get(kind, &namespace, &name) {
            held.extend(ownership::held_by_others(kind, &live.value()));
            apply::delete(client, kind, &namespace, &name, &uid, &names.owner(), &live).await?;
        }
    }
    let remains = volumes.iter().any(|name| {
        objects
            .get(Kind::PersistentVolume, "", name)
            .is_some_and(|live| ownership::is_ours(Kind::PersistentVolume, &uid, &names.owner(), &live.value()))
    });
    if remains {
        return Ok(if held.is_empty() {
            Cleanup::Waiting
        } else {
            Cleanup::Held(format!(
                "what is deleted is kept by finalizers of others: {}; it goes when they do",
                held.join("; ")
            ))
        });
    }
    remove_finalizer(client, resource).await?;
    Ok(Cleanup::Done)
}

/// Adds the finalizer, before anything is made that it has to remove.
///
/// # Errors
/// When the request fails.
pub async fn add_finalizer(client: &Client, resource: &LiveDataProcessor) -> Result<(), Failure> {
    let mut finalizers = resource.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    set_finalizers(client, resource, &finalizers, "add the finalizer to").await
}

/// Removes the finalizer.
///
/// # Errors
/// When the request fails; that the resource is gone already is no failure.
pub async fn remove_finalizer(client: &Client, resource: &LiveDataProcessor) -> Result<(), Failure> {
    let finalizers: Vec<String> = resource
        .finalizers()
        .iter()
        .filter(|finalizer| *finalizer != FINALIZER)
        .cloned()
        .collect();
    match set_finalizers(client, resource, &finalizers, "remove the finalizer of").await {
        Err(Failure::Api { source, .. }) if matches!(source.as_ref(), kube::Error::Api(status) if status.is_not_found()) => {
            Ok(())
        }
        other => other,
    }
}

async fn set_finalizers(
    client: &Client,
    resource: &LiveDataProcessor,
    finalizers: &[String],
    action: &'static str,
) -> Result<(), Failure> {
    let name = resource.name_any();
    let api: Api<LiveDataProcessor> = Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
    // With the version, for the list replaces whatever others put there; with the UID, for the name may be another's.
    let patch = json!({"metadata": {
        "finalizers": finalizers,
        "resourceVersion": resource.resource_version(),
        "uid": resource.uid(),
    }});
    let parameters = PatchParams {
        field_manager: Some(MANAGER.into()),
        ..PatchParams::default()
    };
    api.patch_metadata(&name, &parameters, &Patch::Merge(&patch))
        .await
        .map_err(|error| Failure::api(action, &name, error))?;
    Ok(())
}
