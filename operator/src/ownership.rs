//! Action on an object of the plan that exists in the cluster.
//!
//! Promises: an object that is not the resource's is never written; an object of the former operator is taken over only
//! when it is unmistakably the resource's: a Deployment that the resource controls, a volume whose driver, handle and claim
//! match, a claim that names the volume. Must not: make requests.

use live_data_crd::reason::ConditionReason;
use serde_json::Value;

use crate::build::DesiredObject;
use crate::difference;
use crate::names::{APPLIED_DIGEST_ANNOTATION, OWNER_ANNOTATION};
use crate::object_kind::ObjectKind;
use crate::plan::Plan;
use crate::problem::Problem;

/// Action on an object that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectAction {
    /// No difference: no request.
    Keep,
    /// Apply it; with the path of the first difference, such as `/spec/replicas`.
    Apply(String),
    /// It is being deleted: create it again when it is gone.
    Wait,
    /// It belongs to somebody else: no request.
    LeaveForeign(Problem),
    /// It is the resource's but differs in fields that the API does not allow to change.
    KeepImmutable {
        /// Fields with both values, and the remedy.
        problem: Problem,
        /// Object with the present values of those fields, if another field has to be applied. Labels matter even then:
        /// the deletion finds objects by them.
        rest: Option<Value>,
    },
}

/// Action on `live`, the object in the cluster; `former` is true if the former operator manages fields of it.
pub fn decide(plan: &Plan, desired: &DesiredObject, live: &Value, former: bool) -> ObjectAction {
    if let Some(problem) = foreign_problem(plan, desired, live) {
        return ObjectAction::LeaveForeign(problem);
    }
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return ObjectAction::Wait;
    }
    let fixed = difference::immutable_differences(desired.kind, &desired.value, live);
    if !fixed.is_empty() {
        let rest = matches!(
            desired.kind,
            ObjectKind::PersistentVolume | ObjectKind::PersistentVolumeClaim
        )
        .then(|| difference::with_immutable(desired.kind, &desired.value, live))
        .filter(|rest| is_new(desired, live, former) || difference::first_difference(rest, live).is_some());
        return ObjectAction::KeepImmutable {
            problem: immutable_problem(desired, &fixed),
            rest,
        };
    }
    if is_new(desired, live, former) {
        return ObjectAction::Apply("the object was never applied in this form".into());
    }
    difference::first_difference(&desired.value, live).map_or(ObjectAction::Keep, ObjectAction::Apply)
}

/// True if the object was never applied in this form: the former operator manages it, or the spec has changed since.
///
/// An object without a digest is not new: somebody else has removed the annotation.
pub fn is_new(desired: &DesiredObject, live: &Value, former: bool) -> bool {
    former
        || annotation(live, APPLIED_DIGEST_ANNOTATION)
            .is_some_and(|digest| Some(digest) != annotation(&desired.value, APPLIED_DIGEST_ANNOTATION))
}

/// True if the resource may delete the object: it is the object's controller (`uid`) or, for a volume, its owner by
/// annotation (`namespace/name`).
pub fn is_ours(kind: ObjectKind, uid: &str, owner: &str, live: &Value) -> bool {
    match kind {
        ObjectKind::PersistentVolume => annotation(live, OWNER_ANNOTATION) == Some(owner),
        _ => controller_uid(live) == Some(uid),
    }
}

/// Kind, name and finalizers of an object whose deletion others hold up.
///
/// `None` if it is not being deleted, or only finalizers of the control plane are left.
pub fn foreign_finalizers(kind: ObjectKind, live: &Value) -> Option<String> {
    live.pointer("/metadata/deletionTimestamp")?;
    let finalizers = live.pointer("/metadata/finalizers")?.as_array()?;
    let others: Vec<&str> = finalizers
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| !name.starts_with("kubernetes.io/") && *name != "foregroundDeletion" && *name != "orphan")
        .collect();
    let name = live.pointer("/metadata/name")?.as_str()?;
    (!others.is_empty()).then(|| format!("{} {name}: {}", kind.name(), others.join(", ")))
}

