//! The worker's `/status` document, read by the operator and the page.
//!
//! Promises: camelCase JSON. Every field has a default and unknown fields are ignored: a worker and an operator may have
//! different versions. No field holds a secret. Must not: draw conclusions; the operator's `status` does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::reason::WorkerReason;

/// Whole `/status` document of one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct WorkerReport {
    /// Instrument whose topics are read, as in `<INSTRUMENT>_events`.
    pub instrument: String,
    /// Semantic version of the worker program.
    pub version: String,
    /// Engine that runs the scripts: `native` or `mantid`.
    pub engine: String,
    /// Meaning of an event's id in this stream: `spectrum` or `detector`; empty until it is known.
    pub event_ids: String,
    /// True once every partition has reached the high watermark that was read at the start; stays true.
    pub ready: bool,
    /// True while this worker holds the writer's lease in OUTPUT_DIR; only the holder executes scripts.
    pub writer: bool,
    /// Newest run of the timeline, open or ended; absent before the first run start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReport>,
    /// Newest run whose final execution has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_completed_run: Option<CompletedRun>,
    /// Names of runs that ended while no worker ran and are not executed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_runs: Vec<String>,
    /// Events ingested per second, averaged over the last few seconds.
    pub rate: f64,
    /// Seconds between the newest event that was read and the newest in the topic; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Partitions that are read, in order of topic and number.
    pub partitions: Vec<PartitionReport>,
    /// Reduction script and its last execution.
    pub script: ScriptReport,
    /// StartLiveData monitors that run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monitors: Vec<MonitorReport>,
    /// Workspaces of the analysis data service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workspaces: Vec<WorkspaceReport>,
    /// Number of records and events that were refused, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Memory of the process.
    pub memory: MemoryReport,
    /// Problems that the worker works around, in order of their reasons; empty if there are none.
    pub degraded: Vec<Degradation>,
    /// Start of the worker, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
}

/// Newest run of the timeline.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct RunReport {
    /// Name of the run as the stream has it; digits for an ordinary run.
    pub number: String,
    /// Title of the run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// First pulse time, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// End of the run in pulse time, RFC 3339 in UTC; absent while the run is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<String>,
    /// Events in the run, including those that memory has no room for.
    pub events: u64,
    pub pulses: u64,
    /// Proton charge of the pulses that are not vetoed, in µA·h.
    pub proton_charge: f64,
    /// Seconds from the run's start that Kafka had already removed when the worker read the topic.
    pub missing_seconds: f64,
    /// Number of periods; absent if the stream states none.
    #[serde(skip_serializing_if = "is_zero")]
    pub periods: u32,
}

/// Run whose final execution has ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct CompletedRun {
    /// Name of the run.
    pub number: String,
    /// End of the final execution, RFC 3339 in UTC.
    pub finished: String,
    /// Error of the final execution, if it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Position of the worker in one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct PartitionReport {
    pub topic: String,
    pub partition: i32,
    /// Offset of the next record to be read.
    pub offset: i64,
    /// Records from that offset to the high watermark.
    pub lag: i64,
}

/// Reduction script and its last execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct ScriptReport {
    /// SHA-256 of the script's text, hexadecimal; absent without a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Source of the script: a URL or a path.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// True while `execute()` runs.
    pub running: bool,
    /// Start of the last execution, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// Duration of the last execution in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_duration: Option<f64>,
    /// Traceback of the last execution, or the error of fetching or loading the script; absent after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Time at which the next execution is due, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Executions since the worker's start.
    pub runs: u64,
    /// Failed executions since the worker's start.
    pub failures: u64,
    /// Names of threads that the script started and that outlived `execute()`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<String>,
}

/// StartLiveData monitor, from its start to its end.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct MonitorReport {
    /// Workspace of the results.
    pub output_workspace: String,
    /// Workspace that chunks are accumulated in; empty if it is the output workspace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub accumulation_workspace: String,
    /// Seconds between chunks.
    pub update_every: f64,
    /// Chunks processed since the monitor's start.
    pub chunks: u64,
    /// Newest pulse time that was processed, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_time_stamp: Option<String>,
    /// Error of the last chunk; absent after a success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// Workspace of the analysis data service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct WorkspaceReport {
    /// Name in the service.
    pub name: String,
    /// Mantid's name of the type, such as `EventWorkspace`.
    #[serde(rename = "type")]
    pub kind: String,
    pub spectra: u64,
    /// Number of bins of the first spectrum.
    pub bins: u64,
    /// Number of events; absent for other than event workspaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// Bytes that only this workspace references; data shared with other workspaces do not count.
    pub memory_bytes: u64,
}

/// Memory of the worker's process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct MemoryReport {
    /// Bytes of the events in memory.
    pub event_bytes: u64,
    /// Resident set size in bytes.
    pub rss_bytes: u64,
    /// Memory limit in bytes that the worker observes; 0 if there is none.
    pub limit_bytes: u64,
    /// Number of events in memory.
    pub events_kept: u64,
}

/// Problem that the worker works around.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "kube", derive(schemars::JsonSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Degradation {
    /// Name of a [`WorkerReason`]; text, because a newer worker may have reasons that an older operator does not know.
    pub reason: String,
    /// Cause and next step, for people.
    pub message: String,
}

impl Degradation {
    /// Degradation with the reason's name on the wire.
    pub fn new(reason: WorkerReason, message: impl Into<String>) -> Self {
        Self {
            reason: reason.name().to_owned(),
            message: message.into(),
        }
    }

    /// Reason as a variant; `None` for one that only a newer worker knows.
    pub fn known_reason(&self) -> Option<WorkerReason> {
        self.reason.parse().ok()
    }
}

// serde passes the field by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(value: &u32) -> bool {
    *value == 0
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn an_empty_document_is_a_report_of_nothing() {
        let report: WorkerReport = serde_json::from_str("{}").unwrap();
        assert_eq!(report, WorkerReport::default());
    }

    #[test]
    fn fields_of_a_newer_worker_are_ignored() {
        let report: WorkerReport =
            serde_json::from_str(r#"{"instrument":"MERLIN","run":{"number":"7","colour":"red"},"tides":3}"#).unwrap();
        assert_eq!(report.instrument, "MERLIN");
        assert_eq!(report.run.unwrap().number, "7");
    }

    #[test]
    fn the_document_is_camel_case_and_leaves_out_what_is_absent() {
        let report = WorkerReport {
            instrument: "LOKI".into(),
            run: Some(RunReport {
                number: "12".into(),
                proton_charge: 0.5,
                ..RunReport::default()
            }),
            degraded: vec![Degradation {
                reason: "OutputNotWritable".into(),
                message: "mount it".into(),
            }],
            ..WorkerReport::default()
        };
        let document = serde_json::to_value(&report).unwrap();
        assert_eq!(
            document,
            serde_json::json!({
                "instrument": "LOKI", "version": "", "engine": "", "eventIds": "", "ready": false, "writer": false,
                "run": {"number": "12", "events": 0, "pulses": 0, "protonCharge": 0.5, "missingSeconds": 0.0},
                "rate": 0.0, "partitions": [],
                "script": {"running": false, "runs": 0, "failures": 0},
                "rejected": {}, "memory": {"eventBytes": 0, "rssBytes": 0, "limitBytes": 0, "eventsKept": 0},
                "degraded": [{"reason": "OutputNotWritable", "message": "mount it"}],
            })
        );
        assert_eq!(serde_json::from_value::<WorkerReport>(document).unwrap(), report);
    }
}
