//! Reads instrument definition files. Promises: any text gives an instrument or an error, in bounded time and memory;
//! each type is compiled once, however often it is used. Must not open files.
//!
//! # Layout
//! [`element`] (attributes) → [`location`] (places), [`ids`] (id lists), [`kind`] (types) → [`build`] and [`grid`]
//! (components and detectors) → [`parameters`] (of components, in a definition or in a file beside it).

mod build;
mod element;
mod grid;
mod ids;
mod kind;
mod location;
mod parameters;

use std::sync::Arc;

use roxmltree::Document;

use crate::date_and_time::DateAndTime;
use crate::instrument::Instrument;
use build::Builder;
pub use parameters::add_parameters;

/// More than any instrument has, so that a definition that multiplies itself ends.
const MOST_DETECTORS: usize = 10_000_000;
/// Deeper than any instrument nests, so that a type that holds itself ends.
const DEEPEST: usize = 24;

/// The dates between which a definition is valid; all of time when it does not say.
pub fn validity(text: &str) -> (DateAndTime, DateAndTime) {
    // Only the root's attributes are needed, which stand at the head of the file.
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

/// Reads a definition.
///
/// # Errors
/// What is wrong with the text, in words.
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
    let mut builder = Builder::new(root)?;
    builder.instrument.xml = Arc::from(text);
    builder.build(root)?;
    Ok(builder.finish())
}

#[cfg(test)]
mod tests;
