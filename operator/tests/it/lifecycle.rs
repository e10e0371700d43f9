//! Life of a resource from creation to deletion, through kubectl.

use serde_json::{Value, json};

use crate::lab::{LONG, condition, eventually, turn};

fn deployment(name: &str) -> String {
    format!("deployment/livedataprocessor-{name}-deployment")
}

#[test]
fn a_resource_without_a_spec_becomes_a_ready_worker() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.apply("apiVersion: fia.com/v1\nkind: LiveDataProcessor\nmetadata: {name: larmor, namespace: fia}\n");
    let resource = lab.wait_ready("larmor");
    assert_eq!(resource["status"]["instrument"], "LARMOR");
    lab.wait_for("larmor", "StorageReady", "True", "Bound");
    lab.wait_for("larmor", "Progressing", "False", "Complete");

    let worker = lab.get(&deployment("larmor")).unwrap();
    let pod = &worker["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["name"], "livedataprocessor-larmor");
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(container["env"][0], json!({"name": "INSTRUMENT", "value": "LARMOR"}));
    let volume = lab.get("pv/livedataprocessor-larmor-ceph-pv").unwrap();
    assert_eq!(
        volume["spec"]["csi"]["volumeAttributes"]["rootPath"],
        "/isis/instrument/GENERIC/livereduce/LARMOR-staging"
    );
    for name in ["ceph-pv", "archive-pv-smb"] {
        let volume = lab.get(&format!("pv/livedataprocessor-larmor-{name}")).unwrap();
        assert_eq!(volume["status"]["phase"], "Bound");
        assert_eq!(volume["spec"]["persistentVolumeReclaimPolicy"], "Retain");
    }
    let shown = lab.kubectl(&["get", "ldp", "-n", "fia", "larmor"]);
    let header: Vec<_> = shown.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        header,
        [
            "NAME",
            "INSTRUMENT",
            "READY",
            "RUN",
            "EVENTS",
            "RATE",
            "LAG",
            "SCRIPT",
            "AGE"
        ]
    );

    lab.delete("larmor");
    operator.stop();
}

#[test]
fn an_image_change_rolls_without_a_gap_and_a_bad_image_leaves_the_old_worker_running() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("rolls", r#"{"image": {"repository": "worker", "tag": "1"}}"#);
    lab.wait_ready("rolls");
    lab.wait_for("rolls", "Progressing", "False", "Complete");
    let uid = lab.get(&deployment("rolls")).unwrap()["metadata"]["uid"].clone();

    // A worker is available throughout the rollout.
    lab.kubectl(&[
        "patch",
        "ldp",
        "-n",
        "fia",
        "rolls",
        "--type=merge",
        "-p",
        r#"{"spec":{"image":{"tag":"2"}}}"#,
    ]);
    eventually("the new image runs", LONG, || {
        let worker = lab.get(&deployment("rolls")).unwrap();
        assert!(
            worker["status"]["availableReplicas"].as_i64().unwrap_or(0) >= 1,
            "a gap: {}",
            worker["status"]
        );
        let image = worker["spec"]["template"]["spec"]["containers"][0]["image"].clone();
        let status = &worker["status"];
        let done = status["updatedReplicas"] == 1
            && status["replicas"] == 1
            && status["observedGeneration"] == worker["metadata"]["generation"];
        if image == "worker:2" && done {
            Ok(())
        } else {
            Err(format!("{image} {status}"))
        }
    });
    let resource = lab.wait_for("rolls", "Progressing", "False", "Complete");
    assert_eq!(resource["status"]["image"], "worker:2");

    // The control plane's nodes never make such a pod ready, or never get its image.
    for (tag, reason) in [("never-ready", None), ("never-pulls", Some("ImagePullFailed"))] {
        let patch = format!(r#"{{"spec":{{"image":{{"tag":"{tag}"}}}}}}"#);
        lab.kubectl(&["patch", "ldp", "-n", "fia", "rolls", "--type=merge", "-p", &patch]);
        let resource = lab.wait_for("rolls", "Progressing", "True", "RollingOut");
        if let Some(reason) = reason {
            let resource = lab.wait_for("rolls", "Degraded", "True", reason);
            let message = condition(&resource, "Degraded")["message"].as_str().unwrap().to_owned();
            assert!(message.contains("cannot be pulled"), "{message}");
        }
        assert_eq!(condition(&resource, "Ready")["status"], "True");
        eventually("the old worker goes on beside the new one", LONG, || {
            let worker = lab.get(&deployment("rolls")).unwrap();
            let status = &worker["status"];
            if status["availableReplicas"] == 1 && status["replicas"] == 2 {
                Ok(())
            } else {
                Err(status.to_string())
            }
        });
    }
    assert_eq!(lab.get(&deployment("rolls")).unwrap()["metadata"]["uid"], uid);
    lab.delete("rolls");
    operator.stop();
}

#[test]
fn suspending_stops_the_worker_and_keeps_the_rest() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("pauses", "{}");
    lab.wait_ready("pauses");
    lab.kubectl(&[
        "patch",
        "ldp",
        "-n",
        "fia",
        "pauses",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ]);
    lab.wait_for("pauses", "Ready", "False", "Suspended");
    eventually("no pod runs", LONG, || {
        let pods = lab.list(&["pods", "-n", "fia", "-l", "app=livedataprocessor-pauses"]);
        if pods.is_empty() {
            Ok(())
        } else {
            Err(format!("{} pods", pods.len()))
        }
    });
    assert!(lab.get("pvc/livedataprocessor-pauses-ceph-pvc").is_some());
    lab.kubectl(&[
        "patch",
        "ldp",
        "-n",
        "fia",
        "pauses",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":false}}"#,
    ]);
    lab.wait_ready("pauses");
    lab.delete("pauses");
    operator.stop();
}

