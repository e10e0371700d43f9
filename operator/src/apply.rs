//! Fourth step of a reconcile: absent objects are created, objects that differ are applied.
//!
//! Promises: an object that is as desired costs no request; an object of somebody else is never written; everything that a
//! pod needs is applied before the Deployment; no Deployment is created while one of its volumes is somebody else's or its
//! claims are being bound; an object that others change back is not applied over and over. Must not: decide the content of
//! an object; `build` does.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use kube::api::{Api, DynamicObject, PatchParams};
use serde_json::{Value, json};

use crate::build::DesiredObject;
use crate::contention::Contention;
use crate::error::ReconcileError;
use crate::names::MANAGER;
use crate::object_cache::{ClusterObject, ObjectCache};
use crate::object_kind::ObjectKind;
use crate::observe::deployment::DeploymentState;
use crate::ownership::{self, ObjectAction};
use crate::plan::Plan;
use crate::problem::Problem;
use crate::requests;
use crate::takeover;

/// Longest time that a new Deployment waits for its claims to be bound.
///
/// The scheduler retries a pod with unbound claims after a second at the earliest, and after minutes if it misses the
/// binding.
pub const BINDING_WAIT: Duration = Duration::from_secs(5);

/// Result of applying one plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// Objects of others under the plan's names, and fields that cannot be changed.
    pub problems: Vec<Problem>,
    /// Objects that were created, changed or deleted, as `Kind/name`.
    pub written: Vec<String>,
    /// Objects taken over from the former operator, as `Kind/name`.
    pub adopted: Vec<String>,
    /// Objects that are being deleted and will be created again, as `Kind/name`.
    pub waiting: Vec<String>,
    /// The Deployment is not created yet, because its claims are being bound.
    pub waits_for_binding: bool,
}

impl ApplyReport {
    fn extend(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.written.extend(other.written);
        self.adopted.extend(other.adopted);
        self.waiting.extend(other.waiting);
        self.waits_for_binding |= other.waits_for_binding;
    }
}

/// State shared by the requests of one plan.
struct Applier<'a> {
    client: &'a Client,
    objects: &'a ObjectCache,
    contention: &'a Contention,
    plan: &'a Plan,
}

/// Applies the objects of a plan, then deletes the resource's objects that the plan lacks.
///
/// # Errors
/// [`ReconcileError`] of the first request that failed; objects applied before it stay.
pub async fn apply(
    client: &Client,
    objects: &ObjectCache,
    contention: &Contention,
    plan: &Plan,
    desired: &[DesiredObject],
) -> Result<ApplyReport, ReconcileError> {
    let applier = Applier {
        client,
        objects,
        contention,
        plan,
    };
    let (needs, deployments): (Vec<_>, Vec<_>) =
        desired.iter().partition(|object| object.kind != ObjectKind::Deployment);
    let mut report = ApplyReport::default();
    for result in join_all(needs.into_iter().map(|object| applier.apply_object(object))).await {
        report.extend(result?);
    }
    let blocked = !report.waiting.is_empty()
        || report
            .problems
            .iter()
            .any(|problem| problem.reason.description().blocks_apply);
    let binding = desired.iter().any(|object| applier.is_binding(object));
    for object in deployments {
        // A running worker has its volumes; only a new Deployment would start without them.
        if (blocked || binding) && applier.cached(object).is_none() {
            report.waits_for_binding = !blocked;
            continue;
        }
        report.extend(applier.apply_object(object).await?);
    }
    if !blocked {
        report.extend(applier.delete_unwanted(desired).await?);
    }
    Ok(report)
}

/// State of an object before it is applied.
enum PresentObject {
    Existing(Arc<ClusterObject>),
    /// The step has created it.
    Created,
    /// It vanished between two requests; the next reconcile creates it.
    Vanished,
}

