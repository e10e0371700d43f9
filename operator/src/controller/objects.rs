//! Events of the objects that the operator made, of one kind.

use std::sync::Arc;

use kube::ResourceExt;
use kube::api::DynamicObject;
use kube::runtime::watcher::Event;

use super::queue::Queue;
use super::watch::EventHandler;
use crate::names::{INSTANCE_LABEL, OWNER_ANNOTATION};
use crate::object_cache::PendingList;
use crate::object_kind::ObjectKind;
use crate::reconcile::context::Context;

/// Handler of one kind: updates its cache, and queues the resources of changed objects.
pub struct ObjectHandler {
    pub context: Arc<Context>,
    pub kind: ObjectKind,
    pub queue: Queue,
    pub pending: PendingList,
    /// The first list is complete; each later one follows a gap in the watch.
    pub listed: bool,
}

impl EventHandler<DynamicObject> for ObjectHandler {
    async fn handle(&mut self, event: Event<DynamicObject>) {
        let is_end_of_list = matches!(event, Event::InitDone);
        let owner = match &event {
            Event::Apply(object) | Event::Delete(object) => owner(object),
            _ => None,
        };
        let changed = self.context.objects.apply_event(self.kind, event, &mut self.pending);
        if let Some(owner) = owner {
            self.queue.push(&owner.namespace, &owner.name);
        } else if is_end_of_list && self.listed && !changed.is_empty() {
            // After a gap any object of any resource may have changed.
            for resource in self.context.resources.state() {
                self.queue.push_resource(&resource);
            }
        }
        self.listed |= is_end_of_list;
    }
}

struct Owner {
    namespace: String,
    name: String,
}

/// Resource of an object: by the annotation of a cluster-wide object, by the instance label of others.
fn owner(object: &DynamicObject) -> Option<Owner> {
    if let Some(owner) = object.annotations().get(OWNER_ANNOTATION) {
        let (namespace, name) = owner.split_once('/')?;
        return Some(Owner {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        });
    }
    Some(Owner {
        namespace: object.namespace()?,
        name: object.labels().get(INSTANCE_LABEL)?.clone(),
    })
}
