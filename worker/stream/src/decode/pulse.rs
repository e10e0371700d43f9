//! Messages of pulses: pu00 (metadata of one pulse) and vc00 (veto configuration). Times are in ns since the Unix epoch,
//! charges in µA·h.
//!
//! Promises: an absent field stays `None`, never 0.

use isis_streaming_data_types::flatbuffers_generated::pulse_metadata_pu00::root_as_pu_00_message_with_opts;
use isis_streaming_data_types::flatbuffers_generated::veto_configuration_vc00::root_as_vetoes_with_opts;
use live_data_engine::message::{PulseMetadata, VetoConfig};
use live_data_engine::time::PulseTime;

use super::error::DecodeError;
use super::verify::{LIMITS, verified};

pub(super) fn pu00(payload: &[u8]) -> Result<PulseMetadata, DecodeError> {
    let message = verified("pu00", root_as_pu_00_message_with_opts(&LIMITS, payload))?;
    let proton_charge = message.proton_charge();
    if let Some(charge) = proton_charge.filter(|charge| !charge.is_finite()) {
        return Err(DecodeError::BadValue {
            schema: "pu00",
            field: "proton_charge",
            value: charge.to_string(),
        });
    }
    Ok(PulseMetadata {
        source: message.source_name().to_owned(),
        message_id: message.message_id(),
        reference_time: PulseTime::from_nanos(message.reference_time()),
        vetos: message.vetos(),
        period: message.period_number(),
        proton_charge,
    })
}

pub(super) fn vc00(payload: &[u8]) -> Result<VetoConfig, DecodeError> {
    let message = verified("vc00", root_as_vetoes_with_opts(&LIMITS, payload))?;
    let names = message
        .veto_names()
        .map_or_else(Vec::new, |names| names.iter().map(str::to_owned).collect());
    Ok(VetoConfig {
        time: PulseTime::from_nanos(message.timestamp()),
        mask: message.vetoes(),
        names,
    })
}
