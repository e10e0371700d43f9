//! SetInstrumentParameter: a parameter of a component, of detectors, or of the whole instrument.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, input, option};
use crate::error::{Result, failed, invalid};
use crate::instrument::parameters::{Parameter, ParameterOwner};
use crate::service::LogLevel;
use crate::value::Value;

pub(crate) struct SetInstrumentParameter;

impl Algorithm for SetInstrumentParameter {
    fn declaration(&self) -> Declaration {
        let kind = option("ParameterType", PropertyKind::Str, "String", "Type of the value.");
        Declaration::new(
            "SetInstrumentParameter",
            1,
            "DataHandling\\Instrument",
            "Sets a parameter of a workspace's instrument.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose instrument receives the parameter.",
        ))
        .with(option(
            "ComponentName",
            PropertyKind::Str,
            "",
            "Name of the components; the whole instrument where neither a name nor detectors are given.",
        ))
        .with(option("DetectorList", PropertyKind::Ints, Value::None, "Detector ids."))
        .with(input("ParameterName", PropertyKind::Str, "Name of the parameter.").mandatory())
        .with(kind.validator(Validator::OneOf(&["String", "Number", "Bool"])))
        .with(input("Value", PropertyKind::Str, "Value of the parameter, as text.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let (name, text) = (context.str("ParameterName")?.trim().to_owned(), context.str("Value")?);
        if workspace.instrument().is_empty() {
            return failed("Input workspace has no instrument defined");
        }
        let value = match context.str("ParameterType")?.as_str() {
            "Number" => number(&text)?,
            "Bool" => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" => Parameter::Flag(true),
                "false" | "0" => Parameter::Flag(false),
                _ => return invalid(format!("Value: '{text}' is neither true nor false")),
            },
            _ => Parameter::Text(text),
        };
        let (component, detectors) = (context.str("ComponentName")?, context.ints("DetectorList")?);
        let instrument = Arc::make_mut(&mut workspace.instrument);
        let mut unknown = 0;
        for id in &detectors {
            match i32::try_from(*id).ok().filter(|id| instrument.detector(*id).is_some()) {
                Some(id) => instrument
                    .parameters
                    .set(ParameterOwner::Detector(id), &name, value.clone()),
                None => unknown += 1,
            }
        }
        let exists = |name: &str| {
            instrument.component(name).is_some()
                || instrument.detectors.iter().any(|d| instrument.detector_name(d) == name)
        };
        if component.is_empty() {
            if detectors.is_empty() {
                let own = instrument.name.clone();
                instrument.parameters.set(ParameterOwner::Name(&own), &name, value);
            }
        } else if exists(&component) {
            instrument
                .parameters
                .set(ParameterOwner::Name(&component), &name, value);
        } else {
            context.log(
                LogLevel::Warning,
                &format!("Could not find the component requested: {component}."),
            );
        }
        if unknown > 0 {
            context.log(
                LogLevel::Warning,
                &format!("{unknown} detectors of DetectorList are not in the instrument."),
            );
        }
        context.change("Workspace", workspace)
    }
}

fn number(text: &str) -> Result<Parameter> {
    let text = text.trim();
    match (text.parse::<i64>(), text.parse::<f64>()) {
        (Ok(whole), _) => Ok(Parameter::Integer(whole)),
        (_, Ok(value)) => Ok(Parameter::Number(value)),
        _ => invalid(format!("Error interpreting string '{text}' as a number.")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::instrument::parameters::Parameter;
    use crate::value::Value;

    #[test]
    fn the_nearest_owner_decides() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let set = |value: &str, kind: &str, more: &[(&str, Value)]| {
            let given = [
                ("Workspace", "s".into()),
                ("ParameterName", "p".into()),
                ("Value", value.into()),
                ("ParameterType", kind.into()),
            ];
            fixture.try_run("SetInstrumentParameter", &[&given[..], more].concat())
        };
        set("1", "Number", &[]).unwrap();
        set("2.5", "Number", &[("ComponentName", "bank1".into())]).unwrap();
        set("yes", "String", &[("DetectorList", "2, 99".into())]).unwrap();
        set("7", "Number", &[("ComponentName", "nowhere".into())]).unwrap();
        let held = matrix(&s);
        let instrument = held.instrument();
        let of = |id: i32| {
            instrument
                .detector_parameter(instrument.detector(id).unwrap(), "P")
                .unwrap()
                .clone()
        };
        assert_eq!(
            (of(1), of(2)),
            (Parameter::Number(2.5), Parameter::Text("yes".to_owned()))
        );
        assert_eq!(instrument.number_parameter("p"), Some(1.0));
        assert!(set("x", "Number", &[]).is_err());
        assert!(set("x", "Bool", &[]).is_err());
        assert!(set("x", "Colour", &[]).is_err());
    }
}
