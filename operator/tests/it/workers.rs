//! Workers' reports in the resources' status. A small HTTP server at each pod's address replaces the worker and returns
//! the report of the test; `streams` has real workers.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use live_data_crd::WorkerReport;
use live_data_crd::report::{RunReport, ScriptReport};
use serde_json::Value;

use crate::lab::{LONG, Lab, condition, eventually, turn};

/// HTTP servers at the pods' addresses.
pub struct Workers {
    report: Arc<Mutex<WorkerReport>>,
    requests: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    addresses: Vec<String>,
}

impl Workers {
    /// Serves a report for the running pods of these resources.
    pub fn serve(lab: &Lab, names: &[&str]) -> Self {
        let mut workers = Self {
            report: Arc::new(Mutex::new(report("71617", 1000))),
            requests: Arc::default(),
            ends: Arc::default(),
            addresses: Vec::new(),
        };
        for (_, address) in addresses(lab, names) {
            workers.listen(&address);
        }
        workers
    }

    fn listen(&mut self, address: &str) {
        let listener = TcpListener::bind((address, 8080)).unwrap_or_else(|error| panic!("{address}:8080: {error}"));
        self.addresses.push(address.to_owned());
        let (report, requests) = (self.report.clone(), self.requests.clone());
        let ends = self.ends.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                requests.fetch_add(1, Ordering::SeqCst);
                answer(stream, &report.lock().unwrap());
            }
        });
    }

    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    pub fn set(&self, report: WorkerReport) {
        *self.report.lock().unwrap() = report;
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        for address in &self.addresses {
            // Wakes the listener, which ends when it is stopped.
            let _ = TcpStream::connect((address.as_str(), 8080));
        }
    }
}

fn answer(mut stream: TcpStream, report: &WorkerReport) {
    let mut request = [0; 2048];
    let _ = stream.read(&mut request);
    let body = serde_json::to_string(report).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + &body).as_bytes());
}

/// GET over a plain connection.
pub fn http_get(address: &str, path: &str) -> Result<String, String> {
    let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nhost: test\r\n\r\n").map_err(|error| error.to_string())?;
    let mut text = String::new();
    stream.read_to_string(&mut text).map_err(|error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    if head.lines().next().unwrap_or_default().contains(" 200 ") {
        Ok(body.to_owned())
    } else {
        Err(head.to_owned())
    }
}

/// Address of the running pod of each resource.
fn addresses(lab: &Lab, names: &[&str]) -> HashMap<String, String> {
    eventually("every pod has an address", LONG, || {
        let found: HashMap<String, String> = lab
            .list(&["pods", "-n", "fia", "-l", "app.kubernetes.io/name=live-data-worker"])
            .iter()
            .filter(|pod| pod["metadata"]["deletionTimestamp"].is_null())
            .filter_map(|pod| {
                let name = pod["metadata"]["labels"]["app.kubernetes.io/instance"].as_str()?;
                names.contains(&name).then_some(())?;
                Some((name.to_owned(), pod["status"]["podIP"].as_str()?.to_owned()))
            })
            .collect();
        if found.len() == names.len() {
            Ok(found)
        } else {
            Err(format!("{} of {}", found.len(), names.len()))
        }
    })
}

/// Report of a healthy worker.
pub fn report(run: &str, events: u64) -> WorkerReport {
    WorkerReport {
        instrument: "X".into(),
        engine: "native".into(),
        ready: true,
        writer: true,
        run: Some(RunReport {
            number: run.into(),
            start_time: Some("2026-03-01T06:00:00Z".into()),
            events,
            ..RunReport::default()
        }),
        rate: 12_345.6,
        lag_seconds: Some(0.42),
        script: ScriptReport {
            hash: Some("abc".into()),
            last_run: Some("2026-03-01T06:05:00Z".into()),
            last_duration: Some(1.5),
            ..ScriptReport::default()
        },
        ..WorkerReport::default()
    }
}

#[test]
fn a_missing_or_complaining_worker_is_degraded_and_still_ready() {
    let (_turn, lab) = turn();
    let operator = lab.operator();
    lab.create("reports", "{}");
    lab.wait_ready("reports");
    let resource = lab.wait_for("reports", "Degraded", "True", "NoReport");
    assert_eq!(condition(&resource, "Ready")["status"], "True");

    let workers = Workers::serve(lab, &["reports"]);
    lab.wait_for("reports", "Degraded", "False", "AsExpected");
    let mut failing = report("71617", 1000);
    failing.script.last_error = Some(format!("{}\nValueError: no such workspace", "x".repeat(5000)));
    workers.set(failing);
    let resource = lab.wait_for("reports", "Degraded", "True", "ScriptFailed");
    assert_eq!(resource["status"]["script"]["state"], "Failed");
    let error = resource["status"]["script"]["lastError"].as_str().unwrap();
    assert!(error.len() <= 1024 && error.ends_with("no such workspace"), "{error}");
    let mut late = report("71617", 1000);
    late.lag_seconds = Some(400.0);
    workers.set(late);
    let resource = lab.wait_for("reports", "Degraded", "True", "Lagging");
    assert_eq!(condition(&resource, "Ready")["status"], "True");
    drop(workers);
    let resource = lab.wait_for("reports", "Degraded", "True", "NoReport");
    assert_eq!(resource["status"]["run"]["number"], "71617");
    assert_eq!(resource["status"]["rate"], Value::Null);
    lab.delete("reports");
    operator.stop();
}
