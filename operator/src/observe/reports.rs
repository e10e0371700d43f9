//! The workers' own reports, asked for at the pods' addresses.
//!
//! Promises: at most [`CONCURRENT`] requests at a time and about [`PER_SECOND`] a second however many workers there
//! are; each is bounded in time and size; a report is believed for what it shows, never for whether the worker is
//! ready. It keeps of a report only what the status shows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use live_data_crd::WorkerReport;
use live_data_crd::report::Degradation;
use parking_lot::Mutex;

use super::pods::{PodSeen, Pods};
use crate::metrics::Metrics;
use crate::names::WORKER_PORT;

/// Requests at a time.
pub const CONCURRENT: usize = 16;
/// Requests a second, at most; few workers are asked every [`INTERVAL`].
pub const PER_SECOND: u32 = 100;
/// Time between two requests to a worker, unless there are too many workers.
pub const INTERVAL: Duration = Duration::from_secs(3);
/// A worker that does not answer this often is missing.
const PATIENCE: u32 = 3;
const TIMEOUT: Duration = Duration::from_secs(2);
const LARGEST: usize = 4 << 20;

/// What is known of the report of a resource's worker.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReportState {
    /// No pod runs.
    #[default]
    NoWorker,
    /// A pod runs and has not been asked often enough to tell.
    NotPolled,
    /// A pod runs and does not answer.
    Missing(String),
    /// What it says.
    Fresh(Arc<ReportSeen>),
}

/// What the status shows of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportSeen {
    /// The engine that runs the script.
    pub engine: String,
    /// Whether this worker executes scripts.
    pub writer: bool,
    /// Whether it has caught up.
    pub ready: bool,
    /// The run's name, first pulse and events.
    pub run: Option<(String, Option<String>, i64)>,
    /// Events per second, to three digits.
    pub rate: i64,
    /// Seconds behind the stream, to a tenth.
    pub lag_seconds: Option<f64>,
    /// Hash of the script.
    pub script_hash: Option<String>,
    /// When it was last executed.
    pub script_last_run: Option<String>,
    /// How long that took.
    pub script_last_duration: Option<f64>,
    /// How it failed.
    pub script_last_error: Option<String>,
    /// What is wrong, by the worker's own account.
    pub degraded: Vec<Degradation>,
}

/// Longest name, hash or time that is kept of a report. A longer one is no worker's of ours, and the status has its limits.
const LONGEST: usize = 256;
/// Longest text of an error or a degradation; of an error the end says what happened.
const LONGEST_TEXT: usize = 4096;

