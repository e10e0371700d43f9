//! Command `check-script`: names that a script uses and the engine lacks, then `execute()` on a simulated run.
//!
//! Promises the engine, interpreter and live workspace of a worker. Must not contact a broker.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use live_data_engine::config::{EventIdKind, TimelineConfig};
use live_data_engine::record_position::{PartitionKey, RecordPosition};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::Timeline;
use live_data_reduction::service::Services;
use live_data_stream::decode;

use crate::cli::CheckScriptArgs;
use crate::demo;
use crate::engine::{StderrLogger, native_services, start_at_terminal};
use crate::executor::live_workspace::{LiveDataLimits, LiveWorkspaceBuilder};
use crate::live::run_source::SingleRunSource;
use crate::python::{InterpreterHandle, Limits};
use crate::readiness::Readiness;
use crate::script::{ExecutionOutcome, ScriptRunner};
use crate::script_log::ScriptLog;
use crate::simulate::generator::{Generator, SimulationSettings};
use crate::status_registry::StatusRegistry;

/// Failure to check a script.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The script cannot be read, or the output folder not be made.
    #[error("cannot read {path}: {source}")]
    Read {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
    /// Python or the chosen engine cannot be started.
    #[error(transparent)]
    Start(#[from] crate::engine::StartAtTerminalError),
    /// The interpreter did not finish a job.
    #[error(transparent)]
    Job(#[from] crate::python::JobError),
    /// The script's folder cannot be used.
    #[error(transparent)]
    ScriptRunner(#[from] crate::script::StartScriptRunnerError),
    /// The script cannot be loaded.
    #[error(transparent)]
    Load(#[from] crate::script::LoadScriptError),
    /// The instrument has no definition, or its simulation failed.
    #[error(
        "cannot simulate the instrument {name}: {reason}. Name its folder of definition files with --instrument-dir"
    )]
    Simulate { name: String, reason: String },
}

/// Checks a script: prints the names that the engine lacks, then executes it on a simulated run.
///
/// Exit code 1 if a name is missing or `execute()` failed.
///
/// # Errors
/// Each variant of [`CheckError`]: the check itself failed.
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
    let services = native_services(
        Arc::new(StderrLogger),
        args.instrument_dir.clone(),
        Some(output.clone()),
    );
    let python = start_at_terminal(&services, args.engine, args.venv.clone())?;
    let missing = ScriptRunner::check(&python, &text)?;
    for name in &missing {
        println!("{}:{}: {}: {}", args.file.display(), name.line, name.name, name.remark);
    }
    if args.no_execute {
        println!("{} missing", missing.len());
        return Ok(exit_code(missing.is_empty()));
    }
    let run = simulated_run(args, &services)?;
    let runner = ScriptRunner::new(python.clone(), &folder.join("script"))?;
    let executed = execute(args, services, &python, &runner, &text, run)?;
    let seconds = executed.duration.as_secs_f64();
    match &executed.error {
        None => println!("execute() went well in {seconds:.2} s; files in {}", output.display()),
        Some(error) => println!("execute() failed after {seconds:.2} s\n{error}"),
    }
    Ok(exit_code(executed.ok && missing.is_empty()))
}

fn exit_code(ok: bool) -> ExitCode {
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Executes the script on `run`, which is also the only run that its StartLiveData finds. Prints degradations as notes.
fn execute(
    args: &CheckScriptArgs,
    services: Services,
    python: &InterpreterHandle,
    runner: &ScriptRunner,
    text: &str,
    run: Snapshot,
) -> Result<ExecutionOutcome, CheckError> {
    let limits = Limits::after(Duration::try_from_secs_f64(args.script_timeout).unwrap_or_default());
    runner.load(text, limits)?;
    let readiness = Arc::new(Readiness::default());
    let status = Arc::new(StatusRegistry::new(&args.instrument, None, Arc::clone(&readiness)));
    let builder = LiveWorkspaceBuilder::with_services(services, &args.live_ws, EventIdKind::Auto, Arc::clone(&status));
    let (script_log, _) = ScriptLog::new();
    let live_data = builder.live_data_service(
        python,
        Arc::new(SingleRunSource(run.clone())),
        script_log,
        readiness,
        LiveDataLimits {
            memory: None,
            timeout: limits.timeout,
        },
    );
    let live_workspace = builder.build(python, live_data);
    let shown = Arc::clone(&live_workspace);
    let outcome = runner.execute(limits, move |py| shown.set_run(py, run))?;
    for degradation in status.report().degraded {
        println!("note: {}", degradation.message);
    }
    drop(live_workspace);
    Ok(outcome)
}

/// Run of the simulated instrument as a worker holds it, made without a broker.
fn simulated_run(args: &CheckScriptArgs, services: &Services) -> Result<Snapshot, CheckError> {
    let failed = |reason: String| CheckError::Simulate {
        name: args.instrument.clone(),
        reason,
    };
    let layout =
        demo::layout(&args.instrument, services.instruments.as_ref()).map_err(|error| failed(error.to_string()))?;
    let seconds = 10.0;
    let now = jiff::Timestamp::now().as_nanosecond();
    let start_ns = i64::try_from(now).unwrap_or(i64::MAX) - 60_000_000_000;
    let settings = SimulationSettings {
        event_rate: args.events as f64 / seconds,
        run_seconds: seconds,
        first_run: 1,
        ..SimulationSettings::new(layout, start_ns)
    };
    let (mut timeline, view) = Timeline::new(TimelineConfig::new(&settings.layout.name));
    timeline.set_read_start(PulseTime::from_nanos(start_ns - 1));
    let mut offsets = std::collections::HashMap::new();
    for record in Generator::new(settings) {
        let partition = PartitionKey {
            role: record.role,
            topic: record.role as u16,
            partition: record.partition,
        };
        let offset = offsets.entry(partition).or_insert(0_i64);
        let position = RecordPosition {
            partition,
            offset: *offset,
            timestamp_ms: record.send_ns / 1_000_000,
        };
        *offset += 1;
        let message = decode(&record.payload).map_err(|error| failed(error.to_string()))?;
        timeline.ingest(position, message, PulseTime::from_nanos(start_ns));
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
