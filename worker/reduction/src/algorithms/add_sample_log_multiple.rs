//! AddSampleLogMultiple: several logs of one value each.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out, input, option};
use crate::error::{Result, invalid};
use crate::run::{LogProperty, LogPropertyValue};
use crate::value::Value;

pub(crate) struct AddSampleLogMultiple;

impl Algorithm for AddSampleLogMultiple {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "AddSampleLogMultiple",
            1,
            "DataHandling\\Logs",
            "Adds several logs to a workspace.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace that receives the logs.",
        ))
        .with(input("LogNames", PropertyKind::Strs, "Names of the logs.").mandatory())
        .with(input("LogValues", PropertyKind::Strs, "Values as text, one for each name.").mandatory())
        .with(option(
            "LogUnits",
            PropertyKind::Strs,
            Value::None,
            "Units, one for each name.",
        ))
        .with(option(
            "LogTypes",
            PropertyKind::Strs,
            Value::None,
            "String, Number or Number Series, one for each name; inferred from the values when not given.",
        ))
        .with(option(
            "ParseType",
            PropertyKind::Bool,
            true,
            "Store values that parse as numbers as numbers, where LogTypes is not given.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let list = |name: &str| context.value(name)?.to_strs();
        let (names, values) = (list("LogNames")?, list("LogValues")?);
        let (units, types) = (list("LogUnits")?, list("LogTypes")?);
        for (name, given, optional) in [
            ("LogValues", &values, false),
            ("LogUnits", &units, true),
            ("LogTypes", &types, true),
        ] {
            if given.len() != names.len() && !(optional && given.is_empty()) {
                return invalid(format!(
                    "{name}: {} were given for {} LogNames",
                    given.len(),
                    names.len()
                ));
            }
        }
        let parsed = context.bool("ParseType")?;
        for (index, (name, text)) in names.iter().zip(&values).enumerate() {
            let kind = types.get(index).map(String::as_str);
            let value = match kind {
                Some("String") => LogPropertyValue::Str(text.clone()),
                Some("Number") | Some("Number Series") => match number(text) {
                    Some(value) => value,
                    None => return invalid(format!("Error interpreting string '{text}' as a number.")),
                },
                Some(other) => return invalid(format!("LogTypes: {other} is none of String, Number, Number Series")),
                None if parsed => number(text).unwrap_or_else(|| LogPropertyValue::Str(text.clone())),
                None => LogPropertyValue::Str(text.clone()),
            };
            let value = match (kind, value) {
                (Some("Number Series"), value) => {
                    let start = workspace.run().start_time().unwrap_or_default();
                    crate::run::TimeSeriesProperty::single(start, &value).map_or(value, LogPropertyValue::Series)
                }
                (_, value) => value,
            };
            let unit = units.get(index).map_or("", String::as_str);
            workspace.run_mut().set(name, LogProperty::new(value).with_units(unit));
        }
        context.change("Workspace", workspace)
    }
}

fn number(text: &str) -> Option<LogPropertyValue> {
    let text = text.trim();
    let whole = text.parse().ok().map(LogPropertyValue::Int);
    whole.or_else(|| text.parse().ok().map(LogPropertyValue::Float))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::run::LogPropertyValue;
    use crate::value::Value;

    #[test]
    fn values_are_what_they_read_as_unless_said() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        let add = |more: &[(&str, Value)]| {
            let named = [
                ("Workspace", "w".into()),
                ("LogNames", "a,b,c".into()),
                ("LogValues", "1,2.5,on".into()),
            ];
            fixture.try_run("AddSampleLogMultiple", &[&named[..], more].concat())
        };
        let held = |name: &str| matrix(&w).run().property(name).unwrap().value.clone();
        add(&[("LogUnits", "mm,K,".into())]).unwrap_err();
        add(&[("LogUnits", vec!["mm".to_owned(), "K".to_owned(), String::new()].into())]).unwrap();
        assert_eq!(
            (held("a"), held("b"), held("c")),
            (
                LogPropertyValue::Int(1),
                LogPropertyValue::Float(2.5),
                LogPropertyValue::Str("on".to_owned())
            )
        );
        assert_eq!(matrix(&w).run().property("b").unwrap().units, "K");
        add(&[("LogTypes", "String,Number Series,String".into())]).unwrap();
        assert_eq!(held("a"), LogPropertyValue::Str("1".to_owned()));
        assert_eq!(matrix(&w).run().series("b").unwrap().len(), 1);
        add(&[("ParseType", false.into())]).unwrap();
        assert_eq!(held("b"), LogPropertyValue::Str("2.5".to_owned()));
        assert!(add(&[("LogTypes", "Number,Number,Number".into())]).is_err());
        assert!(add(&[("LogTypes", "Number".into())]).is_err());
    }
}
