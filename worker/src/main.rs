//! The worker's program: arguments in, exit code out.
//!
//! Exit codes: 0 done, 1 it failed while running, 2 the settings or arguments cannot be used.

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
        Some(Command::Demo(args)) => logged(|| demo::run(&args)),
        Some(Command::Simulate(args)) => logged(|| simulate_command::run(&args)),
        Some(Command::CheckScript(args)) => logged(|| check::check_script(&args)),
        Some(Command::Python(args)) => logged(|| python_file::run(&args)),
    }
}

fn run(args: &RunArgs) -> ExitCode {
    let settings = match Settings::check(args) {
        Ok(settings) => settings,
        Err(error) => return refuse(&error),
    };
    if let Err(error) = logging::set_up(&settings.log_level, settings.log_format) {
        return refuse(&error);
    }
    worker::run(&settings).unwrap_or_else(|error| {
        tracing::error!("the worker cannot start: {error}");
        ExitCode::FAILURE
    })
}

/// A command for a person at a terminal: warnings are shown, progress is the command's own.
fn logged<E: std::fmt::Display>(work: impl FnOnce() -> Result<ExitCode, E>) -> ExitCode {
    let level = std::env::var("LOG_LEVEL").unwrap_or_else(|_| "warn".into());
    if let Err(error) = logging::set_up(&level, LogFormat::Text) {
        return refuse(&error);
    }
    work().unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn refuse(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("error: {error}");
    ExitCode::from(2)
}
