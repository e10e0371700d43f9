//! Status of ingest: positions, counters and problems of the stream and of the timeline.
//!
//! Pure: [`IngestStatusSources`] in, [`IngestStatus`] out. Promises: everything that was refused is counted by reason, and
//! each problem of the stream is reported with its next step.

use std::collections::{BTreeMap, HashMap};

use live_data_crd::reason::WorkerReason;
use live_data_crd::report::{Degradation, PartitionReport, RunReport};
use live_data_engine::counters::Counters;
use live_data_engine::record_position::TopicRole;
use live_data_engine::run::{RunInfo, RunState};
use live_data_engine::timeline::TimelineView;
use live_data_stream::source::PartitionPosition;
use live_data_stream::topics::Topics;

use crate::timestamps::rfc3339_ns;

/// Status of the ingest thread, replaced every 250 ms.
///
/// Counters of the timeline are in `counters`, which also has their names in `/metrics`.
#[derive(Clone, Debug, Default)]
pub struct IngestStatus {
    pub counters: Counters,
    /// Newest run of the timeline, open or ended.
    pub run: Option<RunReport>,
    /// Age of the newest event record that was read while more are in the topic, in seconds; 0 at the end of the topic.
    /// `None` while the broker is unreachable or before the first event.
    pub lag_seconds: Option<f64>,
    pub partitions: Vec<PartitionReport>,
    /// Bytes of Kafka message payloads since the worker's start.
    pub payload_bytes: u64,
    /// Messages by topic (empty for decoded ones), schema and outcome: `accepted`, `repeated`, `held`, `rejected`, `undecoded`.
    pub messages: BTreeMap<(String, String, &'static str), u64>,
    /// Refused messages, pulses and events by reason.
    pub rejected: BTreeMap<String, u64>,
    /// Connections to a broker that were made again after a loss.
    pub reconnects: u64,
    pub degraded: Vec<Degradation>,
}

/// State of the source and of the timeline at one moment.
pub struct IngestStatusSources<'a> {
    pub view: &'a TimelineView,
    /// Topics in the order of their indices in `positions` and `undecoded`.
    pub topics: &'a Topics,
    pub positions: &'a [PartitionPosition],
    pub broker_reachable: bool,
    /// Names of topics that do not exist.
    pub missing_topics: &'a [&'a str],
    pub reconnects: u64,
    /// Kafka timestamp of the newest event record that was read, in ms since the Unix epoch; 0 before the first.
    pub newest_record_ms: i64,
    /// Wall clock time, in ms since the Unix epoch.
    pub now_ms: i64,
    /// Bytes of Kafka message payloads since the worker's start.
    pub payload_bytes: u64,
    /// Number of records that could not be decoded, by topic index and schema.
    pub undecoded: &'a HashMap<(u16, &'static str), u64>,
}

impl IngestStatus {
    /// Status computed from `sources` and the present state of their timeline.
    pub fn new(sources: &IngestStatusSources<'_>) -> Self {
        let counters = sources.view.counters();
        let runs = sources.view.runs();
        let run = runs.last();
        let topic_name = |index: usize| {
            sources
                .topics
                .get(index)
                .map_or_else(String::new, |topic| topic.name.clone())
        };
        IngestStatus {
            run: run.map(run_report),
            lag_seconds: lag_seconds(sources),
            partitions: sources
                .positions
                .iter()
                .map(|position| PartitionReport {
                    topic: topic_name(usize::from(position.partition.topic)),
                    partition: position.partition.partition,
                    offset: position.next_offset,
                    lag: i64::try_from(position.lag()).unwrap_or(i64::MAX),
                })
                .collect(),
            payload_bytes: sources.payload_bytes,
            messages: messages(&counters, sources.undecoded, &topic_name),
            rejected: rejected(&counters),
            reconnects: sources.reconnects,
            degraded: degradations(sources, &counters, run),
            counters,
        }
    }
}

fn run_report(run: &RunInfo) -> RunReport {
    RunReport {
        number: if run.run_number.is_empty() {
            run.run_name.clone()
        } else {
            run.run_number.clone()
        },
        name: run.run_name.clone(),
        start_time: rfc3339_ns(run.start.nanos()),
        stop_time: run.stop.and_then(|stop| rfc3339_ns(stop.nanos())),
        events: run.totals.events,
        pulses: run.totals.good_frames,
        proton_charge: run.totals.proton_charge.unwrap_or(0.0),
        missing_seconds: run.missing_seconds,
        periods: run.n_periods,
    }
}

