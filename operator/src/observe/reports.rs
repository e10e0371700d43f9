//! Newest report of each worker, and the one that represents a resource.
//!
//! Promises: a report never decides whether a worker is ready; of several workers of a resource the writer's report is
//! used, else a ready one's, else the newest pod's.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;

use super::pods::WorkerPod;
use super::report_summary::ReportSummary;
use crate::names::WORKER_PORT;

/// Consecutive failed polls after which a worker's report counts as missing.
const MAX_FAILURES: u32 = 3;

/// State of the report that represents a resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ReportState {
    /// No pod runs.
    #[default]
    NoWorker,
    /// A pod runs; no report and fewer than three failed polls so far.
    NotPolled,
    /// A pod runs and three polls in a row have failed; the message names pod and error.
    Missing(String),
    /// Newest report, at most two failed polls old.
    Fresh(Arc<ReportSummary>),
}

/// Newest report and failed polls of each worker, by the pod's UID.
#[derive(Debug, Default)]
pub struct WorkerReports {
    by_pod_uid: Mutex<HashMap<String, PollRecord>>,
}

/// Result of the polls of one pod.
#[derive(Clone, Debug, Default)]
struct PollRecord {
    report: Option<Arc<ReportSummary>>,
    /// Failed polls since the last report.
    failures: u32,
    /// Error of the poll that made the report count as missing.
    error: String,
}

impl PollRecord {
    fn is_missing(&self) -> bool {
        self.failures >= MAX_FAILURES
    }
}

impl WorkerReports {
    /// State of the report of a resource with these pods, oldest first.
    pub fn of_pods(&self, pods: &[Arc<WorkerPod>]) -> ReportState {
        let records = self.by_pod_uid.lock();
        let running: Vec<&Arc<WorkerPod>> = pods
            .iter()
            .filter(|pod| pod.running && pod.address.is_some() && !pod.deleting)
            .collect();
        if running.is_empty() {
            return ReportState::NoWorker;
        }
        let fresh = running
            .iter()
            .filter_map(|pod| {
                let record = records.get(&pod.uid).filter(|record| !record.is_missing())?;
                Some((pod, record.report.clone()?))
            })
            .max_by_key(|(pod, report)| (report.writer, report.ready, pod.ready));
        if let Some((_, report)) = fresh {
            return ReportState::Fresh(report);
        }
        let missing = running.iter().rev().find_map(|pod| {
            let record = records.get(&pod.uid).filter(|record| record.is_missing())?;
            Some(format!(
                "the pod {} does not answer on port {WORKER_PORT}: {}",
                pod.name, record.error
            ))
        });
        missing.map_or(ReportState::NotPolled, ReportState::Missing)
    }

    /// Records the result of a poll; true if the resource's status may have to change.
    pub(super) fn record(&self, uid: &str, answer: Result<ReportSummary, String>) -> bool {
        let mut records = self.by_pod_uid.lock();
        let record = records.entry(uid.to_owned()).or_default();
        match answer {
            Ok(report) => {
                let changed = record.is_missing() || record.report.as_deref() != Some(&report);
                *record = PollRecord {
                    report: Some(Arc::new(report)),
                    ..PollRecord::default()
                };
                changed
            }
            Err(error) => {
                record.failures = record.failures.saturating_add(1);
                let newly_missing = record.failures == MAX_FAILURES;
                if newly_missing {
                    record.error = error;
                }
                newly_missing
            }
        }
    }

    /// Removes the records of all other pods.
    pub(super) fn retain(&self, pods: &[Arc<WorkerPod>]) {
        let known: HashSet<&str> = pods.iter().map(|pod| pod.uid.as_str()).collect();
        self.by_pod_uid.lock().retain(|uid, _| known.contains(uid.as_str()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn pod(uid: &str, ready: bool) -> Arc<WorkerPod> {
        Arc::new(WorkerPod {
            uid: uid.into(),
            name: uid.into(),
            running: true,
            ready,
            address: Some("127.0.0.1".into()),
            ..WorkerPod::default()
        })
    }

    #[test]
    fn the_writer_speaks_for_the_resource() {
        let reports = WorkerReports::default();
        let pods = [pod("old", true), pod("new", true)];
        assert_eq!(reports.of_pods(&pods), ReportState::NotPolled);
        reports.record(
            "old",
            Ok(ReportSummary {
                engine: "old".into(),
                writer: true,
                ..ReportSummary::default()
            }),
        );
        reports.record(
            "new",
            Ok(ReportSummary {
                engine: "new".into(),
                ..ReportSummary::default()
            }),
        );
        let ReportState::Fresh(report) = reports.of_pods(&pods) else {
            panic!("no report")
        };
        assert_eq!(report.engine, "old");
        assert_eq!(reports.of_pods(&[]), ReportState::NoWorker);
    }

    #[test]
    fn a_worker_is_missing_after_three_failures_and_told_once() {
        let reports = WorkerReports::default();
        let pods = [pod("p", true)];
        let changed: Vec<bool> = (0..5)
            .map(|_| reports.record("p", Err("the connection is refused".into())))
            .collect();
        assert_eq!(changed, [false, false, true, false, false]);
        assert!(matches!(reports.of_pods(&pods), ReportState::Missing(message) if message.contains("refused")));
        assert!(reports.record("p", Ok(ReportSummary::default())));
        assert!(!reports.record("p", Ok(ReportSummary::default())));
    }
}
