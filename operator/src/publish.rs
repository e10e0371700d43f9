//! Writing a resource's status.
//!
//! Promises: a status that is as it should be costs no request, and one on the way to a ready worker at most one in two
//! seconds: a worker that starts at once has one status, not one for each step. It remembers what it wrote, for the
//! watch brings it back a moment later.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, ResourceExt};
use live_data_crd::status::condition;
use live_data_crd::{LiveDataProcessor, LiveDataProcessorStatus};
use parking_lot::Mutex;
use serde_json::json;

use crate::failure::Failure;
use crate::names::MANAGER;
use crate::objects::newer;
use crate::status::{self, Knowledge};

/// The conditions that are ours.
const CONDITIONS: [&str; 4] = [
    condition::READY,
    condition::PROGRESSING,
    condition::DEGRADED,
    condition::STORAGE_READY,
];

/// Time between two statuses that only tell of progress, and before the first.
const PROGRESS: Duration = Duration::from_secs(2);

/// What was last written, by UID: version and status; and when something was.
#[derive(Debug, Default)]
pub struct Published {
    last: Mutex<HashMap<String, (String, LiveDataProcessorStatus)>>,
    told: Mutex<HashMap<String, Instant>>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Publication {
    /// The status as it was before.
    pub before: LiveDataProcessorStatus,
    /// The status as it is now.
    pub after: LiveDataProcessorStatus,
    /// When figures that were held back may be written.
    pub again: Option<Duration>,
}

/// Whether the resource is still there; the operator may list resources, and need not read single ones.
async fn is_there(api: &Api<LiveDataProcessor>, resource: &LiveDataProcessor) -> bool {
    let this_one = ListParams::default().fields(&format!("metadata.name={}", resource.name_any()));
    let found = api.list_metadata(&this_one).await;
    found.is_ok_and(|found| found.items.iter().any(|found| found.uid() == resource.uid()))
}

/// The status less conditions that someone else has put beside ours: they stay theirs.
fn ours(status: &LiveDataProcessorStatus) -> LiveDataProcessorStatus {
    let mut status = status.clone();
    status
        .conditions
        .retain(|found| CONDITIONS.contains(&found.type_.as_str()));
    status
}

impl Published {
    /// Forgets a resource that is gone.
    pub fn forget(&self, uid: &str) {
        self.last.lock().remove(uid);
        self.told.lock().remove(uid);
    }

    /// How long a status that only tells of progress has to wait; one of a resource that was never told of begins now.
    fn wait(&self, uid: &str, now: Instant) -> Option<Duration> {
        let mut told = self.told.lock();
        let last = *told.entry(uid.to_owned()).or_insert(now);
        PROGRESS
            .checked_sub(now.saturating_duration_since(last))
            .filter(|left| !left.is_zero())
    }

    /// Whether someone else has written the status since.
    pub fn overwritten(&self, resource: &LiveDataProcessor) -> bool {
        let last = self.last.lock();
        last.get(&resource.uid().unwrap_or_default())
            .is_some_and(|(version, status)| {
                newer(&resource.resource_version().unwrap_or_default(), version)
                    && resource.status.as_ref().map(ours).as_ref() != Some(status)
            })
    }

    /// Remembers the status and the version of the resource that has it.
    fn remember(&self, resource: &LiveDataProcessor, version: Option<String>, status: &LiveDataProcessorStatus) {
        let version = version.unwrap_or_default();
        let mut last = self.last.lock();
        let outdated = |(known, _): &(String, LiveDataProcessorStatus)| newer(known, &version);
        let uid = resource.uid().unwrap_or_default();
        if !last.get(&uid).is_some_and(outdated) {
            last.insert(uid, (version, status.clone()));
        }
    }

    fn present(&self, resource: &LiveDataProcessor) -> LiveDataProcessorStatus {
        let of_watch = || resource.status.as_ref().map(ours).unwrap_or_default();
        let last = self.last.lock();
        match last.get(&resource.uid().unwrap_or_default()) {
            Some((version, status)) if newer(version, &resource.resource_version().unwrap_or_default()) => {
                status.clone()
            }
            _ => of_watch(),
        }
    }

    /// Writes the status, if it differs from what is there.
    ///
    /// # Errors
    /// When the request fails; that the resource is gone is no failure.
    pub async fn publish(
        &self,
        client: &Client,
        resource: &LiveDataProcessor,
        knowledge: &Knowledge<'_>,
    ) -> Result<Publication, Failure> {
        let before = self.present(resource);
        let outcome = status::status(&before, knowledge, Timestamp::now());
        let uid = resource.uid().unwrap_or_default();
        if outcome.status != before {
            if status::only_progress(&before, &outcome.status)
                && let Some(left) = self.wait(&uid, Instant::now())
            {
                return Ok(Publication {
                    after: before.clone(),
                    before,
                    again: Some(left),
                });
            }
            self.told.lock().insert(uid, Instant::now());
            let name = resource.name_any();
            let api: Api<LiveDataProcessor> =
                Api::namespaced(client.clone(), &resource.namespace().unwrap_or_default());
            let patch = json!({
                "apiVersion": "fia.com/v1",
                "kind": "LiveDataProcessor",
                // A resource of the same name that came after this one must not get its status.
                "metadata": {"name": name, "uid": resource.uid()},
                "status": outcome.status,
            });
            let parameters = PatchParams::apply(MANAGER).force();
            match api.patch_status(&name, &parameters, &Patch::Apply(&patch)).await {
                Ok(written) => self.remember(resource, written.resource_version(), &outcome.status),
                Err(kube::Error::Api(status)) if status.is_not_found() && !is_there(&api, resource).await => {}
                // The resource is there: it is its definition that has no status, such as the former operator's.
                Err(error) => return Err(Failure::api("write the status of", name, error)),
            }
        } else {
            self.remember(resource, resource.resource_version(), &outcome.status);
        }
        Ok(Publication {
            before,
            after: outcome.status,
            again: outcome.again,
        })
    }
}
