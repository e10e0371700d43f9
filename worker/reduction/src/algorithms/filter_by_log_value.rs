//! FilterByLogValue: the events of the times at which a log had values within limits.
//!
//! A sequence of good values from time t₁ to t₂ selects [t₁ − τ, t₂ + τ), with τ the TimeTolerance in seconds; with
//! LogBoundary Left it ends τ before the first bad value. It reaches to the ends of the run where it reaches the log's.
//! Source: Mantid's page FilterByLogValue v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::filter_by_time::select_intervals;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::run::{PULSE_CHARGE, Run, TimeSeriesProperty};
use crate::value::Value;

pub(crate) struct FilterByLogValue;

impl Algorithm for FilterByLogValue {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "FilterByLogValue",
            1,
            "Events\\EventFiltering",
            "Keeps the events of pulses at which a log's value lies between limits.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of events with pulse times.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Events within the selected times, with logs cropped to them.",
        ))
        .with(
            input(
                "LogName",
                PropertyKind::Str,
                "Name of the log, a time series of numbers.",
            )
            .mandatory(),
        )
        .with(option(
            "MinimumValue",
            PropertyKind::Float,
            Value::None,
            "Lowest value of good times, inclusive; unlimited when not given.",
        ))
        .with(option(
            "MaximumValue",
            PropertyKind::Float,
            Value::None,
            "Highest value of good times, inclusive; unlimited when not given.",
        ))
        .with(
            option(
                "TimeTolerance",
                PropertyKind::Float,
                0.0,
                "Time before and after good values that is selected too.",
            )
            .unit("s")
            .validator(Validator::AtLeast(0.0)),
        )
        .with(
            option(
                "LogBoundary",
                PropertyKind::Str,
                "Centre",
                "Centre: a value holds around its time; Left: from its time on.",
            )
            .validator(Validator::OneOf(&["Centre", "Left"])),
        )
        .with(option(
            "PulseFilter",
            PropertyKind::Bool,
            false,
            "Remove the times within TimeTolerance of each entry of the log, whatever its values.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let name = context.str("LogName")?;
        let Some(series) = input.run().series(&name) else {
            return failed(format!(
                "Log '{name}' is not in the workspace, or is no series of values over time"
            ));
        };
        let Some(values) = series.numbers() else {
            return failed(format!("Log '{name}' holds texts, not numbers"));
        };
        let (low, high) = (context.opt_float("MinimumValue")?, context.opt_float("MaximumValue")?);
        if let (Some(low), Some(high)) = (low, high)
            && low > high
        {
            return failed("MaximumValue should be larger than MinimumValue");
        }
        let good: Vec<bool> = values
            .iter()
            .map(|v| low.is_none_or(|low| *v >= low) && high.is_none_or(|high| *v <= high))
            .collect();
        let tolerance = context.float("TimeTolerance")?;
        let left = context.str("LogBoundary")? == "Left";
        let run_bounds = run_bounds(input.run());
        let intervals = if context.bool("PulseFilter")? {
            pulse_filter_intervals(series, tolerance, run_bounds)
        } else {
            value_intervals(series, &good, tolerance, left, run_bounds)
        };
        let out = select_intervals(&input, &intervals.into())?;
        context.output("OutputWorkspace", out)
    }
}

/// Start and end of a run, where they are known.
type RunBounds = (Option<DateAndTime>, Option<DateAndTime>);

/// From the first to the last pulse of the charge log; without it, from the start of the run to its end.
fn run_bounds(run: &Run) -> RunBounds {
    let charges = run.series(PULSE_CHARGE).filter(|series| !series.is_empty());
    match charges.and_then(|series| Some((*series.times().first()?, *series.times().last()?))) {
        Some((first, last)) => (
            Some(first),
            // One nanosecond later: the half-open interval includes the last pulse.
            Some(DateAndTime::from_nanoseconds(last.nanoseconds().saturating_add(1))),
        ),
        None => (run.start_time().ok(), run.end_time().ok()),
    }
}

/// Times between the log's entries, less `tolerance` seconds on either side of each entry.
fn pulse_filter_intervals(
    series: &TimeSeriesProperty,
    tolerance: f64,
    (start, stop): RunBounds,
) -> Vec<(DateAndTime, DateAndTime)> {
    let mut from = start.unwrap_or(DateAndTime::from_nanoseconds(i64::MIN));
    let mut out = Vec::new();
    for time in series.times() {
        out.push((from, time.plus_seconds(-tolerance)));
        from = time.plus_seconds(tolerance);
    }
    out.push((from, stop.unwrap_or(DateAndTime::from_nanoseconds(i64::MAX))));
    out.retain(|(from, to)| to > from);
    out
}

