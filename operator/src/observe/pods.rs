//! Pods of the workers, and the problems that keep them from running.
//!
//! Promises: a pod takes a few hundred bytes; a failed mount, which only an Event reports, is kept with its pod until the
//! pod runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::ResourceExt;
use live_data_crd::reason::ConditionReason;
use parking_lot::RwLock;

use crate::names::INSTANCE_LABEL;
use crate::problem::Problem;

/// Longest message that is kept of a pod's condition or container, in characters.
const MAX_MESSAGE_CHARS: usize = 512;

/// Fields of one worker's pod that reports and conditions depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerPod {
    /// Namespace of the pod and of its resource.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// Name of the resource, from the pod's instance label.
    pub resource: String,
    /// `metadata.creationTimestamp` as text, whose order is that of time.
    pub created: String,
    /// The pod has a deletion timestamp.
    pub deleting: bool,
    /// The container runs.
    pub running: bool,
    /// The condition Ready is True.
    pub ready: bool,
    /// IP address for the poll; `None` until the pod has one.
    pub address: Option<String>,
    /// Obstacle to running, from the pod's status or from an Event about a mount.
    pub problem: Option<Problem>,
}

impl From<&Pod> for WorkerPod {
    fn from(pod: &Pod) -> Self {
        let name = pod.name_any();
        let status = pod.status.clone().unwrap_or_default();
        let container = status
            .container_statuses
            .as_ref()
            .and_then(|containers| containers.first());
        let condition = |type_: &str| {
            let conditions = status.conditions.as_deref().unwrap_or_default();
            conditions.iter().find(|condition| condition.type_ == type_)
        };
        let running = container
            .and_then(|container| container.state.as_ref())
            .map_or(status.phase.as_deref() == Some("Running"), |state| {
                state.running.is_some()
            });
        let problem = match condition("PodScheduled").filter(|condition| condition.status == "False") {
            Some(unscheduled) => Some(Problem::new(
                ConditionReason::Unschedulable,
                format!(
                    "no node takes the pod {name}: {}",
                    shortened(unscheduled.message.as_deref().unwrap_or_default())
                ),
            )),
            None => container.and_then(|container| container_problem(&name, container)),
        };
        Self {
            namespace: pod.namespace().unwrap_or_default(),
            resource: pod.labels().get(INSTANCE_LABEL).cloned().unwrap_or_default(),
            uid: pod.uid().unwrap_or_default(),
            created: pod
                .creation_timestamp()
                .map(|time| time.0.to_string())
                .unwrap_or_default(),
            deleting: pod.metadata.deletion_timestamp.is_some(),
            running,
            ready: condition("Ready").is_some_and(|condition| condition.status == "True"),
            address: status.pod_ip.filter(|address| !address.is_empty()),
            problem,
            name,
        }
    }
}

/// Pods of all workers in the cluster, by UID.
#[derive(Debug, Default)]
pub struct WorkerPods {
    tables: RwLock<PodTables>,
}

#[derive(Debug, Default)]
struct PodTables {
    pods_by_uid: HashMap<String, Arc<WorkerPod>>,
    /// Messages of failed mounts, by the pod's UID.
    failed_mounts: HashMap<String, String>,
}

impl WorkerPods {
    /// Inserts or replaces a pod; true if a field has changed.
    pub fn insert(&self, pod: WorkerPod) -> bool {
        let mut tables = self.tables.write();
        if pod.running {
            tables.failed_mounts.remove(&pod.uid);
        }
        let changed = tables.pods_by_uid.get(&pod.uid).is_none_or(|known| **known != pod);
        if changed {
            tables.pods_by_uid.insert(pod.uid.clone(), Arc::new(pod));
        }
        changed
    }

    /// Removes a pod and its failed mount.
    pub fn remove(&self, uid: &str) {
        let mut tables = self.tables.write();
        tables.pods_by_uid.remove(uid);
        tables.failed_mounts.remove(uid);
    }

    /// Removes every pod whose UID is not in a new list.
    pub fn retain(&self, uids: &HashSet<String>) {
        let mut tables = self.tables.write();
        tables.pods_by_uid.retain(|uid, _| uids.contains(uid));
        tables.failed_mounts.retain(|uid, _| uids.contains(uid));
    }

    /// Records the Event of a failed mount. Returns the pod that it concerns, or `None` if the pod is unknown or runs.
    pub fn record_failed_mount(&self, event: &Event) -> Option<Arc<WorkerPod>> {
        let uid = event.involved_object.uid.as_deref()?;
        let mut tables = self.tables.write();
        let pod = tables.pods_by_uid.get(uid)?.clone();
        if pod.running {
            return None;
        }
        let message = event.message.as_deref().unwrap_or("no reason was given");
        tables.failed_mounts.insert(uid.to_owned(), shortened(message));
        Some(pod)
    }

    /// Pods of one resource, oldest first, each with its failed mount. Linear in the number of all pods.
    pub fn of_resource(&self, namespace: &str, resource: &str) -> Vec<Arc<WorkerPod>> {
        let tables = self.tables.read();
        let mut pods: Vec<Arc<WorkerPod>> = tables
            .pods_by_uid
            .values()
            .filter(|pod| pod.namespace == namespace && pod.resource == resource)
            .map(|pod| match tables.failed_mounts.get(&pod.uid) {
                Some(message) if pod.problem.is_none() && !pod.running => {
                    let mut pod = WorkerPod::clone(pod);
                    pod.problem = Some(Problem::new(
                        ConditionReason::MountFailed,
                        format!("the pod {} cannot mount a volume: {message}", pod.name),
                    ));
                    Arc::new(pod)
                }
                _ => pod.clone(),
            })
            .collect();
        pods.sort_by(|one, other| (&one.created, &one.name).cmp(&(&other.created, &other.name)));
        pods
    }

