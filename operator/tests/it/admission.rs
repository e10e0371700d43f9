//! What the definition lets in and what it refuses, with the field and the reason.

use crate::lab::{resource, turn};

#[test]
fn every_example_is_accepted() {
    let (_turn, lab) = turn();
    let folder = lab.root.join("crd/examples");
    let done = lab.kubectl(&["apply", "--dry-run=server", "-f", folder.to_str().unwrap()]);
    assert!(done.lines().count() >= 6, "{done}");
}

#[test]
fn bad_resources_are_refused_with_the_field_and_the_reason() {
    let (_turn, lab) = turn();
    let refused = |name: &str, spec: &str| {
        lab.try_apply(&resource(name, spec), &["--dry-run=server"])
            .expect_err(&format!("{name} with {spec} was accepted"))
    };
    let cases = [
        (r#"{"instrument": "2D"}"#, "spec.instrument"),
        (r#"{"instrument": "MER LIN"}"#, "spec.instrument"),
        (r#"{"image": {"digest": "sha256:abc"}}"#, "spec.image.digest"),
        (
            r#"{"kafka": {"bootstrapServers": "broker"}}"#,
            "spec.kafka.bootstrapServers",
        ),
        (
            r#"{"kafka": {"security": {"protocol": "SASL_SSL"}}}"#,
            "a SASL protocol needs credentialsSecret",
        ),
        (
            r#"{"script": {"source": "ConfigMap"}}"#,
            "configMap names the script exactly when source is ConfigMap",
        ),
        (
            r#"{"script": {"inline": "x"}}"#,
            "inline holds the script exactly when source is Inline",
        ),
        (r#"{"script": {"source": "Web"}}"#, "spec.script.source"),
        (r#"{"script": {"runSeconds": 0}}"#, "spec.script.runSeconds"),
        (
            r#"{"script": {"source": "FiaApi"}, "live": {"processingAlgorithm": "Rebin", "outputWorkspace": "w"}}"#,
            "choose one",
        ),
        (
            r#"{"live": {"processingAlgorithm": "A", "processingScript": "b", "outputWorkspace": "w"}}"#,
            "Only specify one processing method",
        ),
        (
            r#"{"live": {"outputWorkspace": "w", "fromTime": true}}"#,
            "startTime is given exactly with fromTime",
        ),
        (
            r#"{"live": {"outputWorkspace": "w", "fromTime": true, "fromNow": true, "startTime": "2026-01-01T00:00:00Z"}}"#,
            "Please check exactly one of FromNow, FromStartOfRun, FromTime.",
        ),
        (
            r#"{"live": {"outputWorkspace": "w", "startTime": "yesterday", "fromTime": true}}"#,
            "spec.live.startTime",
        ),
        (
            r#"{"live": {"outputWorkspace": "w", "postProcessingAlgorithm": "A"}}"#,
            "Must specify the AccumulationWorkspace",
        ),
        (r#"{"live": {"updateEvery": 5}}"#, "Must specify the OutputWorkspace."),
        (
            r#"{"storage": {"output": {"emptyDir": {}, "cephFs": {}}}}"#,
            "choose one of cephFs, persistentVolumeClaim and emptyDir",
        ),
        (
            r#"{"storage": {"archive": {"none": {}, "smb": {}}}}"#,
            "choose one of smb, persistentVolumeClaim and none",
        ),
        (r#"{"security": {"runAsUser": 0}}"#, "spec.security.runAsUser"),
        (
            r#"{"resources": {"limits": {"memory": "many"}}}"#,
            "spec.resources.limits.memory",
        ),
        (r#"{"updateStrategy": "Sudden"}"#, "spec.updateStrategy"),
        (r#"{"suspend": "yes"}"#, "spec.suspend"),
    ];
    for (spec, expected) in cases {
        let message = refused("bad", spec);
        assert!(message.contains(expected), "{spec}: {message}");
    }
    let message = refused(&"n".repeat(46), "{}");
    assert!(message.contains("at most 45 characters"), "{message}");
    let message = refused("2d", "{}");
    assert!(message.contains("it must start with a letter"), "{message}");
}

#[test]
fn the_instrument_cannot_be_changed() {
    let (_turn, lab) = turn();
    // No operator runs: nothing is made of these.
    lab.create("fixed", r#"{"instrument": "WISH"}"#);
    lab.create("unset", "{}");
    let change =
        |name: &str, patch: &str| lab.try_kubectl(&["patch", "ldp", "-n", "fia", name, "--type=merge", "-p", patch]);
    for (name, patch) in [
        ("fixed", r#"{"spec": {"instrument": "LOKI"}}"#),
        ("fixed", r#"{"spec": {"instrument": null}}"#),
        ("unset", r#"{"spec": {"instrument": "UNSET"}}"#),
    ] {
        let message = change(name, patch).expect_err("the instrument was changed");
        assert!(message.contains("instrument cannot be changed"), "{message}");
    }
    change("fixed", r#"{"spec": {"logLevel": "Debug"}}"#).unwrap();
    for name in ["fixed", "unset"] {
        lab.kubectl(&["delete", "ldp", "-n", "fia", name]);
    }
}
