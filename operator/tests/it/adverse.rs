//! Changes by others of a resource's objects, its definition and its cluster: the operator converges with a bounded number
//! of writes and leaves no object behind.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{LONG, Lab, condition, eventually, turn};
use crate::steady::settled;
use crate::workers::Workers;

fn patch(lab: &Lab, name: &str, patch: &str) {
    lab.kubectl(&["patch", "ldp", "-n", "fia", name, "--type=merge", "-p", patch]);
}

fn message(resource: &Value, kind: &str) -> String {
    condition(resource, kind)["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Foreign object of each kind, under the name of the resource's own: resource, expected reason, object.
const STRANGERS: [(&str, &str, &str); 6] = [
    (
        "sa",
        "NameTaken",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: livedataprocessor-sa, namespace: fia}\n",
    ),
    (
        "svc",
        "NameTaken",
        "apiVersion: v1\nkind: Service\nmetadata: {name: livedataprocessor-svc, namespace: fia}\nspec: {ports: [{port: 1}]}\n",
    ),
    (
        "np",
        "NameTaken",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: livedataprocessor-np, namespace: fia}\n\
         spec: {podSelector: {}}\n",
    ),
    (
        "pvc",
        "ClaimTaken",
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: livedataprocessor-pvc-ceph-pvc, namespace: fia}\n\
         spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n",
    ),
    (
        "pv",
        "VolumeTaken",
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: livedataprocessor-pv-archive-pv-smb}\n\
         spec: {capacity: {storage: 1Gi}, accessModes: [ReadOnlyMany], hostPath: {path: /x}}\n",
    ),
    (
        "dep",
        "NameTaken",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: livedataprocessor-dep-deployment, namespace: fia}\n\
         spec: {replicas: 0, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, \
         spec: {containers: [{name: c, image: i}]}}}\n",
    ),
];

#[test]
fn what_is_in_the_way_is_told_and_left_alone_and_found_gone() {
    let (_turn, lab) = turn();
    let all: String = STRANGERS
        .iter()
        .map(|(_, _, object)| format!("{object}---\n"))
        .collect();
    lab.apply(&all);
    let operator = lab.operator();
    for (name, _, _) in STRANGERS {
        lab.create(name, "{}");
    }
    for (name, reason, _) in STRANGERS {
        let resource = lab.wait_for(name, "Degraded", "True", reason);
        assert!(message(&resource, "Degraded").contains(&format!("livedataprocessor-{name}")));
        if name != "dep" {
            let worker = format!("deployment/livedataprocessor-{name}-deployment");
            assert!(
                lab.get(&worker).is_none(),
                "{name} got a worker beside what is another's"
            );
        }
    }
    // No watch shows their end, because they carry no label of the operator.
    let file = lab.folder.join("strangers.yaml");
    std::fs::write(&file, &all).unwrap();
    lab.kubectl(&["delete", "-f", file.to_str().unwrap()]);
    for (name, _, _) in STRANGERS {
        lab.wait_ready(name);
        lab.wait_for(name, "StorageReady", "True", "Bound");
    }
    lab.kubectl(&["delete", "ldp", "-n", "fia", "--all", "--wait=false"]);
    for (name, _, _) in STRANGERS {
        lab.wait_nothing_left(name);
    }
    operator.stop();
}

