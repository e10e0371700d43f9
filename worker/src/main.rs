//! Program `live-data-worker`: runs the command that the arguments name.
//!
//! Exit codes: 0 success, 1 failure of the command, 2 settings or arguments that cannot be used.

use std::process::ExitCode;

use clap::Parser;
use live_data_worker::cli::{Cli, Command, LogFormat, RunArgs};
use live_data_worker::settings::Settings;
use live_data_worker::{check, demo, logging, python_file, simulate_command, worker};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        None => run(&cli.run),
        Some(Command::Run(args)) => run(&args),
        Some(Command::Demo(args)) => run_logged(|| demo::run(&args)),
        Some(Command::Simulate(args)) => run_logged(|| simulate_command::run(&args)),
        Some(Command::CheckScript(args)) => run_logged(|| check::check_script(&args)),
        Some(Command::Python(args)) => run_logged(|| python_file::run(&args)),
    }
}

fn run(args: &RunArgs) -> ExitCode {
    let settings = match Settings::from_args(args) {
        Ok(settings) => settings,
        Err(error) => return exit_unusable(&error),
    };
    if let Err(error) = logging::set_up(&settings.log_level, settings.log_format) {
        return exit_unusable(&error);
    }
    worker::run(&settings).unwrap_or_else(|error| {
        tracing::error!("the worker cannot start: {error}");
        ExitCode::FAILURE
    })
}

/// Runs a command at a terminal, with log lines from `warn` up unless LOG_LEVEL is set.
fn run_logged<E: std::fmt::Display>(command: impl FnOnce() -> Result<ExitCode, E>) -> ExitCode {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "warn".into());
    if let Err(error) = logging::set_up(&level, LogFormat::Text) {
        return exit_unusable(&error);
    }
    command().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn exit_unusable(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
