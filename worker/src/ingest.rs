//! The ingest thread: takes records from the source, decodes them and appends them to the timeline.
//!
//! Promises that nothing ends it but the worker's stop: no broker, no topic, no message and no script. It never attaches
//! to the interpreter, never waits for an execution, and says what it refused at a bounded rate. It must not decide which
//! run a pulse belongs to, nor what is executed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use live_data_engine::clock::present;
use live_data_engine::outcome::{Ingested, Signal};
use live_data_engine::place::{PartitionKey, PartitionProgress, Place, TopicRole};
use live_data_engine::run::RunKey;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_stream::decode;
use live_data_stream::source::{self, Begin, Notice, Point, Polled, Search, Source};
use live_data_stream::topics::Role;
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::executor::Wake;
use crate::figures;
use crate::journal::Journal;
use crate::limiter::Limiter;
use crate::live::inlet::Inlet;
use crate::output::OutputFolder;
use crate::resume::{PastRun, resume};

/// Longest wait for a record: also how soon a wish to stop is heard.
const POLL: Duration = Duration::from_millis(50);
/// How often runs are reviewed and positions passed on.
const REVIEW: Duration = Duration::from_millis(100);
/// How often the board is written.
const PUBLISH: Duration = Duration::from_millis(250);
/// Pause between two attempts to reach the broker.
const RETRY: Duration = Duration::from_millis(500);
/// How long one step of looking for runs takes.
const STEP: Duration = Duration::from_millis(200);
/// Records between two looks at the clock.
const CLOCK_EVERY: u32 = 64;
/// Runs looked for where earlier workers left markers: enough to name those that are passed over.
const RUNS_WANTED: usize = 20;

/// What the thread works with.
pub struct Tools {
    /// The stream.
    pub source: Source,
    /// The timeline's writing end.
    pub timeline: Timeline,
    /// Its reading end.
    pub view: TimelineView,
    /// Where it tells.
    pub board: Arc<Board>,
    /// What the scientist reads.
    pub journal: Journal,
    /// Where markers are.
    pub output: OutputFolder,
    /// To the executor.
    pub wakes: Sender<Wake>,
    /// How far back logs are read.
    pub log_lookback: Duration,
    /// How far back events are read where no run is known.
    pub grace: Duration,
    /// How far before a time the source begins to read for it.
    pub seek_margin: Duration,
    /// To live data processing.
    pub inlet: Arc<Inlet>,
    /// The end of the worker.
    pub stop: CancellationToken,
}

/// The thread's state.
pub struct Ingest {
    tools: Tools,
    limiter: Limiter,
    targets: HashMap<PartitionKey, i64>,
    watermarks: HashMap<PartitionKey, Instant>,
    newest_record_ms: i64,
    bytes: u64,
    undecoded: HashMap<(u16, &'static str), u64>,
    replay: Option<PulseTime>,
    unreachable: Option<Instant>,
}

impl Ingest {
    /// The thread's work over these tools.
    pub fn new(tools: Tools) -> Self {
        Ingest {
            tools,
            limiter: Limiter::new(Duration::from_secs(30)),
            targets: HashMap::new(),
            watermarks: HashMap::new(),
            newest_record_ms: 0,
            bytes: 0,
            undecoded: HashMap::new(),
            replay: None,
            unreachable: None,
        }
    }

    /// Works until the worker stops.
    pub fn work(mut self) {
        if self.begin().is_none() {
            return;
        }
        let (mut reviewed, mut published, mut records) = (Instant::now(), Instant::now(), 0_u32);
        while !self.tools.stop.is_cancelled() {
            let idle = self.take_one();
            records += 1;
            if !idle && records < CLOCK_EVERY {
                continue;
            }
            records = 0;
            let now = Instant::now();
            if now.duration_since(reviewed) >= REVIEW {
                reviewed = now;
                self.review();
            }
            if now.duration_since(published) >= PUBLISH {
                published = now;
                self.publish();
            }
        }
        self.tools.source.commit();
    }

