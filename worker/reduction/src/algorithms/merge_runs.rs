//! MergeRuns: the sum of several workspaces and of their runs' charges, with rules for logs that differ.
//!
//! Y and E add up as in Plus: Σ yᵢ and √(Σ eᵢ²). Histograms of other bins are rebinned to the first workspace's.
//! Source: Mantid's page MergeRuns v1.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::rebin::rebin_to;
use crate::compute::arithmetic::{BinaryOperation, combine};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::run::{LogProperty, LogPropertyValue, Run, TimeSeriesProperty};
use crate::service::LogLevel;
use crate::workspace::data::same_row;
use crate::workspace::{MatrixWorkspace, WorkspaceHandle};

pub(crate) struct MergeRuns;

const SKIP: &str = "Skip File";

impl Algorithm for MergeRuns {
    fn declaration(&self) -> Declaration {
        let behaviour = "Treatment of a run whose SampleLogsFail differ too much from the first run's.";
        Declaration::new(
            "MergeRuns",
            1,
            "Transforms\\Merging",
            "Adds workspaces over the bins of the first one.",
        )
        .with(
            input(
                "InputWorkspaces",
                PropertyKind::WorkspaceList,
                "Workspaces, or groups of them.",
            )
            .mandatory(),
        )
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Sum of the workspaces.",
        ))
        .with(option(
            "SampleLogsTimeSeries",
            PropertyKind::Strs,
            "",
            "Logs that become a time series: one value for each run, at its start.",
        ))
        .with(option(
            "SampleLogsList",
            PropertyKind::Strs,
            "",
            "Logs that become a text: all runs' values, separated by commas.",
        ))
        .with(option(
            "SampleLogsWarn",
            PropertyKind::Strs,
            "",
            "Logs whose differences are logged as warnings.",
        ))
        .with(option(
            "SampleLogsWarnTolerances",
            PropertyKind::Floats,
            "",
            "Tolerances of these logs: one for all, or one each; 0 when not given.",
        ))
        .with(option(
            "SampleLogsFail",
            PropertyKind::Strs,
            "",
            "Logs that must agree.",
        ))
        .with(option(
            "SampleLogsFailTolerances",
            PropertyKind::Floats,
            "",
            "Tolerances of these logs: one for all, or one each; 0 when not given.",
        ))
        .with(option(
            "SampleLogsSum",
            PropertyKind::Strs,
            "",
            "Logs that become the sum over the runs.",
        ))
        .with(option("FailBehaviour", PropertyKind::Str, SKIP, behaviour).validator(Validator::OneOf(&[SKIP, "Stop"])))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut inputs: Vec<WorkspaceHandle> = Vec::new();
        for handle in context.handles("InputWorkspaces")? {
            if handle.is_group() {
                inputs.extend(handle.members());
            } else {
                inputs.push(handle);
            }
        }
        let warned = log_tolerances(context, "SampleLogsWarn", "SampleLogsWarnTolerances")?;
        let refused = log_tolerances(context, "SampleLogsFail", "SampleLogsFailTolerances")?;
        let mut sum: Option<MatrixWorkspace> = None;
        let mut runs: Vec<Arc<Run>> = Vec::new();
        for handle in inputs {
            let next = handle.matrix()?;
            let Some(held) = sum.take() else {
                runs.push(next.run().clone());
                sum = Some(next);
                continue;
            };
            if let Some(first) = runs.first() {
                if let Some(log) = differing_log(first, next.run(), &refused) {
                    let text = format!("{}: the log {log} differs too much from the first run's", handle.name());
                    if context.str("FailBehaviour")? != SKIP {
                        return failed(text);
                    }
                    context.log(LogLevel::Error, &format!("{text}: it is left out"));
                    sum = Some(held);
                    continue;
                }
                if let Some(log) = differing_log(first, next.run(), &warned) {
                    let text = format!("{}: the log {log} differs from the first run's", handle.name());
                    context.log(LogLevel::Warning, &text);
                }
            }
            runs.push(next.run().clone());
            let next = match (held.is_events() && next.is_events(), held.x(0)?) {
                (false, x) if !next.is_events() && !same_row(&x, &next.x(0)?) => {
                    rebin_to(&next, |_| Ok(x.clone()), false, context)?
                }
                _ => next,
            };
            sum = Some(combine(BinaryOperation::Plus, held, next, context.cancel)?);
        }
        let Some(mut sum) = sum else {
            return failed("InputWorkspaces names no workspace");
        };
        for (property, merge) in LOG_MERGES {
            for name in context.value(property)?.to_strs()? {
                match merge(&runs, &name) {
                    Some(value) => {
                        let units = sum.run().get(&name).map(|log| log.units.clone()).unwrap_or_default();
                        sum.run_mut().set(&name, LogProperty::new(value).with_units(&units));
                    }
                    None => context.log(
                        LogLevel::Warning,
                        &format!("{property}: the log {name} is not in every run, or is of another kind"),
                    ),
                }
            }
        }
        context.output("OutputWorkspace", sum)
    }
}

/// Merge of one log over all runs; `None` where it is missing in a run or of another type.
type LogMerge = fn(&[Arc<Run>], &str) -> Option<LogPropertyValue>;

