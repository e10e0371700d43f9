//! Messages of runs: pl72 (start, with the detector-spectrum map) and 6s4t (stop). Their times are in ms since the Unix
//! epoch.
//!
//! Promises: a run start has a start time. A map whose columns differ in length passes unchanged, since the run is valid
//! without a map.

use isis_streaming_data_types::flatbuffers_generated::run_start_pl72::root_as_run_start_with_opts;
use isis_streaming_data_types::flatbuffers_generated::run_stop_6s4t::root_as_run_stop_with_opts;
use live_data_engine::message::{DetectorSpectrumMap, RunStart, RunStop};
use live_data_engine::time::PulseTime;

use super::error::DecodeError;
use super::verify::{LIMITS, time, verified};

/// ns in 1 ms.
const MILLISECOND: i64 = 1_000_000;

pub(super) fn pl72(payload: &[u8]) -> Result<RunStart, DecodeError> {
    let message = verified("pl72", root_as_run_start_with_opts(&LIMITS, payload))?;
    if message.start_time() == 0 {
        return Err(DecodeError::MissingField {
            schema: "pl72",
            field: "start_time",
        });
    }
    let map = message.detector_spectrum_map().map(|map| DetectorSpectrumMap {
        spectrum: map.spectrum().map_or_else(Vec::new, |column| column.iter().collect()),
        detector_id: map
            .detector_id()
            .map_or_else(Vec::new, |column| column.iter().collect()),
        n_spectra: map.n_spectra(),
    });
    let owned = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Ok(RunStart {
        start_time: time("pl72", "start_time", message.start_time(), MILLISECOND)?,
        stop_time: stop_time("pl72", message.stop_time())?,
        run_name: owned(message.run_name()),
        instrument_name: owned(message.instrument_name()),
        job_id: owned(message.job_id()),
        n_periods: message.n_periods(),
        map,
        nexus_structure: some(message.nexus_structure()),
        metadata: some(message.metadata()),
    })
}

pub(super) fn run_stop(payload: &[u8]) -> Result<RunStop, DecodeError> {
    let message = verified("6s4t", root_as_run_stop_with_opts(&LIMITS, payload))?;
    Ok(RunStop {
        stop_time: stop_time("6s4t", message.stop_time())?,
        run_name: message.run_name().unwrap_or_default().to_owned(),
        job_id: message.job_id().unwrap_or_default().to_owned(),
    })
}

/// Stop time; 0 in the message means none.
fn stop_time(schema: &'static str, milliseconds: u64) -> Result<Option<PulseTime>, DecodeError> {
    match milliseconds {
        0 => Ok(None),
        value => time(schema, "stop_time", value, MILLISECOND).map(Some),
    }
}