    /// Reaches the broker, finds the runs and begins to read; `None` when the worker stops first.
    fn begin(&mut self) -> Option<()> {
        self.until_answered(Source::connect)?;
        let (markers, _) = self.tools.output.read_markers().unwrap_or_default();
        let wanted = if markers.is_empty() { 2 } else { RUNS_WANTED };
        let history = loop {
            match self.until_answered(move |source| source.find_runs(wanted, STEP))? {
                Search::Found(history) => break history,
                Search::Looking { records } => {
                    if self.limiter.allow("looking").is_some() {
                        tracing::info!(records, "looking for the current run on the runInfo topic");
                    }
                }
            }
        };
        let runs: Vec<PastRun> = history
            .runs
            .iter()
            .map(|run| PastRun {
                key: RunKey::new(&run.start.job_id, &run.start.run_name, run.start.start_time),
                name: run.start.run_name.clone(),
                start: run.start.start_time,
            })
            .collect();
        let resume = resume(&runs, &markers);
        if !resume.skipped.is_empty() {
            self.tools.journal.warning(&format!(
                "Runs that ended while no worker ran and are not reduced: {}.",
                resume.skipped.join(", ")
            ));
            self.tools.board.set_skipped(resume.skipped.clone());
        }
        // The runs that were begun earlier are read again only for their bounds.
        let from = resume.from;
        let taken = history
            .runs
            .iter()
            .filter(|run| from.is_some_and(|from| run.start.start_time >= from));
        let run_info = taken.map(|run| run.place.timestamp_ms).min();
        // With no run, a start message that comes late still finds the grace time's events.
        let from = from.unwrap_or_else(|| back(present(), self.tools.grace));
        let begin = self.begin_at(from, run_info);
        self.until_answered(move |source| source.begin(begin))?;
        self.tools.timeline.positioned(back(from, self.tools.seek_margin));
        self.targets = self
            .tools
            .source
            .progress()
            .iter()
            .map(|part| (key(part), part.high_watermark))
            .collect();
        self.tools.inlet.resumed(resume.finished.clone());
        // The executor is gone only when the worker stops.
        let _ = self.tools.wakes.send(Wake::Resumed(resume.finished));
        Some(())
    }

    fn begin_at(&self, from: PulseTime, run_info_ms: Option<i64>) -> Begin {
        Begin {
            events: self.tools.source.since(from),
            run_info: match run_info_ms {
                Some(ms) if ms > 0 => Point::SinceMs(ms),
                // With no run on the topic there is nothing to pass over, and a topic made later is read from its start.
                _ => Point::Earliest,
            },
            sample_env: self.tools.source.since(back(from, self.tools.log_lookback)),
            // A configuration holds until the next one, however old it is; the topic is short.
            veto_config: Point::Earliest,
        }
    }

    /// Asks the broker until it answers; `None` when the worker stops first.
    fn until_answered<T>(&mut self, mut ask: impl FnMut(&mut Source) -> Result<T, source::AskError>) -> Option<T> {
        while !self.tools.stop.is_cancelled() {
            match ask(&mut self.tools.source) {
                Ok(answer) => {
                    self.tools.board.recover("BrokerUnreachable");
                    return Some(answer);
                }
                Err(error) => {
                    let next = if error.refused {
                        "Check the credentials and certificates"
                    } else {
                        "Trying again"
                    };
                    self.tools
                        .board
                        .degrade("BrokerUnreachable", format!("{error}. {next}"));
                    std::thread::sleep(RETRY);
                }
            }
        }
        None
    }

    /// Takes one record; true when there was none.
    fn take_one(&mut self) -> bool {
        let record = match self.tools.source.poll(POLL) {
            Polled::Record(record) => record,
            Polled::Notice(notice) => {
                if matches!(notice, Notice::Unreachable(_) | Notice::Refused(_)) {
                    self.unreachable = Some(Instant::now());
                }
                tell(&self.tools.board, &notice);
                return false;
            }
            Polled::Nothing => return true,
        };
        let place = place(&record.place);
        self.bytes += record.payload.len() as u64;
        if place.partition.role == TopicRole::Events {
            self.newest_record_ms = self.newest_record_ms.max(place.timestamp_ms);
        }
        match decode(record.payload) {
            Ok(message) => {
                let schema = message.schema();
                match self.tools.timeline.ingest(place, message, present()) {
                    Ingested::Rejected(reason) | Ingested::Partly(reason) => {
                        if let Some(passed_over) = self.limiter.allow(reason.name()) {
                            tracing::warn!(reason = reason.name(), schema, ?place, passed_over, "refused");
                        }
                    }
                    _ => {}
                }
            }
            Err(error) => {
                let schema = error.schema().unwrap_or("unknown");
                *self.undecoded.entry((place.partition.topic, schema)).or_default() += 1;
                self.tools.timeline.reject(place, schema, error.reason());
                if let Some(passed_over) = self.limiter.allow(error.reason()) {
                    tracing::warn!(
                        reason = error.reason(),
                        ?place,
                        passed_over,
                        "cannot decode a record: {error}"
                    );
                }
            }
        }
        false
    }

    fn review(&mut self) {
        let progress = self.tools.source.progress();
        // One of several connections may be lost and made again without the broker ever being away for the others.
        if self
            .unreachable
            .is_some_and(|since| progress.iter().any(|part| part.asked > since))
        {
            self.unreachable = None;
            self.tools.board.recover("BrokerUnreachable");
        }
        if !self.tools.board.is_ready() {
            self.judge_readiness(&progress);
        }
        let passed_on: Vec<PartitionProgress> = progress
            .iter()
            .map(|part| {
                let partition = key(part);
                // A watermark is passed on once, just after it was fetched: completion depends on when that was.
                let fresh = self.watermarks.insert(partition, part.asked) != Some(part.asked);
                let high_watermark = (fresh && self.tools.source.is_reachable()).then_some(part.high_watermark);
                PartitionProgress {
                    partition,
                    next_offset: part.next_offset,
                    high_watermark,
                }
            })
            .collect();
        self.tools.timeline.progress(&passed_on, present());
        for signal in self.tools.timeline.tick(present()) {
            self.act(signal);
        }
        if let Some(time) = self.replay {
            self.replay(time);
        }
    }

