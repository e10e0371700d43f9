//! The instrument of a run. Promises: what the run's start message describes comes first, then a definition by the name
//! that the message gives, then one by the name that the program was started with; why one was passed over is said.
//! Must not know events.

use std::sync::Arc;

use super::source::InstrumentSource;
use super::{Instrument, nexus};
use crate::date_and_time::DateAndTime;

/// What a run says of its instrument.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Its file's structure, as JSON.
    pub structure: Option<&'a str>,
    /// The name in its start message; may be empty.
    pub name: &'a str,
    /// The name that the program was started with.
    pub default_name: &'a str,
    /// When it began.
    pub start: DateAndTime,
}

/// The instrument of a run, empty when there is none, and what a scientist should know, in words.
pub fn instrument_of(said: &Said<'_>, source: &dyn InstrumentSource) -> (Arc<Instrument>, Vec<String>) {
    let mut warnings = Vec::new();
    let name = if said.name.is_empty() {
        said.default_name
    } else {
        said.name
    };
    let described = said
        .structure
        .filter(|text| !text.trim().is_empty())
        .map_or(Ok(None), |text| nexus::parse(text, name));
    match described {
        Ok(Some(described)) => {
            let mut instrument = described.instrument;
            source.complete(&mut instrument);
            warnings.extend(
                described
                    .warnings
                    .into_iter()
                    .map(|text| format!("geometry of the start message: {text}")),
            );
            warnings.append(&mut instrument.notes);
            return (Arc::new(instrument), warnings);
        }
        Ok(None) => {}
        Err(error) => warnings.push(format!(
            "the geometry in the run's start message cannot be used ({error}): a definition is used instead"
        )),
    }
    let found = source.by_name(name, said.start).or_else(|error| {
        if said.default_name.eq_ignore_ascii_case(name) {
            return Err(error);
        }
        source.by_name(said.default_name, said.start).map_err(|_| error)
    });
    match found {
        Ok(instrument) => {
            warnings.extend(instrument.notes.iter().cloned());
            (instrument, warnings)
        }
        Err(error) => {
            warnings.push(format!("the live workspace has no geometry: {error}"));
            (Instrument::empty(), warnings)
        }
    }
}
