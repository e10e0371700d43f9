//! Takeover of the Python operator's objects: all are kept, and no field of the old template stays.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::lab::{LONG, cache, condition, eventually, root, turn};

/// Python script that creates the former operator's objects with its client, which gives them the same field manager.
const FIXTURE: &str = r#"
import sys, yaml
from kubernetes import client, config
from kubernetes.client import ApiClient
config.load_kube_config(config_file=sys.argv[1])
core, apps, custom = client.CoreV1Api(), client.AppsV1Api(), client.CustomObjectsApi()
resource = custom.get_namespaced_custom_object("fia.com", "v1", "fia", "livedataprocessors", "merlin")
owner = {"apiVersion": "fia.com/v1", "kind": "LiveDataProcessor", "name": "merlin", "uid": resource["metadata"]["uid"],
         "controller": True, "blockOwnerDeletion": True}
for body in yaml.safe_load_all(open(sys.argv[2])):
    kind = body["kind"]
    if kind == "PersistentVolume":
        core.create_persistent_volume(body)
    elif kind == "PersistentVolumeClaim":
        core.create_namespaced_persistent_volume_claim("fia", body)
    elif kind == "Deployment":
        body["metadata"]["ownerReferences"] = [owner]
        apps.create_namespaced_deployment("fia", body)
    else:
        sys.exit("unexpected " + kind)
"#;

/// Python program with the client of the former operator.
fn python() -> std::path::PathBuf {
    let venv = cache().join("former-operator");
    let python = venv.join("bin/python");
    let complete = venv.join("complete-30.1.0");
    if !complete.exists() {
        let run = |program: &Path, arguments: &[&str]| {
            let done = Command::new(program).args(arguments).output().unwrap();
            assert!(
                done.status.success(),
                "{arguments:?}: {}",
                String::from_utf8_lossy(&done.stderr)
            );
        };
        run(
            Path::new("/usr/bin/python3.11"),
            &["-m", "venv", venv.to_str().unwrap()],
        );
        run(&python, &["-m", "pip", "install", "--quiet", "kubernetes==30.1.0"]);
        std::fs::write(complete, "").unwrap();
    }
    python
}

#[test]
fn the_former_operators_objects_are_taken_over() {
    let (_turn, lab) = turn();
    let objects = root().join("operator/tests/it/fixtures/former-objects.yaml");
    // Such a site also has the former operator, its account and its finalizer on the resource; TAKING-OVER.md removes
    // the operator first. The namespace's standard is relaxed, because pods of the old template do not meet it.
    lab.kubectl(&[
        "label",
        "ns",
        "fia",
        "pod-security.kubernetes.io/enforce=privileged",
        "--overwrite",
    ]);
    lab.create("merlin", r#"{"instrument": "MERLIN"}"#);
    lab.kubectl(&[
        "annotate",
        "ldp",
        "-n",
        "fia",
        "merlin",
        r#"kopf.zalando.org/last-handled-configuration={"spec":{}}"#,
    ]);
    let marked = r#"{"metadata": {"finalizers": ["kopf.zalando.org/KopfFinalizerMarker"]}}"#;
    lab.kubectl(&["patch", "ldp", "-n", "fia", "merlin", "--type=merge", "-p", marked]);
    let done = Command::new(python())
        .args(["-c", FIXTURE, lab.env("KUBECONFIG"), objects.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let names = [
        "pv/livedataprocessor-merlin-ceph-pv",
        "pv/livedataprocessor-merlin-archive-pv-smb",
        "pvc/livedataprocessor-merlin-ceph-pvc",
        "pvc/livedataprocessor-merlin-archive-pvc",
        "deployment/livedataprocessor-merlin-deployment",
    ];
    eventually("the old worker runs", LONG, || {
        let worker = lab.get(names[4]).unwrap();
        if worker["status"]["availableReplicas"] == 1 {
            Ok(())
        } else {
            Err(worker["status"].to_string())
        }
    });
    let of = |field: &str| names.map(|name| lab.get(name).unwrap().pointer(field).cloned().unwrap_or_default());
    let (uids, created) = (of("/metadata/uid"), of("/metadata/creationTimestamp"));
    let sources = [0, 1].map(|index| lab.get(names[index]).unwrap()["spec"]["csi"].clone());

    let operator = lab.operator();
    lab.wait_for("merlin", "Progressing", "False", "Complete");
    let resource = lab.wait_ready("merlin");
    assert_eq!(
        resource["status"]["observedGeneration"],
        resource["metadata"]["generation"]
    );
    assert_eq!(condition(&resource, "StorageReady")["status"], "True");
    assert_eq!(of("/metadata/uid"), uids);
    assert_eq!(of("/metadata/creationTimestamp"), created);
    assert_eq!(
        [0, 1].map(|index| lab.get(names[index]).unwrap()["spec"]["csi"].clone()),
        sources
    );
    operator.wait_log("applied");

    let worker = lab.get(names[4]).unwrap();
    assert!(!worker.to_string().contains("shh"), "the literal token is still there");
    assert_eq!(worker["metadata"]["labels"]["processor-image-sha"], Value::Null);
    let pod = &worker["spec"]["template"]["spec"];
    assert_eq!(pod["serviceAccountName"], "livedataprocessor-merlin");
    let env = pod["containers"][0]["env"].as_array().unwrap();
    let token = env.iter().find(|entry| entry["name"] == "GITHUB_API_TOKEN").unwrap();
    assert_eq!(token["valueFrom"]["secretKeyRef"]["name"], "fia-api");
    assert_eq!(env.iter().filter(|entry| entry["name"] == "INSTRUMENT").count(), 1);
    let volumes: Vec<_> = pod["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|volume| volume["name"].as_str().unwrap())
        .collect();
    assert_eq!(volumes, ["ceph-mount", "archive-mount", "work", "home", "tmp"]);
    let managers = lab.kubectl(&[
        "get",
        "-n",
        "fia",
        names[4],
        "--show-managed-fields",
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
    ]);
    assert!(!managers.contains("OpenAPI-Generator"), "{managers}");
    // Exactly one rollout, for the new template.
    let replica_sets = lab.list(&["rs", "-n", "fia", "-l", "app=livedataprocessor-merlin"]);
    assert_eq!(replica_sets.len(), 2);

    // The former operator's finalizer does not hold up the deletion: this operator removes it too.
    lab.delete("merlin");
    for name in names {
        lab.wait_gone(name);
    }
    lab.kubectl(&[
        "label",
        "ns",
        "fia",
        "pod-security.kubernetes.io/enforce=restricted",
        "--overwrite",
    ]);
    operator.stop();
}
