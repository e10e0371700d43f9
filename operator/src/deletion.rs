//! Deletion of a resource's objects, and the finalizer that waits for it.
//!
//! Promises: Deployment, claims and volumes are deleted in that order, each only if it belongs to the resource and is
//! still the one that was seen; the finalizer goes when the volumes are gone, and the former operator's with it. Claims are
//! deleted without waiting for volumes, because a bound volume terminates only after its claim. The data stay (reclaim
//! policy Retain). Objects with an owner reference and no finalizer (Service, ServiceAccount, NetworkPolicy) are left to
//! the garbage collector.

use std::sync::Arc;

use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use serde_json::json;

use crate::error::ReconcileError;
use crate::names::{FINALIZER, FORMER_FINALIZER, MANAGER, Names};
use crate::object_cache::{ClusterObject, ObjectCache};
use crate::object_kind::ObjectKind;
use crate::ownership;
use crate::requests;

/// Progress of a deletion, which decides when the next attempt is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletionProgress {
    /// Volumes remain, and their watch will show their end.
    Waiting,
    /// Volumes without a label of the operator remain; no watch shows their end.
    Unwatched,
    /// Volumes remain, and finalizers of others keep an object; the message lists both.
    Blocked(String),
    /// No object remains, and the finalizers are removed.
    Done,
}

/// Object of the resource that has to be deleted.
struct RemainingObject {
    kind: ObjectKind,
    name: String,
    object: Arc<ClusterObject>,
}

/// Search for the objects of one resource.
struct ObjectSearch<'a> {
    client: &'a Client,
    objects: &'a ObjectCache,
    names: &'a Names,
    uid: &'a str,
    /// An object of the resource was found that no watch shows.
    unwatched: bool,
}

impl ObjectSearch<'_> {
    fn is_ours(&self, kind: ObjectKind, object: &ClusterObject) -> bool {
        ownership::is_ours(kind, self.uid, &self.names.owner(), &object.value())
    }

    fn find(&self, kind: ObjectKind, name: String) -> Option<RemainingObject> {
        let object = self.objects.get(kind, &self.names.namespace, &name)?;
        Some(RemainingObject { kind, name, object })
    }

    /// Object of `find`, else of a request, because no watch shows an object without labels.
    async fn find_unlabelled(
        &mut self,
        kind: ObjectKind,
        name: String,
    ) -> Result<Option<RemainingObject>, ReconcileError> {
        if let Some(found) = self.find(kind, name.clone()) {
            return Ok(Some(found));
        }
        let api = requests::api(self.client, kind, &self.names.namespace);
        let Some(object) = requests::get(&api, &name, &name).await? else {
            return Ok(None);
        };
        self.unwatched |= self.is_ours(kind, &object);
        let object = Arc::new(object);
        Ok(Some(RemainingObject { kind, name, object }))
    }

    /// Deployment, claims and volumes that exist, in the order of their deletion.
    async fn remaining(&mut self) -> Result<Vec<RemainingObject>, ReconcileError> {
        let mut claims = Vec::new();
        let mut volumes = Vec::new();
        let mut any_bound = false;
        for (claim, volume) in [
            (self.names.ceph_claim(), self.names.ceph_volume()),
            (self.names.archive_claim(), self.names.archive_volume()),
        ] {
            let volume = self.find_unlabelled(ObjectKind::PersistentVolume, volume).await?;
            // A bound volume waits for its claim, and that for the pods. Any other unlabelled object has an owner
            // reference and goes with the resource.
            let bound = volume.as_ref().is_some_and(|volume| is_bound(&volume.object));
            any_bound |= bound;
            claims.extend(if bound {
                self.find_unlabelled(ObjectKind::PersistentVolumeClaim, claim).await?
            } else {
                self.find(ObjectKind::PersistentVolumeClaim, claim)
            });
            volumes.extend(volume);
        }
        let deployment = if any_bound {
            self.find_unlabelled(ObjectKind::Deployment, self.names.deployment())
                .await?
        } else {
            self.find(ObjectKind::Deployment, self.names.deployment())
        };
        Ok(deployment.into_iter().chain(claims).chain(volumes).collect())
    }
}

