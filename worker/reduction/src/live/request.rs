//! Request of live data: validated properties of StartLiveData, LoadLiveData and MonitorLiveData.
//!
//! Promises plain values. Must not parse; [`super::properties`] does.

use std::path::PathBuf;

pub use live_data_crd::live::{AccumulationMethod, RunTransitionBehavior};

use crate::date_and_time::DateAndTime;

/// Earliest pulse that is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// Pulses after the newest that has been read.
    Now,
    /// First pulse of the newest run.
    StartOfRun,
    /// First pulse at or after a time.
    Time(DateAndTime),
}

/// Method that processes a chunk or the accumulated data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProcessingMethod {
    /// Algorithm of this name, with (property, value) pairs.
    Algorithm(String, Vec<(String, String)>),
    /// Python code.
    Script(String),
    /// File of Python code, read again for each chunk; a missing file is an error.
    File(PathBuf),
    /// File of Python code, read again for each chunk; a missing file leaves the data unprocessed.
    Watched(PathBuf),
}

/// Validated properties of one live data processing.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveRequest {
    /// Name of the instrument in upper case.
    pub instrument: String,
    /// Method for each chunk; `None` accumulates chunks unprocessed.
    pub processing: Option<ProcessingMethod>,
    pub accumulation: AccumulationMethod,
    /// Results keep events; otherwise chunks become counts.
    pub preserve_events: bool,
    /// Method for the accumulated data; `None` makes them the result.
    pub post_processing: Option<ProcessingMethod>,
    pub transition: RunTransitionBehavior,
    pub start: StartFrom,
    /// Seconds between chunks; 0 for one chunk only.
    pub update_every: f64,
    /// Name of the accumulated data; set exactly with post-processing.
    pub accumulation_workspace: Option<String>,
    pub output_workspace: String,
}

impl LiveRequest {
    /// Replaces both methods by watched files; accumulated data get the name `accumulation_workspace`.
    pub fn watch(&mut self, processing: PathBuf, post_processing: PathBuf, accumulation_workspace: &str) {
        self.processing = Some(ProcessingMethod::Watched(processing));
        self.post_processing = Some(ProcessingMethod::Watched(post_processing));
        self.accumulation_workspace = Some(accumulation_workspace.to_owned());
    }

    /// Name of the workspace in which chunks are accumulated: AccumulationWorkspace, else OutputWorkspace.
    pub fn accumulated_in(&self) -> &str {
        self.accumulation_workspace.as_deref().unwrap_or(&self.output_workspace)
    }
}
