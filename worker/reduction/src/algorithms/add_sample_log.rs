//! AddSampleLog: a log of one value, or a time series whose first value it is.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, input, option};
use crate::error::{Result, invalid};
use crate::run::{LogProperty, LogPropertyValue, TimeSeriesProperty};
use crate::value::Value;

pub(crate) struct AddSampleLog;

impl Algorithm for AddSampleLog {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "AddSampleLog",
            1,
            "DataHandling\\Logs",
            "Adds a log to a workspace and replaces one of the same name.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace that receives the log.",
        ))
        .with(input("LogName", PropertyKind::Str, "Name of the log.").mandatory())
        .with(option("LogText", PropertyKind::Str, "", "Value of the log, as text."))
        .with(
            option("LogType", PropertyKind::Str, "String", "Type of the log.").validator(Validator::OneOf(&[
                "String",
                "Number",
                "Number Series",
            ])),
        )
        .with(option("LogUnit", PropertyKind::Str, "", "Unit of the value."))
        .with(
            option(
                "NumberType",
                PropertyKind::Str,
                "AutoDetect",
                "Type of a number; AutoDetect takes integers as Int.",
            )
            .validator(Validator::OneOf(&["AutoDetect", "Int", "Double"])),
        )
        .with(option(
            "TimeUnit",
            PropertyKind::Str,
            "Second",
            "Not used: times in TimeSeriesWorkspace are in seconds.",
        ))
        .with(option(
            "RelativeTime",
            PropertyKind::Bool,
            true,
            "Not used: times in TimeSeriesWorkspace count from the start of the run.",
        ))
        .with(option(
            "TimeSeriesWorkspace",
            PropertyKind::Matrix,
            Value::None,
            "Workspace whose first spectrum is the series: X in seconds from the start of the run, Y the values.",
        ))
        .with(option("AutoMetaData", PropertyKind::Bool, false, "Not used."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let name = context.str("LogName")?;
        let text = context.str("LogText")?;
        let value = match context.str("LogType")?.as_str() {
            "String" => LogPropertyValue::Str(text),
            "Number" => number(&text, &context.str("NumberType")?)?,
            _ => {
                let start = workspace.run().start_time().unwrap_or(DateAndTime::from_nanoseconds(0));
                series(context, &text, start)?
            }
        };
        workspace
            .run_mut()
            .set(&name, LogProperty::new(value).with_units(&context.str("LogUnit")?));
        context.change("Workspace", workspace)
    }
}

fn number(text: &str, kind: &str) -> Result<LogPropertyValue> {
    let text = text.trim();
    match (text.parse::<i64>(), text.parse::<f64>(), kind) {
        (Ok(value), _, "AutoDetect" | "Int") => Ok(LogPropertyValue::Int(value)),
        (_, Ok(value), "AutoDetect" | "Double") => Ok(LogPropertyValue::Float(value)),
        _ => invalid(format!("Error interpreting string '{text}' as a number.")),
    }
}

fn series(context: &Context<'_>, text: &str, start: DateAndTime) -> Result<LogPropertyValue> {
    if let Some(source) = context.opt_matrix("TimeSeriesWorkspace")? {
        let (x, y) = (source.x(0)?, source.y(0, context.cancel)?);
        let times = x
            .iter()
            .take(y.len())
            .map(|seconds| start.plus_seconds(*seconds))
            .collect();
        return match TimeSeriesProperty::new(times, crate::run::SeriesValues::Floats(y.to_vec())) {
            Some(series) => Ok(LogPropertyValue::Series(series)),
            None => invalid("TimeSeriesWorkspace: its X and Y differ in length"),
        };
    }
    let value = if text.is_empty() {
        LogPropertyValue::Float(0.0)
    } else {
        number(text, &context.str("NumberType")?)?
    };
    match TimeSeriesProperty::single(start, &value) {
        Some(series) => Ok(LogPropertyValue::Series(series)),
        None => invalid(format!("'{text}' cannot be the value of a series")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::run::LogPropertyValue;

    #[test]
    fn kinds_of_logs() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        for (name, text, kind) in [
            ("a", "1", "Number"),
            ("b", "1.5", "Number"),
            ("c", "1", "String"),
            ("d", "2", "Number Series"),
        ] {
            fixture.run(
                "AddSampleLog",
                &[
                    ("Workspace", "w".into()),
                    ("LogName", name.into()),
                    ("LogText", text.into()),
                    ("LogType", kind.into()),
                ],
            );
        }
        let run = matrix(&w).run().clone();
        assert_eq!(run.get("a").unwrap().value, LogPropertyValue::Int(1));
        assert_eq!(run.get("b").unwrap().value, LogPropertyValue::Float(1.5));
        assert_eq!(run.get("c").unwrap().value, LogPropertyValue::Str("1".into()));
        assert_eq!(run.series("d").unwrap().numbers().unwrap(), [2.0]);
        assert!(
            fixture
                .try_run(
                    "AddSampleLog",
                    &[
                        ("Workspace", "w".into()),
                        ("LogName", "e".into()),
                        ("LogText", "x".into()),
                        ("LogType", "Number".into())
                    ]
                )
                .is_err()
        );
    }
}
