//! The native engine as Python sees it: thin classes over the reduction's workspaces, logs, algorithms and services.
//!
//! Promises that nothing is computed while attached to the interpreter, that arrays handed out are either read-only
//! views of shared rows or marked as exported, and that errors come as the exceptions that Mantid raises. The classes
//! here have no face of their own: `worker/python/mantid` gives them names and behaviour.
//!
//! # Layout
//! `value` and `error` (what goes in and what goes wrong) → `algorithm` (one run) → `cell` (a workspace), with `arrays`,
//! `events`, `geometry`, `components`, `sample`, `tables` and `logs` → `services` (names, configuration, declarations), `units`, `live`
//! (monitors of live data) and `logger`.

mod algorithm;
mod arrays;
mod cell;
mod components;
mod error;
mod events;
mod geometry;
mod live;
mod logger;
mod logs;
mod sample;
mod services;
mod tables;
mod units;
mod value;

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use live_data_engine::cancel::Cancel;
use live_data_reduction::service::Service;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::interpreter::Setup;
use super::watchdog::Watch;

pub use algorithm::call_algorithm;
pub use cell::Cell;
pub use logger::SinkLogger;
pub use services::{clear_data_service, still_held};

/// What the classes here reach: there is one interpreter in a process, and one native engine in it.
pub(crate) struct Shared {
    pub(crate) service: Service,
    watch: Arc<Watch>,
}

static SHARED: OnceLock<Shared> = OnceLock::new();

thread_local! {
    static OWN_CANCEL: RefCell<Option<Cancel>> = const { RefCell::new(None) };
}

/// Gives the calling thread a flag of its own for what it executes: the end of a script's execution is not its end.
pub fn use_cancel(cancel: Cancel) {
    OWN_CANCEL.set(Some(cancel));
}

/// Does some work that `cancel` ends as well, on a thread with a flag of its own; the script thread has its watchdog.
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

pub(crate) fn shared() -> PyResult<&'static Shared> {
    SHARED
        .get()
        .ok_or_else(|| PyRuntimeError::new_err("the native engine has not been started"))
}

impl Shared {
    /// The flag of the execution that runs now: the thread's own, where it has one, else the script's.
    pub(crate) fn cancel(&self) -> Cancel {
        OWN_CANCEL
            .with_borrow(Clone::clone)
            .unwrap_or_else(|| self.watch.cancel())
    }
}

/// What [`super::InterpreterConfig::native`] takes for the native engine over `service`.
#[must_use]
pub fn setup(service: Service) -> Setup {
    Box::new(move |py, watch| {
        if SHARED
            .set(Shared {
                service,
                watch: Arc::clone(watch),
            })
            .is_err()
        {
            return Err(PyRuntimeError::new_err("the native engine was started twice"));
        }
        let module = PyModule::new(py, "livedata._engine")?;
        module.add_class::<Cell>()?;
        module.add_class::<algorithm::Run>()?;
        module.add_class::<logs::Series>()?;
        services::add_to(&module)?;
        events::add_to(&module)?;
        geometry::add_to(&module)?;
        components::add_to(&module)?;
        sample::add_to(&module)?;
        tables::add_to(&module)?;
        units::add_to(&module)?;
        live::add_to(&module)?;
        py.import("sys")?
            .getattr("modules")?
            .set_item("livedata._engine", &module)?;
        Ok(())
    })
}
