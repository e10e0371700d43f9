//! Poll of the workers' `/status` at the pods' addresses.
//!
//! Promises: at most [`CONCURRENT`] requests at a time and [`PER_SECOND`] a second, for any number of workers; each request
//! is bounded in time and each answer in bytes. Texts of errors do not vary from poll to poll, because they become messages
//! of conditions.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use live_data_crd::WorkerReport;

use super::pods::{WorkerPod, WorkerPods};
use super::report_summary::ReportSummary;
use super::reports::WorkerReports;
use crate::metrics::Metrics;
use crate::names::WORKER_PORT;

/// Most requests at a time.
pub const CONCURRENT: usize = 16;
/// Most requests a second, on average over a round.
pub const PER_SECOND: u32 = 100;
/// Shortest time between two requests to a worker.
pub const INTERVAL: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(2);
const MAX_ANSWER_BYTES: usize = 4 << 20;

/// Polls every worker in rounds at least [`INTERVAL`] apart; calls `notify` with each pod whose report has changed. Never
/// returns.
pub async fn poll(
    http: &reqwest::Client,
    pods: &WorkerPods,
    reports: &WorkerReports,
    metrics: &Metrics,
    mut notify: impl FnMut(&WorkerPod),
) {
    loop {
        let started = tokio::time::Instant::now();
        let pollable = pods.pollable();
        reports.retain(&pollable);
        let count = u32::try_from(pollable.len()).unwrap_or(u32::MAX);
        let round = INTERVAL.max(Duration::from_secs(1).saturating_mul(count) / PER_SECOND);
        let mut answers = futures::stream::iter(pollable)
            .map(|pod: Arc<WorkerPod>| async move {
                let answer = request(http, pod.address.as_deref().unwrap_or_default()).await;
                (pod, answer)
            })
            .buffer_unordered(CONCURRENT);
        while let Some((pod, answer)) = answers.next().await {
            metrics.record_poll(answer.is_ok());
            if reports.record(&pod.uid, answer) {
                notify(&pod);
            }
        }
        tokio::time::sleep_until(started + round).await;
    }
}

/// HTTP client of the poll: no proxy, no redirect, no connection kept between requests.
///
/// # Errors
/// [`reqwest::Error`] if the TLS backend or the resolver cannot be set up.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(0)
        .http1_only()
        .build()
}

async fn request(http: &reqwest::Client, address: &str) -> Result<ReportSummary, String> {
    let host = if address.contains(':') {
        format!("[{address}]")
    } else {
        address.to_owned()
    };
    let mut response = http
        .get(format!("http://{host}:{WORKER_PORT}/status"))
        .send()
        .await
        .map_err(|error| message(&error))?;
    if !response.status().is_success() {
        return Err(format!("/status answers {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| message(&error))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("/status is longer than {MAX_ANSWER_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice::<WorkerReport>(&body)
        .map(ReportSummary::from)
        .map_err(|error| format!("/status cannot be read: {error}"))
}

/// Text without the address and the operating system's wording, because it becomes a condition's message.
fn message(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        format!("no answer within {} s", TIMEOUT.as_secs())
    } else if error.is_connect() {
        "the connection is refused".to_owned()
    } else {
        "the connection broke".to_owned()
    }
}
