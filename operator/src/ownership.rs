//! What to do with an object that is already there.
//!
//! Promises: an object that is not this resource's is never written to; one of the former operator is taken over
//! only when it is unmistakably this resource's: a Deployment that this resource controls, a volume whose driver,
//! handle and claim match, a claim that names the volume. Pure.

use serde_json::Value;

use crate::desired::Desired;
use crate::difference;
use crate::names::{APPLIED, OWNER};
use crate::objects::Kind;
use crate::validate::{Plan, Problem};

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: it is as it should be.
    Keep,
    /// Apply it; with the path of the first difference.
    Apply(String),
    /// It is being deleted: wait until it is gone.
    Wait,
    /// It belongs to someone else: leave it alone.
    Foreign(Problem),
    /// It is ours but differs in what cannot be changed, which stays as it is.
    Immutable {
        /// Which fields, and what to do.
        problem: Problem,
        /// The object with the present values of those fields, if anything else of it is to be applied: whatever its
        /// source, it bears our labels, or nobody would find it when the resource is deleted.
        rest: Option<Value>,
    },
}

/// Decides what to do with the object that is there.
pub fn decide(plan: &Plan, desired: &Desired, live: &Value, former: bool) -> Decision {
    if let Some(problem) = foreign(plan, desired, live) {
        return Decision::Foreign(problem);
    }
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Decision::Wait;
    }
    let fixed = difference::immutable(desired.kind, &desired.value, live);
    if !fixed.is_empty() {
        let rest = matches!(desired.kind, Kind::PersistentVolume | Kind::PersistentVolumeClaim)
            .then(|| difference::with_immutable(desired.kind, &desired.value, live))
            .filter(|rest| is_new(desired, live, former) || difference::first(rest, live).is_some());
        return Decision::Immutable {
            problem: immutable(desired, &fixed),
            rest,
        };
    }
    if is_new(desired, live, former) {
        return Decision::Apply("the object was never applied in this form".into());
    }
    difference::first(&desired.value, live).map_or(Decision::Keep, Decision::Apply)
}

/// Whether the object was never applied in this form: it is the former operator's, or the spec has changed since. One
/// without a digest has lost it to someone else.
pub fn is_new(desired: &Desired, live: &Value, former: bool) -> bool {
    former || annotation(live, APPLIED).is_some_and(|digest| Some(digest) != annotation(&desired.value, APPLIED))
}

/// Whether the object belongs to this resource, as far as deleting it goes.
pub fn is_ours(kind: Kind, uid: &str, owner: &str, live: &Value) -> bool {
    match kind {
        Kind::PersistentVolume => annotation(live, OWNER) == Some(owner),
        _ => controller_uid(live) == Some(uid),
    }
}

/// In words, the finalizers of others on an object that is being deleted. The control plane's own go by themselves.
pub fn held_by_others(kind: Kind, live: &Value) -> Option<String> {
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

fn foreign(plan: &Plan, desired: &Desired, live: &Value) -> Option<Problem> {
    let name = &desired.name;
    let controller = controller_uid(live);
    match desired.kind {
        Kind::PersistentVolume => {
            let text = |path: &str| live.pointer(path).and_then(Value::as_str).unwrap_or_default();
            let wanted = |path: &str| desired.value.pointer(path).and_then(Value::as_str).unwrap_or_default();
            if live.pointer("/spec/claimRef").is_some()
                && ["/spec/claimRef/namespace", "/spec/claimRef/name"]
                    .iter()
                    .any(|path| text(path) != wanted(path))
            {
                return Some(Problem::new(
                    "VolumeTaken",
                    format!(
                        "the PersistentVolume {name} is held by the claim {}/{}: delete that claim, or give this \
                         resource another name",
                        text("/spec/claimRef/namespace"),
                        text("/spec/claimRef/name")
                    ),
                ));
            }
            if ["/spec/csi/driver", "/spec/csi/volumeHandle"]
                .iter()
                .any(|path| text(path) != wanted(path))
            {
                return Some(Problem::new(
                    "VolumeTaken",
                    format!(
                        "the PersistentVolume {name} is another one (driver {:?}, handle {:?}): rename or delete it, or \
                         give this resource another name",
                        text("/spec/csi/driver"),
                        text("/spec/csi/volumeHandle")
                    ),
                ));
            }
            None
        }
        Kind::PersistentVolumeClaim => {
            let volume = live.pointer("/spec/volumeName").and_then(Value::as_str);
            let expected = desired.value.pointer("/spec/volumeName").and_then(Value::as_str);
            if controller == Some(plan.uid.as_str()) || (controller.is_none() && volume == expected) {
                None
            } else {
                Some(Problem::new(
                    "ClaimTaken",
                    format!(
                        "the PersistentVolumeClaim {name} is not this resource's: it is for the volume {}; delete it, or \
                         give this resource another name",
                        volume.unwrap_or("that a provisioner makes")
                    ),
                ))
            }
        }
        Kind::Deployment | Kind::Service | Kind::ServiceAccount | Kind::NetworkPolicy => {
            if controller == Some(plan.uid.as_str()) {
                return None;
            }
            let kind = desired.kind.name();
            Some(Problem::new(
                "NameTaken",
                format!(
                    "the {kind} {name} exists and {}: delete it, or give this resource another name",
                    if controller.is_some() {
                        "belongs to another owner"
                    } else {
                        "belongs to no LiveDataProcessor"
                    }
                ),
            ))
        }
    }
}

fn immutable(desired: &Desired, fields: &[String]) -> Problem {
    let (reason, advice) = match desired.kind {
        Kind::PersistentVolume => (
            "VolumeDiffers",
            "a volume's source cannot be changed: to use the new one, suspend the resource, delete the claim and this \
             volume (the data stay: Retain) and resume it; or put the old value back into the spec or the site's values",
        ),
        Kind::PersistentVolumeClaim => (
            "VolumeDiffers",
            "a claim cannot be changed: to use the new one, suspend the resource, delete this claim and resume it; or put \
             the old value back",
        ),
        _ => (
            "NameTaken",
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
