//! The settings of `run`, judged: what [`crate::cli`] read becomes values that the rest can rely on.
//!
//! Promises that a wrong set of values is refused with every mistake listed at once, each with the value and what would be
//! right. It reads the files that hold secrets, so that this is done before Python starts, and prints none of them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use live_data_reduction::live::Request;
use live_data_stream::config::SourceConfig;
use live_data_stream::security::{Mechanism, Protocol, Secret, Security};
use live_data_stream::topics::{Role, Topics};

use crate::cli::{EngineArg, EventIdsArg, LogFormat, RunArgs};
use crate::fetch::{ScriptSource, script_url};
use crate::journal::valkey::{ValkeySettings, stream_key};
use crate::memory;

/// All settings of `run`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Instrument, upper case.
    pub instrument: String,
    /// The broker and the topics.
    pub kafka: SourceConfig,
    /// What an event's id means.
    pub event_ids: EventIdsArg,
    /// Added to the start and stop times of runs, in nanoseconds.
    pub run_clock_offset_ns: i64,
    /// Leave out pulses whose run state is SETUP.
    pub exclude_setup: bool,
    /// How far before a run's start its logs are looked for.
    pub log_lookback: Duration,
    /// How far before a run's start events are read.
    pub seek_margin: Duration,
    /// How much is kept while no run is open.
    pub grace: Duration,
    /// Within how much pulse time a repeated frame is recognised.
    pub duplicate_window: Duration,
    /// How often runs and partitions are reviewed.
    pub run_check_interval: Duration,
    /// Name of the live workspace.
    pub live_ws: String,
    /// Live data processing by the worker itself.
    pub live: Option<Request>,
    /// Where the script is.
    pub script: ScriptSource,
    /// How often it is fetched.
    pub script_refresh: Duration,
    /// How often it is executed.
    pub script_interval: Duration,
    /// When it is interrupted.
    pub script_timeout: Duration,
    /// The scripts' token.
    pub github_api_token: Option<Secret>,
    /// Where scripts write.
    pub output_dir: PathBuf,
    /// The script's working folder.
    pub work_dir: Option<PathBuf>,
    /// The scientist's log.
    pub valkey: Option<ValkeySettings>,
    /// Which engine.
    pub engine: EngineArg,
    /// Instrument definitions.
    pub instrument_dir: Option<PathBuf>,
    /// Python environment.
    pub venv: Option<PathBuf>,
    /// Memory limit in bytes; `None` where there is none.
    pub memory_limit: Option<u64>,
    /// Address of the pages.
    pub http_addr: SocketAddr,
    /// Log filter.
    pub log_level: String,
    /// Log format.
    pub log_format: LogFormat,
}

/// Every mistake in the settings.
#[derive(Debug, thiserror::Error)]
#[error("the settings cannot be used:\n{}", .mistakes.iter().map(|m| format!("  - {m}")).collect::<Vec<_>>().join("\n"))]
pub struct CheckSettingsError {
    /// One sentence each.
    pub mistakes: Vec<String>,
}

