//! Sends the simulated stream to a broker, at its own pace or as fast as the broker takes it.
//!
//! Promises: every record is delivered before it returns, or it says that some were not; nothing is sent twice by
//! it. Must not change a record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use live_data_stream::topics::Role;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::generator::{Generator, Record};

/// Why the stream could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// The settings (the user's to correct).
    #[error("the Kafka client refuses its settings: {0}")]
    Settings(KafkaError),
    /// Topics could not be made (external).
    #[error("cannot create the topic {topic}: {reason}")]
    Create {
        /// Which.
        topic: String,
        /// The broker's words.
        reason: String,
    },
    /// A record could not be handed over (external).
    #[error("cannot send to {topic} [{partition}]: {error}; does the topic have that many partitions?")]
    Send {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The client's words.
        error: KafkaError,
    },
    /// Records were not delivered (external).
    #[error("{0} records were not delivered: {1}")]
    Undelivered(u64, String),
}

/// The names of the topics to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// Events and frames.
    pub events: String,
    /// Starts and stops.
    pub run_info: String,
    /// Logs.
    pub sample_env: String,
    /// Veto configurations.
    pub veto_config: String,
}

impl Names {
    /// As ISIS's instruments have them.
    pub fn of_instrument(instrument: &str) -> Names {
        let instrument = instrument.to_uppercase();
        Names {
            events: format!("{instrument}_events"),
            run_info: format!("{instrument}_runInfo"),
            sample_env: format!("{instrument}_sampleEnv"),
            veto_config: format!("{instrument}_vetoConfig"),
        }
    }

    fn of(&self, role: Role) -> &str {
        match role {
            Role::Events => &self.events,
            Role::RunInfo => &self.run_info,
            Role::SampleEnv => &self.sample_env,
            Role::VetoConfig => &self.veto_config,
        }
    }

    fn all(&self) -> [&str; 4] {
        [&self.events, &self.run_info, &self.sample_env, &self.veto_config]
    }
}

/// How far the sending has come.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sent {
    /// Records handed over.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Seconds since the sending began.
    pub seconds: f64,
}

#[derive(Default)]
struct Deliveries {
    failed: AtomicU64,
    reason: std::sync::Mutex<String>,
}

struct Reports(Arc<Deliveries>);

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!("the simulated instrument's producer: {error}: {reason}");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            self.0.failed.fetch_add(1, Ordering::Relaxed);
            if let Ok(mut reason) = self.0.reason.lock() {
                *reason = error.to_string();
            }
        }
    }
}

/// librdkafka's settings for producing to a broker; security settings are added by the caller.
pub fn client_config(bootstrap_servers: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap_servers)
        .set("client.id", "live-data-simulate")
        // A run start with its map is several MB.
        .set("message.max.bytes", (100 << 20).to_string())
        .set("queue.buffering.max.messages", "2000000")
        .set("queue.buffering.max.kbytes", (256 << 10).to_string())
        .set("linger.ms", "5")
        .set("acks", "all");
    config
}

/// Makes the topics that are not there yet.
///
/// # Errors
/// The broker's, but for topics that exist.
pub fn create_topics(config: &ClientConfig, names: &Names, event_partitions: i32) -> Result<(), ProduceError> {
    let admin = AdminClient::<DefaultClientContext>::from_config(config).map_err(ProduceError::Settings)?;
    let topics: Vec<NewTopic<'_>> = names
        .all()
        .into_iter()
        .map(|name| {
            let partitions = if name == names.events {
                event_partitions.max(1)
            } else {
                1
            };
            NewTopic::new(name, partitions, TopicReplication::Fixed(1))
        })
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    let results = futures::executor::block_on(admin.create_topics(&topics, &options));
    let all = names.all().join(", ");
    let results = results.map_err(|error| ProduceError::Create {
        topic: all,
        reason: error.to_string(),
    })?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(ProduceError::Create {
                    topic,
                    reason: code.to_string(),
                });
            }
        }
    }
    Ok(())
}

/// Sends the whole stream, until it ends or `stop` is set, and waits until all of it is delivered.
///
/// With `paced`, each record is sent when its time has come by this machine's clock; without, at once.
/// `report` is called about once a second.
///
/// # Errors
/// A record that could not be handed over or delivered.
pub fn produce(
    generator: &mut Generator,
    config: &ClientConfig,
    names: &Names,
    paced: bool,
    stop: &AtomicBool,
    mut report: impl FnMut(&Generator, Sent),
) -> Result<Sent, ProduceError> {
    let deliveries = Arc::new(Deliveries::default());
    let producer = ThreadedProducer::from_config_and_context(config, Reports(Arc::clone(&deliveries)))
        .map_err(ProduceError::Settings)?;
    let begun = std::time::Instant::now();
    let mut sent = Sent::default();
    let mut reported = 0.0;
    while !stop.load(Ordering::Relaxed) {
        let Some(record) = generator.next() else { break };
        if paced {
            wait_until(record.send_ns, stop);
        }
        send(&producer, names, &record, stop)?;
        sent.records += 1;
        sent.bytes += record.payload.len() as u64;
        sent.seconds = begun.elapsed().as_secs_f64();
        if sent.seconds - reported >= 1.0 {
            reported = sent.seconds;
            report(generator, sent);
        }
    }
    let flushed = producer.flush(Duration::from_secs(60));
    sent.seconds = begun.elapsed().as_secs_f64();
    let failed = deliveries.failed.load(Ordering::Relaxed);
    let left = u64::try_from(producer.in_flight_count()).unwrap_or(0);
    if failed + left > 0 || flushed.is_err() {
        let reason = deliveries
            .reason
            .lock()
            .map(|reason| reason.clone())
            .unwrap_or_default();
        let reason = if reason.is_empty() {
            "the broker did not answer in time".to_owned()
        } else {
            reason
        };
        return Err(ProduceError::Undelivered(failed + left, reason));
    }
    Ok(sent)
}

fn send(
    producer: &ThreadedProducer<Reports>,
    names: &Names,
    record: &Record,
    stop: &AtomicBool,
) -> Result<(), ProduceError> {
    let topic = names.of(record.role);
    let mut message: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic)
        .partition(record.partition)
        .timestamp(record.send_ns.div_euclid(1_000_000))
        .payload(&record.payload);
    loop {
        match producer.send(message) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                message = back;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err((error, _)) => {
                return Err(ProduceError::Send {
                    topic: topic.to_owned(),
                    partition: record.partition,
                    error,
                });
            }
        }
    }
}

/// Waits until this machine's clock says `time_ns` (since the Unix epoch), or `stop` is set.
fn wait_until(time_ns: i64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = time_ns.saturating_sub(i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
        if left <= 0 {
            return;
        }
        std::thread::sleep(Duration::from_nanos(left.unsigned_abs()).min(Duration::from_millis(100)));
    }
}
