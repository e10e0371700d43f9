//! Names, labels and annotations of the objects that the operator makes.
//!
//! Promises: names equal those of the former operator, which was written in Python: its objects can be taken over.
//! Every other module takes them from here.

use std::collections::BTreeMap;

use kube::ResourceExt;
use live_data_crd::LiveDataProcessor;

/// Field manager of every write, and controller of every Event.
pub const MANAGER: &str = "live-data-operator";
/// Field manager of the former operator.
pub const FORMER_MANAGER: &str = "OpenAPI-Generator";
/// Finalizer with which a resource waits for the deletion of its volumes.
pub const FINALIZER: &str = "live-data.fia.com/cleanup";
/// Finalizer of the former operator, which only this operator removes.
pub const FORMER_FINALIZER: &str = "kopf.zalando.org/KopfFinalizerMarker";
/// Annotation with the digest of the object last applied, which reveals fields that are no longer wanted.
pub const APPLIED_DIGEST_ANNOTATION: &str = "live-data.fia.com/applied";
/// Annotation of a cluster-wide object with its resource, as `namespace/name`.
pub const OWNER_ANNOTATION: &str = "live-data.fia.com/owner";
/// Annotation of the pod template with the text of an inline script.
pub const SCRIPT_ANNOTATION: &str = "live-data.fia.com/script";
/// Value of the label `app.kubernetes.io/name` of all objects and pods of workers.
pub const WORKER: &str = "live-data-worker";
/// Label selector of all objects and pods of workers.
pub const WORKER_SELECTOR: &str = "app.kubernetes.io/name=live-data-worker";
/// Label with the name of the resource, on all its objects and pods.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// TCP port of the worker's page, `/status` and `/metrics`.
pub const WORKER_PORT: i32 = 8080;
/// Name of the Lease; the chart's Role grants this one only.
pub const LEASE: &str = "live-data-operator";

/// Names of one resource's objects, derived from its namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    pub namespace: String,
    pub resource: String,
}

impl Names {
    /// Names of the objects of the resource `namespace/resource`.
    pub fn new(namespace: &str, resource: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            resource: resource.to_owned(),
        }
    }

    /// Names of the objects of a resource that the apiserver returned.
    pub fn of(resource: &LiveDataProcessor) -> Self {
        Self::new(&resource.namespace().unwrap_or_default(), &resource.name_any())
    }

    /// Name of container, Service, ServiceAccount and NetworkPolicy, and value of the label `app`.
    pub fn base(&self) -> String {
        format!("livedataprocessor-{}", self.resource)
    }

    /// Name of the worker's Deployment.
    pub fn deployment(&self) -> String {
        format!("{}-deployment", self.base())
    }

    /// Name of the output's PersistentVolume.
    pub fn ceph_volume(&self) -> String {
        format!("{}-ceph-pv", self.base())
    }

    /// Name of the output's PersistentVolumeClaim.
    pub fn ceph_claim(&self) -> String {
        format!("{}-ceph-pvc", self.base())
    }

    /// Name of the archive's PersistentVolume.
    pub fn archive_volume(&self) -> String {
        format!("{}-archive-pv-smb", self.base())
    }

    /// Name of the archive's PersistentVolumeClaim.
    pub fn archive_claim(&self) -> String {
        format!("{}-archive-pvc", self.base())
    }

    /// Value of the annotation [`OWNER_ANNOTATION`]: `namespace/name`.
    pub fn owner(&self) -> String {
        format!("{}/{}", self.namespace, self.resource)
    }

    /// Selector of Deployment and Service; immutable, and equal to the former operator's.
    pub fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([("app".into(), self.base())])
    }

    /// Labels of all objects and of the pods.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("app".into(), self.base()),
            ("app.kubernetes.io/name".into(), WORKER.into()),
            (INSTANCE_LABEL.into(), self.resource.clone()),
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
