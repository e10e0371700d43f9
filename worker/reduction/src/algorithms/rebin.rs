//! Rebin: other bins. Events keep their values and only X is replaced, unless PreserveEvents is off; then they become
//! counts, which are computed when Y is read.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::{EdgeOptions, check_params, edges, edges_to_points, points_to_edges, rebin};
use crate::compute::{Reader, as_histogram, build_rows};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::Result;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Xs};
use crate::workspace::matrix::MaskedBins;

pub(crate) struct Rebin;

pub(crate) fn params_property(document: &'static str) -> crate::declaration::Property {
    input("Params", Kind::Floats, document)
        .mandatory()
        .validator(Validator::Check(|value: &Value| {
            check_params(&value.to_floats().unwrap_or_default())
        }))
}

impl Algorithm for Rebin {
    fn declaration(&self) -> Declaration {
        Declaration::new("Rebin", 1, "Transforms\\Rebin", "Puts data into other bins.")
            .with(input("InputWorkspace", Kind::Matrix, "The workspace to rebin."))
            .with(output("OutputWorkspace", Kind::Matrix, "The rebinned workspace."))
            .with(params_property("First edge, width, edge, width, edge …; a negative width is a fraction of the edge (logarithmic); one width alone spans all of X.").unit("the unit of X"))
            .with(option("PreserveEvents", Kind::Bool, true, "Keep events as events, and replace X only."))
            .with(option("FullBinsOnly", Kind::Bool, false, "Leave out a last bin that is narrower than the width."))
            .with(option("IgnoreBinErrors", Kind::Bool, false, "Do not fail when X of the input does not increase."))
            .with(option("UseReverseLogarithmic", Kind::Bool, false, "Logarithmic widths grow from the upper bound down."))
            .with(option("Power", Kind::Float, 0.0, "The i-th width is the width divided by i to this power.").validator(Validator::Between(0.0, 1.0)))
            .with(option("BinningMode", Kind::Str, "Default", "How to read the width, whatever its sign.")
                .validator(Validator::OneOf(&["Default", "Linear", "Logarithmic", "ReverseLogarithmic", "Power"])))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let mut options = EdgeOptions {
            full_bins_only: context.bool("FullBinsOnly")?,
            reverse_logarithmic: context.bool("UseReverseLogarithmic")?,
            power: context.float("Power")?,
        };
        let mut params = context.floats("Params")?;
        let mode = context.str("BinningMode")?;
        let sign = match mode.as_str() {
            "Linear" | "Power" => Some(1.0),
            "Logarithmic" | "ReverseLogarithmic" => Some(-1.0),
            _ => None,
        };
        if mode != "Default" {
            options.reverse_logarithmic = mode == "ReverseLogarithmic";
            options.power = if mode == "Power" { options.power } else { 0.0 };
        }
        if let Some(sign) = sign {
            let single = params.len() == 1;
            for (index, value) in params.iter_mut().enumerate() {
                if single || index % 2 == 1 {
                    *value = sign * value.abs();
                }
            }
        }
        let made: Row = edges(&params, x_range(&input), options)?.into();
        let ignore = context.bool("IgnoreBinErrors")?;
        let out = if input.is_events() {
            let mut out = input;
            out.set_xs(Xs::Common(made));
            if context.bool("PreserveEvents")? {
                out
            } else {
                as_histogram(&out, context.cancel)?
            }
        } else {
            rebin_to(&input, |_| Ok(made.clone()), ignore, context)?
        };
        context.output("OutputWorkspace", out)
    }
}

/// The smallest and the largest X of all spectra.
pub(crate) fn x_range(workspace: &MatrixWorkspace) -> Option<(f64, f64)> {
    let of = |row: &Row| Some((*row.first()?, *row.last()?));
    match workspace.xs() {
        Xs::Common(row) => of(row),
        Xs::Each(rows) => {
            let finite = |range: &(f64, f64)| range.0.is_finite() && range.1.is_finite();
            rows.iter()
                .filter_map(of)
                .filter(finite)
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
    }
}

/// Rebins histograms (and points, by way of histograms) to the edges of each spectrum.
pub(crate) fn rebin_to(
    input: &MatrixWorkspace,
    target: impl Fn(usize) -> Result<Row> + Sync,
    ignore: bool,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let reader = Reader::new(input, context.cancel)?;
    let points = !input.is_histogram_data();
    let (y, e) = build_rows(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let x: Row = if points { points_to_edges(&x).into() } else { x };
        rebin(&x, &y, &e, &target(index)?, input.is_distribution(), ignore)
    })?;
    let rows: Vec<Row> = (0..input.histograms()).map(&target).collect::<Result<_>>()?;
    let x = Xs::each(rows);
    let x = if points {
        x.map(|row| Arc::from(edges_to_points(row)))
    } else {
        x
    };
    let masked = masked_parts(input, &x)?;
    let mut out = input.clone().with_histogram(x, y, e);
    out.set_masked_bins(masked);
    Ok(out)
}

