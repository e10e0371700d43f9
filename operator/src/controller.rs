//! Watches, the queue, and the poll of the workers, while this operator leads.
//!
//! Promises: nothing is reconciled before every watch has brought its first list; a broken watch begins anew with a
//! growing delay; a resource that cannot be read is told about and never stops the others. It must not decide what
//! happens to a resource: it only says which one to look at.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc::{self, UnboundedReceiver, UnboundedSender};
use futures::{Stream, StreamExt, TryStreamExt, pin_mut};
use k8s_openapi::api::core::v1::{Event as CoreEvent, Pod};
use kube::api::{Api, DynamicObject};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt;
use kube::runtime::controller::{self, applier};
use kube::runtime::reflector::ObjectRef;
use kube::runtime::reflector::store::Writer;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Client, Resource, ResourceExt};
use live_data_crd::LiveDataProcessor;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::config::Config;
use crate::contention::Contention;
use crate::events::Events;
use crate::failure;
use crate::metrics::Metrics;
use crate::names::WORKER_SELECTOR;
use crate::objects::{Kind, Objects};
use crate::observe::pods::{self, Pods};
use crate::observe::reports::{self, Reports};
use crate::publish::Published;
use crate::reconcile::{Context, reconcile, retry};
use crate::validate;

/// Reconciles at a time.
const CONCURRENCY: u16 = 16;
/// Changes of one resource that come within this time are one reconcile: a new worker brings a dozen.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Objects a page of a first list: a page is in memory at once.
const PAGE: u32 = 50;
/// Watches that reconciles wait for: the resources, six kinds of objects, the pods.
const WATCHES: u32 = 8;

type Queue = UnboundedSender<ObjectRef<LiveDataProcessor>>;

/// Works until it is dropped. `synced` is called when every watch has brought its first list.
pub async fn run(
    client: Client,
    config: Arc<Config>,
    metrics: Arc<Metrics>,
    http: reqwest::Client,
    identity: &str,
    synced: impl FnOnce(),
) {
    let (queue, requests): (Queue, UnboundedReceiver<_>) = mpsc::unbounded();
    let writer = Writer::<LiveDataProcessor>::default();
    let context = Arc::new(Context {
        client: client.clone(),
        config,
        resources: writer.as_reader(),
        objects: Objects::default(),
        contention: Contention::default(),
        pods: Pods::default(),
        reports: Reports::default(),
        published: Published::default(),
        events: Events::new(client.clone(), identity),
        metrics,
        attempts: Mutex::default(),
    });
    let first_lists = Arc::new(Semaphore::new(0));

    let resources = watch_resources(context.clone(), writer, queue.clone(), first_lists.clone());
    let objects = futures::future::join_all(
        Kind::ALL.map(|kind| watch_objects(context.clone(), kind, queue.clone(), first_lists.clone())),
    );
    let pods = watch_pods(context.clone(), queue.clone(), first_lists.clone());
    let mounts = watch_mounts(context.clone(), "FailedMount", queue.clone());
    let attachments = watch_mounts(context.clone(), "FailedAttachVolume", queue.clone());
    let tell = |namespace: &str, name: &str| enqueue(&queue, namespace, name);
    let poll = reports::poll(&http, &context.pods, &context.reports, &context.metrics, tell);
    let work = async {
        // Never closed, so this cannot fail.
        if first_lists.acquire_many(WATCHES).await.is_ok() {
            synced();
            work(context.clone(), requests).await;
        }
    };
    // Each goes on for ever; the first that ends, if one could, ends the lot.
    tokio::select! {
        () = resources => {}
        _ = objects => {}
        () = pods => {}
        () = mounts => {}
        () = attachments => {}
        () = poll => {}
        () = work => {}
    }
}

async fn work(context: Arc<Context>, requests: UnboundedReceiver<ObjectRef<LiveDataProcessor>>) {
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
            // A failed reconcile was logged with its delay; a resource that is gone needs none.
            Ok(_) | Err(controller::Error::ReconcilerFailed(..) | controller::Error::ObjectNotFound(_)) => {}
            Err(error) => tracing::error!(%error, "the queue failed"),
        }
    }
}

fn enqueue(queue: &Queue, namespace: &str, name: &str) {
    // The receiver lives as long as the controller does.
    let _ = queue.unbounded_send(ObjectRef::new(name).within(namespace));
}

