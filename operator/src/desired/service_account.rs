//! The account that the worker runs as: it may do nothing, and its token is not mounted.

use k8s_openapi::api::core::v1::ServiceAccount;

use crate::validate::Plan;

pub fn service_account(plan: &Plan) -> ServiceAccount {
    ServiceAccount {
        metadata: super::owned(plan, plan.names.base()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
