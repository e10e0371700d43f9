//! Conflicts with objects of others: each becomes a condition with the next step, and no foreign object is changed.

use serde_json::Value;

use crate::lab::{LONG, condition, eventually, resource, turn};

fn message(resource: &Value, kind: &str) -> String {
    condition(resource, kind)["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn the_second_resource_for_an_instrument_gets_nothing_until_the_first_is_gone() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("first", r#"{"instrument": "EMU"}"#);
    lab.wait_ready("first");
    // Creation times have whole seconds; names decide within one.
    lab.create("second", r#"{"instrument": "emu"}"#);
    let second = lab.wait_for("second", "Degraded", "True", "InstrumentInUse");
    assert!(message(&second, "Degraded").contains("fia/first"));
    assert!(lab.get("deployment/livedataprocessor-second-deployment").is_none());
    assert!(lab.get("pv/livedataprocessor-second-ceph-pv").is_none());
    lab.delete("first");
    lab.wait_ready("second");
    lab.delete("second");
    operator.stop();
}

#[test]
fn what_belongs_to_someone_else_is_left_alone() {
    let (_turn, lab) = turn();
    lab.apply(
        "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: livedataprocessor-held-ceph-pv}\nspec:\n  capacity: {storage: 1Gi}\n  \
         accessModes: [ReadWriteMany]\n  persistentVolumeReclaimPolicy: Retain\n  claimRef: {namespace: other, name: theirs}\n  \
         csi: {driver: cephfs.csi.ceph.com, volumeHandle: livedataprocessor-held-ceph-pv}\n",
    );
    lab.apply(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: livedataprocessor-named-deployment, namespace: fia}\nspec:\n  replicas: 0\n  \
         selector: {matchLabels: {app: theirs}}\n  template:\n    metadata: {labels: {app: theirs}}\n    spec: {containers: [{name: c, image: theirs}]}\n",
    );
    let before = |what: &str| lab.get(what).unwrap()["metadata"]["resourceVersion"].clone();
    let (volume, worker) = (
        "pv/livedataprocessor-held-ceph-pv",
        "deployment/livedataprocessor-named-deployment",
    );
    let volume_version = before(volume);
    let operator = lab.operator();
    lab.create("held", "{}");
    let held = lab.wait_for("held", "Degraded", "True", "VolumeTaken");
    assert!(
        message(&held, "Degraded").contains("other/theirs"),
        "{}",
        message(&held, "Degraded")
    );
    lab.wait_for("held", "StorageReady", "False", "VolumeTaken");
    assert!(lab.get("deployment/livedataprocessor-held-deployment").is_none());
    lab.create("named", "{}");
    let named = lab.wait_for("named", "Degraded", "True", "NameTaken");
    assert!(message(&named, "Degraded").contains("livedataprocessor-named-deployment"));
    assert_eq!(before(volume), volume_version);
    assert_eq!(
        lab.get(worker).unwrap()["spec"]["template"]["spec"]["containers"][0]["image"],
        "theirs"
    );
    // Deleting the resources leaves the others' objects.
    for name in ["held", "named"] {
        lab.kubectl(&["delete", "ldp", "-n", "fia", name]);
    }
    assert_eq!(before(volume), volume_version);
    assert!(lab.get(worker).is_some());
    lab.kubectl(&["delete", "-n", "fia", worker]);
    lab.kubectl(&["delete", volume]);
    operator.stop();
}

#[test]
fn a_volume_that_differs_in_what_cannot_be_changed_is_told_and_kept() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("fixedpath", "{}");
    lab.wait_ready("fixedpath");
    operator.stop();
    let operator = lab.operator_with("operator-0", &[("DEV_MODE", "")]);
    let resource = lab.wait_for("fixedpath", "StorageReady", "False", "VolumeDiffers");
    let text = message(&resource, "StorageReady");
    assert!(
        text.contains("rootPath") && text.contains("FIXEDPATH-staging") && text.contains("suspend"),
        "{text}"
    );
    assert_eq!(condition(&resource, "Ready")["status"], "True");
    lab.delete("fixedpath");
    operator.stop();
}

#[test]
fn a_site_that_is_not_configured_is_told_what_is_missing() {
    let (_turn, lab) = turn();
    let nothing = crate::lab::SITE.map(|(name, _)| (name, ""));
    let operator = lab.operator_with("operator-0", &nothing);
    lab.create("bare", "{}");
    let resource = lab.wait_for("bare", "Degraded", "True", "SiteNotConfigured");
    let text = message(&resource, "Degraded");
    for name in ["CLUSTER_ID", "FS_NAME", "KAFKA_BOOTSTRAP_SERVERS", "FIA_API_URL"] {
        assert!(text.contains(name), "{text}");
    }
    lab.wait_for("bare", "Ready", "False", "SiteNotConfigured");
    assert!(lab.get("deployment/livedataprocessor-bare-deployment").is_none());
    // A plain cluster needs neither Ceph nor SMB.
    lab.create(
        "plain",
        r#"{"storage": {"output": {"emptyDir": {}}, "archive": {"none": {}}}}"#,
    );
    lab.wait_ready("plain");
    for name in ["bare", "plain"] {
        lab.delete(name);
    }
    operator.stop();
}

