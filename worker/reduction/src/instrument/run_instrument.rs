//! Choice of the instrument of a run. Promises: the structure in the run's start message comes first, then the definition
//! by the message's name, then the one by the worker's instrument name; each rejected choice gives a warning. Must not:
//! know events.

use std::sync::Arc;

use super::source::InstrumentSource;
use super::{Instrument, nexus};
use crate::date_and_time::DateAndTime;

/// Fields of a run that determine its instrument.
#[derive(Debug, Clone, Copy)]
pub struct InstrumentRequest<'a> {
    /// NeXus structure of the start message, JSON.
    pub structure: Option<&'a str>,
    /// Instrument name of the start message; may be empty.
    pub name: &'a str,
    /// Instrument name of the worker's settings.
    pub default_name: &'a str,
    /// Start of the run, which selects the version of a definition.
    pub start: DateAndTime,
}

/// Instrument of a run with warnings for the status page; empty without geometry.
pub fn run_instrument(
    request: &InstrumentRequest<'_>,
    source: &dyn InstrumentSource,
) -> (Arc<Instrument>, Vec<String>) {
    let mut warnings = Vec::new();
    let name = if request.name.is_empty() {
        request.default_name
    } else {
        request.name
    };
    let described = request
        .structure
        .filter(|text| !text.trim().is_empty())
        .map_or(Ok(None), |text| nexus::parse(text, name));
    match described {
        Ok(Some(described)) => {
            let mut instrument = described.instrument;
            source.add_parameters(&mut instrument);
            warnings.extend(
                described
                    .warnings
                    .into_iter()
                    .map(|text| format!("geometry of the start message: {text}")),
            );
            warnings.append(&mut instrument.warnings);
            return (Arc::new(instrument), warnings);
        }
        Ok(None) => {}
        Err(error) => warnings.push(format!(
            "the geometry in the run's start message cannot be used ({error}): a definition is used instead"
        )),
    }
    let found = source.by_name(name, request.start).or_else(|error| {
        if request.default_name.eq_ignore_ascii_case(name) {
            return Err(error);
        }
        source.by_name(request.default_name, request.start).map_err(|_| error)
    });
    match found {
        Ok(instrument) => {
            warnings.extend(instrument.warnings.iter().cloned());
            (instrument, warnings)
        }
        Err(error) => {
            warnings.push(format!("the live workspace has no geometry: {error}"));
            (Instrument::empty(), warnings)
        }
    }
}