const LOG_MERGES: [(&str, LogMerge); 3] = [
    ("SampleLogsSum", |runs, name| {
        let numbers: Option<Vec<f64>> = runs.iter().map(|run| run.number(name)).collect();
        Some(LogPropertyValue::Float(numbers?.iter().sum()))
    }),
    ("SampleLogsTimeSeries", |runs, name| {
        let mut series: Option<TimeSeriesProperty> = None;
        for run in runs {
            let (time, value) = (run.start_time().ok()?, LogPropertyValue::Float(run.number(name)?));
            match &mut series {
                None => series = Some(TimeSeriesProperty::single(time, &value)?),
                Some(series) => drop(series.push(time, &value)),
            }
        }
        series.map(LogPropertyValue::Series)
    }),
    ("SampleLogsList", |runs, name| {
        let texts: Option<Vec<String>> = runs.iter().map(|run| run.text(name)).collect();
        Some(LogPropertyValue::Str(texts?.join(", ")))
    }),
];

/// Name and tolerance of each log of a property; tolerance 0 where none is given.
///
/// # Errors
/// `InvalidArgument` unless the number of tolerances is 0, 1 or that of the logs.
fn log_tolerances(context: &Context<'_>, logs: &str, tolerances: &str) -> Result<Vec<(String, f64)>> {
    let (names, given) = (context.value(logs)?.to_strs()?, context.floats(tolerances)?);
    if !given.is_empty() && given.len() != 1 && given.len() != names.len() {
        return invalid(format!(
            "{tolerances} has {} values for {} logs: give one, or one each",
            given.len(),
            names.len()
        ));
    }
    let of = |at: usize| given.get(at).or(given.first()).copied().unwrap_or(0.0);
    Ok(names.into_iter().enumerate().map(|(at, name)| (name, of(at))).collect())
}

/// First log that differs by more than its tolerance; texts must be equal.
fn differing_log<'a>(first: &Run, next: &Run, limits: &'a [(String, f64)]) -> Option<&'a str> {
    let differs = |(name, tolerance): &&(String, f64)| match (first.number(name), next.number(name)) {
        (Some(a), Some(b)) => !((a - b).abs() <= *tolerance),
        _ => first.text(name) != next.text(name),
    };
    limits.iter().find(differs).map(|(name, _)| name.as_str())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, y};
    use crate::value::Value;

    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 2.0, 3.0, 4.0], &[6.0, 15.0, 21.0, 9.0], 1);
        let out = fixture.create("o", "MergeRuns", &[("InputWorkspaces", "a,a".into())]);
        assert_close(&y(&out, 0), &[12.0, 30.0, 42.0, 18.0]);
    }

    #[test]
    fn logs_that_differ_are_merged_as_asked() {
        let fixture = AlgorithmFixture::new();
        for (name, field, start) in [
            ("a", "1350", "2007-11-27T17:10:35"),
            ("b", "1360", "2007-11-27T17:12:30"),
        ] {
            fixture.workspace(name, &[0.0, 1.0], &[2.0], 1);
            for (log, text, kind) in [
                ("field", field, "Number"),
                ("dur", "100", "Number"),
                ("start_time", start, "String"),
            ] {
                let log = [
                    ("LogName", log.into()),
                    ("LogText", text.into()),
                    ("LogType", kind.into()),
                ];
                fixture.run("AddSampleLog", &[&[("Workspace", name.into())][..], &log].concat());
            }
        }
        let merge = |more: &[(&str, Value)]| {
            fixture.try_create(
                "o",
                "MergeRuns",
                &[&[("InputWorkspaces", "a,b".into())][..], more].concat(),
            )
        };
        let text = |more: &[(&str, Value)], log: &str| matrix(&merge(more).unwrap()).run().text(log).unwrap();
        assert_eq!(text(&[("SampleLogsSum", "dur".into())], "dur"), "200");
        assert_eq!(text(&[("SampleLogsList", "field".into())], "field"), "1350, 1360");
        let series = text(&[("SampleLogsTimeSeries", "field".into())], "field");
        assert_eq!(series, "2007-Nov-27 17:10:35  1350\n2007-Nov-27 17:12:30  1360\n");
        let within = merge(&[
            ("SampleLogsFail", "field, dur".into()),
            ("SampleLogsFailTolerances", "10,0".into()),
        ]);
        assert_close(&y(&within.unwrap(), 0), &[4.0]);
        let fail = [
            ("SampleLogsFail", "field".into()),
            ("SampleLogsFailTolerances", 5.0.into()),
        ];
        assert_close(&y(&merge(&fail).unwrap(), 0), &[2.0]);
        let stop = [&fail[..], &[("FailBehaviour", "Stop".into())]].concat();
        assert!(merge(&stop).unwrap_err().to_string().contains("the log field differs"));
        assert_close(
            &y(
                &merge(&[("SampleLogsWarn", "field".into()), ("SampleLogsSum", "none".into())]).unwrap(),
                0,
            ),
            &[4.0],
        );
        assert!(
            merge(&[
                ("SampleLogsFail", "field".into()),
                ("SampleLogsFailTolerances", "1,2,3".into())
            ])
            .is_err()
        );
    }
}
