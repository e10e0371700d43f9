//! Creation of what is missing, server-side apply of what differs.
//!
//! Promises: an object that is as it should be costs no request; one that is not in the cache is created, and looked
//! at first where there is one, so that nothing of anyone else is overwritten; a pod's needs are applied before the
//! Deployment, and no Deployment is made while a volume of it is someone else's or its claims are just being bound; what
//! others change back is not fought about. It must not decide what an object should be.

use std::time::Duration;

use futures::future::join_all;
use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions};
use serde_json::{Value, json};

use crate::contention::Contention;
use crate::desired::Desired;
use crate::failure::Failure;
use crate::names::MANAGER;
use crate::objects::{Kind, Live, Objects};
use crate::observe;
use crate::ownership::{self, Decision};
use crate::takeover;
use crate::validate::{Plan, Problem};

/// How long a new Deployment waits for its claims. The scheduler puts a pod aside whose claims are not bound yet: for a
/// second at least, and now and then, when it decides between the binding and its own hearing of it, for minutes.
pub const BINDING: Duration = Duration::from_secs(5);

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// What could not be applied because of what is there.
    pub problems: Vec<Problem>,
    /// Objects that were made or changed, as kind/name.
    pub written: Vec<String>,
    /// Objects taken over from the former operator, as kind/name.
    pub adopted: Vec<String>,
    /// Objects that are being deleted and will be made anew, as kind/name.
    pub waiting: Vec<String>,
    /// The Deployment is not made yet, because claims are just being bound.
    pub binding: bool,
}

impl Applied {
    fn absorb(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.written.extend(other.written);
        self.adopted.extend(other.adopted);
        self.waiting.extend(other.waiting);
        self.binding |= other.binding;
    }
}

/// Applies the objects of a plan and deletes those that it does not have any more.
///
/// # Errors
/// When a request fails; what was applied until then stays.
pub async fn apply(
    client: &Client,
    objects: &Objects,
    contention: &Contention,
    plan: &Plan,
    desired: &[Desired],
) -> Result<Applied, Failure> {
    let one = |object| one(client, objects, contention, plan, object);
    let (needs, deployments): (Vec<_>, Vec<_>) = desired.iter().partition(|object| object.kind != Kind::Deployment);
    let mut applied = Applied::default();
    for outcome in join_all(needs.into_iter().map(one)).await {
        applied.absorb(outcome?);
    }
    let held = !applied.waiting.is_empty()
        || applied
            .problems
            .iter()
            .any(|problem| matches!(problem.reason, "VolumeTaken" | "ClaimTaken" | "NameTaken"));
    let binding = desired.iter().any(|object| is_binding(objects, plan, object));
    for object in deployments {
        // What runs goes on; only a new worker would start without its volumes.
        if (held || binding)
            && objects
                .get(Kind::Deployment, &plan.names.namespace, &object.name)
                .is_none()
        {
            applied.binding = !held;
            continue;
        }
        applied.absorb(one(object).await?);
    }
    if !held {
        applied.absorb(remove_unwanted(client, objects, plan, desired).await?);
    }
    Ok(applied)
}

/// Whether this is a claim that was made a moment ago and is not bound. One that stays so is no reason to wait: the pod
/// then shows what is wrong.
fn is_binding(objects: &Objects, plan: &Plan, object: &Desired) -> bool {
    object.kind == Kind::PersistentVolumeClaim
        && objects
            .get(object.kind, &plan.names.namespace, &object.name)
            .is_some_and(|live| {
                live.seen.elapsed() < BINDING
                    && live.value().pointer("/status/phase").and_then(Value::as_str) != Some("Bound")
            })
}

