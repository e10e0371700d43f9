//! One reconcile: resolve, validate, desired, apply, observe, status.
//!
//! Promises: it reads top to bottom as the module list of the crate does; a failure of a step ends it and is tried
//! again later, and what was found until then is still published where it can be.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::runtime::controller::Action;
use kube::runtime::reflector::Store;
use kube::{Client, ResourceExt};
use live_data_crd::LiveDataProcessor;
use parking_lot::Mutex;

use crate::apply::{self, Applied};
use crate::cleanup::{self, Cleanup};
use crate::config::Config;
use crate::contention::Contention;
use crate::desired;
use crate::events::Events;
use crate::failure::{self, Failure};
use crate::metrics::Metrics;
use crate::names::{FINALIZER, Names};
use crate::objects::{Kind, Objects};
use crate::observe;
use crate::observe::pods::Pods;
use crate::observe::reports::Reports;
use crate::publish::Published;
use crate::resolve;
use crate::status::Knowledge;
use crate::validate;

/// Problems with what no watch shows, because it bears no label of ours; and what is put right once in a while.
const UNWATCHED: [&str; 5] = ["NameTaken", "ClaimTaken", "VolumeTaken", "ClaimMissing", "Contended"];

/// Time between looks at it.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// Failed attempts before a resource says that requests fail.
const PATIENCE: u32 = 3;

/// Everything that a reconcile works with.
pub struct Context {
    /// The cluster.
    pub client: Client,
    /// The site.
    pub config: Arc<Config>,
    /// All resources.
    pub resources: Store<LiveDataProcessor>,
    /// All objects of ours.
    pub objects: Objects,
    /// Objects that others change back.
    pub contention: Contention,
    /// All workers' pods.
    pub pods: Pods,
    /// All workers' reports.
    pub reports: Reports,
    /// Statuses that were written.
    pub published: Published,
    /// Writes Events.
    pub events: Events,
    /// Counts.
    pub metrics: Arc<Metrics>,
    /// Failed attempts by UID, since the last that went well.
    pub attempts: Mutex<HashMap<String, u32>>,
}

