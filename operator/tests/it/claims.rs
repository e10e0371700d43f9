//! Order of the Deployment and its claims: the Deployment follows the binding, or a limited wait for it.

use std::time::{Duration, Instant};

use crate::lab::{LONG, OPERATOR, eventually, turn};

#[test]
fn a_worker_comes_when_its_claims_are_bound_so_that_no_scheduler_puts_it_aside() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    lab.create("tosca", "{}");
    lab.wait_ready("tosca");
    // The log is written a moment after the answer.
    let (bound, made) = eventually("both are in the audit log", LONG, || {
        let status = ("update", "persistentvolumeclaims", Some("status"));
        let bound = lab.received("kube-controller-manager", status, "tosca");
        let made = lab.received(OPERATOR, ("create", "deployments", None), "tosca");
        let both = bound.len() >= 2 && !made.is_empty();
        if both {
            Ok((bound, made))
        } else {
            Err(format!("{bound:?} {made:?}"))
        }
    });
    assert!(bound.iter().max() < made.iter().min(), "bound {bound:?}, made {made:?}");
    let events = lab.list(&["events", "-n", "fia", "--field-selector", "reason=FailedScheduling"]);
    let aside: Vec<_> = events
        .iter()
        .filter(|event| event.to_string().contains("tosca"))
        .collect();
    assert!(aside.is_empty(), "{aside:?}");
    lab.delete("tosca");
    operator.stop();
}

#[test]
fn claims_that_nobody_binds_hold_a_worker_up_for_seconds_only() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    lab.control("stop", &["controller-manager"]);
    let began = Instant::now();
    lab.create("crisp", "{}");
    let deployment = "deployment/livedataprocessor-crisp-deployment";
    eventually("the claims are there", LONG, || {
        let claims = lab.list(&["pvc", "-n", "fia", "-l", "app.kubernetes.io/instance=crisp"]);
        if claims.len() == 2 {
            Ok(())
        } else {
            Err(format!("{} claims", claims.len()))
        }
    });
    assert!(lab.get(deployment).is_none(), "it did not wait");
    lab.wait_for("crisp", "StorageReady", "False", "Binding");
    eventually("the Deployment is made all the same", LONG, || {
        lab.get(deployment).ok_or_else(String::new)
    });
    assert!(
        began.elapsed() >= Duration::from_secs(4),
        "it waited {:?} only",
        began.elapsed()
    );
    lab.control("start", &[]);
    lab.wait_ready("crisp");
    lab.delete("crisp");
    operator.stop();
}
