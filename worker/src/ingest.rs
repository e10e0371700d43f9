//! Ingest thread: polls records from the source, decodes them and appends them to the timeline.
//!
//! Promises: only the worker's stop ends it, no broker, topic, message or script does. Must not attach to the interpreter,
//! wait for an execution, decide to which run a pulse belongs, or decide what is executed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use live_data_crd::reason::WorkerReason;
use live_data_engine::clock::now;
use live_data_engine::outcome::{IngestOutcome, Signal};
use live_data_engine::record_position::{PartitionKey, PartitionProgress, TopicRole};
use live_data_engine::run::RunKey;
use live_data_engine::time::PulseTime;
use live_data_engine::timeline::{Timeline, TimelineView};
use live_data_stream::decode;
use live_data_stream::source::{
    BrokerRequestError, Notice, PartitionPosition, Polled, RunHistory, RunSearchStatus, Source, StartingOffset,
    StartingOffsets,
};
use tokio_util::sync::CancellationToken;

use crate::degradation::DegradationGuard;
use crate::executor::message::ExecutorMessage;
use crate::ingest_status::{IngestStatus, IngestStatusSources};
use crate::live::run_inbox::RunInbox;
use crate::log_rate_limiter::LogRateLimiter;
use crate::output::OutputFolder;
use crate::readiness::Readiness;
use crate::resume::{KnownRun, ResumePlan};
use crate::script_log::ScriptLog;
use crate::status_registry::StatusRegistry;
use crate::timestamps::rfc3339_ns;

/// Longest wait for a record, and so the longest delay of a stop.
const POLL_TIMEOUT: Duration = Duration::from_millis(50);
/// Interval at which the timeline reviews runs and receives the partitions' positions.
const REVIEW_INTERVAL: Duration = Duration::from_millis(100);
const PUBLISH_INTERVAL: Duration = Duration::from_millis(250);
/// Pause between two requests to a broker that does not answer.
const RETRY_DELAY: Duration = Duration::from_millis(500);
/// Duration of one step of the search for runs, after which a stop is noticed.
const SEARCH_STEP: Duration = Duration::from_millis(200);
/// Number of records between two readings of the clock.
const RECORDS_PER_CLOCK: u32 = 64;
/// Number of runs to search for where earlier workers left markers: enough to name those that are skipped.
const RUNS_WITH_MARKERS: usize = 20;
/// Number of runs to search for without a marker: the newest, and the one whose end bounds its start.
const RUNS_WITHOUT_MARKERS: usize = 2;
/// Interval of log lines of one kind.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// Parts and settings of the ingest thread.
pub struct IngestDependencies {
    pub source: Source,
    /// Writing end of the timeline; `view` is its reading end.
    pub timeline: Timeline,
    pub view: TimelineView,
    pub status: Arc<StatusRegistry>,
    pub readiness: Arc<Readiness>,
    pub script_log: ScriptLog,
    /// Output folder with the completion markers of earlier workers.
    pub output: OutputFolder,
    pub executor: Sender<ExecutorMessage>,
    pub run_inbox: Arc<RunInbox>,
    /// Time before a run's start from which its sample logs are read.
    pub log_lookback: Duration,
    /// Time before the present from which events are read where no run is known.
    pub grace: Duration,
    /// Time before a pulse time at which the source begins to read for it: producers may lag by as much.
    pub seek_margin: Duration,
    pub stop: CancellationToken,
}

