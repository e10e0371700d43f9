//! Properties that the live data algorithms share: their declaration, and their conversion to a request.
//!
//! Promises: the properties are those of [`LiveSpec`], with the same messages for algorithms, environment and command line;
//! all errors are reported at once. Must not read a stream.

use std::path::PathBuf;

use live_data_crd::live::{LiveProperty, LivePropertyError, LivePropertyKind, LiveSpec, given};

use crate::algorithm::Context;
use crate::algorithm_run::AlgorithmRun;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Property, PropertyKind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result};
use crate::live::request::{LiveRequest, ProcessingMethod, StartFrom};

/// Request for the properties of `spec`, for the stream of `instrument`.
///
/// # Errors
/// One error for each property: contradictions, unknown algorithms or their properties, and an invalid StartTime.
pub fn parse_request(instrument: &str, spec: &LiveSpec) -> Result<LiveRequest, Vec<LivePropertyError>> {
    let mut errors = spec.errors();
    let processing = processing_method(
        (LiveProperty::ProcessingAlgorithm, &spec.processing_algorithm),
        (LiveProperty::ProcessingProperties, &spec.processing_properties),
        &spec.processing_script,
        &spec.processing_script_filename,
        &mut errors,
    );
    let post_processing = processing_method(
        (LiveProperty::PostProcessingAlgorithm, &spec.post_processing_algorithm),
        (LiveProperty::PostProcessingProperties, &spec.post_processing_properties),
        &spec.post_processing_script,
        &spec.post_processing_script_filename,
        &mut errors,
    );
    let start = start(spec, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    let accumulation_workspace = given(&spec.accumulation_workspace).map(str::to_owned);
    Ok(LiveRequest {
        instrument: instrument.trim().to_uppercase(),
        processing,
        accumulation: spec.accumulation_method.unwrap_or(crate::live::AccumulationMethod::Add),
        preserve_events: spec.preserve_events.unwrap_or(false),
        // Without post-processing the accumulated data are the result.
        accumulation_workspace: accumulation_workspace.filter(|_| post_processing.is_some()),
        post_processing,
        transition: spec
            .run_transition_behavior
            .unwrap_or(crate::live::RunTransitionBehavior::Restart),
        start,
        update_every: spec.update_interval(),
        output_workspace: given(&spec.output_workspace).unwrap_or_default().to_owned(),
    })
}

fn start(spec: &LiveSpec, errors: &mut Vec<LivePropertyError>) -> StartFrom {
    if spec.from_time == Some(true) {
        let text = given(&spec.start_time).unwrap_or_default();
        return match DateAndTime::parse(text) {
            Some(time) => StartFrom::Time(time),
            None => {
                let message =
                    format!("{text:?} is no time: give one such as 2026-03-28T10:00:00, in UTC, with FromTime");
                errors.push(LivePropertyError::new(LiveProperty::StartTime, message));
                StartFrom::Now
            }
        };
    }
    if spec.from_start_of_run == Some(true) {
        StartFrom::StartOfRun
    } else {
        StartFrom::Now
    }
}

/// Processing method that is set; `None` without one, and for several, which [`LiveSpec::errors`] reports.
fn processing_method(
    (algorithm_property, algorithm): (LiveProperty, &Option<String>),
    (list_property, list): (LiveProperty, &Option<String>),
    script: &Option<String>,
    file: &Option<String>,
    errors: &mut Vec<LivePropertyError>,
) -> Option<ProcessingMethod> {
    let (named, scripted, filed) = (given(algorithm), given(script), given(file));
    if named.iter().chain(&scripted).chain(&filed).count() > 1 {
        return None;
    }
    if let Some(name) = named {
        let properties = match split(list.as_deref().unwrap_or_default()) {
            Ok(properties) => properties,
            Err(message) => {
                errors.push(LivePropertyError::new(list_property, message));
                Vec::new()
            }
        };
        if let Err(message) = check_algorithm(name, &properties) {
            errors.push(LivePropertyError::new(algorithm_property, message));
        }
        return Some(ProcessingMethod::Algorithm(name.to_owned(), properties));
    }
    if scripted.is_some() {
        return script.clone().map(ProcessingMethod::Script);
    }
    filed.map(|path| ProcessingMethod::File(PathBuf::from(path)))
}

/// Pairs (name, value) of a text `Name=value;Name=value`.
fn split(text: &str) -> Result<Vec<(String, String)>, String> {
    let items = text.split(';').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| match item.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
            _ => Err(format!("{item:?} is not of the form Name=value; separate several by ;")),
        })
        .collect()
}

