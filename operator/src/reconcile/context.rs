//! State that all reconciles share.

use std::collections::HashMap;
use std::sync::Arc;

use kube::runtime::reflector::Store;
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use parking_lot::Mutex;

use crate::config::Config;
use crate::contention::Contention;
use crate::events::EventPublisher;
use crate::metrics::Metrics;
use crate::object_cache::ObjectCache;
use crate::observe::pods::WorkerPods;
use crate::observe::reports::WorkerReports;
use crate::publish::StatusPublisher;

/// State that all reconciles share, filled by the watches and the poll.
pub struct Context {
    /// Client of the apiserver.
    pub client: Client,
    /// Site's configuration.
    pub config: Arc<Config>,
    /// All LiveDataProcessors.
    pub resources: Store<LiveDataProcessor>,
    /// Objects that the operator made.
    pub objects: ObjectCache,
    /// Objects that others change back.
    pub contention: Contention,
    /// Pods of the workers.
    pub pods: WorkerPods,
    /// Reports of the workers.
    pub reports: WorkerReports,
    /// Writer of statuses.
    pub publisher: StatusPublisher,
    /// Writer of Kubernetes Events.
    pub events: EventPublisher,
    /// Counters and gauges of `/metrics`.
    pub metrics: Arc<Metrics>,
    /// Failed attempts by UID since the last success.
    pub attempts: FailedAttempts,
}

/// Number of consecutive failed reconciles, by the resource's UID.
#[derive(Debug, Default)]
pub struct FailedAttempts(Mutex<HashMap<String, u32>>);

impl FailedAttempts {
    /// Consecutive failures of a resource.
    pub fn count(&self, resource: &LiveDataProcessor) -> u32 {
        let uid = resource.uid().unwrap_or_default();
        self.0.lock().get(&uid).copied().unwrap_or_default()
    }

    /// Counts a failure; returns the consecutive failures with it.
    pub fn increment(&self, resource: &LiveDataProcessor) -> u32 {
        let mut attempts = self.0.lock();
        let attempt = attempts.entry(resource.uid().unwrap_or_default()).or_default();
        *attempt = attempt.saturating_add(1);
        *attempt
    }

    /// Forgets the failures of a resource that was reconciled or is gone.
    pub fn reset(&self, resource: &LiveDataProcessor) {
        self.0.lock().remove(&resource.uid().unwrap_or_default());
    }
}
