//! Events on the resources: what was done and what went wrong, once each.
//!
//! Promises: an Event tells of a change, so a steady resource has none; a failed Event is logged and forgotten. No
//! text holds a secret: they are the conditions' texts.

use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use live_data_crd::status::condition;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorStatus};

use crate::apply::Applied;
use crate::names::MANAGER;

/// Writes Events.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
}

impl Events {
    /// A writer under the operator's name.
    pub fn new(client: Client, instance: &str) -> Self {
        let reporter = Reporter {
            controller: MANAGER.into(),
            instance: Some(instance.into()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
        }
    }

    /// Tells what was applied and which conditions have changed.
    pub async fn tell(
        &self,
        resource: &LiveDataProcessor,
        applied: &Applied,
        before: &LiveDataProcessorStatus,
        after: &LiveDataProcessorStatus,
    ) {
        for event in changes(applied, before, after) {
            self.publish(resource, &event).await;
        }
    }

    async fn publish(&self, resource: &LiveDataProcessor, event: &Event) {
        if let Err(error) = self.recorder.publish(event, &resource.object_ref(&())).await {
            tracing::debug!(%error, reason = event.reason, "an Event could not be written");
        }
    }

    /// Tells what a deletion waits for.
    pub async fn deletion_waits(&self, resource: &LiveDataProcessor, held: &str) {
        self.publish(resource, &warning("DeletionWaits", "Delete", held)).await;
    }

    /// Tells that a resource cannot be read.
    pub async fn unreadable(&self, name: &str, namespace: &str, uid: &str, error: &str) {
        let reference = k8s_openapi::api::core::v1::ObjectReference {
            api_version: Some("fia.com/v1".into()),
            kind: Some("LiveDataProcessor".into()),
            name: Some(name.into()),
            namespace: Some(namespace.into()),
            uid: Some(uid.into()),
            ..Default::default()
        };
        let event = warning(
            "Unreadable",
            "Read",
            &format!("the resource cannot be read and is left alone: {error}"),
        );
        if let Err(error) = self.recorder.publish(&event, &reference).await {
            tracing::debug!(%error, "an Event could not be written");
        }
    }
}

/// The Events of one reconcile.
fn changes(applied: &Applied, before: &LiveDataProcessorStatus, after: &LiveDataProcessorStatus) -> Vec<Event> {
    let mut events = Vec::new();
    if !applied.adopted.is_empty() {
        let what = format!("took over {} from the former operator", applied.adopted.join(", "));
        events.push(normal("TakenOver", "TakeOver", &what));
    } else if !applied.written.is_empty() {
        events.push(normal(
            "Applied",
            "Apply",
            &format!("applied {}", applied.written.join(", ")),
        ));
    }
    let of = |status: &LiveDataProcessorStatus, kind: &str| {
        status
            .conditions
            .iter()
            .find(|condition| condition.type_ == kind)
            .cloned()
    };
    if let Some(degraded) = of(after, condition::DEGRADED) {
        let former = of(before, condition::DEGRADED);
        let changed = former
            .as_ref()
            .is_none_or(|former| former.status != degraded.status || former.reason != degraded.reason);
        if changed && degraded.status == "True" {
            events.push(warning(&degraded.reason, "Reconcile", &degraded.message));
        }
    }
    if let Some(ready) = of(after, condition::READY) {
        let was = of(before, condition::READY).is_some_and(|former| former.status == "True");
        match (was, ready.status == "True") {
            (false, true) => events.push(normal("Ready", "Reconcile", &ready.message)),
            (true, false) => events.push(warning("NotReady", "Reconcile", &ready.message)),
            _ => {}
        }
    }
    events
}

fn normal(reason: &str, action: &str, note: &str) -> Event {
    event(EventType::Normal, reason, action, note)
}

fn warning(reason: &str, action: &str, note: &str) -> Event {
    event(EventType::Warning, reason, action, note)
}

fn event(type_: EventType, reason: &str, action: &str, note: &str) -> Event {
    // The API takes 1024 bytes.
    let mut end = note.len().min(1000);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note[..end].to_owned()),
        action: action.to_owned(),
        secondary: None,
    }
}
