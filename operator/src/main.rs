//! The operator's program: arguments, the environment, and who works.

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
use live_data_operator::observe::reports;
use live_data_operator::{controller, names, probe, release};
use tokio::signal::unix::{SignalKind, signal};

/// Makes and watches what each LiveDataProcessor asks for. Settings come from the environment; the chart lists them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Works as the operator (the default).
    Run,
    /// Prints the CustomResourceDefinition.
    Crd {
        /// In which form.
        #[arg(long, value_enum, default_value_t = Form::Yaml)]
        form: Form,
    },
    /// Waits until an operator's /readyz answers, and asks the API for the resource: what `helm test` runs.
    Probe {
        /// Such as `http://live-data-operator.fia.svc:8080/readyz`.
        url: String,
        /// How long to wait for it.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Removes the finalizers, before uninstalling or going back; stop the operator first.
    Release {
        /// Of every resource in the cluster.
        #[arg(long, conflicts_with_all = ["name", "namespace"])]
        all: bool,
        /// Of this resource only.
        #[arg(required_unless_present = "all")]
        name: Option<String>,
        /// Namespace of the resource.
        #[arg(short, long, requires = "name")]
        namespace: Option<String>,
        /// Even though an operator runs, which puts them back.
        #[arg(long)]
        force: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Form {
    /// For `kubectl apply`.
    Yaml,
    /// As the chart has it.
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
                Form::Yaml => include_str!(concat!(env!("OUT_DIR"), "/crd.yaml")),
                Form::Chart => include_str!(concat!(env!("OUT_DIR"), "/crd-template.yaml")),
                Form::SpecSchema => include_str!(concat!(env!("OUT_DIR"), "/spec.schema.json")),
            }
        );
        return ExitCode::SUCCESS;
    }
    // One thread: the work is waiting, and threads of their own memory are what makes a small program large.
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
    // A variable that is not text is none of ours.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(Config::from_environment(&environment)?)
}

fn log() {
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
    // A request that hangs must not hold a reconcile for ever; watches have a limit of their own, longer than this.
    config.connect_timeout = Some(std::time::Duration::from_secs(10));
    config.write_timeout = Some(std::time::Duration::from_secs(30));
    config.read_timeout = Some(std::time::Duration::from_secs(305));
    config.reset_reader_on_write = true;
    Ok(Client::try_from(config)?)
}

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let config = Arc::new(configuration()?);
    log();
    let client = client().await?;
    let health = Arc::new(Health::default());
    let metrics = Arc::new(Metrics::default());
    let listener = http::listen(config.http_addr).await?;
    tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "serving");
    let pages = http::serve(listener, health.clone(), metrics.clone());
    let namespace = config
        .pod_namespace
        .clone()
        .unwrap_or_else(|| client.default_namespace().to_owned());
    let identity = identity(&config);
    let workers = reports::client()?;
    let mut candidate = Candidate::new(client.clone(), &namespace, identity.clone());
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;

    let lead = async {
        loop {
            metrics.leads(false);
            candidate.acquire(|| health.ready.store(true, Ordering::Relaxed)).await;
            tracing::info!(identity, "leading");
            metrics.leads(true);
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
            // Dropping the controller ends every request that it has under way.
            tokio::select! {
                () = work => tracing::error!("the controller ended"),
                () = candidate.hold() => tracing::warn!("the Lease is lost"),
            }
        }
    };
    tokio::select! {
        () = pages => return Err("the HTTP server ended".into()),
        () = lead => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("ending");
    candidate.release().await;
    Ok(())
}

/// The pod's name, or one that no other process has.
fn identity(config: &Config) -> String {
    config.pod_name.clone().unwrap_or_else(|| {
        let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
        format!("{}-{}", host.trim(), std::process::id())
    })
}

async fn run_probe(url: &str, seconds: u64) -> Result<(), Box<dyn std::error::Error>> {
    let limit = std::time::Duration::from_secs(seconds);
    probe::probe(&client().await?, &reports::client()?, url, limit).await?;
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
    if !force && let Some(holder) = leader::holder(&client, &lease_namespace).await? {
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
