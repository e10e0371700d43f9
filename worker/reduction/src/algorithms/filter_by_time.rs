//! FilterByTime: the events and logs of a part of the run, [start, stop).
//!
//! Source: Mantid's page FilterByTime v1.

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::run::TimeRoi;
use crate::workspace::MatrixWorkspace;
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct FilterByTime;

impl Algorithm for FilterByTime {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "FilterByTime",
            1,
            "Events\\EventFiltering",
            "Keeps the events of pulses between two times.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of events with pulse times.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Events within the times, with logs cropped to them.",
        ))
        .with(
            option(
                "StartTime",
                PropertyKind::Float,
                0.0,
                "Start, counted from the start of the run.",
            )
            .unit("s"),
        )
        .with(
            option(
                "StopTime",
                PropertyKind::Float,
                0.0,
                "Stop (exclusive), counted from the start of the run; 0 for its end.",
            )
            .unit("s"),
        )
        .with(option(
            "AbsoluteStartTime",
            PropertyKind::Str,
            "",
            "Start, ISO 8601 (UTC).",
        ))
        .with(option(
            "AbsoluteStopTime",
            PropertyKind::Str,
            "",
            "Stop (exclusive), ISO 8601 (UTC).",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (from, to) = (context.str("AbsoluteStartTime")?, context.str("AbsoluteStopTime")?);
        let relative = context.given("StartTime") || context.given("StopTime");
        if relative && (!from.is_empty() || !to.is_empty()) {
            return failed("You need to specify either relative or absolute times, not both");
        }
        let absolute = |text: &str| match DateAndTime::parse(text) {
            Some(time) => Ok(time),
            None => failed(format!("'{text}' is no ISO 8601 time, such as 2020-01-31T12:00:00")),
        };
        let far = DateAndTime::from_nanoseconds(i64::MAX);
        let (start, stop) = if from.is_empty() && to.is_empty() {
            let begin = input.run().start_time()?;
            let stop = context.float("StopTime")?;
            (
                begin.plus_seconds(context.float("StartTime")?),
                if stop == 0.0 { far } else { begin.plus_seconds(stop) },
            )
        } else {
            let start = if from.is_empty() {
                DateAndTime::from_nanoseconds(i64::MIN)
            } else {
                absolute(&from)?
            };
            (start, if to.is_empty() { far } else { absolute(&to)? })
        };
        if stop <= start {
            return failed("The stop time should be larger than the start time.");
        }
        let out = select_intervals(&input, &[(start, stop)].into())?;
        context.output("OutputWorkspace", out)
    }
}

/// Events and logs within half-open `intervals` of pulse time.
///
/// # Errors
/// `Execution` for a workspace without events.
pub(crate) fn select_intervals(input: &MatrixWorkspace, intervals: &TimeRoi) -> Result<MatrixWorkspace> {
    let Some(events) = input.events() else {
        return failed("the workspace holds no events: only events can be filtered");
    };
    let pulses: Vec<_> = intervals
        .iter()
        .map(|(from, to)| (from.to_pulse(), to.to_pulse()))
        .collect();
    let data = events.with_plan(events.plan().select_times(&pulses));
    let mut out = input.clone().with_data(WorkspaceData::Events(data));
    out.run_mut().crop(intervals);
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix, total_counts};

    #[test]
    fn parts_make_the_whole_and_logs_follow() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 2_i64.into())],
        );
        fixture.add_charge("s");
        let first = fixture.create(
            "a",
            "FilterByTime",
            &[("InputWorkspace", "s".into()), ("StopTime", 1800.0.into())],
        );
        let second = fixture.create(
            "b",
            "FilterByTime",
            &[("InputWorkspace", "s".into()), ("StartTime", 1800.0.into())],
        );
        assert_eq!(total_counts(&first) + total_counts(&second), total_counts(&s));
        assert!(total_counts(&first) > 0.4 * total_counts(&s));
        assert_eq!(matrix(&first).run().series("proton_charge").unwrap().len(), 30);
        assert_eq!(matrix(&first).run().proton_charge(), 3000.0);
        let twice = [
            ("InputWorkspace", "s".into()),
            ("StartTime", 5.0.into()),
            ("AbsoluteStopTime", "2010-01-01T00:10:00".into()),
        ];
        assert!(fixture.try_create("c", "FilterByTime", &twice).is_err());
    }
}
