//! Settings of `run`, parsed and validated from the arguments of [`crate::cli`].
//!
//! Promises: a wrong set of values is refused with every mistake listed at once, each with its value and a right one. Reads
//! the files that hold secrets, before Python starts. Must not print a secret.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use live_data_engine::record_position::TopicRole;
use live_data_reduction::live::LiveRequest;
use live_data_stream::config::SourceConfig;
use live_data_stream::security::{SaslMechanism, Secret, Security, SecurityProtocol};
use live_data_stream::topics::Topics;

use crate::cli::{EngineArg, EventIdsArg, LogFormat, RunArgs};
use crate::fetch::{ScriptSource, script_url};
use crate::memory;
use crate::script_log::valkey::{ValkeySettings, stream_key};

/// Valid settings of `run`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Name of the instrument in upper case.
    pub instrument: String,
    /// Broker, topics and security.
    pub kafka: SourceConfig,
    pub event_ids: EventIdsArg,
    /// Nanoseconds added to the start and stop times of runs before they are compared with pulse times.
    pub run_clock_offset_ns: i64,
    /// True if pulses with the run state SETUP are excluded.
    pub exclude_setup: bool,
    /// Time before a run's start from which its sample logs are read.
    pub log_lookback: Duration,
    /// Time before a run's start from which events are read, because producers may lag by as much.
    pub seek_margin: Duration,
    /// Pulse time for which events are kept while no run is open.
    pub grace: Duration,
    /// Pulse time within which a repeated frame is recognised.
    pub duplicate_window: Duration,
    /// Name of the live workspace.
    pub live_ws: String,
    /// Live data processing by the worker itself, if any of its settings is given.
    pub live: Option<LiveRequest>,
    pub script: ScriptSource,
    /// Interval at which the script is fetched.
    pub script_refresh: Duration,
    /// Time between the starts of two executions of a run that goes on.
    pub script_interval: Duration,
    /// Time after which an execution is interrupted.
    pub script_timeout: Duration,
    /// Token for downloads from GitHub, which scripts may read.
    pub github_api_token: Option<Secret>,
    pub output_dir: PathBuf,
    /// Parent of the script's working folder; `None` for a new one in the temporary folder.
    pub work_dir: Option<PathBuf>,
    /// Server of the script log's stream; `None` to write none.
    pub valkey: Option<ValkeySettings>,
    pub engine: EngineArg,
    /// Folder of instrument definition files.
    pub instrument_dir: Option<PathBuf>,
    /// Python environment for the scripts' packages.
    pub venv: Option<PathBuf>,
    /// Memory limit in bytes: the setting's, or 80 % of the container's; `None` without either.
    pub memory_limit: Option<u64>,
    pub http_addr: SocketAddr,
    /// Filter of the program's log.
    pub log_level: String,
    pub log_format: LogFormat,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n{}", .mistakes.iter().map(|m| format!("  - {m}")).collect::<Vec<_>>().join("\n"))]
pub struct InvalidSettingsError {
    /// Each mistake as one sentence with the variable's name, its value and a right one.
    pub mistakes: Vec<String>,
}

