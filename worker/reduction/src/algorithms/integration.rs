//! Integration: each spectrum over a range of X, as one bin.

use std::sync::Arc;

use live_data_engine::edges::Binning;

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::points_to_edges;
use crate::compute::{Spectrum, build_spectra, indices};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::Row;
use crate::workspace::data::Xs;
use crate::workspace::events::edges_of;

pub(crate) struct Integration;

impl Algorithm for Integration {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "Integration",
            1,
            "Arithmetic;Transforms\\Rebin",
            "Adds up the bins of each spectrum over a range of X.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace to integrate."))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "A workspace of one bin for each spectrum.",
        ))
        .with(
            option(
                "RangeLower",
                Kind::Float,
                Value::None,
                "Where the range begins; at the first X when not given.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "RangeUpper",
                Kind::Float,
                Value::None,
                "Where the range ends; at the last X when not given.",
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
            "IncludePartialBins",
            Kind::Bool,
            false,
            "Count the share of bins that are partly in the range.",
        ))
        .with(
            option(
                "RangeLowerList",
                Kind::Floats,
                Value::None,
                "Where the range of each spectrum begins.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "RangeUpperList",
                Kind::Floats,
                Value::None,
                "Where the range of each spectrum ends.",
            )
            .unit("the unit of X"),
        )
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        let lower = context.opt_float("RangeLower").ok().flatten();
        let upper = context.opt_float("RangeUpper").ok().flatten();
        match (lower, upper) {
            (Some(a), Some(b)) if a > b => vec![
                (
                    "RangeLower",
                    "Lower integration limit is greater than upper limit.".to_owned(),
                ),
                (
                    "RangeUpper",
                    "Lower integration limit is greater than upper limit.".to_owned(),
                ),
            ],
            _ => Vec::new(),
        }
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let last = context
            .opt_int("EndWorkspaceIndex")?
            .map(|end| end.min(input.histograms() as i64 - 1));
        let chosen = indices::range(&input, context.opt_int("StartWorkspaceIndex")?, last)?;
        let input = if chosen.len() == input.histograms() {
            input
        } else {
            input.subset(&chosen)?
        };
        let (lowers, uppers) = (context.floats("RangeLowerList")?, context.floats("RangeUpperList")?);
        let count = input.histograms();
        for list in [&lowers, &uppers] {
            if !list.is_empty() && list.len() != count {
                return invalid(format!("a range list has {} values for {count} spectra", list.len()));
            }
        }
        let (lower, upper) = (context.opt_float("RangeLower")?, context.opt_float("RangeUpper")?);
        let limits = |index: usize| {
            (
                lowers.get(index).copied().or(lower),
                uppers.get(index).copied().or(upper),
            )
        };
        if (0..count).any(|index| matches!(limits(index), (Some(a), Some(b)) if a > b)) {
            return failed("Lower integration limit is greater than upper limit.");
        }
        let partial = context.bool("IncludePartialBins")?;
        let out = if input.is_events() && lowers.is_empty() && uppers.is_empty() && input.is_common_bins() {
            integrate_events(&input, limits(0), context)?
        } else {
            let reader = crate::compute::Reader::new(&input, context.cancel)?;
            let points = !input.is_histogram_data();
            let distribution = input.is_distribution();
            let (x, y, e) = build_spectra(count, context.cancel, |index| {
                let (x, y, e) = reader.get(index)?;
                let x: Row = if points { points_to_edges(&x).into() } else { x };
                Ok(integrate(&x, &y, &e, limits(index), partial, distribution))
            })?;
            // One row for all, where the edges that were used agree.
            let x = if x.is_common() {
                Xs::Common(x.get(0).cloned().unwrap_or_else(|| Arc::from([0.0, 0.0])))
            } else {
                x
            };
            input.clone().with_histogram(x, y, e)
        };
        context.output("OutputWorkspace", out)
    }
}

/// The range cut to X: what is not given or lies outside is the first or last X.
fn cut(x: &[f64], (lower, upper): (Option<f64>, Option<f64>)) -> (f64, f64) {
    let (first, last) = (
        x.first().copied().unwrap_or_default(),
        x.last().copied().unwrap_or_default(),
    );
    (lower.unwrap_or(first), upper.unwrap_or(last))
}