    /// Running pods with an address that are not being deleted.
    pub fn pollable(&self) -> Vec<Arc<WorkerPod>> {
        let tables = self.tables.read();
        tables
            .pods_by_uid
            .values()
            .filter(|pod| pod.running && !pod.deleting && pod.address.is_some())
            .cloned()
            .collect()
    }
}

fn container_problem(pod: &str, container: &ContainerStatus) -> Option<Problem> {
    let state = container.state.as_ref()?;
    let waiting = state.waiting.as_ref()?;
    let reason = waiting.reason.as_deref().unwrap_or_default();
    let message = shortened(waiting.message.as_deref().unwrap_or_default());
    let ended = container
        .last_state
        .as_ref()
        .and_then(|last| last.terminated.as_ref())
        .map(|ended| (ended.reason.clone().unwrap_or_default(), ended.exit_code));
    match reason {
        "ImagePullBackOff"
        | "ErrImagePull"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "RegistryUnavailable"
        | "ImageInspectError" => Some(Problem::new(
            ConditionReason::ImagePullFailed, // The kubelet alternates between two reasons; one text for both keeps the condition still.
            format!(
                "the image {} of the pod {pod} cannot be pulled: check its name, the registry and the pull secrets",
                container.image
            ),
        )),
        "CrashLoopBackOff" => {
            let (why, exit_code) = ended.unwrap_or_default();
            Some(if why == "OOMKilled" {
                Problem::new(
                    ConditionReason::OutOfMemory,
                    format!(
                        "the worker of the pod {pod} was ended for using more memory than its limit: raise spec.resources.limits.memory"
                    ),
                )
            } else {
                Problem::new(
                    ConditionReason::CrashLoop,
                    format!(
                        "the worker of the pod {pod} ends again and again with exit code {exit_code}: see kubectl logs {pod} --previous"
                    ),
                )
            })
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Some(Problem::new(
            ConditionReason::ContainerNotCreated,
            format!("the container of the pod {pod} cannot be made: {message}"),
        )),
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(MAX_MESSAGE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn pod(status: serde_json::Value) -> WorkerPod {
        WorkerPod::from(
            &serde_json::from_value(json!({
                "metadata": {"name": "p", "namespace": "fia", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
                    "labels": {"app.kubernetes.io/instance": "merlin"}},
                "status": status,
            }))
            .unwrap(),
        )
    }

    fn waiting(reason: &str, last: serde_json::Value) -> WorkerPod {
        pod(
            json!({"phase": "Pending", "containerStatuses": [{"name": "c", "image": "i:1", "imageID": "", "ready": false,
            "restartCount": 1, "state": {"waiting": {"reason": reason, "message": "m"}}, "lastState": last}]}),
        )
    }

    #[test]
    fn a_running_pod_has_no_trouble() {
        let seen =
            pod(json!({"phase": "Running", "podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]}));
        assert!(seen.running && seen.ready);
        assert_eq!(seen.problem, None);
        assert_eq!(seen.resource, "merlin");
    }

    #[test]
    fn each_trouble_has_its_reason() {
        assert_eq!(
            waiting("ImagePullBackOff", json!({})).problem.unwrap().reason,
            ConditionReason::ImagePullFailed
        );
        assert_eq!(
            waiting("ErrImagePull", json!({})).problem,
            waiting("ImagePullBackOff", json!({})).problem
        );
        assert_eq!(
            waiting("CreateContainerConfigError", json!({})).problem.unwrap().reason,
            ConditionReason::ContainerNotCreated
        );
        assert_eq!(waiting("ContainerCreating", json!({})).problem, None);
        let crashed = waiting(
            "CrashLoopBackOff",
            json!({"terminated": {"exitCode": 3, "reason": "Error"}}),
        )
        .problem
        .unwrap();
        assert_eq!(crashed.reason, ConditionReason::CrashLoop);
        assert!(crashed.message.contains("exit code 3"));
        assert_eq!(
            waiting(
                "CrashLoopBackOff",
                json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
            )
            .problem
            .unwrap()
            .reason,
            ConditionReason::OutOfMemory
        );
        let unscheduled = pod(json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}));
        assert!(unscheduled.problem.unwrap().message.contains("0/3 nodes"));
    }

    #[test]
    fn a_failed_mount_is_kept_until_the_pod_runs() {
        let pods = WorkerPods::default();
        pods.insert(pod(json!({"phase": "Pending"})));
        let event: Event = serde_json::from_value(
            json!({"metadata": {}, "involvedObject": {"uid": "u"}, "reason": "FailedMount",
            "message": "secret \"ceph-creds\" not found"}),
        )
        .unwrap();
        assert_eq!(
            pods.record_failed_mount(&event)
                .map(|pod| (pod.namespace.clone(), pod.resource.clone())),
            Some(("fia".into(), "merlin".into()))
        );
        assert!(
            pods.of_resource("fia", "merlin")[0]
                .problem
                .as_ref()
                .unwrap()
                .message
                .contains("ceph-creds")
        );
        pods.insert(pod(json!({"phase": "Running"})));
        assert_eq!(pods.of_resource("fia", "merlin")[0].problem, None);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert!(shortened(&"é".repeat(2000)).chars().count() <= MAX_MESSAGE_CHARS + 1);
    }
}