fn beginning(mut text: String, longest: usize) -> String {
    let mut end = longest.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn end(text: String) -> String {
    let mut start = text.len().saturating_sub(LONGEST_TEXT);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.get(start..).unwrap_or_default().to_owned()
}

impl From<WorkerReport> for ReportSeen {
    fn from(report: WorkerReport) -> Self {
        let short = |text| beginning(text, LONGEST);
        Self {
            engine: short(report.engine),
            writer: report.writer,
            ready: report.ready,
            run: report.run.filter(|run| !run.number.is_empty()).map(|run| {
                (
                    short(run.number),
                    run.start_time.map(short),
                    i64::try_from(run.events).unwrap_or(i64::MAX),
                )
            }),
            rate: three_digits(report.rate),
            lag_seconds: report
                .lag_seconds
                .filter(|lag| lag.is_finite())
                .map(|lag| (lag * 10.0).round() / 10.0),
            script_hash: report.script.hash.map(short),
            script_last_run: report.script.last_run.map(short),
            script_last_duration: report
                .script
                .last_duration
                .filter(|duration| duration.is_finite())
                .map(|duration| (duration * 1000.0).round() / 1000.0),
            script_last_error: report.script.last_error.map(end),
            degraded: report
                .degraded
                .into_iter()
                .take(8)
                .map(|found| Degradation {
                    reason: short(found.reason),
                    message: beginning(found.message, LONGEST_TEXT),
                })
                .collect(),
        }
    }
}

/// The rate to three significant digits: the rest is noise, and each change is a write.
fn three_digits(rate: f64) -> i64 {
    if !rate.is_finite() || rate < 0.5 {
        return 0;
    }
    let unit = 10_f64.powf(rate.log10().floor() - 2.0).max(1.0);
    // Saturates where a rate would not fit.
    #[allow(clippy::cast_possible_truncation)]
    let rounded = ((rate / unit).round() * unit) as i64;
    rounded
}

/// All workers' reports, by the pods' UIDs.
#[derive(Debug, Default)]
pub struct Reports {
    entries: Mutex<HashMap<String, Entry>>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    report: Option<Arc<ReportSeen>>,
    failures: u32,
    error: String,
}

impl Reports {
    /// What is known of the worker with these pods: of the one that writes, else that is ready, else the newest.
    pub fn of(&self, pods: &[Arc<PodSeen>]) -> ReportState {
        let entries = self.entries.lock();
        let running: Vec<&Arc<PodSeen>> = pods
            .iter()
            .filter(|pod| pod.running && pod.address.is_some() && !pod.deleting)
            .collect();
        if running.is_empty() {
            return ReportState::NoWorker;
        }
        let fresh = running
            .iter()
            .filter_map(|pod| {
                entries
                    .get(&pod.uid)
                    .filter(|entry| entry.failures < PATIENCE)
                    .map(|entry| (pod, entry))
            })
            .filter_map(|(pod, entry)| entry.report.clone().map(|report| (pod, report)))
            .max_by_key(|(pod, report)| (report.writer, report.ready, pod.ready));
        if let Some((_, report)) = fresh {
            return ReportState::Fresh(report);
        }
        let lost = running.iter().rev().find_map(|pod| {
            entries
                .get(&pod.uid)
                .filter(|entry| entry.failures >= PATIENCE)
                .map(|entry| {
                    format!(
                        "the pod {} does not answer on port {WORKER_PORT}: {}",
                        pod.name, entry.error
                    )
                })
        });
        lost.map_or(ReportState::NotPolled, ReportState::Missing)
    }

    /// Takes in an answer; tells whether the status may have to change.
    fn put(&self, uid: &str, answer: Result<ReportSeen, String>) -> bool {
        let mut entries = self.entries.lock();
        let entry = entries.entry(uid.to_owned()).or_default();
        match answer {
            Ok(report) => {
                let changed = entry.failures >= PATIENCE || entry.report.as_deref() != Some(&report);
                *entry = Entry {
                    report: Some(Arc::new(report)),
                    ..Entry::default()
                };
                changed
            }
            Err(error) => {
                entry.failures = entry.failures.saturating_add(1);
                if entry.failures == PATIENCE {
                    entry.error = error;
                }
                entry.failures == PATIENCE
            }
        }
    }

    fn retain(&self, pods: &[Arc<PodSeen>]) {
        let known: std::collections::HashSet<&str> = pods.iter().map(|pod| pod.uid.as_str()).collect();
        self.entries.lock().retain(|uid, _| known.contains(uid.as_str()));
    }
}

/// Asks every worker again and again, and tells of each resource (namespace, name) whose report has changed. Never
/// returns.
pub async fn poll(
    http: &reqwest::Client,
    pods: &Pods,
    reports: &Reports,
    metrics: &Metrics,
    mut tell: impl FnMut(&str, &str),
) {
    loop {
        let started = tokio::time::Instant::now();
        let all = pods.to_poll();
        reports.retain(&all);
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let round = INTERVAL.max(Duration::from_secs(1).saturating_mul(count) / PER_SECOND);
        let mut answers = futures::stream::iter(all)
            .map(|pod| async move {
                let answer = ask(http, pod.address.as_deref().unwrap_or_default()).await;
                (pod, answer)
            })
            .buffer_unordered(CONCURRENT);
        while let Some((pod, answer)) = answers.next().await {
            metrics.polled(answer.is_ok());
            if reports.put(&pod.uid, answer) {
                tell(&pod.namespace, &pod.resource);
            }
        }
        tokio::time::sleep_until(started + round).await;
    }
}

/// The client that workers are asked with: straight to the pod, no proxy, no redirect, no connection kept.
///
/// # Errors
/// When the client cannot be made.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(0)
        .http1_only()
        .build()
}

