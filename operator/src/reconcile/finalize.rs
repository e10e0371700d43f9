//! Reconcile of a resource that is being deleted.
//!
//! Promises: the resource shows the cause that holds up its deletion, but not an error that may pass.

use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::runtime::controller::Action;
use live_data_crd::LiveDataProcessor;
use live_data_crd::reason::ConditionReason;

use super::context::Context;
use crate::deletion::{self, DeletionProgress};
use crate::error::{ErrorClass, ReconcileError};
use crate::names::Names;
use crate::observe;
use crate::problem::Problem;
use crate::spec_merge;
use crate::status::input::StatusInput;

/// Failed attempts after which an error that may pass is shown on the resource.
const MAX_SILENT_FAILURES: u32 = 3;
/// Time between checks while the volumes' watch shows none: a guard against a lost event.
const WATCHED_INTERVAL: Duration = Duration::from_secs(60);
/// Time between requests for volumes that no watch shows.
const UNWATCHED_INTERVAL: Duration = Duration::from_secs(2);

/// Deletes the objects of a resource, then its finalizer.
///
/// # Errors
/// [`ReconcileError::Api`] if a request fails.
pub(super) async fn reconcile_deletion(
    resource: &LiveDataProcessor,
    context: &Context,
) -> Result<Action, ReconcileError> {
    let started = Instant::now();
    let progress = match deletion::delete_objects(&context.client, &context.objects, resource).await {
        Ok(progress) => progress,
        Err(error) => {
            let failed = context.attempts.count(resource);
            if error.class() == ErrorClass::User || failed >= MAX_SILENT_FAILURES {
                publish_wait(resource, context, &error.to_string()).await?;
            }
            return Err(error);
        }
    };
    context.attempts.reset(resource);
    context.metrics.record_reconcile(started.elapsed(), 0, false);
    if let DeletionProgress::Blocked(cause) = &progress {
        publish_wait(resource, context, cause).await?;
    }
    Ok(match progress {
        DeletionProgress::Waiting | DeletionProgress::Blocked(_) => Action::requeue(WATCHED_INTERVAL),
        DeletionProgress::Unwatched => Action::requeue(UNWATCHED_INTERVAL),
        DeletionProgress::Done => Action::await_change(),
    })
}

/// Publishes an Event and a status with the cause that delays the deletion.
async fn publish_wait(resource: &LiveDataProcessor, context: &Context, cause: &str) -> Result<(), ReconcileError> {
    tracing::warn!(resource = resource.name_any(), why = cause, "a deletion waits");
    context.events.publish_deletion_wait(resource, cause).await;
    let names = Names::of(resource);
    let observation = observe::observe(&context.objects, &context.pods, &context.reports, &names, &[]);
    let problems = [Problem::new(ConditionReason::DeletionWaits, cause)];
    let input = StatusInput {
        generation: resource.metadata.generation,
        instrument: &spec_merge::instrument(resource),
        suspend: false,
        planned: false,
        problems: &problems,
        waiting: &[],
        observation: &observation,
        resources: context.resources.len(),
    };
    context.publisher.publish(&context.client, resource, &input).await?;
    Ok(())
}
