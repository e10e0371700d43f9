//! What matters of the workers' pods, and why one does not run.
//!
//! Promises: a pod becomes a few hundred bytes; a failed mount, which no object tells of but an Event, is kept with
//! its pod until the pod runs. Pure but for its own lock.

use std::collections::HashMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::ResourceExt;
use parking_lot::RwLock;

use crate::validate::Problem;

/// Longest message that is kept of a pod's or a container's own.
const LONGEST_MESSAGE: usize = 512;

/// What matters of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodSeen {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// The resource that it belongs to.
    pub resource: String,
    /// When it was made, to order pods.
    pub created: String,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Whether its container runs.
    pub running: bool,
    /// Whether it is ready.
    pub ready: bool,
    /// Its address.
    pub address: Option<String>,
    /// Why it does not run, as far as the pod itself tells.
    pub trouble: Option<Problem>,
}

/// All workers' pods.
#[derive(Debug, Default)]
pub struct Pods {
    inner: RwLock<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    pods: HashMap<String, Arc<PodSeen>>,
    /// Failed mounts by the pod's UID.
    mounts: HashMap<String, String>,
}

impl Pods {
    /// Takes in a pod; answers whether anything that matters has changed.
    pub fn put(&self, seen: PodSeen) -> bool {
        let mut inner = self.inner.write();
        if seen.running {
            inner.mounts.remove(&seen.uid);
        }
        let changed = inner.pods.get(&seen.uid).is_none_or(|known| **known != seen);
        if changed {
            inner.pods.insert(seen.uid.clone(), Arc::new(seen));
        }
        changed
    }

    /// Forgets a pod.
    pub fn remove(&self, uid: &str) {
        let mut inner = self.inner.write();
        inner.pods.remove(uid);
        inner.mounts.remove(uid);
    }

    /// Forgets every pod that is not in a new list.
    pub fn retain(&self, uids: &std::collections::HashSet<String>) {
        let mut inner = self.inner.write();
        inner.pods.retain(|uid, _| uids.contains(uid));
        inner.mounts.retain(|uid, _| uids.contains(uid));
    }

    /// Takes in the Event of a failed mount; answers the resource that it concerns.
    pub fn mount_failed(&self, event: &Event) -> Option<(String, String)> {
        let uid = event.involved_object.uid.as_deref()?;
        let mut inner = self.inner.write();
        let pod = inner.pods.get(uid)?.clone();
        if pod.running {
            return None;
        }
        let message = event.message.as_deref().unwrap_or("no reason was given");
        inner.mounts.insert(uid.to_owned(), shortened(message));
        Some((pod.namespace.clone(), pod.resource.clone()))
    }

    /// The pods of one resource, the newest last, each with its failed mount.
    pub fn of(&self, namespace: &str, resource: &str) -> Vec<Arc<PodSeen>> {
        let inner = self.inner.read();
        let mut pods: Vec<Arc<PodSeen>> = inner
            .pods
            .values()
            .filter(|pod| pod.namespace == namespace && pod.resource == resource)
            .map(|pod| match inner.mounts.get(&pod.uid) {
                Some(message) if pod.trouble.is_none() && !pod.running => {
                    let mut pod = PodSeen::clone(pod);
                    pod.trouble = Some(Problem::new(
                        "MountFailed",
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

    /// Every pod that can be asked for its report.
    pub fn to_poll(&self) -> Vec<Arc<PodSeen>> {
        let inner = self.inner.read();
        inner
            .pods
            .values()
            .filter(|pod| pod.running && !pod.deleting && pod.address.is_some())
            .cloned()
            .collect()
    }
}

/// What matters of a pod.
pub fn seen(pod: &Pod) -> PodSeen {
    let name = pod.name_any();
    let status = pod.status.clone().unwrap_or_default();
    let container = status
        .container_statuses
        .as_ref()
        .and_then(|containers| containers.first());
    let ready = status.conditions.as_ref().is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition.type_ == "Ready" && condition.status == "True")
    });
    let running = container
        .and_then(|container| container.state.as_ref())
        .map_or(status.phase.as_deref() == Some("Running"), |state| {
            state.running.is_some()
        });
    let unscheduled = status.conditions.as_ref().and_then(|conditions| {
        conditions
            .iter()
            .find(|condition| condition.type_ == "PodScheduled" && condition.status == "False")
            .map(|condition| condition.message.clone().unwrap_or_default())
    });
    let trouble = if let Some(message) = unscheduled {
        Some(Problem::new(
            "Unschedulable",
            format!("no node takes the pod {name}: {}", shortened(&message)),
        ))
    } else {
        container.and_then(|container| container_trouble(&name, container))
    };
    PodSeen {
        namespace: pod.namespace().unwrap_or_default(),
        resource: pod
            .labels()
            .get("app.kubernetes.io/instance")
            .cloned()
            .unwrap_or_default(),
        uid: pod.uid().unwrap_or_default(),
        created: pod
            .creation_timestamp()
            .map(|time| time.0.to_string())
            .unwrap_or_default(),
        deleting: pod.metadata.deletion_timestamp.is_some(),
        running,
        ready,
        address: status.pod_ip.filter(|address| !address.is_empty()),
        trouble,
        name,
    }
}

fn container_trouble(pod: &str, container: &ContainerStatus) -> Option<Problem> {
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
            "ImagePullFailed",
            // The kubelet alternates between two reasons; one text for both keeps the condition still.
            format!(
                "the image {} of the pod {pod} cannot be pulled: check its name, the registry and the pull secrets",
                container.image
            ),
        )),
        "CrashLoopBackOff" => {
            let (why, exit_code) = ended.unwrap_or_default();
            Some(if why == "OOMKilled" {
                Problem::new(
                    "OutOfMemory",
                    format!(
                        "the worker of the pod {pod} was ended for using more memory than its limit: raise spec.resources.limits.memory"
                    ),
                )
            } else {
                Problem::new(
                    "CrashLoop",
                    format!(
                        "the worker of the pod {pod} ends again and again with exit code {exit_code}: see kubectl logs {pod} --previous"
                    ),
                )
            })
        }
        "CreateContainerConfigError" | "CreateContainerError" | "RunContainerError" => Some(Problem::new(
            "ContainerNotCreated",
            format!("the container of the pod {pod} cannot be made: {message}"),
        )),
        _ => None,
    }
}

