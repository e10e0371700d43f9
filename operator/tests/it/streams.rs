//! Columns of `kubectl get ldp` for forty real workers on forty real streams, and their delay.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use live_data_crd::WorkerReport;
use serde_json::Value;

use crate::lab::{LONG, Lab, eventually, resource, turn};
use crate::processes::{Kafka, Process, fia_api, run_pod, simulate};
use crate::workers::{Workers, http_get};

const COUNT: u32 = 40;
/// Events a second of each stream, and seconds of each run.
const RATE: u32 = 1000;
const RUN_SECONDS: u32 = 45;
/// Longest delay from a change to the columns.
const SOON: Duration = Duration::from_secs(10);

const SCRIPT: &str = "def execute():\n    print('executed')\n";

/// Columns of `kubectl get ldp` for one resource.
#[derive(Debug)]
struct Row {
    run: u32,
    events: u64,
    rate: f64,
    lag: f64,
    script: String,
}

/// Columns by resource, of resources with all columns filled.
fn rows(lab: &Lab) -> HashMap<String, Row> {
    let table = lab.kubectl(&["get", "ldp", "-n", "fia", "--no-headers"]);
    table
        .lines()
        .filter_map(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let [name, _instrument, _ready, run, events, rate, lag, script, _age] = columns[..] else {
                return None;
            };
            let row = Row {
                run: run.parse().ok()?,
                events: events.parse().ok()?,
                rate: rate.parse().ok()?,
                lag: lag.parse().ok()?,
                script: script.to_owned(),
            };
            Some((name.to_owned(), row))
        })
        .collect()
}

/// Report of the worker itself, from its `/status`.
fn report(pod: &Value) -> WorkerReport {
    let address = format!("{}:8080", pod["status"]["podIP"].as_str().unwrap());
    let text = eventually(&format!("{address} answers"), LONG, || http_get(&address, "/status"));
    serde_json::from_str(&text).unwrap()
}

/// Time until the columns show the workers' present reports or later ones; panics after [`SOON`].
fn follows(lab: &Lab, pods: &HashMap<String, Value>) -> Duration {
    let said: HashMap<&String, (u32, u64)> = pods
        .iter()
        .map(|(name, pod)| {
            let run = report(pod).run.unwrap();
            (name, (run.number.parse().unwrap(), run.events))
        })
        .collect();
    let started = Instant::now();
    eventually("the columns show what the workers said", LONG, || {
        let shown = rows(lab);
        let behind: Vec<String> = said
            .iter()
            .filter(|(name, said)| shown.get(**name).is_none_or(|row| (row.run, row.events) < **said))
            .map(|(name, said)| format!("{name}: said {said:?}, shown {:?}", shown.get(*name)))
            .collect();
        if behind.is_empty() {
            Ok(())
        } else {
            Err(behind.join("; "))
        }
    });
    started.elapsed()
}

/// Times from the first pulse of each worker's next run, by the producer's clock, to its number in the columns.
fn next_runs(lab: &Lab, names: &[String]) -> Vec<Duration> {
    let before = rows(lab);
    let mut took = HashMap::new();
    eventually("every worker has come to its next run", LONG, || {
        let resources = lab.list(&["ldp", "-n", "fia"]);
        let now = Timestamp::now();
        for resource in &resources {
            let name = resource["metadata"]["name"].as_str().unwrap();
            let run = &resource["status"]["run"];
            let number: u32 = run["number"]
                .as_str()
                .and_then(|number| number.parse().ok())
                .unwrap_or(0);
            if before.get(name).is_some_and(|row| number > row.run) && !took.contains_key(name) {
                let start: Timestamp = run["startTime"].as_str().unwrap().parse().unwrap();
                took.insert(name.to_owned(), Duration::try_from(now.duration_since(start)).unwrap());
            }
        }
        if took.len() == names.len() {
            Ok(())
        } else {
            Err(format!("{} of {}", took.len(), names.len()))
        }
    });
    took.into_values().collect()
}

fn pods(lab: &Lab, names: &[String]) -> HashMap<String, Value> {
    eventually("every pod has an address", LONG, || {
        let found: HashMap<String, Value> = lab
            .list(&["pods", "-n", "fia", "-l", "app.kubernetes.io/name=live-data-worker"])
            .into_iter()
            .filter(|pod| pod["status"]["podIP"].is_string())
            .filter_map(|pod| {
                let name = pod["metadata"]["labels"]["app.kubernetes.io/instance"]
                    .as_str()?
                    .to_owned();
                names.contains(&name).then_some((name, pod))
            })
            .collect();
        if found.len() == names.len() {
            Ok(found)
        } else {
            Err(format!("{} of {}", found.len(), names.len()))
        }
    })
}

