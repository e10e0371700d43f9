//! AddTimeSeriesLog: one more value of a series.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, in_out, input, option};
use crate::error::{Result, invalid};
use crate::run::{LogProperty, LogValue, TimeSeries};

pub(crate) struct AddTimeSeriesLog;

impl Algorithm for AddTimeSeriesLog {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "AddTimeSeriesLog",
            1,
            "DataHandling\\Logs",
            "Adds a value with its time to a log, which is made if it is not there.",
        )
        .with(in_out("Workspace", Kind::Matrix, "The workspace that gets the value."))
        .with(input("Name", Kind::Str, "The log's name.").mandatory())
        .with(input("Time", Kind::Str, "The time, as ISO 8601 text (UTC).").mandatory())
        .with(input("Value", Kind::Float, "The value.").mandatory())
        .with(
            option("Type", Kind::Str, "double", "Which kind of number.")
                .validator(Validator::OneOf(&["double", "int"])),
        )
        .with(option(
            "DeleteExisting",
            Kind::Bool,
            false,
            "Forget the values that the log has.",
        ))
    }

    // Scripts add thousands of values: each would make a line of history.
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
            LogValue::Int(value as i64)
        } else {
            LogValue::Float(value)
        };
        let run = workspace.run_mut();
        if context.bool("DeleteExisting")?
            && let Some(series) = TimeSeries::single(time, &value)
        {
            run.set(&name, LogProperty::new(LogValue::Series(series)));
        } else {
            run.append(&name, time, &value)?;
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::value::Value;

    fn add(bench: &Bench, time: &str, value: f64, delete: bool) -> crate::error::Result<crate::Outputs> {
        let properties: [(&str, Value); 5] = [
            ("Workspace", "w".into()),
            ("Name", "log".into()),
            ("Time", time.into()),
            ("Value", value.into()),
            ("DeleteExisting", delete.into()),
        ];
        bench.try_run("AddTimeSeriesLog", &properties)
    }

    #[test]
    fn values_are_added_in_any_order() {
        let bench = Bench::new();
        let w = bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        add(&bench, "2010-01-01T00:02:00", 2.0, false).unwrap();
        add(&bench, "2010-01-01T00:01:00", 1.0, false).unwrap();
        assert_eq!(m(&w).run().series("log").unwrap().numbers().unwrap(), [1.0, 2.0]);
        add(&bench, "2010-01-01T00:01:00", 5.0, true).unwrap();
        assert_eq!(m(&w).run().series("log").unwrap().numbers().unwrap(), [5.0]);
        assert!(add(&bench, "yesterday", 1.0, false).is_err());
    }
}