fn shortened(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    fn pod(status: serde_json::Value) -> PodSeen {
        seen(
            &serde_json::from_value(json!({
                "metadata": {"name": "p", "namespace": "fia", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z",
                    "labels": {"app.kubernetes.io/instance": "merlin"}},
                "status": status,
            }))
            .unwrap(),
        )
    }

    fn waiting(reason: &str, last: serde_json::Value) -> PodSeen {
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
        assert_eq!(seen.trouble, None);
        assert_eq!(seen.resource, "merlin");
    }

    #[test]
    fn each_trouble_has_its_reason() {
        assert_eq!(
            waiting("ImagePullBackOff", json!({})).trouble.unwrap().reason,
            "ImagePullFailed"
        );
        assert_eq!(
            waiting("ErrImagePull", json!({})).trouble,
            waiting("ImagePullBackOff", json!({})).trouble
        );
        assert_eq!(
            waiting("CreateContainerConfigError", json!({})).trouble.unwrap().reason,
            "ContainerNotCreated"
        );
        assert_eq!(waiting("ContainerCreating", json!({})).trouble, None);
        let crashed = waiting(
            "CrashLoopBackOff",
            json!({"terminated": {"exitCode": 3, "reason": "Error"}}),
        )
        .trouble
        .unwrap();
        assert_eq!(crashed.reason, "CrashLoop");
        assert!(crashed.message.contains("exit code 3"));
        assert_eq!(
            waiting(
                "CrashLoopBackOff",
                json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}})
            )
            .trouble
            .unwrap()
            .reason,
            "OutOfMemory"
        );
        let unscheduled = pod(json!({"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]}));
        assert!(unscheduled.trouble.unwrap().message.contains("0/3 nodes"));
    }

    #[test]
    fn a_failed_mount_is_kept_until_the_pod_runs() {
        let pods = Pods::default();
        pods.put(pod(json!({"phase": "Pending"})));
        let event: Event = serde_json::from_value(
            json!({"metadata": {}, "involvedObject": {"uid": "u"}, "reason": "FailedMount",
            "message": "secret \"ceph-creds\" not found"}),
        )
        .unwrap();
        assert_eq!(pods.mount_failed(&event), Some(("fia".into(), "merlin".into())));
        assert!(
            pods.of("fia", "merlin")[0]
                .trouble
                .as_ref()
                .unwrap()
                .message
                .contains("ceph-creds")
        );
        pods.put(pod(json!({"phase": "Running"})));
        assert_eq!(pods.of("fia", "merlin")[0].trouble, None);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        assert!(shortened(&"é".repeat(2000)).chars().count() <= LONGEST_MESSAGE + 1);
    }
}