#[test]
fn what_another_controller_changes_back_is_not_fought_about() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("fought", "{}");
    lab.wait_ready("fought");
    let worker = "deployment/livedataprocessor-fought-deployment";
    let mark = lab.audit_mark();
    let started = Instant::now();
    let mut told = None;
    while started.elapsed() < Duration::from_secs(25) {
        lab.kubectl(&["scale", "-n", "fia", worker, "--replicas=2"]);
        let resource = lab.resource("fought");
        told = told.or_else(|| (condition(&resource, "Degraded")["reason"] == "Contended").then_some(resource));
        thread::sleep(Duration::from_millis(400));
    }
    let applied = lab
        .writes_since(mark)
        .into_iter()
        .filter(|(_, resource, _)| resource == "deployments")
        .count();
    assert!(applied <= 6, "applied {applied} times in {:?}", started.elapsed());
    let told = told.expect("it was not told");
    assert!(
        message(&told, "Degraded").contains("spec.replicas"),
        "{}",
        message(&told, "Degraded")
    );
    // Changes of the spec are not limited.
    patch(lab, "fought", r#"{"spec": {"logLevel": "Debug"}}"#);
    eventually("the change is applied", Duration::from_secs(20), || {
        let text = lab.get(worker).unwrap()["spec"].to_string();
        if text.contains("LOG_LEVEL") { Ok(()) } else { Err(text) }
    });
    // After the others have stopped, the object is corrected and the problem ends.
    lab.wait_for("fought", "Degraded", "True", "NoReport");
    assert_eq!(lab.get(worker).unwrap()["spec"]["replicas"], 1);
    lab.delete("fought");
    operator.stop();
}

#[test]
fn lost_labels_are_put_back_and_hide_nothing_from_a_deletion() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("bare", "{}");
    lab.wait_for("bare", "StorageReady", "True", "Bound");
    lab.wait_ready("bare");
    let objects = [
        "sa/livedataprocessor-bare",
        "svc/livedataprocessor-bare",
        "netpol/livedataprocessor-bare",
        "pvc/livedataprocessor-bare-ceph-pvc",
        "pvc/livedataprocessor-bare-archive-pvc",
        "deployment/livedataprocessor-bare-deployment",
        "pv/livedataprocessor-bare-ceph-pv",
        "pv/livedataprocessor-bare-archive-pv-smb",
    ];
    let label = "app.kubernetes.io/name";
    let strip = || {
        for object in objects {
            lab.kubectl(&["label", "-n", "fia", object, &format!("{label}-")]);
        }
    };
    strip();
    eventually("every label is back", LONG, || {
        let without: Vec<_> = objects
            .iter()
            .filter(|object| lab.get(object).unwrap()["metadata"]["labels"][label] != "live-data-worker")
            .collect();
        if without.is_empty() {
            Ok(())
        } else {
            Err(format!("{without:?}"))
        }
    });
    operator.stop();
    strip();
    lab.kubectl(&["delete", "ldp", "-n", "fia", "bare", "--wait=false"]);
    let operator = lab.operator();
    for object in objects {
        lab.wait_gone(object);
    }
    lab.wait_gone("ldp/bare");
    operator.stop();
}

#[test]
fn storage_that_is_chosen_back_before_the_worker_moved_was_never_given_up() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("stays", "{}");
    lab.wait_for("stays", "StorageReady", "True", "Bound");
    lab.wait_ready("stays");
    let claim = "pvc/livedataprocessor-stays-ceph-pvc";
    let uid = lab.get(claim).unwrap()["metadata"]["uid"].clone();
    // The new worker never becomes ready, so the old one goes on with its volumes.
    let away = r#"{"spec": {"image": {"repository": "worker", "tag": "never-ready"},
        "storage": {"output": {"emptyDir": {}}, "archive": {"none": {}}}}}"#;
    patch(lab, "stays", away);
    lab.wait_for("stays", "Progressing", "True", "RollingOut");
    lab.wait_for("stays", "StorageReady", "True", "NotNeeded");
    let kept = || lab.get(claim).unwrap()["metadata"].clone();
    assert!(kept()["deletionTimestamp"].is_null(), "{}", kept());
    patch(lab, "stays", r#"{"spec": {"image": null, "storage": null}}"#);
    lab.wait_for("stays", "Progressing", "False", "Complete");
    assert!(
        kept()["uid"] == uid && kept()["deletionTimestamp"].is_null(),
        "{}",
        kept()
    );
    lab.delete("stays");
    operator.stop();
}

