//! The operator's configuration, from the environment.
//!
//! Promises: what is malformed is refused, every mistake at once, each with its variable and what it should be;
//! what is absent stays absent, for `validate` to say which resource needs it. It must not hold a secret: the
//! worker's tokens are referred to by name. Pure: the environment is handed in.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use live_data_crd::LiveDataProcessorSpec;
use serde_json::Value;
use thiserror::Error;

use crate::shape;

/// JSON Schema of the resource's spec, made from the types when the operator was built.
pub const SPEC_SCHEMA: &str = include_str!(concat!(env!("OUT_DIR"), "/spec.schema.json"));

/// Everything that a site may set.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// LIVE_DATA_PROCESSOR_IMAGE_SHA: digest of the former processor's image, instead of ours.
    pub processor_image_sha: Option<String>,
    /// CEPH_CREDS_SECRET_NAME.
    pub ceph_secret_name: Option<String>,
    /// CEPH_CREDS_SECRET_NAMESPACE; the archive's secret is looked for there too.
    pub ceph_secret_namespace: Option<String>,
    /// CLUSTER_ID of the Ceph cluster.
    pub cluster_id: Option<String>,
    /// FS_NAME of the CephFS.
    pub fs_name: Option<String>,
    /// FIA_API_URL that workers fetch their scripts from.
    pub fia_api_url: Option<String>,
    /// DEV_MODE: output goes to folders ending in `-staging`.
    pub dev_mode: bool,
    /// VALKEY_HOST that scripts' output is streamed to.
    pub valkey_host: Option<String>,
    /// VALKEY_PORT.
    pub valkey_port: Option<u16>,
    /// KAFKA_BOOTSTRAP_SERVERS.
    pub kafka_bootstrap_servers: Option<String>,
    /// GITHUB_API_TOKEN_SECRET_NAME, in the resource's namespace; empty gives workers no token.
    pub github_secret_name: Option<String>,
    /// GITHUB_API_TOKEN_SECRET_KEY.
    pub github_secret_key: String,
    /// WORKER_NETWORK_POLICY: make a NetworkPolicy for each worker.
    pub network_policy: bool,
    /// WORKER_DEFAULTS: what a resource's spec leaves out, as JSON of the spec's type.
    pub worker_defaults: Value,
    /// HTTP_ADDR of the probes and metrics.
    pub http_addr: SocketAddr,
    /// POD_NAME, who holds the Lease; a name made from the host's and the process's where absent.
    pub pod_name: Option<String>,
    /// POD_NAMESPACE, where the Lease is; the client's own where absent.
    pub pod_namespace: Option<String>,
}

/// The environment cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("read the configuration: {} of the environment's settings cannot be used:\n- {}", problems.len(), problems.join("\n- "))]
pub struct ConfigError {
    /// Each mistake, with its variable.
    pub problems: Vec<String>,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// Lists every variable that is malformed.
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut reader = Reader {
            environment,
            problems: Vec::new(),
        };
        let config = Self {
            processor_image_sha: reader.checked(
                "LIVE_DATA_PROCESSOR_IMAGE_SHA",
                shape::is_hex_digest,
                "the hexadecimal digits of an image's SHA-256, without 'sha256:'",
            ),
            ceph_secret_name: reader.checked("CEPH_CREDS_SECRET_NAME", shape::is_dns_name, "a secret's name"),
            ceph_secret_namespace: reader.checked("CEPH_CREDS_SECRET_NAMESPACE", shape::is_dns_label, "a namespace"),
            cluster_id: reader.checked("CLUSTER_ID", shape::is_word, "one word"),
            fs_name: reader.checked("FS_NAME", shape::is_word, "one word"),
            fia_api_url: reader.checked(
                "FIA_API_URL",
                shape::is_http_url,
                "a URL that begins with http:// or https://",
            ),
            dev_mode: reader.boolean("DEV_MODE"),
            valkey_host: reader.checked("VALKEY_HOST", shape::is_host, "a host's name or address"),
            valkey_port: reader.port("VALKEY_PORT"),
            kafka_bootstrap_servers: reader.checked(
                "KAFKA_BOOTSTRAP_SERVERS",
                shape::is_broker_list,
                "host:port, separated by commas",
            ),
            github_secret_name: reader.secret_name(),
            github_secret_key: reader
                .checked("GITHUB_API_TOKEN_SECRET_KEY", shape::is_secret_key, "a key of a secret")
                .unwrap_or_else(|| "fia_github_api_token".into()),
            network_policy: reader.boolean("WORKER_NETWORK_POLICY"),
            worker_defaults: reader.worker_defaults(),
            http_addr: reader.address("HTTP_ADDR"),
            pod_name: reader.checked("POD_NAME", shape::is_dns_name, "a pod's name"),
            pod_namespace: reader.checked("POD_NAMESPACE", shape::is_dns_label, "a namespace"),
        };
        if reader.problems.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError {
                problems: reader.problems,
            })
        }
    }
}

struct Reader<'a> {
    environment: &'a BTreeMap<String, String>,
    problems: Vec<String>,
}

