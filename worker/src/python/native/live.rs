//! The monitors of live data, for scripts that look after them.
//!
//! Promises that asking waits for no chunk.

use live_data_reduction::live::{LiveData, MonitorState};
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::shared;

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

fn states() -> PyResult<Vec<MonitorState>> {
    // Without a stream there is none.
    Ok(shared()?
        .service
        .live
        .get()
        .map(|live| live.monitors())
        .unwrap_or_default())
}

/// The numbers of the monitors that are under way.
#[pyfunction]
fn live_monitors() -> PyResult<Vec<u64>> {
    Ok(states()?.iter().map(|state| state.id).collect())
}

/// (property, value) of a monitor that is under way; None when it is not.
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

/// Ends a monitor after its present chunk; says whether there is such a monitor.
#[pyfunction]
fn live_cancel(id: u64) -> PyResult<bool> {
    Ok(shared()?
        .service
        .live
        .get()
        .is_ok_and(|live: &std::sync::Arc<dyn LiveData>| live.cancel(id)))
}