impl Applier<'_> {
    fn cached(&self, object: &DesiredObject) -> Option<Arc<ClusterObject>> {
        self.objects.get(object.kind, &self.plan.names.namespace, &object.name)
    }

    /// True for a claim that was created less than [`BINDING_WAIT`] ago and is not bound. An older one is no reason to
    /// wait: the pod's conditions then show the cause.
    fn is_binding(&self, object: &DesiredObject) -> bool {
        object.kind == ObjectKind::PersistentVolumeClaim
            && self.cached(object).is_some_and(|claim| {
                claim.first_seen.elapsed() < BINDING_WAIT
                    && claim.value().pointer("/status/phase").and_then(Value::as_str) != Some("Bound")
            })
    }

    async fn apply_object(&self, desired: &DesiredObject) -> Result<ApplyReport, ReconcileError> {
        let (kind, namespace, name) = (desired.kind, self.plan.names.namespace.as_str(), desired.name.as_str());
        let api = requests::api(self.client, kind, namespace);
        let label = format!("{}/{name}", kind.name());
        let mut report = ApplyReport::default();
        let present = match self.find_or_create(&api, desired, &label).await? {
            PresentObject::Existing(present) => present,
            PresentObject::Created => {
                report.written.push(label);
                return Ok(report);
            }
            PresentObject::Vanished => {
                report.waiting.push(label);
                return Ok(report);
            }
        };
        let value = present.value();
        let action = ownership::decide(self.plan, desired, &value, present.managed_by_former);
        self.objects
            .set_taken(kind, namespace, name, matches!(action, ObjectAction::LeaveForeign(_)));
        match action {
            ObjectAction::Wait => {
                report.waiting.push(label);
                return Ok(report);
            }
            ObjectAction::LeaveForeign(problem) => {
                report.problems.push(problem);
                return Ok(report);
            }
            ObjectAction::KeepImmutable { problem, rest } => {
                report.problems.push(problem);
                if let Some(rest) = rest {
                    take_over_fields(&api, desired, &label).await?;
                    requests::server_side_apply(&api, self.objects, kind, name, &rest, &label).await?;
                    report.written.push(label);
                }
                return Ok(report);
            }
            ObjectAction::Keep => {
                let now = tokio::time::Instant::now();
                report
                    .problems
                    .extend(self.contention.record_agreement(kind, namespace, name, now));
            }
            ObjectAction::Apply(difference) => {
                tracing::debug!(object = label, difference, "applying");
                if self.may_apply(desired, &present, &value, &difference, &mut report) {
                    self.write(&api, desired, &present, &label, &mut report).await?;
                }
            }
        }
        self.unbind_released_volume(&api, desired, &value, &mut report).await?;
        Ok(report)
    }

    async fn find_or_create(
        &self,
        api: &Api<DynamicObject>,
        desired: &DesiredObject,
        label: &str,
    ) -> Result<PresentObject, ReconcileError> {
        if let Some(present) = self.cached(desired) {
            return Ok(PresentObject::Existing(present));
        }
        let (kind, namespace, name) = (desired.kind, self.plan.names.namespace.as_str(), desired.name.as_str());
        // An object without the operator's label is not in the cache. A creation does not change such an object; where
        // one was found before, a read comes first, which costs less than a refused creation.
        let mut found = None;
        if self.objects.is_taken(kind, namespace, name) {
            found = requests::get(api, name, label).await?;
        }
        if found.is_none() {
            if requests::create(api, self.objects, desired, label).await? {
                self.objects.set_taken(kind, namespace, name, false);
                return Ok(PresentObject::Created);
            }
            found = requests::get(api, name, label).await?;
        }
        Ok(found.map_or(PresentObject::Vanished, |found| {
            PresentObject::Existing(Arc::new(found))
        }))
    }

    /// A change of the spec is applied always, a correction only as often as [`Contention`] allows.
    fn may_apply(
        &self,
        desired: &DesiredObject,
        present: &ClusterObject,
        value: &Value,
        difference: &str,
        report: &mut ApplyReport,
    ) -> bool {
        if ownership::is_new(desired, value, present.managed_by_former) {
            return true;
        }
        let correction = self.contention.record_difference(
            desired.kind,
            &self.plan.names.namespace,
            &desired.name,
            difference,
            tokio::time::Instant::now(),
        );
        report.problems.extend(correction.problem);
        correction.allowed
    }

    async fn write(
        &self,
        api: &Api<DynamicObject>,
        desired: &DesiredObject,
        present: &ClusterObject,
        label: &str,
        report: &mut ApplyReport,
    ) -> Result<(), ReconcileError> {
        if present.managed_by_former || present.created_not_applied {
            take_over_fields(api, desired, label).await?;
        }
        if present.managed_by_former {
            report.adopted.push(label.to_owned());
        }
        requests::server_side_apply(api, self.objects, desired.kind, &desired.name, &desired.value, label).await?;
        report.written.push(label.to_owned());
        Ok(())
    }

    /// Removes the UID of a vanished claim from a Released volume: the claim of the same name binds again. The data
    /// stay, and the claim is this resource's.
    async fn unbind_released_volume(
        &self,
        api: &Api<DynamicObject>,
        desired: &DesiredObject,
        present: &Value,
        report: &mut ApplyReport,
    ) -> Result<(), ReconcileError> {
        let text = |path: &str| present.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let claim_uid = text("/spec/claimRef/uid");
        if desired.kind != ObjectKind::PersistentVolume || text("/status/phase") != "Released" || claim_uid.is_empty() {
            return Ok(());
        }
        let claim = self.objects.get(
            ObjectKind::PersistentVolumeClaim,
            &self.plan.names.namespace,
            text("/spec/claimRef/name"),
        );
        if claim.is_some_and(|claim| claim.uid == claim_uid) {
            return Ok(());
        }
        let label = format!("{}/{}", desired.kind.name(), desired.name);
        let mut operations = vec![
            json!({"op": "test", "path": "/spec/claimRef/uid", "value": claim_uid}),
            json!({"op": "remove", "path": "/spec/claimRef/uid"}),
        ];
        if present.pointer("/spec/claimRef/resourceVersion").is_some() {
            operations.push(json!({"op": "remove", "path": "/spec/claimRef/resourceVersion"}));
        }
        let patch = requests::json_patch(Value::Array(operations), &label)?;
        let parameters = PatchParams {
            field_manager: Some(MANAGER.into()),
            ..PatchParams::default()
        };
        let written = api
            .patch(&desired.name, &parameters, &patch)
            .await
            .map_err(|error| ReconcileError::api("release", &label, error))?;
        self.objects.insert(desired.kind, written);
        report.written.push(label);
        Ok(())
    }

    /// Deletes objects of the resource that the plan lacks, after a change of storage or of the NetworkPolicy.
    ///
    /// Volumes and claims stay until the rollout is complete: the old worker's next pod, or a spec that is changed back,
    /// still needs them.
    async fn delete_unwanted(&self, desired: &[DesiredObject]) -> Result<ApplyReport, ReconcileError> {
        let names = &self.plan.names;
        let optional = [
            (ObjectKind::NetworkPolicy, names.base()),
            (ObjectKind::PersistentVolumeClaim, names.ceph_claim()),
            (ObjectKind::PersistentVolumeClaim, names.archive_claim()),
            (ObjectKind::PersistentVolume, names.ceph_volume()),
            (ObjectKind::PersistentVolume, names.archive_volume()),
        ];
        let mut report = ApplyReport::default();
        let rolled_out = self
            .objects
            .get(ObjectKind::Deployment, &names.namespace, &names.deployment())
            .is_none_or(|deployment| DeploymentState::from(&deployment.value()).is_rolled_out());
        for (kind, name) in optional {
            let wanted = desired.iter().any(|object| object.kind == kind && object.name == name);
            if wanted || (!rolled_out && kind != ObjectKind::NetworkPolicy) {
                continue;
            }
            let Some(object) = self.objects.get(kind, &names.namespace, &name) else {
                continue;
            };
            if requests::delete_owned(self.client, kind, &name, names, &self.plan.uid, &object).await? {
                report.written.push(format!("{}/{name}", kind.name()));
            }
        }
        Ok(report)
    }
}

/// Moves the fields of the former operator, and those of the operator's own creation, to the manager that applies.
async fn take_over_fields(
    api: &Api<DynamicObject>,
    desired: &DesiredObject,
    label: &str,
) -> Result<(), ReconcileError> {
    let object = api
        .get(&desired.name)
        .await
        .map_err(|error| ReconcileError::api("read", label, error))?;
    let managed_fields = object.metadata.managed_fields.as_deref().unwrap_or_default();
    let Some(fields) = takeover::taken_over(managed_fields) else {
        return Ok(());
    };
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": fields},
        // The version makes a write in between a conflict.
        {"op": "replace", "path": "/metadata/resourceVersion", "value": object.metadata.resource_version},
    ]);
    let patch = requests::json_patch(patch, label)?;
    api.patch(&desired.name, &PatchParams::default(), &patch)
        .await
        .map_err(|error| ReconcileError::api("take over the fields of", label, error))?;
    Ok(())
}
