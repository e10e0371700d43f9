//! Stream of a small instrument, sent to real topics record by record, with the counts of what was sent.
//!
//! The instrument has 40 spectra of two detectors each: spectrum `s` (from 1) has the detectors `1000 + 2s` and
//! `1001 + 2s`. Events follow from a seed, so that the counts of each run are known exactly.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use live_data_engine::message::LogValue;
use live_data_stream::encode::{Encoder, Ev42, Ev44, IsisFrame, Pl72, Pu00, RunStop6s4t, SpectrumMap};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};

use crate::lab;

/// Number of spectra of the instrument.
pub const SPECTRA: i32 = 40;
/// Time between two pulses, ns (50 Hz).
pub const FRAME: i64 = 20_000_000;
/// ns in 1 s.
pub const SECOND: i64 = 1_000_000_000;

/// Schema of the event messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// Ids are spectrum numbers; charge and period are in the message (is84).
    Ev42,
    /// Ids are detector ids; charge and period are in pu00 messages.
    Ev44,
}

/// Number of events by spectrum number.
pub type Counts = BTreeMap<i32, u64>;

/// Instrument with its producer.
pub struct Instrument {
    /// Upper case, as in the topics' names.
    pub name: String,
    pub schema: Schema,
    partitions: i32,
    replicas: i32,
    bootstrap: String,
    producer: ThreadedProducer<rdkafka::producer::DefaultProducerContext>,
    encoder: Encoder,
    message_id: u64,
    random: u64,
}

/// Identity and bounds of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Run number as text.
    pub name: String,
    pub job: String,
    /// Start, ns since the Unix epoch.
    pub start: i64,
    /// End (exclusive), ns since the Unix epoch.
    pub stop: i64,
}

impl Run {
    /// Run of the times `[start, stop)`, truncated to whole ms as in the messages.
    pub fn new(number: u32, start: i64, stop: i64) -> Run {
        let millisecond = |ns: i64| ns / 1_000_000 * 1_000_000;
        Run {
            name: number.to_string(),
            job: format!("job-{number}"),
            start: millisecond(start),
            stop: millisecond(stop),
        }
    }

    /// True for a pulse within the run's bounds.
    pub fn contains(&self, pulse: i64) -> bool {
        (self.start..self.stop).contains(&pulse)
    }
}

/// Current time, ns since the Unix epoch.
pub fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// Pulse times in `[from, to)`, ns; each 7 ns after a multiple of the frame.
pub fn pulses(from: i64, to: i64) -> impl Iterator<Item = i64> {
    (0..(to - from) / FRAME).map(move |n| from + n * FRAME + 7)
}

fn client(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", bootstrap)
        .set("message.max.bytes", "100000000");
    config
}

impl Instrument {
    /// Instrument on the shared broker, with its topics; the events topic has `partitions` partitions.
    pub fn new(name: &str, schema: Schema, partitions: i32) -> Instrument {
        let instrument = Instrument::without_topics(name, schema, partitions);
        instrument.create_topics();
        instrument
    }

    /// Instrument on another broker, with topics replicated to all its brokers.
    pub fn on(broker: &lab::Server, name: &str, schema: Schema, partitions: i32) -> Instrument {
        let mut instrument = Instrument::connected(broker.value("KAFKA_BOOTSTRAP"), name, schema, partitions);
        instrument.replicas = broker.value("KAFKA_BROKERS").parse().unwrap();
        instrument.create_topics();
        instrument
    }

    /// Number of the broker that leads a partition of the events topic.
    pub fn leader(&self, partition: i32) -> Option<i32> {
        let topic = self.topic("events");
        let metadata = self
            .producer
            .client()
            .fetch_metadata(Some(&topic), Duration::from_secs(10))
            .ok()?;
        let found = metadata
            .topics()
            .first()?
            .partitions()
            .iter()
            .find(|p| p.id() == partition)?;
        (found.leader() >= 0 && found.error().is_none()).then_some(found.leader())
    }

