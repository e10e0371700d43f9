//! The way back: what a resource that is being deleted leaves behind is removed before it goes.
//!
//! Promises: Deployment, claims, volumes in that order, each only if it is this resource's and still the one that was
//! seen; the finalizer goes when the volumes are gone, and the former operator's with it. It does not wait for volumes
//! before deleting claims: a bound volume stays Terminating until its claim is gone. The data stay (reclaim policy
//! Retain). What has an owner reference and no finalizer (Service, account, policy) is the garbage collector's.

use std::sync::Arc;

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::json;

use crate::apply;
use crate::failure::Failure;
use crate::names::{FINALIZER, MANAGER, Names, OLD_FINALIZER};
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

/// An object that may have to go.
type Found = (Kind, String, Arc<Live>);

fn is_bound(volume: &Live) -> bool {
    volume
        .value()
        .pointer("/status/phase")
        .is_some_and(|phase| phase == "Bound")
}

/// Goes on cleaning up.
///
/// # Errors
/// When a request fails.
pub async fn cleanup(client: &Client, objects: &Objects, resource: &LiveDataProcessor) -> Result<Cleanup, Failure> {
    let ours = [FINALIZER, OLD_FINALIZER];
    if !resource
        .finalizers()
        .iter()
        .any(|finalizer| ours.contains(&finalizer.as_str()))
    {
        return Ok(Cleanup::Done);
    }
    let namespace = resource.namespace().unwrap_or_default();
    let names = Names::new(&namespace, &resource.name_any());
    let uid = resource.uid().unwrap_or_default();
    let is_ours = |kind, live: &Live| ownership::is_ours(kind, &uid, &names.owner(), &live.value());
    let mut unwatched = false;
    let mut find = async |kind: Kind, name: String, look: bool| -> Result<Option<Found>, Failure> {
        if let Some(live) = objects.get(kind, &namespace, &name) {
            return Ok(Some((kind, name, live)));
        }
        // What has lost its labels is in no watch.
        if look && let Some(live) = apply::look_up(&apply::api(client, kind, &namespace), &name, &name).await? {
            unwatched |= is_ours(kind, &live);
            return Ok(Some((kind, name, Arc::new(live))));
        }
        Ok(None)
    };
    let mut claims = Vec::new();
    let mut volumes = Vec::new();
    let mut any_bound = false;
    for (claim, volume) in [
        (names.ceph_claim(), names.ceph_volume()),
        (names.archive_claim(), names.archive_volume()),
    ] {
        let volume = find(Kind::PersistentVolume, volume, true).await?;
        // A bound volume waits for its claim, and that for the worker; whatever else has no label has an owner, and goes
        // with it.
        let bound = volume.as_ref().is_some_and(|(_, _, live)| is_bound(live));
        any_bound |= bound;
        claims.extend(find(Kind::PersistentVolumeClaim, claim, bound).await?);
        volumes.extend(volume);
    }
    let deployment = find(Kind::Deployment, names.deployment(), any_bound).await?;
    let found: Vec<Found> = deployment.into_iter().chain(claims).chain(volumes).collect();
    let mut held = Vec::new();
    for (kind, name, live) in &found {
        held.extend(ownership::held_by_others(*kind, &live.value()));
        apply::delete(client, *kind, &namespace, name, &uid, &names.owner(), live).await?;
    }
    let volumes_remain = found
        .iter()
        .any(|(kind, _, live)| *kind == Kind::PersistentVolume && is_ours(*kind, live));
    if !volumes_remain {
        remove_finalizers(client, resource, &ours).await?;
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

/// Removes these finalizers.
///
/// # Errors
/// When the request fails; that the resource is gone already is no failure.
pub async fn remove_finalizers(client: &Client, resource: &LiveDataProcessor, which: &[&str]) -> Result<(), Failure> {
    let finalizers: Vec<String> = resource
        .finalizers()
        .iter()
        .filter(|finalizer| !which.contains(&finalizer.as_str()))
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
