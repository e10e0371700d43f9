//! Events of the LiveDataProcessors themselves.
//!
//! Promises: a resource that does not deserialize is reported and never stops the others; the operator's own status
//! writes cause no reconcile.

use std::collections::HashMap;
use std::sync::Arc;

use kube::core::DeserializeGuard;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt};
use live_data_crd::LiveDataProcessor;

use super::queue::Queue;
use super::watch::EventHandler;
use crate::reconcile::context::Context;
use crate::spec_merge;

/// Annotation in which kubectl keeps a copy of the whole resource.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Handler of resources: updates their store, and queues those whose [`Fingerprint`] has changed.
pub struct ResourceHandler {
    pub context: Arc<Context>,
    pub writer: Writer<LiveDataProcessor>,
    pub queue: Queue,
    /// Fingerprint of each resource at its last reconcile.
    pub fingerprints: HashMap<ObjectRef<LiveDataProcessor>, Fingerprint>,
}

/// Fields whose change needs a reconcile.
#[derive(Clone, PartialEq, Eq)]
pub struct Fingerprint {
    uid: Option<String>,
    generation: Option<i64>,
    deleting: bool,
    finalizers: Option<Vec<String>>,
}

impl From<&LiveDataProcessor> for Fingerprint {
    fn from(resource: &LiveDataProcessor) -> Self {
        Self {
            uid: resource.metadata.uid.clone(),
            generation: resource.metadata.generation,
            deleting: resource.metadata.deletion_timestamp.is_some(),
            finalizers: resource.metadata.finalizers.clone(),
        }
    }
}

impl EventHandler<DeserializeGuard<LiveDataProcessor>> for ResourceHandler {
    async fn handle(&mut self, event: Event<DeserializeGuard<LiveDataProcessor>>) {
        let event = match event {
            Event::Init => Event::Init,
            Event::InitDone => Event::InitDone,
            Event::Apply(guard) => match self.read(guard).await {
                Some(resource) => Event::Apply(resource),
                None => return,
            },
            Event::InitApply(guard) => match self.read(guard).await {
                Some(resource) => Event::InitApply(resource),
                None => return,
            },
            Event::Delete(guard) => {
                let metadata = guard.meta().clone();
                let mut resource = guard.0.unwrap_or_default();
                resource.metadata = metadata;
                Event::Delete(resource)
            }
        };
        self.writer.apply_watcher_event(&event);
        match &event {
            Event::Apply(resource) => self.handle_change(resource),
            Event::Delete(resource) => self.handle_deletion(resource),
            Event::InitDone => self.handle_list(),
            Event::Init | Event::InitApply(_) => {}
        }
        self.context.metrics.set_resources(self.context.resources.len());
    }
}

impl ResourceHandler {
    fn handle_change(&mut self, resource: &LiveDataProcessor) {
        let reference = ObjectRef::from_obj(resource);
        let fingerprint = Fingerprint::from(resource);
        let changed = self.fingerprints.get(&reference) != Some(&fingerprint);
        if changed || self.context.publisher.overwritten(resource) {
            self.fingerprints.insert(reference, fingerprint);
            self.queue.push_resource(resource);
        }
    }

    fn handle_deletion(&mut self, resource: &LiveDataProcessor) {
        self.fingerprints.remove(&ObjectRef::from_obj(resource));
        self.context.publisher.forget(&resource.uid().unwrap_or_default());
        self.context.attempts.reset(resource);
        // Another resource may wait for the instrument.
        let instrument = spec_merge::instrument(resource);
        for other in self.context.resources.state() {
            if spec_merge::instrument(&other).eq_ignore_ascii_case(&instrument) {
                self.queue.push_resource(&other);
            }
        }
    }

    fn handle_list(&mut self) {
        let all = self.context.resources.state();
        self.fingerprints = all
            .iter()
            .map(|resource| (ObjectRef::from_obj(&**resource), Fingerprint::from(&**resource)))
            .collect();
        for resource in &all {
            self.queue.push_resource(resource);
        }
    }

    /// The resource without managedFields and kubectl's copy, which are large; `None`, with an Event, if it does not
    /// deserialize.
    async fn read(&self, guard: DeserializeGuard<LiveDataProcessor>) -> Option<LiveDataProcessor> {
        match guard.0 {
            Ok(mut resource) => {
                resource.metadata.managed_fields = None;
                if let Some(annotations) = resource.metadata.annotations.as_mut() {
                    annotations.remove(LAST_APPLIED);
                }
                Some(resource)
            }
            Err(error) => {
                self.context.metrics.record_unreadable_resource();
                let name = error.metadata.name.clone().unwrap_or_default();
                let namespace = error.metadata.namespace.clone().unwrap_or_default();
                tracing::warn!(resource = %format!("{namespace}/{name}"), error = error.error, "a resource cannot be read and is left alone");
                self.context
                    .events
                    .publish_unreadable(&error.metadata, &error.error)
                    .await;
                // The deletion needs no spec: the resource is queued for the removal of its finalizer.
                let deleting = error.metadata.deletion_timestamp.is_some();
                deleting.then(|| LiveDataProcessor {
                    metadata: error.metadata,
                    ..LiveDataProcessor::default()
                })
            }
        }
    }
}