/// State of the ingest thread.
pub struct Ingest {
    deps: IngestDependencies,
    limiter: LogRateLimiter,
    /// High watermarks at the start; all of them reached means caught up.
    targets: HashMap<PartitionKey, i64>,
    /// Time of the high watermark that was last passed to the timeline.
    watermarks: HashMap<PartitionKey, Instant>,
    newest_record_ms: i64,
    payload_bytes: u64,
    undecoded: HashMap<(u16, &'static str), u64>,
    pending_replay: Option<PulseTime>,
    unreachable_since: Option<Instant>,
    degradations: IngestDegradations,
}

/// Degradations that ingest declares, each with the event that ends it.
#[derive(Default)]
struct IngestDegradations {
    /// Until a request or every connection is answered again.
    broker_unreachable: Option<DegradationGuard>,
    /// Until the next run begins: the run whose records were lost stays incomplete.
    records_lost: Option<DegradationGuard>,
    /// Until the timeline keeps events again.
    memory_limit_reached: Option<DegradationGuard>,
    /// Until a pulse lies in a run again, or no run is open.
    pulses_outside_runs: Option<DegradationGuard>,
}

impl Ingest {
    /// Thread state before the first request to the broker.
    pub fn new(deps: IngestDependencies) -> Self {
        Ingest {
            deps,
            limiter: LogRateLimiter::new(LOG_INTERVAL),
            targets: HashMap::new(),
            watermarks: HashMap::new(),
            newest_record_ms: 0,
            payload_bytes: 0,
            undecoded: HashMap::new(),
            pending_replay: None,
            unreachable_since: None,
            degradations: IngestDegradations::default(),
        }
    }

    /// Reads until the worker stops, then commits the offsets.
    pub fn run(mut self) {
        if self.begin().is_none() {
            return;
        }
        let (mut reviewed, mut published, mut records) = (Instant::now(), Instant::now(), 0_u32);
        while !self.deps.stop.is_cancelled() {
            let idle = self.poll_record();
            records += 1;
            if !idle && records < RECORDS_PER_CLOCK {
                continue;
            }
            records = 0;
            let now = Instant::now();
            if now.duration_since(reviewed) >= REVIEW_INTERVAL {
                reviewed = now;
                self.review();
            }
            if now.duration_since(published) >= PUBLISH_INTERVAL {
                published = now;
                self.publish();
            }
        }
        self.deps.source.commit();
    }

    /// Connects to the broker, finds the runs and starts reading; `None` if the worker stops first.
    fn begin(&mut self) -> Option<()> {
        self.until_answered(Source::connect)?;
        let (markers, _) = self.deps.output.read_markers().unwrap_or_default();
        let history = self.find_runs(if markers.is_empty() {
            RUNS_WITHOUT_MARKERS
        } else {
            RUNS_WITH_MARKERS
        })?;
        let runs: Vec<KnownRun> = history
            .runs
            .iter()
            .map(|run| KnownRun {
                key: RunKey::new(&run.start.job_id, &run.start.run_name, run.start.start_time),
                name: run.start.run_name.clone(),
                start: run.start.start_time,
            })
            .collect();
        let plan = ResumePlan::new(&runs, &markers);
        if !plan.skipped.is_empty() {
            self.deps.script_log.warning(&format!(
                "Runs that ended while no worker ran and are not reduced: {}.",
                plan.skipped.join(", ")
            ));
            self.deps.status.set_skipped_runs(plan.skipped);
        }
        self.start_reading(plan.from, &history)?;
        self.deps.run_inbox.set_finished(plan.finished.clone());
        self.send(ExecutorMessage::RunsKnown {
            finished: plan.finished,
        });
        Some(())
    }

    fn find_runs(&mut self, wanted: usize) -> Option<RunHistory> {
        loop {
            match self.until_answered(move |source| source.find_runs(wanted, SEARCH_STEP))? {
                RunSearchStatus::Finished(history) => return Some(history),
                RunSearchStatus::Searching { records } => {
                    if self.limiter.allow("looking").is_some() {
                        tracing::info!(records, "looking for the current run on the runInfo topic");
                    }
                }
            }
        }
    }