#[test]
fn why_a_worker_does_not_run_is_told_in_words() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    for (name, tag, reason, text) in [
        ("pulls", "never-pulls", "ImagePullFailed", "cannot be pulled"),
        ("crashes", "always-crashes", "CrashLoop", "kubectl logs"),
    ] {
        lab.create(
            name,
            &format!(r#"{{"image": {{"repository": "worker", "tag": "{tag}"}}}}"#),
        );
        let resource = lab.wait_for(name, "Ready", "False", reason);
        assert!(
            message(&resource, "Ready").contains(text),
            "{}",
            message(&resource, "Ready")
        );
        lab.delete(name);
    }
    lab.create("nowhere", r#"{"nodeSelector": {"there-is": "none"}}"#);
    let resource = lab.wait_for("nowhere", "Ready", "False", "Unschedulable");
    assert!(message(&resource, "Ready").contains("no node takes the pod"));
    lab.delete("nowhere");

    // Only the node's Event shows a missing Secret to a client that may not read Secrets.
    lab.create(
        "mounts",
        r#"{"image": {"repository": "worker", "tag": "never-starts"}}"#,
    );
    let pod = eventually("a pod is on its node", LONG, || {
        let pods = lab.list(&["pods", "-n", "fia", "-l", "app=livedataprocessor-mounts"]);
        pods.into_iter()
            .find(|pod| pod["spec"]["nodeName"].is_string())
            .ok_or_else(|| "none".into())
    });
    let (name, uid) = (
        pod["metadata"]["name"].as_str().unwrap(),
        pod["metadata"]["uid"].as_str().unwrap(),
    );
    let now = lab.kubectl(&["get", "ns", "fia", "-o", "jsonpath={.metadata.creationTimestamp}"]);
    let created = lab.folder.join("event.yaml");
    std::fs::write(
        &created,
        format!(
            "apiVersion: v1\nkind: Event\nmetadata: {{name: {name}.1, namespace: fia}}\ntype: Warning\nreason: FailedMount\n\
             message: 'MountVolume.MountDevice failed for volume \"livedataprocessor-mounts-ceph-pv\": secret \"ceph-creds\" not found'\n\
             involvedObject: {{apiVersion: v1, kind: Pod, namespace: fia, name: {name}, uid: {uid}}}\nfirstTimestamp: {now}\nlastTimestamp: {now}\n"
        ),
    )
    .unwrap();
    lab.kubectl(&["create", "-f", created.to_str().unwrap()]);
    let resource = lab.wait_for("mounts", "Degraded", "True", "MountFailed");
    assert!(
        message(&resource, "Degraded").contains("ceph-creds"),
        "{}",
        message(&resource, "Degraded")
    );
    lab.delete("mounts");
    operator.stop();
}

#[test]
fn a_missing_claim_is_told_and_a_single_writers_claim_is_recreated() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    let spec = r#"{"storage": {"output": {"persistentVolumeClaim": {"claimName": "own"}}, "archive": {"none": {}}}}"#;
    lab.create("claims", spec);
    let resource = lab.wait_for("claims", "StorageReady", "False", "ClaimMissing");
    assert!(message(&resource, "StorageReady").contains("own"));
    lab.apply(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: own, namespace: fia}\nspec: {accessModes: [ReadWriteOnce], \
         storageClassName: '', volumeName: own-pv, resources: {requests: {storage: 1Gi}}}\n---\napiVersion: v1\nkind: PersistentVolume\n\
         metadata: {name: own-pv}\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Retain, \
         csi: {driver: cephfs.csi.ceph.com, volumeHandle: own-pv}}\n",
    );
    lab.wait_for("claims", "StorageReady", "True", "NotNeeded");
    eventually("the strategy follows the claim", LONG, || {
        let worker = lab
            .get("deployment/livedataprocessor-claims-deployment")
            .unwrap_or_default();
        if worker["spec"]["strategy"]["type"] == "Recreate" {
            Ok(())
        } else {
            Err(worker["spec"]["strategy"].to_string())
        }
    });
    lab.wait_ready("claims");
    lab.delete("claims");
    lab.kubectl(&["delete", "pvc", "-n", "fia", "own"]);
    lab.kubectl(&["delete", "pv", "own-pv"]);
    operator.stop();
}

#[test]
fn an_unreadable_resource_is_reported_and_stops_nothing() {
    let (_turn, lab) = turn();
    // Resource that a definition without validation accepted.
    let lax = r#"[{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema",
        "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}]"#;
    let definition = "crd/livedataprocessors.fia.com";
    let strict = lab.kubectl(&[
        "get",
        definition,
        "-o",
        "jsonpath={.spec.versions[0].schema.openAPIV3Schema}",
    ]);
    lab.kubectl(&["patch", definition, "--type=json", "-p", lax]);
    eventually("the lax definition is served", LONG, || {
        lab.try_apply(&resource("broken", r#"{"suspend": ["x"]}"#), &[])
    });
    let operator = lab.operator();
    operator.wait_log("cannot be read");
    lab.create("sound", "{}");
    lab.wait_ready("sound");
    eventually("an Event tells of it", LONG, || {
        let events = lab.kubectl(&[
            "get",
            "events",
            "-n",
            "fia",
            "--field-selector",
            "reason=Unreadable",
            "-o",
            "name",
        ]);
        if events.is_empty() {
            Err("no Event".into())
        } else {
            Ok(())
        }
    });
    lab.delete("sound");
    lab.kubectl(&["delete", "ldp", "-n", "fia", "broken"]);
    let restore =
        format!(r#"[{{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema", "value": {strict}}}]"#);
    lab.kubectl(&["patch", definition, "--type=json", "-p", &restore]);
    eventually("the strict definition is served", LONG, || {
        lab.try_apply(&resource("probe", r#"{"suspend": ["x"]}"#), &["--dry-run=server"])
            .err()
            .ok_or_else(|| "accepted".to_owned())
    });
    operator.stop();
}
