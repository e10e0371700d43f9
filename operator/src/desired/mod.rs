//! The plan as whole Kubernetes objects.
//!
//! Promises: the same plan gives the same objects, field for field; every namespaced one is owned by the resource;
//! nothing here is read from the cluster or the clock. Pure.

mod deployment;
mod environment;
mod network_policy;
mod service;
mod service_account;
mod volumes;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde::Serialize;
use serde_json::Value;

use crate::names::{APPLIED, OWNER};
use crate::objects::Kind;
use crate::validate::Plan;

/// One object as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The whole object with apiVersion and kind, as it is applied.
    pub value: Value,
}

impl Desired {
    fn new(kind: Kind, object: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut value = serde_json::to_value(object)?;
        let digest = digest(&value);
        let name = value
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
            && let Some(annotations) = metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(serde_json::Map::new()))
                .as_object_mut()
        {
            annotations.insert(APPLIED.into(), digest.into());
        }
        Ok(Self { kind, name, value })
    }
}

/// All objects of a plan, in the order in which they are applied: what a pod needs comes before it.
///
/// # Errors
/// When an object cannot be written as JSON, which is a fault of this program.
pub fn desired(plan: &Plan) -> Result<Vec<Desired>, serde_json::Error> {
    let mut objects = vec![
        Desired::new(Kind::ServiceAccount, &service_account::service_account(plan))?,
        Desired::new(Kind::Service, &service::service(plan))?,
    ];
    if plan.network_policy {
        objects.push(Desired::new(
            Kind::NetworkPolicy,
            &network_policy::network_policy(plan),
        )?);
    }
    if let Some((volume, claim)) = volumes::output(plan) {
        objects.push(Desired::new(Kind::PersistentVolume, &volume)?);
        objects.push(Desired::new(Kind::PersistentVolumeClaim, &claim)?);
    }
    if let Some((volume, claim)) = volumes::archive(plan) {
        objects.push(Desired::new(Kind::PersistentVolume, &volume)?);
        objects.push(Desired::new(Kind::PersistentVolumeClaim, &claim)?);
    }
    objects.push(Desired::new(Kind::Deployment, &deployment::deployment(plan))?);
    Ok(objects)
}

/// Metadata of a namespaced object, owned by the resource.
fn owned(plan: &Plan, name: String) -> ObjectMeta {
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

/// Metadata of a cluster-wide object, which cannot have an owner in a namespace: the finalizer deletes it.
fn cluster_wide(plan: &Plan, name: String) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        labels: Some(plan.names.labels()),
        annotations: Some([(OWNER.to_owned(), plan.names.owner())].into()),
        ..ObjectMeta::default()
    }
}

/// First 16 hexadecimal digits of the SHA-256 of an object's JSON, whose fields are in alphabetical order.
fn digest(value: &Value) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    let hash = Sha256::digest(value.to_string().as_bytes());
    hash.iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
pub mod tests;
