//! Actions on whole objects of the resource, of the former operator and of others.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use serde_json::json;

use super::*;
use crate::build::build;
use crate::build::tests::{plan, site};

fn objects() -> (Plan, Vec<DesiredObject>) {
    let plan = plan("minimal.yaml", &site());
    let objects = build(&plan).unwrap();
    (plan, objects)
}

fn of(kind: ObjectKind) -> (Plan, DesiredObject) {
    let (plan, objects) = objects();
    let object = objects.into_iter().find(|object| object.kind == kind).unwrap();
    (plan, object)
}

#[test]
fn what_is_as_it_should_be_is_kept() {
    let (plan, objects) = objects();
    for object in objects {
        assert_eq!(
            decide(&plan, &object, &object.value, false),
            ObjectAction::Keep,
            "{}",
            object.name
        );
        assert!(matches!(
            decide(&plan, &object, &object.value, true),
            ObjectAction::Apply(_)
        ));
    }
}

#[test]
fn a_field_that_is_no_longer_wanted_shows_in_the_digest() {
    let (plan, object) = of(ObjectKind::Deployment);
    let mut live = object.value.clone();
    live["metadata"]["annotations"][APPLIED_DIGEST_ANNOTATION] = json!("other");
    assert!(matches!(decide(&plan, &object, &live, false), ObjectAction::Apply(_)));
    assert!(is_new(&object, &live, false));
    // An object whose digest somebody removed is not new: it counts as any other difference.
    live["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(APPLIED_DIGEST_ANNOTATION);
    assert!(matches!(decide(&plan, &object, &live, false), ObjectAction::Apply(path) if path.contains("applied")));
    assert!(!is_new(&object, &live, false) && is_new(&object, &live, true));
}

#[test]
fn a_deployment_is_ours_only_when_this_resource_controls_it() {
    let (plan, object) = of(ObjectKind::Deployment);
    let mut live = object.value.clone();
    live["metadata"]["ownerReferences"][0]["uid"] = json!("other");
    assert!(
        matches!(decide(&plan, &object, &live, true), ObjectAction::LeaveForeign(problem) if problem.reason == ConditionReason::NameTaken)
    );
    live["metadata"].as_object_mut().unwrap().remove("ownerReferences");
    assert!(matches!(
        decide(&plan, &object, &live, true),
        ObjectAction::LeaveForeign(_)
    ));
}

#[test]
fn a_volume_is_ours_when_driver_handle_and_claim_match() {
    let (plan, object) = of(ObjectKind::PersistentVolume);
    let with = |path: &str, value: &str| {
        let mut live = object.value.clone();
        live["metadata"] = json!({"name": object.name});
        *live.pointer_mut(path).unwrap() = json!(value);
        decide(&plan, &object, &live, true)
    };
    assert!(matches!(
        with("/spec/capacity/storage", "1000Gi"),
        ObjectAction::Apply(_)
    ));
    for path in [
        "/spec/csi/driver",
        "/spec/csi/volumeHandle",
        "/spec/claimRef/name",
        "/spec/claimRef/namespace",
    ] {
        assert!(
            matches!(with(path, "other"), ObjectAction::LeaveForeign(problem) if problem.reason == ConditionReason::VolumeTaken),
            "{path}"
        );
    }
    let ObjectAction::KeepImmutable { problem, rest } = with("/spec/csi/volumeAttributes/rootPath", "/elsewhere")
    else {
        panic!()
    };
    assert!(
        problem.message.contains("rootPath") && problem.message.contains("/elsewhere"),
        "{}",
        problem.message
    );
    // The other fields are applied all the same, with the present source.
    let rest = rest.unwrap();
    assert_eq!(rest["spec"]["csi"]["volumeAttributes"]["rootPath"], "/elsewhere");
    assert_eq!(rest["metadata"], object.value["metadata"]);
    let ObjectAction::KeepImmutable { rest, .. } = decide(&plan, &object, &rest, false) else {
        panic!()
    };
    assert_eq!(rest, None, "applied once more");
}

#[test]
fn a_claim_is_ours_when_it_names_the_volume_and_has_no_other_owner() {
    let (plan, object) = of(ObjectKind::PersistentVolumeClaim);
    let mut live = object.value.clone();
    live["metadata"] = json!({"name": object.name});
    assert!(matches!(decide(&plan, &object, &live, true), ObjectAction::Apply(_)));
    live["spec"]["volumeName"] = json!("other");
    assert!(
        matches!(decide(&plan, &object, &live, true), ObjectAction::LeaveForeign(problem) if problem.reason == ConditionReason::ClaimTaken)
    );
}

#[test]
fn what_is_being_deleted_is_waited_for() {
    let (plan, object) = of(ObjectKind::PersistentVolumeClaim);
    let mut live = object.value.clone();
    live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(decide(&plan, &object, &live, false), ObjectAction::Wait);
}
