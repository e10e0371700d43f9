//! AddTimeSeriesLog: one more value of a time series.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, input, option};
use crate::error::{Result, invalid};
use crate::run::{LogProperty, LogPropertyValue, TimeSeriesProperty};

pub(crate) struct AddTimeSeriesLog;

impl Algorithm for AddTimeSeriesLog {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "AddTimeSeriesLog",
            1,
            "DataHandling\\Logs",
            "Appends a value with its time to a log, which is created where it is missing.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace that receives the value.",
        ))
        .with(input("Name", PropertyKind::Str, "Name of the log.").mandatory())
        .with(input("Time", PropertyKind::Str, "Time of the value, ISO 8601 (UTC).").mandatory())
        .with(input("Value", PropertyKind::Float, "Value at this time.").mandatory())
        .with(
            option("Type", PropertyKind::Str, "double", "Type of the value.")
                .validator(Validator::OneOf(&["double", "int"])),
        )
        .with(option(
            "DeleteExisting",
            PropertyKind::Bool,
            false,
            "Remove earlier values of the log first.",
        ))
    }

    // Scripts append thousands of values, each of which would be an entry of the history.
    fn records_history(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let name = context.str("Name")?;
        let text = context.str("Time")?;
        let Some(time) = DateAndTime::parse(&text) else {
            return invalid(format!(
                "Time: '{text}' is no ISO 8601 time, such as 2020-01-31T12:00:00"
            ));
        };
        let value = context.float("Value")?;
        let value = if context.str("Type")? == "int" {
            LogPropertyValue::Int(value as i64)
        } else {
            LogPropertyValue::Float(value)
        };
        let run = workspace.run_mut();
        if context.bool("DeleteExisting")?
            && let Some(series) = TimeSeriesProperty::single(time, &value)
        {
            run.set(&name, LogProperty::new(LogPropertyValue::Series(series)));
        } else {
            run.append(&name, time, &value)?;
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    fn add(fixture: &AlgorithmFixture, time: &str, value: f64, delete: bool) -> crate::error::Result<crate::Outputs> {
        let properties: [(&str, Value); 5] = [
            ("Workspace", "w".into()),
            ("Name", "log".into()),
            ("Time", time.into()),
            ("Value", value.into()),
            ("DeleteExisting", delete.into()),
        ];
        fixture.try_run("AddTimeSeriesLog", &properties)
    }

    #[test]
    fn values_are_added_in_any_order() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        add(&fixture, "2010-01-01T00:02:00", 2.0, false).unwrap();
        add(&fixture, "2010-01-01T00:01:00", 1.0, false).unwrap();
        assert_eq!(matrix(&w).run().series("log").unwrap().numbers().unwrap(), [1.0, 2.0]);
        add(&fixture, "2010-01-01T00:01:00", 5.0, true).unwrap();
        assert_eq!(matrix(&w).run().series("log").unwrap().numbers().unwrap(), [5.0]);
        assert!(add(&fixture, "yesterday", 1.0, false).is_err());
    }
}
