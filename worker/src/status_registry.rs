//! Status of the worker's parts, from which `/status`, `/metrics`, the progress line and the page are made.
//!
//! Promises: reading never waits for the stream, a script or the interpreter, because each part replaces its small value
//! whole. Must not decide anything: conditions on which the worker acts are in [`crate::readiness`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use live_data_crd::reason::WorkerReason;
use live_data_crd::report::{CompletedRun, MemoryReport, MonitorReport, ScriptReport, WorkerReport, WorkspaceReport};
use parking_lot::Mutex;

use crate::degradation::{DegradationGuard, Degradations};
use crate::ingest_status::IngestStatus;
use crate::memory;
use crate::readiness::Readiness;
use crate::timestamps;

/// Histogram of execution times in seconds, cumulative, with the upper bounds [`EXECUTION_TIME_BOUNDS`].
#[derive(Clone, Debug, Default)]
pub struct ExecutionTimes {
    /// Number of executions that took at most the bound of the same index.
    pub buckets: [u64; EXECUTION_TIME_BOUNDS.len()],
    /// Sum of all execution times, in seconds.
    pub sum: f64,
    pub count: u64,
}

/// Upper bounds of the buckets of [`ExecutionTimes`], in seconds, inclusive.
pub const EXECUTION_TIME_BOUNDS: [f64; 10] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// Latest status of each part of one worker.
#[derive(Debug)]
pub struct StatusRegistry {
    instrument: String,
    started: String,
    memory_limit: u64,
    readiness: Arc<Readiness>,
    engine: Mutex<String>,
    event_ids: Mutex<&'static str>,
    ingest: ArcSwap<IngestStatus>,
    script: Mutex<ScriptReport>,
    execution_times: Mutex<ExecutionTimes>,
    last_completed_run: Mutex<Option<CompletedRun>>,
    skipped_runs: Mutex<Vec<String>>,
    monitors: Mutex<Vec<MonitorReport>>,
    workspaces: Mutex<Vec<WorkspaceReport>>,
    degradations: Degradations,
    completed_runs: AtomicU64,
    last_success: AtomicU64,
}

impl StatusRegistry {
    /// Registry whose report has only the instrument, the memory limit in bytes, the start time and the readiness.
    pub fn new(instrument: &str, memory_limit: Option<u64>, readiness: Arc<Readiness>) -> Self {
        StatusRegistry {
            instrument: instrument.to_owned(),
            started: timestamps::now(),
            memory_limit: memory_limit.unwrap_or(0),
            readiness,
            engine: Mutex::default(),
            event_ids: Mutex::default(),
            ingest: ArcSwap::default(),
            script: Mutex::default(),
            execution_times: Mutex::default(),
            last_completed_run: Mutex::default(),
            skipped_runs: Mutex::default(),
            monitors: Mutex::default(),
            workspaces: Mutex::default(),
            degradations: Degradations::default(),
            completed_runs: AtomicU64::new(0),
            last_success: AtomicU64::new(0),
        }
    }

    /// Conditions that the report shows as `ready` and `writer`.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Sets the engine that runs the scripts: `native` or `mantid`.
    pub fn set_engine(&self, engine: &str) {
        engine.clone_into(&mut self.engine.lock());
    }

    /// Sets the kind of the stream's event ids: `spectrum`, `detector` or `index`.
    pub fn set_event_ids(&self, kind: &'static str) {
        *self.event_ids.lock() = kind;
    }

    /// Replaces the status of ingest; called by the ingest thread every 250 ms.
    pub fn set_ingest(&self, ingest: IngestStatus) {
        self.ingest.store(Arc::new(ingest));
    }

    /// Status of ingest as last set, at most 0.3 s old while the broker answers.
    pub fn ingest(&self) -> Arc<IngestStatus> {
        self.ingest.load_full()
    }

    /// Changes the report of the script, under its lock.
    pub fn update_script(&self, change: impl FnOnce(&mut ScriptReport)) {
        change(&mut self.script.lock());
    }

