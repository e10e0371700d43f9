//! MaxMin: the highest or lowest value of each spectrum over a range of X, with its bin.
//!
//! Promises: of equal values the first bin counts; a spectrum without a number in the range has Y = E = 0 at X = 0.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::{HistogramReader, Spectrum, build_spectra, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::value::Value;

pub(crate) struct MaxMin;

/// End of the range of Y that is searched for.
#[derive(Clone, Copy)]
pub(crate) enum Extreme {
    Highest,
    Lowest,
}

/// Declaration with the properties that MaxMin, Max and Min share.
pub(crate) fn declaration(name: &'static str, summary: &'static str) -> Declaration {
    let at_least_0 = || Validator::AtLeast(0.0);
    Declaration::new(name, 1, "Arithmetic", summary)
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose spectra are searched.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Value, standard deviation and bin of each spectrum's extreme.",
        ))
        .with(
            option(
                "RangeLower",
                PropertyKind::Float,
                Value::None,
                "Lower limit of X; unlimited when not given.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "RangeUpper",
                PropertyKind::Float,
                Value::None,
                "Upper limit of X; unlimited when not given.",
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
            .validator(at_least_0()),
        )
        .with(
            option(
                "EndWorkspaceIndex",
                PropertyKind::Int,
                Value::None,
                "Workspace index of the last spectrum, inclusive.",
            )
            .validator(at_least_0()),
        )
}

impl Algorithm for MaxMin {
    fn declaration(&self) -> Declaration {
        declaration("MaxMin", "Finds the highest or the lowest value of each spectrum.").with(option(
            "ShowMin",
            PropertyKind::Bool,
            false,
            "Lowest values instead of the highest.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let lowest = context.bool("ShowMin")?;
        extremes(context, if lowest { Extreme::Lowest } else { Extreme::Highest })
    }
}

/// Outputs the extreme bin of each spectrum within the properties' ranges.
pub(crate) fn extremes(context: &mut Context<'_>, extreme: Extreme) -> Result<()> {
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
    let reader = HistogramReader::new(&input, context.cancel)?;
    let edges = usize::from(input.is_histogram_data());
    let sign = match extreme {
        Extreme::Highest => 1.0,
        Extreme::Lowest => -1.0,
    };
    let (x, y, e) = build_spectra(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let inside = |bin: &usize| {
            let from = x.get(*bin).copied().unwrap_or(f64::NAN);
            let to = x.get(*bin + edges).copied().unwrap_or(f64::NAN);
            low.is_none_or(|low| from >= low) && high.is_none_or(|high| to <= high)
        };
        let height = |bin: &usize| y.get(*bin).copied().unwrap_or(f64::NAN) * sign;
        let found = (0..y.len())
            .filter(inside)
            .filter(|bin| !height(bin).is_nan())
            // Strictly greater: of equal values the first counts.
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, x, y};

    #[test]
    fn extremes_are_found_with_their_bins() {
        let fixture = AlgorithmFixture::new();
        let edges = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        fixture.workspace("w", &edges, &[3.0, 9.0, 1.0, 9.0, f64::NAN, 5.0, 1.0, 1.0, 2.0, 4.0], 2);
        let input = ("InputWorkspace", "w".into());
        let top = fixture.create("o", "Max", std::slice::from_ref(&input));
        assert_eq!(
            (x(&top, 0), y(&top, 0), e(&top, 0)),
            (vec![1.0, 2.0], vec![9.0], vec![9.0])
        );
        assert_close(&y(&fixture.create("o", "Min", std::slice::from_ref(&input)), 1), &[1.0]);
        let late = [input.clone(), ("RangeLower", 2.0.into()), ("RangeUpper", 4.5.into())];
        let late = fixture.create("o", "MaxMin", &late);
        assert_eq!(
            (x(&late, 0), x(&late, 1), y(&late, 1)),
            (vec![3.0, 4.0], vec![3.0, 4.0], vec![2.0])
        );
        let low = fixture.create(
            "o",
            "MaxMin",
            &[
                input.clone(),
                ("ShowMin", true.into()),
                ("StartWorkspaceIndex", 1_i64.into()),
            ],
        );
        assert_eq!((x(&low, 0), y(&low, 0)), (vec![1.0, 2.0], vec![1.0]));
        let none = fixture.create("o", "Max", &[input.clone(), ("RangeLower", 4.5.into())]);
        assert_close(&y(&none, 0), &[0.0]);
        assert!(
            fixture
                .try_create(
                    "o",
                    "Max",
                    &[input, ("RangeLower", 4.0.into()), ("RangeUpper", 1.0.into())]
                )
                .is_err()
        );
    }
}
