//! What is known of a resource as its status: conditions, columns, one message.
//!
//! Promises: the same knowledge gives the same status, without times that tick or counters in messages, so that
//! nothing is written while nothing changes; Ready follows the Deployment, never the worker's report; figures are
//! held back until they may be written again; what only says that things go on is told from what somebody waits for.
//! Pure: the time is handed in.
//!
//! # Layout
//! - [`conditions`]: Ready, Progressing, Degraded, StorageReady.
//! - this file: the columns, and when figures may change.

pub mod conditions;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use live_data_crd::LiveDataProcessorStatus;
use live_data_crd::status::{RunStatus, ScriptStatus, condition};

use crate::observe::Observation;
use crate::observe::reports::{ReportSeen, ReportState};
use crate::validate::Problem;

/// Longest text of a script's error.
const LONGEST_ERROR: usize = 1024;
/// Figures of one resource are written this often at most.
const FIGURES: Duration = Duration::from_secs(5);
/// Figures of all resources together are written this often a second at most.
const FIGURES_PER_SECOND: u32 = 20;

/// What the status is made from.
#[derive(Debug)]
pub struct Knowledge<'a> {
    /// Generation of the spec that was reconciled.
    pub generation: Option<i64>,
    /// The instrument.
    pub instrument: &'a str,
    /// Whether the spec says to stop.
    pub suspend: bool,
    /// Whether there is a plan; without one nothing was made.
    pub planned: bool,
    /// What validation and apply found.
    pub problems: &'a [Problem],
    /// Objects that are being deleted and will be made anew.
    pub waiting: &'a [String],
    /// What was observed.
    pub observation: &'a Observation,
    /// How many resources there are.
    pub resources: usize,
}

/// A status and when it should be looked at again.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The status as it should be.
    pub status: LiveDataProcessorStatus,
    /// When figures that were held back may be written.
    pub again: Option<Duration>,
}

/// Whether a change only says that what was begun goes on: no worker is ready yet, and nothing is wrong.
pub fn only_progress(before: &LiveDataProcessorStatus, after: &LiveDataProcessorStatus) -> bool {
    let holds = |status: &LiveDataProcessorStatus, kind: &str| {
        let found = status.conditions.iter().find(|condition| condition.type_ == kind);
        found.is_some_and(|condition| condition.status == "True")
    };
    let calm = |status| !holds(status, condition::READY) && !holds(status, condition::DEGRADED);
    calm(before) && calm(after) && holds(after, condition::PROGRESSING)
}

/// Makes the status.
pub fn status(previous: &LiveDataProcessorStatus, knowledge: &Knowledge<'_>, now: Timestamp) -> Outcome {
    let mut status = LiveDataProcessorStatus {
        observed_generation: knowledge.generation,
        instrument: Some(knowledge.instrument.to_owned()),
        image: knowledge
            .observation
            .deployment
            .as_ref()
            .and_then(|deployment| deployment.image.clone()),
        conditions: conditions::conditions(&previous.conditions, knowledge, now),
        ..LiveDataProcessorStatus::default()
    };
    report(&mut status, previous, knowledge);
    status.message = message(&status);
    let again = hold_back(&mut status, previous, knowledge.resources, now);
    Outcome { status, again }
}

fn report(status: &mut LiveDataProcessorStatus, previous: &LiveDataProcessorStatus, knowledge: &Knowledge<'_>) {
    match &knowledge.observation.report {
        ReportState::Fresh(report) => {
            status.engine = (!report.engine.is_empty()).then(|| report.engine.clone());
            status.run = report.run.as_ref().map(|(number, start_time, events)| RunStatus {
                number: number.clone(),
                start_time: start_time.clone(),
                events: *events,
            });
            status.rate = Some(report.rate);
            status.lag_seconds = report.lag_seconds;
            status.script = Some(script(report));
        }
        ReportState::NotPolled => {
            status.engine.clone_from(&previous.engine);
            status.run.clone_from(&previous.run);
            status.rate = previous.rate;
            status.lag_seconds = previous.lag_seconds;
            status.script.clone_from(&previous.script);
        }
        // What was last heard stays, what would be taken for the present goes.
        ReportState::Missing(_) => {
            status.engine.clone_from(&previous.engine);
            status.run.clone_from(&previous.run);
            status.script.clone_from(&previous.script);
        }
        ReportState::NoWorker => {}
    }
}

fn script(report: &ReportSeen) -> ScriptStatus {
    let state = match (&report.script_last_error, &report.script_last_run) {
        (Some(_), _) => "Failed",
        (None, Some(_)) => "Succeeded",
        (None, None) => "Waiting",
    };
    ScriptStatus {
        state: state.into(),
        hash: report.script_hash.clone(),
        last_run: report.script_last_run.clone(),
        last_duration: report.script_last_duration,
        last_error: report.script_last_error.as_deref().map(end_of),
    }
}

/// The end of a traceback says what happened.
fn end_of(text: &str) -> String {
    if text.len() <= LONGEST_ERROR {
        return text.to_owned();
    }
    let mut start = text.len() - LONGEST_ERROR + '…'.len_utf8();
    while !text.is_char_boundary(start) {
        start += 1;
    }
    format!("…{}", &text[start..])
}

fn message(status: &LiveDataProcessorStatus) -> Option<String> {
    let of = |kind: &str| status.conditions.iter().find(|condition| condition.type_ == kind);
    let degraded = of(condition::DEGRADED).filter(|condition| condition.status == "True");
    let ready = of(condition::READY);
    degraded.or(ready).map(|condition| condition.message.clone())
}

/// Puts the former figures back where only figures changed and they were written a moment ago.
fn hold_back(
    status: &mut LiveDataProcessorStatus,
    previous: &LiveDataProcessorStatus,
    resources: usize,
    now: Timestamp,
) -> Option<Duration> {
    let events = |status: &LiveDataProcessorStatus| status.run.as_ref().map(|run| run.events);
    let figures = |status: &LiveDataProcessorStatus| (events(status), status.rate, status.lag_seconds);
    status.worker_report_time.clone_from(&previous.worker_report_time);
    if figures(status) == figures(previous) {
        return None;
    }
    let number = |status: &LiveDataProcessorStatus| status.run.as_ref().map(|run| run.number.clone());
    let at_once = number(status) != number(previous) || status.rate.is_some() != previous.rate.is_some();
    let interval = FIGURES
        .max(Duration::from_secs(1).saturating_mul(u32::try_from(resources).unwrap_or(u32::MAX)) / FIGURES_PER_SECOND);
    let since = previous
        .worker_report_time
        .as_ref()
        .and_then(|time| Duration::try_from(now.duration_since(time.0)).ok());
    match since
        .and_then(|since| interval.checked_sub(since))
        .filter(|left| !left.is_zero())
    {
        Some(left) if !at_once => {
            if let (Some(run), Some(events)) = (status.run.as_mut(), events(previous)) {
                run.events = events;
            }
            status.rate = previous.rate;
            status.lag_seconds = previous.lag_seconds;
            Some(left)
        }
        _ => {
            status.worker_report_time = Some(Time(whole_seconds(now)));
            None
        }
    }
}

/// The API keeps whole seconds: anything finer would never compare equal.
fn whole_seconds(now: Timestamp) -> Timestamp {
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

#[cfg(test)]
mod tests;
