//! Kafka broker of the laboratory, its topics and records, and reading of a source until a condition holds.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use live_data_engine::record_position::RecordPosition;
use live_data_stream::config::SourceConfig;
use live_data_stream::source::{
    BrokerRequestError, Notice, Polled, RunHistory, RunSearchStatus, Source, StartingOffset, StartingOffsets,
};
use live_data_stream::topics::Topics;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::{ClientConfig, FromClientConfig};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

/// Longest wait for a condition, for busy machines.
pub const PATIENCE: Duration = Duration::from_secs(90);

pub const FROM_BEGINNING: StartingOffsets = StartingOffsets {
    events: StartingOffset::Earliest,
    run_info: StartingOffset::Earliest,
    sample_env: StartingOffset::Earliest,
    veto_config: StartingOffset::Earliest,
};

/// Broker of the laboratory (`ci/lab/kafka`), stopped when dropped.
pub struct Broker {
    dir: tempfile::TempDir,
    pub bootstrap: String,
}

fn lab(arguments: &[&str]) -> String {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ci/lab/kafka");
    let output = Command::new(program)
        .args(arguments)
        .env("KAFKA_HEAP", "384m")
        // The laboratory stops the broker when this process ends, even by a signal.
        .env("LAB_OWNER", std::process::id().to_string())
        .output()
        .expect(program);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

impl Broker {
    pub fn up() -> Broker {
        let dir = tempfile::Builder::new()
            .prefix("live-data-stream-kafka-")
            .tempdir()
            .unwrap();
        let out = lab(&["up", dir.path().join("broker").to_str().unwrap()]);
        let bootstrap = out
            .lines()
            .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="))
            .expect(&out)
            .to_owned();
        Broker { dir, bootstrap }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("broker")
    }

    pub fn stop(&self) {
        lab(&["stop", self.path().to_str().unwrap(), "--kill"]);
    }

    pub fn start(&self) {
        lab(&["start", self.path().to_str().unwrap()]);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.path().exists() {
            lab(&["down", self.path().to_str().unwrap()]);
        }
    }
}

/// Bootstrap address of the broker shared by the tests that do not stop it.
pub fn shared() -> &'static str {
    static SHARED: OnceLock<Broker> = OnceLock::new();
    &SHARED.get_or_init(Broker::up).bootstrap
}

fn admin(bootstrap: &str) -> AdminClient<DefaultClientContext> {
    AdminClient::from_config(ClientConfig::new().set("bootstrap.servers", bootstrap)).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    futures::executor::block_on(future)
}

pub fn create(bootstrap: &str, topics: &[(&str, i32)]) {
    let topics: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|(name, partitions)| NewTopic::new(name, *partitions, TopicReplication::Fixed(1)))
        .collect();
    for result in wait(admin(bootstrap).create_topics(&topics, &AdminOptions::new())).unwrap() {
        result.unwrap();
    }
}

pub fn create_instrument(bootstrap: &str, instrument: &str, partitions: i32) {
    let topics = Topics::of_instrument(instrument);
    let topics: Vec<(&str, i32)> = topics
        .as_slice()
        .iter()
        .map(|topic| (topic.name.as_str(), partitions))
        .collect();
    create(bootstrap, &topics);
}

pub fn add_partitions(bootstrap: &str, topic: &str, total: usize) {
    let partitions = [NewPartitions::new(topic, total)];
    for result in wait(admin(bootstrap).create_partitions(&partitions, &AdminOptions::new())).unwrap() {
        result.unwrap();
    }
}

/// Deletes the records of a partition before `offset`, as retention does.
pub fn delete_before(bootstrap: &str, topic: &str, partition: i32, offset: i64) {
    let mut list = rdkafka::TopicPartitionList::new();
    list.add_partition_offset(topic, partition, rdkafka::Offset::Offset(offset))
        .unwrap();
    wait(admin(bootstrap).delete_records(&list, &AdminOptions::new())).unwrap();
}

/// Producer; after `flush` all records are on the broker.
pub struct Sender(ThreadedProducer<rdkafka::producer::DefaultProducerContext>);

impl Sender {
    pub fn new(bootstrap: &str) -> Sender {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap)
            .set("message.max.bytes", "100000000")
            .set("acks", "all");
        Sender(ThreadedProducer::from_config(&config).unwrap())
    }

    pub fn send(&self, topic: &str, partition: i32, timestamp_ms: i64, payload: &[u8]) {
        let mut record: BaseRecord<'_, (), [u8]> = BaseRecord::to(topic)
            .partition(partition)
            .timestamp(timestamp_ms)
            .payload(payload);
        while let Err((error, back)) = self.0.send(record) {
            assert_eq!(
                error.rdkafka_error_code(),
                Some(rdkafka::types::RDKafkaErrorCode::QueueFull)
            );
            record = back;
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn flush(&self) {
        self.0.flush(PATIENCE).unwrap();
    }
}

/// Settings with short intervals and no seek margin.
pub fn config(bootstrap: &str, instrument: &str) -> SourceConfig {
    SourceConfig {
        metadata_interval: Duration::from_millis(300),
        watermark_interval: Duration::from_millis(200),
        seek_margin: Duration::ZERO,
        ..SourceConfig::new(bootstrap, Topics::of_instrument(instrument))
    }
}

/// Repeats a request until it succeeds.
pub fn insist<T>(mut request: impl FnMut() -> Result<T, BrokerRequestError>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        match request() {
            Ok(value) => return value,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
    }
}

pub fn connected(config: SourceConfig) -> Source {
    let mut source = Source::open(config).unwrap();
    insist(|| source.connect());
    source
}

pub fn assigned(config: SourceConfig, starting_offsets: StartingOffsets) -> Source {
    let mut source = connected(config);
    insist(|| source.assign(starting_offsets));
    source
}

pub fn find(source: &mut Source, wanted: usize) -> RunHistory {
    let until = Instant::now() + PATIENCE;
    loop {
        match insist(|| source.find_runs(wanted, Duration::from_millis(200))) {
            RunSearchStatus::Finished(history) => return history,
            RunSearchStatus::Searching { records } => assert!(Instant::now() < until, "{records} records read"),
        }
    }
}

/// Records and notices polled from a source, in order.
#[derive(Default)]
pub struct Seen {
    pub records: Vec<(RecordPosition, Vec<u8>)>,
    pub notices: Vec<Notice>,
}

impl Seen {
    /// Polls until the condition holds; panics after [`PATIENCE`]. `what` names the condition.
    pub fn read_until(&mut self, source: &mut Source, what: &str, condition: impl Fn(&Seen) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !condition(self) {
            match source.poll(Duration::from_millis(100)) {
                Polled::Record(record) => self.records.push((record.position, record.payload.to_vec())),
                Polled::Notice(notice) => self.notices.push(notice),
                Polled::Nothing => {}
            }
            let (records, notices) = (self.records.len(), &self.notices);
            assert!(
                Instant::now() < until,
                "not seen: {what}; {records} records, {notices:?}"
            );
        }
    }

    /// Offsets of one partition, in the order of reading.
    pub fn offsets(&self, topic: usize, partition: i32) -> Vec<i64> {
        let ours = self.records.iter().filter(|(position, _)| {
            usize::from(position.partition.topic) == topic && position.partition.partition == partition
        });
        ours.map(|(position, _)| position.offset).collect()
    }
}

pub fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_millis() as i64
}
