//! Brokers, topics and credentials of the instrument's stream.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

/// Source of the instrument's stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct KafkaSpec {
    /// Brokers as `host:port`, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1024), regex(pattern = r"^[^\s,/]+:[0-9]{1,5}(,[^\s,/]+:[0-9]{1,5})*$"))]
    pub bootstrap_servers: Option<String>,
    /// Names of topics that are not `<INSTRUMENT>_…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topics: Option<TopicsSpec>,
    /// Encryption and authentication; neither when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<KafkaSecuritySpec>,
}

/// Topic names; each is `<INSTRUMENT>_…` when left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicsSpec {
    /// Topic of neutron events; `<INSTRUMENT>_events` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub events: Option<String>,
    /// Topic of run starts and stops; `<INSTRUMENT>_runInfo` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub run_info: Option<String>,
    /// Topic of sample environment logs; `<INSTRUMENT>_sampleEnv` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub sample_env: Option<String>,
    /// Topic of veto configurations, which state the veto bits in force; `<INSTRUMENT>_vetoConfig` when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[A-Za-z0-9._-]{1,249}$"))]
    pub veto_config: Option<String>,
}

/// Encryption and authentication of the connection to Kafka. Passwords are mounted as files and never appear in an
/// environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.protocol) || !self.protocol.startsWith('SASL_') || has(self.credentialsSecret)",
    "message": "a SASL protocol needs credentialsSecret",
    "fieldPath": ".credentialsSecret"
}]))]
pub struct KafkaSecuritySpec {
    /// Protocol of the brokers' listener.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<KafkaProtocol>,
    /// SASL mechanism; SCRAM-SHA-512 when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<SaslMechanism>,
    /// Secret with user and password; required by the SASL protocols.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credentials_secret: Option<CredentialsSecret>,
    /// Secret with the certificate authority of the brokers' certificates; the system's authorities when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<KeyOfSecret>,
}

/// Protocol of the brokers' listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, JsonSchema)]
pub enum KafkaProtocol {
    /// Neither encrypted nor authenticated.
    #[serde(rename = "PLAINTEXT")]
    #[strum(serialize = "PLAINTEXT")]
    Plaintext,
    /// Encrypted by TLS, without a user.
    #[serde(rename = "SSL")]
    #[strum(serialize = "SSL")]
    Ssl,
    /// Authenticated by SASL, not encrypted.
    #[serde(rename = "SASL_PLAINTEXT")]
    #[strum(serialize = "SASL_PLAINTEXT")]
    SaslPlaintext,
    /// Authenticated by SASL and encrypted by TLS.
    #[serde(rename = "SASL_SSL")]
    #[strum(serialize = "SASL_SSL")]
    SaslSsl,
}

/// SASL mechanism of the brokers' listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, Serialize, Deserialize, JsonSchema)]
pub enum SaslMechanism {
    /// User and password in clear; only over TLS.
    #[serde(rename = "PLAIN")]
    #[strum(serialize = "PLAIN")]
    Plain,
    /// Salted challenge, SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    #[strum(serialize = "SCRAM-SHA-256")]
    ScramSha256,
    /// Salted challenge, SHA-512.
    #[serde(rename = "SCRAM-SHA-512")]
    #[strum(serialize = "SCRAM-SHA-512")]
    ScramSha512,
}

/// Secret with user and password, in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CredentialsSecret {
    /// Name of a Secret in the resource's namespace.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key of the user name; `username` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub username_key: Option<String>,
    /// Key of the password; `password` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub password_key: Option<String>,
}

/// Key of a Secret in the resource's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyOfSecret {
    /// Name of a Secret in the resource's namespace.
    #[schemars(regex(pattern = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"))]
    pub name: String,
    /// Key of the value in the Secret.
    #[schemars(regex(pattern = r"^[-._a-zA-Z0-9]{1,253}$"))]
    pub key: String,
}
