//! ServiceAccount of the worker, without rights and without a mounted token.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::metadata;
use crate::plan::Plan;

/// ServiceAccount to which no role is bound; its token is not mounted into pods.
pub fn service_account(plan: &Plan) -> ServiceAccount {
    ServiceAccount {
        metadata: metadata::owned(plan, plan.names.base()),
        automount_service_account_token: Some(false),
        ..ServiceAccount::default()
    }
}
