//! Specs that the definition accepts, and specs that it refuses with the field and the reason.

use crate::lab::{resource, turn};

/// A null field counts as left out.
#[test]
fn nothing_is_refused_for_being_null() {
    let (_turn, lab) = turn();
    let spec = r#"{"instrument": null, "image": {"tag": null, "digest": null}, "kafka": {"bootstrapServers": null}, "script": null}"#;
    lab.try_apply(&resource("nulls", spec), &["--dry-run=server"]).unwrap();
}

#[test]
fn every_example_is_accepted() {
    let (_turn, lab) = turn();
    let folder = lab.root.join("crd/examples");
    let done = lab.kubectl(&["apply", "--dry-run=server", "-f", folder.to_str().unwrap()]);
    assert!(done.lines().count() >= 6, "{done}");
}

/// Spec that must be refused, the field that the answer must name, and words of the reason.
const WRONG: [(&str, &str, &str); 64] = [
    (
        r#"{"instrument": "2D"}"#,
        "spec.instrument",
        "a letter, then letters, digits, _ or -",
    ),
    (
        r#"{"instrument": "MER LIN"}"#,
        "spec.instrument",
        "use an instrument's name",
    ),
    (r#"{"instrument": ""}"#, "spec.instrument", "use an instrument's name"),
    (
        r#"{"instrument": "X23456789012345678901234567890123"}"#,
        "spec.instrument",
        "may not be more than 32",
    ),
    (r#"{"instrument": 7}"#, "spec.instrument", "must be of type string"),
    (
        r#"{"image": {"repository": "Re po"}}"#,
        "spec.image.repository",
        "'Re po' cannot be used: use a repository such as ghcr.io/fiaisis/live-data-worker",
    ),
    (r#"{"image": {"tag": "-x"}}"#, "spec.image.tag", "use a tag"),
    (
        r#"{"image": {"digest": "sha256:abc"}}"#,
        "spec.image.digest",
        "64 hexadecimal digits",
    ),
    (
        r#"{"image": {"pullPolicy": "Often"}}"#,
        "spec.image.pullPolicy",
        "IfNotPresent",
    ),
    (
        r#"{"image": {"pullSecrets": "x"}}"#,
        "spec.image.pullSecrets",
        "must be of type array",
    ),
    (
        r#"{"kafka": {"bootstrapServers": "broker"}}"#,
        "spec.kafka.bootstrapServers",
        "use brokers as host:port",
    ),
    (
        r#"{"kafka": {"bootstrapServers": "a:1, b:2"}}"#,
        "spec.kafka.bootstrapServers",
        "without blanks",
    ),
    (
        r#"{"kafka": {"topics": {"events": "a b"}}}"#,
        "spec.kafka.topics.events",
        "use a topic's name",
    ),
    (
        r#"{"kafka": {"topics": {"vetoConfig": ""}}}"#,
        "spec.kafka.topics.vetoConfig",
        "use a topic's name",
    ),
    (
        r#"{"kafka": {"security": {"protocol": "SASL_SSL"}}}"#,
        "spec.kafka.security.credentialsSecret",
        "needs credentialsSecret",
    ),
    (
        r#"{"kafka": {"security": {"protocol": "TLS"}}}"#,
        "spec.kafka.security.protocol",
        "SASL_PLAINTEXT",
    ),
    (
        r#"{"kafka": {"security": {"mechanism": "GSSAPI"}}}"#,
        "spec.kafka.security.mechanism",
        "SCRAM-SHA-512",
    ),
    (
        r#"{"kafka": {"security": {"caSecret": {"name": "ca"}}}}"#,
        "spec.kafka.security.caSecret.key",
        "Required",
    ),
    (
        r#"{"kafka": {"security": {"caSecret": {"name": "Ca", "key": "k"}}}}"#,
        "spec.kafka.security.caSecret.name",
        "lower-case letters",
    ),
    (
        r#"{"kafka": {"security": {"caSecret": {"name": "ca", "key": "k/k"}}}}"#,
        "spec.kafka.security.caSecret.key",
        "use a key",
    ),
    (
        r#"{"script": {"source": "ConfigMap"}}"#,
        "spec.script.configMap",
        "exactly when source is ConfigMap",
    ),
    (
        r#"{"script": {"configMap": {"name": "c", "key": "k"}}}"#,
        "spec.script.configMap",
        "exactly when source is ConfigMap",
    ),
    (
        r#"{"script": {"source": "ConfigMap", "configMap": {"name": "c"}}}"#,
        "spec.script.configMap.key",
        "Required",
    ),
    (
        r#"{"script": {"inline": "x"}}"#,
        "spec.script.inline",
        "exactly when source is Inline",
    ),
    (r#"{"script": {"source": "Web"}}"#, "spec.script.source", "FiaApi"),
    (
        r#"{"script": {"runSeconds": 0}}"#,
        "spec.script.runSeconds",
        "greater than or equal to 1",
    ),
    (
        r#"{"script": {"refreshSeconds": 90000}}"#,
        "spec.script.refreshSeconds",
        "less than or equal to 86400",
    ),
    (
        r#"{"script": {"timeoutSeconds": 1.5}}"#,
        "spec.script.timeoutSeconds",
        "must be of type integer",
    ),
    (
        r#"{"script": {"source": "FiaApi"}, "live": {"processingAlgorithm": "Rebin", "outputWorkspace": "w"}}"#,
        "spec",
        "choose one: script.source",
    ),
    (
        r#"{"live": {"processingAlgorithm": "Re bin", "outputWorkspace": "w"}}"#,
        "spec.live.processingAlgorithm",
        "use an algorithm's name",
    ),
    (
        r#"{"live": {"processingAlgorithm": "A", "processingScript": "b", "outputWorkspace": "w"}}"#,
        "spec.live",
        "Only specify one processing method",
    ),
    (
        r#"{"live": {"processingScript": "b", "processingScriptFilename": "/b", "outputWorkspace": "w"}}"#,
        "spec.live",
        "Only specify one processing method",
    ),
    (
        r#"{"live": {"postProcessingAlgorithm": "A", "postProcessingScript": "b", "accumulationWorkspace": "a", "outputWorkspace": "w"}}"#,
        "spec.live",
        "Only specify one post processing method",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "postProcessingAlgorithm": "A"}}"#,
        "spec.live.accumulationWorkspace",
        "Must specify the AccumulationWorkspace",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "postProcessingScript": "x", "accumulationWorkspace": "w"}}"#,
        "spec.live.accumulationWorkspace",
        "must be different than the OutputWorkspace",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "fromTime": true}}"#,
        "spec.live.startTime",
        "exactly with fromTime",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "startTime": "2026-01-01T00:00:00Z"}}"#,
        "spec.live.startTime",
        "exactly with fromTime",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "fromTime": true, "fromNow": true, "startTime": "2026-01-01T00:00:00Z"}}"#,
        "spec.live",
        "Please check exactly one of FromNow, FromStartOfRun, FromTime.",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "fromNow": false}}"#,
        "spec.live",
        "Please check exactly one of FromNow, FromStartOfRun, FromTime.",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "startTime": "yesterday", "fromTime": true}}"#,
        "spec.live.startTime",
        "must be of type date-time",
    ),
    (
        r#"{"live": {"updateEvery": 5}}"#,
        "spec.live.outputWorkspace",
        "Must specify the OutputWorkspace.",
    ),
    (
        r#"{"live": {"outputWorkspace": "2w"}}"#,
        "spec.live.outputWorkspace",
        "use a workspace's name",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "updateEvery": -1}}"#,
        "spec.live.updateEvery",
        "greater than or equal to 0",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "accumulationMethod": "Sum"}}"#,
        "spec.live.accumulationMethod",
        "Append",
    ),
    (
        r#"{"live": {"outputWorkspace": "w", "runTransitionBehavior": "Pause"}}"#,
        "spec.live.runTransitionBehavior",
        "Rename",
    ),
    (
        r#"{"storage": {"output": {"emptyDir": {}, "cephFs": {}}}}"#,
        "spec.storage.output",
        "choose one of cephFs, persistentVolumeClaim and emptyDir",
    ),
    (
        r#"{"storage": {"output": {"persistentVolumeClaim": {}}}}"#,
        "spec.storage.output.persistentVolumeClaim.claimName",
        "Required",
    ),
    (
        r#"{"storage": {"output": {"persistentVolumeClaim": {"claimName": "A_b"}}}}"#,
        "spec.storage.output.persistentVolumeClaim.claimName",
        "lower-case letters",
    ),
    (
        r#"{"storage": {"output": {"cephFs": {"rootPath": "isis"}}}}"#,
        "spec.storage.output.cephFs.rootPath",
        "absolute path",
    ),
    (
        r#"{"storage": {"output": {"cephFs": {"mounter": "nfs"}}}}"#,
        "spec.storage.output.cephFs.mounter",
        "kernel",
    ),
    (
        r#"{"storage": {"output": {"cephFs": {"secretNamespace": "a.b"}}}}"#,
        "spec.storage.output.cephFs.secretNamespace",
        "use a namespace",
    ),
    (
        r#"{"storage": {"output": {"cephFs": {"capacity": "much"}}}}"#,
        "spec.storage.output.cephFs.capacity",
        "should match",
    ),
    (
        r#"{"storage": {"archive": {"none": {}, "smb": {}}}}"#,
        "spec.storage.archive",
        "choose one of smb, persistentVolumeClaim and none",
    ),
    (
        r#"{"storage": {"archive": {"smb": {"source": "host/share"}}}}"#,
        "spec.storage.archive.smb.source",
        "//host/share/",
    ),
    (
        r#"{"storage": {"instruments": {"none": {}, "configMap": {"name": "d"}}}}"#,
        "spec.storage.instruments",
        "choose one of configMap, persistentVolumeClaim and none",
    ),
    (
        r#"{"storage": {"instruments": {"configMap": {"name": "D_"}}}}"#,
        "spec.storage.instruments.configMap.name",
        "lower-case letters",
    ),
    (
        r#"{"security": {"runAsUser": 0}}"#,
        "spec.security.runAsUser",
        "greater than or equal to 1",
    ),
    (
        r#"{"security": {"fsGroup": -1}}"#,
        "spec.security.fsGroup",
        "greater than or equal to 0",
    ),
    (
        r#"{"security": {"fsGroupChangePolicy": "Never"}}"#,
        "spec.security.fsGroupChangePolicy",
        "OnRootMismatch",
    ),
    (
        r#"{"resources": {"limits": {"memory": "many"}}}"#,
        "spec.resources.limits.memory",
        "should match",
    ),
    (
        r#"{"priorityClassName": "Very High"}"#,
        "spec.priorityClassName",
        "lower-case letters",
    ),
    (r#"{"updateStrategy": "Sudden"}"#, "spec.updateStrategy", "Recreate"),
    (r#"{"logLevel": "loud"}"#, "spec.logLevel", "Debug"),
    (r#"{"suspend": "yes"}"#, "spec.suspend", "must be of type boolean"),
];

#[test]
fn bad_resources_are_refused_with_the_field_and_the_reason() {
    let (_turn, lab) = turn();
    let all: String = WRONG
        .iter()
        .enumerate()
        .map(|(index, (spec, _, _))| resource(&format!("wrong-{index}"), spec))
        .collect();
    // kubectl goes on after a refused object and reports each.
    let answer = lab
        .try_apply(&all, &["--dry-run=server"])
        .expect_err("all were accepted");
    let mut unlike = Vec::new();
    for (index, (spec, field, words)) in WRONG.iter().enumerate() {
        let begins = format!("\"wrong-{index}\" is invalid: ");
        let message = answer
            .split("LiveDataProcessor.fia.com ")
            .find(|message| message.starts_with(&begins));
        let told = message.is_some_and(|message| message.contains(&format!("{field}: ")) && message.contains(words));
        if !told {
            unlike.push(format!("{spec}: wanted {field} and {words:?}, got {message:?}"));
        }
    }
    assert!(unlike.is_empty(), "{}\n\nof\n{answer}", unlike.join("\n"));
    // Only quantities, which have Kubernetes' own pattern, are answered with a regular expression.
    let patterns: Vec<_> = answer.lines().filter(|line| line.contains("should match")).collect();
    assert!(patterns.iter().all(|line| line.contains("numkMGTPE")), "{patterns:?}");
}

#[test]
fn names_that_cannot_be_and_fields_that_are_not_are_refused() {
    let (_turn, lab) = turn();
    let refused = |name: &str, spec: &str| {
        lab.try_apply(&resource(name, spec), &["--dry-run=server"])
            .expect_err(&format!("{name} with {spec} was accepted"))
    };
    let longest = "n".repeat(45);
    lab.try_apply(&resource(&longest, r#"{"instrument": "N"}"#), &["--dry-run=server"])
        .unwrap();
    let message = refused(&"n".repeat(46), r#"{"instrument": "N"}"#);
    assert!(
        message.contains("the name must be a DNS label of at most 45 characters"),
        "{message}"
    );
    let message = refused("a.b", r#"{"instrument": "N"}"#);
    assert!(message.contains("the name must be a DNS label"), "{message}");
    for name in ["2d", &"n".repeat(33)] {
        let message = refused(name, "{}");
        assert!(
            message.contains("it must start with a letter and have at most 32 characters"),
            "{message}"
        );
    }
    let message = refused("bad", r#"{"colour": "red", "image": {"tags": "1"}}"#);
    for field in ["spec.colour", "spec.image.tags"] {
        assert!(message.contains(&format!("unknown field \"{field}\"")), "{message}");
    }
}

#[test]
fn the_instrument_cannot_be_changed() {
    let (_turn, lab) = turn();
    // No operator runs: no objects are made for these.
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
