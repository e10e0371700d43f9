//! What is noted of runs on disk: that they have had their final execution, and where the first worker began.

use std::sync::Arc;

use live_data_crd::report::CompletedRun;
use live_data_engine::run::{RunInfo, RunKey};
use live_data_engine::time::PulseTime;

use super::{Executor, Script, run_words, shortened};
use crate::board;
use crate::output::marker::Marker;

impl Executor {
    /// The first worker on a folder notes where it began, so that a run that it does not live to finish is known.
    pub(super) fn begin_writing(&mut self, runs: &[Arc<RunInfo>]) {
        match self.tools.output.read_markers() {
            Ok((markers, unreadable)) => {
                for name in unreadable {
                    tracing::warn!(name, "a completion marker cannot be read and is passed over");
                }
                // Another worker may have finished runs since this one looked.
                for marker in &markers {
                    self.finished.extend(
                        runs.iter()
                            .filter(|r| r.key.as_str() == marker.identity)
                            .map(|r| r.key.clone()),
                    );
                }
                if let (true, Some(first)) = (
                    markers.is_empty(),
                    runs.iter().find(|r| !self.finished.contains(&r.key)),
                ) {
                    self.mark(&Marker {
                        identity: "first-worker".into(),
                        run_name: "the first worker on this folder began here".into(),
                        start_ns: first.start.nanos().saturating_sub(1),
                        stop_ns: None,
                        events: 0,
                        script: None,
                        finished: board::now(),
                        error: None,
                    });
                }
            }
            Err(error) => self.tools.board.degrade("MarkersNotRead", error.to_string()),
        }
    }

    pub(super) fn close(&mut self, runs: &[Arc<RunInfo>], key: &RunKey) {
        if let Some(run) = runs.iter().find(|run| run.key == *key) {
            let why = match (self.tools.live_only, run.totals.events) {
                (true, 1..) => "is complete: live data processing has had it.",
                _ => "ended without events: nothing is executed.",
            };
            self.tools.journal.info(&format!("Run {} {why}", run_words(run)));
            self.finish(run, None, None);
        }
    }

    pub(super) fn finish(&mut self, run: &RunInfo, script: Option<&Script>, error: Option<&str>) {
        self.finished.insert(run.key.clone());
        self.mark(&Marker {
            identity: run.key.as_str().to_owned(),
            run_name: run.run_name.clone(),
            start_ns: run.start.nanos(),
            stop_ns: run.stop.map(PulseTime::nanos),
            events: run.totals.events,
            script: script.map(|script| script.hash.clone()),
            finished: board::now(),
            error: error.map(shortened),
        });
        self.tools.board.completed(CompletedRun {
            number: run_words(run).to_owned(),
            finished: board::now(),
            error: error.map(shortened),
        });
    }

    pub(super) fn mark(&self, marker: &Marker) {
        match self.tools.output.write_marker(marker) {
            Ok(()) => self.tools.board.recover("MarkerNotWritten"),
            Err(error) => self.tools.board.degrade(
                "MarkerNotWritten",
                format!("{error}. A restart would execute run {} again", marker.run_name),
            ),
        }
    }
}
