//! Program of the operator: command line, environment, leader election.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clap::{Parser, Subcommand, ValueEnum};
use kube::Client;
use live_data_operator::config::Config;
use live_data_operator::http::{self, Health};
use live_data_operator::leader::{self, Candidate};
use live_data_operator::metrics::Metrics;
use live_data_operator::observe::poll;
use live_data_operator::{controller, names, probe, release};
use tokio::signal::unix::{SignalKind, signal};

/// Makes and watches the objects of each LiveDataProcessor. Settings come from the environment; the chart lists them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the operator (the default).
    Run,
    /// Prints the CustomResourceDefinition.
    Crd {
        /// Form of the output.
        #[arg(long, value_enum, default_value_t = CrdForm::Yaml)]
        form: CrdForm,
    },
    /// Waits until an operator's /readyz answers, then checks that the API serves the resource; `helm test` runs it.
    Probe {
        /// URL, such as `http://live-data-operator.fia.svc:8080/readyz`.
        url: String,
        /// Limit of the wait, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Removes the finalizers, before uninstalling or going back; stop the operator first.
    Release {
        /// Every resource in the cluster.
        #[arg(long, conflicts_with_all = ["name", "namespace"])]
        all: bool,
        /// Name of the only resource.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// Namespace of the resource.
        #[arg(short, long, requires = "name")]
        namespace: Option<String>,
        /// Although an operator runs, which puts them back.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum CrdForm {
    /// For `kubectl apply`.
    Yaml,
    /// Template of the chart.
    Chart,
    /// JSON Schema of the spec.
    SpecSchema,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Run);
    if let Command::Crd { form } = &command {
        print!(
            "{}",
            match form {
                CrdForm::Yaml => include_str!(concat!(env!("OUT_DIR"), "/crd.yaml")),
                CrdForm::Chart => include_str!(concat!(env!("OUT_DIR"), "/crd-template.yaml")),
                CrdForm::SpecSchema => include_str!(concat!(env!("OUT_DIR"), "/spec.schema.json")),
            }
        );
        return ExitCode::SUCCESS;
    }
    // One thread: nearly all time is spent waiting, and the memory arenas of further threads are most of a small program.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let result = match command {
        Command::Probe { url, seconds } => runtime.block_on(run_probe(&url, seconds)),
        Command::Release {
            all: _,
            name,
            namespace,
            force,
        } => runtime.block_on(run_release(name, namespace, force)),
        _ => runtime.block_on(run()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("live-data-operator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn configuration() -> Result<Config, Box<dyn std::error::Error>> {
    // The operator's own variables are UTF-8; others are ignored.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(Config::from_environment(&environment)?)
}

fn init_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("RUST_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let text = std::env::var("LOG_FORMAT").is_ok_and(|format| format.eq_ignore_ascii_case("text"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if text {
        builder.init()
    } else {
        builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .init()
    }
}

async fn client() -> Result<Client, Box<dyn std::error::Error>> {
    let mut config = kube::Config::infer().await?;
    // A limit for a reconcile whose request hangs; watches have a longer one.
    config.connect_timeout = Some(std::time::Duration::from_secs(10));
    config.write_timeout = Some(std::time::Duration::from_secs(30));
    config.read_timeout = Some(std::time::Duration::from_secs(305));
    config.reset_reader_on_write = true;
    Ok(Client::try_from(config)?)
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let config = Arc::new(configuration()?);
    init_logging();
    let client = client().await?;
    let health = Arc::new(Health::default());
    let metrics = Arc::new(Metrics::default());
    let listener = http::listen(config.http_addr).await?;
    tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "serving");
    let server = http::serve(listener, health.clone(), metrics.clone());
    let namespace = config
        .pod_namespace
        .clone()
        .unwrap_or_else(|| client.default_namespace().to_owned());
    let identity = identity(&config);
    let workers = poll::client()?;
    let mut candidate = Candidate::new(client.clone(), &namespace, identity.clone());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let lead = async {
        loop {
            metrics.set_leader(false);
            candidate.acquire(|| health.ready.store(true, Ordering::Relaxed)).await;
            tracing::info!(identity, "leading");
            metrics.set_leader(true);
            health.ready.store(false, Ordering::Relaxed);
            let ready = || health.ready.store(true, Ordering::Relaxed);
            let work = controller::run(
                client.clone(),
                config.clone(),
                metrics.clone(),
                workers.clone(),
                &identity,
                ready,
            );
            // Dropping the controller ends every request under way.
            tokio::select! {
                () = work => tracing::error!("the controller ended"),
                () = candidate.hold() => tracing::warn!("the Lease is lost"),
            }
        }
    };
    tokio::select! {
        () = server => return Err("the HTTP server ended".into()),
        () = lead => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending");
    candidate.release().await;
    Ok(())
}

/// Pod's name, or host name and process ID, which no other process has.
fn identity(config: &Config) -> String {
    config.pod_name.clone().unwrap_or_else(|| {
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        format!("{}-{}", host.trim(), std::process::id())
    })
}

async fn run_probe(url: &str, seconds: u64) -> Result<(), Box<dyn std::error::Error>> {
    let limit = std::time::Duration::from_secs(seconds);
    probe::probe(&client().await?, &poll::client()?, url, limit).await?;
    println!("{url} is ready and the API serves livedataprocessors");
    Ok(())
}

async fn run_release(
    name: Option<String>,
    namespace: Option<String>,
    force: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let client = client().await?;
    let lease_namespace = std::env::var("POD_NAMESPACE").unwrap_or_else(|_| client.default_namespace().to_owned());
    if !force && let Some(holder) = leader::active_holder(&client, &lease_namespace).await? {
        return Err(format!(
            "the operator {holder} runs and would put the finalizers back: stop it first (kubectl --namespace \
             {lease_namespace} scale deployment --all --replicas=0 --selector app.kubernetes.io/name={}), or use --force",
            names::MANAGER
        )
        .into());
    }
    let default_namespace = client.default_namespace().to_owned();
    let namespace = namespace.unwrap_or(default_namespace);
    let only = name.as_deref().map(|name| (namespace.as_str(), name));
    let released = release::release(&client, only).await?;
    println!("{released} released");
    Ok(())
}
