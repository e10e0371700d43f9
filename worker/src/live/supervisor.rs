//! Supervision of live data processing: the configured start, the scripts' time limit, and release of runs.
//!
//! Promises: no other thread waits for a chunk's script. A script that exceeds SCRIPT_TIMEOUT is shown in `/status`
//! while it runs. Limits: a live data thread is not Python's main thread. An interruption ends loops and algorithms,
//! but neither a sleep nor a wait for the network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_crd::reason::WorkerReason;
use live_data_reduction::live::LiveRequest;
use pyo3::prelude::*;

use super::live_data_service::LiveDataService;
use super::monitor::Monitor;
use super::run_inbox::RunInbox;
use crate::degradation::DegradationGuard;
use crate::python::interruption::raise_in_thread;

/// Interval of the supervision.
const INTERVAL: Duration = Duration::from_millis(500);
/// Time between two attempts to start the configured request.
const START_INTERVAL: Duration = Duration::from_secs(10);
/// Time between two interruptions of a script that catches them.
const INTERRUPTION_INTERVAL: Duration = Duration::from_secs(1);
/// Pause after which an interruption is logged again.
const QUIET_INTERVAL: Duration = Duration::from_secs(10);

/// Thread that starts the configured request, interrupts overdue scripts and releases runs.
pub struct LiveSupervisor {
    service: Arc<LiveDataService>,
    run_inbox: Arc<RunInbox>,
    /// Request of the settings, until it has started.
    request: Option<LiveRequest>,
    last_attempt: Option<Instant>,
    /// Error of the last attempt, with the degradation that lasts until the start.
    not_started: Option<(String, DegradationGuard)>,
    last_interruption: Option<Instant>,
}

impl LiveSupervisor {
    /// Supervisor of `service`, which starts `request` once the runs of `run_inbox` are known.
    pub fn new(service: Arc<LiveDataService>, run_inbox: Arc<RunInbox>, request: Option<LiveRequest>) -> Self {
        LiveSupervisor {
            service,
            run_inbox,
            request,
            last_attempt: None,
            not_started: None,
            last_interruption: None,
        }
    }

    /// Supervises until the service stops.
    pub fn run(mut self) {
        while !self.service.is_stopping() {
            self.start_request(Instant::now());
            for monitor in self.service.running_monitors() {
                self.check_time_limit(&monitor);
            }
            self.run_inbox.runs().release(|run| self.service.needs(run));
            std::thread::sleep(INTERVAL);
        }
    }

    /// Starts the configured request, if it is due and results may be written; tried again after [`START_INTERVAL`].
    pub(super) fn start_request(&mut self, now: Instant) {
        let Some(request) = &self.request else { return };
        let due = self
            .last_attempt
            .is_none_or(|last| now.saturating_duration_since(last) >= START_INTERVAL);
        if !due || !self.service.dependencies().readiness.may_write() {
            return;
        }
        let Some(finished) = self.run_inbox.finished() else {
            return;
        };
        self.last_attempt = Some(now);
        match self.service.start_configured(request, finished) {
            Ok(()) => (self.request, self.not_started) = (None, None),
            Err(error) => {
                let text = error.to_string();
                if self.not_started.as_ref().is_none_or(|(known, _)| *known != text) {
                    let dependencies = self.service.dependencies();
                    dependencies
                        .script_log
                        .error(&format!("Live data cannot be processed: {text}"));
                    let guard = dependencies.status.degrade(WorkerReason::LiveNotStarted, text.clone());
                    self.not_started = Some((text, guard));
                }
            }
        }
    }

    /// Interrupts the script of `monitor` if it has run for SCRIPT_TIMEOUT.
    fn check_time_limit(&mut self, monitor: &Arc<Monitor>) {
        let timeout = self.service.dependencies().timeout;
        let ran = monitor.running().now().map(|execution| execution.since.elapsed());
        let overdue = ran.filter(|ran| *ran >= timeout);
        let message = overdue.map(|ran| {
            format!(
                "its script has run for {} s, longer than SCRIPT_TIMEOUT, and is being interrupted",
                ran.as_secs()
            )
        });
        if monitor.set_overdue(message) {
            self.service.publish_status();
        }
        let repeated = |last: Instant| last.elapsed() < INTERRUPTION_INTERVAL;
        if overdue.is_none() || self.last_interruption.is_some_and(repeated) {
            return;
        }
        let former = self.last_interruption.replace(Instant::now());
        if former.is_none_or(|last| last.elapsed() > QUIET_INTERVAL) {
            self.service.dependencies().script_log.error(&format!(
                "Live processing into {} takes longer than SCRIPT_TIMEOUT ({} s): its script is being interrupted.",
                monitor.request().output_workspace,
                timeout.as_secs()
            ));
        }
        interrupt(monitor);
    }
}

/// Cancels the algorithm that a monitor's script waits for, and raises `ScriptTimeout` in its thread.
///
/// A separate thread waits for the GIL, which the script may hold for long.
fn interrupt(monitor: &Arc<Monitor>) {
    if let Some(execution) = monitor.running().now() {
        execution.cancel.cancel();
    }
    let monitor = Arc::clone(monitor);
    let spawned = std::thread::Builder::new()
        .name("live-interrupt".into())
        .spawn(move || {
            Python::attach(|py| {
                // Read while attached: the script cannot end before the exception is raised.
                let Some(execution) = monitor.running().now() else {
                    return;
                };
                let Ok(class) = py
                    .import("livedata.startup")
                    .and_then(|module| module.getattr("ScriptTimeout"))
                else {
                    return;
                };
                raise_in_thread(py, execution.thread, &class);
            });
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot interrupt live processing");
    }
}
