//! The board: where each part of the worker writes what it has to tell, and from which `/status` is read.
//!
//! Promises that reading never waits for the stream, for a script or for the interpreter: every entry is a small value
//! that is replaced whole. It must not decide anything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::ArcSwap;
use live_data_crd::report::{
    CompletedRun, Degradation, MemoryReport, MonitorReport, PartitionReport, RunReport, ScriptReport, WorkerReport,
    WorkspaceReport,
};
use parking_lot::Mutex;

use crate::memory;

/// What the ingest thread last said.
#[derive(Clone, Debug, Default)]
pub struct IngestFigures {
    /// The run in view.
    pub run: Option<RunReport>,
    /// Events per second.
    pub rate: f64,
    /// Age of the newest event read against the newest in the topic, in seconds.
    pub lag_seconds: Option<f64>,
    /// Positions.
    pub partitions: Vec<PartitionReport>,
    /// Events since the start of the worker.
    pub events: u64,
    /// Bytes of messages since the start of the worker.
    pub bytes: u64,
    /// Messages by topic, schema and outcome.
    pub messages: BTreeMap<(String, String, &'static str), u64>,
    /// What was refused, by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Bytes of the events that are held.
    pub event_bytes: u64,
    /// Events that are held.
    pub events_kept: u64,
    /// Sealed chunks that are held.
    pub chunks: u64,
    /// Connections to the broker that were lost and made again.
    pub reconnects: u64,
    /// What is wrong with the stream.
    pub degraded: Vec<Degradation>,
}

/// How long executions took, in cumulative buckets of seconds.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    /// Number of executions at most as long as the bound in [`DURATION_BOUNDS`].
    pub buckets: [u64; DURATION_BOUNDS.len()],
    /// Sum of all, in seconds.
    pub sum: f64,
    /// Number of all.
    pub count: u64,
}

/// Bounds of the histogram of executions, in seconds.
pub const DURATION_BOUNDS: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// The board of one worker.
#[derive(Debug)]
pub struct Board {
    instrument: String,
    started: String,
    memory_limit: u64,
    engine: Mutex<String>,
    event_ids: Mutex<&'static str>,
    ready: AtomicBool,
    writer: AtomicBool,
    stopping: AtomicBool,
    ingest: ArcSwap<IngestFigures>,
    script: Mutex<ScriptReport>,
    durations: Mutex<Durations>,
    completed: Mutex<Option<CompletedRun>>,
    skipped: Mutex<Vec<String>>,
    monitors: Mutex<Vec<MonitorReport>>,
    workspaces: Mutex<Vec<WorkspaceReport>>,
    degraded: Mutex<BTreeMap<&'static str, String>>,
    published: AtomicU64,
    last_success: AtomicU64,
}

impl Board {
    /// An empty board.
    pub fn new(instrument: &str, memory_limit: Option<u64>) -> Self {
        Board {
            instrument: instrument.to_owned(),
            started: now(),
            memory_limit: memory_limit.unwrap_or(0),
            engine: Mutex::default(),
            event_ids: Mutex::default(),
            ready: AtomicBool::new(false),
            writer: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            ingest: ArcSwap::default(),
            script: Mutex::default(),
            durations: Mutex::default(),
            completed: Mutex::default(),
            skipped: Mutex::default(),
            monitors: Mutex::default(),
            workspaces: Mutex::default(),
            degraded: Mutex::default(),
            published: AtomicU64::new(0),
            last_success: AtomicU64::new(0),
        }
    }

    /// Says which engine runs the scripts.
    pub fn set_engine(&self, engine: &str) {
        engine.clone_into(&mut self.engine.lock());
    }

    /// Says what an event's id means on this stream.
    pub fn set_event_ids(&self, meaning: &'static str) {
        *self.event_ids.lock() = meaning;
    }

