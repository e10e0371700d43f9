//! Reconcile of one resource: resolve, validate, build, apply, observe, status and publish.
//!
//! Promises: each step takes the values of the steps before it; only resolve, apply, publish and the deletion get a client.
//! An error of apply ends the reconcile after the status has been published: the resource shows it.

pub mod context;
mod finalize;

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::ResourceExt;
use kube::runtime::controller::Action;
use live_data_crd::LiveDataProcessor;
use live_data_crd::reason::ConditionReason;

use crate::apply::{self, ApplyReport};
use crate::backoff;
use crate::build;
use crate::deletion;
use crate::error::{ErrorClass, ReconcileError};
use crate::names::{FINALIZER, Names};
use crate::object_kind::ObjectKind;
use crate::observe;
use crate::plan::Plan;
use crate::problem::Problem;
use crate::publish::PublishedStatus;
use crate::resolve;
use crate::status::input::StatusInput;
use crate::validate::{self, Validated};
use context::Context;

/// Mean time between reconciles of a resource with a problem whose end no watch shows.
const RECHECK_INTERVAL: Duration = Duration::from_secs(20);
/// Failed attempts after which an error of the apiserver becomes a problem of the resource.
const MAX_SILENT_FAILURES: u32 = 3;

/// Result of the steps build and apply.
#[derive(Default)]
struct Application {
    report: ApplyReport,
    /// Names of the plan's claims.
    claims: Vec<String>,
    finalizer_added: bool,
    error: Option<ReconcileError>,
}

/// Reconciles one resource; returns the delay after which it is reconciled again without an event.
///
/// # Errors
/// [`ReconcileError`] of the step that failed; [`retry`] decides the delay of the next attempt.
pub async fn reconcile(resource: Arc<LiveDataProcessor>, context: Arc<Context>) -> Result<Action, ReconcileError> {
    if resource.metadata.deletion_timestamp.is_some() {
        return finalize::reconcile_deletion(&resource, &context).await;
    }
    let started = Instant::now();
    let all = context.resources.state();
    let resolved = resolve::resolve(&context.client, &resource, &all, &context.config.worker_defaults).await?;
    let Validated {
        instrument,
        plan,
        mut problems,
    } = validate::validate(&resource, &resolved, &context.config);
    let application = match &plan {
        Some(plan) => build_and_apply(&resource, &context, plan).await?,
        None => Application::default(),
    };
    problems.extend(
        application
            .error
            .as_ref()
            .and_then(|error| problem_of(error, &resource, &context)),
    );
    problems.extend(application.report.problems.iter().cloned());
    let names = Names::of(&resource);
    let observation = observe::observe(
        &context.objects,
        &context.pods,
        &context.reports,
        &names,
        &application.claims,
    );
    let input = StatusInput {
        generation: resource.metadata.generation,
        instrument: &instrument,
        suspend: resource.spec.suspend.unwrap_or(false),
        planned: plan.is_some(),
        problems: &problems,
        waiting: &application.report.waiting,
        observation: &observation,
        resources: all.len(),
    };
    let published = context.publisher.publish(&context.client, &resource, &input).await;
    if let Some(error) = application.error {
        return Err(error);
    }
    let published = published?;
    report_success(&resource, &context, started, &application, &published).await;
    Ok(next_reconcile(&problems, &application.report, &published))
}

/// Steps build and apply; an error of apply is part of the result, because the status has to be published first.
async fn build_and_apply(
    resource: &LiveDataProcessor,
    context: &Context,
    plan: &Plan,
) -> Result<Application, ReconcileError> {
    let objects = build::build(plan).map_err(|error| ReconcileError::json("write", resource.name_any(), error))?;
    let mut application = Application {
        claims: objects
            .iter()
            .filter(|object| object.kind == ObjectKind::PersistentVolumeClaim)
            .map(|object| object.name.clone())
            .collect(),
        ..Application::default()
    };
    if !resource.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
        match deletion::add_finalizer(&context.client, resource).await {
            Ok(()) => application.finalizer_added = true,
            Err(error) => {
                application.error = Some(error);
                return Ok(application);
            }
        }
    }
    match apply::apply(&context.client, &context.objects, &context.contention, plan, &objects).await {
        Ok(report) => application.report = report,
        Err(error) => application.error = Some(error),
    }
    Ok(application)
}

/// Problem that shows an error of apply on the resource; `None` while the log suffices.
///
/// A refusal shows at once, an unavailable apiserver after [`MAX_SILENT_FAILURES`] attempts.
fn problem_of(error: &ReconcileError, resource: &LiveDataProcessor, context: &Context) -> Option<Problem> {
    match error.class() {
        ErrorClass::User => Some(Problem::new(ConditionReason::Refused, error.to_string())),
        ErrorClass::External if context.attempts.count(resource) >= MAX_SILENT_FAILURES => {
            Some(Problem::new(ConditionReason::RequestsFail, error.to_string()))
        }
        _ => None,
    }
}

/// Events, metrics and log line of a reconcile without error.
async fn report_success(
    resource: &LiveDataProcessor,
    context: &Context,
    started: Instant,
    application: &Application,
    published: &PublishedStatus,
) {
    let written = &application.report.written;
    context
        .events
        .publish_changes(resource, &application.report, &published.before, &published.after)
        .await;
    context.attempts.reset(resource);
    context
        .metrics
        .record_reconcile(started.elapsed(), written.len(), published.is_written());
    if !written.is_empty() || application.finalizer_added {
        tracing::info!(
            resource = %Names::of(resource).owner(),
            applied = written.join(" "),
            "reconciled"
        );
    }
}

/// Earliest time at which something can change that no watch shows.
fn next_reconcile(problems: &[Problem], report: &ApplyReport, published: &PublishedStatus) -> Action {
    let recheck = problems
        .iter()
        .any(|problem| problem.reason.description().rechecked)
        .then(|| backoff::jittered(RECHECK_INTERVAL, 0.25));
    // A limit only: the claims' watch is usually faster.
    let binding = report.waits_for_binding.then_some(apply::BINDING_WAIT);
    let next = published.retry_after.into_iter().chain(recheck).chain(binding).min();
    next.map_or_else(Action::await_change, Action::requeue)
}

/// Delay before the next attempt after an error.
#[allow(clippy::needless_pass_by_value)] // The signature is kube's.
pub fn retry(resource: Arc<LiveDataProcessor>, error: &ReconcileError, context: Arc<Context>) -> Action {
    let class = error.class();
    context.metrics.record_failure(class);
    let attempt = context.attempts.increment(&resource);
    let delay = backoff::retry_delay(class, attempt);
    tracing::warn!(
        resource = %Names::of(&resource).owner(),
        error = %error, class = class.label(), attempt, again_in_seconds = delay.as_secs_f64(), "reconcile failed"
    );
    Action::requeue(delay)
}
