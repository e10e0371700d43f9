//! Last step of a reconcile: the status is written to the resource.
//!
//! Promises: an unchanged status costs no request. Mere progress towards a ready worker costs at most one in two seconds:
//! a worker that starts at once has one status write instead of one for each step. The last write is kept, because the
//! watch shows it with a delay.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::reason::ConditionType;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorStatus};
use parking_lot::Mutex;
use serde_json::json;

use crate::error::ReconcileError;
use crate::names::MANAGER;
use crate::object_cache::newer;
use crate::status::input::StatusInput;
use crate::status::{self, ComputedStatus};

/// Shortest time between two statuses of mere progress, and before the first.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(2);

/// Writer of statuses, with the last one of each resource.
#[derive(Debug, Default)]
pub struct StatusPublisher {
    by_uid: Mutex<HashMap<String, PublishedRecord>>,
}

#[derive(Debug, Default)]
struct PublishedRecord {
    /// Last status that was written or found, with the resourceVersion that has it.
    last: Option<(String, LiveDataProcessorStatus)>,
    /// Time of the last write; before the first, the time at which mere progress began to wait.
    written: Option<Instant>,
}

/// Status of a resource before and after a publication.
#[derive(Clone, Debug, PartialEq)]
pub struct PublishedStatus {
    /// Status before the reconcile.
    pub before: LiveDataProcessorStatus,
    /// Status after it; equal to `before` if nothing was written.
    pub after: LiveDataProcessorStatus,
    /// Delay until a status that was held back may be written; `None` if none was.
    pub retry_after: Option<Duration>,
}

impl PublishedStatus {
    /// True if the status was written.
    pub fn is_written(&self) -> bool {
        self.before != self.after
    }
}

/// True if the resource exists, by a list: the operator has no right to get a single resource.
async fn exists(api: &Api<LiveDataProcessor>, resource: &LiveDataProcessor) -> bool {
    let by_name = ListParams::default().fields(&format!("metadata.name={}", resource.name_any()));
    let listed = api.list_metadata(&by_name).await;
    listed.is_ok_and(|listed| listed.items.iter().any(|item| item.uid() == resource.uid()))
}

/// Status without the conditions of other controllers.
fn own_status(status: &LiveDataProcessorStatus) -> LiveDataProcessorStatus {
    let mut status = status.clone();
    status
        .conditions
        .retain(|condition| condition.type_.parse::<ConditionType>().is_ok());
    status
}

impl StatusPublisher {
    /// Removes the record of a deleted resource.
    pub fn forget(&self, uid: &str) {
        self.by_uid.lock().remove(uid);
    }

    /// Remaining wait for a status of mere progress; a resource seen for the first time begins to wait now.
    fn progress_wait(&self, uid: &str, now: Instant) -> Option<Duration> {
        let mut records = self.by_uid.lock();
        let since = *records.entry(uid.to_owned()).or_default().written.get_or_insert(now);
        PROGRESS_INTERVAL
            .checked_sub(now.saturating_duration_since(since))
            .filter(|left| !left.is_zero())
    }

    /// True if somebody else has changed the status since the last write.
    pub fn overwritten(&self, resource: &LiveDataProcessor) -> bool {
        let records = self.by_uid.lock();
        let record = records.get(&resource.uid().unwrap_or_default());
        record
            .and_then(|record| record.last.as_ref())
            .is_some_and(|(version, status)| {
                newer(&resource.resource_version().unwrap_or_default(), version)
                    && resource.status.as_ref().map(own_status).as_ref() != Some(status)
            })
    }

    /// Records a status and the version that has it, unless a newer version is known.
    fn record(&self, resource: &LiveDataProcessor, version: Option<String>, status: &LiveDataProcessorStatus) {
        let version = version.unwrap_or_default();
        let mut records = self.by_uid.lock();
        let record = records.entry(resource.uid().unwrap_or_default()).or_default();
        if !record.last.as_ref().is_some_and(|(known, _)| newer(known, &version)) {
            record.last = Some((version, status.clone()));
        }
    }

    fn record_write_time(&self, uid: &str, now: Instant) {
        self.by_uid.lock().entry(uid.to_owned()).or_default().written = Some(now);
    }

    /// Present status: the last written one, unless the watch has brought a newer version.
    fn present(&self, resource: &LiveDataProcessor) -> LiveDataProcessorStatus {
        let records = self.by_uid.lock();
        let record = records.get(&resource.uid().unwrap_or_default());
        match record.and_then(|record| record.last.as_ref()) {
            Some((version, status)) if newer(version, &resource.resource_version().unwrap_or_default()) => {
                status.clone()
            }
            _ => resource.status.as_ref().map(own_status).unwrap_or_default(),
        }
    }

    /// Writes the status that follows from `input`, if it differs from the present one.
    ///
    /// # Errors
    /// [`ReconcileError::Api`] if the request fails; an absent resource is no error.
    pub async fn publish(
        &self,
        client: &Client,
        resource: &LiveDataProcessor,
        input: &StatusInput<'_>,
    ) -> Result<PublishedStatus, ReconcileError> {
        let before = self.present(resource);
        let ComputedStatus {
            status: after,
            retry_after,
        } = status::status(&before, input, Timestamp::now());
        if after == before {
            self.record(resource, resource.resource_version(), &after);
        } else {
            let uid = resource.uid().unwrap_or_default();
            let now = Instant::now();
            if status::only_progress(&before, &after)
                && let Some(left) = self.progress_wait(&uid, now)
            {
                return Ok(PublishedStatus {
                    after: before.clone(),
                    before,
                    retry_after: Some(left),
                });
            }
            self.record_write_time(&uid, now);
            self.write(client, resource, &after).await?;
        }
        Ok(PublishedStatus {
            before,
            after,
            retry_after,
        })
    }

    async fn write(
        &self,
        client: &Client,
        resource: &LiveDataProcessor,
        status: &LiveDataProcessorStatus,
    ) -> Result<(), ReconcileError> {
        let name = resource.name_any();
        let api: Api<LiveDataProcessor> = Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
        let patch = json!({
            "apiVersion": "fia.com/v1",
            "kind": "LiveDataProcessor",
            // A later resource of the same name must not get this one's status.
            "metadata": {"name": name, "uid": resource.uid()},
            "status": status,
        });
        let parameters = PatchParams::apply(MANAGER).force();
        match api.patch_status(&name, &parameters, &Patch::Apply(&patch)).await {
            Ok(written) => self.record(resource, written.resource_version(), status),
            Err(kube::Error::Api(error)) if error.is_not_found() && !exists(&api, resource).await => {}
            // A resource that exists has a definition without status: the former operator's.
            Err(error) => return Err(ReconcileError::api("write the status of", name, error)),
        }
        Ok(())
    }
}
