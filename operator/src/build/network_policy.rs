//! NetworkPolicy of the worker: ingress from anywhere to its one port. Egress is unrestricted, because brokers, FIA API,
//! Valkey, EPICS gateways and the hosts that scripts download from differ from site to site.

use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPort, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::metadata;
use crate::names::WORKER_PORT;
use crate::plan::Plan;

/// NetworkPolicy for the pods that the Deployment selects: TCP to [`WORKER_PORT`] from any peer.
pub fn network_policy(plan: &Plan) -> NetworkPolicy {
    NetworkPolicy {
        metadata: metadata::owned(plan, plan.names.base()),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(LabelSelector {
                match_labels: Some(plan.names.selector()),
                ..LabelSelector::default()
            }),
            policy_types: Some(vec!["Ingress".into()]),
            ingress: Some(vec![NetworkPolicyIngressRule {
                ports: Some(vec![NetworkPolicyPort {
                    port: Some(IntOrString::Int(WORKER_PORT)),
                    protocol: Some("TCP".into()),
                    ..NetworkPolicyPort::default()
                }]),
                ..NetworkPolicyIngressRule::default()
            }]),
            ..NetworkPolicySpec::default()
        }),
    }
}
