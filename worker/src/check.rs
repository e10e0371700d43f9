//! `check-script`: what a script uses that is missing, then its `execute()` on a simulated run.
//!
//! Promises the same engine, interpreter and binding that a worker uses. It must not reach a broker.

use std::process::ExitCode;
use std::sync::Arc;

use live_data_engine::config::{EventIds, TimelineConfig};
use live_data_engine::place::Place;
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::Timeline;
use live_data_reduction::service::Service;
use live_data_stream::decode;

use crate::board::Board;
use crate::cli::CheckScriptArgs;
use crate::demo;
use crate::engine::{ToStderr, service, start_at_terminal};
use crate::ingest::partition_key;
use crate::live;
use crate::python::Limits;
use crate::script::Runner;
use crate::simulate::generator::{Generator, Settings};

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: std::path::PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// Python.
    #[error(transparent)]
    Start(#[from] crate::engine::StartAtTerminalError),
    /// A job on the script thread.
    #[error(transparent)]
    Job(#[from] crate::python::JobError),
    /// The script's folder.
    #[error(transparent)]
    Runner(#[from] crate::script::RunnerError),
    /// The script.
    #[error(transparent)]
    Load(#[from] crate::script::LoadScriptError),
    /// The simulated instrument.
    #[error(
        "cannot simulate the instrument {name}: {reason}. Name its folder of definition files with --instrument-dir"
    )]
    Simulate {
        /// Which.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Checks a script: what is missing, then `execute()` on a simulated run.
pub fn check_script(args: &CheckScriptArgs) -> Result<ExitCode, CheckError> {
    let text = std::fs::read_to_string(&args.file).map_err(|source| CheckError::Read {
        path: args.file.clone(),
        source,
    })?;
    let folder = std::env::temp_dir().join(format!("live-data-check-{}", std::process::id()));
    let output = args.output_dir.clone().unwrap_or_else(|| folder.join("output"));
    let output = std::path::absolute(&output).unwrap_or(output);
    std::fs::create_dir_all(&output).map_err(|source| CheckError::Read {
        path: output.clone(),
        source,
    })?;
    let service = service(Arc::new(ToStderr), args.instrument_dir.clone(), Some(output.clone()));
    let python = start_at_terminal(&service, args.engine, args.venv.clone())?;
    let missing = Runner::check(&python, &text)?;
    for one in &missing {
        println!("{}:{}: {}: {}", args.file.display(), one.line, one.name, one.remark);
    }
    if args.no_execute {
        println!("{} missing", missing.len());
        return Ok(if missing.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let snapshot = simulated_run(args, &service)?;
    let runner = Runner::new(python.clone(), &folder.join("script"))?;
    let limits = Limits::after(std::time::Duration::try_from_secs_f64(args.script_timeout).unwrap_or_default());
    runner.load(&text, limits)?;
    let board = Arc::new(Board::new(&args.instrument, None));
    let live = live::Live::over(service, &args.live_ws, EventIds::Auto, Arc::clone(&board));
    let limits_of_live = live::HubLimits {
        memory: None,
        timeout: limits.timeout,
    };
    let (journal, _) = crate::journal::Journal::new();
    // StartLiveData finds the simulated run as the stream's only one.
    let hub = live.hub(
        &python,
        Arc::new(live::feed::OneRun(snapshot.clone())),
        journal,
        limits_of_live,
    );
    let binding = live.binding(&python, hub);
    let outcome = runner.execute(limits, move |py| binding.bind(py, snapshot))?;
    for wrong in board.report().degraded {
        println!("note: {}", wrong.message);
    }
    match &outcome.error {
        None => println!(
            "execute() went well in {:.2} s; files in {}",
            outcome.duration.as_secs_f64(),
            output.display()
        ),
        Some(error) => println!(
            "execute() failed after {:.2} s\n{error}",
            outcome.duration.as_secs_f64()
        ),
    }
    Ok(if outcome.ok && missing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A run of the instrument as a worker would hold it, without a broker in between.
fn simulated_run(args: &CheckScriptArgs, service: &Service) -> Result<Snapshot, CheckError> {
    let failed = |reason: String| CheckError::Simulate {
        name: args.instrument.clone(),
        reason,
    };
    let layout =
        demo::layout(&args.instrument, service.instruments.as_ref()).map_err(|error| failed(error.to_string()))?;
    let seconds = 10.0;
    let now = jiff::Timestamp::now().as_nanosecond();
    let start_ns = i64::try_from(now).unwrap_or(i64::MAX) - 60_000_000_000;
    let settings = Settings {
        event_rate: args.events as f64 / seconds,
        run_seconds: seconds,
        first_run: 1,
        ..Settings::new(layout, start_ns)
    };
    let (mut timeline, view) = Timeline::new(TimelineConfig::new(&settings.layout.name));
    timeline.positioned(PulseTime::from_nanos(start_ns - 1));
    let mut offsets = std::collections::HashMap::new();
    for record in Generator::new(settings) {
        let partition = partition_key(record.role, record.role as usize, record.partition);
        let offset = offsets.entry(partition).or_insert(0_i64);
        let place = Place {
            partition,
            offset: *offset,
            timestamp_ms: record.send_ns / 1_000_000,
        };
        *offset += 1;
        let message = decode(&record.payload).map_err(|error| failed(error.to_string()))?;
        timeline.ingest(place, message, PulseTime::from_nanos(start_ns));
    }
    timeline.tick(PulseTime::from_nanos(start_ns));
    let run = view
        .runs()
        .into_iter()
        .next_back()
        .ok_or_else(|| failed("the simulation gave no run".into()))?;
    view.snapshot(&run.key)
        .ok_or_else(|| failed("the simulated run cannot be read".into()))
}
