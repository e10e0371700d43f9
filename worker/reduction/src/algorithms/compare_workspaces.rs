//! CompareWorkspaces: whether two workspaces are the same within a tolerance, and the first thing in which they differ.

use crate::algorithm::{Algorithm, Context};
use crate::compute::Reader;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::Result;
use crate::service::Level;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;

pub(crate) struct CompareWorkspaces;

impl Algorithm for CompareWorkspaces {
    fn declaration(&self) -> Declaration {
        let flag = |name, document| option(name, Kind::Bool, true, document);
        Declaration::new(
            "CompareWorkspaces",
            1,
            "Utility\\Workspaces",
            "Tells whether two workspaces are the same.",
        )
        .with(input("Workspace1", Kind::Matrix, "One workspace."))
        .with(input("Workspace2", Kind::Matrix, "The other workspace."))
        .with(output("Result", Kind::Bool, "Whether they are the same."))
        .with(output("Messages", Kind::Strs, "In what they differ: a table of texts."))
        .with(
            option("Tolerance", Kind::Float, 1e-10, "How far numbers may be apart.").validator(Validator::AtLeast(0.0)),
        )
        .with(flag("CheckType", "Whether both must be histograms, or events."))
        .with(flag("CheckAxes", "Whether axes must agree."))
        .with(flag(
            "CheckSpectraMap",
            "Whether spectra's numbers and detectors must agree.",
        ))
        .with(flag("CheckInstrument", "Whether instruments must agree."))
        .with(flag("CheckMasking", "Whether masks must agree."))
        .with(option(
            "CheckSample",
            Kind::Bool,
            false,
            "Whether charge and names of logs must agree.",
        ))
        .with(option(
            "ToleranceRelErr",
            Kind::Bool,
            false,
            "Whether the tolerance is relative.",
        ))
        .with(option(
            "CheckAllData",
            Kind::Bool,
            false,
            "Whether every spectrum that differs is named.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (a, b) = (context.matrix("Workspace1")?, context.matrix("Workspace2")?);
        let mut messages = properties(&a, &b, context)?;
        if messages.is_empty() {
            messages = data(&a, &b, context)?;
        }
        let level = if messages.is_empty() {
            Level::Notice
        } else {
            Level::Warning
        };
        let words = if messages.is_empty() {
            "the workspaces match".to_owned()
        } else {
            messages.join("; ")
        };
        context.log(level, &words);
        context.output_value("Result", Value::Bool(messages.is_empty()))?;
        context.output_value("Messages", Value::Strs(messages))
    }
}

/// What differs in one respect, within a tolerance.
type Check = fn(&MatrixWorkspace, &MatrixWorkspace, f64) -> Option<&'static str>;

/// What differs besides the data: one text at most.
fn properties(a: &MatrixWorkspace, b: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<String>> {
    let checks: [(&str, Check); 6] = [
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
            && let Some(words) = check(a, b, tolerance)
        {
            return Ok(vec![words.to_owned()]);
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

/// In which spectra X, Y or E differ: one text, or one for each with CheckAllData.
fn data(a: &MatrixWorkspace, b: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<String>> {
    let tolerance = context.float("Tolerance")?;
    let relative = context.bool("ToleranceRelErr")?;
    let all = context.bool("CheckAllData")?;
    let far = |(a, b): (&f64, &f64)| {
        let scale = if relative { 0.5 * (a.abs() + b.abs()) } else { 1.0 };
        (a - b).abs() > tolerance * scale || a.is_nan() != b.is_nan()
    };
    let differ = |a: &[f64], b: &[f64]| a.iter().zip(b).any(far);
    let (left, right) = (Reader::new(a, context.cancel)?, Reader::new(b, context.cancel)?);
    let mut messages = Vec::new();
    for index in 0..a.histograms() {
        context.check_cancelled()?;
        let ((x, y, e), (x2, y2, e2)) = (left.get(index)?, right.get(index)?);
        if y.len() != y2.len() {
            messages.push("Size mismatch".to_owned());
        } else if x.len() != x2.len() {
            messages.push("Histogram/point-like mismatch".to_owned());
        } else if differ(&x, &x2) || differ(&y, &y2) || differ(&e, &e2) {
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
    use crate::algorithms::testing::Bench;
    use crate::value::Value;

    fn verdict(bench: &Bench, properties: &[(&str, Value)]) -> (bool, String) {
        let mut call = vec![("Workspace1", "a".into()), ("Workspace2", "b".into())];
        call.extend(properties.iter().cloned());
        let out = bench.run("CompareWorkspaces", &call);
        let messages = out.get("Messages").unwrap().to_strs().unwrap();
        (out.get("Result").unwrap().to_bool().unwrap(), messages.join(","))
    }

    #[test]
    fn the_first_difference_is_said() {
        let bench = Bench::new();
        let small = [("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())];
        bench.sample("a", &small);
        let says = |change: &dyn Fn(&Bench), words: &str| {
            bench.sample("b", &small);
            change(&bench);
            assert_eq!(verdict(&bench, &[]), (words.is_empty(), words.to_owned()));
        };
        says(&|_| (), "");
        says(
            &|bench| drop(bench.make("b", "Scale", &[("InputWorkspace", "b".into()), ("Factor", 2.0.into())])),
            "Data mismatch",
        );
        says(
            &|bench| drop(bench.sample("b", &[("NumBanks", 1_i64.into())])),
            "Mismatched number of histograms.",
        );
        says(
            &|bench| drop(bench.run("ConvertToDistribution", &[("Workspace", "b".into())])),
            "Distribution flag mismatch",
        );
        says(
            &|bench| {
                drop(bench.run(
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
        says(
            &|bench| drop(bench.run("MoveInstrumentComponent", &moved)),
            "DetectorInfo mismatch",
        );
        let events = [
            ("NumBanks", 1_i64.into()),
            ("BankPixelWidth", 2_i64.into()),
            ("WorkspaceType", "Event".into()),
        ];
        says(
            &|bench| drop(bench.sample("b", &events)),
            "One workspace is an EventWorkspace and the other is not.",
        );
    }

    #[test]
    fn tolerances_and_switches_are_kept_to() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[10.0, f64::NAN, 10.0, 7.0], 2);
        bench.workspace("b", &[0.0, 1.0, 2.0], &[10.5, f64::NAN, 10.0, 7.5], 2);
        assert_eq!(verdict(&bench, &[]), (false, "Data mismatch".to_owned()));
        assert!(verdict(&bench, &[("Tolerance", 0.6.into())]).0);
        assert!(verdict(&bench, &[("Tolerance", 0.1.into()), ("ToleranceRelErr", true.into())]).0);
        let all = verdict(&bench, &[("CheckAllData", true.into())]).1;
        assert_eq!(all, "Data mismatch in spectrum 0,Data mismatch in spectrum 1");
        let unit = [
            ("DataX", vec![0.0, 1.0].into()),
            ("DataY", vec![1.0].into()),
            ("UnitX", "TOF".into()),
        ];
        bench.workspace("a", &[0.0, 1.0], &[1.0], 1);
        bench.make("b", "CreateWorkspace", &unit);
        assert_eq!(verdict(&bench, &[]).1, "Axis 0 unit mismatch");
    }
}