/// Brings one resource's objects and status to what they should be.
///
/// # Errors
/// When a request fails; [`retry`] says when to try again.
pub async fn reconcile(resource: Arc<LiveDataProcessor>, context: Arc<Context>) -> Result<Action, Failure> {
    let started = Instant::now();
    let uid = resource.uid().unwrap_or_default();
    if resource.metadata.deletion_timestamp.is_some() {
        let cleanup = match cleanup::cleanup(&context.client, &context.objects, &resource).await {
            Ok(cleanup) => cleanup,
            Err(error) => {
                let failed = context.attempts.lock().get(&uid).copied().unwrap_or_default();
                if error.class() == failure::Class::User || failed >= PATIENCE {
                    deletion_waits(&context, &resource, &error.to_string()).await?;
                }
                return Err(error);
            }
        };
        context.attempts.lock().remove(&uid);
        context.metrics.reconciled(started.elapsed().as_secs_f64(), 0, false);
        if let Cleanup::Held(held) = &cleanup {
            deletion_waits(&context, &resource, held).await?;
        }
        return Ok(match cleanup {
            // The volumes' watch wakes it; the clock only guards against a lost event.
            Cleanup::Waiting | Cleanup::Held(_) => Action::requeue(Duration::from_secs(60)),
            Cleanup::Unwatched => Action::requeue(Duration::from_secs(2)),
            Cleanup::Done => Action::await_change(),
        });
    }
    let all = context.resources.state();
    let resolved = resolve::resolve(&context.client, &resource, &all, &context.config.worker_defaults).await?;
    let verdict = validate::validate(&resource, &resolved, &context.config);
    let mut problems = verdict.problems;
    let mut applied = Applied::default();
    let mut claims = Vec::new();
    let mut added_finalizer = false;
    let mut failure = None;
    if let Some(plan) = &verdict.plan {
        let wanted = desired::desired(plan).map_err(|error| Failure::json("write", resource.name_any(), error))?;
        claims.extend(
            wanted
                .iter()
                .filter(|object| object.kind == Kind::PersistentVolumeClaim)
                .map(|object| object.name.clone()),
        );
        let outcome = async {
            if !resource.finalizers().iter().any(|finalizer| finalizer == FINALIZER) {
                cleanup::add_finalizer(&context.client, &resource).await?;
                added_finalizer = true;
            }
            apply::apply(&context.client, &context.objects, &context.contention, plan, &wanted).await
        };
        match outcome.await {
            Ok(done) => applied = done,
            Err(error) => {
                let failed = context.attempts.lock().get(&uid).copied().unwrap_or_default();
                match error.class() {
                    // A refusal (quota, admission policy, rights) is for the site to see.
                    failure::Class::User => problems.push(validate::Problem::new("Refused", error.to_string())),
                    // So is what fails again and again, such as a webhook that is away; a hiccup is for the log.
                    failure::Class::External if failed >= PATIENCE => {
                        problems.push(validate::Problem::new("RequestsFail", error.to_string()));
                    }
                    _ => {}
                }
                failure = Some(error);
            }
        }
        problems.extend(applied.problems.iter().cloned());
    }
    let names = Names::new(&resource.namespace().unwrap_or_default(), &resource.name_any());
    let observation = observe::observe(&context.objects, &context.pods, &context.reports, &names, &claims);
    let knowledge = Knowledge {
        generation: resource.metadata.generation,
        instrument: &verdict.instrument,
        suspend: resource.spec.suspend.unwrap_or(false),
        planned: verdict.plan.is_some(),
        problems: &problems,
        waiting: &applied.waiting,
        observation: &observation,
        resources: all.len(),
    };
    let publication = context.published.publish(&context.client, &resource, &knowledge).await;
    if let Some(failure) = failure {
        return Err(failure);
    }
    let publication = publication?;
    context
        .events
        .tell(&resource, &applied, &publication.before, &publication.after)
        .await;
    context.attempts.lock().remove(&uid);
    let written = publication.before != publication.after;
    context
        .metrics
        .reconciled(started.elapsed().as_secs_f64(), applied.written.len(), written);
    if !applied.written.is_empty() || added_finalizer {
        tracing::info!(resource = %names.owner(), applied = applied.written.join(" "), "reconciled");
    }
    // No watch shows when what is in the way is gone.
    let unwatched = problems.iter().any(|problem| UNWATCHED.contains(&problem.reason));
    let look_again = unwatched.then(|| LOOK_AGAIN.mul_f64(0.75 + 0.5 * failure::random()));
    // The claims' watch wakes it before that.
    let unbound = applied.binding.then_some(apply::BINDING);
    let again = publication.again.into_iter().chain(look_again).chain(unbound).min();
    Ok(again.map_or_else(Action::await_change, Action::requeue))
}

/// Tells on the resource why its deletion does not go on.
async fn deletion_waits(context: &Context, resource: &LiveDataProcessor, why: &str) -> Result<(), Failure> {
    tracing::warn!(resource = resource.name_any(), why, "a deletion waits");
    context.events.deletion_waits(resource, why).await;
    let names = Names::new(&resource.namespace().unwrap_or_default(), &resource.name_any());
    let observation = observe::observe(&context.objects, &context.pods, &context.reports, &names, &[]);
    let problems = [validate::Problem::new("DeletionWaits", why)];
    let knowledge = Knowledge {
        generation: resource.metadata.generation,
        instrument: &validate::instrument(resource),
        suspend: false,
        planned: false,
        problems: &problems,
        waiting: &[],
        observation: &observation,
        resources: context.resources.len(),
    };
    context.published.publish(&context.client, resource, &knowledge).await?;
    Ok(())
}

/// When to try again after a failure.
#[allow(clippy::needless_pass_by_value)] // The queue hands it over by value.
pub fn retry(resource: Arc<LiveDataProcessor>, failure: &Failure, context: Arc<Context>) -> Action {
    let class = failure.class();
    context.metrics.failed(class.label());
    let attempt = {
        let mut attempts = context.attempts.lock();
        let attempt = attempts.entry(resource.uid().unwrap_or_default()).or_default();
        *attempt = attempt.saturating_add(1);
        *attempt
    };
    let delay = failure::delay(class, attempt);
    tracing::warn!(
        resource = %format!("{}/{}", resource.namespace().unwrap_or_default(), resource.name_any()),
        error = %failure, class = class.label(), attempt, again_in_seconds = delay.as_secs_f64(), "reconcile failed"
    );
    Action::requeue(delay)
}