    /// Says that the worker has caught up; stays so.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::Release);
    }

    /// True once the worker has caught up.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Acquire)
    }

    /// Says that the worker is on its way out.
    pub fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// True while the worker serves: it has caught up and is not stopping.
    pub fn is_serving(&self) -> bool {
        self.is_ready() && !self.stopping.load(Ordering::Acquire)
    }

    /// Says whether this worker holds the writer's lease.
    pub fn set_writer(&self, holds: bool) {
        self.writer.store(holds, Ordering::Release);
    }

    /// Whether this worker may write results: it has caught up and holds the lease.
    pub fn may_write(&self) -> bool {
        self.is_ready() && self.writer.load(Ordering::Acquire)
    }

    /// Replaces what the ingest thread says.
    pub fn set_ingest(&self, figures: IngestFigures) {
        self.ingest.store(Arc::new(figures));
    }

    /// What the ingest thread last said.
    pub fn ingest(&self) -> Arc<IngestFigures> {
        self.ingest.load_full()
    }

    /// Changes what is said of the script.
    pub fn script(&self, change: impl FnOnce(&mut ScriptReport)) {
        change(&mut self.script.lock());
    }

    /// Counts an execution.
    pub fn executed(&self, seconds: f64, failed: bool) {
        let mut durations = self.durations.lock();
        for (bucket, bound) in durations.buckets.iter_mut().zip(DURATION_BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
        durations.sum += seconds;
        durations.count += 1;
        drop(durations);
        self.script(|script| {
            script.runs += 1;
            script.failures += u64::from(failed);
        });
        if !failed {
            self.last_success
                .store(jiff::Timestamp::now().as_second().unsigned_abs(), Ordering::Relaxed);
        }
    }

    /// How long executions took.
    pub fn durations(&self) -> Durations {
        self.durations.lock().clone()
    }

    /// Unix time of the last execution that went well; 0 when there was none.
    pub fn last_success(&self) -> u64 {
        self.last_success.load(Ordering::Relaxed)
    }

    /// Counts a run that has had its final execution.
    pub fn completed(&self, run: CompletedRun) {
        self.published.fetch_add(1, Ordering::Relaxed);
        *self.completed.lock() = Some(run);
    }

    /// Runs that have had their final execution since the worker started.
    pub fn completed_count(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    /// Says which runs will not be executed although they ended while no worker ran.
    pub fn set_skipped(&self, runs: Vec<String>) {
        *self.skipped.lock() = runs;
    }

    /// Replaces what is said of the live data monitors.
    pub fn set_monitors(&self, monitors: Vec<MonitorReport>) {
        *self.monitors.lock() = monitors;
    }

    /// Replaces what is said of the data service.
    pub fn set_workspaces(&self, workspaces: Vec<WorkspaceReport>) {
        *self.workspaces.lock() = workspaces;
    }

    /// Says that something is wrong; logged when it is new or its text has changed.
    pub fn degrade(&self, reason: &'static str, message: String) {
        let mut degraded = self.degraded.lock();
        if degraded.get(reason) != Some(&message) {
            tracing::warn!(reason, "{message}");
            degraded.insert(reason, message);
        }
    }

    /// Says that it is right again.
    pub fn recover(&self, reason: &'static str) {
        if self.degraded.lock().remove(reason).is_some() {
            tracing::info!(reason, "recovered");
        }
    }

    /// Whether something is wrong for this reason.
    pub fn is_degraded(&self, reason: &'static str) -> bool {
        self.degraded.lock().contains_key(reason)
    }

    /// The whole report.
    pub fn report(&self) -> WorkerReport {
        let ingest = self.ingest.load_full();
        let mut degraded = ingest.degraded.clone();
        degraded.extend(self.degraded.lock().iter().map(|(r, m)| Degradation {
            reason: (*r).to_owned(),
            message: m.clone(),
        }));
        WorkerReport {
            instrument: self.instrument.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: self.engine.lock().clone(),
            event_ids: (*self.event_ids.lock()).to_owned(),
            ready: self.is_ready(),
            writer: self.writer.load(Ordering::Acquire),
            run: ingest.run.clone(),
            last_completed_run: self.completed.lock().clone(),
            skipped_runs: self.skipped.lock().clone(),
            rate: ingest.rate,
            lag_seconds: ingest.lag_seconds,
            partitions: ingest.partitions.clone(),
            script: self.script.lock().clone(),
            monitors: self.monitors.lock().clone(),
            workspaces: self.workspaces.lock().clone(),
            rejected: ingest.rejected.clone(),
            memory: MemoryReport {
                event_bytes: ingest.event_bytes,
                rss_bytes: memory::resident(),
                limit_bytes: self.memory_limit,
                events_kept: ingest.events_kept,
            },
            degraded,
            started: Some(self.started.clone()),
        }
    }
}

/// The time as the report writes it: RFC 3339 in UTC, to the second.
pub fn now() -> String {
    rfc3339(jiff::Timestamp::now())
}

/// A time as the report writes it.
pub fn rfc3339(time: jiff::Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Nanoseconds since the Unix epoch as the report writes times; `None` outside the calendar.
pub fn rfc3339_ns(ns: i64) -> Option<String> {
    jiff::Timestamp::from_nanosecond(i128::from(ns))
        .ok()
        .map(|t| t.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_shown_until_it_is_right_again() {
        let board = Board::new("LET", Some(1 << 30));
        board.degrade("OutputNotWritable", "mount it".into());
        assert_eq!(board.report().degraded.len(), 1);
        board.recover("OutputNotWritable");
        assert!(board.report().degraded.is_empty());
    }

    #[test]
    fn executions_are_counted_in_cumulative_buckets() {
        let board = Board::new("LET", None);
        board.executed(0.2, false);
        board.executed(1000.0, true);
        let durations = board.durations();
        assert_eq!(
            (
                durations.buckets[0],
                durations.buckets[1],
                durations.buckets[9],
                durations.count
            ),
            (0, 1, 1, 2)
        );
        assert_eq!(board.report().script.failures, 1);
        assert!(board.last_success() > 0);
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(rfc3339_ns(1_500_000_000).as_deref(), Some("1970-01-01T00:00:01.500Z"));
        assert_eq!(rfc3339_ns(i64::MIN).is_some(), rfc3339_ns(i64::MAX).is_some());
    }
}
