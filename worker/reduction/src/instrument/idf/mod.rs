//! Instrument definition files (IDF). Promises: any text gives an instrument or an error, in bounded time and memory; each
//! type is compiled once, however often it is used. Must not: open files.
//!
//! Source: Mantid's concept pages "Instrument Definition File" and "Instrument Parameter File".
//!
//! # Layout
//! [`element`] (attributes), [`limits`] → [`location`], [`ids`] (id lists), [`component_type`] → [`parameters`] (of
//! components, in a definition or a parameter file) → [`build`] and [`grid`] (components and detectors).

mod build;
mod component_type;
mod element;
mod grid;
mod ids;
mod limits;
mod location;
mod parameters;

use std::sync::Arc;

use roxmltree::Document;

use crate::date_and_time::DateAndTime;
use crate::instrument::Instrument;
use build::InstrumentBuilder;
pub use parameters::add_parameters;

/// Interval of validity `[valid-from, valid-to]` in the root element; a missing end is unbounded.
pub fn validity(text: &str) -> (DateAndTime, DateAndTime) {
    // The root's attributes suffice: parsing every candidate file as a whole would take seconds.
    let head = text
        .find("<instrument")
        .and_then(|at| text.get(at..))
        .unwrap_or_default();
    let head = head.find('>').and_then(|end| head.get(..end)).unwrap_or_default();
    let date = |name: &str| {
        let after = head.split_once(name)?.1.trim_start().strip_prefix('=')?.trim_start();
        let quote = after.chars().next().filter(|c| *c == '"' || *c == '\'')?;
        DateAndTime::parse(after.get(1..)?.split(quote).next()?)
    };
    let first = DateAndTime::from_nanoseconds(i64::MIN);
    let last = DateAndTime::from_nanoseconds(i64::MAX);
    (date("valid-from").unwrap_or(first), date("valid-to").unwrap_or(last))
}

/// Instrument of a definition, positions in m in the laboratory frame, the sample usually at the origin.
///
/// # Errors
/// A sentence about the first mistake in the text.
pub fn parse(text: &str) -> Result<Instrument, String> {
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        ..roxmltree::ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "instrument" {
        return Err(format!(
            "the root element is <{}>, not <instrument>",
            root.tag_name().name()
        ));
    }
    let mut builder = InstrumentBuilder::new(root)?;
    builder.instrument.xml = Arc::from(text);
    builder.build(root)?;
    Ok(builder.finish())
}

#[cfg(test)]
mod tests;