/// Begins a broken watch anew after a delay that grows to ten seconds.
struct WatchBackoff {
    attempt: u32,
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.attempt = self.attempt.saturating_add(1);
        let delay = Duration::from_millis(400).saturating_mul(1 << self.attempt.min(5));
        Some(
            delay
                .min(Duration::from_secs(10))
                .mul_f64(0.75 + 0.5 * failure::random()),
        )
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.attempt = 0;
    }
}

/// The events of a watch; errors are counted and logged, and the watch goes on.
fn events<K>(
    api: Api<K>,
    config: watcher::Config,
    kind: &'static str,
    metrics: Arc<Metrics>,
) -> impl Stream<Item = Event<K>>
where
    K: Resource + Clone + serde::de::DeserializeOwned + Debug + Send + 'static,
{
    watcher(api, config.page_size(PAGE))
        .backoff(WatchBackoff { attempt: 0 })
        .inspect_err(move |error| {
            metrics.watch_broke(kind);
            tracing::warn!(%error, kind, "a watch broke; it begins anew");
        })
        .filter_map(|event| async { event.ok() })
}

async fn watch_resources(
    context: Arc<Context>,
    mut writer: Writer<LiveDataProcessor>,
    queue: Queue,
    first_lists: Arc<Semaphore>,
) {
    let api: Api<DeserializeGuard<LiveDataProcessor>> = Api::all(context.client.clone());
    let stream = events(
        api,
        watcher::Config::default(),
        "LiveDataProcessor",
        context.metrics.clone(),
    );
    pin_mut!(stream);
    let mut known: HashMap<ObjectRef<LiveDataProcessor>, String> = HashMap::new();
    let mut complete = false;
    while let Some(event) = stream.next().await {
        let event = match event {
            Event::Init => Event::Init,
            Event::InitDone => Event::InitDone,
            Event::Apply(guard) => match readable(&context, guard).await {
                Some(resource) => Event::Apply(resource),
                None => continue,
            },
            Event::InitApply(guard) => match readable(&context, guard).await {
                Some(resource) => Event::InitApply(resource),
                None => continue,
            },
            Event::Delete(guard) => {
                let metadata = guard.meta().clone();
                let mut resource = guard.0.unwrap_or_default();
                resource.metadata = metadata;
                Event::Delete(resource)
            }
        };
        writer.apply_watcher_event(&event);
        match &event {
            Event::Apply(resource) => {
                let reference = ObjectRef::from_obj(resource);
                let fingerprint = fingerprint(resource);
                let changed = known.get(&reference) != Some(&fingerprint);
                if changed || context.published.overwritten(resource) {
                    known.insert(reference.clone(), fingerprint);
                    let _ = queue.unbounded_send(reference);
                }
            }
            Event::Delete(resource) => {
                known.remove(&ObjectRef::from_obj(resource));
                let uid = resource.uid().unwrap_or_default();
                context.published.forget(&uid);
                context.attempts.lock().remove(&uid);
                successors(&context, resource, &queue);
            }
            Event::InitDone => {
                let all = context.resources.state();
                known = all
                    .iter()
                    .map(|resource| (ObjectRef::from_obj(&**resource), fingerprint(resource)))
                    .collect();
                for resource in &all {
                    enqueue(&queue, &resource.namespace().unwrap_or_default(), &resource.name_any());
                }
                if !complete {
                    complete = true;
                    first_lists.add_permits(1);
                }
            }
            Event::Init | Event::InitApply(_) => {}
        }
        context.metrics.resources(context.resources.len());
    }
}

/// A resource without what is large and not needed; one that cannot be read is told about.
async fn readable(context: &Context, guard: DeserializeGuard<LiveDataProcessor>) -> Option<LiveDataProcessor> {
    match guard.0 {
        Ok(mut resource) => {
            resource.metadata.managed_fields = None;
            if let Some(annotations) = resource.metadata.annotations.as_mut() {
                annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            }
            Some(resource)
        }
        Err(error) => {
            context.metrics.unreadable();
            let name = error.metadata.name.clone().unwrap_or_default();
            let namespace = error.metadata.namespace.clone().unwrap_or_default();
            tracing::warn!(resource = %format!("{namespace}/{name}"), error = error.error, "a resource cannot be read and is left alone");
            let uid = error.metadata.uid.clone().unwrap_or_default();
            context.events.unreadable(&name, &namespace, &uid, &error.error).await;
            // What is being deleted waits for its finalizer, and cleaning up needs no spec.
            let deleting = error.metadata.deletion_timestamp.is_some();
            deleting.then(|| LiveDataProcessor {
                metadata: error.metadata,
                ..LiveDataProcessor::default()
            })
        }
    }
}

