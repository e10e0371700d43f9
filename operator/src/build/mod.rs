//! Third step of a reconcile: the plan as whole Kubernetes objects.
//!
//! Promises: the same plan gives the same objects, field for field; every namespaced object is owned by the resource. Must
//! not: read the cluster or the clock.

mod deployment;
mod desired_object;
mod environment;
mod metadata;
mod network_policy;
mod pod_volumes;
mod service;
mod service_account;
mod volumes;

use crate::object_kind::ObjectKind;
use crate::plan::Plan;
pub use desired_object::DesiredObject;

/// All objects of a plan, in the order of their application: the Deployment comes last.
///
/// # Errors
/// [`serde_json::Error`] if an object cannot be written as JSON, a fault of this program.
pub fn build(plan: &Plan) -> Result<Vec<DesiredObject>, serde_json::Error> {
    let mut objects = vec![
        DesiredObject::new(ObjectKind::ServiceAccount, &service_account::service_account(plan))?,
        DesiredObject::new(ObjectKind::Service, &service::service(plan))?,
    ];
    if plan.network_policy {
        objects.push(DesiredObject::new(
            ObjectKind::NetworkPolicy,
            &network_policy::network_policy(plan),
        )?);
    }
    if let Some((volume, claim)) = volumes::output(plan) {
        objects.push(DesiredObject::new(ObjectKind::PersistentVolume, &volume)?);
        objects.push(DesiredObject::new(ObjectKind::PersistentVolumeClaim, &claim)?);
    }
    if let Some((volume, claim)) = volumes::archive(plan) {
        objects.push(DesiredObject::new(ObjectKind::PersistentVolume, &volume)?);
        objects.push(DesiredObject::new(ObjectKind::PersistentVolumeClaim, &claim)?);
    }
    objects.push(DesiredObject::new(
        ObjectKind::Deployment,
        &deployment::deployment(plan),
    )?);
    Ok(objects)
}

#[cfg(test)]
pub mod tests;
