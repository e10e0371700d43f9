//! FilterByLogValue: the events of the times at which a log had some values.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::filter_by_time::keep;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::run::TimeSeries;
use crate::value::Value;

pub(crate) struct FilterByLogValue;

impl Algorithm for FilterByLogValue {
    fn declaration(&self) -> Declaration {
        Declaration::new("FilterByLogValue", 1, "Events\\EventFiltering", "Keeps the events of pulses at which a log's value lay between limits.")
            .with(input("InputWorkspace", Kind::Matrix, "The events."))
            .with(output("OutputWorkspace", Kind::Matrix, "The events that are left, with their logs."))
            .with(input("LogName", Kind::Str, "The log, a series of numbers.").mandatory())
            .with(option("MinimumValue", Kind::Float, Value::None, "The lowest good value."))
            .with(option("MaximumValue", Kind::Float, Value::None, "The highest good value."))
            .with(option("TimeTolerance", Kind::Float, 0.0, "How long before and after a good value the events are good too.").unit("s").validator(Validator::AtLeast(0.0)))
            .with(option("LogBoundary", Kind::Str, "Centre", "Whether a value holds around its time or from its time on.").validator(Validator::OneOf(&["Centre", "Left"])))
            .with(option("PulseFilter", Kind::Bool, false, "Keep only the pulses for which the log has a value."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let name = context.str("LogName")?;
        let Some(series) = input.run().series(&name) else {
            return failed(format!("Log '{name}' is not in the workspace, or is no series of values over time"));
        };
        let Some(values) = series.numbers() else { return failed(format!("Log '{name}' holds texts, not numbers")) };
        let (low, high) = (context.opt_float("MinimumValue")?, context.opt_float("MaximumValue")?);
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            return failed("MaximumValue should be larger than MinimumValue");
        }
        let good: Vec<bool> = values.iter().map(|v| low.is_none_or(|low| *v >= low) && high.is_none_or(|high| *v <= high)).collect();
        let tolerance = context.float("TimeTolerance")?;
        let left = context.str("LogBoundary")? == "Left";
        let bounds = (input.run().start_time().ok(), input.run().end_time().ok());
        let intervals = if context.bool("PulseFilter")? {
            let nanosecond = |t: &DateAndTime| (*t, DateAndTime::from_nanoseconds(t.nanoseconds().saturating_add(1)));
            series.times().iter().map(nanosecond).collect()
        } else {
            intervals(series, &good, tolerance, left, bounds)
        };
        let out = keep(&input, &intervals.into())?;
        context.output("OutputWorkspace", out)
    }
}

type Bounds = (Option<DateAndTime>, Option<DateAndTime>);

/// Each stretch of good values, widened by the tolerance, and to the run's ends where it reaches the log's.
fn intervals(series: &TimeSeries, good: &[bool], tolerance: f64, left: bool, (start, stop): Bounds) -> Vec<(DateAndTime, DateAndTime)> {
    let times = series.times();
    let mut out = Vec::new();
    let mut at = 0;
    while at < good.len() {
        if !good.get(at).copied().unwrap_or_default() {
            at += 1;
            continue;
        }
        let mut end = at;
        while good.get(end + 1).copied().unwrap_or_default() {
            end += 1;
        }
        let (Some(first), Some(last)) = (times.get(at), times.get(end)) else { break };
        let mut from = first.plus_seconds(-tolerance);
        let mut to = match times.get(end + 1).filter(|_| left) {
            Some(bad) => bad.plus_seconds(-tolerance),
            None => last.plus_seconds(tolerance),
        };
        if at == 0 && let Some(start) = start {
            from = from.min(start);
        }
        if end + 1 == good.len() && let Some(stop) = stop {
            to = to.max(stop);
        }
        if to > from {
            out.push((from, to));
        }
        at = end + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m, total};
    use crate::value::Value;

    #[test]
    fn events_follow_the_log() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())]);
        for (minute, value) in [("00", 1.0), ("10", 1.0), ("20", 5.0), ("30", 5.0), ("40", 1.0), ("50", 1.0)] {
            let time = format!("2010-01-01T00:{minute}:00");
            bench.run("AddTimeSeriesLog", &[("Workspace", "s".into()), ("Name", "Rot".into()), ("Time", time.into()), ("Value", value.into())]);
        }
        let filter = |low: f64, high: f64, boundary: &str| {
            let call: [(&str, Value); 5] = [("InputWorkspace", "s".into()), ("LogName", "Rot".into()), ("MinimumValue", low.into()), ("MaximumValue", high.into()), ("LogBoundary", boundary.into())];
            bench.make("o", "FilterByLogValue", &call)
        };
        let share = |handle: &crate::Handle| total(handle) / total(&s);
        assert!((share(&filter(4.0, 6.0, "Left")) - 20.0 / 60.0).abs() < 0.02);
        assert!((share(&filter(4.0, 6.0, "Centre")) - 10.0 / 60.0).abs() < 0.02);
        // From the start of the run to the last good value, and from the next one to its end.
        assert!((share(&filter(0.0, 2.0, "Centre")) - 30.0 / 60.0).abs() < 0.02);
        assert_eq!(share(&filter(0.0, 9.0, "Centre")), 1.0);
        assert_eq!(m(&filter(4.0, 6.0, "Left")).run().proton_charge(), 2000.0);
        assert!(bench.try_make("o", "FilterByLogValue", &[("InputWorkspace", "s".into()), ("LogName", "none".into())]).is_err());
    }
}
