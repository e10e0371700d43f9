//! Streams for tests: owned records, and a broker whose partitions can be read in any order and again.

use std::collections::BTreeMap;

use live_data_engine::config::TimelineConfig;
use live_data_engine::message::{
    EventBatch, EventSchema, Frame, IdColumn, LeI32, LeI64, LeU32, LogSample, LogValue, Message, PulseColumns,
    PulseMetadata, RunStart, RunStop, VetoConfig,
};
use live_data_engine::outcome::{IngestOutcome, Signal};
use live_data_engine::record_position::{PartitionKey, PartitionProgress, RecordPosition, TopicRole};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};

pub const SECOND: i64 = 1_000_000_000;
/// Start of the streams, ns.
pub const EPOCH: i64 = 1_760_000_000 * SECOND;

pub fn at(seconds: f64) -> i64 {
    EPOCH + (seconds * 1e9).round() as i64
}

#[derive(Clone, Debug)]
pub enum Record {
    Events {
        source: &'static str,
        schema: EventSchema,
        pulses: Vec<(i64, Vec<(u32, u32)>)>,
        frame: Option<Frame>,
        id: i64,
    },
    Pulse(PulseMetadata),
    Start(RunStart),
    Stop(RunStop),
    Log(LogSample),
    Veto(VetoConfig),
}

/// Record of one pulse's events, `(id, time of flight in ns)`.
pub fn events(time: i64, events: &[(u32, u32)]) -> Record {
    Record::Events {
        source: "bank",
        schema: EventSchema::Ev44,
        pulses: vec![(time, events.to_vec())],
        frame: None,
        id: 0,
    }
}

pub fn pulse(time: i64, vetos: u32, period: u32, charge: f32) -> Record {
    Record::Pulse(PulseMetadata {
        source: "dae".into(),
        message_id: 0,
        reference_time: PulseTime::from_nanos(time),
        vetos: Some(vetos),
        period: Some(period),
        proton_charge: Some(charge),
    })
}

pub fn start(job: &str, name: &str, time: i64) -> Record {
    Record::Start(RunStart {
        start_time: PulseTime::from_nanos(time),
        run_name: name.into(),
        instrument_name: "MERLIN".into(),
        job_id: job.into(),
        n_periods: 1,
        ..RunStart::default()
    })
}

pub fn stop(job: &str, time: i64) -> Record {
    Record::Stop(RunStop {
        stop_time: Some(PulseTime::from_nanos(time)),
        run_name: "test_run".into(),
        job_id: job.into(),
    })
}

pub fn log(source: &str, time: i64, value: f64) -> Record {
    Record::Log(LogSample {
        source: source.into(),
        time: PulseTime::from_nanos(time),
        value: LogValue::F64(value),
    })
}

pub fn veto(time: i64, mask: u32) -> Record {
    Record::Veto(VetoConfig {
        time: PulseTime::from_nanos(time),
        mask,
        names: Vec::new(),
    })
}

pub const fn key(role: TopicRole, partition: i32) -> PartitionKey {
    let topic = match role {
        TopicRole::Events => 0,
        TopicRole::RunInfo => 1,
        TopicRole::SampleEnv => 2,
        TopicRole::VetoConfig => 3,
    };
    PartitionKey { role, topic, partition }
}

/// Partitions of records, and the position of reading in each.
#[derive(Clone, Debug, Default)]
pub struct Broker {
    pub partitions: BTreeMap<PartitionKey, Vec<Record>>,
    pub next: BTreeMap<PartitionKey, usize>,
}

impl Broker {
    pub fn send(&mut self, role: TopicRole, partition: i32, record: Record) {
        self.partitions.entry(key(role, partition)).or_default().push(record);
    }

    pub fn unread(&self) -> Vec<PartitionKey> {
        let unread = |key: &&PartitionKey| self.next.get(*key).copied().unwrap_or(0) < self.partitions[*key].len();
        self.partitions.keys().filter(unread).copied().collect()
    }

    pub fn rewind(&mut self, key: PartitionKey, offset: usize) {
        let next = self.next.entry(key).or_default();
        *next = (*next).min(offset);
    }

    pub fn rewind_all(&mut self) {
        self.next.clear();
    }
}

/// Timeline with a wall clock that the test sets.
pub struct Worker {
    pub timeline: Timeline,
    pub view: TimelineView,
    pub now: PulseTime,
    pub signals: Vec<Signal>,
}

impl Worker {
    pub fn new(config: TimelineConfig) -> Self {
        let (timeline, view) = Timeline::new(config);
        Self {
            timeline,
            view,
            now: PulseTime::from_nanos(at(100_000.0)),
            signals: Vec::new(),
        }
    }