impl Settings {
    /// Validates the arguments and reads the files of secrets that they name.
    ///
    /// # Errors
    /// [`InvalidSettingsError`] with every mistake.
    pub fn from_args(args: &RunArgs) -> Result<Self, InvalidSettingsError> {
        let mut parser = SettingsParser::default();
        let instrument = parser.instrument(&args.instrument);
        let seek_margin = parser.seconds("SEEK_MARGIN", args.seek_margin, ZeroSeconds::Allowed);
        let kafka = SourceConfig {
            seek_margin,
            ..parser.kafka(args, &instrument)
        };
        let settings = Settings {
            event_ids: args.event_ids,
            run_clock_offset_ns: parser.milliseconds("RUN_CLOCK_OFFSET_MS", args.run_clock_offset_ms),
            exclude_setup: args.exclude_setup,
            log_lookback: parser.seconds("LOG_LOOKBACK", args.log_lookback, ZeroSeconds::Allowed),
            seek_margin,
            grace: parser.seconds("GRACE", args.grace, ZeroSeconds::Allowed),
            duplicate_window: parser.seconds("DUPLICATE_WINDOW", args.duplicate_window, ZeroSeconds::Allowed),
            live_ws: parser.workspace_name("LIVE_WS", &args.live_ws),
            live: parser.live(args, &instrument),
            script: parser.script(args, &instrument),
            script_refresh: parser.seconds("SCRIPT_REFRESH_TIME", args.script_refresh_time, ZeroSeconds::Refused),
            script_interval: parser.seconds("SCRIPT_RUN_INTERVAL", args.script_run_interval, ZeroSeconds::Refused),
            script_timeout: parser.seconds("SCRIPT_TIMEOUT", args.script_timeout, ZeroSeconds::Refused),
            github_api_token: args
                .github_api_token
                .clone()
                .filter(|token| !token.is_empty())
                .map(Secret::new),
            output_dir: args.output_dir.clone(),
            work_dir: args.work_dir.clone(),
            valkey: parser.valkey(args, &instrument),
            engine: args.engine,
            instrument_dir: args.instrument_dir.clone(),
            venv: args.venv.clone(),
            memory_limit: parser.memory_limit(args.memory_limit.as_deref()),
            http_addr: args.http_addr,
            log_level: args.log_level.clone(),
            log_format: args.log_format,
            instrument,
            kafka,
        };
        if parser.mistakes.is_empty() {
            Ok(settings)
        } else {
            Err(InvalidSettingsError {
                mistakes: parser.mistakes,
            })
        }
    }

    /// Secrets that are redacted from the output of scripts: GitHub token, SASL password, Valkey password, as far as set.
    pub fn secrets(&self) -> Vec<String> {
        let valkey = self.valkey.as_ref().and_then(|v| v.password.as_ref());
        [
            self.github_api_token.as_ref(),
            self.kafka.security.sasl_password.as_ref(),
            valkey,
        ]
        .into_iter()
        .flatten()
        .map(|secret| secret.expose().to_owned())
        .collect()
    }
}

/// Value of the variable without blank ones.
fn non_blank(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.trim().is_empty())
}

/// Treatment of a duration of 0 s.
#[derive(Clone, Copy)]
enum ZeroSeconds {
    Allowed,
    Refused,
}

/// Parser of single settings. A mistake is recorded, and a value that fits the type is returned.
#[derive(Default)]
struct SettingsParser {
    mistakes: Vec<String>,
}

impl SettingsParser {
    fn refuse(&mut self, mistake: String) {
        self.mistakes.push(mistake);
    }

    fn instrument(&mut self, value: &str) -> String {
        let mut letters = value.chars();
        let valid = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && value.len() <= 32
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !valid {
            self.refuse(format!(
                "INSTRUMENT is {value:?}: use a letter, then letters, digits, _ or -, 32 at most, such as MERLIN"
            ));
        }
        value.to_uppercase()
    }

    fn workspace_name(&mut self, name: &str, value: &str) -> String {
        if value.trim().is_empty() || value.chars().any(char::is_control) {
            self.refuse(format!("{name} is {value:?}: use a workspace name such as lives"));
        }
        value.to_owned()
    }

    fn live(&mut self, args: &RunArgs, instrument: &str) -> Option<LiveRequest> {
        match args.live.parse(instrument) {
            Ok(request) => request,
            Err(mistakes) => {
                mistakes.into_iter().for_each(|mistake| self.refuse(mistake));
                None
            }
        }
    }

    fn seconds(&mut self, name: &str, value: f64, zero: ZeroSeconds) -> Duration {
        let (in_range, least) = match zero {
            ZeroSeconds::Allowed => (value >= 0.0, "0 or more"),
            ZeroSeconds::Refused => (value > 0.0, "more than 0"),
        };
        match Duration::try_from_secs_f64(value) {
            Ok(duration) if in_range && value <= 1e8 => duration,
            _ => {
                self.refuse(format!(
                    "{name} is {value}: use a number of seconds, {least} and at most 100000000"
                ));
                Duration::from_secs(1)
            }
        }
    }

    /// Nanoseconds of a setting in milliseconds, at most a day.
    fn milliseconds(&mut self, name: &str, value: i64) -> i64 {
        if value.unsigned_abs() > 86_400_000 {
            self.refuse(format!("{name} is {value}: use milliseconds, a day (86400000) at most"));
        }
        value.saturating_mul(1_000_000)
    }

