//! Engines of the worker: choice of the one that runs the scripts, and services of the native one.
//!
//! Promises that every command (`run`, `demo`, `check-script`, `python`) gives scripts the same engine. Must not know runs.

use std::path::PathBuf;
use std::sync::Arc;

use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_reduction::service::{LogLevel as EngineLogLevel, Logger, Services};

use crate::cli::EngineArg;
use crate::python::output::{OutputSink, Redactor, descriptors};
use crate::python::{EngineChoice, Interpreter, InterpreterConfig, InterpreterHandle, native};
use crate::script_log::{LogLevel, ScriptLog};

/// The interpreter's choice for the setting ENGINE.
pub fn engine_choice(choice: EngineArg) -> EngineChoice {
    match choice {
        EngineArg::Auto => EngineChoice::Auto,
        EngineArg::Mantid => EngineChoice::Mantid,
        EngineArg::Native => EngineChoice::Native,
    }
}

/// Environment variables that are removed before scripts run: they name secrets.
pub fn hidden_variables() -> Vec<String> {
    let names = [
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD_FILE",
        "KAFKA_SSL_KEY_PASSWORD_FILE",
        "VALKEY_PASSWORD_FILE",
    ];
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Services of the native engine: instruments from `instrument_dir` and the built-in ones, files saved into `output_dir`.
pub fn native_services(
    logger: Arc<dyn Logger>,
    instrument_dir: Option<PathBuf>,
    output_dir: Option<PathBuf>,
) -> Services {
    let services = Services::new(
        logger,
        Arc::new(InstrumentFolders::new(instrument_dir.clone().into_iter().collect())),
    );
    if let Some(folder) = instrument_dir {
        services
            .config
            .set("instrumentDefinition.directory", &folder.to_string_lossy());
    }
    if let Some(folder) = output_dir {
        services.config.set(
            "defaultsave.directory",
            &format!("{}/", folder.to_string_lossy().trim_end_matches('/')),
        );
    }
    services
}

/// Failure to start Python for a command at a terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartAtTerminalError {
    /// Standard output and error cannot be duplicated.
    #[error(transparent)]
    Capture(#[from] descriptors::CaptureError),
    /// Python or the chosen engine cannot be started.
    #[error(transparent)]
    Start(#[from] crate::python::StartError),
}

/// Starts Python with its output on the terminal, unchanged; its warnings are logged.
///
/// # Errors
/// Both variants of [`StartAtTerminalError`].
pub fn start_at_terminal(
    service: &Services,
    engine: EngineArg,
    venv: Option<PathBuf>,
) -> Result<InterpreterHandle, StartAtTerminalError> {
    let originals = descriptors::duplicates()?;
    let python = Interpreter::start(InterpreterConfig {
        venv,
        engine: engine_choice(engine),
        output: OutputSink::Direct(Arc::new((originals.stdout, originals.stderr))),
        redactor: Redactor::default(),
        hidden_variables: hidden_variables(),
        home: None,
        native: Some(native::setup(service.clone())),
    })?;
    for warning in &python.info().warnings {
        tracing::warn!("{warning}");
    }
    Ok(python)
}

/// Logger of algorithms into the script log; Mantid's notices become `INFO`, its information `DEBUG`.
pub struct ScriptLogLogger(pub ScriptLog);

impl Logger for ScriptLogLogger {
    fn log(&self, level: EngineLogLevel, source: &str, text: &str) {
        let level = match level {
            EngineLogLevel::Fatal | EngineLogLevel::Critical => LogLevel::Critical,
            EngineLogLevel::Error => LogLevel::Error,
            EngineLogLevel::Warning => LogLevel::Warning,
            EngineLogLevel::Notice => LogLevel::Info,
            EngineLogLevel::Information | EngineLogLevel::Debug | EngineLogLevel::Trace => LogLevel::Debug,
        };
        self.0.write(level, &format!("{source}: {text}"));
    }
}

/// Logger of algorithms to standard error, from Mantid's level `notice` up.
pub struct StderrLogger;

impl Logger for StderrLogger {
    fn log(&self, level: EngineLogLevel, source: &str, text: &str) {
        if level <= EngineLogLevel::Notice {
            eprintln!("{source}: {text}");
        }
    }
}
