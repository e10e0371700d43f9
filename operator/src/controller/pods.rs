//! Events of the workers' pods, and Kubernetes Events about their mounts.

use std::collections::HashSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Event as CoreEvent, Pod};
use kube::runtime::watcher::Event;

use super::queue::Queue;
use super::watch::EventHandler;
use crate::observe::pods::WorkerPod;
use crate::reconcile::context::Context;

/// Handler of pods: updates their table, and queues the resources of changed pods.
pub struct PodHandler {
    pub context: Arc<Context>,
    pub queue: Queue,
    /// UIDs of the list that the watch is receiving.
    pub listed: HashSet<String>,
}

impl EventHandler<Pod> for PodHandler {
    async fn handle(&mut self, event: Event<Pod>) {
        match event {
            Event::Init => self.listed.clear(),
            Event::InitApply(pod) => {
                let pod = WorkerPod::from(&pod);
                self.listed.insert(pod.uid.clone());
                self.insert(pod);
            }
            Event::Apply(pod) => self.insert(WorkerPod::from(&pod)),
            Event::Delete(pod) => {
                let pod = WorkerPod::from(&pod);
                self.context.pods.remove(&pod.uid);
                self.queue.push(&pod.namespace, &pod.resource);
            }
            Event::InitDone => {
                self.context.pods.retain(&self.listed);
                self.listed.clear();
            }
        }
    }
}

impl PodHandler {
    fn insert(&self, pod: WorkerPod) {
        let (namespace, resource) = (pod.namespace.clone(), pod.resource.clone());
        if self.context.pods.insert(pod) {
            self.queue.push(&namespace, &resource);
        }
    }
}

/// Handler of Kubernetes Events about failed mounts. Only they report a missing Secret, because the operator may not
/// read Secrets.
pub struct MountFailureHandler {
    pub context: Arc<Context>,
    pub queue: Queue,
}

impl EventHandler<CoreEvent> for MountFailureHandler {
    async fn handle(&mut self, event: Event<CoreEvent>) {
        if let Event::Apply(event) | Event::InitApply(event) = event
            && let Some(pod) = self.context.pods.record_failed_mount(&event)
        {
            self.queue.push(&pod.namespace, &pod.resource);
        }
    }
}
