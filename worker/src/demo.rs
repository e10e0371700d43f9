//! Demonstration on one machine: an embedded broker, a simulated instrument, a script, a worker and its page.
//!
//! Promises: produced events are counted by the simulation and reduced ones are read from the files that the script
//! wrote; a difference fails. The embedded broker is librdkafka's mock cluster over the real wire protocol. It keeps
//! few records, so the worker starts first and the instrument is paced.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use live_data_nexus::{LoadedData, ProcessedReader};
use live_data_reduction::instrument::Instrument;
use live_data_reduction::instrument::source::{InstrumentFolders, InstrumentSource};
use parking_lot::Mutex;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use crate::cli::{Cli, DemoArgs, LogFormat, RunArgs};
use crate::progress;
use crate::settings::{InvalidSettingsError, Settings};
use crate::simulate::instrument::{InstrumentLayout, Pixel};
use crate::simulate::truth::RunTruth;
use crate::simulate::{self, SimulateArgs, SimulateError};
use crate::worker::{StartWorkerError, Worker};

/// Name of the instrument whose definition is built in.
pub const INSTRUMENT: &str = "LIVEDEMO";
/// Script of the demonstration.
const SCRIPT: &str = include_str!("../demo/reduction_script.py");
/// Longest time for the worker to catch up with an empty broker.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest time from the last pulse to the end of the last final execution.
const END_TIMEOUT: Duration = Duration::from_secs(120);