#[test]
fn a_webhook_that_is_away_is_told_of_and_waited_for() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("going", "{}");
    lab.wait_ready("going");
    lab.apply(
        "apiVersion: admissionregistration.k8s.io/v1\nkind: ValidatingWebhookConfiguration\nmetadata: {name: away}\nwebhooks:\n\
         - name: away.example.com\n  admissionReviewVersions: [v1]\n  sideEffects: None\n  failurePolicy: Fail\n  timeoutSeconds: 1\n  \
         clientConfig: {url: \"https://127.0.0.1:1/\"}\n  rules: [{apiGroups: [apps], apiVersions: [v1], \
         operations: [CREATE, UPDATE, DELETE], resources: [deployments]}]\n",
    );
    let mark = lab.audit_mark();
    let started = Instant::now();
    lab.create("coming", "{}");
    lab.kubectl(&["delete", "ldp", "-n", "fia", "going", "--wait=false"]);
    let coming = lab.wait_for("coming", "Degraded", "True", "RequestsFail");
    let going = lab.wait_for("going", "Degraded", "True", "DeletionWaits");
    for resource in [&coming, &going] {
        let text = message(resource, "Degraded");
        // The message has the apiserver's text without its Status object.
        assert!(
            text.contains("away.example.com") && !text.contains("Status {"),
            "{text}"
        );
    }
    let rate = lab.requests_since(mark).len() as f64 / started.elapsed().as_secs_f64().max(1.0);
    assert!(rate < 20.0, "{rate} requests a second");
    lab.kubectl(&["delete", "validatingwebhookconfiguration", "away"]);
    lab.wait_ready("coming");
    lab.wait_nothing_left("going");
    lab.delete("coming");
    operator.stop();
}

#[test]
fn a_quota_that_refuses_is_told_in_its_words_and_waited_for() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.apply("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: tight, namespace: fia}\nspec: {hard: {services: \"1\"}}\n");
    eventually("the quota is in force", LONG, || {
        let quota = lab.get("resourcequota/tight").unwrap();
        if quota["status"]["hard"].is_object() {
            Ok(())
        } else {
            Err(quota.to_string())
        }
    });
    lab.create("refused", "{}");
    let resource = lab.wait_for("refused", "Degraded", "True", "Refused");
    assert!(
        message(&resource, "Degraded").contains("exceeded quota: tight"),
        "{}",
        message(&resource, "Degraded")
    );
    lab.kubectl(&["delete", "resourcequota", "-n", "fia", "tight"]);
    lab.wait_ready("refused");
    lab.delete("refused");
    operator.stop();
}

#[test]
fn conditions_of_others_are_left_and_ours_are_put_right_once() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("edited", "{}");
    let _workers = Workers::serve(lab, &["edited"]);
    lab.wait_ready("edited");
    lab.wait_for("edited", "Degraded", "False", "AsExpected");
    lab.wait_for("edited", "StorageReady", "True", "Bound");
    settled(lab);
    let mark = lab.audit_mark();
    let by_hand = r#"[{"op": "replace", "path": "/status/conditions/0/status", "value": "Unknown"},
        {"op": "add", "path": "/status/conditions/-", "value": {"type": "Theirs", "status": "True", "reason": "X", "message": "",
         "lastTransitionTime": "2026-01-01T00:00:00Z"}}]"#;
    lab.kubectl(&[
        "patch",
        "ldp",
        "-n",
        "fia",
        "edited",
        "--subresource=status",
        "--type=json",
        "-p",
        by_hand,
    ]);
    let resource = lab.wait_ready("edited");
    assert_eq!(condition(&resource, "Theirs")["status"], "True");
    // Long enough for three polls, which must not cause a further write.
    thread::sleep(Duration::from_secs(9));
    let writes: Vec<_> = lab
        .writes_since(mark)
        .into_iter()
        .filter(|(_, resource, _)| resource != "events")
        .collect();
    assert_eq!(writes.len(), 1, "{writes:?}");
    lab.delete("edited");
    operator.stop();
}
