//! The way back: what a resource that is being deleted leaves behind is removed before it goes.
//!
//! Promises: Deployment, claims, volumes in that order, each only if it is this resource's and still the one that was
//! seen; the finalizer goes when the volumes are gone. It does not wait for volumes before deleting claims: a bound
//! volume stays Terminating until its claim is gone. The data stay (reclaim policy Retain). What has an owner
//! reference and no finalizer (Service, account, policy) is the garbage collector's.

use std::sync::Arc;

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::json;

use crate::apply;
use crate::failure::Failure;
use crate::names::{FINALIZER, MANAGER, Names};
use crate::objects::{Kind, Live, Objects};
use crate::ownership;

/// How far the cleaning up is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// Volumes are still there; their watch will tell.
    Waiting,
    /// Volumes are still there that no watch shows.
    Unwatched,
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
    // In the order of deletion, each claim with the volume that waits for it.
    let (ceph, archive) = (names.ceph_volume(), names.archive_volume());
    let ordered = [
        (Kind::Deployment, names.deployment(), None),
        (Kind::PersistentVolumeClaim, names.ceph_claim(), Some(&ceph)),
        (Kind::PersistentVolumeClaim, names.archive_claim(), Some(&archive)),
        (Kind::PersistentVolume, ceph.clone(), None),
        (Kind::PersistentVolume, archive.clone(), None),
    ];
    let is_ours = |kind, live: &Live| ownership::is_ours(kind, &uid, &names.owner(), &live.value());
    let is_bound = |volume: &String| {
        let live = objects.get(Kind::PersistentVolume, &namespace, volume);
        live.is_some_and(|live| {
            live.value()
                .pointer("/status/phase")
                .is_some_and(|phase| phase == "Bound")
        })
    };
    let mut found = Vec::new();
    let mut unwatched = false;
    for (kind, name, volume) in &ordered {
        if let Some(live) = objects.get(*kind, &namespace, name) {
            found.push((*kind, name, live));
        // What has lost its labels is in no watch. The rest has an owner, and goes with it.
        } else if (*kind == Kind::PersistentVolume || volume.is_some_and(is_bound))
            && let Some(live) = apply::look_up(&apply::api(client, *kind, &namespace), name, name).await?
        {
            unwatched |= is_ours(*kind, &live);
            found.push((*kind, name, Arc::new(live)));
        }
    }
    let mut held = Vec::new();
    for (kind, name, live) in &found {
        held.extend(ownership::held_by_others(*kind, &live.value()));
        apply::delete(client, *kind, &namespace, name, &uid, &names.owner(), live).await?;
    }
    let volumes_remain = found
        .iter()
        .any(|(kind, _, live)| *kind == Kind::PersistentVolume && is_ours(*kind, live));
    if !volumes_remain {
        remove_finalizer(client, resource).await?;
        return Ok(Cleanup::Done);
    }
    Ok(if !held.is_empty() {
        Cleanup::Held(format!(
            "what is deleted is kept by finalizers of others: {}; it goes when they do",
            held.join("; ")
        ))
    } else if unwatched {
        Cleanup::Unwatched
    } else {
        Cleanup::Waiting
    })
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