impl Settings {
    /// Judges the values and reads the files that they name.
    pub fn check(args: &RunArgs) -> Result<Self, CheckSettingsError> {
        let mut mistakes = Mistakes::default();
        let instrument = mistakes.instrument(&args.instrument);
        let kafka = mistakes.kafka(args, &instrument);
        let settings = Settings {
            event_ids: args.event_ids,
            run_clock_offset_ns: mistakes.milliseconds("RUN_CLOCK_OFFSET_MS", args.run_clock_offset_ms),
            exclude_setup: args.exclude_setup,
            log_lookback: mistakes.seconds("LOG_LOOKBACK", args.log_lookback, true),
            seek_margin: mistakes.seconds("SEEK_MARGIN", args.seek_margin, true),
            grace: mistakes.seconds("GRACE", args.grace, true),
            duplicate_window: mistakes.seconds("DUPLICATE_WINDOW", args.duplicate_window, true),
            run_check_interval: mistakes.seconds("RUN_CHECK_INTERVAL", args.run_check_interval, false),
            live_ws: mistakes.workspace_name("LIVE_WS", &args.live_ws),
            live: mistakes.live(args, &instrument),
            script: mistakes.script(args, &instrument),
            script_refresh: mistakes.seconds("SCRIPT_REFRESH_TIME", args.script_refresh_time, false),
            script_interval: mistakes.seconds("SCRIPT_RUN_INTERVAL", args.script_run_interval, false),
            script_timeout: mistakes.seconds("SCRIPT_TIMEOUT", args.script_timeout, false),
            github_api_token: args
                .github_api_token
                .clone()
                .filter(|token| !token.is_empty())
                .map(Secret::new),
            output_dir: args.output_dir.clone(),
            work_dir: args.work_dir.clone(),
            valkey: mistakes.valkey(args, &instrument),
            engine: args.engine,
            instrument_dir: args.instrument_dir.clone(),
            venv: args.venv.clone(),
            memory_limit: mistakes.memory(args.memory_limit.as_deref()),
            http_addr: args.http_addr,
            log_level: args.log_level.clone(),
            log_format: args.log_format,
            instrument,
            kafka,
        };
        if mistakes.0.is_empty() {
            Ok(settings)
        } else {
            Err(CheckSettingsError { mistakes: mistakes.0 })
        }
    }

    /// The values that must not appear in any line of a script's output.
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

#[derive(Default)]
struct Mistakes(Vec<String>);

impl Mistakes {
    fn add(&mut self, mistake: String) {
        self.0.push(mistake);
    }

    fn instrument(&mut self, value: &str) -> String {
        let mut letters = value.chars();
        let right = letters.next().is_some_and(|c| c.is_ascii_alphabetic())
            && value.len() <= 32
            && letters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if !right {
            self.add(format!(
                "INSTRUMENT is {value:?}: use a letter, then letters, digits, _ or -, 32 at most, such as MERLIN"
            ));
        }
        value.to_uppercase()
    }

    fn workspace_name(&mut self, name: &str, value: &str) -> String {
        if value.trim().is_empty() || value.chars().any(char::is_control) {
            self.add(format!("{name} is {value:?}: use a workspace name such as lives"));
        }
        value.to_owned()
    }

    fn live(&mut self, args: &RunArgs, instrument: &str) -> Option<Request> {
        match args.live.judge(instrument) {
            Ok(request) => request,
            Err(wrong) => {
                wrong.into_iter().for_each(|mistake| self.add(mistake));
                None
            }
        }
    }

    fn seconds(&mut self, name: &str, value: f64, zero: bool) -> Duration {
        let enough = if zero { value >= 0.0 } else { value > 0.0 };
        match Duration::try_from_secs_f64(value) {
            Ok(duration) if enough && value <= 1e8 => duration,
            _ => {
                let least = if zero { "0 or more" } else { "more than 0" };
                self.add(format!(
                    "{name} is {value}: use a number of seconds, {least} and at most 100000000"
                ));
                Duration::from_secs(1)
            }
        }
    }

    fn milliseconds(&mut self, name: &str, value: i64) -> i64 {
        if value.unsigned_abs() > 86_400_000 {
            self.add(format!("{name} is {value}: use milliseconds, a day (86400000) at most"));
        }
        value.saturating_mul(1_000_000)
    }