    /// Positions every partition for the runs from `from` on and records the watermarks to be reached.
    fn start_reading(&mut self, from: Option<PulseTime>, history: &RunHistory) -> Option<()> {
        // The runs that were begun earlier are read again only for their bounds.
        let reduced = history
            .runs
            .iter()
            .filter(|run| from.is_some_and(|from| run.start.start_time >= from));
        let run_info_ms = reduced.map(|run| run.position.timestamp_ms).min();
        // Without a run, events of the grace time are read for a late start message.
        let from = from.unwrap_or_else(|| earlier(now(), self.deps.grace));
        let offsets = self.starting_offsets(from, run_info_ms);
        self.until_answered(move |source| source.assign(offsets))?;
        self.deps.timeline.set_read_start(earlier(from, self.deps.seek_margin));
        self.targets = self
            .deps
            .source
            .positions()
            .iter()
            .map(|position| (position.partition, position.high_watermark))
            .collect();
        Some(())
    }

    fn starting_offsets(&self, from: PulseTime, run_info_ms: Option<i64>) -> StartingOffsets {
        StartingOffsets {
            events: self.deps.source.starting_offset_at(from),
            run_info: match run_info_ms {
                Some(ms) if ms > 0 => StartingOffset::AtTimestampMs(ms),
                // Without a run on the topic no record is skipped, and a topic created later is read from its start.
                _ => StartingOffset::Earliest,
            },
            sample_env: self
                .deps
                .source
                .starting_offset_at(earlier(from, self.deps.log_lookback)),
            // A configuration of any age holds until the next one; the topic is short.
            veto_config: StartingOffset::Earliest,
        }
    }

    /// Repeats a request until the broker answers; `None` if the worker stops first.
    fn until_answered<T>(
        &mut self,
        mut request: impl FnMut(&mut Source) -> Result<T, BrokerRequestError>,
    ) -> Option<T> {
        while !self.deps.stop.is_cancelled() {
            match request(&mut self.deps.source) {
                Ok(answer) => {
                    self.degradations.broker_unreachable = None;
                    return Some(answer);
                }
                Err(error) => {
                    let next = if error.refused {
                        "Check the credentials and certificates"
                    } else {
                        "Trying again"
                    };
                    self.degradations.broker_unreachable = Some(
                        self.deps
                            .status
                            .degrade(WorkerReason::BrokerUnreachable, format!("{error}. {next}")),
                    );
                    std::thread::sleep(RETRY_DELAY);
                }
            }
        }
        None
    }

    /// Polls one record or notice; true if the source had neither.
    fn poll_record(&mut self) -> bool {
        let record = match self.deps.source.poll(POLL_TIMEOUT) {
            Polled::Record(record) => record,
            Polled::Notice(notice) => {
                self.report_notice(&notice);
                return false;
            }
            Polled::Nothing => return true,
        };
        let position = record.position;
        self.payload_bytes += record.payload.len() as u64;
        if position.partition.role == TopicRole::Events {
            self.newest_record_ms = self.newest_record_ms.max(position.timestamp_ms);
        }
        match decode(record.payload) {
            Ok(message) => {
                let schema = message.schema();
                match self.deps.timeline.ingest(position, message, now()) {
                    IngestOutcome::Refused(reason) | IngestOutcome::PartlyRefused(reason) => {
                        if let Some(suppressed) = self.limiter.allow(reason.name()) {
                            tracing::warn!(reason = reason.name(), schema, place = ?position, passed_over = suppressed, "refused");
                        }
                    }
                    _ => {}
                }
            }
            Err(error) => {
                let schema = error.schema().unwrap_or("unknown");
                *self.undecoded.entry((position.partition.topic, schema)).or_default() += 1;
                self.deps.timeline.count_undecodable(position, schema, error.reason());
                if let Some(suppressed) = self.limiter.allow(error.reason()) {
                    tracing::warn!(
                        reason = error.reason(),
                        place = ?position,
                        passed_over = suppressed,
                        "cannot decode a record: {error}"
                    );
                }
            }
        }
        false
    }

    fn report_notice(&mut self, notice: &Notice) {
        if matches!(notice, Notice::BrokerUnreachable(_) | Notice::BrokerRefused(_)) {
            self.unreachable_since = Some(Instant::now());
        }
        if self.degradations.follow_notice(&self.deps.status, notice) {
            return;
        }
        if notice.is_improvement() {
            tracing::info!(reason = notice.reason(), "{notice}");
        } else {
            tracing::warn!(reason = notice.reason(), "{notice}");
        }
    }

