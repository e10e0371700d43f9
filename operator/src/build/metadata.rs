//! Metadata of the objects: labels, and the owner that deletes them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};

use crate::names::OWNER_ANNOTATION;
use crate::plan::Plan;

/// Metadata of a namespaced object, which the garbage collector deletes with the resource.
pub(super) fn owned(plan: &Plan, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(plan.names.namespace.clone()),
        labels: Some(plan.names.labels()),
        owner_references: Some(vec![OwnerReference {
            api_version: "fia.com/v1".into(),
            kind: "LiveDataProcessor".into(),
            name: plan.names.resource.clone(),
            uid: plan.uid.clone(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }]),
        ..ObjectMeta::default()
    }
}

/// Metadata of a cluster-wide object, which cannot have an owner in a namespace; the finalizer deletes it.
pub(super) fn cluster_wide(plan: &Plan, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        labels: Some(plan.names.labels()),
        annotations: Some([(OWNER_ANNOTATION.to_owned(), plan.names.owner())].into()),
        ..ObjectMeta::default()
    }
}
