//! The worker: all parts put together, until told to stop.
//!
//! Promises the order of starting (secrets, then Python; pages before the stream) and of stopping (no new execution, a
//! running one may finish, then the lease, then the log). It must not decide anything that a part can decide.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use live_data_engine::timeline::Timeline;
use live_data_stream::source::Source;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::engine;
use crate::executor::{Executor, Tools as ExecutorTools, Wake};
use crate::fetch::{Fetcher, ScriptSource};
use crate::http::{self, Pages};
use crate::ingest::{Ingest, Tools as IngestTools};
use crate::journal::{Journal, Level, valkey};
use crate::live::feed::{Feed, TimelineFeed};
use crate::live::hub::Hub;
use crate::live::inlet::Inlet;
use crate::live::{self, overseer};
use crate::output::OutputFolder;
use crate::output::keeper::Keeper;
use crate::progress;
use crate::python::output::{self as captured, Queue, QueueLimits, Redactor, Sink};
use crate::python::{Handle, Interpreter, InterpreterConfig, JobError};
use crate::script::Runner;
use crate::settings::Settings;

/// How long chunks that are being processed may take when the worker stops.
const LAST_CHUNKS: Duration = Duration::from_secs(30);
/// How long the last lines of the log may take to reach Valkey.
const LAST_LINES: Duration = Duration::from_secs(5);