    /// Adds an execution that took `seconds` to the histogram and the script's counts.
    pub fn record_execution(&self, seconds: f64, failed: bool) {
        let mut times = self.execution_times.lock();
        for (bucket, bound) in times.buckets.iter_mut().zip(EXECUTION_TIME_BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
        times.sum += seconds;
        times.count += 1;
        drop(times);
        self.update_script(|script| {
            script.runs += 1;
            script.failures += u64::from(failed);
        });
        if !failed {
            self.last_success
                .store(jiff::Timestamp::now().as_second().unsigned_abs(), Ordering::Relaxed);
        }
    }

    /// Histogram of all executions since the worker's start.
    pub fn execution_times(&self) -> ExecutionTimes {
        self.execution_times.lock().clone()
    }

    /// Time of the newest execution without an error, in seconds since the Unix epoch; `None` before the first.
    pub fn last_success(&self) -> Option<u64> {
        Some(self.last_success.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0)
    }

    /// Records a run that has had its final execution as the newest of them.
    pub fn record_completed_run(&self, run: CompletedRun) {
        self.completed_runs.fetch_add(1, Ordering::Relaxed);
        *self.last_completed_run.lock() = Some(run);
    }

    /// Number of runs that have had their final execution since the worker's start.
    pub fn completed_runs(&self) -> u64 {
        self.completed_runs.load(Ordering::Relaxed)
    }

    /// Sets the names of the runs that ended while no worker ran and that are not executed.
    pub fn set_skipped_runs(&self, names: Vec<String>) {
        *self.skipped_runs.lock() = names;
    }

    /// Replaces the reports of the live data monitors, `monitors` in `/status`.
    pub fn set_monitors(&self, monitors: Vec<MonitorReport>) {
        *self.monitors.lock() = monitors;
    }

    /// Replaces the reports of the data service's workspaces, `workspaces` in `/status`.
    pub fn set_workspaces(&self, workspaces: Vec<WorkspaceReport>) {
        *self.workspaces.lock() = workspaces;
    }

    /// Declares a degradation until the guard is dropped; see [`Degradations::declare`].
    pub fn degrade(&self, reason: WorkerReason, message: String) -> DegradationGuard {
        self.degradations.declare(reason, message)
    }

    /// Report of `/status`, composed from the latest value of each part.
    pub fn report(&self) -> WorkerReport {
        let ingest = self.ingest.load_full();
        let mut degraded = ingest.degraded.clone();
        degraded.extend(self.degradations.report());
        WorkerReport {
            instrument: self.instrument.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            engine: self.engine.lock().clone(),
            event_ids: (*self.event_ids.lock()).to_owned(),
            ready: self.readiness.is_caught_up(),
            writer: self.readiness.holds_lease(),
            run: ingest.run.clone(),
            last_completed_run: self.last_completed_run.lock().clone(),
            skipped_runs: self.skipped_runs.lock().clone(),
            rate: ingest.counters.events_per_second,
            lag_seconds: ingest.lag_seconds,
            partitions: ingest.partitions.clone(),
            script: self.script.lock().clone(),
            monitors: self.monitors.lock().clone(),
            workspaces: self.workspaces.lock().clone(),
            rejected: ingest.rejected.clone(),
            memory: MemoryReport {
                event_bytes: ingest.counters.event_bytes,
                rss_bytes: memory::resident(),
                limit_bytes: self.memory_limit,
                events_kept: ingest.counters.events_kept,
            },
            degraded,
            started: Some(self.started.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_shown_until_it_is_right_again() {
        let status = StatusRegistry::new("LET", Some(1 << 30), Arc::default());
        let not_writable = status.degrade(WorkerReason::OutputNotWritable, "mount it".into());
        assert_eq!(status.report().degraded.len(), 1);
        drop(not_writable);
        assert!(status.report().degraded.is_empty());
    }

    #[test]
    fn executions_are_counted_in_cumulative_buckets() {
        let status = StatusRegistry::new("LET", None, Arc::default());
        status.record_execution(0.2, false);
        status.record_execution(1000.0, true);
        let times = status.execution_times();
        assert_eq!(
            (times.buckets[0], times.buckets[1], times.buckets[9], times.count),
            (0, 1, 1, 2)
        );
        assert_eq!(status.report().script.failures, 1);
        assert!(status.last_success().is_some());
    }
}