    /// Ready once every partition has reached the end that it had at the start; stays so.
    fn judge_readiness(&self, progress: &[source::Progress]) {
        let reached = |part: &source::Progress| {
            self.targets
                .get(&key(part))
                .is_none_or(|target| part.next_offset >= *target)
        };
        if self.tools.source.is_reachable() && self.replay.is_none() && progress.iter().all(reached) {
            self.tools.board.set_ready();
            tracing::info!("caught up: ready");
            let _ = self.tools.wakes.send(Wake::Look);
        }
    }

    fn act(&mut self, signal: Signal) {
        match signal {
            Signal::RunOpened(key) => {
                if let Some(run) = self.tools.view.runs().into_iter().find(|run| run.key == key) {
                    self.tools.journal.info(&format!("Run {} has begun.", run.run_name));
                }
            }
            Signal::RunChanged(_) => {}
            Signal::RunComplete { snapshot, .. } => {
                self.tools.inlet.complete((*snapshot).clone());
                let _ = self.tools.wakes.send(Wake::Complete(snapshot));
                return;
            }
            Signal::ReplayFrom(time) => self.replay = Some(self.replay.map_or(time, |earlier| earlier.min(time))),
            Signal::MemoryLimit(from) => self.tools.board.degrade(
                "MemoryLimitReached",
                format!(
                    "the memory limit is reached: events from {} on are counted but not kept. Shorten the run, give the \
                     worker more memory, or use StartLiveData with PreserveEvents off",
                    crate::board::rfc3339_ns(from.nanos()).unwrap_or_default()
                ),
            ),
            Signal::MemoryFreed => self.tools.board.recover("MemoryLimitReached"),
            Signal::EveryPulseOutside(true) => self.tools.board.degrade(
                "PulsesOutsideRuns",
                "a run is open, but every pulse of the last ten seconds lies outside all runs: compare the clocks of the \
                 control computer and of the pulses, and set RUN_CLOCK_OFFSET_MS"
                    .into(),
            ),
            Signal::EveryPulseOutside(false) => self.tools.board.recover("PulsesOutsideRuns"),
        }
        let _ = self.tools.wakes.send(Wake::Look);
    }

    fn replay(&mut self, time: PulseTime) {
        match self.tools.source.replay_from(time) {
            Ok(replay) => {
                self.replay = None;
                self.tools.timeline.positioned(back(time, self.tools.seek_margin));
                tracing::info!(
                    offsets = replay.offsets,
                    partitions = replay.partitions,
                    "reading again: a run begins earlier"
                );
            }
            Err(error) => {
                if self.limiter.allow("replay").is_some() {
                    tracing::warn!(%error, "cannot seek back yet");
                }
            }
        }
    }

    fn publish(&self) {
        let report = figures::report(&figures::Input {
            view: &self.tools.view,
            topics: self.tools.source.topics(),
            progress: &self.tools.source.progress(),
            reachable: self.tools.source.is_reachable(),
            missing: &self.tools.source.missing_topics(),
            reconnects: self.tools.source.reconnects(),
            newest_record_ms: self.newest_record_ms,
            now_ms: present().millis(),
            bytes: self.bytes,
            undecoded: &self.undecoded,
        });
        self.tools.board.set_ingest(report);
    }
}

fn tell(board: &Board, notice: &Notice) {
    match notice {
        Notice::Unreachable(_) | Notice::Refused(_) => board.degrade("BrokerUnreachable", notice.to_string()),
        Notice::Reachable => board.recover("BrokerUnreachable"),
        Notice::Lost { .. } => board.degrade("RecordsLost", notice.to_string()),
        notice if notice.is_good() => tracing::info!(reason = notice.reason(), "{notice}"),
        notice => tracing::warn!(reason = notice.reason(), "{notice}"),
    }
}

fn back(time: PulseTime, by: Duration) -> PulseTime {
    time.plus(-i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

/// A partition as the timeline names it.
pub(crate) fn partition_key(role: Role, topic: usize, partition: i32) -> PartitionKey {
    let role = match role {
        Role::Events => TopicRole::Events,
        Role::RunInfo => TopicRole::RunInfo,
        Role::SampleEnv => TopicRole::SampleEnv,
        Role::VetoConfig => TopicRole::VetoConfig,
    };
    PartitionKey {
        role,
        topic: u16::try_from(topic).unwrap_or(u16::MAX),
        partition,
    }
}

fn key(part: &source::Progress) -> PartitionKey {
    partition_key(part.role, part.topic, part.partition)
}

fn place(place: &source::Place) -> Place {
    Place {
        partition: partition_key(place.role, place.topic, place.partition),
        offset: place.offset,
        timestamp_ms: place.timestamp_ms,
    }
}
