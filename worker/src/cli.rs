//! Arguments of the program: every setting is a flag and an environment variable, and `--help` is their reference.
//!
//! Must not validate values beyond their types: [`crate::settings`] does, and lists every mistake at once.

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
    /// Command; `run` if none is given.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of `run`, for a call that names no command.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Commands of `live-data-worker`; their first lines are the help texts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the instrument's topics and execute the reduction script until a signal stops it (the default).
    Run(Box<RunArgs>),
    /// Show the whole system on this machine: embedded broker, simulated instrument, built-in script, page.
    Demo(DemoArgs),
    /// Produce a realistic instrument's stream to a broker.
    Simulate(Box<SimulateArgs>),
    /// Check a reduction script: list the names that the engine lacks, then run `execute()` on a simulated run.
    CheckScript(CheckScriptArgs),
    /// Run a Python file in the embedded interpreter, with the chosen engine as `mantid`.
    Python(PythonArgs),
}

/// Arguments of `run`: names and defaults of the Python processor that this program replaces, and further ones.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Instrument, of which `<INSTRUMENT>_events`, `_runInfo` and `_sampleEnv` are read: a letter, then letters, digits, _ or -.
    #[arg(long, env = "INSTRUMENT", default_value = "MERLIN")]
    pub instrument: String,

    /// Host of the Kafka broker, unless KAFKA_BOOTSTRAP_SERVERS is given.
    #[arg(
        long,
        env = "KAFKA_IP",
        default_value = "livedata.isis.cclrc.ac.uk",
        help_heading = "Kafka"
    )]
    pub kafka_ip: String,
    /// Port of the Kafka broker, unless KAFKA_BOOTSTRAP_SERVERS is given.
    #[arg(long, env = "KAFKA_PORT", default_value_t = 31092, help_heading = "Kafka")]
    pub kafka_port: u16,
    /// Brokers as host:port,host:port; replaces KAFKA_IP and KAFKA_PORT.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS", help_heading = "Kafka")]
    pub kafka_bootstrap_servers: Option<String>,
    /// Topics of events, separated by commas; `<INSTRUMENT>_events` by default.
    #[arg(long, env = "EVENTS_TOPIC", value_delimiter = ',', help_heading = "Kafka")]
    pub events_topic: Vec<String>,
    /// Topic of run starts and stops; `<INSTRUMENT>_runInfo` by default.
    #[arg(long, env = "RUN_INFO_TOPIC", help_heading = "Kafka")]
    pub run_info_topic: Option<String>,
    /// Topic of sample logs; `<INSTRUMENT>_sampleEnv` by default.
    #[arg(long, env = "SAMPLE_ENV_TOPIC", help_heading = "Kafka")]
    pub sample_env_topic: Option<String>,
    /// Topic of veto configurations; `<INSTRUMENT>_vetoConfig` by default, empty for none.
    #[arg(long, env = "VETO_CONFIG_TOPIC", help_heading = "Kafka")]
    pub veto_config_topic: Option<String>,
    /// Security protocol: plaintext (the default), ssl, sasl_plaintext or sasl_ssl.
    #[arg(long, env = "KAFKA_SECURITY_PROTOCOL", help_heading = "Kafka")]
    pub kafka_security_protocol: Option<String>,
    /// SASL mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    #[arg(long, env = "KAFKA_SASL_MECHANISM", help_heading = "Kafka")]
    pub kafka_sasl_mechanism: Option<String>,
    /// SASL user name.
    #[arg(long, env = "KAFKA_SASL_USERNAME", help_heading = "Kafka")]
    pub kafka_sasl_username: Option<String>,
    /// File with the SASL password; read before Python starts.
    #[arg(long, env = "KAFKA_SASL_PASSWORD_FILE", help_heading = "Kafka")]
    pub kafka_sasl_password_file: Option<PathBuf>,
    /// File or folder of the certificate authorities that sign the broker's certificate; the system's by default.
    #[arg(long, env = "KAFKA_SSL_CA_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_ca_location: Option<PathBuf>,
    /// File with the worker's own certificate, for brokers that require one.
    #[arg(long, env = "KAFKA_SSL_CERTIFICATE_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_certificate_location: Option<PathBuf>,
    /// File with the private key of that certificate.
    #[arg(long, env = "KAFKA_SSL_KEY_LOCATION", help_heading = "Kafka")]
    pub kafka_ssl_key_location: Option<PathBuf>,
    /// File with the key's password; read before Python starts.
    #[arg(long, env = "KAFKA_SSL_KEY_PASSWORD_FILE", help_heading = "Kafka")]
    pub kafka_ssl_key_password_file: Option<PathBuf>,
    /// Consumer group for which offsets are committed, for monitoring tools only; none by default.
    #[arg(long, env = "KAFKA_GROUP_ID", help_heading = "Kafka")]
    pub kafka_group_id: Option<String>,

    /// Meaning of an event's id in the stream.
    #[arg(long, env = "EVENT_IDS", value_enum, default_value_t = EventIdsArg::Auto, help_heading = "Runs")]
    pub event_ids: EventIdsArg,
    /// Milliseconds added to the start and stop times of runs before they are compared with pulse times; at most a day
    /// either way.
    #[arg(
        long,
        env = "RUN_CLOCK_OFFSET_MS",
        default_value_t = 0,
        allow_negative_numbers = true,
        help_heading = "Runs"
    )]
    pub run_clock_offset_ms: i64,
    /// Exclude pulses whose run state is SETUP.
    #[arg(long, env = "EXCLUDE_SETUP", default_value_t = false, action = clap::ArgAction::Set, num_args = 0..=1,
          default_missing_value = "true", value_parser = clap::builder::BoolishValueParser::new(), help_heading = "Runs")]
    pub exclude_setup: bool,
    /// Seconds before a run's start from which its sample logs are read; 0 or more.
    #[arg(long, env = "LOG_LOOKBACK", default_value_t = 86400.0, help_heading = "Runs")]
    pub log_lookback: f64,
    /// Seconds before a run's start from which events are read, for producers that lag; 0 or more.
    #[arg(long, env = "SEEK_MARGIN", default_value_t = 60.0, help_heading = "Runs")]
    pub seek_margin: f64,
    /// Seconds of pulse time for which events are kept while no run is open; 0 or more.
    #[arg(long, env = "GRACE", default_value_t = 120.0, help_heading = "Runs")]
    pub grace: f64,
    /// Seconds of pulse time within which a repeated frame is recognised; 0 or more.
    #[arg(long, env = "DUPLICATE_WINDOW", default_value_t = 60.0, help_heading = "Runs")]
    pub duplicate_window: f64,
    /// Seconds between two requests for the topics' metadata, which show new topics and partitions; more than 0. Runs
    /// are reviewed ten times a second in any case.
    #[arg(long, env = "RUN_CHECK_INTERVAL", default_value_t = 3.0, help_heading = "Runs")]
    pub run_check_interval: f64,

    /// Name of the workspace with the run's events, for the script.
    #[arg(long, env = "LIVE_WS", default_value = "lives", help_heading = "Script")]
    pub live_ws: String,
    /// URL of the FIA API, which serves the script at /live-data/<instrument>/script.
    #[arg(
        long,
        env = "FIA_API_URL",
        default_value = "https://dev.reduce.isis.cclrc.ac.uk/api",
        help_heading = "Script"
    )]
    pub fia_api_url: String,
    /// File of the script, instead of the FIA API.
    #[arg(long, env = "SCRIPT_FILE", help_heading = "Script")]
    pub script_file: Option<PathBuf>,
    /// Seconds between two fetches of the script; more than 0.
    #[arg(long, env = "SCRIPT_REFRESH_TIME", default_value_t = 30.0, help_heading = "Script")]
    pub script_refresh_time: f64,
    /// Seconds between the starts of two executions while a run goes on; more than 0.
    #[arg(long, env = "SCRIPT_RUN_INTERVAL", default_value_t = 300.0, help_heading = "Script")]
    pub script_run_interval: f64,
    /// Seconds after which an execution, or a chunk's Python, is interrupted; more than 0.
    #[arg(long, env = "SCRIPT_TIMEOUT", default_value_t = 900.0, help_heading = "Script")]
    pub script_timeout: f64,
    /// Token for the scripts' downloads from GitHub; the only secret that scripts can read.
    #[arg(long, env = "GITHUB_API_TOKEN", hide_env_values = true, help_heading = "Script")]
    pub github_api_token: Option<String>,

    /// Live data processing by the worker itself, without a script.
    #[command(flatten)]
    pub live: LiveArgs,

    /// Folder for the files that scripts save; relative paths of the save algorithms lead there.
    #[arg(long, env = "OUTPUT_DIR", default_value = "/output", help_heading = "Output")]
    pub output_dir: PathBuf,
    /// Folder for the script's working files; a new one in the temporary folder by default.
    #[arg(long, env = "WORK_DIR", help_heading = "Output")]
    pub work_dir: Option<PathBuf>,
    /// Host of the Valkey (or Redis) server for the scientist's log; empty for none.
    #[arg(long, env = "VALKEY_HOST", default_value = "localhost", help_heading = "Output")]
    pub valkey_host: String,
    /// Port of the Valkey server.
    #[arg(long, env = "VALKEY_PORT", default_value_t = 6379, help_heading = "Output")]
    pub valkey_port: u16,
    /// File with the Valkey server's password; read before Python starts.
    #[arg(long, env = "VALKEY_PASSWORD_FILE", help_heading = "Output")]
    pub valkey_password_file: Option<PathBuf>,

    /// Engine that runs the scripts.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto, help_heading = "Worker")]
    pub engine: EngineArg,
    /// Folder of instrument definition files, searched before the built-in ones.
    #[arg(long, env = "INSTRUMENT_DIR", help_heading = "Worker")]
    pub instrument_dir: Option<PathBuf>,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV", help_heading = "Worker")]
    pub venv: Option<PathBuf>,
    /// Memory limit of the worker, at least 64MiB, such as 2GiB; 80 % of the container's limit by default. Events beyond it are
    /// counted but not kept.
    #[arg(long, env = "MEMORY_LIMIT", help_heading = "Worker")]
    pub memory_limit: Option<String>,
    /// Address of the HTTP server: page, /status, /metrics, /healthz, /readyz and /logs.
    #[arg(long, env = "HTTP_ADDR", default_value = "0.0.0.0:8080", help_heading = "Worker")]
    pub http_addr: SocketAddr,
    /// Least level that is logged: error, warn, info, debug or trace; or a filter such as live_data_worker=debug.
    #[arg(long, env = "LOG_LEVEL", default_value = "info", help_heading = "Worker")]
    pub log_level: String,
    /// Format of log lines.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Auto, help_heading = "Worker")]
    pub log_format: LogFormat,
}

