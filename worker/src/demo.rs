//! The whole system on one machine: an embedded broker, a simulated instrument, a script, a worker and its page.
//!
//! Promises that the comparison is honest: what was produced is counted by the simulation, what was reduced is read back
//! from the files that the script wrote, and a difference fails. The embedded broker is librdkafka's own, over the real
//! wire protocol; it keeps little, so the worker starts first and the instrument is paced.

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
use crate::settings::{CheckSettingsError, Settings};
use crate::simulate::instrument::{Layout, Pixel};
use crate::simulate::truth::RunTruth;
use crate::simulate::{self, SimulateArgs, SimulateError};
use crate::worker::{StartWorkerError, Worker};

/// The project's own small instrument.
pub const INSTRUMENT: &str = "LIVEDEMO";
/// The demonstration's script.
const SCRIPT: &str = include_str!("../demo/reduction_script.py");
/// How long the worker may take to catch up with an empty broker.
const START: Duration = Duration::from_secs(60);
/// How long the last final execution may take after the last pulse.
const END: Duration = Duration::from_secs(120);

/// Why the demonstration failed.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The embedded broker.
    #[error("cannot start the embedded broker: {0}")]
    Broker(rdkafka::error::KafkaError),
    /// Settings that do not fit together.
    #[error(transparent)]
    Settings(#[from] CheckSettingsError),
    /// The worker.
    #[error(transparent)]
    Worker(#[from] StartWorkerError),
    /// The simulated instrument.
    #[error(transparent)]
    Simulate(#[from] SimulateError),
    /// The instrument's definition.
    #[error("cannot read the demonstration's instrument: {0}")]
    Instrument(#[from] live_data_reduction::AlgorithmError),
    /// A folder or file.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// Time ran out.
    #[error("{what} did not come within {patience:?}; see the log above")]
    Late {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        patience: Duration,
    },
}

/// Runs the demonstration.
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
    progress::say(&format!("live-data demo: page at http://{}/", worker.address()));
    wait("the worker's start", START, || worker.board().report().writer)?;

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
    let same = if args.keep {
        worker.wait();
        stop.store(true, Ordering::Relaxed);
        ended(simulated)?;
        true
    } else {
        ended(simulated)?;
        let runs = produced.lock().clone();
        let count = u64::try_from(runs.len()).unwrap_or(u64::MAX);
        wait("the last run's final execution", END, || {
            worker.board().completed_count() >= count
        })?;
        let same = compare(&runs, &output);
        if let Some(error) = worker.board().report().script.last_error {
            progress::say(&error);
        }
        same
    };
    let code = worker.stop();
    drop(embedded);
    Ok(if same { code } else { ExitCode::FAILURE })
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

/// The worker's settings: the documented defaults but for what makes a demonstration quick.
fn settings(args: &DemoArgs, servers: &str, output: &Path) -> Result<Settings, DemoError> {
    let write = |path: &Path, result: std::io::Result<()>| {
        result.map_err(|source| DemoError::Write {
            path: path.to_owned(),
            source,
        })
    };
    write(output, std::fs::create_dir_all(output))?;
    // A marker of an earlier demonstration would name runs of a broker that is gone.
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
    Ok(Settings::check(&run)?)
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

/// The simulated instrument's pixels from an instrument's definition: one spectrum for each detector.
pub fn layout(name: &str, instruments: &dyn InstrumentSource) -> live_data_reduction::Result<Layout> {
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
    Ok(Layout {
        name: instrument.name.clone(),
        l1: instrument.l1().unwrap_or(10.0),
        pixels: pixels.collect(),
    })
}

/// What was produced against what the files hold, run by run.
fn compare(runs: &[RunTruth], output: &Path) -> bool {
    let mut same = true;
    for run in runs {
        let path = output.join(format!("LIVEDEMO{}.nxs", run.run_name.trim_start_matches(INSTRUMENT)));
        let (produced, reduced) = (run.events(), reduced(&path));
        let told = match &reduced {
            Ok(count) => count.to_string(),
            Err(error) => format!("nothing ({error})"),
        };
        let verdict = if reduced.as_ref().is_ok_and(|count| *count == produced) {
            "same"
        } else {
            "DIFFERENT"
        };
        same &= verdict == "same";
        progress::say(&format!(
            "run {:<8} produced {produced} events   reduced {told}   {verdict}   {}",
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
    progress::say(&format!("files written: {}", names.join(", ")));
    same && !runs.is_empty()
}

/// All counts of a reduced file.
fn reduced(path: &Path) -> Result<u64, String> {
    let entry = ProcessedReader::open(path)
        .and_then(|file| file.entry(1))
        .map_err(|error| error.to_string())?;
    match entry.data {
        LoadedData::Matrix(matrix) => Ok(matrix.values.iter().sum::<f64>() as u64),
        LoadedData::Events(_) => Err("the file holds events, not counts".into()),
    }
}

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
