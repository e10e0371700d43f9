//! Requests for the objects that the operator makes.
//!
//! Promises: each error names verb and object; every written version enters the cache at once. Must not: decide which
//! object is written; `apply` and `deletion` do.

use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::Value;

use crate::build::DesiredObject;
use crate::error::ReconcileError;
use crate::names::{MANAGER, Names};
use crate::object_cache::{ClusterObject, ObjectCache};
use crate::object_kind::ObjectKind;
use crate::ownership;

/// Untyped API of one kind; `namespace` is ignored for cluster-wide kinds.
pub fn api(client: &Client, kind: ObjectKind, namespace: &str) -> Api<DynamicObject> {
    let resource = kind.api_resource();
    if kind.namespaced() {
        Api::namespaced_with(client.clone(), namespace, &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    }
}

/// Object from the apiserver instead of the cache, which has no unlabelled objects; `label` names it in errors.
///
/// # Errors
/// [`ReconcileError::Api`] if the request fails; an absent object is no error.
pub async fn get(api: &Api<DynamicObject>, name: &str, label: &str) -> Result<Option<ClusterObject>, ReconcileError> {
    let found = api
        .get_opt(name)
        .await
        .map_err(|error| ReconcileError::api("look up", label, error))?;
    found
        .map(|object| ClusterObject::new(object).map_err(|error| ReconcileError::json("read", label, error)))
        .transpose()
}

/// Creates an object; false if its name is taken. A creation costs the apiserver less than an apply, and cannot change an
/// object of somebody else.
///
/// # Errors
/// [`ReconcileError`] if the request fails for another reason.
pub async fn create(
    api: &Api<DynamicObject>,
    objects: &ObjectCache,
    desired: &DesiredObject,
    label: &str,
) -> Result<bool, ReconcileError> {
    let object: DynamicObject =
        serde_json::from_value(desired.value.clone()).map_err(|error| ReconcileError::json("write", label, error))?;
    let parameters = PostParams {
        field_manager: Some(MANAGER.into()),
        ..PostParams::default()
    };
    match api.create(&parameters, &object).await {
        Ok(created) => {
            objects.insert(desired.kind, created);
            Ok(true)
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
        Err(error) => Err(ReconcileError::api("create", label, error)),
    }
}

/// Server-side apply of an object. Forced, because the resource alone decides its fields.
///
/// # Errors
/// [`ReconcileError::Api`] if the request fails.
pub async fn server_side_apply(
    api: &Api<DynamicObject>,
    objects: &ObjectCache,
    kind: ObjectKind,
    name: &str,
    object: &Value,
    label: &str,
) -> Result<(), ReconcileError> {
    let parameters = PatchParams::apply(MANAGER).force();
    let written = api
        .patch(name, &parameters, &Patch::Apply(object))
        .await
        .map_err(|error| ReconcileError::api("apply", label, error))?;
    objects.insert(kind, written);
    Ok(())
}

/// JSON Patch (RFC 6902) from its operations.
///
/// # Errors
/// [`ReconcileError::Json`] if `operations` is not a list of operations.
pub fn json_patch(operations: Value, label: &str) -> Result<Patch<()>, ReconcileError> {
    let patch =
        serde_json::from_value(operations).map_err(|error| ReconcileError::json("write a patch of", label, error))?;
    Ok(Patch::Json(patch))
}

/// Deletes an object of the resource with this UID.
///
/// False, without a request, for an object of others, one that is being deleted, or a successor of the object seen.
///
/// # Errors
/// [`ReconcileError::Api`] if the request fails.
pub async fn delete_owned(
    client: &Client,
    kind: ObjectKind,
    name: &str,
    names: &Names,
    uid: &str,
    object: &ClusterObject,
) -> Result<bool, ReconcileError> {
    let value = object.value();
    if !ownership::is_ours(kind, uid, &names.owner(), &value) || value.pointer("/metadata/deletionTimestamp").is_some()
    {
        return Ok(false);
    }
    let parameters = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(object.uid.clone()),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    match api(client, kind, &names.namespace).delete(name, &parameters).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
        Err(error) => Err(ReconcileError::api("delete", format!("{}/{name}", kind.name()), error)),
    }
}
