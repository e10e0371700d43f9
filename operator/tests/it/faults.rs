//! Apiserver that is absent, refuses requests, cuts connections or is slow.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::lab::proxies::{Proxy, refusing_proxy};
use crate::lab::{LONG, Lab, eventually, turn};

#[test]
fn an_apiserver_that_is_away_for_half_a_minute_costs_nothing_but_time() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    lab.create("before", "{}");
    lab.wait_ready("before");
    lab.control("stop", &["apiserver"]);
    thread::sleep(Duration::from_secs(30));
    lab.control("start", &[]);
    let back = Instant::now();
    lab.create("afterwards", "{}");
    lab.wait_ready("afterwards");
    println!(
        "after an outage of 30 s: a new resource is ready {:.1} s after the apiserver is",
        back.elapsed().as_secs_f64()
    );
    // The watches work again, not only the queue: later changes are observed.
    lab.kubectl(&[
        "scale",
        "-n",
        "fia",
        "deployment/livedataprocessor-before-deployment",
        "--replicas=0",
    ]);
    eventually("the scale is put right", LONG, || {
        let worker = lab.get("deployment/livedataprocessor-before-deployment").unwrap();
        if worker["spec"]["replicas"] == 1 {
            Ok(())
        } else {
            Err(worker["spec"].to_string())
        }
    });
    for name in ["before", "afterwards"] {
        lab.delete(name);
    }
    operator.stop();
}

#[test]
fn refusals_failures_and_broken_watches_do_not_keep_it_from_converging() {
    let (_turn, lab) = turn();
    let proxy = Proxy::start(lab.env("APISERVER_PORT").parse().unwrap());
    // The operator speaks plain HTTP with the proxy, which speaks TLS with the apiserver through kubectl.
    let config = std::fs::read_to_string(lab.operator_kubeconfig()).unwrap();
    let server = config
        .lines()
        .find(|line| line.trim_start().starts_with("server:"))
        .unwrap()
        .to_owned();
    let through = config.replace(&server, &format!("      server: https://127.0.0.1:{}", proxy.port));
    let file = lab.folder.join("through-proxy.kubeconfig");
    std::fs::write(&file, through).unwrap();
    let operator = lab.operator_with("operator-0", &[("KUBECONFIG", file.to_str().unwrap())]);
    operator.wait_leading();
    proxy.break_every.store(3, Ordering::SeqCst);
    for index in 0..6 {
        lab.create(&format!("shaky-{index}"), "{}");
    }
    let mark = lab.audit_mark();
    let started = Instant::now();
    for index in 0..6 {
        lab.wait_ready(&format!("shaky-{index}"));
    }
    // Cuts all connections, those of watches included.
    proxy.cut();
    lab.create("shaky-after", "{}");
    lab.wait_ready("shaky-after");
    proxy.break_every.store(0, Ordering::SeqCst);
    let rate = lab.requests_since(mark).len() as f64 / started.elapsed().as_secs_f64().max(1.0);
    println!(
        "through a broken line: {} connections cut, {rate:.0} requests a second",
        proxy.cuts.load(Ordering::SeqCst)
    );
    assert!(proxy.cuts.load(Ordering::SeqCst) > 3, "the proxy cut nothing");
    assert!(rate < 200.0, "{rate}");
    for index in 0..6 {
        lab.delete(&format!("shaky-{index}"));
    }
    lab.delete("shaky-after");
    operator.stop();
}