fn is_bound(volume: &ClusterObject) -> bool {
    volume
        .value()
        .pointer("/status/phase")
        .is_some_and(|phase| phase == "Bound")
}

/// Deletes the remaining objects of a resource; removes the finalizers when no volume is left.
///
/// # Errors
/// [`ReconcileError::Api`] if a request fails; the next attempt continues.
pub async fn delete_objects(
    client: &Client,
    objects: &ObjectCache,
    resource: &LiveDataProcessor,
) -> Result<DeletionProgress, ReconcileError> {
    let finalizers = [FINALIZER, FORMER_FINALIZER];
    if !resource
        .finalizers()
        .iter()
        .any(|finalizer| finalizers.contains(&finalizer.as_str()))
    {
        return Ok(DeletionProgress::Done);
    }
    let names = Names::of(resource);
    let uid = resource.uid().unwrap_or_default();
    let mut search = ObjectSearch {
        client,
        objects,
        names: &names,
        uid: &uid,
        unwatched: false,
    };
    let remaining = search.remaining().await?;
    let mut kept = Vec::new();
    for RemainingObject { kind, name, object } in &remaining {
        kept.extend(ownership::foreign_finalizers(*kind, &object.value()));
        requests::delete_owned(client, *kind, name, &names, &uid, object).await?;
    }
    let volumes_remain = remaining.iter().any(|remaining| {
        remaining.kind == ObjectKind::PersistentVolume && search.is_ours(remaining.kind, &remaining.object)
    });
    if !volumes_remain {
        remove_finalizers(client, resource, &finalizers).await?;
        return Ok(DeletionProgress::Done);
    }
    Ok(if !kept.is_empty() {
        DeletionProgress::Blocked(format!(
            "what is deleted is kept by finalizers of others: {}; it goes when they do",
            kept.join("; ")
        ))
    } else if search.unwatched {
        DeletionProgress::Unwatched
    } else {
        DeletionProgress::Waiting
    })
}

/// Adds the operator's finalizer; must precede the first object that [`delete_objects`] has to delete.
///
/// # Errors
/// [`ReconcileError::Api`] if the request fails.
pub async fn add_finalizer(client: &Client, resource: &LiveDataProcessor) -> Result<(), ReconcileError> {
    let mut finalizers = resource.finalizers().to_vec();
    finalizers.push(FINALIZER.to_owned());
    set_finalizers(client, resource, &finalizers, "add the finalizer to").await
}

/// Removes the finalizers listed and keeps all others.
///
/// # Errors
/// [`ReconcileError::Api`] if the request fails; an absent resource is no error.
pub async fn remove_finalizers(
    client: &Client,
    resource: &LiveDataProcessor,
    listed: &[&str],
) -> Result<(), ReconcileError> {
    let finalizers: Vec<String> = resource
        .finalizers()
        .iter()
        .filter(|finalizer| !listed.contains(&finalizer.as_str()))
        .cloned()
        .collect();
    match set_finalizers(client, resource, &finalizers, "remove the finalizer of").await {
        Err(ReconcileError::Api { source, .. }) if matches!(source.as_ref(), kube::Error::Api(status) if status.is_not_found()) => {
            Ok(())
        }
        result => result,
    }
}

async fn set_finalizers(
    client: &Client,
    resource: &LiveDataProcessor,
    finalizers: &[String],
    action: &'static str,
) -> Result<(), ReconcileError> {
    let name = resource.name_any();
    let api: Api<LiveDataProcessor> = Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
    // The list replaces finalizers that others add meanwhile: the version turns that into a conflict. The UID excludes a
    // successor of the same name.
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
        .map_err(|error| ReconcileError::api(action, &name, error))?;
    Ok(())
}
