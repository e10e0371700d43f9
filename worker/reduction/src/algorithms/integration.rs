//! Integration: each spectrum over a range of X, as one bin.
//!
//! Y = Σ fᵢ·sᵢ·yᵢ and E = √(Σ fᵢ²·sᵢ²·eᵢ²) over the bins i in the range. y and e are the signal and its standard
//! deviation; f is 1 for bins wholly in the range and the fraction of the width inside for others (0 without
//! IncludePartialBins); s is the bin's width in the unit of X for distributions, otherwise 1. X holds the edges that
//! were used. Events in the range are counted, E = √(Σ σ²). Source: Mantid's page Integration v1.

use std::sync::Arc;

use live_data_engine::edges::Binning;

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::points_to_edges;
use crate::compute::{Spectrum, build_spectra, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::SharedRow;
use crate::workspace::data::XRows;
use crate::workspace::events::edges_of;

pub(crate) struct Integration;

impl Algorithm for Integration {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "Integration",
            1,
            "Arithmetic;Transforms\\Rebin",
            "Sums the bins of each spectrum over a range of X.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to integrate."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace of one bin for each spectrum.",
        ))
        .with(
            option(
                "RangeLower",
                PropertyKind::Float,
                Value::None,
                "Lower limit of the range; the first X when not given.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "RangeUpper",
                PropertyKind::Float,
                Value::None,
                "Upper limit of the range; the last X when not given.",
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
            "IncludePartialBins",
            PropertyKind::Bool,
            false,
            "Include the fraction of bins that are partly in the range.",
        ))
        .with(
            option(
                "RangeLowerList",
                PropertyKind::Floats,
                Value::None,
                "Lower limits, one for each spectrum; they replace RangeLower.",
            )
            .unit("the unit of X"),
        )
        .with(
            option(
                "RangeUpperList",
                PropertyKind::Floats,
                Value::None,
                "Upper limits, one for each spectrum; they replace RangeUpper.",
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
            let reader = crate::compute::HistogramReader::new(&input, context.cancel)?;
            let points = !input.is_histogram_data();
            let distribution = input.is_distribution();
            let (x, y, e) = build_spectra(count, context.cancel, |index| {
                let (x, y, e) = reader.get(index)?;
                let x: SharedRow = if points { points_to_edges(&x).into() } else { x };
                Ok(integrate(&x, &y, &e, limits(index), partial, distribution))
            })?;
            // Spectra with the same used edges share one row.
            let x = if x.is_common() {
                XRows::Common(x.get(0).cloned().unwrap_or_else(|| Arc::from([0.0, 0.0])))
            } else {
                x
            };
            input.clone().with_histogram(x, y, e)
        };
        context.output("OutputWorkspace", out)
    }
}

/// Limits of the range; the first or last of `x` where a limit is not given.
fn limits_or_ends(x: &[f64], (lower, upper): (Option<f64>, Option<f64>)) -> (f64, f64) {
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
    let (low, high) = limits_or_ends(&x, limits);
    if !(high > low) {
        return failed(format!("the range from {low} to {high} holds no events"));
    }
    let row: SharedRow = [low, high].into();
    let mut one = input.clone();
    one.set_xs(XRows::Common(row.clone()));
    // Refuses a range that is no bin before events are read.
    let _ = Binning::Common(edges_of(&row)?);
    crate::compute::as_histogram(&one, context.cancel)
}

/// Integral of one spectrum with edges `x`.
fn integrate(
    x: &[f64],
    y: &[f64],
    e: &[f64],
    limits: (Option<f64>, Option<f64>),
    partial: bool,
    distribution: bool,
) -> Spectrum {
    let (low, high) = limits_or_ends(x, limits);
    let tolerance = 1e-12 * low.abs().max(high.abs());
    let (mut sum, mut squares) = (0.0, 0.0);
    let (mut from, mut to) = (None, None);
    for ((pair, y), e) in x.windows(2).zip(y).zip(e) {
        let &[a, b] = pair else { continue };
        let width = b - a;
        let scale = if distribution { width } else { 1.0 };
        let is_whole = a >= low - tolerance && b <= high + tolerance;
        let fraction = if is_whole {
            1.0
        } else if partial && width > 0.0 {
            ((b.min(high) - a.max(low)) / width).max(0.0)
        } else {
            0.0
        };
        if fraction > 0.0 {
            sum += y * scale * fraction;
            squares += (e * scale).powi(2) * fraction * if fraction < 1.0 { fraction } else { 1.0 };
            from.get_or_insert(a.max(if partial { low } else { a }));
            to = Some(b.min(if partial { high } else { b }));
        }
    }
    let x: SharedRow = [from.unwrap_or(low), to.unwrap_or(high)].into();
    Spectrum {
        x,
        y: vec![sum],
        e: vec![squares.sqrt()],
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, x, y};

    // Mantid's page Integration v1: 10 spectra of 100 over [0, 20000].
    #[test]
    fn documented_integrals_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("Function", "Flat background".into())]);
        let range = [
            ("InputWorkspace", "s".into()),
            ("StartWorkspaceIndex", 11_i64.into()),
            ("EndWorkspaceIndex", 20_i64.into()),
        ];
        let out = fixture.create("o", "Integration", &range);
        assert_eq!(matrix(&out).histograms(), 10);
        assert_close(&y(&out, 9), &[100.0]);
        assert_close(&x(&out, 0), &[0.0, 20_000.0]);
        assert_eq!(matrix(&out).spectra().number(0), 12);
    }

    #[test]
    fn only_whole_bins_count_unless_shares_are_asked_for() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0, 3.0], &[4.0, 8.0, 16.0], 1);
        let limits = [
            ("InputWorkspace", "w".into()),
            ("RangeLower", 0.5.into()),
            ("RangeUpper", 2.5.into()),
        ];
        let whole = fixture.create("o", "Integration", &limits);
        assert_close(&y(&whole, 0), &[8.0]);
        assert_close(&x(&whole, 0), &[1.0, 2.0]);
        let partial = fixture.create(
            "o",
            "Integration",
            &[&limits[..], &[("IncludePartialBins", true.into())]].concat(),
        );
        assert_close(&y(&partial, 0), &[18.0]);
        assert_close(&e(&partial, 0), &[(4.0_f64 + 64.0 + 64.0).sqrt()]);
        assert!(
            fixture
                .try_create(
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
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        let out = fixture.create(
            "o",
            "Integration",
            &[("InputWorkspace", "s".into()), ("RangeUpper", 20_000.0.into())],
        );
        let s = fixture.service.data.retrieve("s").unwrap();
        assert_eq!(total_counts(&out), total_counts(&s));
    }
}