#[test]
fn throttling_and_server_errors_do_not_keep_it_from_converging() {
    let (_turn, lab) = turn();
    // kubectl proxy speaks TLS with the apiserver as the operator's account; the tests' proxy before it answers some
    // requests itself.
    let mut tls = lab.proxy();
    let refused = Arc::new(AtomicU32::new(0));
    let every = Arc::new(AtomicU32::new(0));
    let port = refusing_proxy(tls.port, every.clone(), refused.clone());
    let file = lab.plain_kubeconfig("through-refusals", port);
    let operator = lab.operator_with("operator-0", &[("KUBECONFIG", file.to_str().unwrap())]);
    operator.wait_leading();
    every.store(4, Ordering::SeqCst);
    let mark = lab.audit_mark();
    let started = Instant::now();
    for index in 0..6 {
        lab.create(&format!("refused-{index}"), "{}");
    }
    for index in 0..6 {
        lab.wait_ready(&format!("refused-{index}"));
        lab.wait_for(&format!("refused-{index}"), "StorageReady", "True", "Bound");
    }
    let answered = refused.load(Ordering::SeqCst);
    let rate = (lab.requests_since(mark).len() as f64 + f64::from(answered)) / started.elapsed().as_secs_f64().max(1.0);
    println!("through refusals: {answered} requests refused, {rate:.0} requests a second");
    assert!(answered > 6, "the proxy refused {answered} only");
    assert!(rate < 200.0, "{rate}");
    // Without any answer the delays between attempts grow.
    every.store(1, Ordering::SeqCst);
    let before = refused.load(Ordering::SeqCst);
    for index in 0..6 {
        lab.kubectl(&[
            "patch",
            "ldp",
            "-n",
            "fia",
            &format!("refused-{index}"),
            "--type=merge",
            "--patch",
            r#"{"spec":{"logLevel":"Debug"}}"#,
        ]);
    }
    thread::sleep(Duration::from_secs(12));
    let asked = refused.load(Ordering::SeqCst) - before;
    println!("in 12 s without an answer: {asked} requests for six resources");
    assert!(asked >= 12, "{asked} requests: the changes were not seen");
    assert!(asked < 300, "{asked} requests in 12 s");
    every.store(0, Ordering::SeqCst);
    for index in 0..6 {
        lab.wait_for(&format!("refused-{index}"), "Progressing", "False", "Complete");
    }
    for index in 0..6 {
        lab.delete(&format!("refused-{index}"));
    }
    operator.stop();
    tls.end();
}

/// Freezes etcd in pulses until it is dropped: the apiserver's requests take seconds, and some exceed its limits.
struct SlowEtcd {
    ends: Arc<AtomicBool>,
    pulses: Arc<AtomicU32>,
    thread: Option<thread::JoinHandle<()>>,
}

impl SlowEtcd {
    fn start(lab: &Lab, frozen: Duration, awake: Duration) -> Self {
        let file = std::fs::read_to_string(std::path::Path::new(lab.env("PIDS")).join("etcd")).unwrap();
        let pid = file.split_whitespace().next().unwrap().to_owned();
        let (ends, pulses) = (Arc::<AtomicBool>::default(), Arc::<AtomicU32>::default());
        let (end, count) = (ends.clone(), pulses.clone());
        let thread = thread::spawn(move || {
            let signal = |name: &str| {
                Command::new("kill")
                    .args([name, &pid])
                    .status()
                    .is_ok_and(|done| done.success())
            };
            while !end.load(Ordering::SeqCst) {
                if signal("-STOP") {
                    count.fetch_add(1, Ordering::SeqCst);
                }
                thread::sleep(frozen);
                signal("-CONT");
                thread::sleep(awake);
            }
        });
        Self {
            ends,
            pulses,
            thread: Some(thread),
        }
    }
}

impl Drop for SlowEtcd {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[test]
#[ignore = "over a minute, every request waits for a slow etcd: ci/test --full"]
fn a_slow_etcd_makes_everything_late_and_nothing_wrong() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    operator.wait_leading();
    lab.create("slow-before", "{}");
    lab.wait_ready("slow-before");
    let worker = || lab.get("deployment/livedataprocessor-slow-before-deployment").unwrap();
    let generation = worker()["metadata"]["generation"].clone();
    let slow = SlowEtcd::start(lab, Duration::from_millis(900), Duration::from_millis(300));
    let mark = lab.audit_mark();
    let started = Instant::now();
    let names: Vec<String> = (0..4).map(|index| format!("slow-{index}")).collect();
    for name in &names {
        eventually("the resource is made", LONG, || {
            lab.try_apply(&crate::lab::resource(name, "{}"), &[])
        });
    }
    for name in &names {
        eventually(&format!("{name} is ready"), LONG, || {
            let path = r#"jsonpath={.status.conditions[?(@.type=="Ready")].status}"#;
            let ready = lab.try_kubectl(&["get", "ldp", "-n", "fia", name, "-o", path])?;
            if ready == "True" { Ok(()) } else { Err(ready) }
        });
    }
    let pulses = slow.pulses.load(Ordering::SeqCst);
    drop(slow);
    let rate = lab.requests_since(mark).len() as f64 / started.elapsed().as_secs_f64().max(1.0);
    println!(
        "with a slow etcd: ready after {:.1} s, {pulses} pulses, {rate:.0} requests a second",
        started.elapsed().as_secs_f64()
    );
    assert!(pulses > 3, "etcd was frozen {pulses} times only");
    assert!(rate < 200.0, "{rate}");
    // The worker's Deployment is unchanged.
    assert_eq!(worker()["metadata"]["generation"], generation);
    lab.wait_ready("slow-before");
    lab.delete("slow-before");
    for name in &names {
        lab.delete(name);
    }
    operator.stop();
}
