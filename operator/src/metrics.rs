//! Metrics of the operator, in the OpenMetrics text format.
//!
//! Promises: every name begins with `live_data_operator_`; a label has a handful of values at most.

use std::fmt::Error;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::error::ErrorClass;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByOutcome {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByClass {
    class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ByKind {
    kind: &'static str,
}

/// Metrics of the operator, with their registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    reconciles: Family<ByOutcome, Counter<u64, AtomicU64>>,
    failures: Family<ByClass, Counter<u64, AtomicU64>>,
    duration: Histogram,
    applied: Counter<u64, AtomicU64>,
    status_writes: Counter<u64, AtomicU64>,
    polls: Family<ByOutcome, Counter<u64, AtomicU64>>,
    watch_errors: Family<ByKind, Counter<u64, AtomicU64>>,
    unreadable: Counter<u64, AtomicU64>,
    leader: Gauge<i64, AtomicI64>,
    resources: Gauge<i64, AtomicI64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("live_data_operator"),
            reconciles: Family::default(),
            failures: Family::default(),
            duration: Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0]),
            applied: Counter::default(),
            status_writes: Counter::default(),
            polls: Family::default(),
            watch_errors: Family::default(),
            unreadable: Counter::default(),
            leader: Gauge::default(),
            resources: Gauge::default(),
        };
        metrics.registered()
    }
}

impl Metrics {
    fn registered(mut self) -> Self {
        let registry = &mut self.registry;
        registry.register("reconciles", "Reconciles by outcome", self.reconciles.clone());
        registry.register("failures", "Failed reconciles by class", self.failures.clone());
        registry.register(
            "reconcile_duration_seconds",
            "Time that a reconcile took",
            self.duration.clone(),
        );
        registry.register("objects_applied", "Objects made or changed", self.applied.clone());
        registry.register("status_writes", "Statuses written", self.status_writes.clone());
        registry.register("worker_polls", "Reports asked for, by outcome", self.polls.clone());
        registry.register("watch_errors", "Broken watches by kind", self.watch_errors.clone());
        registry.register(
            "unreadable_resources",
            "Resources that could not be read",
            self.unreadable.clone(),
        );
        registry.register("leader", "Whether this operator holds the Lease", self.leader.clone());
        registry.register("resources", "LiveDataProcessors", self.resources.clone());
        self
    }

    /// Counts a reconcile without error: its duration in seconds, the objects written and the status write.
    pub fn record_reconcile(&self, duration: Duration, applied: usize, status_written: bool) {
        self.reconciles.get_or_create(&ByOutcome { outcome: "ok" }).inc();
        self.duration.observe(duration.as_secs_f64());
        self.applied.inc_by(applied as u64);
        self.status_writes.inc_by(u64::from(status_written));
    }

    /// Counts a failed reconcile, by the class of its error.
    pub fn record_failure(&self, class: ErrorClass) {
        self.reconciles.get_or_create(&ByOutcome { outcome: "failed" }).inc();
        self.failures.get_or_create(&ByClass { class: class.label() }).inc();
    }

    /// Counts a poll of one worker, by outcome; `answered` is false for a failed one.
    pub fn record_poll(&self, answered: bool) {
        self.polls
            .get_or_create(&ByOutcome {
                outcome: if answered { "ok" } else { "failed" },
            })
            .inc();
    }

    /// Counts a failure of the watch of `kind`.
    pub fn record_watch_error(&self, kind: &'static str) {
        self.watch_errors.get_or_create(&ByKind { kind }).inc();
    }

    /// Counts a version of a resource that does not deserialize.
    pub fn record_unreadable_resource(&self) {
        self.unreadable.inc();
    }

    /// Sets the gauge `leader`: 1 while this operator holds the Lease, else 0.
    pub fn set_leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// Sets the gauge `resources`, the number of LiveDataProcessors in the cluster.
    pub fn set_resources(&self, count: usize) {
        self.resources.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Page of `/metrics` in the OpenMetrics text format.
    ///
    /// # Errors
    /// [`std::fmt::Error`] if a metric cannot be encoded, a fault of this program.
    pub fn page(&self) -> Result<String, Error> {
        let mut page = String::new();
        encode(&mut page, &self.registry)?;
        Ok(page)
    }
}
