//! Watches Python that processes chunks: what takes longer than the scripts' time limit is interrupted, as far as Python lets
//! itself be, and said.
//!
//! Promises: no other thread waits for such code; it is shown for as long as it goes on, with how long that is. Unlike the
//! script thread, a thread of live processing is not Python's main one: an exception can be put into it between two of its
//! steps, which ends loops, and an algorithm's computation can be ended, but no sleep and no wait for the network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use live_data_reduction::live::Request;
use pyo3::ffi;
use pyo3::prelude::*;

use super::hub::Hub;
use super::inlet::Inlet;
use super::monitor::Monitor;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// Time between two interruptions.
const REPEAT: Duration = Duration::from_secs(1);
/// An interruption that follows the last one after this long is a new matter.
const SILENT: Duration = Duration::from_secs(10);

/// Works until the hub stops: begins what the settings ask for when it can, relieves the feed of runs that nobody needs, and
/// watches.
pub fn oversee(hub: &Arc<Hub>, inlet: &Inlet, mut request: Option<Request>) {
    let mut interrupted: Option<Instant> = None;
    while !hub.is_stopping() {
        if request.is_some()
            && hub.tools().board.may_write()
            && let Some(finished) = inlet.finished()
            && let Some(request) = request.take()
            && let Err(error) = hub.begin(&request, finished)
        {
            hub.tools()
                .journal
                .error(&format!("Live data cannot be processed: {error}"));
            hub.tools().board.degrade("LiveNotStarted", error.to_string());
        }
        for monitor in hub.alive() {
            watch(hub, &monitor, &mut interrupted);
        }
        inlet.feed().let_go(|run| hub.wants(run));
        std::thread::sleep(LOOK);
    }
}

fn watch(hub: &Hub, monitor: &Arc<Monitor>, interrupted: &mut Option<Instant>) {
    let ran = monitor.running().now().map(|under| under.since.elapsed());
    let over = ran.filter(|ran| *ran >= hub.tools().timeout);
    let words = over.map(|ran| {
        format!(
            "its script has run for {} s, longer than SCRIPT_TIMEOUT, and is being interrupted",
            ran.as_secs()
        )
    });
    if monitor.overdue(words) {
        hub.report();
    }
    if over.is_some() && interrupted.is_none_or(|last| last.elapsed() >= REPEAT) {
        if interrupted
            .replace(Instant::now())
            .is_none_or(|last| last.elapsed() > SILENT)
        {
            hub.tools().journal.error(&format!(
                "Live processing into {} takes longer than SCRIPT_TIMEOUT ({} s): its script is being interrupted.",
                monitor.request().output_workspace,
                hub.tools().timeout.as_secs()
            ));
        }
        interrupt(monitor);
    }
}

/// Ends the algorithm that a monitor's Python waits for, and puts an exception into its thread. On a thread of its own, which waits for the interpreter as
/// long as that takes.
fn interrupt(monitor: &Arc<Monitor>) {
    if let Some(under) = monitor.running().now() {
        under.cancel.cancel();
    }
    let monitor = Arc::clone(monitor);
    let spawned = std::thread::Builder::new()
        .name("live-interrupt".into())
        .spawn(move || {
            Python::attach(|py| {
                // Looked at while attached: the code that it names cannot end meanwhile.
                let Some(under) = monitor.running().now() else { return };
                let Ok(kind) = py
                    .import("livedata.startup")
                    .and_then(|module| module.getattr("ScriptTimeout"))
                else {
                    return;
                };
                raise_in(py, under.thread, Some(&kind));
            });
        });
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot interrupt live processing");
    }
}

/// Takes back an interruption of a thread that came too late.
pub fn forget_interruption(py: Python<'_>, thread: u64) {
    raise_in(py, thread, None);
}

fn raise_in(_py: Python<'_>, thread: u64, exception: Option<&Bound<'_, PyAny>>) {
    let pointer = exception.map_or(std::ptr::null_mut(), |kind| kind.as_ptr());
    // SAFETY: the interpreter is attached to (the token says so), the thread's number comes from Python, which ignores one
    // that it does not know, and the exception is a class that is borrowed for the call, or null, which takes one back.
    unsafe {
        ffi::PyThreadState_SetAsyncExc(thread as _, pointer);
    }
}
