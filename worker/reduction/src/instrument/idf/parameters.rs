//! Parameters in definitions and in parameter files (`<NAME>_Parameters.xml`). Promises: a number that cannot be read
//! stays text; an invalid formula is refused. Must not: place anything.
//!
//! Source: Mantid's concept page "Instrument Parameter File".

use roxmltree::{Document, Node};

use super::component_type::ComponentElement;
use super::element::{child, children};
use crate::instrument::Instrument;
use crate::instrument::detector_files::parse_detector_ids;
use crate::instrument::formula::LogFormula;
use crate::instrument::parameters::{LogDerived, LogStatistic, Parameter, ParameterOwner};

/// Adds the parameters of a file to the instrument that it names.
///
/// # Errors
/// A sentence about the first mistake, or about a file for another instrument.
pub fn add_parameters(text: &str, instrument: &mut Instrument) -> Result<(), String> {
    let document = Document::parse(text).map_err(|error| error.to_string())?;
    let root = document.root_element();
    if root.tag_name().name() != "parameter-file" {
        return Err(format!(
            "the root element is <{}>, not <parameter-file>",
            root.tag_name().name()
        ));
    }
    if let Some(name) = root.attribute("instrument").map(str::trim)
        && !name.eq_ignore_ascii_case(&instrument.name)
    {
        return Err(format!("it is for the instrument {name}, not for {}", instrument.name));
    }
    of_links(root, instrument)
}

/// Adds the parameters nested in a `<component>`, for the names of its locations.
pub(super) fn of_component(node: Node<'_, '_>, component: &ComponentElement, instrument: &mut Instrument) {
    let mut names: Vec<&str> = component
        .locations
        .iter()
        .filter_map(|location| location.name.as_deref())
        .collect();
    names.dedup();
    if names.is_empty() {
        names.push(component.name.as_deref().unwrap_or(&component.kind));
    }
    for (name, value) in read(node).into_iter().flatten() {
        for owner in &names {
            instrument
                .parameters
                .set(ParameterOwner::Name(owner), name, value.clone());
        }
    }
}

/// Adds the parameters of `<component-link>` elements: by name, by path, or by detector ids.
pub(super) fn of_links(root: Node<'_, '_>, instrument: &mut Instrument) -> Result<(), String> {
    for link in children(root, "component-link") {
        let values = read(link)?;
        let ids = ["id", "detid"].iter().find_map(|name| link.attribute(*name));
        if let Some(ids) = ids {
            for id in parse_detector_ids(ids)? {
                for (name, value) in &values {
                    instrument
                        .parameters
                        .set(ParameterOwner::Detector(id), name, value.clone());
                }
            }
            continue;
        }
        let owner = link.attribute("name").unwrap_or_default().trim();
        let component = if owner.contains('/') {
            instrument.component(owner)
        } else {
            None
        };
        let owner = match component.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => ParameterOwner::Component(index),
            None => ParameterOwner::Name(owner),
        };
        for (name, value) in values {
            instrument.parameters.set(owner, name, value);
        }
    }
    Ok(())
}

fn read<'a>(node: Node<'a, '_>) -> Result<Vec<(&'a str, Parameter)>, String> {
    let mut out = Vec::new();
    for parameter in children(node, "parameter") {
        let Some(name) = parameter.attribute("name") else {
            continue;
        };
        let value = value(parameter).map_err(|error| format!("the parameter \"{name}\": {error}"))?;
        out.extend(value.map(|value| (name.trim(), value)));
    }
    Ok(out)
}

fn value(parameter: Node<'_, '_>) -> Result<Option<Parameter>, String> {
    if let Some(log) = child(parameter, "logfile") {
        let formula = log.attribute("eq").map(str::trim).filter(|text| !text.is_empty());
        return Ok(Some(Parameter::FromLog(LogDerived {
            log: log.attribute("id").unwrap_or_default().trim().to_owned(),
            statistic: LogStatistic::from_word(log.attribute("extract-single-value-as").unwrap_or_default()),
            formula: formula.map(LogFormula::parse).transpose()?,
        })));
    }
    let given = child(parameter, "value").and_then(|value| value.attribute("val"));
    // Formulas of fitting parameters have variables of their own: Mantid's peak functions read them as text.
    let given = given.or_else(|| child(parameter, "formula").and_then(|formula| formula.attribute("eq")));
    let Some(given) = given else { return Ok(None) };
    let text = || Parameter::Text(given.to_owned());
    let trimmed = given.trim();
    Ok(Some(match parameter.attribute("type").map_or("double", str::trim) {
        "string" | "fitting" => text(),
        "bool" => Parameter::Flag(trimmed.eq_ignore_ascii_case("true") || trimmed == "1"),
        "int" => trimmed.parse().map_or_else(|_| text(), Parameter::Integer),
        _ => trimmed.parse().map_or_else(|_| text(), Parameter::Number),
    }))
}