#[test]
fn what_someone_changes_or_deletes_is_put_right() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("drifts", "{}");
    lab.wait_ready("drifts");
    lab.kubectl(&["scale", "-n", "fia", &deployment("drifts"), "--replicas=3"]);
    lab.kubectl(&["delete", "service", "-n", "fia", "livedataprocessor-drifts"]);
    eventually("scale and Service are put right", LONG, || {
        let worker = lab.get(&deployment("drifts")).unwrap();
        let service = lab.get("service/livedataprocessor-drifts");
        if worker["spec"]["replicas"] == 1 && service.is_some() {
            Ok(())
        } else {
            Err(worker["spec"]["replicas"].to_string())
        }
    });
    let uid = lab.get(&deployment("drifts")).unwrap()["metadata"]["uid"].clone();
    lab.kubectl(&["delete", "-n", "fia", &deployment("drifts")]);
    eventually("the Deployment is made anew", LONG, || {
        let worker = lab.get(&deployment("drifts")).unwrap_or_default();
        if worker["metadata"]["uid"].is_string() && worker["metadata"]["uid"] != uid {
            Ok(())
        } else {
            Err(String::new())
        }
    });
    lab.wait_ready("drifts");
    lab.delete("drifts");
    operator.stop();
}

#[test]
fn a_deletion_while_no_operator_runs_is_completed_when_it_is_back() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("orphan", "{}");
    lab.wait_ready("orphan");
    operator.stop();
    lab.kubectl(&["delete", "ldp", "-n", "fia", "orphan", "--wait=false"]);
    assert!(lab.resource("orphan")["metadata"]["deletionTimestamp"].is_string());
    assert!(lab.get("pv/livedataprocessor-orphan-ceph-pv").is_some());
    let operator = lab.operator();
    lab.wait_nothing_left("orphan");
    // Created again under the same name it is ready again.
    lab.create("orphan", "{}");
    lab.wait_ready("orphan");
    lab.wait_for("orphan", "StorageReady", "True", "Bound");
    lab.delete("orphan");
    operator.stop();
}

#[test]
fn a_volume_whose_claim_has_vanished_binds_again() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("rebinds", "{}");
    lab.wait_for("rebinds", "StorageReady", "True", "Bound");
    let uid = |what: &str| lab.get(what).unwrap_or_default()["metadata"]["uid"].clone();
    let (volume, claim) = (
        "pv/livedataprocessor-rebinds-ceph-pv",
        "pvc/livedataprocessor-rebinds-ceph-pvc",
    );
    let (volume_uid, claim_uid) = (uid(volume), uid(claim));
    lab.kubectl(&[
        "patch",
        "ldp",
        "-n",
        "fia",
        "rebinds",
        "--type=merge",
        "-p",
        r#"{"spec":{"suspend":true}}"#,
    ]);
    lab.kubectl(&["delete", "-n", "fia", claim]);
    eventually("a new claim is bound to the same volume", LONG, || {
        let claim = lab.get(claim).unwrap_or_default();
        let bound = claim["status"]["phase"] == "Bound" && claim["metadata"]["uid"] != claim_uid;
        if bound && uid(volume) == volume_uid {
            Ok(())
        } else {
            Err(claim["status"].to_string())
        }
    });
    lab.delete("rebinds");
    operator.stop();
}

#[test]
fn other_storage_replaces_the_former_volumes() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("moves", "{}");
    lab.wait_ready("moves");
    let patch = r#"{"spec":{"storage":{"output":{"emptyDir":{"sizeLimit":"1Gi"}},"archive":{"none":{}}}}}"#;
    lab.kubectl(&["patch", "ldp", "-n", "fia", "moves", "--type=merge", "-p", patch]);
    for volume in [
        "pv/livedataprocessor-moves-ceph-pv",
        "pv/livedataprocessor-moves-archive-pv-smb",
    ] {
        lab.wait_gone(volume);
    }
    lab.wait_for("moves", "StorageReady", "True", "NotNeeded");
    lab.wait_ready("moves");
    lab.delete("moves");
    operator.stop();
}

#[test]
fn a_namespace_that_comes_and_goes_takes_its_resources_along() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.kubectl(&["create", "namespace", "passing"]);
    lab.apply("apiVersion: fia.com/v1\nkind: LiveDataProcessor\nmetadata: {name: zoom, namespace: passing}\n");
    eventually("the worker in the new namespace is ready", LONG, || {
        let resource = lab.kubectl(&["get", "ldp", "-n", "passing", "zoom", "-o", "json"]);
        let resource: Value = serde_json::from_str(&resource).unwrap();
        if condition(&resource, "Ready")["status"] == "True" {
            Ok(())
        } else {
            Err(resource["status"].to_string())
        }
    });
    lab.kubectl(&["delete", "namespace", "passing", "--timeout=100s"]);
    lab.wait_gone("pv/livedataprocessor-zoom-ceph-pv");
    lab.wait_gone("pv/livedataprocessor-zoom-archive-pv-smb");
    operator.stop();
}