    fn memory(&mut self, value: Option<&str>) -> Option<u64> {
        let Some(text) = value.filter(|v| !v.trim().is_empty()) else {
            return memory::default_limit();
        };
        match memory::parse_bytes(text) {
            Some(bytes) if bytes >= 64 << 20 => Some(bytes),
            _ => {
                self.add(format!(
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
        // A worker that processes chunks itself executes a script only if it is told which.
        let live = &args.live;
        let methods = [&live.live_processing_algorithm, &live.live_processing_script];
        let files = [&live.live_processing_script_filename, &live.live_scripts_dir];
        if methods.iter().any(|method| method.is_some()) || files.iter().any(|file| file.is_some()) {
            return ScriptSource::Nowhere;
        }
        if !(args.fia_api_url.starts_with("http://") || args.fia_api_url.starts_with("https://")) {
            self.add(format!(
                "FIA_API_URL is {:?}: use an address that begins with http:// or https://",
                args.fia_api_url
            ));
        }
        ScriptSource::FiaApi(script_url(&args.fia_api_url, instrument))
    }

    fn secret_file(&mut self, name: &str, path: Option<&PathBuf>, what: &'static str) -> Option<Secret> {
        let secret = path.map(|path| Secret::read(path, what))?;
        secret.map_err(|error| self.add(format!("{name}: {error}"))).ok()
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
        let given = |value: &Option<String>| value.clone().filter(|v| !v.trim().is_empty());
        let servers =
            given(&args.kafka_bootstrap_servers).unwrap_or_else(|| format!("{}:{}", args.kafka_ip, args.kafka_port));
        for server in servers.split(',') {
            let port = server
                .rsplit_once(':')
                .and_then(|(host, port)| (!host.is_empty()).then(|| port.trim().parse::<u16>()));
            if !matches!(port, Some(Ok(_))) {
                self.add(format!(
                    "{server:?} in KAFKA_BOOTSTRAP_SERVERS is no address: use host:port, several separated by commas"
                ));
            }
        }
        let mut kafka = SourceConfig::new(servers, self.topics(args, instrument));
        kafka.security = self.security(args);
        kafka.group_id = given(&args.kafka_group_id);
        kafka.client_id = format!("live-data-worker-{instrument}");
        kafka.seek_margin = Duration::try_from_secs_f64(args.seek_margin).unwrap_or_default();
        kafka.metadata_interval =
            Duration::try_from_secs_f64(args.run_check_interval).unwrap_or(kafka.metadata_interval);
        kafka
    }

    fn topics(&mut self, args: &RunArgs, instrument: &str) -> Topics {
        let mut topics = Topics::of_instrument(instrument);
        let veto_config = args
            .veto_config_topic
            .clone()
            .unwrap_or_else(|| format!("{instrument}_vetoConfig"));
        topics = topics.with(Role::VetoConfig, &veto_config);
        let others = [
            (Role::Events, args.events_topic.join(",")),
            (Role::RunInfo, args.run_info_topic.clone().unwrap_or_default()),
            (Role::SampleEnv, args.sample_env_topic.clone().unwrap_or_default()),
        ];
        for (role, names) in others.into_iter().filter(|(_, names)| !names.trim().is_empty()) {
            topics = topics.with(role, &names);
        }
        for topic in topics.as_slice() {
            let right = topic.name.len() <= 249
                && topic
                    .name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
            if !right {
                self.add(format!(
                    "{:?} is no Kafka topic: use letters, digits, '.', '_' and '-', 249 at most",
                    topic.name
                ));
            }
        }
        topics
    }

    fn security(&mut self, args: &RunArgs) -> Security {
        let given = |value: &Option<String>| value.clone().filter(|v| !v.trim().is_empty());
        let mut security = Security {
            sasl_username: given(&args.kafka_sasl_username),
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
        match given(&args.kafka_security_protocol)
            .unwrap_or_default()
            .parse::<Protocol>()
        {
            Ok(protocol) => security.protocol = protocol,
            Err(error) => self.add(error.to_string()),
        }
        if let Some(mechanism) = given(&args.kafka_sasl_mechanism) {
            match mechanism.parse::<Mechanism>() {
                Ok(mechanism) => security.sasl_mechanism = Some(mechanism),
                Err(error) => self.add(error.to_string()),
            }
        }
        if let Err(error) = security.settings() {
            self.add(error.to_string());
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

    fn check(arguments: &[&str]) -> Result<Settings, CheckSettingsError> {
        let cli = Cli::try_parse_from(std::iter::once(&"live-data-worker").chain(arguments)).unwrap();
        Settings::check(&cli.run)
    }

    #[test]
    fn what_the_old_processor_was_given_is_enough() {
        let settings = check(&["--instrument", "merlin", "--kafka-ip", "kafka", "--kafka-port", "9"]).unwrap();
        assert_eq!(settings.kafka.bootstrap_servers, "kafka:9");
        assert_eq!(settings.kafka.topics.of_role(Role::Events).count(), 1);
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
