//! Simulated stream for the tests of live data processing: a timeline with messages of the test, and sessions on it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::config::{EventIdKind, TimelineConfig};
use live_data_engine::message::{
    EventBatch, EventSchema, Frame, IdColumn, LeU32, LogSample, LogValue, Message, PulseColumns, RunStart, RunStop,
};
use live_data_engine::outcome::Signal;
use live_data_engine::record_position::{PartitionKey, RecordPosition, TopicRole};
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_reduction::instrument::source::InstrumentFolders;
use live_data_reduction::live::accumulate;
use live_data_reduction::live::{LiveRequest, LiveSpec, parse_request};
use live_data_reduction::run_workspace::RunWorkspaceBuilder;
use live_data_reduction::service::NullLogger;
use live_data_reduction::workspace::WorkspaceHandle;
use live_data_reduction::{AlgorithmRun, Services, Value};
use parking_lot::Mutex;

use super::processing::{PythonRunner, RunningScript};
use super::run_source::{RunSource, TimelineRunSource};
use super::session::{MessageLevel, Session, SessionDependencies, StepOutcome};

/// Start of the stream, ns since the Unix epoch.
pub const EPOCH: i64 = 1_760_000_000_000_000_000;
/// Proton charge of a frame, µA·h.
pub const CHARGE: f32 = 0.001;

pub fn at(seconds: f64) -> i64 {
    EPOCH + (seconds * 1e9).round() as i64
}

pub fn time(seconds: f64) -> PulseTime {
    PulseTime::from_nanos(at(seconds))
}

/// Replacement of Python in these tests: a function of services, code, input and the
/// name of the output.
pub type InRust =
    dyn Fn(&Services, &str, &WorkspaceHandle, &str) -> Result<Option<WorkspaceHandle>, String> + Send + Sync;

struct Scripted(Services, Arc<InRust>);

impl PythonRunner for Scripted {
    fn run(
        &self,
        code: &str,
        input: &WorkspaceHandle,
        output: &str,
        _: &RunningScript,
    ) -> Result<Option<WorkspaceHandle>, String> {
        (self.1)(&self.0, code, input, output)
    }
}

/// Simulated stream with its timeline, run source and services.
pub struct SimulatedStream {
    pub timeline: Timeline,
    pub view: TimelineView,
    pub source: Arc<TimelineRunSource>,
    pub services: Services,
    pub messages: Arc<Mutex<Vec<String>>>,
    pub free_memory: Option<u64>,
    pub script: Arc<InRust>,
    offsets: std::collections::HashMap<PartitionKey, i64>,
    sent: u32,
    newest: i64,
}

impl SimulatedStream {
    pub fn new() -> Self {
        let config = TimelineConfig {
            completion_margin: 0,
            settle: 1_000_000_000_000,
            ..TimelineConfig::new("LIVEDEMO")
        };
        let (timeline, view) = Timeline::new(config);
        let services = Services::new(Arc::new(NullLogger), Arc::new(InstrumentFolders::new(Vec::new())));
        SimulatedStream {
            timeline,
            source: TimelineRunSource::new(view.clone()),
            view,
            services,
            messages: Arc::default(),
            free_memory: None,
            script: Arc::new(|_, _, _, _| Err("no Python here".into())),
            offsets: Default::default(),
            sent: 0,
            newest: EPOCH,
        }
    }

    fn ingest(&mut self, role: TopicRole, partition: i32, message: Message<'_>) {
        let partition = PartitionKey {
            role,
            topic: role as u16,
            partition,
        };
        let offset = self.offsets.entry(partition).or_insert(0);
        let position = RecordPosition {
            partition,
            offset: *offset,
            timestamp_ms: self.newest / 1_000_000,
        };
        *offset += 1;
        self.timeline.ingest(position, message, time(100_000.0));
    }

    pub fn start(&mut self, name: &str, seconds: f64) {
        let message = RunStart {
            start_time: time(seconds),
            run_name: name.into(),
            instrument_name: "LIVEDEMO".into(),
            job_id: format!("job-{name}"),
            n_periods: 1,
            ..RunStart::default()
        };
        self.ingest(TopicRole::RunInfo, 0, Message::RunStart(message));
    }

    pub fn stop(&mut self, name: &str, seconds: f64) {
        let message = RunStop {
            stop_time: Some(time(seconds)),
            run_name: "test_run".into(),
            job_id: format!("job-{name}"),
        };
        self.ingest(TopicRole::RunInfo, 0, Message::RunStop(message));
    }

    pub fn log(&mut self, name: &str, seconds: f64, value: f64) {
        self.newest = self.newest.max(at(seconds));
        let sample = LogSample {
            source: name.into(),
            time: time(seconds),
            value: LogValue::F64(value),
        };
        self.ingest(TopicRole::SampleEnv, 0, Message::Log(sample));
    }

