//! The command line and the environment, as typed: every setting is a flag and an environment variable.
//!
//! Promises that `--help` is the reference. It must not judge values beyond their type: [`crate::settings`] does,
//! and lists every mistake at once.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::live::args::LiveArgs;
use crate::simulate::SimulateArgs;

/// Turns a neutron instrument's live event stream into reduced data while the run goes on.
#[derive(Debug, Parser)]
#[command(
    name = "live-data-worker",
    version,
    about,
    args_conflicts_with_subcommands = true,
    max_term_width = 110
)]
pub struct Cli {
    /// What to do; `run` when nothing is said.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the instrument's topics and execute the reduction script until told to stop (the default).
    Run(Box<RunArgs>),
    /// Show the whole system on this machine: embedded broker, simulated instrument, built-in script, page.
    Demo(DemoArgs),
    /// Produce a realistic instrument's stream to a broker.
    Simulate(Box<SimulateArgs>),
    /// Check a reduction script: what it uses that is missing, then `execute()` on a simulated run.
    CheckScript(CheckScriptArgs),
    /// Run a Python file in the embedded interpreter, with the chosen engine as `mantid`.
    Python(PythonArgs),
}

/// Settings of `run`: the names and defaults of the Python processor that this program replaces, and our own.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Instrument; its topics are `<INSTRUMENT>_events`, `_runInfo` and `_sampleEnv`.
    #[arg(long, env = "INSTRUMENT", default_value = "MERLIN")]
    pub instrument: String,

    /// Host of the Kafka broker.
    #[arg(
        long,
        env = "KAFKA_IP",
        default_value = "livedata.isis.cclrc.ac.uk",
        help_heading = "Kafka"
    )]
    pub kafka_ip: String,
    /// Port of the Kafka broker.
    #[arg(long, env = "KAFKA_PORT", default_value_t = 31092, help_heading = "Kafka")]
    pub kafka_port: u16,
    /// Brokers as host:port,host:port; instead of KAFKA_IP and KAFKA_PORT.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", help_heading = "Kafka")]
    pub kafka_bootstrap_servers: Option<String>,
    /// Topic of events, where it is not `<INSTRUMENT>_events`; several separated by commas.
    #[arg(long, env = "EVENTS_TOPIC", value_delimiter = ',', help_heading = "Kafka")]
    pub events_topic: Vec<String>,
    /// Topic of run starts and stops, where it is not `<INSTRUMENT>_runInfo`.
    #[arg(long, env = "RUN_INFO_TOPIC", help_heading = "Kafka")]
    pub run_info_topic: Option<String>,
    /// Topic of sample logs, where it is not `<INSTRUMENT>_sampleEnv`.
    #[arg(long, env = "SAMPLE_ENV_TOPIC", help_heading = "Kafka")]
    pub sample_env_topic: Option<String>,
    /// Topic of veto configurations, where it is not `<INSTRUMENT>_vetoConfig`; empty for none.
    #[arg(long, env = "VETO_CONFIG_TOPIC", help_heading = "Kafka")]
    pub veto_config_topic: Option<String>,
    /// plaintext, ssl, sasl_plaintext or sasl_ssl.
    #[arg(long, env = "KAFKA_SECURITY_PROTOCOL", help_heading = "Kafka")]
    pub kafka_security_protocol: Option<String>,
    /// PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    #[arg(long, env = "KAFKA_SASL_MECHANISM", help_heading = "Kafka")]
    pub kafka_sasl_mechanism: Option<String>,
    /// User for SASL.
    #[arg(long, env = "KAFKA_SASL_USERNAME", help_heading = "Kafka")]
    pub kafka_sasl_username: Option<String>,
    /// File that holds the password for SASL; read before Python starts.
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE", help_heading = "Kafka")]
    pub kafka_sasl_password_file: Option<PathBuf>,
    /// File or folder of the certificate authorities that the broker's certificate is checked against.
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_ca_location: Option<PathBuf>,
    /// The worker's own certificate, where the broker asks for one.
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_certificate_location: Option<PathBuf>,
    /// The key of that certificate.
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_key_location: Option<PathBuf>,
    /// File that holds the key's password; read before Python starts.
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD_FILE", help_heading = "Kafka")]
    pub kafka_ssl_key_password_file: Option<PathBuf>,
    /// Consumer group under which offsets are committed for monitoring tools; none when empty.
    #[arg(long, env = "KAFKA_GROUP_ID", help_heading = "Kafka")]
    pub kafka_group_id: Option<String>,

    /// What an event's id means: auto, spectrum, detector or index.
    #[arg(long, env = "EVENT_IDS", value_enum, default_value_t = EventIdsArg::Auto, help_heading = "Runs")]
    pub event_ids: EventIdsArg,
    /// Added to the start and stop times of runs before they are compared with pulse times, in milliseconds.
    #[arg(
        long,
        env = "RUN_CLOCK_OFFSET_MS",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "Runs"
    )]
    pub run_clock_offset_ms: i64,
    /// Leave out pulses whose run state is SETUP.
    #[arg(long, env = "EXCLUDE_SETUP", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1,
          default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), help_heading = "Runs")]
    pub exclude_setup: bool,
    /// How far before a run's start its sample logs are looked for, in seconds.
    #[arg(long, env = "LOG_LOOKBACK", default_value_t = 86400.0, help_heading = "Runs")]
    pub log_lookback: f64,
    /// How far before a run's start events are read, for producers that lag, in seconds.
    #[arg(long, env = "SEEK_MARGIN", default_value_t = 60.0, help_heading = "Runs")]
    pub seek_margin: f64,
    /// How much is kept while no run is open, in seconds of pulse time.
    #[arg(long, env = "GRACE", default_value_t = 120.0, help_heading = "Runs")]
    pub grace: f64,
    /// Within how much pulse time a repeated frame is recognised, in seconds.
    #[arg(long, env = "DUPLICATE_WINDOW", default_value_t = 60.0, help_heading = "Runs")]
    pub duplicate_window: f64,
    /// How often runs, bounds and partitions are reviewed, in seconds.
    #[arg(long, env = "RUN_CHECK_INTERVAL", default_value_t = 3.0, help_heading = "Runs")]
    pub run_check_interval: f64,

    /// Name of the workspace that the script finds the run in.
    #[arg(long, env = "LIVE_WS", default_value = "lives", help_heading = "Script")]
    pub live_ws: String,
    /// Address of the FIA API, which serves the script.
    #[arg(
        long,
        env = "FIA_API_URL",
        default_value = "https://dev.reduce.isis.cclrc.ac.uk/api",
        help_heading = "Script"
    )]
    pub fia_api_url: String,
    /// A file to read the script from, instead of the FIA API.
    #[arg(long, env = "SCRIPT_FILE", help_heading = "Script")]
    pub script_file: Option<PathBuf>,
    /// How often the script is fetched, in seconds.
    #[arg(long, env = "SCRIPT_REFRESH_TIME", default_value_t = 30.0, help_heading = "Script")]
    pub script_refresh_time: f64,
    /// How often the script is executed, in seconds.
    #[arg(long, env = "SCRIPT_RUN_INTERVAL", default_value_t = 300.0, help_heading = "Script")]
    pub script_run_interval: f64,
    /// After how long an execution is interrupted, in seconds.
    #[arg(long, env = "SCRIPT_TIMEOUT", default_value_t = 900.0, help_heading = "Script")]
    pub script_timeout: f64,
    /// Token that scripts use to download from GitHub; the only secret they are given.
    #[arg(long, env = "GITHUB_API_TOKEN", hide_env_values = true, help_heading = "Script")]
    pub github_api_token: Option<String>,

    /// Live data processing by the worker itself.
    #[command(flatten)]
    pub live: LiveArgs,

    /// Where scripts write their files.
    #[arg(long, env = "OUTPUT_DIR", default_value = "/output", help_heading = "Output")]
    pub output_dir: PathBuf,
    /// The script's own working folder; a fresh one under the temporary folder when not given.
    #[arg(long, env = "WORK_DIR", help_heading = "Output")]
    pub work_dir: Option<PathBuf>,
    /// Host of the Valkey (or Redis) server that the scientist's log is written to; empty for none.
    #[arg(long, env = "VALKEY_HOST", default_value = "localhost", help_heading = "Output")]
    pub valkey_host: String,
    /// Port of that server.
    #[arg(long, env = "VALKEY_PORT", default_value_t = 6379, help_heading = "Output")]
    pub valkey_port: u16,
    /// File that holds that server's password; read before Python starts.
    #[arg(long, env = "VALKEY_PASSWORD_FILE", help_heading = "Output")]
    pub valkey_password_file: Option<PathBuf>,

    /// Which engine runs the scripts: auto takes real Mantid where it can be imported.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto, help_heading = "Worker")]
    pub engine: EngineArg,
    /// Folder of instrument definition files.
    #[arg(long, env = "INSTRUMENT_DIR", help_heading = "Worker")]
    pub instrument_dir: Option<PathBuf>,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV", help_heading = "Worker")]
    pub venv: Option<PathBuf>,
    /// Memory that the worker keeps to, such as 2GiB; 80 % of the container's limit when not given.
    #[arg(long, env = "MEMORY_LIMIT", help_heading = "Worker")]
    pub memory_limit: Option<String>,
    /// Address of the page, /status, /metrics, /healthz, /readyz and /logs.
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8080", help_heading = "Worker")]
    pub http_addr: SocketAddr,
    /// What is logged: error, warn, info, debug, trace, or a filter such as live_data_worker=debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", help_heading = "Worker")]
    pub log_level: String,
    /// How it is logged: auto is text on a terminal and JSON elsewhere.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto, help_heading = "Worker")]
    pub log_format: LogFormat,
}