/// Failure of the demonstration.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The embedded broker did not start.
    #[error("cannot start the embedded broker: {0}")]
    Broker(rdkafka::error::KafkaError),
    /// Invalid settings of the worker.
    #[error(transparent)]
    Settings(#[from] InvalidSettingsError),
    /// The worker did not start.
    #[error(transparent)]
    Worker(#[from] StartWorkerError),
    /// The simulation failed.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The built-in instrument definition is unreadable.
    #[error("cannot read the demonstration's instrument: {0}")]
    Instrument(#[from] live_data_reduction::AlgorithmError),
    /// A folder or file was not written.
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    /// The worker did not reach a state in time.
    #[error("{what} did not come within {patience:?}; see the log above")]
    Late {
        /// Awaited state.
        what: &'static str,
        patience: Duration,
    },
}

/// Runs the demonstration: exit code 0 if the reduced events agree with the produced ones in every run.
///
/// # Errors
/// Each variant of [`DemoError`].
pub fn run(args: &DemoArgs) -> Result<ExitCode, DemoError> {
    let embedded = match &args.kafka_bootstrap_servers {
        Some(_) => None,
        None => Some(broker()?),
    };
    let servers = match (&args.kafka_bootstrap_servers, &embedded) {
        (Some(servers), _) => servers.clone(),
        (None, Some(broker)) => broker.bootstrap_servers(),
        (None, None) => String::new(),
    };
    let output = std::path::absolute(&args.output_dir).unwrap_or_else(|_| args.output_dir.clone());
    let settings = settings(args, &servers, &output)?;
    let layout = layout(INSTRUMENT, &InstrumentFolders::new(Vec::new()))?;
    let worker = Worker::start(&settings)?;
    progress::print_line(&format!("live-data demo: page at http://{}/", worker.address()));
    wait("the worker's start", START_TIMEOUT, || worker.status().report().writer)?;

    let simulation = simulation(args, &servers);
    let produced: Arc<Mutex<Vec<RunTruth>>> = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let simulated = std::thread::spawn({
        let (produced, stop) = (Arc::clone(&produced), Arc::clone(&stop));
        move || {
            let report =
                |generator: &simulate::generator::Generator, _| produced.lock().clone_from(&generator.truth().runs);
            let ended = simulate::simulate(&simulation, Some(layout), &stop, report);
            ended.map(|(truth, _)| *produced.lock() = truth.runs)
        }
    });
    let agree = if args.keep {
        worker.wait();
        stop.store(true, Ordering::Relaxed);
        ended(simulated)?;
        true
    } else {
        ended(simulated)?;
        let runs = produced.lock().clone();
        let count = u64::try_from(runs.len()).unwrap_or(u64::MAX);
        wait("the last run's final execution", END_TIMEOUT, || {
            worker.status().completed_runs() >= count
        })?;
        let agree = compare(&runs, &output);
        if let Some(error) = worker.status().report().script.last_error {
            progress::print_line(&error);
        }
        agree
    };
    let code = worker.stop();
    drop(embedded);
    Ok(if agree { code } else { ExitCode::FAILURE })
}

fn ended(simulated: std::thread::JoinHandle<Result<(), SimulateError>>) -> Result<(), DemoError> {
    simulated.join().unwrap_or(Ok(())).map_err(DemoError::from)
}

fn broker() -> Result<MockCluster<'static, DefaultProducerContext>, DemoError> {
    let broker = MockCluster::new(1).map_err(DemoError::Broker)?;
    for (suffix, partitions) in [("events", 2), ("runInfo", 1), ("sampleEnv", 1), ("vetoConfig", 1)] {
        broker
            .create_topic(&format!("{INSTRUMENT}_{suffix}"), partitions, 1)
            .map_err(DemoError::Broker)?;
    }
    Ok(broker)
}

/// Settings of the worker: the documented defaults with shorter intervals, no Valkey, and a temporary script.
fn settings(args: &DemoArgs, servers: &str, output: &Path) -> Result<Settings, DemoError> {
    let write = |path: &Path, result: std::io::Result<()>| {
        result.map_err(|source| DemoError::Write {
            path: path.to_owned(),
            source,
        })
    };
    write(output, std::fs::create_dir_all(output))?;
    // A marker of an earlier demonstration has offsets of another broker.
    let hidden = output.join(".live-data");
    if hidden.exists() {
        write(&hidden, std::fs::remove_dir_all(&hidden))?;
    }
    let script = std::env::temp_dir().join(format!("live-data-demo-{}.py", std::process::id()));
    write(&script, std::fs::write(&script, SCRIPT))?;
    let run = RunArgs {
        instrument: INSTRUMENT.into(),
        kafka_bootstrap_servers: Some(servers.to_owned()),
        script_file: Some(script),
        script_refresh_time: 1.0,
        script_run_interval: 2.0,
        run_check_interval: 0.5,
        output_dir: output.to_owned(),
        valkey_host: String::new(),
        http_addr: args.http_addr,
        venv: args.venv.clone(),
        log_format: LogFormat::Text,
        ..Cli::parse_from(["live-data-worker"]).run
    };
    Ok(Settings::from_args(&run)?)
}

fn simulation(args: &DemoArgs, servers: &str) -> SimulateArgs {
    #[derive(Parser)]
    struct Defaults {
        #[command(flatten)]
        simulate: SimulateArgs,
    }
    SimulateArgs {
        instrument: INSTRUMENT.into(),
        kafka_bootstrap_servers: servers.to_owned(),
        rate: args.rate,
        partitions: 2,
        runs: if args.keep { 0 } else { 2 },
        run_seconds: args.run_seconds,
        first_run: 1,
        ..Defaults::parse_from(["demo"]).simulate
    }
}

/// Layout of a defined instrument, with one spectrum for each detector; L1 is 10 m where the definition has no source.
///
/// # Errors
/// Those of [`InstrumentSource::by_name`].
pub fn layout(name: &str, instruments: &dyn InstrumentSource) -> live_data_reduction::Result<InstrumentLayout> {
    let now = live_data_reduction::date_and_time::DateAndTime::now();
    let instrument: Arc<Instrument> = instruments.by_name(name, now)?;
    let pixels = (1..).zip(&instrument.detectors).map(|(spectrum, detector)| Pixel {
        spectrum,
        detector_id: detector.id,
        l2: if detector.monitor {
            detector.position.z
        } else {
            instrument.l2(detector)
        },
        two_theta: instrument.two_theta(detector),
        monitor: detector.monitor,
    });
    Ok(InstrumentLayout {
        name: instrument.name.clone(),
        l1: instrument.l1().unwrap_or(10.0),
        pixels: pixels.collect(),
    })
}

/// Prints produced and reduced events run by run; true if all runs agree, false without runs.
fn compare(runs: &[RunTruth], output: &Path) -> bool {
    let mut agree = true;
    for run in runs {
        let path = output.join(format!("LIVEDEMO{}.nxs", run.run_name.trim_start_matches(INSTRUMENT)));
        let (produced, reduced) = (run.events(), reduced(&path));
        let count = match &reduced {
            Ok(count) => count.to_string(),
            Err(error) => format!("nothing ({error})"),
        };
        let comparison = if reduced.as_ref().is_ok_and(|count| *count == produced) {
            "same"
        } else {
            "DIFFERENT"
        };
        agree &= comparison == "same";
        progress::print_line(&format!(
            "run {:<8} produced {produced} events   reduced {count}   {comparison}   {}",
            run.run_name,
            path.display()
        ));
    }
    let written = std::fs::read_dir(output).into_iter().flatten().flatten();
    let mut names: Vec<String> = written
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    progress::print_line(&format!("files written: {}", names.join(", ")));
    agree && !runs.is_empty()
}

/// Sum of the counts in a reduced file.
///
/// # Errors
/// Text of the reason, also for a file of events.
fn reduced(path: &Path) -> Result<u64, String> {
    let entry = ProcessedReader::open(path)
        .and_then(|file| file.entry(1))
        .map_err(|error| error.to_string())?;
    match entry.data {
        LoadedData::Matrix(matrix) => Ok(matrix.values.iter().sum::<f64>() as u64),
        LoadedData::Events(_) => Err("the file holds events, not counts".into()),
    }
}

/// Waits until `done`, checked every 50 ms.
///
/// # Errors
/// [`DemoError::Late`] after `patience`.
fn wait(what: &'static str, patience: Duration, done: impl Fn() -> bool) -> Result<(), DemoError> {
    let started = Instant::now();
    while !done() {
        if started.elapsed() > patience {
            return Err(DemoError::Late { what, patience });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}
