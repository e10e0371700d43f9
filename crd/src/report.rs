//! The worker's `/status` document: what one worker says about itself, read by the operator and the page.
//!
//! Promises: camelCase JSON; every field has a default and an unknown field is ignored, so a worker and an
//! operator of different versions understand each other; no field ever holds a secret. It must not decide
//! anything: the worker fills it in, the operator's `observe` and `status` judge it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole `/status` document of one worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkerReport {
    /// The instrument whose topics are read, as in `<INSTRUMENT>_events`.
    pub instrument: String,
    /// Version of the worker program.
    pub version: String,
    /// Which engine runs the scripts: `native` or `mantid`.
    pub engine: String,
    /// What an event's id means on this stream: `spectrum` or `detector`.
    pub event_ids: String,
    /// True from the moment every partition has once reached the high watermark read at the start.
    pub ready: bool,
    /// True while this worker holds the writer's lease in OUTPUT_DIR: only the holder executes scripts.
    pub writer: bool,
    /// The run in view; absent when no run was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<RunReport>,
    /// The newest run whose final execution is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_completed_run: Option<CompletedRun>,
    /// Run names that ended while no worker ran and that will not be executed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skipped_runs: Vec<String>,
    /// Events ingested per second, averaged over the last seconds.
    pub rate: f64,
    /// Age of the newest event read against the newest one in the topic, in seconds; absent when unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_seconds: Option<f64>,
    /// Position in every partition that is read.
    pub partitions: Vec<PartitionReport>,
    /// The reduction script.
    pub script: ScriptReport,
    /// The StartLiveData monitors that are running.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub monitors: Vec<MonitorReport>,
    /// The workspaces of the data service.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workspaces: Vec<WorkspaceReport>,
    /// What was refused, counted by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Where the memory goes.
    pub memory: MemoryReport,
    /// What is wrong although the worker goes on; empty when all is well.
    pub degraded: Vec<Degradation>,
    /// When the worker started, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<String>,
}

/// The run in view.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct RunReport {
    /// The run's name as the stream gives it; digits for an ordinary run.
    pub number: String,
    /// The run's title.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// First pulse time of the run, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// End of the run in pulse time, RFC 3339 in UTC; absent while it goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_time: Option<String>,
    /// Events in the run.
    pub events: u64,
    /// Pulses in the run.
    pub pulses: u64,
    /// Proton charge of the run's good pulses in µA·h.
    pub proton_charge: f64,
    /// Seconds of the run for which the broker had no data left when the worker asked.
    pub missing_seconds: f64,
    /// Number of periods.
    #[serde(skip_serializing_if = "is_zero")]
    pub periods: u32,
}

/// A run whose final execution is done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct CompletedRun {
    /// The run's name.
    pub number: String,
    /// When its final execution ended, RFC 3339 in UTC.
    pub finished: String,
    /// Its error, if that execution failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Position in one partition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PartitionReport {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// Offset of the next message to be read.
    pub offset: i64,
    /// Messages between that and the high watermark.
    pub lag: i64,
}

/// The reduction script and its last execution.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ScriptReport {
    /// SHA-256 of the script's text, in hexadecimal; absent when there is no script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// Where the script comes from, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// True while `execute()` runs.
    pub running: bool,
    /// When the last execution started, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_run: Option<String>,
    /// How long the last execution took, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_duration: Option<f64>,
    /// Its traceback or the reason why the script could not be fetched or loaded; absent when all went well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the next execution is due, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Executions since the worker started.
    pub runs: u64,
    /// Executions since the worker started that failed.
    pub failures: u64,
    /// Names of the threads that the script started and that outlived `execute()`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub threads: Vec<String>,
}

/// A StartLiveData monitor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MonitorReport {
    /// The workspace that results are put in.
    pub output_workspace: String,
    /// The workspace that chunks are accumulated in; empty when it is the output workspace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub accumulation_workspace: String,
    /// Seconds between chunks.
    pub update_every: f64,
    /// Chunks processed.
    pub chunks: u64,
    /// The newest pulse time that was processed, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_time_stamp: Option<String>,
    /// The last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// One workspace of the data service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct WorkspaceReport {
    /// Its name.
    pub name: String,
    /// Its type as Mantid names it, such as `EventWorkspace`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Number of spectra.
    pub spectra: u64,
    /// Number of bins of the first spectrum.
    pub bins: u64,
    /// Number of events, for event workspaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    /// Memory that only this workspace holds, in bytes.
    pub memory_bytes: u64,
}

/// Where the memory goes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct MemoryReport {
    /// Bytes of the events that are held.
    pub event_bytes: u64,
    /// Resident set of the process.
    pub rss_bytes: u64,
    /// The limit that the worker keeps to; 0 when there is none.
    pub limit_bytes: u64,
    /// Number of events that are held.
    pub events_kept: u64,
}

/// Something that is wrong although the worker goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Degradation {
    /// One word in CamelCase, fit for a condition's reason, such as `OutputNotWritable`.
    pub reason: String,
    /// What is wrong and what to do next.
    pub message: String,
}

// serde hands the field over by reference.
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
