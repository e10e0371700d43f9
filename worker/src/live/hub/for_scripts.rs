//! The hub as algorithms reach it: what StartLiveData, MonitorLiveData and LoadLiveData do.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use live_data_engine::cancel::Cancel;
use live_data_engine::time::PulseTime;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{LiveData, MonitorState, Request};
use live_data_reduction::{AlgorithmError, Result};
use parking_lot::Mutex;

use super::{Hub, Load, POLL, raised};
use crate::live::monitor::{Monitor, Origin};
use crate::live::session::{Session, Step};

/// The hub as algorithms reach it.
pub struct ForScripts(pub Arc<Hub>);

impl ForScripts {
    fn begin(&self, request: &Request, cancel: &Cancel) -> Result<Arc<Monitor>> {
        let hub = &self.0;
        let known = hub
            .monitors
            .lock()
            .iter()
            .find(|monitor| monitor.request() == request)
            .cloned();
        if let Some(known) = known {
            // One that the run's end has stopped stays so while its result is there.
            let result = || hub.tools.service.data.contains(&request.output_workspace);
            if known.is_alive() || (known.was_stopped() && result()) {
                return Ok(known);
            }
        }
        let monitor = hub.add(request, Origin::Script, cancel, |_| None)?;
        match hub.first(monitor.session(), cancel) {
            Ok(()) => monitor.note(&Ok(Step::Loaded)),
            Err(error) => {
                monitor.done();
                hub.monitors.lock().retain(|known| !Arc::ptr_eq(known, &monitor));
                return Err(error);
            }
        }
        let more = request.update_every > 0.0 && !hub.feed.has_ended();
        if more && !monitor.session().lock().has_stopped() {
            hub.go_on(&monitor)?;
        } else {
            monitor.stopped();
            monitor.done();
        }
        Ok(monitor)
    }

    /// What calls of LoadLiveData with these properties go on with.
    fn session_of(&self, request: &Request) -> Arc<Mutex<Session>> {
        let hub = &self.0;
        let mut loads = hub.loads.lock();
        if let Some(known) = loads.iter_mut().find(|load| load.request == *request) {
            known.called = Instant::now();
            return Arc::clone(&known.session);
        }
        let id = hub.next.fetch_add(1, Ordering::Relaxed);
        let now = DateAndTime::now().to_pulse();
        let session = Session::new(id, request.clone(), hub.session_tools(), hub.feed.as_ref(), now);
        let session = Arc::new(Mutex::new(session));
        // A result has one maker.
        loads.retain(|known| {
            let name = &known.request.output_workspace;
            !name.eq_ignore_ascii_case(&request.output_workspace)
        });
        loads.push(Load {
            request: request.clone(),
            session: Arc::clone(&session),
            called: Instant::now(),
        });
        session
    }
}

impl LiveData for ForScripts {
    fn start(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        self.begin(request, cancel)
            .map(|monitor| stamp(monitor.last_time_stamp()))
    }

    fn monitor(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        let monitor = self.begin(request, cancel)?;
        while !monitor.is_done() {
            if cancel.is_cancelled() {
                monitor.end();
                return Err(AlgorithmError::Cancelled);
            }
            std::thread::sleep(POLL);
        }
        Ok(stamp(monitor.last_time_stamp()))
    }

    fn load(&self, request: &Request, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        let hub = &self.0;
        hub.check(request)?;
        hub.wait_for_names(request, cancel)?;
        let session = self.session_of(request);
        if hub.tools.service.data.contains(&request.output_workspace) {
            session.lock().step(hub.feed.as_ref(), cancel).map_err(raised)?;
        } else {
            hub.first(&session, cancel)?;
        }
        let last = session.lock().last_time_stamp();
        Ok(stamp(last))
    }

    fn monitors(&self) -> Vec<MonitorState> {
        let alive = self.0.alive();
        alive.iter().map(|monitor| monitor.state()).collect()
    }

    fn cancel(&self, monitor: u64) -> bool {
        let found = self.0.alive().into_iter().find(|known| known.id() == monitor);
        found.is_some_and(|monitor| {
            monitor.end();
            true
        })
    }
}

fn stamp(time: Option<PulseTime>) -> Option<DateAndTime> {
    time.map(DateAndTime::from_pulse)
}
