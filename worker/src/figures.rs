//! What the stream and the timeline count, as the board shows it.
//!
//! Pure: figures in, [`IngestFigures`] out. Promises that whatever was refused is in them, by reason, and that everything
//! that is wrong with the stream is said in words with the next step.

use std::collections::{BTreeMap, HashMap};

use live_data_crd::report::{Degradation, PartitionReport, RunReport};
use live_data_engine::figures::Figures;
use live_data_engine::run::{RunInfo, RunState};
use live_data_engine::timeline::TimelineView;
use live_data_stream::source::Progress;
use live_data_stream::topics::{Role, Topics};

use crate::board::{IngestFigures, rfc3339_ns};

/// What the figures are made from.
pub struct Input<'a> {
    /// The timeline.
    pub view: &'a TimelineView,
    /// The topics, by index.
    pub topics: &'a Topics,
    /// Positions.
    pub progress: &'a [Progress],
    /// The broker answers.
    pub reachable: bool,
    /// Topics that do not exist.
    pub missing: &'a [&'a str],
    /// Connections made again.
    pub reconnects: u64,
    /// Newest timestamp of an event record that was read, ms.
    pub newest_record_ms: i64,
    /// The time, ms.
    pub now_ms: i64,
    /// Bytes of records.
    pub bytes: u64,
    /// Records that could not be decoded, by topic and schema.
    pub undecoded: &'a HashMap<(u16, &'static str), u64>,
}

/// The board's figures.
pub fn report(input: &Input<'_>) -> IngestFigures {
    let figures = input.view.figures();
    let runs = input.view.runs();
    // The newest run is the one that people ask about, ended or not.
    let run = runs.last();
    let name = |topic: usize| {
        input
            .topics
            .get(topic)
            .map_or_else(String::new, |topic| topic.name.clone())
    };
    IngestFigures {
        run: run.map(run_report),
        rate: figures.events_per_second,
        lag_seconds: lag_seconds(input),
        partitions: input
            .progress
            .iter()
            .map(|part| PartitionReport {
                topic: name(part.topic),
                partition: part.partition,
                offset: part.next_offset,
                lag: i64::try_from(part.lag()).unwrap_or(i64::MAX),
            })
            .collect(),
        events: figures.events,
        bytes: input.bytes,
        messages: messages(&figures, input.undecoded, &name),
        rejected: rejected(&figures),
        event_bytes: figures.event_bytes,
        events_kept: figures.events_kept,
        chunks: figures.chunks,
        reconnects: input.reconnects,
        degraded: degraded(input, &figures, run),
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

/// Age of the newest event read against the newest in the topic: 0 where everything was read.
fn lag_seconds(input: &Input<'_>) -> Option<f64> {
    let mut events = input
        .progress
        .iter()
        .filter(|part| part.role == Role::Events)
        .peekable();
    if !input.reachable || events.peek().is_none() {
        return None;
    }
    if events.all(|part| part.lag() == 0) {
        return Some(0.0);
    }
    let behind = input.now_ms.saturating_sub(input.newest_record_ms).max(0);
    (input.newest_record_ms > 0).then_some(behind as f64 / 1e3)
}

fn messages(
    figures: &Figures,
    undecoded: &HashMap<(u16, &'static str), u64>,
    name: &impl Fn(usize) -> String,
) -> BTreeMap<(String, String, &'static str), u64> {
    let mut messages = BTreeMap::new();
    for (schema, counts) in &figures.messages {
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
        messages.insert((name(usize::from(*topic)), (*schema).to_owned(), "undecoded"), *count);
    }
    messages
}

fn rejected(figures: &Figures) -> BTreeMap<String, u64> {
    let counted = [
        ("duplicate_messages", figures.duplicate_messages),
        ("duplicate_logs", figures.duplicate_logs),
        ("late_events", figures.late_events),
        ("expired_events", figures.expired_events),
        ("events_not_kept", figures.not_kept_events),
        ("event_ids_outside_map", figures.ids_outside_map),
        ("missing_messages", figures.missing_messages),
    ];
    let own = figures
        .rejected
        .iter()
        .map(|(reason, count)| ((*reason).to_owned(), *count));
    let counted = counted.into_iter().map(|(reason, count)| (reason.to_owned(), count));
    own.chain(counted).filter(|(_, count)| *count > 0).collect()
}

fn degraded(input: &Input<'_>, figures: &Figures, run: Option<&RunInfo>) -> Vec<Degradation> {
    let mut wrong = Vec::new();
    let mut add = |reason: &str, message: String| {
        wrong.push(Degradation {
            reason: reason.to_owned(),
            message,
        });
    };
    // Few instruments have a topic of veto configurations: its absence matters only where frames carry veto bits.
    let missing: Vec<&str> = input
        .missing
        .iter()
        .copied()
        .filter(|name| !is_veto_config(input.topics, name))
        .collect();
    if !missing.is_empty() {
        add(
            "TopicMissing",
            format!(
                "these topics do not exist yet: {}. They are read as soon as they do",
                missing.join(", ")
            ),
        );
    }
    let Some(run) = run else {
        if input.reachable && missing.is_empty() {
            add(
                "NoRun",
                "no run start was seen: nothing is executed until one comes on the runInfo topic".into(),
            );
        }
        return wrong;
    };
    for warning in &run.warnings {
        add("RunWarning", format!("run {}: {warning}", run.run_name));
    }
    if run.missing_seconds >= 1.0 {
        add(
            "RunIncomplete",
            format!(
                "the first {:.0} s of run {} are no longer in the topic; the rest is reduced. Ask for a longer retention",
                run.missing_seconds, run.run_name
            ),
        );
    }
    if run.state == RunState::Open
        && figures.ids_outside_map > 0
        && let Some(id) = figures.id_outside_map
    {
        add(
            "EventIdsOutsideMap",
            format!(
                "{} events have ids, such as {id}, that the run's detector map does not explain. If the stream's ids are \
                 of another kind, set EVENT_IDS to spectrum, detector or index",
                figures.ids_outside_map
            ),
        );
    }
    wrong
}

fn is_veto_config(topics: &Topics, name: &str) -> bool {
    topics
        .as_slice()
        .iter()
        .any(|topic| topic.role == Role::VetoConfig && topic.name == name)
}
