//! CompareWorkspaces: equality of two workspaces within a tolerance, and the first difference.
//!
//! Two numbers a and b match where |a − b| ≤ t, with t the Tolerance in the unit of the numbers. With ToleranceRelErr
//! they match where |a − b| ≤ t·(|a| + |b|)/2, with t dimensionless. Two NaN match. Source: Mantid's page
//! CompareWorkspaces v1.

use crate::algorithm::{Algorithm, Context};
use crate::compute::HistogramReader;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::Result;
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;

pub(crate) struct CompareWorkspaces;

impl Algorithm for CompareWorkspaces {
    fn declaration(&self) -> Declaration {
        let flag = |name, document| option(name, PropertyKind::Bool, true, document);
        Declaration::new(
            "CompareWorkspaces",
            1,
            "Utility\\Workspaces",
            "Compares two workspaces within a tolerance.",
        )
        .with(input("Workspace1", PropertyKind::Matrix, "First workspace."))
        .with(input("Workspace2", PropertyKind::Matrix, "Second workspace."))
        .with(output("Result", PropertyKind::Bool, "True if the workspaces match."))
        .with(output("Messages", PropertyKind::Strs, "Differences, one text each."))
        .with(
            option(
                "Tolerance",
                PropertyKind::Float,
                1e-10,
                "Largest difference of two numbers that match.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(flag(
            "CheckType",
            "Require both to be histograms, or events of one type.",
        ))
        .with(flag("CheckAxes", "Require equal units and axes."))
        .with(flag("CheckSpectraMap", "Require equal spectrum numbers and detectors."))
        .with(flag(
            "CheckInstrument",
            "Require equal instruments: name, detector ids and positions.",
        ))
        .with(flag("CheckMasking", "Require equal masks of detectors."))
        .with(option(
            "CheckSample",
            PropertyKind::Bool,
            false,
            "Require equal proton charge and names of logs.",
        ))
        .with(option(
            "ToleranceRelErr",
            PropertyKind::Bool,
            false,
            "Take the tolerance as a fraction of the mean of both magnitudes.",
        ))
        .with(option(
            "CheckAllData",
            PropertyKind::Bool,
            false,
            "Report every spectrum that differs, not only the first difference.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (a, b) = (context.matrix("Workspace1")?, context.matrix("Workspace2")?);
        let mut messages = property_differences(&a, &b, context)?;
        if messages.is_empty() {
            messages = data_differences(&a, &b, context)?;
        }
        let level = if messages.is_empty() {
            LogLevel::Notice
        } else {
            LogLevel::Warning
        };
        let text = if messages.is_empty() {
            "the workspaces match".to_owned()
        } else {
            messages.join("; ")
        };
        context.log(level, &text);
        context.output_value("Result", Value::Bool(messages.is_empty()))?;
        context.output_value("Messages", Value::Strs(messages))
    }
}

/// Comparison of one aspect within a tolerance: the difference, or `None` where both match.
type Comparison = fn(&MatrixWorkspace, &MatrixWorkspace, f64) -> Option<&'static str>;

/// First difference apart from the data: one text at most.
fn property_differences(a: &MatrixWorkspace, b: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<String>> {
    let checks: [(&str, Comparison); 6] = [
        ("CheckType", kinds),
        ("CheckAxes", axes),
        ("CheckSpectraMap", spectra),
        ("CheckInstrument", instruments),
        ("CheckMasking", masks),
        ("CheckSample", logs),
    ];
    let tolerance = context.float("Tolerance")?;
    if a.histograms() != b.histograms() {
        return Ok(vec!["Mismatched number of histograms.".to_owned()]);
    }
    for (name, check) in checks {
        if context.bool(name)?
            && let Some(text) = check(a, b, tolerance)
        {
            return Ok(vec![text.to_owned()]);
        }
    }
    Ok(Vec::new())
}

fn kinds(a: &MatrixWorkspace, b: &MatrixWorkspace, _: f64) -> Option<&'static str> {
    if a.is_events() != b.is_events() {
        return Some("One workspace is an EventWorkspace and the other is not.");
    }
    let events = a.events().zip(b.events());
    events
        .is_some_and(|(a, b)| a.kind() != b.kind())
        .then_some("Mismatched type of events in the EventWorkspaces.")
}

fn axes(a: &MatrixWorkspace, b: &MatrixWorkspace, tolerance: f64) -> Option<&'static str> {
    if a.x_unit().id() != b.x_unit().id() {
        return Some("Axis 0 unit mismatch");
    }
    if a.y_unit() != b.y_unit() {
        return Some("YUnit mismatch");
    }
    if a.is_distribution() != b.is_distribution() {
        return Some("Distribution flag mismatch");
    }
    match (a.vertical(), b.vertical()) {
        (VerticalAxis::Spectra, VerticalAxis::Spectra) => None,
        (VerticalAxis::Text(a), VerticalAxis::Text(b)) => (a != b).then_some("Axis 1 values mismatch"),
        (
            VerticalAxis::Numeric { unit, values },
            VerticalAxis::Numeric {
                unit: other,
                values: others,
            },
        ) => {
            let near = |(a, b): (&f64, &f64)| !((a - b).abs() > tolerance);
            if unit.id() != other.id() {
                return Some("Axis 1 unit mismatch");
            }
            let same = values.len() == others.len() && values.iter().zip(others.iter()).all(near);
            (!same).then_some("Axis 1 values mismatch")
        }
        _ => Some("Axis 1 type mismatch"),
    }
}

fn spectra(a: &MatrixWorkspace, b: &MatrixWorkspace, _: f64) -> Option<&'static str> {
    for index in 0..a.histograms() {
        if a.spectra().number(index) != b.spectra().number(index) {
            return Some("Spectrum number mismatch");
        }
        if a.spectra().detectors(index) != b.spectra().detectors(index) {
            return Some("Detector IDs mismatch");
        }
    }
    None
}

