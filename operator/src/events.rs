//! Kubernetes Events on the resources.
//!
//! Promises: each Event reports a change: a steady resource has none; an Event that cannot be written is logged and
//! dropped; no text holds a secret, because all texts are those of conditions.

use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::{Client, Resource};
use live_data_crd::reason::{ConditionType, EventReason};
use live_data_crd::{LiveDataProcessor, LiveDataProcessorStatus};

use crate::apply::ApplyReport;
use crate::names::MANAGER;

/// Longest note of an Event in bytes; the API allows 1024.
const MAX_NOTE_BYTES: usize = 1000;

/// Writer of Kubernetes Events on the resources; a failed write is logged and dropped.
#[derive(Clone)]
pub struct EventPublisher {
    recorder: Recorder,
}

impl EventPublisher {
    /// Writer whose Events name the operator as controller and `instance` as its replica.
    pub fn new(client: Client, instance: &str) -> Self {
        let reporter = Reporter {
            controller: MANAGER.into(),
            instance: Some(instance.into()),
        };
        Self {
            recorder: Recorder::new(client, reporter),
        }
    }

    /// Publishes an Event for the objects applied, and one for each change of Degraded and Ready.
    pub async fn publish_changes(
        &self,
        resource: &LiveDataProcessor,
        applied: &ApplyReport,
        before: &LiveDataProcessorStatus,
        after: &LiveDataProcessorStatus,
    ) {
        for event in changes(applied, before, after) {
            self.publish(&resource.object_ref(&()), &event).await;
        }
    }

    /// Publishes the cause that delays a deletion.
    pub async fn publish_deletion_wait(&self, resource: &LiveDataProcessor, cause: &str) {
        let event = warning(EventReason::DeletionWaits.name(), "Delete", cause);
        self.publish(&resource.object_ref(&()), &event).await;
    }

    /// Publishes that a resource does not deserialize.
    pub async fn publish_unreadable(&self, metadata: &ObjectMeta, error: &str) {
        let reference = ObjectReference {
            api_version: Some("fia.com/v1".into()),
            kind: Some("LiveDataProcessor".into()),
            name: Some(metadata.name.clone().unwrap_or_default()),
            namespace: Some(metadata.namespace.clone().unwrap_or_default()),
            uid: Some(metadata.uid.clone().unwrap_or_default()),
            ..ObjectReference::default()
        };
        let note = format!("the resource cannot be read and is left alone: {error}");
        self.publish(&reference, &warning(EventReason::Unreadable.name(), "Read", &note))
            .await;
    }

    async fn publish(&self, reference: &ObjectReference, event: &Event) {
        if let Err(error) = self.recorder.publish(event, reference).await {
            tracing::debug!(%error, reason = event.reason, "an Event could not be written");
        }
    }
}

/// Events of one reconcile.
fn changes(applied: &ApplyReport, before: &LiveDataProcessorStatus, after: &LiveDataProcessorStatus) -> Vec<Event> {
    let mut events = Vec::new();
    if !applied.adopted.is_empty() {
        let note = format!("took over {} from the former operator", applied.adopted.join(", "));
        events.push(normal(EventReason::TakenOver, "TakeOver", &note));
    } else if !applied.written.is_empty() {
        let note = format!("applied {}", applied.written.join(", "));
        events.push(normal(EventReason::Applied, "Apply", &note));
    }
    if let Some(degraded) = after.condition(ConditionType::Degraded) {
        let changed = before
            .condition(ConditionType::Degraded)
            .is_none_or(|former| former.status != degraded.status || former.reason != degraded.reason);
        if changed && degraded.status == "True" {
            events.push(warning(&degraded.reason, "Reconcile", &degraded.message));
        }
    }
    if let Some(ready) = after.condition(ConditionType::Ready) {
        let was_ready = before
            .condition(ConditionType::Ready)
            .is_some_and(|former| former.status == "True");
        match (was_ready, ready.status == "True") {
            (false, true) => events.push(normal(EventReason::Ready, "Reconcile", &ready.message)),
            (true, false) => events.push(warning(EventReason::NotReady.name(), "Reconcile", &ready.message)),
            _ => {}
        }
    }
    events
}

fn normal(reason: EventReason, action: &str, note: &str) -> Event {
    event(EventType::Normal, reason.name(), action, note)
}

fn warning(reason: &str, action: &str, note: &str) -> Event {
    event(EventType::Warning, reason, action, note)
}

fn event(type_: EventType, reason: &str, action: &str, note: &str) -> Event {
    Event {
        type_,
        reason: reason.to_owned(),
        note: Some(note[..note.floor_char_boundary(MAX_NOTE_BYTES)].to_owned()),
        action: action.to_owned(),
        secondary: None,
    }
}
