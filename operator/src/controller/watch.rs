//! Watch of any kind of object: its events go to a handler, and its first list is counted.
//!
//! Promises: a broken watch starts again after a delay that grows to ten seconds; each error is counted and logged.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, pin_mut};
use kube::Resource;
use kube::api::Api;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, Event, watcher};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;

use crate::backoff;
use crate::metrics::Metrics;

/// Objects in a page of a list; a page is in memory as a whole.
const PAGE_SIZE: u32 = 50;

/// Consumer of a watch's events.
pub trait EventHandler<K> {
    /// Handles one event; the next is read when the future has ended.
    async fn handle(&mut self, event: Event<K>);
}

/// Watch of one kind of object, before it starts.
pub struct Watch<K> {
    pub api: Api<K>,
    /// Label and field selectors; the page size is `PAGE_SIZE`.
    pub config: watcher::Config,
    /// Value of the metric's label `kind`.
    pub kind: &'static str,
    /// Receives one permit when the first list is complete.
    pub first_lists: Arc<Semaphore>,
}

impl<K> Watch<K>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    /// Passes every event to the handler. Never returns.
    pub async fn run(self, metrics: Arc<Metrics>, mut handler: impl EventHandler<K>) {
        let kind = self.kind;
        let events = watcher(self.api, self.config.page_size(PAGE_SIZE))
            .backoff(WatchBackoff { attempt: 0 })
            .inspect_err(move |error| {
                metrics.record_watch_error(kind);
                tracing::warn!(%error, kind, "a watch broke; it begins anew");
            })
            .filter_map(|event| async { event.ok() });
        pin_mut!(events);
        let mut listed = false;
        while let Some(event) = events.next().await {
            let is_end_of_list = matches!(event, Event::InitDone);
            handler.handle(event).await;
            if is_end_of_list && !listed {
                listed = true;
                self.first_lists.add_permits(1);
            }
        }
    }
}

/// Delays between attempts of a watch: 0.8 s, doubled up to 10 s, with a jitter of a quarter.
struct WatchBackoff {
    attempt: u32,
}

impl Iterator for WatchBackoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        self.attempt = self.attempt.saturating_add(1);
        let delay = Duration::from_millis(400).saturating_mul(1 << self.attempt.min(5));
        Some(backoff::jittered(delay.min(Duration::from_secs(10)), 0.25))
    }
}

impl Backoff for WatchBackoff {
    fn reset(&mut self) {
        self.attempt = 0;
    }
}