    /// Ingests a pulse of `events` events with charge and period; the detector ids are those of LIVEDEMO.
    pub fn pulse(&mut self, partition: i32, seconds: f64, events: u32, period: u32) {
        self.sent += 1;
        let ids: Vec<u8> = (0..events)
            .flat_map(|n| (DETECTORS[(n % 4) as usize]).to_le_bytes())
            .collect();
        let times: Vec<u8> = (0..events)
            .flat_map(|n| (1_000_000 + 1000 * (n + self.sent)).to_le_bytes())
            .collect();
        let batch = EventBatch {
            schema: EventSchema::Ev42,
            source: "dae",
            message_id: i64::from(self.sent),
            pulses: PulseColumns::Single(time(seconds)),
            time_of_flight: LeU32::new(&times),
            ids: IdColumn::PerEvent(LeU32::new(&ids)),
            frame: Some(Frame {
                period,
                setup: false,
                proton_charge: CHARGE,
            }),
        };
        self.ingest(TopicRole::Events, partition, Message::Events(batch));
    }

    /// Ingests pulses of ten events every tenth of a second in `[from, to)`, in turn in two partitions.
    pub fn pulses(&mut self, from: f64, to: f64) {
        for n in 0..((to - from) * 10.0).round() as i32 {
            self.pulse(n % 2, from + f64::from(n) / 10.0, 10, 0);
        }
    }

    /// Stores complete runs in the run source.
    pub fn tick(&mut self) {
        for signal in self.timeline.tick(time(100_000.0)) {
            if let Signal::RunComplete { snapshot, .. } = signal {
                self.source.push_complete(*snapshot);
            }
        }
    }

    pub fn session(&self, properties: &LiveSpec) -> Session {
        let messages = Arc::clone(&self.messages);
        let free_memory = self.free_memory;
        let dependencies = SessionDependencies {
            services: self.services.clone(),
            workspace_builder: self.workspace_builder(),
            scripts: self.scripts(),
            notify: Arc::new(move |_: MessageLevel, text: &str| messages.lock().push(text.to_owned())),
            free_memory: Arc::new(move || free_memory),
        };
        Session::new(
            1,
            self.request(properties),
            dependencies,
            self.source.as_ref() as &dyn RunSource,
            time(100_000.0),
        )
    }

    pub fn workspace_builder(&self) -> Arc<RunWorkspaceBuilder> {
        let instruments = Arc::clone(&self.services.instruments);
        Arc::new(RunWorkspaceBuilder::new(EventIdKind::Detector, "LIVEDEMO", instruments))
    }

    pub fn scripts(&self) -> Arc<dyn PythonRunner> {
        Arc::new(Scripted(self.services.clone(), Arc::clone(&self.script)))
    }

    fn request(&self, properties: &LiveSpec) -> LiveRequest {
        parse_request("LIVEDEMO", properties).unwrap()
    }

    pub fn step(&mut self, session: &mut Session) -> StepOutcome {
        self.tick();
        session.step(self.source.as_ref(), &Cancel::new()).unwrap()
    }

    /// Events in a workspace, or in all members of a group.
    pub fn total(&self, name: &str) -> f64 {
        self.totals(name).iter().sum()
    }

    pub fn totals(&self, name: &str) -> Vec<f64> {
        let held = self.services.data.retrieve(name).unwrap();
        let of = |matrix: live_data_reduction::MatrixWorkspace| -> f64 {
            let rows = 0..matrix.histograms();
            rows.map(|row| matrix.y(row, &Cancel::new()).unwrap().iter().sum::<f64>())
                .sum()
        };
        accumulate::members(&held.snapshot()).into_iter().map(of).collect()
    }

    pub fn matrix(&self, name: &str) -> live_data_reduction::MatrixWorkspace {
        self.services.data.retrieve(name).unwrap().matrix().unwrap()
    }
}

/// Runs an algorithm as a script does; its `OutputWorkspace`.
pub fn run(service: &Services, name: &str, properties: &[(&str, Value)]) -> Result<Option<WorkspaceHandle>, String> {
    let mut run = AlgorithmRun::create(name, None).map_err(|error| error.to_string())?;
    for (property, value) in properties {
        run.set_property(property, value.clone())
            .map_err(|error| error.to_string())?;
    }
    let outputs = run
        .execute(service, &Cancel::new())
        .map_err(|error| error.to_string())?;
    Ok(outputs.workspace("OutputWorkspace"))
}

/// Detector ids of LIVEDEMO.
const DETECTORS: [u32; 4] = [1001, 1002, 1003, 1004];

/// Properties for all new data into the workspace `out`.
pub fn properties() -> LiveSpec {
    LiveSpec {
        from_now: Some(true),
        output_workspace: Some("out".into()),
        ..LiveSpec::default()
    }
}

/// As [`properties`], from the start of the run.
pub fn from_start() -> LiveSpec {
    LiveSpec {
        from_now: Some(false),
        from_start_of_run: Some(true),
        ..properties()
    }
}
