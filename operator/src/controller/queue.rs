//! Queue of resources that have to be reconciled.

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use kube::ResourceExt;
use kube::runtime::reflector::ObjectRef;
use live_data_crd::LiveDataProcessor;

/// Sending end of the queue; the receiving end drops repetitions within its debounce time.
#[derive(Clone)]
pub struct Queue(UnboundedSender<ObjectRef<LiveDataProcessor>>);

impl Queue {
    /// Unbounded queue, and its receiving end for the controller.
    pub fn new() -> (Self, UnboundedReceiver<ObjectRef<LiveDataProcessor>>) {
        let (sender, receiver) = mpsc::unbounded();
        (Self(sender), receiver)
    }

    /// Adds the resource of this namespace and name, whether it exists or not.
    pub fn push(&self, namespace: &str, name: &str) {
        // The receiver lives as long as the controller.
        let _ = self.0.unbounded_send(ObjectRef::new(name).within(namespace));
    }

    /// Adds a resource under its own namespace and name.
    pub fn push_resource(&self, resource: &LiveDataProcessor) {
        self.push(&resource.namespace().unwrap_or_default(), &resource.name_any());
    }
}