/// What an event's id means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EventIdsArg {
    /// Spectrum numbers for ev42 when the run start carries a map, else detector ids.
    Auto,
    /// Spectrum numbers.
    Spectrum,
    /// Detector ids of the instrument definition.
    Detector,
    /// Workspace indices, as the Python processor assumed.
    Index,
}

/// Which engine runs the scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// Real Mantid where it can be imported, else the native engine.
    Auto,
    /// Real Mantid, or fail.
    Mantid,
    /// The native engine.
    Native,
}

/// How the worker's own log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text.
    Text,
    /// One JSON object a line.
    Json,
}

/// Settings of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Go on after the two runs, with one run after another, until interrupted.
    #[arg(long)]
    pub keep: bool,
    /// Folder for the reduced files.
    #[arg(long, default_value = "live-data-demo")]
    pub output_dir: PathBuf,
    /// Length of each simulated run, in seconds.
    #[arg(long, default_value_t = 10.0)]
    pub run_seconds: f64,
    /// Events per second of the simulated instrument.
    #[arg(long, default_value_t = 50_000.0)]
    pub rate: f64,
    /// Address of the page.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:0")]
    pub http_addr: SocketAddr,
    /// Use this broker instead of the embedded one.
    #[arg(long)]
    pub kafka_bootstrap_servers: Option<String>,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV")]
    pub venv: Option<PathBuf>,
}

