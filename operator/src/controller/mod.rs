//! Watches, the queue and the poll of the workers, while this operator leads.
//!
//! Promises: nothing is reconciled before every watch has brought its first list; a broken watch starts again after a
//! growing delay. Must not: change a resource or its objects; `reconcile` does, for the resources queued here.
//!
//! # Layout
//! - `watch`: a watch of any kind; `resources`, `objects`, `pods`: handlers of their events; `queue`.

mod objects;
mod pods;
mod queue;
mod resources;
mod watch;

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::UnboundedReceiver;
use futures::future::join_all;
use futures::{StreamExt, pin_mut};
use kube::Client;
use kube::api::Api;
use kube::runtime::controller::{self, applier};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher;
use live_data_crd::LiveDataProcessor;
use strum::VariantArray;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::contention::Contention;
use crate::events::EventPublisher;
use crate::metrics::Metrics;
use crate::names::WORKER_SELECTOR;
use crate::object_cache::{ObjectCache, PendingList};
use crate::object_kind::ObjectKind;
use crate::observe::pods::{WorkerPod, WorkerPods};
use crate::observe::poll;
use crate::observe::reports::WorkerReports;
use crate::publish::StatusPublisher;
use crate::reconcile::context::{Context, FailedAttempts};
use crate::reconcile::{reconcile, retry};
use objects::ObjectHandler;
use pods::{MountFailureHandler, PodHandler};
use queue::Queue;
use resources::ResourceHandler;
use watch::Watch;

/// Most reconciles at a time.
const CONCURRENCY: u16 = 16;
/// Changes of one resource within this time cause one reconcile: a new worker causes a dozen.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Watches whose first list reconciles wait for: resources, pods and one for each kind of object.
const AWAITED_WATCHES: u32 = ObjectKind::VARIANTS.len() as u32 + 2;

/// Runs the controller until the future is dropped, which ends every request under way.
///
/// `on_synced` is called when the first lists of all watches are complete.
pub async fn run(
    client: Client,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    http: reqwest::Client,
    identity: &str,
    on_synced: impl FnOnce(),
) {
    let (queue, requests) = Queue::new();
    let writer = Writer::<LiveDataProcessor>::default();
    let context = Arc::new(Context {
        client: client.clone(),
        config,
        resources: writer.as_reader(),
        objects: ObjectCache::default(),
        contention: Contention::default(),
        pods: WorkerPods::default(),
        reports: WorkerReports::default(),
        publisher: StatusPublisher::default(),
        events: EventPublisher::new(client, identity),
        metrics,
        attempts: FailedAttempts::default(),
    });
    let first_lists = Arc::new(Semaphore::new(0));
    let notify = |pod: &WorkerPod| queue.push(&pod.namespace, &pod.resource);
    let polls = poll::poll(&http, &context.pods, &context.reports, &context.metrics, notify);
    let reconciles = async {
        // Cannot fail: the semaphore is never closed.
        if first_lists.acquire_many(AWAITED_WATCHES).await.is_ok() {
            on_synced();
            run_reconciles(context.clone(), requests).await;
        }
    };
    // Every branch runs until the future is dropped.
    tokio::select! {
        () = watch_resources(&context, writer, &queue, &first_lists) => {}
        () = watch_objects(&context, &queue, &first_lists) => {}
        () = watch_pods(&context, &queue, &first_lists) => {}
        () = watch_mount_failures(&context, &queue) => {}
        () = polls => {}
        () = reconciles => {}
    }
}

async fn run_reconciles(context: Arc<Context>, requests: UnboundedReceiver<ObjectRef<LiveDataProcessor>>) {
    let config = controller::Config::default()
        .concurrency(CONCURRENCY)
        .debounce(DEBOUNCE);
    let store = context.resources.clone();
    let results = applier(
        |resource, context| Box::pin(reconcile(resource, context)),
        retry,
        context,
        store,
        requests.map(Ok::<_, Infallible>),
        config,
    );
    pin_mut!(results);
    while let Some(result) = results.next().await {
        match result {
            // `retry` has logged a failed reconcile; a resource that is gone needs no log line.
            Ok(_) | Err(controller::Error::ReconcilerFailed(..) | controller::Error::ObjectNotFound(_)) => {}
            Err(error) => tracing::error!(%error, "the queue failed"),
        }
    }
}

async fn watch_resources(
    context: &Arc<Context>,
    writer: Writer<LiveDataProcessor>,
    queue: &Queue,
    first_lists: &Arc<Semaphore>,
) {
    let watch = Watch {
        api: Api::all(context.client.clone()),
        config: watcher::Config::default(),
        kind: "LiveDataProcessor",
        first_lists: first_lists.clone(),
    };
    let handler = ResourceHandler {
        context: context.clone(),
        writer,
        queue: queue.clone(),
        fingerprints: HashMap::new(),
    };
    watch.run(context.metrics.clone(), handler).await;
}

async fn watch_objects(context: &Arc<Context>, queue: &Queue, first_lists: &Arc<Semaphore>) {
    let watches = ObjectKind::VARIANTS.iter().map(|&kind| {
        let watch = Watch {
            api: Api::all_with(context.client.clone(), &kind.api_resource()),
            config: watcher::Config::default().labels(WORKER_SELECTOR),
            kind: kind.name(),
            first_lists: first_lists.clone(),
        };
        let handler = ObjectHandler {
            context: context.clone(),
            kind,
            queue: queue.clone(),
            pending: PendingList::default(),
            listed: false,
        };
        watch.run(context.metrics.clone(), handler)
    });
    join_all(watches).await;
}

async fn watch_pods(context: &Arc<Context>, queue: &Queue, first_lists: &Arc<Semaphore>) {
    let watch = Watch {
        api: Api::all(context.client.clone()),
        config: watcher::Config::default().labels(WORKER_SELECTOR),
        kind: "Pod",
        first_lists: first_lists.clone(),
    };
    let handler = PodHandler {
        context: context.clone(),
        queue: queue.clone(),
        listed: HashSet::new(),
    };
    watch.run(context.metrics.clone(), handler).await;
}

async fn watch_mount_failures(context: &Arc<Context>, queue: &Queue) {
    let watches = ["FailedMount", "FailedAttachVolume"].map(|reason| {
        let watch = Watch {
            api: Api::all(context.client.clone()),
            config: watcher::Config::default().fields(&format!("involvedObject.kind=Pod,reason={reason}")),
            kind: "Event",
            // Reconciles do not wait for these lists.
            first_lists: Arc::new(Semaphore::new(0)),
        };
        let handler = MountFailureHandler {
            context: context.clone(),
            queue: queue.clone(),
        };
        watch.run(context.metrics.clone(), handler)
    });
    join_all(watches).await;
}
