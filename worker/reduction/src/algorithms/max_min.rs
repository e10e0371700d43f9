//! MaxMin: the highest, or the lowest, value of each spectrum over a range of X, with its bin.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{Reader, Spectrum, build_spectra, indices};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::value::Value;

pub(crate) struct MaxMin;

/// The properties that MaxMin, Max and Min have in common.
pub(crate) fn declaration(name: &'static str, summary: &'static str) -> Declaration {
    let at_least_0 = || Validator::AtLeast(0.0);
    Declaration::new(name, 1, "Arithmetic", summary)
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "One value for each spectrum, over the bin where it was found.",
        ))
        .with(option("RangeLower", Kind::Float, Value::None, "Where the range begins.").unit("the unit of X"))
        .with(option("RangeUpper", Kind::Float, Value::None, "Where the range ends.").unit("the unit of X"))
        .with(option("StartWorkspaceIndex", Kind::Int, 0_i64, "The first spectrum.").validator(at_least_0()))
        .with(option("EndWorkspaceIndex", Kind::Int, Value::None, "The last spectrum.").validator(at_least_0()))
}

impl Algorithm for MaxMin {
    fn declaration(&self) -> Declaration {
        declaration("MaxMin", "Finds the highest or the lowest value of each spectrum.").with(option(
            "ShowMin",
            Kind::Bool,
            false,
            "The lowest values instead of the highest.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let lowest = context.bool("ShowMin")?;
        extremes(context, lowest)
    }
}

/// The lowest or highest bin of each spectrum.
pub(crate) fn extremes(context: &mut Context<'_>, lowest: bool) -> Result<()> {
    let input = context.matrix("InputWorkspace")?;
    let (low, high) = (context.opt_float("RangeLower")?, context.opt_float("RangeUpper")?);
    if let (Some(low), Some(high)) = (low, high)
        && low > high
    {
        return invalid(format!("RangeLower ({low}) is above RangeUpper ({high})"));
    }
    let (first, last) = (
        context.opt_int("StartWorkspaceIndex")?,
        context.opt_int("EndWorkspaceIndex")?,
    );
    let last = last.map(|last| last.min(input.histograms() as i64 - 1));
    let chosen = indices::range(&input, first, last)?;
    let input = if chosen.len() == input.histograms() {
        input
    } else {
        input.subset(&chosen)?
    };
    let reader = Reader::new(&input, context.cancel)?;
    let edges = usize::from(input.is_histogram_data());
    let (x, y, e) = build_spectra(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let inside = |bin: &usize| {
            let from = x.get(*bin).copied().unwrap_or(f64::NAN);
            let to = x.get(*bin + edges).copied().unwrap_or(f64::NAN);
            low.is_none_or(|low| from >= low) && high.is_none_or(|high| to <= high)
        };
        let height = |bin: &usize| y.get(*bin).copied().unwrap_or(f64::NAN) * if lowest { -1.0 } else { 1.0 };
        let found = (0..y.len())
            .filter(inside)
            .filter(|bin| !height(bin).is_nan())
            // Of equal values the first counts.
            .reduce(|best, bin| if height(&bin) > height(&best) { bin } else { best });
        let Some(bin) = found else {
            return Ok(Spectrum {
                x: Arc::from(vec![0.0; 1 + edges]),
                y: vec![0.0],
                e: vec![0.0],
            });
        };
        let at = |values: &[f64], index: usize| values.get(index).copied().unwrap_or_default();
        Ok(Spectrum {
            x: (bin..=bin + edges).map(|edge| at(&x, edge)).collect(),
            y: vec![at(&y, bin)],
            e: vec![at(&e, bin)],
        })
    })?;
    context.output("OutputWorkspace", input.clone().with_histogram(x, y, e))
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, e, x, y};

    #[test]
    fn extremes_are_found_with_their_bins() {
        let bench = Bench::new();
        let edges = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        bench.workspace("w", &edges, &[3.0, 9.0, 1.0, 9.0, f64::NAN, 5.0, 1.0, 1.0, 2.0, 4.0], 2);
        let input = ("InputWorkspace", "w".into());
        let top = bench.make("o", "Max", std::slice::from_ref(&input));
        assert_eq!(
            (x(&top, 0), y(&top, 0), e(&top, 0)),
            (vec![1.0, 2.0], vec![9.0], vec![9.0])
        );
        close(&y(&bench.make("o", "Min", std::slice::from_ref(&input)), 1), &[1.0]);
        let late = [input.clone(), ("RangeLower", 2.0.into()), ("RangeUpper", 4.5.into())];
        let late = bench.make("o", "MaxMin", &late);
        assert_eq!(
            (x(&late, 0), x(&late, 1), y(&late, 1)),
            (vec![3.0, 4.0], vec![3.0, 4.0], vec![2.0])
        );
        let low = bench.make(
            "o",
            "MaxMin",
            &[
                input.clone(),
                ("ShowMin", true.into()),
                ("StartWorkspaceIndex", 1_i64.into()),
            ],
        );
        assert_eq!((x(&low, 0), y(&low, 0)), (vec![1.0, 2.0], vec![1.0]));
        let none = bench.make("o", "Max", &[input.clone(), ("RangeLower", 4.5.into())]);
        close(&y(&none, 0), &[0.0]);
        assert!(
            bench
                .try_make(
                    "o",
                    "Max",
                    &[input, ("RangeLower", 4.0.into()), ("RangeUpper", 1.0.into())]
                )
                .is_err()
        );
    }
}