async fn ask(http: &reqwest::Client, address: &str) -> Result<ReportSeen, String> {
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let failed = |error: reqwest::Error| {
        // Stable words: the text ends up in a condition.
        if error.is_timeout() {
            format!("no answer within {} s", TIMEOUT.as_secs())
        } else if error.is_connect() {
            "the connection is refused".to_owned()
        } else {
            "the connection broke".to_owned()
        }
    };
    let mut response = http
        .get(format!("http://{host}:{WORKER_PORT}/status"))
        .send()
        .await
        .map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("/status answers {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(format!("/status is longer than {LARGEST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice::<WorkerReport>(&body)
        .map(ReportSeen::from)
        .map_err(|error| format!("/status cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn pod(uid: &str, ready: bool) -> Arc<PodSeen> {
        Arc::new(PodSeen {
            uid: uid.into(),
            name: uid.into(),
            running: true,
            ready,
            address: Some("127.0.0.1".into()),
            ..PodSeen::default()
        })
    }

    #[test]
    fn rates_are_shown_to_three_digits() {
        assert_eq!(three_digits(1_234_567.0), 1_230_000);
        assert_eq!(three_digits(42.4), 42);
        assert_eq!(three_digits(0.2), 0);
        assert_eq!(three_digits(f64::NAN), 0);
        assert_eq!(three_digits(f64::MAX), i64::MAX);
    }

    #[test]
    fn a_report_that_is_out_of_bounds_is_cut_to_what_a_status_takes() {
        let mut report = WorkerReport::default();
        report.run = Some(live_data_crd::report::RunReport {
            number: "é".repeat(1 << 20),
            ..Default::default()
        });
        report.script.last_error = Some(format!("{}é the end", "é".repeat(1 << 20)));
        report.degraded = vec![
            Degradation {
                reason: "r".repeat(10_000),
                message: "é".repeat(10_000),
            };
            100
        ];
        let seen = ReportSeen::from(report);
        assert!(seen.run.unwrap().0.len() <= LONGEST);
        let error = seen.script_last_error.unwrap();
        assert!(error.len() <= LONGEST_TEXT && error.ends_with("the end"));
        let size: usize = seen.degraded.iter().map(|found| found.message.len()).sum();
        assert!(seen.degraded.len() == 8 && size <= 8 * LONGEST_TEXT);
    }

    #[test]
    fn the_writer_speaks_for_the_resource() {
        let reports = Reports::default();
        let pods = [pod("old", true), pod("new", true)];
        assert_eq!(reports.of(&pods), ReportState::NotPolled);
        reports.put(
            "old",
            Ok(ReportSeen {
                engine: "old".into(),
                writer: true,
                ..ReportSeen::default()
            }),
        );
        reports.put(
            "new",
            Ok(ReportSeen {
                engine: "new".into(),
                ..ReportSeen::default()
            }),
        );
        let ReportState::Fresh(report) = reports.of(&pods) else {
            panic!("no report")
        };
        assert_eq!(report.engine, "old");
        assert_eq!(reports.of(&[]), ReportState::NoWorker);
    }

    #[test]
    fn a_worker_is_missing_after_three_failures_and_told_once() {
        let reports = Reports::default();
        let pods = [pod("p", true)];
        let told: Vec<bool> = (0..5)
            .map(|_| reports.put("p", Err("the connection is refused".into())))
            .collect();
        assert_eq!(told, [false, false, true, false, false]);
        assert!(matches!(reports.of(&pods), ReportState::Missing(message) if message.contains("refused")));
        assert!(reports.put("p", Ok(ReportSeen::default())));
        assert!(!reports.put("p", Ok(ReportSeen::default())));
    }
}
