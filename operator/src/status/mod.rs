//! Sixth step of a reconcile: the resource's status.
//!
//! Promises: the same input gives the same status. Messages have no running times and counters: a steady resource causes
//! no write. Ready follows the Deployment, never the worker's report. Figures (events, rate, lag) are held back until they
//! may be written again. Must not: read the clock or the cluster; `publish` writes.
//!
//! # Layout
//! - [`input`]: results of the earlier steps; [`conditions`]: Ready, Progressing, Degraded, StorageReady.
//! - this file: the columns, and the rate at which figures change.

pub mod conditions;
pub mod input;

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use live_data_crd::LiveDataProcessorStatus;
use live_data_crd::reason::ConditionType;
use live_data_crd::status::{RunStatus, ScriptStatus};

use crate::observe::report_summary::{self, ReportSummary};
use crate::observe::reports::ReportState;
use conditions::whole_seconds;
use input::StatusInput;

/// Longest error of a script in bytes, with the mark of the omission.
const MAX_ERROR_BYTES: usize = 1024;
/// Shortest time between two writes of one resource's figures.
const FIGURES_INTERVAL: Duration = Duration::from_secs(5);
/// Most writes of figures a second for all resources together.
const FIGURES_PER_SECOND: u32 = 20;

/// Status of a resource with the delay after which it may change without an event.
#[derive(Clone, Debug, PartialEq)]
pub struct ComputedStatus {
    pub status: LiveDataProcessorStatus,
    /// Delay until figures that were held back may be written; `None` if none were.
    pub retry_after: Option<Duration>,
}

/// True if a change of the status is mere progress: no worker is ready before or after it, and nothing is degraded.
pub fn only_progress(before: &LiveDataProcessorStatus, after: &LiveDataProcessorStatus) -> bool {
    let holds = |status: &LiveDataProcessorStatus, type_| {
        status
            .condition(type_)
            .is_some_and(|condition| condition.status == "True")
    };
    let calm = |status| !holds(status, ConditionType::Ready) && !holds(status, ConditionType::Degraded);
    calm(before) && calm(after) && holds(after, ConditionType::Progressing)
}

/// Status that follows from `input`; `previous` is the present one, `now` the time of transitions and figures.
pub fn status(previous: &LiveDataProcessorStatus, input: &StatusInput<'_>, now: Timestamp) -> ComputedStatus {
    let deployment = input.observation.deployment.as_ref();
    let mut status = LiveDataProcessorStatus {
        observed_generation: input.generation,
        instrument: Some(input.instrument.to_owned()),
        image: deployment.and_then(|deployment| deployment.image.clone()),
        conditions: conditions::conditions(&previous.conditions, input, now),
        ..LiveDataProcessorStatus::default()
    };
    set_report_columns(&mut status, previous, &input.observation.report);
    status.message = message(&status);
    let retry_after = hold_back_figures(&mut status, previous, input.resources, now);
    ComputedStatus { status, retry_after }
}

fn set_report_columns(status: &mut LiveDataProcessorStatus, previous: &LiveDataProcessorStatus, report: &ReportState) {
    match report {
        ReportState::Fresh(report) => {
            status.engine = (!report.engine.is_empty()).then(|| report.engine.clone());
            status.run = report.run.as_ref().map(|run| RunStatus {
                number: run.number.clone(),
                start_time: run.start_time.clone(),
                events: run.events,
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
        // The last report's run and script stay. Rate and lag go, because they would pass for present values.
        ReportState::Missing(_) => {
            status.engine.clone_from(&previous.engine);
            status.run.clone_from(&previous.run);
            status.script.clone_from(&previous.script);
        }
        ReportState::NoWorker => {}
    }
}

fn script(report: &ReportSummary) -> ScriptStatus {
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
        last_error: report.script_last_error.as_deref().map(shortened_error),
    }
}

/// The end of a traceback, which names the exception.
fn shortened_error(text: &str) -> String {
    if text.len() <= MAX_ERROR_BYTES {
        return text.to_owned();
    }
    format!("…{}", report_summary::end_of(text, MAX_ERROR_BYTES - '…'.len_utf8()))
}

fn message(status: &LiveDataProcessorStatus) -> Option<String> {
    let degraded = status
        .condition(ConditionType::Degraded)
        .filter(|condition| condition.status == "True");
    degraded
        .or(status.condition(ConditionType::Ready))
        .map(|condition| condition.message.clone())
}

/// Restores the previous figures if nothing else changed and they are younger than the interval of their writes.
///
/// Returns the delay until the new ones may be written; `None` if they are part of the status.
fn hold_back_figures(
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
    let interval = FIGURES_INTERVAL
        .max(Duration::from_secs(1).saturating_mul(u32::try_from(resources).unwrap_or(u32::MAX)) / FIGURES_PER_SECOND);
    // A time in the future, from a replica with another clock, holds nothing back.
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

#[cfg(test)]
mod tests;