    /// Passes the positions to the timeline and handles its signals.
    fn review(&mut self) {
        let positions = self.deps.source.positions();
        // One of several connections may be lost and made again without the broker ever being away for the others.
        if self
            .unreachable_since
            .is_some_and(|since| positions.iter().any(|position| position.watermarks_at > since))
        {
            self.unreachable_since = None;
            self.degradations.broker_unreachable = None;
        }
        if !self.deps.readiness.is_caught_up() {
            self.update_readiness(&positions);
        }
        let progress = self.partition_progress(&positions);
        self.deps.timeline.record_progress(&progress, now());
        for signal in self.deps.timeline.tick(now()) {
            self.handle_signal(signal);
        }
        if let Some(time) = self.pending_replay {
            self.replay(time);
        }
    }

    /// Positions with the high watermarks that are new: completion of a run depends on when a watermark was fetched.
    fn partition_progress(&mut self, positions: &[PartitionPosition]) -> Vec<PartitionProgress> {
        let reachable = self.deps.source.is_reachable();
        positions
            .iter()
            .map(|position| {
                let (partition, fetched_at) = (position.partition, position.watermarks_at);
                let is_new = self.watermarks.insert(partition, fetched_at) != Some(fetched_at);
                PartitionProgress {
                    partition,
                    next_offset: position.next_offset,
                    high_watermark: (is_new && reachable).then_some(position.high_watermark),
                }
            })
            .collect()
    }

    /// Sets the readiness once every partition has reached the high watermark that it had at the start.
    fn update_readiness(&self, positions: &[PartitionPosition]) {
        let reached = |position: &PartitionPosition| {
            self.targets
                .get(&position.partition)
                .is_none_or(|target| position.next_offset >= *target)
        };
        if self.deps.source.is_reachable() && self.pending_replay.is_none() && positions.iter().all(reached) {
            self.deps.readiness.set_caught_up();
            tracing::info!("caught up: ready");
            self.send(ExecutorMessage::StateChanged);
        }
    }

    fn handle_signal(&mut self, signal: Signal) {
        self.degradations.follow_signal(&self.deps.status, &signal);
        match signal {
            Signal::RunOpened(key) => {
                if let Some(run) = self.deps.view.runs().into_iter().find(|run| run.key == key) {
                    self.deps.script_log.info(&format!("Run {} has begun.", run.run_name));
                }
            }
            Signal::RunComplete { snapshot, .. } => {
                self.deps.run_inbox.push_complete((*snapshot).clone());
                self.send(ExecutorMessage::RunComplete(snapshot));
                return;
            }
            Signal::ReplayFrom(time) => {
                self.pending_replay = Some(self.pending_replay.map_or(time, |former| former.min(time)));
            }
            Signal::RunChanged(_) | Signal::MemoryLimit(_) | Signal::MemoryFreed | Signal::EveryPulseOutside(_) => {}
        }
        self.send(ExecutorMessage::StateChanged);
    }