/// What a reconcile depends on; our own writes of the status do not wake us.
fn fingerprint(resource: &LiveDataProcessor) -> String {
    format!(
        "{:?} {:?} {:?} {:?}",
        resource.metadata.uid,
        resource.metadata.generation,
        resource.metadata.deletion_timestamp.is_some(),
        resource.metadata.finalizers,
    )
}

/// Whoever waits for the instrument of a resource that is gone.
fn successors(context: &Context, gone: &LiveDataProcessor, queue: &Queue) {
    let instrument = validate::instrument(gone);
    for other in context.resources.state() {
        if validate::instrument(&other).eq_ignore_ascii_case(&instrument) {
            enqueue(queue, &other.namespace().unwrap_or_default(), &other.name_any());
        }
    }
}

async fn watch_objects(context: Arc<Context>, kind: Kind, queue: Queue, first_lists: Arc<Semaphore>) {
    let api: Api<DynamicObject> = Api::all_with(context.client.clone(), &kind.api_resource());
    let stream = events(
        api,
        watcher::Config::default().labels(WORKER_SELECTOR),
        kind.name(),
        context.metrics.clone(),
    );
    pin_mut!(stream);
    let mut listed = HashMap::new();
    let mut complete = false;
    while let Some(event) = stream.next().await {
        let done = matches!(event, Event::InitDone);
        let owner = match &event {
            Event::Apply(object) | Event::Delete(object) => owner(object),
            _ => None,
        };
        let changed = context.objects.observe(kind, event, &mut listed);
        if let Some((namespace, name)) = owner {
            enqueue(&queue, &namespace, &name);
        } else if done && complete && !changed.is_empty() {
            // After a gap anything may have happened to anyone.
            for resource in context.resources.state() {
                enqueue(&queue, &resource.namespace().unwrap_or_default(), &resource.name_any());
            }
        }
        if done && !complete {
            complete = true;
            first_lists.add_permits(1);
        }
    }
}

/// The resource that an object belongs to, by its labels and annotation.
fn owner(object: &DynamicObject) -> Option<(String, String)> {
    if let Some(owner) = object.annotations().get(crate::names::OWNER) {
        let (namespace, name) = owner.split_once('/')?;
        return Some((namespace.to_owned(), name.to_owned()));
    }
    Some((
        object.namespace()?,
        object.labels().get("app.kubernetes.io/instance")?.clone(),
    ))
}

async fn watch_pods(context: Arc<Context>, queue: Queue, first_lists: Arc<Semaphore>) {
    let api: Api<Pod> = Api::all(context.client.clone());
    let stream = events(
        api,
        watcher::Config::default().labels(WORKER_SELECTOR),
        "Pod",
        context.metrics.clone(),
    );
    pin_mut!(stream);
    let mut listed = HashSet::new();
    let mut complete = false;
    while let Some(event) = stream.next().await {
        match event {
            Event::Init => listed.clear(),
            Event::InitApply(pod) => {
                let seen = pods::seen(&pod);
                listed.insert(seen.uid.clone());
                take_in(&context, seen, &queue);
            }
            Event::Apply(pod) => take_in(&context, pods::seen(&pod), &queue),
            Event::Delete(pod) => {
                let seen = pods::seen(&pod);
                context.pods.remove(&seen.uid);
                enqueue(&queue, &seen.namespace, &seen.resource);
            }
            Event::InitDone => {
                context.pods.retain(&listed);
                listed.clear();
                if !complete {
                    complete = true;
                    first_lists.add_permits(1);
                }
            }
        }
    }
}

fn take_in(context: &Context, seen: pods::PodSeen, queue: &Queue) {
    let (namespace, resource) = (seen.namespace.clone(), seen.resource.clone());
    if context.pods.put(seen) {
        enqueue(queue, &namespace, &resource);
    }
}

/// Events of one reason: what else tells of a missing secret or volume needs the right to read secrets.
async fn watch_mounts(context: Arc<Context>, reason: &'static str, queue: Queue) {
    let api: Api<CoreEvent> = Api::all(context.client.clone());
    let config = watcher::Config::default().fields(&format!("involvedObject.kind=Pod,reason={reason}"));
    let stream = events(api, config, "Event", context.metrics.clone());
    pin_mut!(stream);
    while let Some(event) = stream.next().await {
        if let Event::Apply(event) | Event::InitApply(event) = event
            && let Some((namespace, resource)) = context.pods.mount_failed(&event)
        {
            enqueue(&queue, &namespace, &resource);
        }
    }
}
