//! User and groups of the worker's process.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// User and groups of the worker's process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct SecuritySpec {
    /// User ID, not 0; 1000 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_294_967_294_i64))]
    pub run_as_user: Option<i64>,
    /// Group ID; the user ID when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_294_967_294_i64))]
    pub run_as_group: Option<i64>,
    /// Further group IDs of the process, at most 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub supplemental_groups: Option<Vec<i64>>,
    /// Group ID that owns the files of volumes which support ownership; the group ID when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 4_294_967_294_i64))]
    pub fs_group: Option<i64>,
    /// Times at which a volume's files get the group `fsGroup`; OnRootMismatch when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fs_group_change_policy: Option<FsGroupChangePolicy>,
}

/// Times at which a volume's files get the group `fsGroup`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, JsonSchema)]
pub enum FsGroupChangePolicy {
    /// At a start for which the volume's root has another group.
    OnRootMismatch,
    /// At each start; slow for volumes with many files.
    Always,
}
