//! ExtractSpectra: some spectra over a range of X; bins are kept whole.
//!
//! Promises: a bin is kept where its edges lie in [XMin, XMax], within 10⁻⁹ of their magnitude; of events, those with X
//! in the range, both limits included. Source: Mantid's page ExtractSpectra v1.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{HistogramReader, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct ExtractSpectra;

impl Algorithm for ExtractSpectra {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ExtractSpectra",
            1,
            "Transforms\\Splitting",
            "Keeps spectra by list or range, and a range of X.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace that holds the spectra.",
        ))
        .with(output("OutputWorkspace", PropertyKind::Matrix, "Selected spectra."))
        .with(
            option(
                "XMin",
                PropertyKind::Float,
                Value::None,
                "Lower limit of X: bins that begin below it are removed.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "XMax",
                PropertyKind::Float,
                Value::None,
                "Upper limit of X: bins that end above it are removed.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "StartWorkspaceIndex",
                PropertyKind::Int,
                0_i64,
                "Workspace index of the first spectrum.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(
            option(
                "EndWorkspaceIndex",
                PropertyKind::Int,
                Value::None,
                "Workspace index of the last spectrum, inclusive; the workspace's last when not given.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "WorkspaceIndexList",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices; they replace the range of indices.",
        ))
        .with(option(
            "DetectorList",
            PropertyKind::Ints,
            Value::None,
            "Detector ids; they replace any indices.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut input = context.matrix("InputWorkspace")?;
        let (detectors, listed) = (context.ints("DetectorList")?, context.ints("WorkspaceIndexList")?);
        let chosen = if !detectors.is_empty() {
            indices::of_detectors(&input, &detectors)
        } else if !listed.is_empty() {
            indices::checked(&input, &listed)?
        } else {
            indices::range(
                &input,
                context.opt_int("StartWorkspaceIndex")?,
                context.opt_int("EndWorkspaceIndex")?,
            )?
        };
        if chosen.is_empty() {
            return invalid("DetectorList: no spectrum holds any of these detectors");
        }
        if chosen.len() != input.histograms() || chosen.iter().enumerate().any(|(at, index)| at != *index) {
            input = input.subset(&chosen)?;
        }
        let out = crop_range(input, context.opt_float("XMin")?, context.opt_float("XMax")?, context)?;
        context.output("OutputWorkspace", out)
    }
}

/// Bins (or points, or events) with X in `[low, high]`; a limit of `None` removes nothing.
///
/// # Errors
/// `Execution` where `low >= high` or no whole bin is in the range.
pub(crate) fn crop_range(
    input: MatrixWorkspace,
    low: Option<f64>,
    high: Option<f64>,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    if low.is_none() && high.is_none() {
        return Ok(input);
    }
    if let (Some(low), Some(high)) = (low, high)
        && low >= high
    {
        return failed("XMin must be less than XMax");
    }
    let histogram = input.is_histogram_data();
    if let Some(events) = input.events() {
        let x = crop_edges(&input, low, high, true)?;
        let plan = events
            .plan()
            .keep(low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        let mut data = events.with_plan(plan);
        data.set_x(x);
        return Ok(input.clone().with_data(WorkspaceData::Events(data)));
    }
    let reader = HistogramReader::new(&input, context.cancel)?;
    let count = input.histograms();
    let cropped = |row: &SharedRow| -> Result<(usize, usize, SharedRow)> {
        let (first, last) = value_range(row, low, high, histogram)?;
        let x = row.get(first..last + usize::from(histogram)).unwrap_or_default();
        Ok((first, last, SharedRow::from(x)))
    };
    let (mut xs, mut ys, mut es) = (
        Vec::with_capacity(count),
        Vec::with_capacity(count),
        Vec::with_capacity(count),
    );
    let mut masked = std::collections::BTreeMap::new();
    let common = match input.xs() {
        XRows::Common(row) => Some(cropped(row)?),
        XRows::PerSpectrum(_) => None,
    };
    for index in 0..count {
        context.check_cancelled()?;
        let (x, y, e) = reader.get(index)?;
        let (first, last, x) = match &common {
            Some(known) => known.clone(),
            None => cropped(&x)?,
        };
        if let Some(bins) = input.masked_bins(index) {
            let kept = bins
                .range(first..last.max(first))
                .map(|(bin, part)| (bin - first, *part));
            masked.insert(index, kept.collect());
        }
        xs.push(x);
        ys.push(Arc::from(y.get(first..last).unwrap_or_default()));
        es.push(Arc::from(e.get(first..last).unwrap_or_default()));
    }
    let mut out = input
        .clone()
        .with_histogram(XRows::each(xs), Rows::new(ys), Rows::new(es));
    out.set_masked_bins(masked);
    Ok(out)
}

fn crop_edges(input: &MatrixWorkspace, low: Option<f64>, high: Option<f64>, histogram: bool) -> Result<XRows> {
    let cropped = |row: &SharedRow| -> Result<SharedRow> {
        let (first, last) = value_range(row, low, high, histogram)?;
        Ok(row.get(first..=last).unwrap_or_default().into())
    };
    match input.xs() {
        XRows::Common(row) => Ok(XRows::Common(cropped(row)?)),
        XRows::PerSpectrum(rows) => Ok(XRows::each(rows.iter().map(cropped).collect::<Result<_>>()?)),
    }
}

/// Half-open range of the bins (or points) of `x` within the limits.
fn value_range(x: &SharedRow, low: Option<f64>, high: Option<f64>, histogram: bool) -> Result<(usize, usize)> {
    let (Some(smallest), Some(largest)) = (x.first(), x.last()) else {
        return Ok((0, 0));
    };
    if low.is_some_and(|low| low > *largest) {
        return failed("XMin is greater than the largest X value");
    }
    if high.is_some_and(|high| high < *smallest) {
        return failed("XMax is less than the smallest X value");
    }
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(b.abs());
    let first = low.map_or(0, |low| x.partition_point(|edge| *edge < low && !near(*edge, low)));
    let after = high.map_or(x.len(), |high| {
        x.partition_point(|edge| *edge <= high || near(*edge, high))
    });
    let last = if histogram { after.saturating_sub(1) } else { after };
    if last <= first {
        return failed("The X range given lies entirely within a single bin");
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix, x};

    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[]);
        let out = fixture.create(
            "o",
            "ExtractSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("XMin", 200.0.into()),
                ("XMax", 1300.0.into()),
                ("WorkspaceIndexList", vec![1_i64, 3, 5].into()),
            ],
        );
        assert_eq!((matrix(&out).histograms(), matrix(&out).blocksize().unwrap()), (3, 5));
        assert_eq!(x(&out, 2).last(), Some(&1200.0));
        assert_eq!(matrix(&out).spectra().numbers(), [2, 4, 6]);
    }

    #[test]
    fn detectors_go_before_indices() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[]);
        let out = fixture.create(
            "o",
            "ExtractSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("DetectorList", vec![103_i64].into()),
                ("WorkspaceIndexList", vec![9_i64].into()),
            ],
        );
        assert_eq!(matrix(&out).spectra().numbers(), [4]);
        assert!(
            fixture
                .try_create(
                    "o",
                    "ExtractSpectra",
                    &[("InputWorkspace", "s".into()), ("DetectorList", vec![7_i64].into())]
                )
                .is_err()
        );
    }
}
