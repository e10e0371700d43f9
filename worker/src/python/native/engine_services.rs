//! Services of the native engine for Python classes, and the cancellation of the thread that calls them.
//!
//! Promises one set of services in a process, which has one interpreter.

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use live_data_engine::cancel::Cancel;
use live_data_reduction::service::Services;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use crate::python::watchdog::Watchdog;

/// Services that the classes of this module share; one set per process.
pub(crate) struct EngineServices {
    pub(crate) services: Services,
    watchdog: Arc<Watchdog>,
}

static SERVICES: OnceLock<EngineServices> = OnceLock::new();

/// Sets the services; false if they were set before.
pub(super) fn set(services: Services, watchdog: Arc<Watchdog>) -> bool {
    SERVICES.set(EngineServices { services, watchdog }).is_ok()
}

thread_local! {
    /// Cancellation of a live data thread; the script thread has none and uses its watchdog's.
    static OWN_CANCEL: RefCell<Option<Cancel>> = const { RefCell::new(None) };
}

/// Replaces the watchdog's cancellation by `cancel` for algorithms of the calling thread.
///
/// Live data threads need it: the script's interruption must not end their chunk.
pub fn use_cancel(cancel: Cancel) {
    OWN_CANCEL.set(Some(cancel));
}

/// Runs `work` with `cancel` in place of the thread's own cancellation, if it has one.
pub fn cancelled_by<T>(cancel: &Cancel, work: impl FnOnce() -> T) -> T {
    let Some(own) = OWN_CANCEL.with_borrow(Clone::clone) else {
        return work();
    };
    if own.is_cancelled() {
        cancel.cancel();
    }
    use_cancel(cancel.clone());
    let done = work();
    use_cancel(own);
    done
}

/// The services; `RuntimeError` before [`super::setup`] has run.
pub(crate) fn engine_services() -> PyResult<&'static EngineServices> {
    SERVICES
        .get()
        .ok_or_else(|| PyRuntimeError::new_err("the native engine has not been started"))
}

impl EngineServices {
    /// Cancellation of the algorithm that runs on this thread: the thread's own, else the script's.
    pub(crate) fn cancel(&self) -> Cancel {
        OWN_CANCEL
            .with_borrow(Clone::clone)
            .unwrap_or_else(|| self.watchdog.cancel())
    }
}