impl Reader<'_> {
    /// An empty variable counts as absent: that is what a chart's empty value gives.
    fn text(&self, name: &str) -> Option<&str> {
        self.environment
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    fn refuse(&mut self, name: &str, value: &str, expected: &str) {
        let shown: String = value.chars().take(80).collect();
        self.problems.push(format!("{name}={shown:?} is not {expected}"));
    }

    fn checked(&mut self, name: &str, is_right: fn(&str) -> bool, expected: &str) -> Option<String> {
        let value = self.text(name)?.to_owned();
        if !is_right(&value) {
            self.refuse(name, &value, expected);
        }
        Some(value)
    }

    fn boolean(&mut self, name: &str) -> bool {
        let Some(value) = self.text(name).map(str::to_owned) else {
            return false;
        };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => true,
            "false" | "0" | "no" => false,
            _ => {
                self.refuse(name, &value, "true or false");
                false
            }
        }
    }

    fn port(&mut self, name: &str) -> Option<u16> {
        let value = self.text(name)?.to_owned();
        match value.parse() {
            Ok(0) | Err(_) => {
                self.refuse(name, &value, "a port from 1 to 65535");
                None
            }
            Ok(port) => Some(port),
        }
    }

    fn address(&mut self, name: &str) -> SocketAddr {
        let fallback = SocketAddr::from(([0, 0, 0, 0], 8080));
        let Some(value) = self.text(name).map(str::to_owned) else {
            return fallback;
        };
        value.parse().unwrap_or_else(|_| {
            self.refuse(name, &value, "an address and port such as 0.0.0.0:8080");
            fallback
        })
    }

    /// Absent means the chart's usual secret; set and empty means no token.
    fn secret_name(&mut self) -> Option<String> {
        match self.environment.get("GITHUB_API_TOKEN_SECRET_NAME") {
            None => Some("fia-api".into()),
            Some(_) => self.checked("GITHUB_API_TOKEN_SECRET_NAME", shape::is_dns_name, "a secret's name"),
        }
    }

    fn worker_defaults(&mut self) -> Value {
        let empty = Value::Object(serde_json::Map::new());
        let Some(text) = self.text("WORKER_DEFAULTS").map(str::to_owned) else {
            return empty;
        };
        let value: Value = match serde_json::from_str(&text) {
            Ok(value @ Value::Object(_)) => value,
            Ok(_) => {
                self.problems
                    .push("WORKER_DEFAULTS is not a JSON object of the resource's spec".into());
                return empty;
            }
            Err(error) => {
                self.problems.push(format!("WORKER_DEFAULTS is not JSON: {error}"));
                return empty;
            }
        };
        let before = self.problems.len();
        for field in ["instrument", "suspend"] {
            if value.get(field).is_some() {
                self.problems.push(format!(
                    "WORKER_DEFAULTS.{field} has no place there: it belongs to one resource"
                ));
            }
        }
        match serde_json::from_str(SPEC_SCHEMA) {
            Ok(schema) => shape::check(&schema, &value, "WORKER_DEFAULTS", &mut self.problems),
            Err(error) => self
                .problems
                .push(format!("the built-in schema of the spec cannot be read: {error}")),
        }
        if self.problems.len() == before
            && let Err(error) = serde_json::from_value::<LiveDataProcessorSpec>(value.clone())
        {
            self.problems.push(format!("WORKER_DEFAULTS is not a spec: {error}"));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn an_empty_environment_is_usable() {
        let config = Config::from_environment(&environment(&[])).unwrap();
        assert!(!config.dev_mode);
        assert_eq!(config.github_secret_name.as_deref(), Some("fia-api"));
        assert_eq!(config.http_addr.port(), 8080);
    }

    #[test]
    fn dev_mode_is_read_in_any_case() {
        for value in ["true", "True", "TRUE"] {
            assert!(
                Config::from_environment(&environment(&[("DEV_MODE", value)]))
                    .unwrap()
                    .dev_mode
            );
        }
        assert!(
            !Config::from_environment(&environment(&[("DEV_MODE", "False")]))
                .unwrap()
                .dev_mode
        );
    }

    #[test]
    fn every_mistake_is_listed_at_once() {
        let error = Config::from_environment(&environment(&[
            ("DEV_MODE", "perhaps"),
            ("VALKEY_PORT", "70000"),
            ("FIA_API_URL", "localhost"),
            ("HTTP_ADDR", "8080"),
            ("KAFKA_BOOTSTRAP_SERVERS", "broker"),
            ("LIVE_DATA_PROCESSOR_IMAGE_SHA", "sha256:abc"),
            (
                "WORKER_DEFAULTS",
                r#"{"instrument":"X","colour":1,"resources":{"limits":{"memory":true}},"logLevel":"loud"}"#,
            ),
        ]))
        .unwrap_err();
        let text = error.to_string();
        for expected in [
            "DEV_MODE=\"perhaps\"",
            "VALKEY_PORT=\"70000\"",
            "FIA_API_URL=\"localhost\"",
            "HTTP_ADDR=\"8080\"",
            "KAFKA_BOOTSTRAP_SERVERS=\"broker\"",
            "LIVE_DATA_PROCESSOR_IMAGE_SHA=\"sha256:abc\"",
            "WORKER_DEFAULTS.instrument",
            "WORKER_DEFAULTS.colour",
            "WORKER_DEFAULTS.resources.limits.memory",
            "WORKER_DEFAULTS.logLevel",
        ] {
            assert!(text.contains(expected), "{expected} is not in:\n{text}");
        }
    }

    #[test]
    fn worker_defaults_of_the_specs_type_are_accepted() {
        let text = r#"{"image":{"repository":"r","tag":"1"},"storage":{"output":{"emptyDir":{}},"archive":{"none":{}}},
            "tolerations":[],"resources":{"requests":{"cpu":1,"memory":"1Gi"}},"security":{"runAsUser":1000}}"#;
        let config = Config::from_environment(&environment(&[("WORKER_DEFAULTS", text)])).unwrap();
        assert_eq!(config.worker_defaults["image"]["tag"], "1");
    }

    #[test]
    fn an_empty_secret_name_gives_no_token() {
        let config = Config::from_environment(&environment(&[("GITHUB_API_TOKEN_SECRET_NAME", "")])).unwrap();
        assert_eq!(config.github_secret_name, None);
    }
}
