//! AddSampleLog: a log of one value, or the first of a series.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, in_out, input, option};
use crate::error::{Result, invalid};
use crate::run::{LogProperty, LogValue, TimeSeries};
use crate::value::Value;

pub(crate) struct AddSampleLog;

impl Algorithm for AddSampleLog {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "AddSampleLog",
            1,
            "DataHandling\\Logs",
            "Adds a log to a workspace, in place of one of the same name.",
        )
        .with(in_out("Workspace", Kind::Matrix, "The workspace that gets the log."))
        .with(input("LogName", Kind::Str, "The log's name.").mandatory())
        .with(option("LogText", Kind::Str, "", "The log's value."))
        .with(
            option("LogType", Kind::Str, "String", "What the value is.").validator(Validator::OneOf(&[
                "String",
                "Number",
                "Number Series",
            ])),
        )
        .with(option("LogUnit", Kind::Str, "", "The unit of the value."))
        .with(
            option("NumberType", Kind::Str, "AutoDetect", "Which kind of number.").validator(Validator::OneOf(&[
                "AutoDetect",
                "Int",
                "Double",
            ])),
        )
        .with(option(
            "TimeUnit",
            Kind::Str,
            "Second",
            "The unit of the times in TimeSeriesWorkspace; not used.",
        ))
        .with(option(
            "RelativeTime",
            Kind::Bool,
            true,
            "Whether those times count from the start; not used.",
        ))
        .with(option(
            "TimeSeriesWorkspace",
            Kind::Matrix,
            Value::None,
            "A workspace whose first spectrum is the series: X in seconds from the start, Y the values.",
        ))
        .with(option("AutoMetaData", Kind::Bool, false, "Not used."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let name = context.str("LogName")?;
        let text = context.str("LogText")?;
        let value = match context.str("LogType")?.as_str() {
            "String" => LogValue::Str(text),
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

fn number(text: &str, kind: &str) -> Result<LogValue> {
    let text = text.trim();
    match (text.parse::<i64>(), text.parse::<f64>(), kind) {
        (Ok(value), _, "AutoDetect" | "Int") => Ok(LogValue::Int(value)),
        (_, Ok(value), "AutoDetect" | "Double") => Ok(LogValue::Float(value)),
        _ => invalid(format!("Error interpreting string '{text}' as a number.")),
    }
}

fn series(context: &Context<'_>, text: &str, start: DateAndTime) -> Result<LogValue> {
    if let Some(given) = context.opt_matrix("TimeSeriesWorkspace")? {
        let (x, y) = (given.x(0)?, given.y(0, context.cancel)?);
        let times = x
            .iter()
            .take(y.len())
            .map(|seconds| start.plus_seconds(*seconds))
            .collect();
        return match TimeSeries::new(times, crate::run::SeriesValues::Floats(y.to_vec())) {
            Some(series) => Ok(LogValue::Series(series)),
            None => invalid("TimeSeriesWorkspace: its X and Y differ in length"),
        };
    }
    let value = if text.is_empty() {
        LogValue::Float(0.0)
    } else {
        number(text, &context.str("NumberType")?)?
    };
    match TimeSeries::single(start, &value) {
        Some(series) => Ok(LogValue::Series(series)),
        None => invalid(format!("'{text}' cannot be the value of a series")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::run::LogValue;

    #[test]
    fn kinds_of_logs() {
        let bench = Bench::new();
        let w = bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        for (name, text, kind) in [
            ("a", "1", "Number"),
            ("b", "1.5", "Number"),
            ("c", "1", "String"),
            ("d", "2", "Number Series"),
        ] {
            bench.run(
                "AddSampleLog",
                &[
                    ("Workspace", "w".into()),
                    ("LogName", name.into()),
                    ("LogText", text.into()),
                    ("LogType", kind.into()),
                ],
            );
        }
        let run = m(&w).run().clone();
        assert_eq!(run.get("a").unwrap().value, LogValue::Int(1));
        assert_eq!(run.get("b").unwrap().value, LogValue::Float(1.5));
        assert_eq!(run.get("c").unwrap().value, LogValue::Str("1".into()));
        assert_eq!(run.series("d").unwrap().numbers().unwrap(), [2.0]);
        assert!(
            bench
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
