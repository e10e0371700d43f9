//! ExtractSpectra: some spectra, over part of X. Bins are kept whole.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{Reader, indices};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::matrix::Data;

pub(crate) struct ExtractSpectra;

impl Algorithm for ExtractSpectra {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ExtractSpectra",
            1,
            "Transforms\\Splitting",
            "Keeps spectra by list or range, and a range of X.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output("OutputWorkspace", Kind::Matrix, "The spectra that were chosen."))
        .with(
            option(
                "XMin",
                Kind::Float,
                Value::None,
                "Bins that begin before this are left out.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "XMax",
                Kind::Float,
                Value::None,
                "Bins that end after this are left out.",
            )
            .unit("the unit of X"),
        )
        .with(option("StartWorkspaceIndex", Kind::Int, 0_i64, "The first spectrum.").validator(Validator::AtLeast(0.0)))
        .with(
            option(
                "EndWorkspaceIndex",
                Kind::Int,
                Value::None,
                "The last spectrum; all to the end when not given.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "WorkspaceIndexList",
            Kind::Ints,
            Value::None,
            "The spectra by index, instead of the range.",
        ))
        .with(option(
            "DetectorList",
            Kind::Ints,
            Value::None,
            "The spectra by detector id, instead of indices.",
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
        let out = crop(input, context.opt_float("XMin")?, context.opt_float("XMax")?, context)?;
        context.output("OutputWorkspace", out)
    }
}

/// Keeps the bins (or points) that lie wholly between two X.
pub(crate) fn crop(
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
        let x = crop_x(&input, low, high, true)?;
        let plan = events
            .plan()
            .keep(low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
        let mut data = events.with_plan(plan);
        data.set_x(x);
        return Ok(input.clone().with_data(Data::Events(data)));
    }
    let reader = Reader::new(&input, context.cancel)?;
    let count = input.histograms();
    let cut = |row: &Row| slice_of(row, low, high, histogram);
    let (mut xs, mut ys, mut es) = (
        Vec::with_capacity(count),
        Vec::with_capacity(count),
        Vec::with_capacity(count),
    );
    let mut masked = std::collections::BTreeMap::new();
    let common = match input.xs() {
        Xs::Common(row) => {
            let (first, last) = cut(row)?;
            Some((
                first,
                last,
                Row::from(row.get(first..last + usize::from(histogram)).unwrap_or_default()),
            ))
        }
        Xs::Each(_) => None,
    };
    for index in 0..count {
        context.check_cancelled()?;
        let (x, y, e) = reader.get(index)?;
        let (first, last, x) = match &common {
            Some(known) => known.clone(),
            None => {
                let (first, last) = cut(&x)?;
                (
                    first,
                    last,
                    Row::from(x.get(first..last + usize::from(histogram)).unwrap_or_default()),
                )
            }
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
    let mut out = input.clone().with_histogram(Xs::each(xs), Rows::new(ys), Rows::new(es));
    out.set_masked_bins(masked);
    Ok(out)
}

fn crop_x(input: &MatrixWorkspace, low: Option<f64>, high: Option<f64>, histogram: bool) -> Result<Xs> {
    let cut = |row: &Row| -> Result<Row> {
        let (first, last) = slice_of(row, low, high, histogram)?;
        Ok(row.get(first..=last).unwrap_or_default().into())
    };
    match input.xs() {
        Xs::Common(row) => Ok(Xs::Common(cut(row)?)),
        Xs::Each(rows) => Ok(Xs::each(rows.iter().map(cut).collect::<Result<_>>()?)),
    }
}

/// The first and one past the last value of Y that lie in the range.
fn slice_of(x: &Row, low: Option<f64>, high: Option<f64>, histogram: bool) -> Result<(usize, usize)> {
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
    use crate::algorithms::testing::{Bench, m, x};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        bench.sample("s", &[]);
        let out = bench.make(
            "o",
            "ExtractSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("XMin", 200.0.into()),
                ("XMax", 1300.0.into()),
                ("WorkspaceIndexList", vec![1_i64, 3, 5].into()),
            ],
        );
        assert_eq!((m(&out).histograms(), m(&out).blocksize().unwrap()), (3, 5));
        assert_eq!(x(&out, 2).last(), Some(&1200.0));
        assert_eq!(m(&out).spectra().numbers(), [2, 4, 6]);
    }

    #[test]
    fn detectors_go_before_indices() {
        let bench = Bench::new();
        bench.sample("s", &[]);
        let out = bench.make(
            "o",
            "ExtractSpectra",
            &[
                ("InputWorkspace", "s".into()),
                ("DetectorList", vec![103_i64].into()),
                ("WorkspaceIndexList", vec![9_i64].into()),
            ],
        );
        assert_eq!(m(&out).spectra().numbers(), [4]);
        assert!(
            bench
                .try_make(
                    "o",
                    "ExtractSpectra",
                    &[("InputWorkspace", "s".into()), ("DetectorList", vec![7_i64].into())]
                )
                .is_err()
        );
    }
}
