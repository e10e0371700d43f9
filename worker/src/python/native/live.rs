//! Running MonitorLiveData algorithms, for scripts that list or cancel them.
//!
//! Promises that no call waits for a chunk.

use live_data_reduction::live::{LiveData, MonitorInfo};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::engine_services::engine_services;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(live_monitors, module)?,
        wrap_pyfunction!(live_monitor, module)?,
        wrap_pyfunction!(live_cancel, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

fn states() -> PyResult<Vec<MonitorInfo>> {
    // Without a stream no monitor exists.
    Ok(engine_services()?
        .services
        .live
        .get()
        .map(|live| live.monitors())
        .unwrap_or_default())
}

/// Ids of the running monitors.
#[pyfunction]
fn live_monitors() -> PyResult<Vec<u64>> {
    Ok(states()?.iter().map(|state| state.id).collect())
}

/// (property, value) pairs of a running monitor; None if no monitor has the id.
#[pyfunction]
fn live_monitor(id: u64) -> PyResult<Option<Vec<(&'static str, String)>>> {
    Ok(states()?.into_iter().find(|state| state.id == id).map(|state| {
        let request = state.request;
        vec![
            ("Instrument", request.instrument.clone()),
            (
                "AccumulationWorkspace",
                request.accumulation_workspace.clone().unwrap_or_default(),
            ),
            ("OutputWorkspace", request.output_workspace.clone()),
            ("AccumulationMethod", format!("{:?}", request.accumulation)),
            ("RunTransitionBehavior", format!("{:?}", request.transition)),
            (
                "PreserveEvents",
                if request.preserve_events { "1" } else { "0" }.to_owned(),
            ),
            ("UpdateEvery", request.update_every.to_string()),
            (
                "LastTimeStamp",
                state
                    .last_time_stamp
                    .map(|time| time.to_iso_nanoseconds())
                    .unwrap_or_default(),
            ),
        ]
    }))
}

/// Ends a monitor after its present chunk; false if no running monitor has the id.
#[pyfunction]
fn live_cancel(id: u64) -> PyResult<bool> {
    Ok(engine_services()?
        .services
        .live
        .get()
        .is_ok_and(|live: &std::sync::Arc<dyn LiveData>| live.cancel(id)))
}