/// Value of EVENT_IDS.
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

/// Value of ENGINE.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineArg {
    /// Real Mantid if it can be imported, else the native engine.
    Auto,
    /// Real Mantid; the worker does not start without it.
    Mantid,
    /// The engine of this program.
    Native,
}

/// Value of LOG_FORMAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// Text, coloured on a terminal.
    Text,
    /// One JSON object on each line.
    Json,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Simulate one run after another until interrupted, instead of two.
    #[arg(long)]
    pub keep: bool,
    /// Folder for the files that the script saves.
    #[arg(long, default_value = "live-data-demo")]
    pub output_dir: PathBuf,
    /// Length of each simulated run in seconds.
    #[arg(long, default_value_t = 10.0)]
    pub run_seconds: f64,
    /// Events per second of the simulated instrument.
    #[arg(long, default_value_t = 50_000.0)]
    pub rate: f64,
    /// Address of the HTTP server; port 0 chooses a free port.
    #[arg(long, env = "HTTP_ADDR", default_value = "127.0.0.1:0")]
    pub http_addr: SocketAddr,
    /// Brokers as host:port,host:port, instead of the embedded one.
    #[arg(long)]
    pub kafka_bootstrap_servers: Option<String>,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV")]
    pub venv: Option<PathBuf>,
}

