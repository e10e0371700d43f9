//! Valkey stream `<INSTRUMENT>_live_data_processor_logs`, from which the FIA web page shows the log.
//!
//! Promises the entries `msg` and `level` in order, trimmed to the newest [`STREAM_LENGTH`]. Only a worker that has
//! held the writer's lease writes; it clears the stream when it first acquires the lease. A server that is unreachable
//! delays lines, never the worker. Must not log its password.

use std::sync::Arc;
use std::time::Duration;

use live_data_crd::reason::WorkerReason;
use live_data_stream::security::Secret;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::LogRecord;
use crate::degradation::DegradationGuard;
use crate::status_registry::StatusRegistry;

/// Number of entries that the stream keeps.
pub const STREAM_LENGTH: usize = 2000;
/// Number of lines in one round trip, at most.
const BATCH: usize = 200;
/// Pause after the first failure of a row; each further one doubles it.
const SHORTEST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
/// Time within which the server has to answer.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Address of the server and key of the stream.
#[derive(Clone, Debug)]
pub struct ValkeySettings {
    pub host: String,
    pub port: u16,
    /// Password of the server's default user, if it has one.
    pub password: Option<Secret>,
    /// Key of the stream; see [`stream_key`].
    pub stream: String,
}

/// Key of an instrument's stream; `instrument` is upper case.
pub fn stream_key(instrument: &str) -> String {
    format!("{instrument}_live_data_processor_logs")
}

#[derive(Debug, thiserror::Error)]
enum WriteStreamError {
    #[error("cannot reach Valkey at {host}:{port}: {source}")]
    Refused {
        host: String,
        port: u16,
        source: redis::RedisError,
    },
    #[error("Valkey at {host}:{port} does not answer within {RESPONSE_TIMEOUT:?}")]
    Silent { host: String, port: u16 },
}

/// Writes the lines of `receiver` to the stream until `stop`, then those that are still pending.
///
/// Writes nothing before `lease` is true for the first time.
pub async fn write_stream(
    settings: ValkeySettings,
    receiver: mpsc::Receiver<LogRecord>,
    mut lease: watch::Receiver<bool>,
    status: Arc<StatusRegistry>,
    stop: CancellationToken,
) {
    // A worker that never held the lease must not clear the stream of the one that does.
    if !matches!(
        stop.run_until_cancelled(lease.wait_for(|holds| *holds)).await,
        Some(Ok(_))
    ) {
        return;
    }
    let mut writer = StreamWriter {
        settings,
        receiver,
        batch: Vec::new(),
        stop,
        begun: false,
        unreachable: None,
    };
    let mut delay = SHORTEST_DELAY;
    while writer.fill_batch().await {
        match writer.write_batches().await {
            Ok(()) => return,
            Err(error) => {
                // Something was written since the last failure: this one begins a new row.
                if writer.unreachable.is_none() {
                    delay = SHORTEST_DELAY;
                }
                writer.unreachable = Some(status.degrade(
                    WorkerReason::ValkeyUnreachable,
                    format!("{error}. Lines of the log wait; check VALKEY_HOST and VALKEY_PORT"),
                ));
            }
        }
        if writer.stop.is_cancelled() {
            return;
        }
        let _ = timeout(delay, writer.stop.cancelled()).await;
        delay = (delay * 2).min(LONGEST_DELAY);
    }
}

struct StreamWriter {
    settings: ValkeySettings,
    receiver: mpsc::Receiver<LogRecord>,
    /// Lines that the server has not acknowledged.
    batch: Vec<LogRecord>,
    stop: CancellationToken,
    /// True once this worker has cleared the stream of former lines.
    begun: bool,
    unreachable: Option<DegradationGuard>,
}

impl StreamWriter {
    /// Receives lines into an empty batch; false once the sender is closed.
    async fn fill_batch(&mut self) -> bool {
        if self.batch.is_empty() {
            tokio::select! {
                biased;
                _ = self.receiver.recv_many(&mut self.batch, BATCH) => {}
                () = self.stop.cancelled() => {}
            }
        }
        !self.batch.is_empty()
    }

    /// Writes over one connection until it fails or the sender is closed. An unwritten batch is kept.
    async fn write_batches(&mut self) -> Result<(), WriteStreamError> {
        let mut connection = connect(&self.settings).await?;
        loop {
            let pipe = self.commands();
            answer(&self.settings, pipe.query_async::<()>(&mut connection)).await?;
            self.unreachable = None;
            self.begun = true;
            self.batch.clear();
            if !self.fill_batch().await {
                return Ok(());
            }
        }
    }

    fn commands(&self) -> redis::Pipeline {
        let mut pipe = redis::pipe();
        if !self.begun {
            pipe.del(&self.settings.stream).ignore();
        }
        for record in &self.batch {
            let command = pipe
                .cmd("XADD")
                .arg(&self.settings.stream)
                .arg("MAXLEN")
                .arg(STREAM_LENGTH)
                .arg("*");
            command
                .arg("msg")
                .arg(&record.msg)
                .arg("level")
                .arg(record.level.name())
                .ignore();
        }
        pipe
    }
}

async fn connect(settings: &ValkeySettings) -> Result<redis::aio::MultiplexedConnection, WriteStreamError> {
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

fn refused(settings: &ValkeySettings, source: redis::RedisError) -> WriteStreamError {
    WriteStreamError::Refused {
        host: settings.host.clone(),
        port: settings.port,
        source,
    }
}

async fn answer<T>(
    settings: &ValkeySettings,
    request: impl Future<Output = redis::RedisResult<T>>,
) -> Result<T, WriteStreamError> {
    match timeout(RESPONSE_TIMEOUT, request).await {
        Ok(answered) => answered.map_err(|source| refused(settings, source)),
        Err(_) => Err(WriteStreamError::Silent {
            host: settings.host.clone(),
            port: settings.port,
        }),
    }
}