/// Which of the new bins are masked: those that cover masked ones, each by the part of it that they are.
fn masked_parts(input: &MatrixWorkspace, x: &Xs) -> Result<BTreeMap<usize, MaskedBins>> {
    let mut out = BTreeMap::new();
    for (index, bins) in input.masked_bins.iter() {
        let (old, Some(new)) = (input.x(*index)?, x.get(*index)) else {
            continue;
        };
        if old.len() != input.bins(*index) + 1 {
            continue;
        }
        let mut parts = MaskedBins::new();
        for (bin, edges) in new.windows(2).enumerate() {
            let [low, high] = *edges else { continue };
            let covered = bins.iter().filter_map(|(masked, part)| {
                let overlap = old.get(masked + 1)?.min(high) - old.get(*masked)?.max(low);
                (overlap > 0.0).then_some(part * overlap)
            });
            let covered: f64 = covered.sum();
            if covered > 0.0 {
                parts.insert(bin, (covered / (high - low)).min(1.0));
            }
        }
        out.insert(*index, parts);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, e, m, total, x, y};
    use crate::error::ErrorClass;

    #[test]
    fn documented_examples_come_out() {
        let bench = Bench::new();
        let edges: Vec<f64> = (0..10).map(f64::from).collect();
        bench.workspace("a", &edges, &[1.0; 9], 1);
        let out = bench.make("b", "Rebin", &[("InputWorkspace", "a".into()), ("Params", "2".into())]);
        close(&x(&out, 0), &[0.0, 2.0, 4.0, 6.0, 8.0, 9.0]);
        close(&y(&out, 0), &[2.0, 2.0, 2.0, 2.0, 1.0]);
        let full = bench.make(
            "b",
            "Rebin",
            &[
                ("InputWorkspace", "a".into()),
                ("Params", 2.0.into()),
                ("FullBinsOnly", true.into()),
            ],
        );
        close(&y(&full, 0), &[2.0; 4]);
    }

    #[test]
    fn events_are_kept_or_counted_alike() {
        let bench = Bench::new();
        bench.sample("s", &[("WorkspaceType", "Event".into())]);
        let kept = bench.make(
            "k",
            "Rebin",
            &[("InputWorkspace", "s".into()), ("Params", "2000,500,15000".into())],
        );
        let counted = bench.make(
            "c",
            "Rebin",
            &[
                ("InputWorkspace", "s".into()),
                ("Params", "2000,500,15000".into()),
                ("PreserveEvents", false.into()),
            ],
        );
        assert_eq!((m(&kept).id(), m(&counted).id()), ("EventWorkspace", "Workspace2D"));
        for index in [0, 57, 199] {
            close(&y(&kept, index), &y(&counted, index));
            close(
                &e(&counted, index),
                &y(&counted, index).iter().map(|v| v.sqrt()).collect::<Vec<_>>(),
            );
        }
        assert!(total(&counted) > 0.0);
    }

    #[test]
    fn distributions_and_points_are_conserved() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 3.0], &[4.0, 2.0], 1);
        let a = bench.service.data.retrieve("a").unwrap();
        a.update(|ws| {
            ws.set_distribution(true);
            Ok(())
        })
        .unwrap();
        let out = bench.make(
            "b",
            "Rebin",
            &[("InputWorkspace", "a".into()), ("Params", "0,3,3".into())],
        );
        close(&y(&out, 0), &[8.0 / 3.0]);
        bench.workspace("p", &[1.0, 2.0, 3.0, 4.0], &[1.0; 4], 1);
        let points = bench.make(
            "q",
            "Rebin",
            &[("InputWorkspace", "p".into()), ("Params", "0.5,2,4.5".into())],
        );
        close(&x(&points, 0), &[1.5, 3.5]);
        close(&y(&points, 0), &[2.0, 2.0]);
    }

    #[test]
    fn bad_calls_are_refused_with_the_right_class() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0], &[1.0], 1);
        let input = ("InputWorkspace", "a".into());
        let error = bench
            .try_make("b", "Rebin", &[input.clone(), ("Params", "1,0,2".into())])
            .unwrap_err();
        assert_eq!(
            (error.class(), error.to_string().as_str()),
            (ErrorClass::InvalidArgument, "Cannot have a zero bin width")
        );
        let error = bench
            .try_make("b", "Rebin", &[input.clone(), ("Parms", "1".into())])
            .unwrap_err();
        assert_eq!(error.to_string(), "'Parms' is an invalid keyword argument for Rebin-v1");
        assert_eq!(error.class(), ErrorClass::Type);
        assert!(bench.try_make("b", "Rebin", &[input]).is_err());
        assert!(
            bench
                .try_make(
                    "b",
                    "Rebin",
                    &[("InputWorkspace", "none".into()), ("Params", 1.0.into())]
                )
                .is_err()
        );
        assert!(!bench.service.data.contains("b"));
    }
}