fn sum_of(page: &str, metric: &str) -> f64 {
    page.lines()
        .filter(|line| line.starts_with(metric))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
        .sum()
}

#[test]
#[ignore = "minutes, forty workers on two cores: ci/test --full"]
fn the_columns_follow_forty_real_workers_within_ten_seconds() {
    let (_turn, lab) = turn();
    let folder = lab.folder.join("streams");
    let kafka = Kafka::start(lab.folder.join("streams-kafka"));
    let api = fia_api(SCRIPT);
    let operator = lab.operator_with(
        "operator-0",
        &[
            ("KAFKA_BOOTSTRAP_SERVERS", &kafka.bootstrap),
            ("FIA_API_URL", &api),
            ("VALKEY_HOST", ""),
            ("VALKEY_PORT", ""),
        ],
    );
    let names: Vec<String> = (0..COUNT).map(|index| format!("real-{index}")).collect();
    let all: String = names.iter().map(|name| resource(name, "{}")).collect();
    lab.apply(&all);
    // One more resource, whose requests the audit log counts.
    lab.create("counted", "{}");
    let pods = pods(lab, &names);
    let counted = Workers::serve(lab, &["counted"]);
    let own = |name: &str| folder.join(name);
    let _streams: Vec<Process> = (0..COUNT)
        .zip(&names)
        .map(|(index, name)| {
            let instrument = name.to_uppercase();
            simulate(&instrument, &kafka.bootstrap, RATE, RUN_SECONDS, index, &own(name))
        })
        .collect();
    let mut workers: Vec<Process> = names.iter().map(|name| run_pod(&pods[name], &own(name))).collect();

    eventually("the columns of all workers are filled", LONG, || {
        for (worker, name) in workers.iter_mut().zip(&names) {
            assert_eq!(worker.ended(), None, "{}", tail(&own(name).join("log")));
        }
        let shown = rows(lab);
        let of_real: Vec<_> = names.iter().filter_map(|name| shown.get(name)).collect();
        let filled = of_real
            .iter()
            .filter(|row| row.script == "Succeeded" && row.rate > 0.0)
            .count();
        if filled == names.len() {
            Ok(())
        } else {
            Err(format!("{filled} of {}, such as {:?}", names.len(), of_real.first()))
        }
    });
    let (begun, mark) = (Instant::now(), lab.audit_mark());
    let (polled, seen) = (operator.page("/metrics").unwrap(), counted.requests());

    for _ in 0..2 {
        let took = follows(lab, &pods);
        println!(
            "40 real workers: what they said is shown {:.1} s later",
            took.as_secs_f64()
        );
        assert!(took < SOON, "{took:?}");
    }
    let took = next_runs(lab, &names);
    let (slowest, all) = (took.iter().max().unwrap(), took.iter().sum::<Duration>());
    println!(
        "40 real workers: a run is shown {:.1} s after its first pulse, at most {:.1} s",
        all.as_secs_f64() / took.len() as f64,
        slowest.as_secs_f64()
    );
    assert!(*slowest < SOON, "{slowest:?}");
    for (name, row) in rows(lab).iter().filter(|(name, _)| names.contains(name)) {
        let rate = f64::from(RATE);
        assert!((0.3 * rate..2.0 * rate).contains(&row.rate), "{name}: {row:?}");
        assert!((0.0..10.0).contains(&row.lag), "{name}: {row:?}");
    }

    let seconds = begun.elapsed().as_secs_f64();
    let polls = sum_of(
        &operator.page("/metrics").unwrap(),
        "live_data_operator_worker_polls_total",
    ) - sum_of(&polled, "live_data_operator_worker_polls_total");
    let from_without = (counted.requests() - seen) as f64 / seconds;
    let writes = lab.requests_since(mark).len() as f64 / seconds;
    println!(
        "41 workers: {:.1} requests a second to all, {from_without:.2} to one, {writes:.1} to the apiserver",
        polls / seconds
    );
    assert!(polls / seconds < 20.0, "{polls} polls in {seconds} s");
    assert!(
        (0.1..0.5).contains(&from_without),
        "{from_without} requests a second to one worker"
    );
    assert!(writes < 20.0, "{writes} requests a second to the apiserver");
    lab.kubectl(&["delete", "ldp", "-n", "fia", "--all", "--wait=false"]);
    for name in &names {
        lab.wait_nothing_left(name);
    }
    operator.stop();
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