    /// Seeks every partition back to `time`; tried again at the next review if the broker does not answer.
    fn replay(&mut self, time: PulseTime) {
        match self.deps.source.rewind_events_to(time) {
            Ok(rewind) => {
                self.pending_replay = None;
                self.deps.timeline.set_read_start(earlier(time, self.deps.seek_margin));
                tracing::info!(
                    offsets = rewind.offsets,
                    partitions = rewind.partitions,
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
        let source = &self.deps.source;
        self.deps.status.set_ingest(IngestStatus::new(&IngestStatusSources {
            view: &self.deps.view,
            topics: source.topics(),
            positions: &source.positions(),
            broker_reachable: source.is_reachable(),
            missing_topics: &source.missing_topics(),
            reconnects: source.reconnects(),
            newest_record_ms: self.newest_record_ms,
            now_ms: now().millis(),
            payload_bytes: self.payload_bytes,
            undecoded: &self.undecoded,
        }));
    }

    fn send(&self, message: ExecutorMessage) {
        // The executor's channel is closed only when the worker stops.
        let _ = self.deps.executor.send(message);
    }
}

impl IngestDegradations {
    /// Declares or ends the degradation that a notice is about; false if it is about none.
    fn follow_notice(&mut self, status: &StatusRegistry, notice: &Notice) -> bool {
        match notice {
            Notice::BrokerUnreachable(_) | Notice::BrokerRefused(_) => {
                self.broker_unreachable = Some(status.degrade(WorkerReason::BrokerUnreachable, notice.to_string()));
            }
            Notice::BrokerReachable => self.broker_unreachable = None,
            Notice::RecordsLost { .. } => {
                self.records_lost = Some(status.degrade(WorkerReason::RecordsLost, notice.to_string()));
            }
            _ => return false,
        }
        true
    }

    /// Declares or ends the degradation that a signal of the timeline is about.
    fn follow_signal(&mut self, status: &StatusRegistry, signal: &Signal) {
        match signal {
            Signal::RunOpened(_) => self.records_lost = None,
            Signal::MemoryLimit(from) => {
                self.memory_limit_reached = Some(status.degrade(
                    WorkerReason::MemoryLimitReached,
                    format!(
                        "the memory limit is reached: events from {} on are counted but not kept. Shorten the run, give \
                         the worker more memory, or use StartLiveData with PreserveEvents off",
                        rfc3339_ns(from.nanos()).unwrap_or_default()
                    ),
                ));
            }
            Signal::MemoryFreed => self.memory_limit_reached = None,
            Signal::EveryPulseOutside(outside) => {
                self.pulses_outside_runs = outside.then(|| {
                    status.degrade(
                        WorkerReason::PulsesOutsideRuns,
                        "a run is open, but every pulse of the last ten seconds lies outside all runs: compare the clocks \
                         of the control computer and of the pulses, and set RUN_CLOCK_OFFSET_MS"
                            .into(),
                    )
                });
            }
            Signal::RunChanged(_) | Signal::RunComplete { .. } | Signal::ReplayFrom(_) => {}
        }
    }
}

fn earlier(time: PulseTime, by: Duration) -> PulseTime {
    time.plus(-i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(status: &StatusRegistry) -> Vec<String> {
        let degraded = status.report().degraded;
        degraded.into_iter().map(|degradation| degradation.reason).collect()
    }

    #[test]
    fn lost_records_are_shown_until_the_next_run_begins() {
        let status = StatusRegistry::new("LET", None, Arc::default());
        let mut degradations = IngestDegradations::default();
        let lost = Notice::RecordsLost {
            topic: "LET_events".into(),
            partition: 0,
            from: 3,
            to: 9,
        };
        assert!(degradations.follow_notice(&status, &lost));
        degradations.follow_signal(&status, &Signal::MemoryFreed);
        assert_eq!(reasons(&status), ["RecordsLost"]);
        let next = RunKey::new("job", "2", PulseTime::MIN);
        degradations.follow_signal(&status, &Signal::RunOpened(next));
        assert!(reasons(&status).is_empty());
    }

    #[test]
    fn what_the_timeline_reports_is_shown_until_it_reports_the_end() {
        let status = StatusRegistry::new("LET", None, Arc::default());
        let mut degradations = IngestDegradations::default();
        degradations.follow_signal(&status, &Signal::MemoryLimit(PulseTime::MIN));
        degradations.follow_signal(&status, &Signal::EveryPulseOutside(true));
        assert_eq!(reasons(&status), ["MemoryLimitReached", "PulsesOutsideRuns"]);
        degradations.follow_signal(&status, &Signal::MemoryFreed);
        degradations.follow_signal(&status, &Signal::EveryPulseOutside(false));
        assert!(reasons(&status).is_empty());
    }
}
