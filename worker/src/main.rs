//! The worker's program: arguments in, exit code out.
//!
//! Exit codes: 0 done, 1 it failed while running, 2 the settings or arguments cannot be used.

use std::process::ExitCode;

use clap::Parser;
use live_data_worker::cli::{Cli, Command, LogFormat};
use live_data_worker::{logging, python_file};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Python(args)) => logged(|| python_file::run(&args)),
        _ => ExitCode::from(2),
    }
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
