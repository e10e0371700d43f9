//! The Valkey stream from which the FIA web page shows the log: `<INSTRUMENT>_live_data_processor_logs`.
//!
//! Promises the entries `msg` and `level` in order, trimmed to the newest [`LONGEST`], written only while this worker
//! holds the writer's lease; the stream is begun anew when the lease is first taken. A server that is away delays lines,
//! never the worker. It must not log its password.

use std::sync::Arc;
use std::time::Duration;

use live_data_stream::security::Secret;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Entry;
use crate::board::Board;

/// Entries that the stream keeps.
pub const LONGEST: usize = 2000;
/// Lines written at once.
const BATCH: usize = 200;
/// First pause after a failure; it doubles with each.
const SHORTEST_DELAY: Duration = Duration::from_millis(500);
/// Longest pause after a failure.
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the stream is.
#[derive(Clone, Debug)]
pub struct ValkeySettings {
    /// Host of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its password, where it asks for one.
    pub password: Option<Secret>,
    /// The stream's key.
    pub stream: String,
}

/// The stream's key for an instrument.
pub fn stream_key(instrument: &str) -> String {
    format!("{instrument}_live_data_processor_logs")
}

#[derive(Debug, thiserror::Error)]
enum WriteLogError {
    #[error("cannot reach Valkey at {host}:{port}: {source}")]
    Refused {
        host: String,
        port: u16,
        source: redis::RedisError,
    },
    #[error("Valkey at {host}:{port} does not answer within {PATIENCE:?}")]
    Silent { host: String, port: u16 },
}

/// Writes lines to the stream until `stop`, and then those that are still waiting.
pub async fn write_stream(
    settings: ValkeySettings,
    lines: mpsc::Receiver<Entry>,
    mut writer: watch::Receiver<bool>,
    board: Arc<Board>,
    stop: CancellationToken,
) {
    // A worker that never held the lease has no business with the stream.
    if !matches!(
        stop.run_until_cancelled(writer.wait_for(|holds| *holds)).await,
        Some(Ok(_))
    ) {
        return;
    }
    let mut waiting = Waiting {
        lines,
        batch: Vec::new(),
        stop,
    };
    let mut begun = false;
    let mut delay = SHORTEST_DELAY;
    while waiting.next().await {
        match write_batches(&settings, &mut begun, &mut waiting, &board).await {
            Ok(()) => return,
            Err(error) => board.degrade(
                "ValkeyUnreachable",
                format!("{error}. Lines of the log wait; check VALKEY_HOST and VALKEY_PORT"),
            ),
        }
        if waiting.stop.is_cancelled() {
            return;
        }
        let _ = timeout(delay, waiting.stop.cancelled()).await;
        delay = if board.is_degraded("ValkeyUnreachable") {
            (delay * 2).min(LONGEST_DELAY)
        } else {
            SHORTEST_DELAY
        };
    }
}

/// Lines that were not written yet.
struct Waiting {
    lines: mpsc::Receiver<Entry>,
    batch: Vec<Entry>,
    stop: CancellationToken,
}

impl Waiting {
    /// Fills the batch if it is empty; false when there will be no more.
    async fn next(&mut self) -> bool {
        if self.batch.is_empty() {
            tokio::select! {
                biased;
                _ = self.lines.recv_many(&mut self.batch, BATCH) => {}
                () = self.stop.cancelled() => {}
            }
        }
        !self.batch.is_empty()
    }
}

/// Writes over one connection until it fails or there will be no more lines; what was not written stays in the batch.
async fn write_batches(
    settings: &ValkeySettings,
    begun: &mut bool,
    waiting: &mut Waiting,
    board: &Board,
) -> Result<(), WriteLogError> {
    let mut connection = connect(settings).await?;
    loop {
        let mut pipe = redis::pipe();
        if !*begun {
            pipe.del(&settings.stream).ignore();
        }
        for entry in &waiting.batch {
            let command = pipe
                .cmd("XADD")
                .arg(&settings.stream)
                .arg("MAXLEN")
                .arg(LONGEST)
                .arg("*");
            command
                .arg("msg")
                .arg(&entry.msg)
                .arg("level")
                .arg(entry.level.name())
                .ignore();
        }
        answer(settings, pipe.query_async::<()>(&mut connection)).await?;
        board.recover("ValkeyUnreachable");
        *begun = true;
        waiting.batch.clear();
        if !waiting.next().await {
            return Ok(());
        }
    }
}

async fn connect(settings: &ValkeySettings) -> Result<redis::aio::MultiplexedConnection, WriteLogError> {
    let mut server = redis::RedisConnectionInfo::default();
    if let Some(password) = &settings.password {
        server = server.set_password(password.expose());
    }
    let info = redis::ConnectionAddr::Tcp(settings.host.clone(), settings.port);
    let info = redis::IntoConnectionInfo::into_connection_info(info).map(|info| info.set_redis_settings(server));
    let client = info
        .and_then(redis::Client::open)
        .map_err(|source| refused(settings, source))?;
    answer(settings, client.get_multiplexed_async_connection()).await
}

fn refused(settings: &ValkeySettings, source: redis::RedisError) -> WriteLogError {
    WriteLogError::Refused {
        host: settings.host.clone(),
        port: settings.port,
        source,
    }
}

async fn answer<T>(
    settings: &ValkeySettings,
    work: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, WriteLogError> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(|source| refused(settings, source)),
        Err(_) => Err(WriteLogError::Silent {
            host: settings.host.clone(),
            port: settings.port,
        }),
    }
}