fn integrate_events(
    input: &MatrixWorkspace,
    limits: (Option<f64>, Option<f64>),
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let x = input.x(0)?;
    let (low, high) = cut(&x, limits);
    if !(high > low) {
        return failed(format!("the range from {low} to {high} holds no events"));
    }
    let row: Row = [low, high].into();
    let mut one = input.clone();
    one.set_xs(Xs::Common(row.clone()));
    // Checked here, so that a range that is no bin is named before anything is computed.
    let _ = Binning::Common(edges_of(&row)?);
    crate::compute::as_histogram(&one, context.cancel)
}

fn integrate(
    x: &[f64],
    y: &[f64],
    e: &[f64],
    limits: (Option<f64>, Option<f64>),
    partial: bool,
    distribution: bool,
) -> Spectrum {
    let (low, high) = cut(x, limits);
    let tolerance = 1e-12 * low.abs().max(high.abs());
    let (mut sum, mut squares) = (0.0, 0.0);
    let (mut from, mut to) = (None, None);
    for ((pair, y), e) in x.windows(2).zip(y).zip(e) {
        let &[a, b] = pair else { continue };
        let width = b - a;
        let scale = if distribution { width } else { 1.0 };
        let whole = a >= low - tolerance && b <= high + tolerance;
        let share = if whole {
            1.0
        } else if partial && width > 0.0 {
            ((b.min(high) - a.max(low)) / width).max(0.0)
        } else {
            0.0
        };
        if share > 0.0 {
            sum += y * scale * share;
            squares += (e * scale).powi(2) * share * if share < 1.0 { share } else { 1.0 };
            from.get_or_insert(a.max(if partial { low } else { a }));
            to = Some(b.min(if partial { high } else { b }));
        }
    }
    let x: Row = [from.unwrap_or(low), to.unwrap_or(high)].into();
    Spectrum {
        x,
        y: vec![sum],
        e: vec![squares.sqrt()],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, total, x, y};

    #[test]
    fn documented_integrals_come_out() {
        let bench = Bench::new();
        bench.sample("s", &[("Function", "Flat background".into())]);
        let range = [
            ("InputWorkspace", "s".into()),
            ("StartWorkspaceIndex", 11_i64.into()),
            ("EndWorkspaceIndex", 20_i64.into()),
        ];
        let out = bench.make("o", "Integration", &range);
        assert_eq!(m(&out).histograms(), 10);
        close(&y(&out, 9), &[100.0]);
        close(&x(&out, 0), &[0.0, 20_000.0]);
        assert_eq!(m(&out).spectra().number(0), 12);
    }

    #[test]
    fn only_whole_bins_count_unless_shares_are_asked_for() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0, 3.0], &[4.0, 8.0, 16.0], 1);
        let limits = [
            ("InputWorkspace", "w".into()),
            ("RangeLower", 0.5.into()),
            ("RangeUpper", 2.5.into()),
        ];
        let whole = bench.make("o", "Integration", &limits);
        close(&y(&whole, 0), &[8.0]);
        close(&x(&whole, 0), &[1.0, 2.0]);
        let partial = bench.make(
            "o",
            "Integration",
            &[&limits[..], &[("IncludePartialBins", true.into())]].concat(),
        );
        close(&y(&partial, 0), &[18.0]);
        close(&e(&partial, 0), &[(4.0_f64 + 64.0 + 64.0).sqrt()]);
        assert!(
            bench
                .try_make(
                    "o",
                    "Integration",
                    &[
                        ("InputWorkspace", "w".into()),
                        ("RangeLower", 3.0.into()),
                        ("RangeUpper", 1.0.into())
                    ]
                )
                .is_err()
        );
    }

    #[test]
    fn events_are_one_bin_with_all_that_lie_in_it() {
        let bench = Bench::new();
        bench.sample("s", &[("WorkspaceType", "Event".into())]);
        let out = bench.make(
            "o",
            "Integration",
            &[("InputWorkspace", "s".into()), ("RangeUpper", 20_000.0.into())],
        );
        let s = bench.service.data.retrieve("s").unwrap();
        assert_eq!(total(&out), total(&s));
    }
}
