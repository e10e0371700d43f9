//! Time that many resources take compared with kubectl and the same objects, and memory of the operator.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::lab::{LONG, Lab, eventually, resource, turn};

/// Kinds that the operator makes for a resource.
const KINDS: &str = "sa,svc,networkpolicies,pv,pvc,deployments";
const SELECTOR: &str = "app.kubernetes.io/name=live-data-worker";

/// Checks that `count` Deployments are available and their claims bound; the error has both numbers.
fn all_ready(lab: &Lab, count: usize) -> Result<(), String> {
    let ready = lab
        .kubectl(&[
            "get",
            "deployments",
            "-n",
            "fia",
            "-l",
            SELECTOR,
            "-o",
            "jsonpath={.items[*].status.availableReplicas}",
        ])
        .split_whitespace()
        .count();
    let bound = lab
        .kubectl(&[
            "get",
            "pvc",
            "-n",
            "fia",
            "-l",
            SELECTOR,
            "-o",
            "jsonpath={.items[*].status.phase}",
        ])
        .split_whitespace()
        .filter(|phase| *phase == "Bound")
        .count();
    if ready == count && bound == 2 * count {
        Ok(())
    } else {
        Err(format!("{ready} ready, {bound} bound"))
    }
}

fn statuses_ready(lab: &Lab, count: usize) -> Result<(), String> {
    let path = r#"jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}"#;
    let ready = lab
        .kubectl(&["get", "ldp", "-n", "fia", "-o", path])
        .split_whitespace()
        .filter(|status| *status == "True")
        .count();
    if ready == count {
        Ok(())
    } else {
        Err(format!("{ready} statuses are ready"))
    }
}

/// Applies resources to a running operator; the time to all of them ready.
fn with_operator(lab: &Lab, count: usize, limit: Duration) -> Duration {
    let all: String = (0..count)
        .map(|index| resource(&format!("swift-{index}"), "{}"))
        .collect();
    let file = lab.folder.join("swift.yaml");
    std::fs::write(&file, all).unwrap();
    let started = Instant::now();
    lab.kubectl(&["create", "-f", file.to_str().unwrap()]);
    eventually("all Deployments are ready", limit, || all_ready(lab, count));
    eventually("all statuses are ready", limit, || statuses_ready(lab, count));
    started.elapsed()
}

fn delete_all(lab: &Lab, limit: Duration) {
    lab.kubectl(&["delete", "ldp", "-n", "fia", "--all", "--wait=false"]);
    eventually("nothing is left", limit, || {
        let left = lab.kubectl(&["get", &format!("{KINDS},pods,ldp"), "-n", "fia", "-o", "name"]);
        let ours = left.lines().filter(|name| name.contains("swift-")).count();
        if ours == 0 {
            Ok(())
        } else {
            Err(format!("{ours} objects"))
        }
    });
}

/// Time for 40 resources divided by kubectl's time for the same objects.
fn forty_against_kubectl() -> f64 {
    const COUNT: usize = 40;
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    let mark = lab.audit_mark();
    let ours = with_operator(lab, COUNT, LONG);
    let (resident, peak) = (operator.memory("VmRSS"), operator.memory("VmHWM"));
    println!("requests of the operator: {:?}", counted(lab.requests_since(mark)));
    // kubectl makes the same objects as one list.
    let mut objects = Vec::new();
    for kind in KINDS.split(',') {
        for mut object in lab.list(&[kind, "-n", "fia", "-l", SELECTOR]) {
            strip(&mut object);
            objects.push(object);
        }
    }
    assert_eq!(objects.len(), 8 * COUNT);
    delete_all(lab, LONG);
    operator.stop();
    let file = lab.folder.join("objects.json");
    std::fs::write(
        &file,
        serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string(),
    )
    .unwrap();
    let started = Instant::now();
    lab.kubectl(&["create", "-f", file.to_str().unwrap()]);
    eventually("kubectl's Deployments are ready", LONG, || all_ready(lab, COUNT));
    let kubectls = started.elapsed();
    lab.kubectl(&["delete", "-f", file.to_str().unwrap(), "--wait=false"]);
    eventually("kubectl's objects are gone", LONG, || {
        let left = lab.kubectl(&[
            "get",
            &format!("{KINDS},pods"),
            "-n",
            "fia",
            "-l",
            SELECTOR,
            "-o",
            "name",
        ]);
        if left.is_empty() { Ok(()) } else { Err(left) }
    });
    println!(
        "40 resources: {:.1} s with the operator, {:.1} s with kubectl create; memory {resident:.1} MiB, at most {peak:.1} MiB",
        ours.as_secs_f64(),
        kubectls.as_secs_f64()
    );
    ours.as_secs_f64() / kubectls.as_secs_f64()
}

/// Number of requests by verb and kind.
fn counted(requests: Vec<(String, String, String)>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (verb, resource, _) in requests {
        *counts.entry(format!("{verb} {resource}")).or_default() += 1;
    }
    counts
}

#[test]
fn forty_resources_become_ready_in_little_memory_and_go_without_a_trace() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    let took = with_operator(lab, 40, LONG);
    let resident = operator.memory("VmRSS");
    println!("40 resources: {:.1} s; memory {resident:.1} MiB", took.as_secs_f64());
    within(resident, 30.0);
    delete_all(lab, LONG);
    operator.stop();
}

#[test]
#[ignore = "a measurement, for a machine that does nothing else: ci/test --full"]
fn forty_resources_take_at_most_1_2_times_what_kubectl_takes() {
    // The first pass includes the control plane's own start-up costs.
    forty_against_kubectl();
    let mut ratios: Vec<f64> = (0..5).map(|_| forty_against_kubectl()).collect();
    ratios.sort_by(f64::total_cmp);
    let middle = ratios[ratios.len() / 2];
    assert!(
        middle <= 1.2,
        "{middle} times as long as kubectl in the middle of {ratios:?}"
    );
}

#[test]
#[ignore = "takes minutes: ci/test --full"]
fn a_thousand_resources_converge() {
    const COUNT: usize = 1000;
    let limit = Duration::from_secs(900);
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    let took = with_operator(lab, COUNT, limit);
    let (resident, peak) = (operator.memory("VmRSS"), operator.memory("VmHWM"));
    println!(
        "1,000 resources: {:.1} s; memory {resident:.1} MiB, at most {peak:.1} MiB",
        took.as_secs_f64()
    );
    within(resident, 80.0);
    delete_all(lab, limit);
    operator.stop();
}

/// Checks a memory limit, in MiB, of the released program; an unoptimised one is larger by its code.
fn within(mebibytes: f64, limit: f64) {
    let unoptimised = cfg!(debug_assertions) && std::env::var_os("LIVE_DATA_OPERATOR").is_none();
    let limit = if unoptimised { limit + 12.0 } else { limit };
    assert!(mebibytes <= limit, "{mebibytes} MiB, more than {limit}");
}

/// Removes the fields that the apiserver added.
fn strip(object: &mut Value) {
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "generation",
        "managedFields",
        "ownerReferences",
        "finalizers",
    ] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.retain(|name, _| name.starts_with("live-data.fia.com/"));
    }
    object.as_object_mut().unwrap().remove("status");
    let Some(spec) = object.get_mut("spec") else { return };
    if let Some(claim) = spec.get_mut("claimRef").and_then(Value::as_object_mut) {
        claim.remove("uid");
        claim.remove("resourceVersion");
    }
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
    }
}
