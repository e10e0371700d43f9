//! Parameters in definitions and in the files beside them (`<NAME>_Parameters.xml`). Promises: a parameter that cannot
//! be read keeps its text; a formula that cannot be read is refused. Must not place anything.

use roxmltree::{Document, Node};

use super::element::{child, children};
use super::kind::Child;
use crate::instrument::Instrument;
use crate::instrument::formula::Formula;
use crate::instrument::lists::ids_of_text;
use crate::instrument::parameters::{FromLog, Owner, Parameter, Take};

/// Reads a parameters file into the instrument that it is for.
///
/// # Errors
/// What is wrong with the text, in words.
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

/// The parameters that stand in a component itself.
pub(super) fn of_component(node: Node<'_, '_>, component: &Child, instrument: &mut Instrument) {
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
            instrument.parameters.set(Owner::Name(owner), name, value.clone());
        }
    }
}

/// The parameters in `<component-link>` elements: by name, by path, or by the ids of detectors.
pub(super) fn of_links(root: Node<'_, '_>, instrument: &mut Instrument) -> Result<(), String> {
    for link in children(root, "component-link") {
        let values = read(link)?;
        let ids = ["id", "detid"].iter().find_map(|name| link.attribute(*name));
        if let Some(ids) = ids {
            for id in ids_of_text(ids)? {
                for (name, value) in &values {
                    instrument.parameters.set(Owner::Detector(id), name, value.clone());
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
            Some(index) => Owner::Component(index),
            None => Owner::Name(owner),
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
        return Ok(Some(Parameter::FromLog(FromLog {
            log: log.attribute("id").unwrap_or_default().trim().to_owned(),
            take: Take::from_word(log.attribute("extract-single-value-as").unwrap_or_default()),
            formula: formula.map(Formula::parse).transpose()?,
        })));
    }
    let given = child(parameter, "value").and_then(|value| value.attribute("val"));
    // A fitting parameter may be a formula of its own variables, which is kept as it is.
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
