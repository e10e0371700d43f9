//! Commands `crd`, `probe` and `release`, and a malformed environment.

use std::process::Command;

use crate::lab::{program, turn};

#[test]
fn crd_prints_what_the_chart_has() {
    let print = |form: &str| {
        let done = Command::new(program()).args(["crd", "--form", form]).output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    let chart = std::fs::read_to_string(crate::lab::root().join("charts/live-data/templates/crd.yaml")).unwrap();
    assert_eq!(print("chart"), chart, "run ci/generate");
    assert!(print("yaml").contains("name: livedataprocessors.fia.com"));
    assert!(print("spec-schema").contains("\"additionalProperties\": false"));
}

#[test]
fn every_mistake_of_the_environment_is_listed_and_nothing_starts() {
    let done = Command::new(program())
        .env_clear()
        .envs([
            ("DEV_MODE", "maybe"),
            ("VALKEY_PORT", "x"),
            ("WORKER_DEFAULTS", r#"{"imagge": {}}"#),
        ])
        .output()
        .unwrap();
    assert!(!done.status.success());
    let complaint = String::from_utf8(done.stderr).unwrap();
    for expected in ["DEV_MODE", "VALKEY_PORT", "WORKER_DEFAULTS.imagge"] {
        assert!(complaint.contains(expected), "{expected} is not in {complaint}");
    }
}

#[test]
fn release_removes_the_finalizers_and_nothing_else() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("leaving", "{}");
    lab.wait_ready("leaving");
    let release = || {
        Command::new(program())
            .args(["release", "--all"])
            .env_clear()
            .env("KUBECONFIG", lab.operator_kubeconfig())
            .env("POD_NAMESPACE", "fia")
            .output()
            .unwrap()
    };
    let refused = release();
    assert!(!refused.status.success(), "it released beside a running operator");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("stop it first"));
    operator.stop();
    let done = release();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(lab.resource("leaving")["metadata"]["finalizers"].is_null());
    assert!(lab.get("deployment/livedataprocessor-leaving-deployment").is_some());
    // Without the finalizer the resource is deleted at once; the site keeps or deletes its volumes.
    lab.kubectl(&["delete", "ldp", "-n", "fia", "leaving"]);
    lab.wait_gone("deployment/livedataprocessor-leaving-deployment");
    for volume in ["ceph-pv", "archive-pv-smb"] {
        lab.kubectl(&["delete", "pv", &format!("livedataprocessor-leaving-{volume}")]);
    }
    lab.wait_nothing_left("leaving");
}
