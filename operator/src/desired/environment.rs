//! The worker's environment: the names are the worker's own (`live-data-worker run --help`).
//!
//! Promises: only what is set is handed over, so that the worker's defaults stay the worker's; no secret is a
//! literal, and but for GITHUB_API_TOKEN, which scripts need there, none is in the environment at all.

use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, SecretKeySelector};
use live_data_crd::spec::{
    AccumulationMethod, KafkaProtocol, LiveSpec, LogLevel, RunTransitionBehavior, SaslMechanism,
};

use crate::names::WORKER_PORT;
use crate::validate::{Instruments, Plan, Script};

/// Where the script is mounted, for ConfigMaps and inline scripts.
pub const SCRIPT_FOLDER: &str = "/etc/live-data/script";
/// Where Kafka's password is mounted.
pub const KAFKA_FOLDER: &str = "/etc/live-data/kafka";
/// Where Kafka's certificate authority is mounted.
pub const KAFKA_CA_FOLDER: &str = "/etc/live-data/kafka-ca";
/// HOME of the worker and of the scripts.
pub const HOME: &str = "/home/live-data";
/// Where definitions of instruments are mounted: the folder that the image has for them.
pub const INSTRUMENT_DIR: &str = "/usr/share/live-data/instruments";
/// Working folder of the scripts.
pub const WORK_DIR: &str = "/var/lib/live-data";

/// The variables, in a fixed order.
pub fn environment(plan: &Plan) -> Vec<EnvVar> {
    let mut list = vec![literal("INSTRUMENT", &plan.instrument)];
    if let Some((name, key)) = &plan.github_token {
        list.push(secret("GITHUB_API_TOKEN", name, key, true));
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
        plan.log_level.map(|level| match level {
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        }),
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
    optional(
        list,
        "KAFKA_SECURITY_PROTOCOL",
        security.protocol.map(|protocol| match protocol {
            KafkaProtocol::Plaintext => "PLAINTEXT",
            KafkaProtocol::Ssl => "SSL",
            KafkaProtocol::SaslPlaintext => "SASL_PLAINTEXT",
            KafkaProtocol::SaslSsl => "SASL_SSL",
        }),
    );
    if let Some(credentials) = &security.credentials_secret {
        list.push(literal(
            "KAFKA_SASL_MECHANISM",
            match security.mechanism {
                Some(SaslMechanism::Plain) => "PLAIN",
                Some(SaslMechanism::ScramSha256) => "SCRAM-SHA-256",
                Some(SaslMechanism::ScramSha512) | None => "SCRAM-SHA-512",
            },
        ));
        let key = credentials.username_key.as_deref().unwrap_or("username");
        list.push(secret("KAFKA_SASL_USERNAME", &credentials.name, key, false));
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
    optional(list, "LIVE_PROCESSING_ALGORITHM", live.processing_algorithm.as_deref());
    optional(
        list,
        "LIVE_PROCESSING_PROPERTIES",
        live.processing_properties.as_deref(),
    );
    optional(list, "LIVE_PROCESSING_SCRIPT", live.processing_script.as_deref());
    optional(
        list,
        "LIVE_PROCESSING_SCRIPT_FILENAME",
        live.processing_script_filename.as_deref(),
    );
    optional(
        list,
        "LIVE_ACCUMULATION_METHOD",
        live.accumulation_method.map(|method| match method {
            AccumulationMethod::Add => "Add",
            AccumulationMethod::Replace => "Replace",
            AccumulationMethod::Append => "Append",
        }),
    );
    optional(list, "LIVE_PRESERVE_EVENTS", live.preserve_events);
    optional(
        list,
        "LIVE_POST_PROCESSING_ALGORITHM",
        live.post_processing_algorithm.as_deref(),
    );
    optional(
        list,
        "LIVE_POST_PROCESSING_PROPERTIES",
        live.post_processing_properties.as_deref(),
    );
    optional(
        list,
        "LIVE_POST_PROCESSING_SCRIPT",
        live.post_processing_script.as_deref(),
    );
    optional(
        list,
        "LIVE_POST_PROCESSING_SCRIPT_FILENAME",
        live.post_processing_script_filename.as_deref(),
    );
    optional(
        list,
        "LIVE_RUN_TRANSITION_BEHAVIOR",
        live.run_transition_behavior.map(|behavior| match behavior {
            RunTransitionBehavior::Restart => "Restart",
            RunTransitionBehavior::Stop => "Stop",
            RunTransitionBehavior::Rename => "Rename",
        }),
    );
    optional(list, "LIVE_FROM_NOW", live.from_now);
    optional(list, "LIVE_FROM_START_OF_RUN", live.from_start_of_run);
    optional(list, "LIVE_FROM_TIME", live.from_time);
    optional(list, "LIVE_START_TIME", live.start_time.as_deref());
    optional(list, "LIVE_UPDATE_EVERY", live.update_every);
    optional(
        list,
        "LIVE_ACCUMULATION_WORKSPACE",
        live.accumulation_workspace.as_deref(),
    );
    optional(list, "LIVE_OUTPUT_WORKSPACE", live.output_workspace.as_deref());
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

fn secret(name: &str, secret: &str, key: &str, optional: bool) -> EnvVar {
    EnvVar {
        name: name.into(),
        value_from: Some(EnvVarSource {
            secret_key_ref: Some(SecretKeySelector {
                name: secret.into(),
                key: key.into(),
                // An absent secret must not keep the worker from starting where scripts can do without it.
                optional: optional.then_some(true),
            }),
            ..EnvVarSource::default()
        }),
        ..EnvVar::default()
    }
}
