//! Worker: all parts put together, from the start to the stop.
//!
//! Promises the order of the start: secrets, then Python; the HTTP server before the stream. Promises the order of the
//! stop: no new execution, end of a running one, lease, log. Must not decide anything that a part can decide.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use live_data_crd::reason::WorkerReason;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_stream::source::Source;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::degradation::DegradationGuard;
use crate::engine;
use crate::executor::live_workspace::{LiveDataLimits, LiveWorkspaceBuilder, timeline_config};
use crate::executor::message::ExecutorMessage;
use crate::executor::{Executor, ExecutorDependencies};
use crate::fetch::{ScriptFetcher, ScriptSource};
use crate::http::{self, HttpState};
use crate::ingest::{Ingest, IngestDependencies};
use crate::live::live_data_service::LiveDataService;
use crate::live::run_inbox::RunInbox;
use crate::live::run_source::{RunSource, TimelineRunSource};
use crate::live::supervisor::LiveSupervisor;
use crate::output::OutputFolder;
use crate::output::lease_holder::LeaseHolder;
use crate::progress;
use crate::python::output::{self as captured, OutputQueue, OutputQueueLimits, OutputSink, Redactor};
use crate::python::{Interpreter, InterpreterConfig, InterpreterHandle, JobError};
use crate::readiness::Readiness;
use crate::script::ScriptRunner;
use crate::script_log::{LogLevel, LogRecord, ScriptLog, valkey};
use crate::settings::Settings;
use crate::status_registry::StatusRegistry;

/// Time that chunks in progress may take when the worker stops.
const CHUNK_PATIENCE: Duration = Duration::from_secs(30);
/// Time that the last lines of the log may take to reach Valkey.
const LOG_PATIENCE: Duration = Duration::from_secs(5);

