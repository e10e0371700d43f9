//! Number of writes: none while nothing changes, one for each change.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::lab::{LONG, eventually, turn};
use crate::workers::Workers;

#[test]
fn a_steady_state_and_a_restart_write_nothing() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    let names = ["steady-a", "steady-b", "steady-c"];
    for name in names {
        lab.create(name, "{}");
    }
    let workers = Workers::serve(lab, &names);
    for name in names {
        lab.wait_ready(name);
        lab.wait_for(name, "Degraded", "False", "AsExpected");
        lab.wait_for(name, "StorageReady", "True", "Bound");
    }
    let resources = || -> Vec<Value> { names.iter().map(|name| lab.resource(name)).collect() };
    settled(lab);
    let before = resources();
    let mark = lab.audit_mark();
    // Long enough for five rounds of polls, none of which may write.
    thread::sleep(Duration::from_secs(15));
    assert_eq!(lab.writes_since(mark), []);

    operator.stop();
    let mark = lab.audit_mark();
    let operator = lab.operator();
    operator.wait_leading();
    let polled = workers.requests();
    eventually("the new operator has asked every worker", LONG, || {
        if workers.requests() >= polled + 2 * names.len() {
            Ok(())
        } else {
            Err(workers.requests().to_string())
        }
    });
    thread::sleep(Duration::from_secs(3));
    assert_eq!(lab.writes_since(mark), []);
    assert_eq!(resources(), before);
    for name in names {
        lab.delete(name);
    }
    operator.stop();
}

#[test]
fn when_the_leader_is_killed_the_other_takes_over_and_nothing_is_written_twice() {
    let (_turn, lab) = turn();
    let first = lab.operator_with("operator-0", &[]);
    first.wait_leading();
    let second = lab.operator_with("operator-1", &[]);
    second.wait_ready();
    lab.create("handover", "{}");
    lab.wait_ready("handover");
    lab.wait_for("handover", "Degraded", "True", "NoReport");
    settled(lab);
    let mark = lab.audit_mark();
    first.kill();
    second.wait_leading();
    lab.create("after", "{}");
    lab.wait_ready("after");
    let of_first: Vec<_> = lab
        .writes_since(mark)
        .into_iter()
        .filter(|(_, _, name)| name.contains("handover"))
        .collect();
    assert_eq!(of_first, [], "written again");
    let mut applied: HashMap<_, u32> = HashMap::new();
    for write in lab.writes_since(mark) {
        if !matches!(write.1.as_str(), "livedataprocessors/status" | "events") {
            *applied.entry(write).or_default() += 1;
        }
    }
    assert!(applied.values().all(|count| *count == 1), "{applied:?}");
    for name in ["handover", "after"] {
        lab.delete(name);
    }
    second.stop();
}

/// Waits until the operator has written nothing for a while.
pub fn settled(lab: &crate::lab::Lab) {
    eventually("the operator has nothing more to write", LONG, || {
        let mark = lab.audit_mark();
        thread::sleep(Duration::from_secs(4));
        let writes = lab.writes_since(mark);
        if writes.is_empty() {
            Ok(())
        } else {
            Err(format!("{writes:?}"))
        }
    });
}
