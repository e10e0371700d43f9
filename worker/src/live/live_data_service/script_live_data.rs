//! Implementation of StartLiveData, MonitorLiveData and LoadLiveData over the live data service.
//!
//! Promises: an equal request of the script's next execution continues the present monitor. Must not hold a lock of the
//! service while a chunk is processed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use live_data_engine::cancel::Cancel;
use live_data_engine::time::PulseTime;
use live_data_reduction::date_and_time::DateAndTime;
use live_data_reduction::live::{LiveData, LiveRequest, MonitorInfo};
use live_data_reduction::{AlgorithmError, Result};
use parking_lot::Mutex;

use super::{LiveDataService, LoadSession, POLL_INTERVAL, algorithm_error};
use crate::live::monitor::{Monitor, RequestOrigin};
use crate::live::session::{Session, StepOutcome};

/// [`LiveData`] of the native engine, for algorithms that scripts call.
pub struct ScriptLiveData(pub Arc<LiveDataService>);

impl ScriptLiveData {
    /// Monitor of the request: the present one if an equal request has it, else a new one after its first chunk.
    fn monitor_of(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Arc<Monitor>> {
        let service = &self.0;
        let known = service
            .monitors
            .lock()
            .iter()
            .find(|monitor| monitor.request() == request)
            .cloned();
        if let Some(known) = known {
            // A monitor that the run's end stopped is not restarted while its result exists.
            let result = || service.dependencies.services.data.contains(&request.output_workspace);
            if known.is_running() || (known.has_completed() && result()) {
                return Ok(known);
            }
        }
        let monitor = service.add(request, RequestOrigin::Script, cancel, |_| None)?;
        match service.process_first_chunk(monitor.session(), cancel) {
            Ok(()) => monitor.record_step(&Ok(StepOutcome::ChunkLoaded)),
            Err(error) => {
                monitor.set_finished();
                service.monitors.lock().retain(|known| !Arc::ptr_eq(known, &monitor));
                return Err(error);
            }
        }
        let more = request.update_every > 0.0 && !service.runs.has_ended();
        if more && !monitor.session().lock().has_stopped() {
            service.spawn_monitor(&monitor)?;
        } else {
            monitor.set_completed();
            monitor.set_finished();
        }
        Ok(monitor)
    }

    /// Session of the request, created at its first call.
    fn session_of(&self, request: &LiveRequest) -> Arc<Mutex<Session>> {
        let service = &self.0;
        let mut load_sessions = service.load_sessions.lock();
        if let Some(known) = load_sessions.iter_mut().find(|load| load.request == *request) {
            known.called = Instant::now();
            return Arc::clone(&known.session);
        }
        let id = service.next_id.fetch_add(1, Ordering::Relaxed);
        let now = DateAndTime::now().to_pulse();
        let session = Session::new(
            id,
            request.clone(),
            service.session_dependencies(),
            service.runs.as_ref(),
            now,
        );
        let session = Arc::new(Mutex::new(session));
        // A workspace has one writer.
        load_sessions.retain(|known| {
            let name = &known.request.output_workspace;
            !name.eq_ignore_ascii_case(&request.output_workspace)
        });
        load_sessions.push(LoadSession {
            request: request.clone(),
            session: Arc::clone(&session),
            called: Instant::now(),
        });
        session
    }
}

impl LiveData for ScriptLiveData {
    fn start(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        self.monitor_of(request, cancel)
            .map(|monitor| stamp(monitor.last_time_stamp()))
    }

    fn monitor(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        let monitor = self.monitor_of(request, cancel)?;
        while !monitor.is_finished() {
            if cancel.is_cancelled() {
                monitor.request_end();
                return Err(AlgorithmError::Cancelled);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(stamp(monitor.last_time_stamp()))
    }

    fn load(&self, request: &LiveRequest, cancel: &Cancel) -> Result<Option<DateAndTime>> {
        let service = &self.0;
        service.check_instrument(request)?;
        service.wait_for_names(request, cancel)?;
        let session = self.session_of(request);
        if service.dependencies.services.data.contains(&request.output_workspace) {
            session
                .lock()
                .step(service.runs.as_ref(), cancel)
                .map_err(algorithm_error)?;
        } else {
            service.process_first_chunk(&session, cancel)?;
        }
        let last = session.lock().last_time_stamp();
        Ok(stamp(last))
    }

    fn monitors(&self) -> Vec<MonitorInfo> {
        let alive = self.0.running_monitors();
        alive.iter().map(|monitor| monitor.info()).collect()
    }

    fn cancel(&self, monitor: u64) -> bool {
        let found = self
            .0
            .running_monitors()
            .into_iter()
            .find(|known| known.id() == monitor);
        found.is_some_and(|monitor| {
            monitor.request_end();
            true
        })
    }
}

fn stamp(time: Option<PulseTime>) -> Option<DateAndTime> {
    time.map(DateAndTime::from_pulse)
}