fn instruments(a: &MatrixWorkspace, b: &MatrixWorkspace, _: f64) -> Option<&'static str> {
    let (a, b) = (a.instrument(), b.instrument());
    if a.name != b.name {
        return Some("Instrument name mismatch");
    }
    let near = a.detectors.len() == b.detectors.len()
        && a.detectors
            .iter()
            .zip(&b.detectors)
            .all(|(a, b)| a.id == b.id && (a.position - b.position).norm() <= 1e-9);
    (!near).then_some("DetectorInfo mismatch")
}

fn masks(a: &MatrixWorkspace, b: &MatrixWorkspace, _: f64) -> Option<&'static str> {
    (a.masked_detectors() != b.masked_detectors()).then_some("Masking mismatch")
}

fn logs(a: &MatrixWorkspace, b: &MatrixWorkspace, tolerance: f64) -> Option<&'static str> {
    if (a.run().proton_charge() - b.run().proton_charge()).abs() > tolerance {
        return Some("Proton charge mismatch");
    }
    let sorted = |workspace: &MatrixWorkspace| {
        let mut names: Vec<String> = workspace.run().names().into_iter().map(str::to_owned).collect();
        names.sort_unstable();
        names
    };
    (sorted(a) != sorted(b)).then_some("Different numbers of logs")
}