    pub fn ingest(&mut self, key: PartitionKey, offset: i64, record: &Record) -> IngestOutcome {
        let place = RecordPosition {
            partition: key,
            offset,
            timestamp_ms: self.now.millis(),
        };
        let now = self.now;
        match record {
            Record::Events {
                source,
                schema,
                pulses,
                frame,
                id,
            } => {
                let column =
                    |values: Vec<u32>| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
                let all: Vec<(u32, u32)> = pulses.iter().flat_map(|(_, events)| events.iter().copied()).collect();
                let ids = column(all.iter().map(|event| event.0).collect());
                let times = column(all.iter().map(|event| event.1).collect());
                let pulse_times: Vec<u8> = pulses.iter().flat_map(|(time, _)| time.to_le_bytes()).collect();
                let mut first = Vec::new();
                let mut count = 0_i32;
                for (_, events) in pulses {
                    first.extend(count.to_le_bytes());
                    count += events.len() as i32;
                }
                let pulses = match (schema, pulses.as_slice()) {
                    (EventSchema::Ev42, [(time, _)]) => PulseColumns::Single(PulseTime::from_nanos(*time)),
                    _ => PulseColumns::Multiple {
                        times: LeI64::new(&pulse_times),
                        first: LeI32::new(&first),
                    },
                };
                let batch = EventBatch {
                    schema: *schema,
                    source,
                    message_id: *id,
                    pulses,
                    time_of_flight: LeU32::new(&times),
                    ids: IdColumn::PerEvent(LeU32::new(&ids)),
                    frame: *frame,
                };
                self.timeline.ingest(place, Message::Events(batch), now)
            }
            Record::Pulse(message) => self.timeline.ingest(place, Message::Pulse(message.clone()), now),
            Record::Start(message) => self.timeline.ingest(place, Message::RunStart(message.clone()), now),
            Record::Stop(message) => self.timeline.ingest(place, Message::RunStop(message.clone()), now),
            Record::Log(message) => self.timeline.ingest(place, Message::Log(message.clone()), now),
            Record::Veto(message) => self.timeline.ingest(place, Message::VetoConfig(message.clone()), now),
        }
    }

    /// Reads the next record of a partition.
    pub fn read(&mut self, broker: &mut Broker, key: PartitionKey) -> IngestOutcome {
        let next = broker.next.entry(key).or_default();
        let record = broker.partitions[&key][*next].clone();
        *next += 1;
        let offset = *next as i64 - 1;
        self.ingest(key, offset, &record)
    }

    /// Reads the remaining records, partition by partition.
    pub fn drain(&mut self, broker: &mut Broker) {
        for key in broker.unread() {
            while broker.next.get(&key).copied().unwrap_or(0) < broker.partitions[&key].len() {
                self.read(broker, key);
            }
        }
    }

    /// Reports all partitions as read to their ends.
    pub fn report(&mut self, broker: &Broker) {
        let progress: Vec<_> = broker
            .partitions
            .iter()
            .map(|(key, records)| PartitionProgress {
                partition: *key,
                next_offset: broker.next.get(key).copied().unwrap_or(0) as i64,
                high_watermark: Some(records.len() as i64),
            })
            .collect();
        self.timeline.record_progress(&progress, self.now);
    }

    pub fn tick(&mut self) -> Vec<Signal> {
        let signals = self.timeline.tick(self.now);
        self.signals.extend(signals.iter().cloned());
        signals
    }

    pub fn wait(&mut self, seconds: i64) {
        self.now = self.now.plus(seconds * SECOND);
    }

    pub fn snapshot(&self, job: &str) -> Snapshot {
        let run = self
            .view
            .runs()
            .into_iter()
            .find(|run| run.job_id == job)
            .expect("the run is known");
        self.view.snapshot(&run.key).expect("the run is held")
    }

    pub fn completed(&self) -> Vec<String> {
        let complete = self.signals.iter().filter_map(|signal| match signal {
            Signal::RunComplete { key, .. } => Some(key.to_string()),
            _ => None,
        });
        complete.collect()
    }
}

/// Events of a snapshot as `(pulse time, id, time of flight)`, sorted.
pub fn listed(snapshot: &Snapshot) -> Vec<(i64, u32, u32)> {
    let mut events = Vec::new();
    snapshot.for_each_event(|id, time_of_flight, time| events.push((time.nanos(), id, time_of_flight)));
    events.sort_unstable();
    events
}

/// Checks that events, frames and totals of a snapshot agree.
pub fn assert_consistent(snapshot: &Snapshot) {
    let events = listed(snapshot);
    assert_eq!(
        events.len() as u64,
        snapshot.run().totals.events,
        "events and totals differ"
    );
    assert_eq!(
        snapshot.pulses().totals(),
        snapshot.run().totals,
        "frames and totals differ"
    );
    for part in snapshot.chunks().iter() {
        assert_eq!(part.selected.len(), part.chunk.pulse_times().len());
        let periods = (0..8)
            .filter_map(|period| part.period(period))
            .map(|pulses| pulses.count())
            .sum::<usize>();
        assert_eq!(periods, part.selected.count(), "periods do not add up");
    }
    let end = snapshot.end().nanos();
    assert!(
        events
            .iter()
            .all(|event| (snapshot.run().start.nanos()..end).contains(&event.0))
    );
}