fn check_algorithm(name: &str, properties: &[(String, String)]) -> Result<(), String> {
    let mut run = AlgorithmRun::create(name, None).map_err(|error| error.to_string())?;
    for (property, value) in properties {
        run.set_property(property, value.as_str().into())
            .map_err(|error| format!("{property}: {error}"))?;
    }
    Ok(())
}

/// Instrument and live properties that the caller has set.
///
/// # Errors
/// As [`Context::value`], which does not fail for declared properties.
pub(crate) fn given_properties(context: &Context<'_>) -> Result<(String, LiveSpec)> {
    let mut spec = LiveSpec::default();
    for property in LiveProperty::ALL.iter().copied() {
        let name = property.name();
        if !context.declares(name) {
            continue;
        }
        let text = match property.kind() {
            LivePropertyKind::Flag => context.bool(name)?.to_string(),
            LivePropertyKind::Seconds => context.float(name)?.to_string(),
            _ => context.str(name)?,
        };
        spec.set(property, &text)
            .map_err(|error| AlgorithmError::InvalidArgument(error.message))?;
    }
    if !context.declares(LiveProperty::FromNow.name()) {
        decode_start_time(&mut spec);
    }
    if !context.declares(LiveProperty::UpdateEvery.name()) {
        spec.update_every = Some(0.0);
    }
    Ok((context.str("Instrument")?, spec))
}

/// Sets the start options from StartTime, which encodes them in LoadLiveData and MonitorLiveData.
///
/// As in Mantid, an empty StartTime or 1990-01-01T00:00:00 is now; one second later is the start of the run.
fn decode_start_time(spec: &mut LiveSpec) {
    let text = given(&spec.start_time);
    let nanoseconds = text.and_then(DateAndTime::parse).map(DateAndTime::nanoseconds);
    let now = text.is_none() || nanoseconds == Some(0);
    let start_of_run = nanoseconds == Some(1_000_000_000);
    spec.from_now = Some(now);
    spec.from_start_of_run = Some(start_of_run);
    spec.from_time = Some(!now && !start_of_run);
    if now || start_of_run {
        spec.start_time = None;
    }
}

/// Declaration with the properties that all live data algorithms have, in Mantid's order.
pub(crate) fn declare(name: &'static str, summary: &'static str) -> Declaration {
    let unused = |name, document| option(name, PropertyKind::Str, "", document);
    let mut declaration = Declaration::new(name, 1, "DataHandling\\LiveData", summary)
        .with(
            input(
                "Instrument",
                PropertyKind::Str,
                "The instrument; the one whose stream the worker reads.",
            )
            .mandatory(),
        )
        .with(unused(
            "Connection",
            "Accepted and not used: the worker has its connection.",
        ))
        .with(unused(
            "Listener",
            "Accepted and not used: the worker reads the stream itself.",
        ))
        .with(unused("Address", "Accepted and not used: the worker has its brokers."))
        .with(option("StartTime", PropertyKind::Str, "", "Time to start at, in UTC.").unit("ISO 8601"));
    let start_options = [
        LiveProperty::StartTime,
        LiveProperty::FromNow,
        LiveProperty::FromStartOfRun,
        LiveProperty::FromTime,
        LiveProperty::UpdateEvery,
    ];
    for property in LiveProperty::ALL
        .iter()
        .filter(|property| !start_options.contains(property))
    {
        declaration = declaration.with(declared(*property));
    }
    declaration.with(
        output(
            "LastTimeStamp",
            PropertyKind::Str,
            "The newest pulse time that was loaded.",
        )
        .unit("ISO 8601"),
    )
}

/// Declaration of a property for algorithms, from the table of [`LiveProperty`].
pub(crate) fn declared(property: LiveProperty) -> Property {
    let (name, document, default) = (property.name(), property.documentation(), property.default_value());
    match (property, property.kind()) {
        (LiveProperty::AccumulationWorkspace | LiveProperty::OutputWorkspace, _) => {
            output(name, PropertyKind::Workspace, document).optional()
        }
        (_, LivePropertyKind::Text | LivePropertyKind::File) => option(name, PropertyKind::Str, default, document),
        (_, LivePropertyKind::Flag) => option(name, PropertyKind::Bool, default == "true", document),
        (_, LivePropertyKind::Seconds) => {
            let default: f64 = default.parse().unwrap_or_default();
            option(name, PropertyKind::Float, default, document).unit("s")
        }
        (_, LivePropertyKind::Choice(names)) => {
            option(name, PropertyKind::Str, default, document).validator(Validator::OneOf(names))
        }
    }
}

#[cfg(test)]
#[path = "properties_tests.rs"]
mod tests;