fn lag_seconds(sources: &IngestStatusSources<'_>) -> Option<f64> {
    let mut events = sources
        .positions
        .iter()
        .filter(|position| position.partition.role == TopicRole::Events)
        .peekable();
    if !sources.broker_reachable || events.peek().is_none() {
        return None;
    }
    if events.all(|position| position.lag() == 0) {
        return Some(0.0);
    }
    let behind = sources.now_ms.saturating_sub(sources.newest_record_ms).max(0);
    (sources.newest_record_ms > 0).then_some(behind as f64 / 1e3)
}

fn messages(
    counters: &Counters,
    undecoded: &HashMap<(u16, &'static str), u64>,
    topic_name: &impl Fn(usize) -> String,
) -> BTreeMap<(String, String, &'static str), u64> {
    let mut messages = BTreeMap::new();
    for (schema, counts) in &counters.messages {
        for (outcome, count) in [
            ("accepted", counts.accepted),
            ("repeated", counts.repeated),
            ("held", counts.held),
            ("rejected", counts.rejected),
        ] {
            if count > 0 {
                messages.insert((String::new(), (*schema).to_owned(), outcome), count);
            }
        }
    }
    for ((topic, schema), count) in undecoded {
        messages.insert(
            (topic_name(usize::from(*topic)), (*schema).to_owned(), "undecoded"),
            *count,
        );
    }
    messages
}

fn rejected(counters: &Counters) -> BTreeMap<String, u64> {
    let counted = [
        ("duplicate_messages", counters.duplicate_messages),
        ("duplicate_logs", counters.duplicate_logs),
        ("late_events", counters.late_events),
        ("expired_events", counters.expired_events),
        ("events_not_kept", counters.not_kept_events),
        ("event_ids_outside_map", counters.ids_outside_map),
        ("missing_messages", counters.missing_messages),
    ];
    let by_timeline = counters
        .rejected
        .iter()
        .map(|(reason, count)| ((*reason).to_owned(), *count));
    let counted = counted.into_iter().map(|(reason, count)| (reason.to_owned(), count));
    by_timeline.chain(counted).filter(|(_, count)| *count > 0).collect()
}

fn degradations(sources: &IngestStatusSources<'_>, counters: &Counters, run: Option<&RunInfo>) -> Vec<Degradation> {
    let mut degraded = Vec::new();
    let mut add = |reason: WorkerReason, message: String| {
        degraded.push(Degradation::new(reason, message));
    };
    // Few instruments have a topic of veto configurations: its absence matters only where frames carry veto bits.
    let missing: Vec<&str> = sources
        .missing_topics
        .iter()
        .copied()
        .filter(|name| !is_veto_config(sources.topics, name))
        .collect();
    if !missing.is_empty() {
        add(
            WorkerReason::TopicMissing,
            format!(
                "these topics do not exist yet: {}. They are read as soon as they do",
                missing.join(", ")
            ),
        );
    }
    let Some(run) = run else {
        if sources.broker_reachable && missing.is_empty() {
            add(
                WorkerReason::NoRun,
                "no run start was seen: nothing is executed until one comes on the runInfo topic".into(),
            );
        }
        return degraded;
    };
    for warning in &run.warnings {
        add(WorkerReason::RunWarning, format!("run {}: {warning}", run.run_name));
    }
    if run.missing_seconds >= 1.0 {
        add(
            WorkerReason::RunIncomplete,
            format!(
                "the first {:.0} s of run {} are no longer in the topic; the rest is reduced. Ask for a longer retention",
                run.missing_seconds, run.run_name
            ),
        );
    }
    if run.state == RunState::Open
        && counters.ids_outside_map > 0
        && let Some(id) = counters.id_outside_map
    {
        add(
            WorkerReason::EventIdsOutsideMap,
            format!(
                "{} events have ids, such as {id}, that the run's detector map does not explain. If the stream's ids are \
                 of another kind, set EVENT_IDS to spectrum, detector or index",
                counters.ids_outside_map
            ),
        );
    }
    degraded
}

fn is_veto_config(topics: &Topics, name: &str) -> bool {
    topics
        .as_slice()
        .iter()
        .any(|topic| topic.role == TopicRole::VetoConfig && topic.name == name)
}
