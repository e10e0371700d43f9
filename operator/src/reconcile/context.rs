//! Context of the reconciles.

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
    pub client: Client,
    pub config: Arc<Config>,
    pub resources: Store<LiveDataProcessor>,
    pub objects: ObjectCache,
    /// Objects that others change back.
    pub contention: Contention,
    pub pods: WorkerPods,
    pub reports: WorkerReports,
    pub publisher: StatusPublisher,
    pub events: EventPublisher,
    pub metrics: Arc<Metrics>,
    /// Failed attempts by UID since the last success.
    pub attempts: FailedAttempts,
}

/// Number of consecutive failed reconciles, by the resource's UID.
#[derive(Debug, Default)]
pub struct FailedAttempts(Mutex<HashMap<String, u32>>);

impl FailedAttempts {
    /// Consecutive failures of a resource; 0 after a success.
    pub fn count(&self, resource: &LiveDataProcessor) -> u32 {
        let uid = resource.uid().unwrap_or_default();
        self.0.lock().get(&uid).copied().unwrap_or_default()
    }

    /// Counts a failure; returns the number of consecutive failures including it.
    pub fn increment(&self, resource: &LiveDataProcessor) -> u32 {
        let mut attempts = self.0.lock();
        let attempt = attempts.entry(resource.uid().unwrap_or_default()).or_default();
        *attempt = attempt.saturating_add(1);
        *attempt
    }

    /// Removes the count of a resource that was reconciled or deleted.
    pub fn reset(&self, resource: &LiveDataProcessor) {
        self.0.lock().remove(&resource.uid().unwrap_or_default());
    }
}
