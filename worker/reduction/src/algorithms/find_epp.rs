//! FindEPP, version 2: the elastic peak of each spectrum by a Gaussian through its highest bin.
//!
//! H·exp(−(x − c)² / (2σ²)) is fitted within 3 widths of the highest bin on each side; a width is the distance between
//! the bins next to the peak's flanks at half its height. The first guess has H = the highest Y, c = its X and σ = width
//! / √(8 ln 2). The unit of c and σ is that of X, the unit of H that of Y; chiSq is χ² by degree of freedom,
//! dimensionless. The fit is Levenberg's and Marquardt's ([`crate::compute::gaussian`]).
//!
//! FitStatus: `success`; `fitFailed`; `narrowPeak` where fewer than three bins are above half the height;
//! `negativeMaximum` where the highest Y is not positive. Source: Mantid's page FindEPP v2.

use crate::algorithm::{Algorithm, Context};
use crate::compute::HistogramReader;
use crate::compute::gaussian::{Gaussian, fit};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::TableWorkspace;

pub(crate) struct FindEPP;

/// Half-width of the fitted range around the highest bin, in widths of the peak at half its height.
const FITTED_WIDTHS: f64 = 3.0;

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
            "Finds the elastic peak of each spectrum by a Gaussian through its highest bin.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace with the elastic peak as the highest of each spectrum."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Table,
            "One row for each spectrum: centre, sigma and height of the peak with standard deviations, and the status of the fit.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let reader = HistogramReader::new(&input, context.cancel)?;
        let mut table = TableWorkspace::default();
        for (kind, name) in COLUMNS {
            table.add_column(kind, name)?;
        }
        for index in 0..input.histograms() {
            context.check_cancelled()?;
            let (x, y, e) = reader.get(index)?;
            let peak = fit_peak(&x, &y, &e);
            if peak.status == FitStatus::NegativeMaximum {
                context.log(
                    LogLevel::Notice,
                    &format!("Negative maximum in spectrum #{index}. Skipping."),
                );
            }
            let mut row = vec![Value::Int(index as i64)];
            row.extend(peak.numbers.map(Value::Float));
            row.push(peak.status.text().into());
            table.add_row(&row)?;
        }
        context.output("OutputWorkspace", table)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum FitStatus {
    Success,
    FitFailed,
    NarrowPeak,
    NegativeMaximum,
}

impl FitStatus {
    /// Text of the column FitStatus.
    fn text(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::FitFailed => "fitFailed",
            Self::NarrowPeak => "narrowPeak",
            Self::NegativeMaximum => "negativeMaximum",
        }
    }
}

/// Row of the table, without its workspace index.
struct PeakRow {
    status: FitStatus,
    /// Centre, sigma and height, each followed by its standard deviation, and χ² by degree of freedom.
    numbers: [f64; 7],
}

/// Peak of one spectrum of edges or points `x`.
fn fit_peak(x: &[f64], y: &[f64], e: &[f64]) -> PeakRow {
    let at = |values: &[f64], index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    let highest = (0..y.len()).rev().max_by(|a, b| at(y, *a).total_cmp(&at(y, *b)));
    let (top, height) = match highest.map(|top| (top, at(y, top))) {
        Some((top, height)) if height > 0.0 => (top, height),
        _ => {
            return PeakRow {
                status: FitStatus::NegativeMaximum,
                numbers: [0.0; 7],
            };
        }
    };
    let low = |index: &usize| at(y, *index) < 0.5 * height;
    // The peak extends to the bins before Y first falls below half the height.
    let right = (top + 1..y.len()).find(low).map_or(x.len() - 1, |index| index - 1);
    let left = (1..top).rev().find(low).map_or(0, |index| index + 1);
    let unfitted = |status| PeakRow {
        status,
        numbers: [at(x, top), 0.0, 0.0, 0.0, height, at(e, top), 0.0],
    };
    if right - left < 2 {
        return unfitted(FitStatus::NarrowPeak);
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
    // As in Mantid, a bin is in the range by its left edge.
    let within = (0..y.len()).filter(|index| (at(x, *index) - centre).abs() <= FITTED_WIDTHS * width);
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
            PeakRow {
                status: FitStatus::Success,
                numbers,
            }
        }
        None => unfitted(FitStatus::FitFailed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close};

    // Mantid's page FindEPP v2: a Gaussian at 6000 µs on left edges, in bins of 10.5 µs over a background of 0.3.
    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        let function = "name=LinearBackground,A0=0.3;name=Gaussian,PeakCentre=6000,Height=5,Sigma=75";
        let sample = [
            ("Function", "User Defined".into()),
            ("UserDefinedFunction", function.into()),
            ("NumBanks", 2_i64.into()),
            ("BankPixelWidth", 1_i64.into()),
            ("XMin", 4005.75.into()),
            ("XMax", 7995.75.into()),
            ("BinWidth", 10.5.into()),
            ("BankDistanceFromSample", 4.0.into()),
        ];
        fixture.sample_workspace("s", &sample);
        let table = fixture
            .create("t", "FindEPP", &[("InputWorkspace", "s".into())])
            .table()
            .unwrap();
        let cell = |name: &str| table.cell(0, table.index_of(name).unwrap()).unwrap();
        assert_eq!(cell("FitStatus").to_text(), "success");
        let numbers = ["PeakCentre", "Height"].map(|name| cell(name).to_float().unwrap());
        assert!(
            (numbers[0] - 6005.25).abs() < 0.005 && (numbers[1] - 4.84).abs() < 0.005,
            "{numbers:?}"
        );
    }

    #[test]
    fn peaks_are_found_and_what_is_none_is_said() {
        let fixture = AlgorithmFixture::new();
        let edges: Vec<f64> = (0..=200).map(|i| 4000.0 + 10.0 * f64::from(i)).collect();
        let peak: Vec<f64> = (0..200)
            .map(|i| 30.0 * (-0.5 * ((4005.0 + 10.0 * f64::from(i) - 5123.0) / 60.0).powi(2)).exp())
            .collect();
        let mut narrow = vec![0.0; 200];
        narrow[20] = 5.0;
        let y = [peak, narrow, vec![-1.0; 200]].concat();
        fixture.workspace_with_errors("w", &edges, &y, &[1.0; 600], 3);
        let table = fixture
            .create("t", "FindEPP", &[("InputWorkspace", "w".into())])
            .table()
            .unwrap();
        let cell = |row: usize, name: &str| table.cell(row, table.index_of(name).unwrap()).unwrap();
        let number = |row: usize, name: &str| cell(row, name).to_float().unwrap();
        let status: Vec<String> = (0..3).map(|row| cell(row, "FitStatus").to_text()).collect();
        assert_eq!(status, ["success", "narrowPeak", "negativeMaximum"]);
        assert_close(
            &[number(0, "PeakCentre"), number(0, "Sigma"), number(0, "Height")],
            &[5123.0, 60.0, 30.0],
        );
        assert!(number(0, "PeakCentreError") > 0.0 && number(0, "chiSq") < 1e-6);
        assert_close(&[number(1, "PeakCentre"), number(1, "Height")], &[4200.0, 5.0]);
        assert_eq!(cell(2, "WorkspaceIndex").to_int().unwrap(), 2);
    }
}
