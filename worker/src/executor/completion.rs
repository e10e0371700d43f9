//! Completion of runs: their markers on disk and their entry in the status.

use std::sync::Arc;

use live_data_crd::reason::WorkerReason;
use live_data_crd::report::CompletedRun;
use live_data_engine::run::{RunInfo, RunKey};
use live_data_engine::time::PulseTime;

use super::{Executor, ExecutorDegradations, LoadedScript, end_of_error, run_label};
use crate::output::OutputError;
use crate::output::marker::CompletionMarker;
use crate::status_registry::StatusRegistry;
use crate::timestamps;

impl Executor {
    /// Reads which runs other workers have finished; false if the folder cannot be read, which is tried again.
    ///
    /// The first worker on a folder marks its beginning, so that its successor knows a run that it does not finish.
    pub(super) fn read_markers(&mut self, runs: &[Arc<RunInfo>]) -> bool {
        let read = self
            .degradations
            .follow_markers(&self.deps.status, self.deps.output.read_markers());
        let Some((markers, unreadable)) = read else {
            return false;
        };
        for name in unreadable {
            tracing::warn!(name, "a completion marker cannot be read and is passed over");
        }
        for marker in &markers {
            let marked = runs.iter().filter(|run| run.key.as_str() == marker.identity);
            self.finished.extend(marked.map(|run| run.key.clone()));
        }
        let first = runs.iter().find(|run| !self.finished.contains(&run.key));
        if let (true, Some(first)) = (markers.is_empty(), first) {
            self.write_marker(&CompletionMarker {
                identity: "first-worker".into(),
                run_name: "the first worker on this folder began here".into(),
                start_ns: first.start.nanos().saturating_sub(1),
                stop_ns: None,
                events: 0,
                script: None,
                finished: timestamps::now(),
                error: None,
            });
        }
        true
    }

    /// Finishes a run without an execution.
    pub(super) fn close(&mut self, runs: &[Arc<RunInfo>], key: &RunKey) {
        if let Some(run) = runs.iter().find(|run| run.key == *key) {
            let reason = match (self.deps.live_only, run.totals.events) {
                (true, 1..) => "is complete: live data processing has had it.",
                _ => "ended without events: nothing is executed.",
            };
            self.deps.script_log.info(&format!("Run {} {reason}", run_label(run)));
            self.finish(run, None, None);
        }
    }

    /// Writes the marker of a run and reports it as completed.
    pub(super) fn finish(&mut self, run: &RunInfo, script: Option<&LoadedScript>, error: Option<&str>) {
        self.finished.insert(run.key.clone());
        self.write_marker(&CompletionMarker {
            identity: run.key.as_str().to_owned(),
            run_name: run.run_name.clone(),
            start_ns: run.start.nanos(),
            stop_ns: run.stop.map(PulseTime::nanos),
            events: run.totals.events,
            script: script.map(|script| script.hash.clone()),
            finished: timestamps::now(),
            error: error.map(end_of_error),
        });
        self.deps.status.record_completed_run(CompletedRun {
            number: run_label(run).to_owned(),
            finished: timestamps::now(),
            error: error.map(end_of_error),
        });
    }

    fn write_marker(&mut self, marker: &CompletionMarker) {
        let written = self.deps.output.write_marker(marker);
        self.degradations
            .follow_marker(&self.deps.status, written, &marker.run_name);
    }
}

impl ExecutorDegradations {
    /// Degradation until the markers can be read; returns them if they are.
    fn follow_markers<T>(&mut self, status: &StatusRegistry, markers: Result<T, OutputError>) -> Option<T> {
        match markers {
            Ok(markers) => {
                self.markers_not_read = None;
                Some(markers)
            }
            Err(error) => {
                self.markers_not_read = Some(status.degrade(WorkerReason::MarkersNotRead, error.to_string()));
                None
            }
        }
    }

    /// Degradation until the next marker is written.
    fn follow_marker(&mut self, status: &StatusRegistry, written: Result<(), OutputError>, run_name: &str) {
        self.marker_not_written = written.err().map(|error| {
            status.degrade(
                WorkerReason::MarkerNotWritten,
                format!("{error}. A restart would execute run {run_name} again"),
            )
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::output::OutputFolder;

    #[test]
    fn markers_that_cannot_be_read_are_shown_until_they_can() {
        let dir = tempfile::tempdir().unwrap();
        let output = OutputFolder::new(dir.path());
        let status = StatusRegistry::new("LET", None, Arc::default());
        let mut degradations = ExecutorDegradations::default();
        assert!(degradations.follow_markers(&status, output.read_markers()).is_none());
        assert_eq!(status.report().degraded[0].reason, "MarkersNotRead");
        output.prepare().unwrap();
        assert!(degradations.follow_markers(&status, output.read_markers()).is_some());
        assert!(status.report().degraded.is_empty());
    }
}