/// Arguments of `check-script`.
#[derive(Clone, Debug, Args)]
pub struct CheckScriptArgs {
    /// Script to check.
    pub file: PathBuf,
    /// Instrument to simulate; by default the project's own small one.
    #[arg(long, env = "INSTRUMENT", default_value = "LIVEDEMO")]
    pub instrument: String,
    /// Folder of instrument definition files.
    #[arg(long, env = "INSTRUMENT_DIR")]
    pub instrument_dir: Option<PathBuf>,
    /// Number of events of the simulated run.
    #[arg(long, default_value_t = 100_000)]
    pub events: u64,
    /// List missing names only; do not execute.
    #[arg(long)]
    pub no_execute: bool,
    /// Folder for the files that the script saves; a temporary one by default.
    #[arg(long, env = "OUTPUT_DIR")]
    pub output_dir: Option<PathBuf>,
    /// Seconds after which the execution is interrupted.
    #[arg(long, env = "SCRIPT_TIMEOUT", default_value_t = 900.0)]
    pub script_timeout: f64,
    /// Name of the workspace with the run's events, for the script.
    #[arg(long, env = "LIVE_WS", default_value = "lives")]
    pub live_ws: String,
    /// Engine that runs the script.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Python environment whose packages scripts can import.
    #[arg(long, env = "LIVE_DATA_VENV")]
    pub venv: Option<PathBuf>,
}

/// Arguments of `python`.
#[derive(Clone, Debug, Args)]
pub struct PythonArgs {
    /// Python file to run.
    pub file: PathBuf,
    /// Arguments of the file: `sys.argv` after its own name.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// Engine that the file imports as `mantid`.
    #[arg(long, env = "ENGINE", value_enum, default_value_t = EngineArg::Auto)]
    pub engine: EngineArg,
    /// Folder of instrument definition files.
    #[arg(long, env = "INSTRUMENT_DIR")]
    pub instrument_dir: Option<PathBuf>,
    /// Folder of `config["defaultsave.directory"]`; the current one by default.
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
    fn run_is_the_default_command() {
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