/// Interval of each sequence of good values, widened by `tolerance` seconds.
///
/// A sequence that reaches an end of the log extends to that end of the run.
fn value_intervals(
    series: &TimeSeriesProperty,
    good: &[bool],
    tolerance: f64,
    left: bool,
    (start, stop): RunBounds,
) -> Vec<(DateAndTime, DateAndTime)> {
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
        let (Some(first), Some(last)) = (times.get(at), times.get(end)) else {
            break;
        };
        let mut from = first.plus_seconds(-tolerance);
        let mut to = match times.get(end + 1).filter(|_| left) {
            Some(bad) => bad.plus_seconds(-tolerance),
            None => last.plus_seconds(tolerance),
        };
        if at == 0
            && let Some(start) = start
        {
            from = from.min(start);
        }
        if end + 1 == good.len()
            && let Some(stop) = stop
        {
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
    use crate::algorithms::testing::{AlgorithmFixture, matrix, total_counts};
    use crate::value::Value;

    #[test]
    fn events_follow_the_log() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())],
        );
        for (minute, value) in [
            ("00", 1.0),
            ("10", 1.0),
            ("20", 5.0),
            ("30", 5.0),
            ("40", 1.0),
            ("50", 1.0),
        ] {
            let time = format!("2010-01-01T00:{minute}:00");
            fixture.run(
                "AddTimeSeriesLog",
                &[
                    ("Workspace", "s".into()),
                    ("Name", "Rot".into()),
                    ("Time", time.into()),
                    ("Value", value.into()),
                ],
            );
        }
        let filter = |low: f64, high: f64, boundary: &str| {
            let call: [(&str, Value); 5] = [
                ("InputWorkspace", "s".into()),
                ("LogName", "Rot".into()),
                ("MinimumValue", low.into()),
                ("MaximumValue", high.into()),
                ("LogBoundary", boundary.into()),
            ];
            fixture.create("o", "FilterByLogValue", &call)
        };
        let share = |handle: &crate::WorkspaceHandle| total_counts(handle) / total_counts(&s);
        assert!((share(&filter(4.0, 6.0, "Left")) - 20.0 / 60.0).abs() < 0.02);
        assert!((share(&filter(4.0, 6.0, "Centre")) - 10.0 / 60.0).abs() < 0.02);
        // From the start of the run to the last good value, and from the next one to its end.
        assert!((share(&filter(0.0, 2.0, "Centre")) - 30.0 / 60.0).abs() < 0.02);
        assert_eq!(share(&filter(0.0, 9.0, "Centre")), 1.0);
        assert!(
            fixture
                .try_create(
                    "o",
                    "FilterByLogValue",
                    &[("InputWorkspace", "s".into()), ("LogName", "none".into())]
                )
                .is_err()
        );
    }

    /// Events over an hour, with a charge of 2 every ten minutes from 00:00 to 00:50.
    fn charged(fixture: &AlgorithmFixture) -> crate::WorkspaceHandle {
        let s = fixture.sample_workspace(
            "s",
            &[
                ("WorkspaceType", "Event".into()),
                ("BankPixelWidth", 1_i64.into()),
                ("NumEvents", 10_000_i64.into()),
            ],
        );
        for minute in (0..60).step_by(10) {
            let time = format!("2010-01-01T00:{minute:02}:00");
            fixture.run(
                "AddTimeSeriesLog",
                &[
                    ("Workspace", "s".into()),
                    ("Name", "proton_charge".into()),
                    ("Time", time.into()),
                    ("Value", 2.0.into()),
                ],
            );
        }
        s
    }

    #[test]
    fn the_charges_say_when_the_run_ends() {
        let fixture = AlgorithmFixture::new();
        let s = charged(&fixture);
        for (minute, value) in [("00", 7.0), ("30", 7.0), ("40", 1.0), ("50", 7.0)] {
            let time = format!("2010-01-01T00:{minute}:00");
            fixture.run(
                "AddTimeSeriesLog",
                &[
                    ("Workspace", "s".into()),
                    ("Name", "Rot".into()),
                    ("Time", time.into()),
                    ("Value", value.into()),
                ],
            );
        }
        let call: [(&str, Value); 3] = [
            ("InputWorkspace", "s".into()),
            ("LogName", "Rot".into()),
            ("MinimumValue", 5.0.into()),
        ];
        // The last good value has the time of the last pulse and adds next to nothing.
        let out = fixture.create("o", "FilterByLogValue", &call);
        assert!((total_counts(&out) / total_counts(&s) - 0.5).abs() < 0.02);
        assert_eq!(matrix(&out).run().proton_charge(), 8.0);
    }

    #[test]
    fn pulses_near_the_logs_times_are_left_out() {
        let fixture = AlgorithmFixture::new();
        let s = charged(&fixture);
        for minute in ["10", "40"] {
            let time = format!("2010-01-01T00:{minute}:00");
            fixture.run(
                "AddTimeSeriesLog",
                &[
                    ("Workspace", "s".into()),
                    ("Name", "veto".into()),
                    ("Time", time.into()),
                    ("Value", 0.0.into()),
                ],
            );
        }
        let share = |tolerance: f64| {
            let call: [(&str, Value); 4] = [
                ("InputWorkspace", "s".into()),
                ("LogName", "veto".into()),
                ("PulseFilter", true.into()),
                ("TimeTolerance", tolerance.into()),
            ];
            total_counts(&fixture.create("o", "FilterByLogValue", &call)) / total_counts(&s)
        };
        // To the last pulse, less three minutes on either side of both times.
        assert!((share(180.0) - 38.0 / 60.0).abs() < 0.02, "{}", share(180.0));
        assert!((share(0.0) - 50.0 / 60.0).abs() < 0.02);
    }
}