    fn memory_limit(&mut self, value: Option<&str>) -> Option<u64> {
        let Some(text) = value.filter(|v| !v.trim().is_empty()) else {
            return memory::default_limit();
        };
        match memory::parse_bytes(text) {
            Some(bytes) if bytes >= 64 << 20 => Some(bytes),
            _ => {
                self.refuse(format!(
                    "MEMORY_LIMIT is {text:?}: use a size of at least 64MiB, such as 2GiB or 4000000000"
                ));
                None
            }
        }
    }

    fn script(&mut self, args: &RunArgs, instrument: &str) -> ScriptSource {
        if let Some(file) = &args.script_file {
            return ScriptSource::File(file.clone());
        }
        // A worker that processes chunks itself executes a script only if SCRIPT_FILE names one.
        if args.live.processes_chunks() {
            return ScriptSource::Nowhere;
        }
        if !(args.fia_api_url.starts_with("http://") || args.fia_api_url.starts_with("https://")) {
            self.refuse(format!(
                "FIA_API_URL is {:?}: use an address that begins with http:// or https://",
                args.fia_api_url
            ));
        }
        ScriptSource::FiaApi(script_url(&args.fia_api_url, instrument))
    }

    fn secret_file(&mut self, name: &str, path: Option<&PathBuf>, kind: &'static str) -> Option<Secret> {
        let secret = path.map(|path| Secret::from_file(path, kind))?;
        secret.map_err(|error| self.refuse(format!("{name}: {error}"))).ok()
    }

    fn valkey(&mut self, args: &RunArgs, instrument: &str) -> Option<ValkeySettings> {
        let password = self.secret_file(
            "VALKEY_PASSWORD_FILE",
            args.valkey_password_file.as_ref(),
            "Valkey password",
        );
        (!args.valkey_host.is_empty()).then(|| ValkeySettings {
            host: args.valkey_host.clone(),
            port: args.valkey_port,
            password,
            stream: stream_key(instrument),
        })
    }

    fn kafka(&mut self, args: &RunArgs, instrument: &str) -> SourceConfig {
        let servers = non_blank(&args.kafka_bootstrap_servers)
            .unwrap_or_else(|| format!("{}:{}", args.kafka_ip, args.kafka_port));
        for server in servers.split(',') {
            let port = server
                .rsplit_once(':')
                .and_then(|(host, port)| (!host.is_empty()).then(|| port.trim().parse::<u16>()));
            if !matches!(port, Some(Ok(_))) {
                self.refuse(format!(
                    "{server:?} in KAFKA_BOOTSTRAP_SERVERS is no address: use host:port, several separated by commas"
                ));
            }
        }
        let mut kafka = SourceConfig::new(servers, self.topics(args, instrument));
        kafka.security = self.security(args);
        kafka.group_id = non_blank(&args.kafka_group_id);
        kafka.client_id = format!("live-data-worker-{instrument}");
        kafka.metadata_interval = self.seconds("RUN_CHECK_INTERVAL", args.run_check_interval, ZeroSeconds::Refused);
        kafka
    }

    fn topics(&mut self, args: &RunArgs, instrument: &str) -> Topics {
        let mut topics = Topics::of_instrument(instrument);
        let veto_config = args
            .veto_config_topic
            .clone()
            .unwrap_or_else(|| format!("{instrument}_vetoConfig"));
        topics = topics.with(TopicRole::VetoConfig, &veto_config);
        let others = [
            (TopicRole::Events, args.events_topic.join(",")),
            (TopicRole::RunInfo, args.run_info_topic.clone().unwrap_or_default()),
            (TopicRole::SampleEnv, args.sample_env_topic.clone().unwrap_or_default()),
        ];
        for (role, names) in others.into_iter().filter(|(_, names)| !names.trim().is_empty()) {
            topics = topics.with(role, &names);
        }
        for topic in topics.as_slice() {
            let valid = topic.name.len() <= 249
                && topic
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            if !valid {
                self.refuse(format!(
                    "{:?} is no Kafka topic: use letters, digits, '.', '_' and '-', 249 at most",
                    topic.name
                ));
            }
        }
        topics
    }