/// An API for one kind.
pub fn api(client: &Client, kind: Kind, namespace: &str) -> Api<DynamicObject> {
    let resource: ApiResource = kind.api_resource();
    if kind.namespaced() {
        Api::namespaced_with(client.clone(), namespace, &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    }
}

async fn one(
    client: &Client,
    objects: &Objects,
    contention: &Contention,
    plan: &Plan,
    desired: &Desired,
) -> Result<Applied, Failure> {
    let (kind, namespace, name) = (desired.kind, plan.names.namespace.as_str(), desired.name.as_str());
    let api = api(client, kind, namespace);
    let label = format!("{}/{name}", kind.name());
    let mut applied = Applied::default();
    let live = match objects.get(kind, namespace, name) {
        Some(live) => live,
        // What carries no label of ours is in no cache. A creation writes nothing where something is; where there was
        // something of another's, a look comes first.
        None => {
            let mut found = None;
            if objects.is_taken(kind, namespace, name) {
                found = look_up(&api, name, &label).await?;
            }
            if found.is_none() {
                if create(&api, objects, desired, &label).await? {
                    objects.set_taken(kind, namespace, name, false);
                    applied.written.push(label);
                    return Ok(applied);
                }
                found = look_up(&api, name, &label).await?;
            }
            match found {
                Some(live) => std::sync::Arc::new(live),
                // It was there and is gone: the next attempt makes it.
                None => {
                    applied.waiting.push(label);
                    return Ok(applied);
                }
            }
        }
    };
    let value = live.value();
    let decision = ownership::decide(plan, desired, &value, live.former);
    objects.set_taken(kind, namespace, name, matches!(decision, Decision::Foreign(_)));
    let now = tokio::time::Instant::now();
    let wanted = match decision {
        Decision::Keep => {
            applied.problems.extend(contention.agrees(kind, namespace, name, now));
            None
        }
        Decision::Apply(difference) => {
            tracing::debug!(object = label, difference, "applying");
            let apply = ownership::is_new(desired, &value, live.former) || {
                let verdict = contention.differs(kind, namespace, name, &difference, now);
                applied.problems.extend(verdict.problem);
                verdict.apply
            };
            apply.then_some(&desired.value)
        }
        Decision::Wait => {
            applied.waiting.push(label);
            return Ok(applied);
        }
        Decision::Foreign(problem) => {
            applied.problems.push(problem);
            return Ok(applied);
        }
        Decision::Immutable { problem, rest } => {
            applied.problems.push(problem);
            if let Some(rest) = rest {
                take_over(&api, desired, &label).await?;
                write(&api, objects, kind, name, &rest, &label).await?;
                applied.written.push(label);
            }
            return Ok(applied);
        }
    };
    if let Some(wanted) = wanted {
        if live.former || live.created {
            take_over(&api, desired, &label).await?;
        }
        if live.former {
            applied.adopted.push(label.clone());
        }
        write(&api, objects, kind, name, wanted, &label).await?;
        applied.written.push(label);
    }
    rebind(&api, objects, plan, desired, &value, &mut applied).await?;
    Ok(applied)
}

/// Creates the object, unless there is one of its name; answers whether it did. A plain creation costs the apiserver
/// less than an apply, and cannot touch what is someone else's.
async fn create(api: &Api<DynamicObject>, objects: &Objects, desired: &Desired, label: &str) -> Result<bool, Failure> {
    let object: DynamicObject =
        serde_json::from_value(desired.value.clone()).map_err(|error| Failure::json("write", label, error))?;
    let parameters = PostParams {
        field_manager: Some(MANAGER.into()),
        ..PostParams::default()
    };
    match api.create(&parameters, &object).await {
        Ok(created) => {
            objects.put(desired.kind, created);
            Ok(true)
        }
        Err(kube::Error::Api(status)) if status.is_already_exists() => Ok(false),
        Err(error) => Err(Failure::api("create", label, error)),
    }
}

/// The object as the cluster has it, whether a watch shows it or not.
///
/// # Errors
/// When the request fails.
pub async fn look_up(api: &Api<DynamicObject>, name: &str, label: &str) -> Result<Option<Live>, Failure> {
    let found = api
        .get_opt(name)
        .await
        .map_err(|error| Failure::api("look up", label, error))?;
    found
        .map(|object| Live::new(object).map_err(|error| Failure::json("read", label, error)))
        .transpose()
}

async fn write(
    api: &Api<DynamicObject>,
    objects: &Objects,
    kind: Kind,
    name: &str,
    wanted: &Value,
    label: &str,
) -> Result<(), Failure> {
    // Whoever else owns one of our fields loses it: the resource is the only place to change them.
    let parameters = PatchParams::apply(MANAGER).force();
    let written = api
        .patch(name, &parameters, &Patch::Apply(wanted))
        .await
        .map_err(|error| Failure::api("apply", label, error))?;
    objects.put(kind, written);
    Ok(())
}

/// Makes the former operator's fields, and those of our own creation, ours to apply; if the object is still the one that
/// was read.
async fn take_over(api: &Api<DynamicObject>, desired: &Desired, label: &str) -> Result<(), Failure> {
    let object = api
        .get(&desired.name)
        .await
        .map_err(|error| Failure::api("read", label, error))?;
    let Some(fields) = takeover::folded(object.metadata.managed_fields.as_deref().unwrap_or_default()) else {
        return Ok(());
    };
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": fields},
        // Refused with a conflict if anyone wrote in between.
        {"op": "replace", "path": "/metadata/resourceVersion", "value": object.metadata.resource_version},
    ]);
    let patch = json_patch(patch, label)?;
    api.patch(&desired.name, &PatchParams::default(), &patch)
        .await
        .map_err(|error| Failure::api("take over the fields of", label, error))?;
    Ok(())
}

