//! SetInstrumentParameter: a parameter of a component, of detectors, or of the instrument.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, Validator, in_out, input, option};
use crate::error::{Result, failed, invalid};
use crate::instrument::parameters::{Owner, Parameter};
use crate::service::Level;
use crate::value::Value;

pub(crate) struct SetInstrumentParameter;

impl Algorithm for SetInstrumentParameter {
    fn declaration(&self) -> Declaration {
        let kind = option("ParameterType", Kind::Str, "String", "What the value is.");
        Declaration::new(
            "SetInstrumentParameter",
            1,
            "DataHandling\\Instrument",
            "Sets a parameter of a workspace's instrument.",
        )
        .with(in_out(
            "Workspace",
            Kind::Matrix,
            "The workspace whose instrument gets the parameter.",
        ))
        .with(option(
            "ComponentName",
            Kind::Str,
            "",
            "Every component of this name; the instrument when nothing is given.",
        ))
        .with(option(
            "DetectorList",
            Kind::Ints,
            Value::None,
            "Detectors by their ids.",
        ))
        .with(input("ParameterName", Kind::Str, "The parameter's name.").mandatory())
        .with(kind.validator(Validator::OneOf(&["String", "Number", "Bool"])))
        .with(input("Value", Kind::Str, "The parameter's value.").mandatory())
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
                Some(id) => instrument.parameters.set(Owner::Detector(id), &name, value.clone()),
                None => unknown += 1,
            }
        }
        let is_there = |name: &str| {
            instrument.component(name).is_some()
                || instrument.detectors.iter().any(|d| instrument.detector_name(d) == name)
        };
        if component.is_empty() {
            if detectors.is_empty() {
                let own = instrument.name.clone();
                instrument.parameters.set(Owner::Name(&own), &name, value);
            }
        } else if is_there(&component) {
            instrument.parameters.set(Owner::Name(&component), &name, value);
        } else {
            context.log(
                Level::Warning,
                &format!("Could not find the component requested: {component}."),
            );
        }
        if unknown > 0 {
            context.log(
                Level::Warning,
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
    use crate::algorithms::testing::{Bench, m};
    use crate::instrument::parameters::Parameter;
    use crate::value::Value;

    #[test]
    fn the_nearest_owner_decides() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("BankPixelWidth", 1_i64.into())]);
        let set = |value: &str, kind: &str, more: &[(&str, Value)]| {
            let given = [
                ("Workspace", "s".into()),
                ("ParameterName", "p".into()),
                ("Value", value.into()),
                ("ParameterType", kind.into()),
            ];
            bench.try_run("SetInstrumentParameter", &[&given[..], more].concat())
        };
        set("1", "Number", &[]).unwrap();
        set("2.5", "Number", &[("ComponentName", "bank1".into())]).unwrap();
        set("yes", "String", &[("DetectorList", "2, 99".into())]).unwrap();
        set("7", "Number", &[("ComponentName", "nowhere".into())]).unwrap();
        let held = m(&s);
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