    fn security(&mut self, args: &RunArgs) -> Security {
        let mut security = Security {
            sasl_username: non_blank(&args.kafka_sasl_username),
            sasl_password: self.secret_file(
                "KAFKA_SASL_PASSWORD_FILE",
                args.kafka_sasl_password_file.as_ref(),
                "SASL password",
            ),
            ssl_ca_location: args.kafka_ssl_ca_location.clone(),
            ssl_certificate_location: args.kafka_ssl_certificate_location.clone(),
            ssl_key_location: args.kafka_ssl_key_location.clone(),
            ssl_key_password: self.secret_file(
                "KAFKA_SSL_KEY_PASSWORD_FILE",
                args.kafka_ssl_key_password_file.as_ref(),
                "password of the client key",
            ),
            ..Security::default()
        };
        match non_blank(&args.kafka_security_protocol)
            .unwrap_or_default()
            .parse::<SecurityProtocol>()
        {
            Ok(protocol) => security.protocol = protocol,
            Err(error) => self.refuse(error.to_string()),
        }
        if let Some(mechanism) = non_blank(&args.kafka_sasl_mechanism) {
            match mechanism.parse::<SaslMechanism>() {
                Ok(mechanism) => security.sasl_mechanism = Some(mechanism),
                Err(error) => self.refuse(error.to_string()),
            }
        }
        if let Err(error) = security.settings() {
            self.refuse(error.to_string());
        }
        security
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::Cli;
    use clap::Parser;

    fn check(arguments: &[&str]) -> Result<Settings, InvalidSettingsError> {
        let cli = Cli::try_parse_from(std::iter::once(&"live-data-worker").chain(arguments)).unwrap();
        Settings::from_args(&cli.run)
    }

    #[test]
    fn what_the_old_processor_was_given_is_enough() {
        let settings = check(&["--instrument", "merlin", "--kafka-ip", "kafka", "--kafka-port", "9"]).unwrap();
        assert_eq!(settings.kafka.bootstrap_servers, "kafka:9");
        assert_eq!(settings.kafka.topics.of_role(TopicRole::Events).count(), 1);
        assert_eq!(settings.script_interval, Duration::from_secs(300));
        assert_eq!(settings.valkey.unwrap().stream, "MERLIN_live_data_processor_logs");
        let ScriptSource::FiaApi(url) = settings.script else {
            panic!("not the API")
        };
        assert!(url.ends_with("/live-data/merlin/script"), "{url}");
    }

    #[test]
    fn all_mistakes_are_listed_at_once() {
        let error = check(&[
            "--instrument",
            "4 D",
            "--script-run-interval",
            "0",
            "--memory-limit",
            "lots",
            "--kafka-security-protocol",
            "sasl_ssl",
            "--kafka-sasl-mechanism",
            "GSSAPI",
            "--kafka-bootstrap-servers",
            "kafka",
            "--valkey-password-file",
            "/nowhere",
            "--fia-api-url",
            "ftp://x",
        ])
        .unwrap_err();
        let text = error.to_string();
        for word in [
            "INSTRUMENT",
            "SCRIPT_RUN_INTERVAL",
            "MEMORY_LIMIT",
            "SASL username",
            "GSSAPI",
            "\"kafka\"",
            "/nowhere",
            "ftp://x",
        ] {
            assert!(text.contains(word), "{word} is missing in {text}");
        }
    }

    #[test]
    fn secrets_are_read_from_files_and_never_shown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        std::fs::write(&file, "hunter2\n").unwrap();
        let settings = check(&[
            "--kafka-security-protocol",
            "SASL_PLAINTEXT",
            "--kafka-sasl-username",
            "me",
            "--kafka-sasl-password-file",
            file.to_str().unwrap(),
            "--valkey-password-file",
            file.to_str().unwrap(),
            "--github-api-token",
            "ghp_1",
        ])
        .unwrap();
        assert_eq!(
            settings.kafka.security.sasl_password.as_ref().unwrap().expose(),
            "hunter2"
        );
        assert_eq!(settings.secrets(), ["ghp_1", "hunter2", "hunter2"]);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("ghp_1"), "{shown}");
    }
}
