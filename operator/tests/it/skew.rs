//! Replicas whose clocks are an hour off, one ahead and one behind. libfaketime shifts a process's time of day and leaves
//! the clock that measures durations.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::lab::operator::Operator;
use crate::lab::{LONG, Lab, eventually, turn};
use crate::workers::{Workers, report};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";
/// Duration of a Lease, 15 s, and the time of two attempts of a standby.
const LONGER_THAN_A_LEASE: Duration = Duration::from_secs(21);

/// Operator of this build whose clock is off by `seconds`.
///
/// It connects without TLS, because the laboratory's certificates were not valid an hour ago.
fn operator(lab: &Lab, name: &str, seconds: i64, config: &Path) -> Operator {
    assert!(Path::new(LIBRARY).exists(), "{LIBRARY} is missing: run ci/setup");
    let shift = format!("{seconds:+}s");
    let settings = [
        ("KUBECONFIG", config.to_str().unwrap()),
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME", &shift),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("DONT_FAKE_MONOTONIC", "1"),
    ];
    // The released program is linked statically and loads no library.
    lab.own_operator_with(name, &settings)
}

fn lease(lab: &Lab) -> Value {
    lab.get("lease/live-data-operator").unwrap()["spec"].clone()
}

/// Seconds by which the holder's clock is ahead, from the time of its last renewal.
fn offset(lease: &Value) -> i64 {
    let renewed: Timestamp = lease["renewTime"].as_str().unwrap().parse().unwrap();
    renewed.duration_since(Timestamp::now()).as_secs()
}

fn holds(lab: &Lab, holder: &str) -> Value {
    eventually(&format!("{holder} holds the Lease"), LONG, || {
        let lease = lease(lab);
        if lease["holderIdentity"] == holder {
            Ok(lease)
        } else {
            Err(lease.to_string())
        }
    })
}

/// Checks that for longer than the Lease's duration the holder stays the same and alone reconciles.
fn stays(lab: &Lab, holder: &str, standby: &Operator) {
    let before = lease(lab);
    assert_eq!(before["holderIdentity"], holder);
    let started = Instant::now();
    while started.elapsed() < LONGER_THAN_A_LEASE {
        let now = lease(lab);
        assert_eq!(now["holderIdentity"], holder, "after {:?}", started.elapsed());
        assert_eq!(now["leaseTransitions"], before["leaseTransitions"]);
        thread::sleep(Duration::from_millis(500));
    }
    assert_ne!(lease(lab)["renewTime"], before["renewTime"], "it does not renew");
    assert!(!standby.logged("leading"), "the standby took itself for the leader");
}

#[test]
#[ignore = "over a minute, two Leases run out: ci/test --full"]
fn replicas_with_clocks_two_hours_apart_hand_over_as_if_they_agreed() {
    let (_turn, lab) = turn();
    let mut line = lab.proxy();
    let config = lab.plain_kubeconfig("skew", line.port);

    let ahead = operator(lab, "operator-ahead", 3600, &config);
    ahead.wait_leading();
    lab.create("skewed", "{}");
    let workers = Workers::serve(lab, &["skewed"]);
    lab.wait_ready("skewed");
    lab.wait_for("skewed", "Degraded", "False", "AsExpected");
    let of_ahead = offset(&holds(lab, "operator-ahead"));
    assert!(of_ahead > 3500, "the clock was not shifted: {of_ahead}");
    let behind = operator(lab, "operator-behind", -3600, &config);
    behind.wait_ready();
    // Its renewals come from the future.
    stays(lab, "operator-ahead", &behind);

    let killed = Instant::now();
    ahead.kill();
    behind.wait_leading();
    let took = killed.elapsed();
    println!(
        "clocks two hours apart: taken over {:.1} s after a kill",
        took.as_secs_f64()
    );
    assert!(took < Duration::from_secs(60), "{took:?}");
    let of_behind = offset(&holds(lab, "operator-behind"));
    assert!(of_behind < -3500, "the clock was not shifted: {of_behind}");
    // Figures are still written, although the former ones have a time in the new leader's future.
    workers.set(report("71618", 4321));
    eventually("the figures are shown", Duration::from_secs(30), || {
        let run = lab.resource("skewed")["status"]["run"].clone();
        if run["events"] == 4321 {
            Ok(())
        } else {
            Err(run.to_string())
        }
    });
    let again = operator(lab, "operator-again", 3600, &config);
    again.wait_ready();
    // Its renewals come from the past, two hours ago.
    stays(lab, "operator-behind", &again);
    behind.stop();
    again.wait_leading();
    lab.delete("skewed");
    again.stop();
    line.end();
}