/// Spectra whose X, Y or E differ: one text for the first, or one for each with CheckAllData.
fn data_differences(a: &MatrixWorkspace, b: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<String>> {
    let tolerance = context.float("Tolerance")?;
    let relative = context.bool("ToleranceRelErr")?;
    let all = context.bool("CheckAllData")?;
    let differs = |(a, b): (&f64, &f64)| {
        let scale = if relative { 0.5 * (a.abs() + b.abs()) } else { 1.0 };
        (a - b).abs() > tolerance * scale || a.is_nan() != b.is_nan()
    };
    let any_differs = |a: &[f64], b: &[f64]| a.iter().zip(b).any(differs);
    let (left, right) = (
        HistogramReader::new(a, context.cancel)?,
        HistogramReader::new(b, context.cancel)?,
    );
    let mut messages = Vec::new();
    for index in 0..a.histograms() {
        context.check_cancelled()?;
        let ((x, y, e), (x2, y2, e2)) = (left.get(index)?, right.get(index)?);
        if y.len() != y2.len() {
            messages.push("Size mismatch".to_owned());
        } else if x.len() != x2.len() {
            messages.push("Histogram/point-like mismatch".to_owned());
        } else if any_differs(&x, &x2) || any_differs(&y, &y2) || any_differs(&e, &e2) {
            messages.push(if all {
                format!("Data mismatch in spectrum {index}")
            } else {
                "Data mismatch".to_owned()
            });
        } else {
            continue;
        }
        if !all {
            break;
        }
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;
    use crate::value::Value;

    fn compare(fixture: &AlgorithmFixture, properties: &[(&str, Value)]) -> (bool, String) {
        let mut call = vec![("Workspace1", "a".into()), ("Workspace2", "b".into())];
        call.extend(properties.iter().cloned());
        let out = fixture.run("CompareWorkspaces", &call);
        let messages = out.get("Messages").unwrap().to_strs().unwrap();
        (out.get("Result").unwrap().to_bool().unwrap(), messages.join(","))
    }

    #[test]
    fn the_first_difference_is_said() {
        let fixture = AlgorithmFixture::new();
        let small = [("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())];
        fixture.sample_workspace("a", &small);
        let expect_message = |change: &dyn Fn(&AlgorithmFixture), words: &str| {
            fixture.sample_workspace("b", &small);
            change(&fixture);
            assert_eq!(compare(&fixture, &[]), (words.is_empty(), words.to_owned()));
        };
        expect_message(&|_| (), "");
        expect_message(
            &|fixture| drop(fixture.create("b", "Scale", &[("InputWorkspace", "b".into()), ("Factor", 2.0.into())])),
            "Data mismatch",
        );
        expect_message(
            &|fixture| drop(fixture.sample_workspace("b", &[("NumBanks", 1_i64.into())])),
            "Mismatched number of histograms.",
        );
        expect_message(
            &|fixture| drop(fixture.run("ConvertToDistribution", &[("Workspace", "b".into())])),
            "Distribution flag mismatch",
        );
        expect_message(
            &|fixture| {
                drop(fixture.run(
                    "MaskDetectors",
                    &[("Workspace", "b".into()), ("DetectorList", "5".into())],
                ))
            },
            "Masking mismatch",
        );
        let moved = [
            ("Workspace", "b".into()),
            ("ComponentName", "bank1".into()),
            ("X", 1.0.into()),
        ];
        expect_message(
            &|fixture| drop(fixture.run("MoveInstrumentComponent", &moved)),
            "DetectorInfo mismatch",
        );
        let events = [
            ("NumBanks", 1_i64.into()),
            ("BankPixelWidth", 2_i64.into()),
            ("WorkspaceType", "Event".into()),
        ];
        expect_message(
            &|fixture| drop(fixture.sample_workspace("b", &events)),
            "One workspace is an EventWorkspace and the other is not.",
        );
    }

    #[test]
    fn tolerances_and_switches_are_kept_to() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 2.0], &[10.0, f64::NAN, 10.0, 7.0], 2);
        fixture.workspace("b", &[0.0, 1.0, 2.0], &[10.5, f64::NAN, 10.0, 7.5], 2);
        assert_eq!(compare(&fixture, &[]), (false, "Data mismatch".to_owned()));
        assert!(compare(&fixture, &[("Tolerance", 0.6.into())]).0);
        assert!(compare(&fixture, &[("Tolerance", 0.1.into()), ("ToleranceRelErr", true.into())]).0);
        let all = compare(&fixture, &[("CheckAllData", true.into())]).1;
        assert_eq!(all, "Data mismatch in spectrum 0,Data mismatch in spectrum 1");
        let unit = [
            ("DataX", vec![0.0, 1.0].into()),
            ("DataY", vec![1.0].into()),
            ("UnitX", "TOF".into()),
        ];
        fixture.workspace("a", &[0.0, 1.0], &[1.0], 1);
        fixture.create("b", "CreateWorkspace", &unit);
        assert_eq!(compare(&fixture, &[]).1, "Axis 0 unit mismatch");
    }
}