/// Failure to start the worker: the first part that cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartWorkerError {
    /// The threads of the HTTP server cannot be started.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    /// The HTTP server's address is in use or not the machine's.
    #[error("cannot listen on {address}: {source}. Set HTTP_ADDR to a free address")]
    Listen {
        address: SocketAddr,
        source: std::io::Error,
    },
    /// librdkafka refuses the settings of the stream.
    #[error(transparent)]
    Stream(#[from] live_data_stream::config::ConfigError),
    /// Standard output and error cannot be redirected.
    #[error(transparent)]
    Capture(#[from] captured::descriptors::CaptureError),
    /// Python or the chosen engine cannot be started.
    #[error(transparent)]
    Python(#[from] crate::python::StartError),
    /// The script's folder cannot be used.
    #[error(transparent)]
    ScriptRunner(#[from] crate::script::StartScriptRunnerError),
    /// The client for the FIA API cannot be made.
    #[error("cannot make the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// The folder WORK_DIR cannot be made.
    #[error("cannot make the folder {path}: {source}")]
    Folder { path: PathBuf, source: std::io::Error },
    /// The operating system refuses a thread.
    #[error("cannot start the {name} thread: {source}")]
    Thread { name: &'static str, source: std::io::Error },
}

/// Running worker with its threads; [`Worker::stop`] joins them.
pub struct Worker {
    shared: SharedParts,
    runtime: Runtime,
    lease_holder: Arc<LeaseHolder>,
    python: InterpreterHandle,
    address: SocketAddr,
    to_executor: mpsc::Sender<ExecutorMessage>,
    ingest: JoinHandle<()>,
    executor: ExecutorThread,
    log_writer: tokio::task::JoinHandle<()>,
    live_data: LiveData,
    chunk_patience: Duration,
}

/// Parts that most others use; clones share them.
#[derive(Clone)]
struct SharedParts {
    stop: CancellationToken,
    readiness: Arc<Readiness>,
    status: Arc<StatusRegistry>,
    script_log: ScriptLog,
    output: OutputFolder,
}

/// Live data processing, or the degradation that it is missing for as long as the worker runs.
#[derive(Default)]
struct LiveData {
    service: Option<Arc<LiveDataService>>,
    _not_started: Option<DegradationGuard>,
}

struct ExecutorThread {
    thread: JoinHandle<Result<(), JobError>>,
    /// Cancelled when the thread ends, also by a panic.
    ended: CancellationToken,
}

impl SharedParts {
    /// Parts that have no thread, and the receiver of the log's records.
    fn new(settings: &Settings) -> (Self, tokio::sync::mpsc::Receiver<LogRecord>) {
        let (script_log, records) = ScriptLog::new();
        let readiness = Arc::new(Readiness::default());
        let status = StatusRegistry::new(&settings.instrument, settings.memory_limit, Arc::clone(&readiness));
        let shared = SharedParts {
            stop: CancellationToken::new(),
            readiness,
            status: Arc::new(status),
            script_log,
            output: OutputFolder::new(absolute(&settings.output_dir)),
        };
        (shared, records)
    }
}

impl Worker {
    /// Starts all parts; returns while ingest is still catching up.
    ///
    /// # Errors
    /// The first part that cannot be started. Parts that have been started are not stopped: the process is to exit.
    pub fn start(settings: &Settings) -> Result<Self, StartWorkerError> {
        let redactor = Redactor::new(settings.secrets());
        let printed = Arc::new(OutputQueue::new(OutputQueueLimits::default()));
        let outputs = captured::capture(&printed, &redactor)?;
        progress::set_outputs(outputs.stdout, outputs.stderr);

        let runtime = start_runtime()?;
        let (shared, log_records) = SharedParts::new(settings);
        let address = serve_http(&runtime, &shared, settings.http_addr)?;
        runtime.spawn(progress::draw(Arc::clone(&shared.status), shared.stop.clone()));

        let (timeline, view) = Timeline::new(timeline_config(settings));
        let (to_executor, messages) = mpsc::channel();
        let run_inbox = RunInbox::new(TimelineRunSource::new(view.clone()));
        let ingest = start_ingest(settings, &shared, (timeline, view.clone()), &to_executor, &run_inbox)?;

        let scripting = start_scripting(settings, &shared, printed, redactor)?;
        let python = scripting.python;
        let live_data = start_live_data(settings, &shared, &scripting.builder, &python, &run_inbox)?;
        let executor = start_executor(
            ExecutorDependencies {
                view,
                status: Arc::clone(&shared.status),
                readiness: Arc::clone(&shared.readiness),
                script_log: shared.script_log.clone(),
                output: shared.output.clone(),
                runner: scripting.runner,
                live_workspace: scripting.builder.build(&python, live_data.service.clone()),
                live_data: live_data.service.clone(),
                live_only: settings.script == ScriptSource::Nowhere,
                interval: settings.script_interval,
                timeout: settings.script_timeout,
            },
            messages,
        )?;
        start_fetching(&runtime, settings, &shared, &to_executor)?;
        Ok(Worker {
            lease_holder: start_lease_holder(&runtime, &shared),
            log_writer: start_log_writer(&runtime, settings, &shared, log_records),
            shared,
            runtime,
            python,
            address,
            to_executor,
            ingest,
            executor,
            live_data,
            chunk_patience: settings.script_timeout.min(CHUNK_PATIENCE),
        })
    }

    /// Status from which `/status` and `/metrics` are made.
    pub fn status(&self) -> &Arc<StatusRegistry> {
        &self.shared.status
    }

    /// Address of the HTTP server, with the port that the system chose for port 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for SIGTERM, SIGINT or the end of the executor, which a script that cannot be interrupted causes.
    pub fn wait(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let ended = self.executor.ended.clone();
        self.runtime.block_on(async move {
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
                (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                    () = ended.cancelled() => {}
                },
                // Without handlers the signals end the process themselves.
                _ => ended.cancelled().await,
            }
        });
    }

    /// Stops all parts. A running execution may finish, unless a second signal interrupts it.
    ///
    /// Exit code 1 if the interpreter was lost or the executor panicked.
    pub fn stop(self) -> ExitCode {
        let shared = self.shared.clone();
        shared.readiness.set_stopping();
        shared.script_log.info("The worker stops.");
        // The executor ends before the stream does, so that what it works on stays whole.
        let _ = self.to_executor.send(ExecutorMessage::Stop);
        self.interrupt_on_second_signal();
        if let Some(live_data) = &self.live_data.service {
            live_data.stop(self.chunk_patience);
        }
        let executed = self.executor.thread.join();
        shared.stop.cancel();
        let _ = self.ingest.join();
        let code = match executed {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) => {
                shared.script_log.error(&format!(
                    "{error}. The worker ends, to be started again and to read the run anew."
                ));
                ExitCode::FAILURE
            }
            Err(_) => {
                shared
                    .script_log
                    .error("the executor ended by a fault of this program; the worker ends, to be started again");
                ExitCode::FAILURE
            }
        };
        let log_writer = self.log_writer;
        let _ = self
            .runtime
            .block_on(async move { tokio::time::timeout(LOG_PATIENCE, log_writer).await });
        self.lease_holder.release();
        self.runtime.shutdown_timeout(Duration::from_millis(500));
        code
    }

    fn interrupt_on_second_signal(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (python, stop) = (self.python.clone(), self.shared.stop.clone());
        self.runtime.spawn(async move {
            let (Ok(mut terminate), Ok(mut interrupt)) =
                (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
            else {
                return;
            };
            tokio::select! {
                _ = terminate.recv() => python.interrupt("the worker is told to stop at once"),
                _ = interrupt.recv() => python.interrupt("the worker is told to stop at once"),
                () = stop.cancelled() => {}
            }
        });
    }
}

/// Runs a worker until a signal or a lost interpreter stops it; see [`Worker::stop`] for the exit code.
///
/// # Errors
/// Those of [`Worker::start`].
pub fn run(settings: &Settings) -> Result<ExitCode, StartWorkerError> {
    let worker = Worker::start(settings)?;
    tracing::info!(address = %worker.address(), instrument = %settings.instrument, "the worker runs");
    worker.wait();
    Ok(worker.stop())
}

fn start_runtime() -> Result<Runtime, StartWorkerError> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("pages")
        .enable_all()
        .build()
        .map_err(StartWorkerError::Runtime)
}

fn serve_http(runtime: &Runtime, shared: &SharedParts, address: SocketAddr) -> Result<SocketAddr, StartWorkerError> {
    let listener = runtime.block_on(TcpListener::bind(address));
    let listener = listener.map_err(|source| StartWorkerError::Listen { address, source })?;
    let bound = listener.local_addr().unwrap_or(address);
    let state = HttpState {
        status: Arc::clone(&shared.status),
        script_log: shared.script_log.clone(),
        stop: shared.stop.clone(),
    };
    runtime.spawn(http::serve(listener, state));
    Ok(bound)
}

fn start_ingest(
    settings: &Settings,
    shared: &SharedParts,
    (timeline, view): (Timeline, TimelineView),
    executor: &mpsc::Sender<ExecutorMessage>,
    run_inbox: &Arc<RunInbox>,
) -> Result<JoinHandle<()>, StartWorkerError> {
    let ingest = Ingest::new(IngestDependencies {
        source: Source::open(settings.kafka.clone())?,
        timeline,
        view,
        status: Arc::clone(&shared.status),
        readiness: Arc::clone(&shared.readiness),
        script_log: shared.script_log.clone(),
        output: shared.output.clone(),
        executor: executor.clone(),
        run_inbox: Arc::clone(run_inbox),
        log_lookback: settings.log_lookback,
        grace: settings.grace,
        seek_margin: settings.seek_margin,
        stop: shared.stop.clone(),
    });
    spawn("ingest", move || ingest.run())
}

/// Interpreter with the chosen engine, runner of the script, and builder of its live workspace.
struct Scripting {
    builder: LiveWorkspaceBuilder,
    python: InterpreterHandle,
    runner: ScriptRunner,
}

fn start_scripting(
    settings: &Settings,
    shared: &SharedParts,
    printed: Arc<OutputQueue>,
    redactor: Redactor,
) -> Result<Scripting, StartWorkerError> {
    let work_dir = make_work_dir(settings)?;
    let builder = LiveWorkspaceBuilder::new(
        settings,
        &shared.output,
        shared.script_log.clone(),
        Arc::clone(&shared.status),
    );
    let python = Interpreter::start(InterpreterConfig {
        venv: settings.venv.clone(),
        engine: engine::engine_choice(settings.engine),
        output: OutputSink::Queue(Arc::clone(&printed)),
        redactor,
        hidden_variables: engine::hidden_variables(),
        home: Some(work_dir.clone()),
        native: Some(builder.interpreter_setup()),
    })?;
    shared.status.set_engine(python.info().engine.name());
    for warning in &python.info().warnings {
        shared.script_log.warning(warning);
    }
    let script_log = shared.script_log.clone();
    spawn("output", move || forward_output(&printed, &script_log))?;
    let runner = ScriptRunner::new(python.clone(), &work_dir.join("script"))?;
    Ok(Scripting {
        builder,
        python,
        runner,
    })
}

fn start_lease_holder(runtime: &Runtime, shared: &SharedParts) -> Arc<LeaseHolder> {
    let lease_holder = Arc::new(LeaseHolder::new(
        shared.output.clone(),
        Arc::clone(&shared.status),
        Arc::clone(&shared.readiness),
    ));
    runtime.spawn(Arc::clone(&lease_holder).run(shared.stop.clone()));
    lease_holder
}

fn start_live_data(
    settings: &Settings,
    shared: &SharedParts,
    builder: &LiveWorkspaceBuilder,
    python: &InterpreterHandle,
    run_inbox: &Arc<RunInbox>,
) -> Result<LiveData, StartWorkerError> {
    let service = builder.live_data_service(
        python,
        Arc::clone(run_inbox.runs()) as Arc<dyn RunSource>,
        shared.script_log.clone(),
        Arc::clone(&shared.readiness),
        LiveDataLimits {
            memory: settings.memory_limit,
            timeout: settings.script_timeout,
        },
    );
    let request = settings.live.clone();
    let Some(service) = service else {
        let message =
            "live data processing by the worker needs ENGINE=native: the real Mantid has a StartLiveData of its own";
        return Ok(LiveData {
            service: None,
            _not_started: request.map(|_| shared.status.degrade(WorkerReason::LiveNotStarted, message.into())),
        });
    };
    run_inbox.set_service(Arc::clone(&service));
    if request.is_some() {
        service.expect_start();
    }
    let supervisor = LiveSupervisor::new(Arc::clone(&service), Arc::clone(run_inbox), request);
    spawn("live-supervisor", move || supervisor.run())?;
    Ok(LiveData {
        service: Some(service),
        _not_started: None,
    })
}

fn start_executor(
    dependencies: ExecutorDependencies,
    messages: mpsc::Receiver<ExecutorMessage>,
) -> Result<ExecutorThread, StartWorkerError> {
    let ended = CancellationToken::new();
    let guard = ended.clone().drop_guard();
    let thread = spawn("executor", move || {
        let _guard = guard;
        Executor::new(dependencies).run(&messages)
    })?;
    Ok(ExecutorThread { thread, ended })
}

fn start_fetching(
    runtime: &Runtime,
    settings: &Settings,
    shared: &SharedParts,
    executor: &mpsc::Sender<ExecutorMessage>,
) -> Result<(), StartWorkerError> {
    let fetcher = ScriptFetcher::new(settings.script.clone())?;
    shared.status.update_script(|script| script.source = fetcher.location());
    if settings.script != ScriptSource::Nowhere {
        runtime.spawn(fetch_repeatedly(
            fetcher,
            settings.script_refresh,
            Arc::clone(&shared.status),
            executor.clone(),
            shared.stop.clone(),
        ));
    }
    Ok(())
}

fn start_log_writer(
    runtime: &Runtime,
    settings: &Settings,
    shared: &SharedParts,
    records: tokio::sync::mpsc::Receiver<LogRecord>,
) -> tokio::task::JoinHandle<()> {
    match settings.valkey.clone() {
        Some(valkey) => runtime.spawn(valkey::write_stream(
            valkey,
            records,
            shared.readiness.watch_lease(),
            Arc::clone(&shared.status),
            shared.stop.clone(),
        )),
        None => runtime.spawn(discard(records, shared.stop.clone())),
    }
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, StartWorkerError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder
        .spawn(work)
        .map_err(|source| StartWorkerError::Thread { name, source })
}

/// Absolute path: the script runner changes the working directory, with which relative ones would move.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn make_work_dir(settings: &Settings) -> Result<PathBuf, StartWorkerError> {
    let path = match &settings.work_dir {
        Some(path) => absolute(path),
        None => std::env::temp_dir().join(format!("live-data-{}", std::process::id())),
    };
    std::fs::create_dir_all(&path).map_err(|source| StartWorkerError::Folder {
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// Degradations of fetching, each until the next fetch that contradicts it.
#[derive(Default)]
struct FetchDegradations {
    not_fetched: Option<DegradationGuard>,
    no_script: Option<DegradationGuard>,
}

impl FetchDegradations {
    fn end(&mut self) {
        *self = FetchDegradations::default();
    }

    fn set_no_script(&mut self, guard: DegradationGuard) {
        self.not_fetched = None;
        self.no_script = Some(guard);
    }

    fn set_not_fetched(&mut self, guard: DegradationGuard) {
        self.not_fetched = Some(guard);
    }
}

/// Fetches the script every `interval` until `stop`; sends one that differs from the last, and each failure.
async fn fetch_repeatedly(
    fetcher: ScriptFetcher,
    interval: Duration,
    status: Arc<StatusRegistry>,
    executor: mpsc::Sender<ExecutorMessage>,
    stop: CancellationToken,
) {
    let mut last: Option<String> = None;
    let mut degradations = FetchDegradations::default();
    loop {
        let message = match fetcher.fetch().await {
            Ok(Some(text)) => {
                degradations.end();
                (last.as_ref() != Some(&text)).then(|| {
                    last = Some(text.clone());
                    ExecutorMessage::ScriptFetched(text)
                })
            }
            Ok(None) => {
                let message = format!(
                    "{} has no script; the last one goes on, if there was one",
                    fetcher.location()
                );
                degradations.set_no_script(status.degrade(WorkerReason::NoScript, message));
                Some(ExecutorMessage::ScriptUnavailable)
            }
            Err(error) => {
                degradations.set_not_fetched(status.degrade(WorkerReason::ScriptNotFetched, error.to_string()));
                Some(ExecutorMessage::ScriptUnavailable)
            }
        };
        if message.is_some_and(|message| executor.send(message).is_err()) {
            return;
        }
        if tokio::time::timeout(interval, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// Writes the lines that scripts print to the log, for as long as the process lives.
fn forward_output(printed: &OutputQueue, script_log: &ScriptLog) {
    loop {
        if let Some(line) = printed.receive(Duration::from_secs(60)) {
            script_log.write(log_level(line.level), &line.text);
        }
    }
}

fn log_level(level: captured::LineLevel) -> LogLevel {
    match level {
        captured::LineLevel::Debug => LogLevel::Debug,
        captured::LineLevel::Info => LogLevel::Info,
        captured::LineLevel::Warning => LogLevel::Warning,
        captured::LineLevel::Error => LogLevel::Error,
        captured::LineLevel::Critical => LogLevel::Critical,
    }
}

async fn discard(mut records: tokio::sync::mpsc::Receiver<LogRecord>, stop: CancellationToken) {
    while tokio::select! { record = records.recv() => record.is_some(), () = stop.cancelled() => false } {}
}