/// A volume whose claim has vanished stays Released, for it remembers the claim's UID: forget it, so that the claim of
/// the same name binds again. The data are the same ones, and the claim is this resource's.
async fn rebind(
    api: &Api<DynamicObject>,
    objects: &Objects,
    plan: &Plan,
    desired: &Desired,
    live: &Value,
    applied: &mut Applied,
) -> Result<(), Failure> {
    if desired.kind != Kind::PersistentVolume
        || live.pointer("/status/phase").and_then(Value::as_str) != Some("Released")
    {
        return Ok(());
    }
    let text = |path: &str| live.pointer(path).and_then(Value::as_str).unwrap_or_default();
    let remembered = text("/spec/claimRef/uid");
    if remembered.is_empty() {
        return Ok(());
    }
    let label = format!("{}/{}", desired.kind.name(), desired.name);
    let claim = objects.get(
        Kind::PersistentVolumeClaim,
        &plan.names.namespace,
        text("/spec/claimRef/name"),
    );
    if claim.is_some_and(|claim| claim.uid == remembered) {
        return Ok(());
    }
    let mut patch = vec![
        json!({"op": "test", "path": "/spec/claimRef/uid", "value": remembered}),
        json!({"op": "remove", "path": "/spec/claimRef/uid"}),
    ];
    if live.pointer("/spec/claimRef/resourceVersion").is_some() {
        patch.push(json!({"op": "remove", "path": "/spec/claimRef/resourceVersion"}));
    }
    let patch = json_patch(Value::Array(patch), &label)?;
    let written = api
        .patch(
            &desired.name,
            &PatchParams {
                field_manager: Some(MANAGER.into()),
                ..PatchParams::default()
            },
            &patch,
        )
        .await
        .map_err(|error| Failure::api("release", &label, error))?;
    objects.put(desired.kind, written);
    applied.written.push(label);
    Ok(())
}

/// Deletes objects of this resource that the plan has no more: another kind of storage was chosen, or no policy. Volumes
/// and claims stay until no worker has them: deleted before, they would be lost to the old worker's next pod, and to the
/// spec if it is changed back.
async fn remove_unwanted(
    client: &Client,
    objects: &Objects,
    plan: &Plan,
    desired: &[Desired],
) -> Result<Applied, Failure> {
    let names = &plan.names;
    let optional = [
        (Kind::NetworkPolicy, names.base()),
        (Kind::PersistentVolumeClaim, names.ceph_claim()),
        (Kind::PersistentVolumeClaim, names.archive_claim()),
        (Kind::PersistentVolume, names.ceph_volume()),
        (Kind::PersistentVolume, names.archive_volume()),
    ];
    let mut applied = Applied::default();
    let rolled_out = objects
        .get(Kind::Deployment, &names.namespace, &names.deployment())
        .is_none_or(|live| observe::deployment(&live.value()).is_rolled_out());
    for (kind, name) in optional {
        if !rolled_out && kind != Kind::NetworkPolicy {
            continue;
        }
        if desired.iter().any(|object| object.kind == kind && object.name == name) {
            continue;
        }
        let Some(live) = objects.get(kind, &names.namespace, &name) else {
            continue;
        };
        if delete(client, kind, &names.namespace, &name, &plan.uid, &names.owner(), &live).await? {
            applied.written.push(format!("{}/{name}", kind.name()));
        }
    }
    Ok(applied)
}

/// Deletes an object of this resource; answers whether a request was made. One that is someone else's, is being
/// deleted, or has been replaced since it was seen is left alone.
///
/// # Errors
/// When the request fails.
pub async fn delete(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
    uid: &str,
    owner: &str,
    live: &Live,
) -> Result<bool, Failure> {
    let value = live.value();
    if !ownership::is_ours(kind, uid, owner, &value) || value.pointer("/metadata/deletionTimestamp").is_some() {
        return Ok(false);
    }
    let parameters = DeleteParams {
        preconditions: Some(Preconditions {
            uid: Some(live.uid.clone()),
            resource_version: None,
        }),
        ..DeleteParams::background()
    };
    match api(client, kind, namespace).delete(name, &parameters).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.is_not_found() => Ok(false),
        Err(error) => Err(Failure::api("delete", format!("{}/{name}", kind.name()), error)),
    }
}

fn json_patch(patch: Value, label: &str) -> Result<Patch<()>, Failure> {
    let patch = serde_json::from_value(patch).map_err(|error| Failure::json("write a patch of", label, error))?;
    Ok(Patch::Json(patch))
}
