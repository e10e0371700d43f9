//! Python module `livedata._engine`: thin classes over the reduction's workspaces, logs, algorithms and services.
//!
//! Promises that nothing is computed while attached to the interpreter. Arrays handed out are either read-only views of
//! shared rows or marked as exported. Errors become the exceptions that Mantid raises. The classes here are private to
//! `worker/python/mantid`, whose classes give them Mantid's names and behaviour.
//!
//! # Layout
//! - `engine_services` (services and cancellation), `workspace` (reference to a workspace), `value` and `error` (conversion of values and errors).
//! - `algorithm` (one run), `workspace_methods` with `arrays`, and `events`, `geometry`, `components`, `sample`, `tables`, `logs`.
//! - `services` (data service, configuration, declarations), `units`, `live` (MonitorLiveData) and `logger`.

mod algorithm;
mod arrays;
mod components;
mod engine_services;
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
mod workspace;
mod workspace_methods;

use std::sync::Arc;

use live_data_reduction::service::Services;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::config::NativeSetup;

pub use algorithm::call_algorithm;
pub use engine_services::{cancelled_by, use_cancel};
pub use logger::SinkLogger;
pub use services::{clear_data_service, retained_workspaces};
pub use workspace::PyWorkspace;

/// Preparation of the native engine over `services`, for [`super::InterpreterConfig::native`].
///
/// It fails if it is run twice in a process.
#[must_use]
pub fn setup(services: Services) -> NativeSetup {
    Box::new(move |py, watchdog| {
        if !engine_services::set(services, Arc::clone(watchdog)) {
            return Err(PyRuntimeError::new_err("the native engine was started twice"));
        }
        let module = PyModule::new(py, "livedata._engine")?;
        module.add_class::<PyWorkspace>()?;
        module.add_class::<algorithm::PyAlgorithm>()?;
        module.add_class::<logs::PyTimeSeries>()?;
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
