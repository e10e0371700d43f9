//! Delivery of the simulated stream to a broker, in real time or as fast as the broker accepts records.
//!
//! Promises: every record is delivered before it returns, or their number is an error; no record is sent twice. Must
//! not change a record.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use live_data_engine::record_position::TopicRole;
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig, FromClientConfigAndContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};

use super::generator::{Generator, SimulatedRecord};

/// Failure to send the stream.
#[derive(Debug, thiserror::Error)]
pub enum ProduceError {
    /// librdkafka refuses its settings: an error of the user.
    #[error("the Kafka client refuses its settings: {0}")]
    Settings(KafkaError),
    /// The broker refuses to create a topic.
    #[error("cannot create the topic {topic}: {reason}")]
    Create {
        topic: String,
        /// Text of the broker.
        reason: String,
    },
    /// librdkafka refuses a record.
    #[error("cannot send to {topic} [{partition}]: {error}; does the topic have that many partitions?")]
    Send {
        topic: String,
        partition: i32,
        error: KafkaError,
    },
    /// Number of records without acknowledgement, and the last reason.
    #[error("{0} records were not delivered: {1}")]
    Undelivered(u64, String),
}

/// Names of the four topics of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicNames {
    /// Events (ev42, ev44) and frames (pu00).
    pub events: String,
    /// Starts (pl72) and stops (6s4t) of runs.
    pub run_info: String,
    /// Logs (f144), units (un00) and alarms (al00).
    pub sample_env: String,
    /// Veto configurations (vc00).
    pub veto_config: String,
}

impl TopicNames {
    /// Names of ISIS: the instrument in upper case, then `_events`, `_runInfo`, `_sampleEnv` or `_vetoConfig`.
    pub fn of_instrument(instrument: &str) -> TopicNames {
        let instrument = instrument.to_uppercase();
        TopicNames {
            events: format!("{instrument}_events"),
            run_info: format!("{instrument}_runInfo"),
            sample_env: format!("{instrument}_sampleEnv"),
            veto_config: format!("{instrument}_vetoConfig"),
        }
    }

    fn of(&self, role: TopicRole) -> &str {
        match role {
            TopicRole::Events => &self.events,
            TopicRole::RunInfo => &self.run_info,
            TopicRole::SampleEnv => &self.sample_env,
            TopicRole::VetoConfig => &self.veto_config,
        }
    }

    fn all(&self) -> [&str; 4] {
        [&self.events, &self.run_info, &self.sample_env, &self.veto_config]
    }
}

/// Progress of the delivery since its first record.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SendProgress {
    /// Records passed to librdkafka.
    pub records: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Seconds since the first record.
    pub seconds: f64,
}

#[derive(Default)]
struct DeliveryFailures {
    failed: AtomicU64,
    reason: std::sync::Mutex<String>,
}

struct DeliveryContext(Arc<DeliveryFailures>);

impl ClientContext for DeliveryContext {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!("the simulated instrument's producer: {error}: {reason}");
    }
}

impl ProducerContext for DeliveryContext {
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

/// Settings of librdkafka for producing, without security settings.
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

/// Creates missing topics, the events topic with `event_partitions` partitions and the others with one.
///
/// # Errors
/// [`ProduceError::Create`] unless the topic exists, [`ProduceError::Settings`].
pub fn create_topics(config: &ClientConfig, names: &TopicNames, event_partitions: i32) -> Result<(), ProduceError> {
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

/// Sends the stream until it ends or `stop` is set, and waits up to 60 s for its delivery.
///
/// With `paced`, each record is sent at its time of sending by the system clock; without, at once.
/// `report` is called about once a second.
///
/// # Errors
/// [`ProduceError::Send`] for a record that librdkafka refuses, [`ProduceError::Undelivered`],
/// [`ProduceError::Settings`].
pub fn produce(
    generator: &mut Generator,
    config: &ClientConfig,
    names: &TopicNames,
    paced: bool,
    stop: &AtomicBool,
    mut report: impl FnMut(&Generator, SendProgress),
) -> Result<SendProgress, ProduceError> {
    let deliveries = Arc::new(DeliveryFailures::default());
    let producer = ThreadedProducer::from_config_and_context(config, DeliveryContext(Arc::clone(&deliveries)))
        .map_err(ProduceError::Settings)?;
    let begun = std::time::Instant::now();
    let mut sent = SendProgress::default();
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
    producer: &ThreadedProducer<DeliveryContext>,
    names: &TopicNames,
    record: &SimulatedRecord,
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

/// Waits until the system clock reaches `time_ns` since the Unix epoch, or `stop` is set.
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
