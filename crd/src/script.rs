//! Source of the reduction script and the times of its executions.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reduction script, which defines `execute()`, and the times of its executions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.configMap) == (has(self.source) && self.source == 'ConfigMap')",
        "message": "configMap names the script exactly when source is ConfigMap",
        "fieldPath": ".configMap"
    },
    {
        "rule": "has(self.inline) == (has(self.source) && self.source == 'Inline')",
        "message": "inline holds the script exactly when source is Inline",
        "fieldPath": ".inline"
    }
]))]
pub struct ScriptSpec {
    /// Source of the script. Left out: the FIA API, unless `live` processes the chunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ScriptSource>,
    /// ConfigMap with the script, in the resource's namespace; required by the source ConfigMap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_map: Option<KeyOfConfigMap>,
    /// Text of the script, at most 200 KiB; required by the source Inline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 262_144))]
    pub inline: Option<String>,
    /// Seconds between checks for a changed script; 30 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub refresh_seconds: Option<i64>,
    /// Seconds between executions; 300 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub run_seconds: Option<i64>,
    /// Seconds after which an execution is interrupted; 900 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86_400))]
    pub timeout_seconds: Option<i64>,
}

/// Source of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ScriptSource {
    /// `GET {FIA_API_URL}/live-data/<instrument>/script`.
    FiaApi,
    /// A key of a ConfigMap.
    ConfigMap,
    /// `spec.script.inline`.
    Inline,
}

/// Key of a ConfigMap in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyOfConfigMap {
    /// Name of a ConfigMap in the resource's namespace.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key of the script in the ConfigMap.
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: String,
}