/// Settings of `check-script`.
#[derive(Clone, Debug, Args)]
pub struct CheckScriptArgs {
    /// The script.
    pub file: PathBuf,
    /// Instrument to simulate; the project's own small one when not given.
    #[arg(long, env = "INSTRUMENT", default_value = "LIVEDEMO")]
    pub instrument: String,
    /// Folder of instrument definition files.
    #[arg(long, env = "INSTRUMENT_DIR")]
    pub instrument_dir: Option<PathBuf>,
    /// Number of events of the simulated run.
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// Only look for what is missing; do not execute.
    #[arg(long)]
    pub no_execute: bool,
    /// Where the script writes its files; a temporary folder when not given.
    #[arg(long, env = "OUTPUT_DIR")]
    pub output_dir: Option<PathBuf>,
    /// After how long the execution is interrupted, in seconds.
    #[arg(long, env = "SCRIPT_TIMEOUT", default_value_t = 900.0)]
    pub script_timeout: f64,
    /// Name of the workspace that the script finds the run in.
    #[arg(long, env = "LIVE_WS", default_value = "lives")]
    pub live_ws: String,
    /// Which engine runs the script.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV")]
    pub venv: Option<PathBuf>,
}

/// Settings of `python`.
#[derive(Clone, Debug, Args)]
pub struct PythonArgs {
    /// The Python file.
    pub file: PathBuf,
    /// What it finds in `sys.argv` after its own name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// Which engine is `mantid`.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Folder of instrument definition files.
    #[arg(long, env = "INSTRUMENT_DIR")]
    pub instrument_dir: Option<PathBuf>,
    /// Where `config["defaultsave.directory"]` points.
    #[arg(long, env = "OUTPUT_DIR")]
    pub output_dir: Option<PathBuf>,
    /// Python environment whose packages can be imported.
    #[arg(long, env = "LIVE_DATA_VENV")]
    pub venv: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn run_is_what_is_done_when_nothing_is_said() {
        let cli = Cli::try_parse_from(["live-data-worker", "--instrument", "LET", "--exclude-setup"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.run.instrument, "LET");
        assert!(cli.run.exclude_setup);
    }

    #[test]
    fn arguments_of_a_python_file_reach_it_untouched() {
        let cli = Cli::try_parse_from(["live-data-worker", "python", "a.py", "--flag", "-x"]).unwrap();
        let Some(Command::Python(args)) = cli.command else {
            panic!("not python: {cli:?}")
        };
        assert_eq!(args.args, ["--flag", "-x"]);
    }
}
