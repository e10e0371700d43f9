//! The engines of a worker: which one runs the scripts, and what the native one works with.
//!
//! Promises that every command (`run`, `demo`, `check-script`, `python`) gives scripts the same engine. It must not know runs.

use std::path::PathBuf;
use std::sync::Arc;

use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_reduction::service::{Level as EngineLevel, Logger, Service};

use crate::cli::EngineArg;
use crate::journal::{Journal, Level};
use crate::python::output::{Redactor, Sink, descriptors};
use crate::python::{EngineChoice, Handle, Interpreter, InterpreterConfig, native};

/// Which engine, as the interpreter says it.
pub fn engine_choice(choice: EngineArg) -> EngineChoice {
    match choice {
        EngineArg::Auto => EngineChoice::Auto,
        EngineArg::Mantid => EngineChoice::Mantid,
        EngineArg::Native => EngineChoice::Native,
    }
}

/// Environment variables that a script has no business with.
pub fn hidden_variables() -> Vec<String> {
    let secret = [
        "KAFKA_SASL_USERNAME",
        "KAFKA_SASL_PASSWORD_FILE",
        "KAFKA_SSL_KEY_PASSWORD_FILE",
        "VALKEY_PASSWORD_FILE",
    ];
    secret.iter().map(|name| (*name).to_owned()).collect()
}

/// The native engine's services, with instruments from a folder and files saved into another.
pub fn service(logger: Arc<dyn Logger>, instrument_dir: Option<PathBuf>, output_dir: Option<PathBuf>) -> Service {
    let service = Service::new(
        logger,
        Arc::new(InstrumentFolders::new(instrument_dir.clone().into_iter().collect())),
    );
    if let Some(folder) = instrument_dir {
        service
            .config
            .set("instrumentDefinition.directory", &folder.to_string_lossy());
    }
    if let Some(folder) = output_dir {
        service.config.set(
            "defaultsave.directory",
            &format!("{}/", folder.to_string_lossy().trim_end_matches('/')),
        );
    }
    service
}

/// Why a command for a person at a terminal has no Python.
#[derive(Debug, thiserror::Error)]
pub enum StartAtTerminalError {
    /// Standard output.
    #[error(transparent)]
    Capture(#[from] descriptors::CaptureError),
    /// Python.
    #[error(transparent)]
    Start(#[from] crate::python::StartError),
}

/// Python for a person at a terminal: what it prints goes there as it is.
pub fn start_at_terminal(
    service: &Service,
    engine: EngineArg,
    venv: Option<PathBuf>,
) -> Result<Handle, StartAtTerminalError> {
    let originals = descriptors::duplicates()?;
    let python = Interpreter::start(InterpreterConfig {
        venv,
        engine: engine_choice(engine),
        output: Sink::Direct(Arc::new((originals.stdout, originals.stderr))),
        redactor: Redactor::default(),
        hidden_variables: hidden_variables(),
        home: None,
        native: Some(native::setup(service.clone())),
    })?;
    for warning in &python.started().warnings {
        tracing::warn!("{warning}");
    }
    Ok(python)
}

/// What algorithms log, for the scientist.
pub struct JournalLogger(pub Journal);

impl Logger for JournalLogger {
    fn log(&self, level: EngineLevel, source: &str, text: &str) {
        let level = match level {
            EngineLevel::Fatal | EngineLevel::Critical => Level::Critical,
            EngineLevel::Error => Level::Error,
            EngineLevel::Warning => Level::Warning,
            EngineLevel::Notice => Level::Info,
            EngineLevel::Information | EngineLevel::Debug | EngineLevel::Trace => Level::Debug,
        };
        self.0.write(level, &format!("{source}: {text}"));
    }
}

/// What algorithms log, for a person at a terminal.
pub struct ToStderr;

impl Logger for ToStderr {
    fn log(&self, level: EngineLevel, source: &str, text: &str) {
        if level <= EngineLevel::Notice {
            eprintln!("{source}: {text}");
        }
    }
}
