//! Service: DNS name of a worker's page and metrics in the cluster.

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use crate::names::WORKER_PORT;
use crate::plan::Plan;

/// Service of type ClusterIP whose port `http` is [`WORKER_PORT`].
pub fn service(plan: &Plan) -> Service {
    Service {
        metadata: metadata::owned(plan, plan.names.base()),
        spec: Some(ServiceSpec {
            selector: Some(plan.names.selector()),
            ports: Some(vec![ServicePort {
                name: Some("http".into()),
                port: WORKER_PORT,
                protocol: Some("TCP".into()),
                target_port: Some(IntOrString::String("http".into())),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    }
}
