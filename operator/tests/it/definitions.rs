//! Foreign definitions in place of the operator's, and resources older than its rules.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::lab::{LONG, Lab, condition, eventually, resource, turn};

const DEFINITION: &str = "crd/livedataprocessors.fia.com";

/// Replaces the definition by the former operator's; returns the replaced one.
fn the_former_one(lab: &Lab) -> String {
    let ours = lab.kubectl(&["get", DEFINITION, "-o", "jsonpath={.spec.versions}"]);
    let site = fs::read_to_string(lab.root.join("ci/charts/fixtures/old-site.yaml")).unwrap();
    let former = site
        .split("---")
        .find(|part| part.contains("CustomResourceDefinition"))
        .unwrap();
    let file = lab.folder.join("former-definition.yaml");
    fs::write(&file, former).unwrap();
    let former = lab.kubectl(&[
        "create",
        "--dry-run=client",
        "-f",
        file.to_str().unwrap(),
        "-o",
        "jsonpath={.spec.versions}",
    ]);
    put(lab, &former);
    eventually("the former definition is served", LONG, || {
        lab.try_apply(&resource("old.probe", "{}"), &["--dry-run=server"])
    });
    ours
}

fn put(lab: &Lab, versions: &str) {
    let patch = format!(r#"[{{"op": "replace", "path": "/spec/versions", "value": {versions}}}]"#);
    lab.kubectl(&["patch", DEFINITION, "--type=json", "-p", &patch]);
}

fn put_back(lab: &Lab, ours: &str) {
    put(lab, ours);
    eventually("our definition is served", LONG, || {
        lab.try_apply(&resource("old.probe", "{}"), &["--dry-run=server"])
            .err()
            .ok_or_else(|| "accepted".to_owned())
    });
}

#[test]
fn resources_older_than_the_rules_are_told_what_is_wrong_and_can_go() {
    let (_turn, lab) = turn();
    let ours = the_former_one(lab);
    let long = "n".repeat(46);
    // Each carries the former operator's finalizer and annotations.
    let names = [
        ("a.b", "NameInvalid"),
        (long.as_str(), "NameTooLong"),
        ("2d", "InstrumentInvalid"),
    ];
    for (name, _) in names {
        let spec = if name == "2d" { "{}" } else { "{instrument: OLDER}" };
        lab.create(name, spec);
        let marked = r#"{"metadata": {"finalizers": ["kopf.zalando.org/KopfFinalizerMarker"]}}"#;
        lab.kubectl(&["patch", "ldp", "-n", "fia", name, "--type=merge", "-p", marked]);
    }
    lab.create("odd", r#"{"instrument": "2 D"}"#);
    put_back(lab, &ours);
    let operator = lab.operator();
    for (name, reason) in names {
        eventually(&format!("{name} is told {reason}"), LONG, || {
            let resource = lab.resource(name);
            let text = condition(&resource, "Degraded")["message"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            // The second resource of an instrument reports that before any other problem.
            let told =
                condition(&resource, "Degraded")["reason"] == reason || text.contains("create the resource under");
            if told {
                Ok(())
            } else {
                Err(resource["status"].to_string())
            }
        });
    }
    lab.wait_for("odd", "Degraded", "True", "InstrumentInvalid");
    for name in ["a.b", &long, "2d", "odd"] {
        lab.delete(name);
    }
    operator.stop();
}

#[test]
fn a_definition_without_status_costs_the_status_and_nothing_else() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    lab.create("before", "{}");
    lab.wait_ready("before");
    let ours = the_former_one(lab);
    let worker = || lab.get("deployment/livedataprocessor-before-deployment").unwrap()["metadata"].clone();
    let (uid, generation) = (worker()["uid"].clone(), worker()["generation"].clone());
    let mark = lab.audit_mark();
    lab.create("under", "{}");
    eventually("the new worker is available", LONG, || {
        let worker = lab
            .get("deployment/livedataprocessor-under-deployment")
            .unwrap_or_default();
        if worker["status"]["availableReplicas"] == 1 {
            Ok(())
        } else {
            Err(worker["status"].to_string())
        }
    });
    operator.wait_log("write the status of");
    // Long enough for a busy loop to show.
    thread::sleep(Duration::from_secs(6));
    let requests = lab.requests_since(mark).len();
    assert!(requests < 150, "{requests} requests");
    put_back(lab, &ours);
    lab.wait_ready("before");
    lab.wait_ready("under");
    assert_eq!(
        (worker()["uid"].clone(), worker()["generation"].clone()),
        (uid, generation)
    );
    for name in ["before", "under"] {
        lab.delete(name);
    }
    operator.stop();
}

#[test]
fn a_namespace_that_goes_while_no_operator_runs_goes_when_one_is_back() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.kubectl(&["create", "namespace", "leaving"]);
    lab.apply("apiVersion: fia.com/v1\nkind: LiveDataProcessor\nmetadata: {name: osiris, namespace: leaving}\n");
    eventually("its volume is bound", LONG, || {
        let volume = lab.get("pv/livedataprocessor-osiris-ceph-pv").unwrap_or_default();
        if volume["status"]["phase"] == "Bound" {
            Ok(())
        } else {
            Err(volume["status"].to_string())
        }
    });
    operator.stop();
    lab.kubectl(&["delete", "namespace", "leaving", "--wait=false"]);
    let operator = lab.operator();
    for what in [
        "namespace/leaving",
        "pv/livedataprocessor-osiris-ceph-pv",
        "pv/livedataprocessor-osiris-archive-pv-smb",
    ] {
        lab.wait_gone(what);
    }
    operator.stop();
}