    /// Instrument on the shared broker whose topics do not exist.
    pub fn without_topics(name: &str, schema: Schema, partitions: i32) -> Instrument {
        Instrument::connected(lab::kafka().value("KAFKA_BOOTSTRAP"), name, schema, partitions)
    }

    fn connected(bootstrap: &str, name: &str, schema: Schema, partitions: i32) -> Instrument {
        let producer = client(bootstrap)
            .set("linger.ms", "1")
            // After an outage of the broker a producer sends again; idempotence keeps records from being duplicated.
            .set("enable.idempotence", "true")
            .set("queue.buffering.max.messages", "1000000")
            .create()
            .unwrap();
        Instrument {
            name: name.to_uppercase(),
            schema,
            partitions,
            replicas: 1,
            bootstrap: bootstrap.to_owned(),
            producer,
            encoder: Encoder::new(),
            message_id: 0,
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// Creates the topics of events, runInfo and sampleEnv.
    pub fn create_topics(&self) {
        let admin: AdminClient<DefaultClientContext> = client(&self.bootstrap).create().unwrap();
        let names = [self.topic("events"), self.topic("runInfo"), self.topic("sampleEnv")];
        let topics: Vec<_> = names
            .iter()
            .zip([self.partitions, 1, 2])
            .map(|(name, partitions)| NewTopic::new(name, partitions, TopicReplication::Fixed(self.replicas)))
            .collect();
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        for result in runtime.block_on(admin.create_topics(&topics, &options)).unwrap() {
            result.unwrap();
        }
    }

    /// Name of a topic by its suffix, such as `events`.
    pub fn topic(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.name)
    }

    /// Sends a record; `timestamp_ms` in ms since the Unix epoch.
    pub fn send(&self, suffix: &str, partition: i32, timestamp_ms: i64, payload: &[u8]) {
        let topic = self.topic(suffix);
        let record = BaseRecord::<(), [u8]>::to(&topic)
            .partition(partition)
            .timestamp(timestamp_ms)
            .payload(payload);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Waits until the broker has acknowledged all records.
    pub fn flush(&self) {
        self.producer.flush(Duration::from_secs(60)).unwrap();
    }

    fn next(&mut self) -> u64 {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Sends the start of a run with the instrument's map.
    pub fn start_run(&mut self, run: &Run) {
        let spectrum: Vec<i32> = (0..2 * SPECTRA).map(|n| 1 + n / 2).collect();
        let detector_id: Vec<i32> = (0..2 * SPECTRA).map(|n| 1002 + n).collect();
        let map = SpectrumMap {
            spectrum: &spectrum,
            detector_id: &detector_id,
            n_spectra: 2 * SPECTRA,
        };
        self.start_run_with(run, Some(map));
    }

    /// Sends the start of a run with another map, or none.
    pub fn start_run_with(&mut self, run: &Run, map: Option<SpectrumMap<'_>>) {
        let payload = self
            .encoder
            .pl72(&Pl72 {
                start_time: u64::try_from(run.start / 1_000_000).unwrap(),
                stop_time: 0,
                run_name: Some(&run.name),
                instrument_name: Some(&self.name.clone()),
                nexus_structure: None,
                job_id: Some(&run.job),
                n_periods: 1,
                map,
                metadata: None,
            })
            .to_vec();
        self.send("runInfo", 0, run.start / 1_000_000, &payload);
    }

    /// Sends the stop of a run, identified by its job id alone, as ISIS's control program does.
    pub fn stop_run(&mut self, run: &Run) {
        let stop_time = u64::try_from(run.stop / 1_000_000).unwrap();
        let message = RunStop6s4t {
            stop_time,
            run_name: Some("test_run"),
            job_id: Some(&run.job),
        };
        let payload = self.encoder.run_stop(&message).to_vec();
        self.send("runInfo", 0, run.stop / 1_000_000, &payload);
    }

    /// Sends a pulse of `events` events to the partition that the pulse number selects; returns its counts.
    pub fn pulse(&mut self, time: i64, events: usize) -> Counts {
        let partition = i32::try_from((time / FRAME).rem_euclid(i64::from(self.partitions))).unwrap();
        self.pulse_in(partition, time, events)
    }

    /// Sends a pulse to a given partition; returns its counts.
    pub fn pulse_in(&mut self, partition: i32, time: i64, events: usize) -> Counts {
        let mut counts = Counts::new();
        let (mut ids, mut times) = (Vec::with_capacity(events), Vec::with_capacity(events));
        for _ in 0..events {
            let random = self.next();
            let spectrum = 1 + i32::try_from(random % u64::try_from(SPECTRA).unwrap()).unwrap();
            *counts.entry(spectrum).or_default() += 1;
            ids.push(match self.schema {
                Schema::Ev42 => spectrum,
                Schema::Ev44 => 1000 + 2 * spectrum + i32::try_from((random >> 32) & 1).unwrap(),
            });
            times.push(i32::try_from(100_000 + (random >> 40) % 19_000_000).unwrap());
        }
        self.message_id += 1;
        match self.schema {
            Schema::Ev42 => {
                let unsigned = |column: &[i32]| column.iter().map(|v| u32::try_from(*v).unwrap()).collect::<Vec<_>>();
                let message = Ev42 {
                    source: "kafka_event_producer",
                    message_id: self.message_id,
                    pulse_time: u64::try_from(time).unwrap(),
                    time_of_flight: &unsigned(&times),
                    detector_id: &unsigned(&ids),
                    isis: Some(IsisFrame {
                        period_number: 0,
                        running: true,
                        proton_charge: 0.001,
                    }),
                };
                let payload = self.encoder.ev42(&message).to_vec();
                self.send("events", partition, time / 1_000_000, &payload);
            }
            Schema::Ev44 => {
                let message = Ev44 {
                    source: "aggregator",
                    message_id: 0,
                    reference_time: &[time],
                    reference_time_index: &[0],
                    time_of_flight: &times,
                    pixel_id: &ids,
                };
                let payload = self.encoder.ev44(&message).to_vec();
                self.send("events", partition, time / 1_000_000, &payload);
                let frame = Pu00 {
                    source: "aggregator",
                    message_id: 0,
                    reference_time: time,
                    vetos: Some(0),
                    period_number: Some(0),
                    proton_charge: Some(0.001),
                };
                let payload = self.encoder.pu00(&frame).to_vec();
                self.send("events", partition, time / 1_000_000, &payload);
            }
        }
        counts
    }

    /// Sends a value of a log at `time` (ns since the Unix epoch).
    pub fn log(&mut self, name: &str, time: i64, value: &LogValue) {
        let payload = self.encoder.f144(name, time, value).to_vec();
        self.send("sampleEnv", 0, time / 1_000_000, &payload);
    }

    /// Sends the unit of a log.
    pub fn units(&mut self, name: &str, time: i64, units: &str) {
        let payload = self.encoder.un00(name, time, Some(units)).to_vec();
        self.send("sampleEnv", 0, time / 1_000_000, &payload);
    }

    /// Sends the start, the pulses and the stop of a run; returns its counts.
    pub fn whole_run(&mut self, run: &Run, events: usize) -> Counts {
        self.start_run(run);
        let mut counts = Counts::new();
        for time in pulses(run.start, run.stop) {
            add(&mut counts, &self.pulse(time, events));
        }
        self.stop_run(run);
        counts
    }
}

/// Adds `more` to `sum`, spectrum by spectrum.
pub fn add(sum: &mut Counts, more: &Counts) {
    for (spectrum, count) in more {
        *sum.entry(*spectrum).or_default() += count;
    }
}
