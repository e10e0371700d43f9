//! FindEPP: the elastic peak of each spectrum, taken to be where it is highest, by a Gaussian through it.

use crate::algorithm::{Algorithm, Context};
use crate::compute::Reader;
use crate::compute::gaussian::{Gaussian, fit};
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;
use crate::service::Level;
use crate::value::Value;
use crate::workspace::Table;

pub(crate) struct FindEPP;

/// What is fitted on each side of the highest point, in widths of the peak at half its height.
const REACH: f64 = 3.0;

const COLUMNS: &[(&str, &str)] = &[
    ("int", "WorkspaceIndex"),
    ("double", "PeakCentre"),
    ("double", "PeakCentreError"),
    ("double", "Sigma"),
    ("double", "SigmaError"),
    ("double", "Height"),
    ("double", "HeightError"),
    ("double", "chiSq"),
    ("str", "FitStatus"),
];

impl Algorithm for FindEPP {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "FindEPP",
            2,
            "Workflow\\MLZ\\TOFTOF;Utility",
            "Finds the elastic peak of each spectrum by a Gaussian through its highest point.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output(
            "OutputWorkspace",
            Kind::Table,
            "One row for each spectrum: centre, width and height of the peak, and how the fit went.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let reader = Reader::new(&input, context.cancel)?;
        let mut table = Table::default();
        for (kind, name) in COLUMNS {
            table.add_column(kind, name)?;
        }
        for index in 0..input.histograms() {
            context.check_cancelled()?;
            let (x, y, e) = reader.get(index)?;
            let (status, numbers) = peak(&x, &y, &e);
            if status == "negativeMaximum" {
                context.log(
                    Level::Notice,
                    &format!("Negative maximum in spectrum #{index}. Skipping."),
                );
            }
            let mut row = vec![Value::Int(index as i64)];
            row.extend(numbers.map(Value::Float));
            row.push(status.into());
            table.add_row(&row)?;
        }
        context.output("OutputWorkspace", table)
    }
}

/// The status, and centre, width, height, each with its uncertainty, and the sum of squares.
fn peak(x: &[f64], y: &[f64], e: &[f64]) -> (&'static str, [f64; 7]) {
    let at = |values: &[f64], index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let highest = (0..y.len()).rev().max_by(|a, b| at(y, *a).total_cmp(&at(y, *b)));
    let (top, height) = match highest.map(|top| (top, at(y, top))) {
        Some((top, height)) if height > 0.0 => (top, height),
        _ => return ("negativeMaximum", [0.0; 7]),
    };
    let low = |index: &usize| at(y, *index) < 0.5 * height;
    // As far as the bins stay above half the height.
    let right = (top + 1..y.len()).find(low).map_or(x.len() - 1, |index| index - 1);
    let left = (1..top).rev().find(low).map_or(0, |index| index + 1);
    let unfitted = [at(x, top), 0.0, 0.0, 0.0, height, at(e, top), 0.0];
    if right - left < 2 {
        return ("narrowPeak", unfitted);
    }
    let width = at(x, right) - at(x, left);
    let centre = at(x, top);
    let guess = Gaussian {
        height,
        centre,
        sigma: width / (8.0 * std::f64::consts::LN_2).sqrt(),
    };
    let middle = |index: usize| match x.get(index + 1) {
        Some(next) if x.len() > y.len() => 0.5 * (at(x, index) + next),
        _ => at(x, index),
    };
    // A bin counts where it begins.
    let within = (0..y.len()).filter(|index| (at(x, *index) - centre).abs() <= REACH * width);
    let within = within.map(|index| (middle(index), at(y, index), at(e, index)));
    match fit(&within.collect::<Vec<_>>(), guess) {
        Some(found) => {
            let (value, error) = (found.value, found.error);
            let numbers = [
                value.centre,
                error.centre,
                value.sigma,
                error.sigma,
                value.height,
                error.height,
                found.chi_squared,
            ];
            ("success", numbers)
        }
        None => ("fitFailed", unfitted),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close};

    #[test]
    fn peaks_are_found_and_what_is_none_is_said() {
        let bench = Bench::new();
        let edges: Vec<f64> = (0..=200).map(|i| 4000.0 + 10.0 * f64::from(i)).collect();
        let peak: Vec<f64> = (0..200)
            .map(|i| 30.0 * (-0.5 * ((4005.0 + 10.0 * f64::from(i) - 5123.0) / 60.0).powi(2)).exp())
            .collect();
        let mut narrow = vec![0.0; 200];
        narrow[20] = 5.0;
        let y = [peak, narrow, vec![-1.0; 200]].concat();
        bench.workspace_with("w", &edges, &y, &[1.0; 600], 3);
        let table = bench
            .make("t", "FindEPP", &[("InputWorkspace", "w".into())])
            .table()
            .unwrap();
        let cell = |row: usize, name: &str| table.cell(row, table.index_of(name).unwrap()).unwrap();
        let number = |row: usize, name: &str| cell(row, name).to_float().unwrap();
        let status: Vec<String> = (0..3).map(|row| cell(row, "FitStatus").to_text()).collect();
        assert_eq!(status, ["success", "narrowPeak", "negativeMaximum"]);
        close(
            &[number(0, "PeakCentre"), number(0, "Sigma"), number(0, "Height")],
            &[5123.0, 60.0, 30.0],
        );
        assert!(number(0, "PeakCentreError") > 0.0 && number(0, "chiSq") < 1e-6);
        close(&[number(1, "PeakCentre"), number(1, "Height")], &[4200.0, 5.0]);
        assert_eq!(cell(2, "WorkspaceIndex").to_int().unwrap(), 2);
    }
}
