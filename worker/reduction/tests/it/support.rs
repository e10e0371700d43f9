//! Timeline fed message by message, and services for algorithms.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::config::TimelineConfig;
use live_data_engine::message::{EventBatch, EventSchema, Frame, IdColumn, LeU32, Message, PulseColumns, RunStart};
use live_data_engine::record_position::{PartitionKey, RecordPosition, TopicRole};
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_reduction::service::NullLogger;
use live_data_reduction::{AlgorithmRun, Outputs, Services, Value, WorkspaceHandle};

pub const SECOND: i64 = 1_000_000_000;
/// Start of every run, 2025-10-09T08:53:20, ns since the Unix epoch.
pub const START: i64 = 1_760_000_000 * SECOND;

pub struct Stream {
    timeline: Timeline,
    pub view: TimelineView,
    offset: i64,
}

impl Stream {
    pub fn new(instrument: &str) -> Self {
        Self::over(TimelineConfig::new(instrument))
    }

    /// Stream with chunks of 40 events, so that a short run has many chunks.
    pub fn in_small_chunks(instrument: &str) -> Self {
        Self::over(TimelineConfig {
            seal_events: 40,
            ..TimelineConfig::new(instrument)
        })
    }

    fn over(config: TimelineConfig) -> Self {
        let (timeline, view) = Timeline::new(config);
        Self {
            timeline,
            view,
            offset: 0,
        }
    }

    pub fn send(&mut self, role: TopicRole, message: Message<'_>) {
        let topic = match role {
            TopicRole::Events => 0,
            TopicRole::RunInfo => 1,
            _ => 2,
        };
        let partition = PartitionKey {
            role,
            topic,
            partition: 0,
        };
        self.offset += 1;
        let now = PulseTime::from_nanos(START + self.offset);
        self.timeline.ingest(
            RecordPosition {
                partition,
                offset: self.offset,
                timestamp_ms: now.millis(),
            },
            message,
            now,
        );
    }

    pub fn start(&mut self, run: RunStart) {
        self.send(TopicRole::RunInfo, Message::RunStart(run));
        self.timeline.tick(PulseTime::from_nanos(START + 3600 * SECOND));
    }

    /// Sends one pulse of events, each (id, time of flight in ns).
    pub fn pulse(&mut self, schema: EventSchema, seconds: f64, frame: Option<Frame>, events: &[(u32, u32)]) {
        let tofs: Vec<u8> = events.iter().flat_map(|(_, tof)| tof.to_le_bytes()).collect();
        let ids: Vec<u8> = events.iter().flat_map(|(id, _)| id.to_le_bytes()).collect();
        let batch = EventBatch {
            schema,
            source: "bank",
            message_id: 0,
            pulses: PulseColumns::Single(PulseTime::from_nanos(START + (seconds * 1e9) as i64)),
            time_of_flight: LeU32::new(&tofs),
            ids: IdColumn::PerEvent(LeU32::new(&ids)),
            frame,
        };
        self.send(TopicRole::Events, Message::Events(batch));
    }

    pub fn snapshot(&mut self) -> Snapshot {
        self.timeline.tick(PulseTime::from_nanos(START + 3600 * SECOND));
        let key = self.view.current().expect("a run is open").key;
        self.view.snapshot(&key).expect("the run can be seen")
    }
}

pub fn run_start(instrument: &str) -> RunStart {
    RunStart {
        start_time: PulseTime::from_nanos(START),
        run_name: format!("{instrument}00071617"),
        instrument_name: instrument.into(),
        job_id: "job".into(),
        n_periods: 1,
        ..RunStart::default()
    }
}

pub fn instruments() -> Arc<InstrumentFolders> {
    Arc::new(InstrumentFolders::new(Vec::new()))
}

pub fn service() -> Services {
    Services::new(Arc::new(NullLogger), instruments())
}

pub fn run(service: &Services, name: &str, properties: &[(&str, Value)]) -> Outputs {
    let mut run = AlgorithmRun::create(name, None).unwrap();
    for (property, value) in properties {
        run.set_property(property, value.clone()).unwrap();
    }
    run.execute(service, &Cancel::new())
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub fn counts(handle: &WorkspaceHandle) -> Vec<f64> {
    let workspace = handle.matrix().unwrap();
    let sum = |index| workspace.y(index, &Cancel::new()).unwrap().iter().sum();
    (0..workspace.histograms()).map(sum).collect()
}
