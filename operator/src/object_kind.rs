//! Kinds of the objects that the operator makes.

use kube::api::ApiResource;
use kube::core::gvk::GroupVersionKind;
use strum::{IntoStaticStr, VariantArray};

/// Kind of an object that the operator makes for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, VariantArray)]
pub enum ObjectKind {
    /// Account of the worker's pod, without rights.
    ServiceAccount,
    /// DNS name of the worker's page and metrics.
    Service,
    /// Ingress rules of the worker's pod.
    NetworkPolicy,
    /// Volume of the output or the archive; cluster-wide.
    PersistentVolume,
    /// Claim of the output or the archive.
    PersistentVolumeClaim,
    /// The worker.
    Deployment,
}

impl ObjectKind {
    /// Kind in the API and in messages: the variant's name.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Group, version and plural for requests.
    pub fn api_resource(self) -> ApiResource {
        let (group, plural) = match self {
            Self::ServiceAccount => ("", "serviceaccounts"),
            Self::Service => ("", "services"),
            Self::NetworkPolicy => ("networking.k8s.io", "networkpolicies"),
            Self::PersistentVolume => ("", "persistentvolumes"),
            Self::PersistentVolumeClaim => ("", "persistentvolumeclaims"),
            Self::Deployment => ("apps", "deployments"),
        };
        ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", self.name()), plural)
    }

    /// False for cluster-wide kinds, whose objects have no namespace and no owner reference.
    pub fn namespaced(self) -> bool {
        self != Self::PersistentVolume
    }
}
