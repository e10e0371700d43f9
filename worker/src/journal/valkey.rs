//! The Valkey stream from which the FIA web page shows the log: `<INSTRUMENT>_live_data_processor_logs`.
//!
//! Promises the entries `msg` and `level` in order, trimmed to the newest [`LONGEST`], written only while this worker
//! holds the writer's lease; the stream is begun anew when the lease is first taken. A server that is away delays lines,
//! never the worker. It must not log its password.

use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::Entry;
use crate::board::Board;

/// Entries that the stream keeps.
pub const LONGEST: usize = 2000;
/// How long the server may take for one answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the stream is.
#[derive(Clone)]
pub struct ValkeySettings {
    /// Host of the server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its password, where it asks for one.
    pub password: Option<String>,
    /// The stream's key.
    pub stream: String,
}

impl std::fmt::Debug for ValkeySettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "valkey {}:{} {}", self.host, self.port, self.stream)
    }
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

/// Writes lines to the stream until the journal is gone.
pub async fn write_stream(
    settings: ValkeySettings,
    mut lines: mpsc::Receiver<Entry>,
    mut writer: watch::Receiver<bool>,
    board: std::sync::Arc<Board>,
) {
    if writer.wait_for(|holds| *holds).await.is_err() {
        return;
    }
    let mut begun = false;
    let mut delay = Duration::from_millis(500);
    let mut batch: Vec<Entry> = Vec::new();
    loop {
        if batch.is_empty() && lines.recv_many(&mut batch, 200).await == 0 {
            return;
        }
        match write_batch(&settings, &mut begun, &mut batch, &mut lines).await {
            // The journal is gone and everything is written.
            Ok(()) => return,
            Err(error) => {
                board.degrade(
                    "ValkeyUnreachable",
                    format!("{error}. Lines of the log wait; check VALKEY_HOST and VALKEY_PORT"),
                );
                sleep(delay).await;
                delay = (delay * 2).min(Duration::from_secs(30));
            }
        }
        if connect(&settings).await.is_ok() {
            board.recover("ValkeyUnreachable");
            delay = Duration::from_millis(500);
        }
    }
}

/// Writes over one connection until it fails or the journal is gone; what was not written stays in `batch`.
async fn write_batch(
    settings: &ValkeySettings,
    begun: &mut bool,
    batch: &mut Vec<Entry>,
    lines: &mut mpsc::Receiver<Entry>,
) -> Result<(), WriteLogError> {
    let mut connection = connect(settings).await?;
    loop {
        let mut pipe = redis::pipe();
        if !*begun {
            pipe.del(&settings.stream).ignore();
        }
        for entry in batch.iter() {
            pipe.cmd("XADD")
                .arg(&settings.stream)
                .arg("MAXLEN")
                .arg(LONGEST)
                .arg("*")
                .arg("msg")
                .arg(&entry.msg)
                .arg("level")
                .arg(entry.level.name())
                .ignore();
        }
        answer(settings, pipe.query_async::<()>(&mut connection)).await?;
        *begun = true;
        batch.clear();
        if lines.recv_many(batch, 200).await == 0 {
            return Ok(());
        }
    }
}

async fn connect(settings: &ValkeySettings) -> Result<redis::aio::MultiplexedConnection, WriteLogError> {
    let mut server = redis::RedisConnectionInfo::default();
    if let Some(password) = &settings.password {
        server = server.set_password(password);
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
