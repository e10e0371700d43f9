//! CreateWorkspace: a workspace from lists of numbers.
//!
//! A spectrum has n = len(DataY) / NSpec values. DataX has n + 1 edges or n points, once for all spectra or once for
//! each.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::unit::Unit;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, SharedRow, XRows};

pub(crate) struct CreateWorkspace;

impl Algorithm for CreateWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateWorkspace",
            1,
            "Utility\\Workspaces",
            "Creates a workspace from lists of X, Y and E.",
        )
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with NSpec spectra.",
        ))
        .with(
            input(
                "DataX",
                PropertyKind::Floats,
                "Edges (one more a spectrum than Y) or points, once for all spectra or once for each.",
            )
            .mandatory(),
        )
        .with(input("DataY", PropertyKind::Floats, "Signal, spectrum after spectrum.").mandatory())
        .with(option(
            "DataE",
            PropertyKind::Floats,
            Value::None,
            "Standard deviations, spectrum after spectrum; zero when not given.",
        ))
        .with(option("NSpec", PropertyKind::Int, 1_i64, "Number of spectra in DataY."))
        .with(option(
            "UnitX",
            PropertyKind::Str,
            "",
            "Unit of X: a unit's id, or any other text as its caption.",
        ))
        .with(option(
            "VerticalAxisUnit",
            PropertyKind::Str,
            "SpectraNumber",
            "Unit of the vertical axis: SpectraNumber, Text or a unit's id.",
        ))
        .with(option(
            "VerticalAxisValues",
            PropertyKind::Strs,
            Value::None,
            "Values of the vertical axis: one for each spectrum, or one more as edges.",
        ))
        .with(option("Distribution", PropertyKind::Bool, false, "Y is per unit of X."))
        .with(option("YUnitLabel", PropertyKind::Str, "", "Label of Y."))
        .with(option(
            "WorkspaceTitle",
            PropertyKind::Str,
            "",
            "Title of the workspace.",
        ))
        .with(option(
            "ParentWorkspace",
            PropertyKind::Matrix,
            Value::None,
            "Workspace whose instrument, logs and unit of X are copied.",
        ))
        .with(option(
            "Dx",
            PropertyKind::Floats,
            Value::None,
            "Not used: the resolution of X is not stored.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (xs, ys, es) = (
            context.floats("DataX")?,
            context.floats("DataY")?,
            context.floats("DataE")?,
        );
        let count = context.opt_int("NSpec")?.unwrap_or(1);
        let Some(count) = usize::try_from(count).ok().filter(|count| *count > 0) else {
            return invalid("Invalid value for NSpec: it must be at least 1");
        };
        if ys.is_empty() || ys.len() % count != 0 {
            return invalid(format!(
                "Number of values of Y ({}) must be divisible by number of spectra ({count})",
                ys.len()
            ));
        }
        if !es.is_empty() && es.len() != ys.len() {
            return failed(format!(
                "Number of Y-values and number of E-values must be equal: {} and {}",
                ys.len(),
                es.len()
            ));
        }
        let bins = ys.len() / count;
        let x = x_rows(&xs, bins, count)?;
        let split = |values: &[f64]| values.chunks(bins).map(Arc::from).collect::<Vec<SharedRow>>();
        let y = Rows::new(split(&ys));
        let e = if es.is_empty() {
            Rows::repeated(vec![0.0; bins].into(), count)
        } else {
            Rows::new(split(&es))
        };
        let mut workspace = match context.opt_matrix("ParentWorkspace")? {
            Some(parent) if parent.histograms() == count => parent.with_histogram(x, y, e),
            Some(parent) => {
                let mut made = MatrixWorkspace::histogram(x, y, e);
                made.run = parent.run.clone();
                made.instrument = parent.instrument.clone();
                made.x_unit = parent.x_unit.clone();
                made
            }
            None => MatrixWorkspace::histogram(x, y, e),
        };
        let unit = context.str("UnitX")?;
        if !unit.is_empty() || !context.given("ParentWorkspace") {
            // A text that is no unit id becomes the caption of a label.
            workspace.x_unit = Unit::from_id(&unit).unwrap_or_else(|| Unit::label(&unit, &unit));
        }
        workspace.distribution = context.bool("Distribution")?;
        let label = context.str("YUnitLabel")?;
        if !label.is_empty() {
            workspace.set_y_unit_label(&label);
        }
        let title = context.str("WorkspaceTitle")?;
        if !title.is_empty() {
            workspace.set_title(&title);
        }
        let values = context.value("VerticalAxisValues")?.to_strs()?;
        let unit = context.str("VerticalAxisUnit")?;
        set_vertical_axis(&mut workspace, &unit, &values, count)?;
        context.output("OutputWorkspace", workspace)
    }
}

fn x_rows(xs: &[f64], bins: usize, count: usize) -> Result<XRows> {
    if xs.len() == bins || xs.len() == bins + 1 {
        return Ok(XRows::Common(Arc::from(xs)));
    }
    if count > 1 && (xs.len() == bins * count || xs.len() == (bins + 1) * count) {
        let length = xs.len() / count;
        return Ok(XRows::PerSpectrum(Arc::new(xs.chunks(length).map(Arc::from).collect())));
    }
    invalid(format!(
        "Number of values of X ({}) does not fit {bins} values of Y: give {bins} points or {} edges, once or for each spectrum",
        xs.len(),
        bins + 1
    ))
}

fn set_vertical_axis(workspace: &mut MatrixWorkspace, unit: &str, values: &[String], count: usize) -> Result<()> {
    if unit == "SpectraNumber" {
        return if values.is_empty() {
            Ok(())
        } else {
            invalid("VerticalAxisValues: the axis of spectrum numbers takes no values: choose another VerticalAxisUnit")
        };
    }
    if values.len() != count && values.len() != count + 1 {
        return invalid(format!(
            "VerticalAxisValues has {} values for {count} spectra",
            values.len()
        ));
    }
    workspace.vertical = if unit == "Text" {
        VerticalAxis::Text(values.into())
    } else {
        let numbers = Value::Strs(values.to_vec()).to_floats()?;
        VerticalAxis::Numeric {
            unit: Unit::from_id(unit).unwrap_or_else(|| Unit::label(unit, "")),
            values: numbers.into(),
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x, y};

    #[test]
    fn lengths_decide_between_edges_and_points() {
        let fixture = AlgorithmFixture::new();
        let edges = fixture.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0, 3.0, 4.0], 2);
        assert!(matrix(&edges).is_histogram_data());
        assert_eq!(matrix(&edges).histograms(), 2);
        assert_close(&y(&edges, 1), &[3.0, 4.0]);
        let points = fixture.workspace("b", &[0.0, 1.0], &[1.0, 2.0], 1);
        assert!(!matrix(&points).is_histogram_data());
        let each = fixture.workspace("c", &[0.0, 1.0, 5.0, 6.0], &[1.0, 2.0], 2);
        assert_close(&x(&each, 1), &[5.0, 6.0]);
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let fixture = AlgorithmFixture::new();
        for (x, y, n) in [
            (vec![0.0; 9], vec![1.0; 3], 1_i64),
            (vec![0.0; 2], vec![1.0; 3], 2),
            (vec![], vec![], 0),
        ] {
            let made = fixture.try_create(
                "a",
                "CreateWorkspace",
                &[("DataX", x.into()), ("DataY", y.into()), ("NSpec", n.into())],
            );
            assert!(made.is_err());
        }
        assert!(fixture.service.data.is_empty());
    }
}