/// Why the worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartWorkerError {
    /// The threads that serve pages.
    #[error("cannot start the runtime: {0}")]
    Runtime(std::io::Error),
    /// The address of the pages.
    #[error("cannot listen on {address}: {source}. Set HTTP_ADDR to a free address")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// The stream's settings.
    #[error(transparent)]
    Stream(#[from] live_data_stream::config::ConfigError),
    /// Standard output and error.
    #[error(transparent)]
    Capture(#[from] captured::descriptors::CaptureError),
    /// Python.
    #[error(transparent)]
    Python(#[from] crate::python::StartError),
    /// The script's folder.
    #[error(transparent)]
    Runner(#[from] crate::script::RunnerError),
    /// The client for the FIA API.
    #[error("cannot make the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// A folder that is needed.
    #[error("cannot make the folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The operating system's reason.
        source: std::io::Error,
    },
    /// A thread.
    #[error("cannot start the {name} thread: {source}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// The operating system's reason.
        source: std::io::Error,
    },
}

/// A worker that runs.
pub struct Worker {
    runtime: Runtime,
    stop: CancellationToken,
    board: Arc<Board>,
    journal: Journal,
    keeper: Arc<Keeper>,
    python: Handle,
    address: std::net::SocketAddr,
    wakes: mpsc::Sender<Wake>,
    ingest: std::thread::JoinHandle<()>,
    executor: std::thread::JoinHandle<Result<(), JobError>>,
    last_lines: tokio::task::JoinHandle<()>,
    executor_ended: CancellationToken,
    hub: Option<Arc<Hub>>,
    patience: Duration,
}

impl Worker {
    /// Starts everything.
    pub fn start(settings: &Settings) -> Result<Self, StartWorkerError> {
        let redactor = Redactor::new(settings.secrets());
        let queue = Arc::new(Queue::new(QueueLimits::default()));
        let outputs = captured::capture(&queue, &redactor)?;
        progress::set_outputs(outputs.stdout, outputs.stderr);

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("pages")
            .enable_all()
            .build()
            .map_err(StartWorkerError::Runtime)?;
        let stop = CancellationToken::new();
        let board = Arc::new(Board::new(&settings.instrument, settings.memory_limit));
        let (journal, waiting_lines) = Journal::new();
        let output = OutputFolder::new(absolute(&settings.output_dir));
        let keeper = Arc::new(Keeper::new(output.clone(), Arc::clone(&board)));

        let listener = runtime.block_on(TcpListener::bind(settings.http_addr));
        let address = settings.http_addr;
        let listener = listener.map_err(|source| StartWorkerError::Listen { address, source })?;
        let address = listener.local_addr().unwrap_or(address);
        let pages = Pages {
            board: Arc::clone(&board),
            journal: journal.clone(),
            stop: stop.clone(),
        };
        runtime.spawn(http::serve(listener, pages));
        runtime.spawn(progress::draw(Arc::clone(&board), stop.clone()));

        let source = Source::open(settings.kafka.clone())?;
        let (timeline, view) = Timeline::new(live::timeline_config(settings));
        let (wakes, woken) = mpsc::channel();
        let inlet = Inlet::new(TimelineFeed::new(view.clone()));
        let ingest = spawn("ingest", {
            let tools = IngestTools {
                source,
                timeline,
                view: view.clone(),
                board: Arc::clone(&board),
                journal: journal.clone(),
                output: output.clone(),
                wakes: wakes.clone(),
                inlet: Arc::clone(&inlet),
                log_lookback: settings.log_lookback,
                grace: settings.grace,
                seek_margin: settings.seek_margin,
                stop: stop.clone(),
            };
            move || Ingest::new(tools).work()
        })?;

        let work = work_folder(settings)?;
        let live = live::Live::new(settings, &output, journal.clone(), Arc::clone(&board));
        let python = Interpreter::start(InterpreterConfig {
            venv: settings.venv.clone(),
            engine: engine::engine_choice(settings.engine),
            output: Sink::Queue(Arc::clone(&queue)),
            redactor,
            hidden_variables: engine::hidden_variables(),
            home: Some(work.clone()),
            native: Some(live.setup()),
        })?;
        board.set_engine(python.started().engine.name());
        for warning in &python.started().warnings {
            journal.warning(warning);
        }
        spawn("output", {
            let (queue, journal) = (Arc::clone(&queue), journal.clone());
            move || pass_on(&queue, &journal)
        })?;
        let runner = Runner::new(python.clone(), &work.join("script"))?;
        let limits = live::HubLimits {
            memory: settings.memory_limit,
            timeout: settings.script_timeout,
        };
        let hub = live.hub(
            &python,
            Arc::clone(inlet.feed()) as Arc<dyn Feed>,
            journal.clone(),
            limits,
        );
        let live_only = settings.script == ScriptSource::Nowhere;
        match &hub {
            Some(hub) => {
                let (hub, inlet, request) = (Arc::clone(hub), Arc::clone(&inlet), settings.live.clone());
                inlet.set_hub(Arc::clone(&hub));
                if request.is_some() {
                    hub.expect();
                }
                spawn("live-overseer", move || overseer::oversee(&hub, &inlet, request))?;
            }
            None if settings.live.is_some() => board.degrade(
                "LiveNotStarted",
                "live data processing by the worker needs ENGINE=native: the real Mantid has a StartLiveData of its own".into(),
            ),
            None => {}
        }

        let executor_ended = CancellationToken::new();
        let executor = spawn("executor", {
            let tools = ExecutorTools {
                view,
                board: Arc::clone(&board),
                journal: journal.clone(),
                output,
                runner,
                binding: live.binding(&python, hub.clone()),
                hub: hub.clone(),
                live_only,
                interval: settings.script_interval,
                timeout: settings.script_timeout,
            };
            let ended = executor_ended.clone().drop_guard();
            move || {
                let _ended = ended;
                Executor::new(tools).work(&woken)
            }
        })?;

        let fetcher = Fetcher::new(settings.script.clone())?;
        if live_only {
            board.script(|script| script.source = fetcher.place());
        } else {
            runtime.spawn(fetch(
                fetcher,
                settings.script_refresh,
                Arc::clone(&board),
                wakes.clone(),
                stop.clone(),
            ));
        }
        let ready = Arc::clone(&board);
        runtime.spawn(Arc::clone(&keeper).keep(move || ready.is_ready(), stop.clone()));
        let last_lines = match settings.valkey.clone() {
            Some(valkey) => runtime.spawn(valkey::write_stream(
                valkey,
                waiting_lines,
                keeper.watch(),
                Arc::clone(&board),
                stop.clone(),
            )),
            None => runtime.spawn(discard(waiting_lines, stop.clone())),
        };
        Ok(Worker {
            runtime,
            stop,
            board,
            journal,
            keeper,
            python,
            address,
            wakes,
            ingest,
            executor,
            last_lines,
            executor_ended,
            hub,
            patience: settings.script_timeout.min(LAST_CHUNKS),
        })
    }

    /// What it tells of itself.
    pub fn board(&self) -> &Arc<Board> {
        &self.board
    }

    /// Where its pages are.
    pub fn address(&self) -> std::net::SocketAddr {
        self.address
    }

    /// Waits for SIGTERM or SIGINT, or for a script that cannot be interrupted.
    pub fn wait(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let ended = self.executor_ended.clone();
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

    /// Stops: no new execution, a running one may finish (a second signal interrupts it), then the lease and the log.
    pub fn stop(self) -> ExitCode {
        self.board.set_stopping();
        self.journal.info("The worker stops.");
        // The executor ends before the stream does, so that what it works on stays whole.
        let _ = self.wakes.send(Wake::Stop);
        self.interrupt_on_second_signal();
        if let Some(hub) = &self.hub {
            hub.stop(self.patience);
        }
        let executed = self.executor.join();
        self.stop.cancel();
        let _ = self.ingest.join();
        let code = match executed {
            Ok(Ok(())) => ExitCode::SUCCESS,
            Ok(Err(error)) => {
                self.journal.error(&format!(
                    "{error}. The worker ends, to be started again and to read the run anew."
                ));
                ExitCode::FAILURE
            }
            Err(_) => {
                self.journal
                    .error("the executor ended by a fault of this program; the worker ends, to be started again");
                ExitCode::FAILURE
            }
        };
        drop(self.journal);
        let last_lines = self.last_lines;
        let _ = self
            .runtime
            .block_on(async move { tokio::time::timeout(LAST_LINES, last_lines).await });
        self.keeper.release();
        self.runtime.shutdown_timeout(Duration::from_millis(500));
        code
    }

    fn interrupt_on_second_signal(&self) {
        use tokio::signal::unix::{SignalKind, signal};
        let (python, stop) = (self.python.clone(), self.stop.clone());
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

/// Runs a worker until it is told to stop.
pub fn run(settings: &Settings) -> Result<ExitCode, StartWorkerError> {
    let worker = Worker::start(settings)?;
    tracing::info!(address = %worker.address(), instrument = %settings.instrument, "the worker runs");
    worker.wait();
    Ok(worker.stop())
}

fn spawn<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::JoinHandle<T>, StartWorkerError> {
    let builder = std::thread::Builder::new().name(name.to_owned());
    builder
        .spawn(work)
        .map_err(|source| StartWorkerError::Thread { name, source })
}

/// The script's folder changes the working directory: paths that were given relative to it must not move with it.
fn absolute(path: &std::path::Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn work_folder(settings: &Settings) -> Result<PathBuf, StartWorkerError> {
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

/// Fetches the script again and again; tells the executor when it is another one.
async fn fetch(
    fetcher: Fetcher,
    every: Duration,
    board: Arc<Board>,
    wakes: mpsc::Sender<Wake>,
    stop: CancellationToken,
) {
    board.script(|script| script.source = fetcher.place());
    let mut last: Option<String> = None;
    loop {
        let wake = match fetcher.fetch().await {
            Ok(Some(text)) => {
                board.recover("ScriptNotFetched");
                board.recover("NoScript");
                (last.as_ref() != Some(&text)).then(|| {
                    last = Some(text.clone());
                    Wake::Script(text)
                })
            }
            Ok(None) => {
                board.recover("ScriptNotFetched");
                board.degrade(
                    "NoScript",
                    format!(
                        "{} has no script; the last one goes on, if there was one",
                        fetcher.place()
                    ),
                );
                Some(Wake::NoScript)
            }
            Err(error) => {
                let wrong = error.degradation();
                board.degrade("ScriptNotFetched", wrong.message);
                Some(Wake::NoScript)
            }
        };
        if wake.is_some_and(|wake| wakes.send(wake).is_err()) {
            return;
        }
        if tokio::time::timeout(every, stop.cancelled()).await.is_ok() {
            return;
        }
    }
}

/// What scripts print, on to the log, for as long as the process lives.
fn pass_on(queue: &Queue, journal: &Journal) {
    loop {
        if let Some(line) = queue.receive(Duration::from_secs(60)) {
            journal.write(level(line.level), &line.text);
        }
    }
}

fn level(level: captured::Level) -> Level {
    match level {
        captured::Level::Debug => Level::Debug,
        captured::Level::Info => Level::Info,
        captured::Level::Warning => Level::Warning,
        captured::Level::Error => Level::Error,
        captured::Level::Critical => Level::Critical,
    }
}

async fn discard(mut lines: tokio::sync::mpsc::Receiver<crate::journal::Entry>, stop: CancellationToken) {
    while tokio::select! { line = lines.recv() => line.is_some(), () = stop.cancelled() => false } {}
}
