//! Environment variables of the worker (`live-data-worker run --help`).
//!
//! Promises: a value that nobody set is left out: the worker's default applies; no secret is a literal; passwords
//! are mounted as files, except GITHUB_API_TOKEN, which scripts expect in the environment.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, SecretKeySelector};
use live_data_crd::kafka::SaslMechanism;
use live_data_crd::live::LiveSpec;

use crate::names::WORKER_PORT;
use crate::plan::{Instruments, Plan, Script};

/// Mount path of a script from a ConfigMap or from the resource.
pub const SCRIPT_FOLDER: &str = "/etc/live-data/script";
/// Mount path of Kafka's password.
pub const KAFKA_FOLDER: &str = "/etc/live-data/kafka";
/// Mount path of Kafka's certificate authority.
pub const KAFKA_CA_FOLDER: &str = "/etc/live-data/kafka-ca";
/// HOME of the worker and of the scripts.
pub const HOME: &str = "/home/live-data";
/// Mount path of instrument definitions, over the image's own folder.
pub const INSTRUMENT_DIR: &str = "/usr/share/live-data/instruments";
/// Working folder of the scripts, a volume that is lost with the pod.
pub const WORK_DIR: &str = "/var/lib/live-data";

/// Variables in a fixed order: another order would change the Deployment's digest.
pub fn environment(plan: &Plan) -> Vec<EnvVar> {
    let mut list = vec![literal("INSTRUMENT", &plan.instrument)];
    if let Some(token) = &plan.github_token {
        list.push(secret(
            "GITHUB_API_TOKEN",
            &token.secret,
            &token.key,
            SecretPresence::Optional,
        ));
    }
    optional(&mut list, "FIA_API_URL", plan.fia_api_url.as_deref());
    optional(&mut list, "VALKEY_HOST", plan.valkey_host.as_deref());
    optional(&mut list, "VALKEY_PORT", plan.valkey_port);
    kafka(plan, &mut list);
    script(plan, &mut list);
    list.push(literal("OUTPUT_DIR", "/output"));
    list.push(literal("WORK_DIR", WORK_DIR));
    list.push(literal("HOME", HOME));
    if plan.instruments != Instruments::Image {
        list.push(literal("INSTRUMENT_DIR", INSTRUMENT_DIR));
    }
    list.push(literal("HTTP_ADDR", &format!("0.0.0.0:{WORKER_PORT}")));
    optional(
        &mut list,
        "LOG_LEVEL",
        plan.log_level.map(|level| <&str>::from(level).to_lowercase()),
    );
    if let Some(live) = &plan.live {
        start_live_data(live, &mut list);
    }
    list
}

fn kafka(plan: &Plan, list: &mut Vec<EnvVar>) {
    optional(list, "KAFKA_BOOTSTRAP_SERVERS", plan.bootstrap_servers.as_deref());
    optional(list, "EVENTS_TOPIC", plan.topics.events.as_deref());
    optional(list, "RUN_INFO_TOPIC", plan.topics.run_info.as_deref());
    optional(list, "SAMPLE_ENV_TOPIC", plan.topics.sample_env.as_deref());
    optional(list, "VETO_CONFIG_TOPIC", plan.topics.veto_config.as_deref());
    let Some(security) = &plan.kafka_security else { return };
    optional(list, "KAFKA_SECURITY_PROTOCOL", security.protocol.map(<&str>::from));
    if let Some(credentials) = &security.credentials_secret {
        list.push(literal(
            "KAFKA_SASL_MECHANISM",
            security.mechanism.unwrap_or(SaslMechanism::ScramSha512).into(),
        ));
        let key = credentials.username_key.as_deref().unwrap_or("username");
        list.push(secret(
            "KAFKA_SASL_USERNAME",
            &credentials.name,
            key,
            SecretPresence::Required,
        ));
        list.push(literal("KAFKA_SASL_PASSWORD_FILE", &format!("{KAFKA_FOLDER}/password")));
    }
    if security.ca_secret.is_some() {
        list.push(literal("KAFKA_SSL_CA_LOCATION", &format!("{KAFKA_CA_FOLDER}/ca.crt")));
    }
}

fn script(plan: &Plan, list: &mut Vec<EnvVar>) {
    if matches!(plan.script, Script::ConfigMap(_) | Script::Inline(_)) {
        list.push(literal("SCRIPT_FILE", &format!("{SCRIPT_FOLDER}/reduction_script.py")));
    }
    optional(list, "SCRIPT_REFRESH_TIME", plan.refresh_seconds);
    optional(list, "SCRIPT_RUN_INTERVAL", plan.run_seconds);
    list.push(literal("SCRIPT_TIMEOUT", &plan.timeout_seconds.to_string()));
}

fn start_live_data(live: &LiveSpec, list: &mut Vec<EnvVar>) {
    for (property, value) in live.values() {
        list.push(literal(property.variable(), &value));
    }
}

fn literal(name: &str, value: &str) -> EnvVar {
    EnvVar {
        name: name.into(),
        value: Some(value.into()),
        ..EnvVar::default()
    }
}

fn optional(list: &mut Vec<EnvVar>, name: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        list.push(literal(name, &value.to_string()));
    }
}

/// Rule for an absent Secret: the pod starts without an optional one only.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SecretPresence {
    Required,
    Optional,
}

fn secret(name: &str, secret: &str, key: &str, presence: SecretPresence) -> EnvVar {
    EnvVar {
        name: name.into(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.into(),
                key: key.into(),
                optional: (presence == SecretPresence::Optional).then_some(true),
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}