fn foreign_problem(plan: &Plan, desired: &DesiredObject, live: &Value) -> Option<Problem> {
    match desired.kind {
        ObjectKind::PersistentVolume => foreign_volume(desired, live),
        ObjectKind::PersistentVolumeClaim => foreign_claim(plan, desired, live),
        ObjectKind::Deployment | ObjectKind::Service | ObjectKind::ServiceAccount | ObjectKind::NetworkPolicy => {
            foreign_owner(plan, desired, live)
        }
    }
}

fn foreign_volume(desired: &DesiredObject, live: &Value) -> Option<Problem> {
    let name = &desired.name;
    let text = |path: &str| live.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let wanted = |path: &str| desired.value.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let differs = |paths: [&str; 2]| paths.iter().any(|path| text(path) != wanted(path));
    if live.pointer("/spec/claimRef").is_some() && differs(["/spec/claimRef/namespace", "/spec/claimRef/name"]) {
        return Some(Problem::new(
            ConditionReason::VolumeTaken,
            format!(
                "the PersistentVolume {name} is held by the claim {}/{}: delete that claim, or give this \
                 resource another name",
                text("/spec/claimRef/namespace"),
                text("/spec/claimRef/name")
            ),
        ));
    }
    differs(["/spec/csi/driver", "/spec/csi/volumeHandle"]).then(|| {
        Problem::new(
            ConditionReason::VolumeTaken,
            format!(
                "the PersistentVolume {name} is another one (driver {:?}, handle {:?}): rename or delete it, or \
                 give this resource another name",
                text("/spec/csi/driver"),
                text("/spec/csi/volumeHandle")
            ),
        )
    })
}

fn foreign_claim(plan: &Plan, desired: &DesiredObject, live: &Value) -> Option<Problem> {
    let controller = controller_uid(live);
    let volume = live.pointer("/spec/volumeName").and_then(Value::as_str);
    let expected = desired.value.pointer("/spec/volumeName").and_then(Value::as_str);
    if controller == Some(plan.uid.as_str()) || (controller.is_none() && volume == expected) {
        return None;
    }
    Some(Problem::new(
        ConditionReason::ClaimTaken,
        format!(
            "the PersistentVolumeClaim {} is not this resource's: it is for the volume {}; delete it, or \
             give this resource another name",
            desired.name,
            volume.unwrap_or("that a provisioner makes")
        ),
    ))
}

fn foreign_owner(plan: &Plan, desired: &DesiredObject, live: &Value) -> Option<Problem> {
    let controller = controller_uid(live);
    if controller == Some(plan.uid.as_str()) {
        return None;
    }
    let owner = if controller.is_some() {
        "belongs to another owner"
    } else {
        "belongs to no LiveDataProcessor"
    };
    Some(Problem::new(
        ConditionReason::NameTaken,
        format!(
            "the {} {} exists and {owner}: delete it, or give this resource another name",
            desired.kind.name(),
            desired.name
        ),
    ))
}

fn immutable_problem(desired: &DesiredObject, fields: &[String]) -> Problem {
    let (reason, advice) = match desired.kind {
        ObjectKind::PersistentVolume => (
            ConditionReason::VolumeDiffers,
            "a volume's source cannot be changed: to use the new one, suspend the resource, delete the claim and this \
             volume (the data stay: Retain) and resume it; or put the old value back into the spec or the site's values",
        ),
        ObjectKind::PersistentVolumeClaim => (
            ConditionReason::VolumeDiffers,
            "a claim cannot be changed: to use the new one, suspend the resource, delete this claim and resume it; or put \
             the old value back",
        ),
        _ => (
            ConditionReason::NameTaken,
            "its selector cannot be changed: delete it, and it is made anew",
        ),
    };
    Problem::new(
        reason,
        format!(
            "{} {}: {}; {advice}",
            desired.kind.name(),
            desired.name,
            fields.join(", ")
        ),
    )
}

fn controller_uid(live: &Value) -> Option<&str> {
    live.pointer("/metadata/ownerReferences")?
        .as_array()?
        .iter()
        .find(|reference| reference.get("controller") == Some(&Value::Bool(true)))?
        .get("uid")?
        .as_str()
}

fn annotation<'a>(live: &'a Value, name: &str) -> Option<&'a str> {
    live.pointer("/metadata/annotations")?.get(name)?.as_str()
}

#[cfg(test)]
mod tests;
