//! Names, labels and annotations of everything that the operator makes.
//!
//! Promises: the names are those of the Python operator that ran here before, so that its objects can be taken
//! over; nothing else in the crate spells one out. Pure.

use std::collections::BTreeMap;

/// Field manager of every write, holder prefix and controller name of every Event.
pub const MANAGER: &str = "live-data-operator";
/// Field manager of the Python operator that ran here before.
pub const OLD_MANAGER: &str = "OpenAPI-Generator";
/// The finalizer by which a resource waits for its volumes to go.
pub const FINALIZER: &str = "live-data.fia.com/cleanup";
/// The former operator's finalizer, which nobody would take from a resource any more.
pub const OLD_FINALIZER: &str = "kopf.zalando.org/KopfFinalizerMarker";
/// Digest of what was last applied: shows fields that are no longer wanted.
pub const APPLIED: &str = "live-data.fia.com/applied";
/// Namespace and name of the resource that a cluster-wide object belongs to.
pub const OWNER: &str = "live-data.fia.com/owner";
/// The script of a resource, on the pod template.
pub const SCRIPT: &str = "live-data.fia.com/script";
/// `app.kubernetes.io/name` of everything that belongs to a worker.
pub const WORKER: &str = "live-data-worker";
/// Selects the objects and pods of workers.
pub const WORKER_SELECTOR: &str = "app.kubernetes.io/name=live-data-worker";
/// Port of the worker's pages, status and metrics.
pub const WORKER_PORT: i32 = 8080;
/// Name of the Lease; the chart's Role grants this one only.
pub const LEASE: &str = "live-data-operator";

/// Names of one resource's objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// Namespace of the resource.
    pub namespace: String,
    /// Name of the resource.
    pub resource: String,
}

impl Names {
    /// The names for one resource.
    pub fn new(namespace: &str, resource: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            resource: resource.to_owned(),
        }
    }

    /// Label `app`, container, Service, ServiceAccount and NetworkPolicy.
    pub fn base(&self) -> String {
        format!("livedataprocessor-{}", self.resource)
    }

    /// The worker's Deployment.
    pub fn deployment(&self) -> String {
        format!("{}-deployment", self.base())
    }

    /// The output's volume.
    pub fn ceph_volume(&self) -> String {
        format!("{}-ceph-pv", self.base())
    }

    /// The output's claim.
    pub fn ceph_claim(&self) -> String {
        format!("{}-ceph-pvc", self.base())
    }

    /// The archive's volume.
    pub fn archive_volume(&self) -> String {
        format!("{}-archive-pv-smb", self.base())
    }

    /// The archive's claim.
    pub fn archive_claim(&self) -> String {
        format!("{}-archive-pvc", self.base())
    }

    /// Value of the annotation [`OWNER`].
    pub fn owner(&self) -> String {
        format!("{}/{}", self.namespace, self.resource)
    }

    /// The selector of the Deployment and the Service: immutable, as the former operator had it.
    pub fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("app".into(), self.base())])
    }

    /// Labels of every object and of the pods.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("app".into(), self.base()),
            ("app.kubernetes.io/name".into(), WORKER.into()),
            ("app.kubernetes.io/instance".into(), self.resource.clone()),
            ("app.kubernetes.io/managed-by".into(), MANAGER.into()),
            ("app.kubernetes.io/part-of".into(), "live-data".into()),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_the_former_operators() {
        let names = Names::new("fia", "merlin");
        assert_eq!(names.deployment(), "livedataprocessor-merlin-deployment");
        assert_eq!(names.ceph_volume(), "livedataprocessor-merlin-ceph-pv");
        assert_eq!(names.ceph_claim(), "livedataprocessor-merlin-ceph-pvc");
        assert_eq!(names.archive_volume(), "livedataprocessor-merlin-archive-pv-smb");
        assert_eq!(names.archive_claim(), "livedataprocessor-merlin-archive-pvc");
    }

    #[test]
    fn the_longest_name_fits_in_a_label() {
        let names = Names::new("fia", &"n".repeat(45));
        assert!(names.labels().values().all(|value| value.len() <= 63));
    }
}
