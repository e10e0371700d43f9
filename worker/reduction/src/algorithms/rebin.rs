//! Rebin: data over other bins.
//!
//! Params is e₀, w₁, e₁, w₂, e₂ …: edges e and widths w between them, in the unit of X. After an edge x follows x + w,
//! or x(1 + |w|) for a negative w (logarithmic), up to the next e; a last bin below a quarter of the width is merged
//! into the one before. UseReverseLogarithmic takes the widths from the upper edge down; Power p divides the i-th width
//! by iᵖ.
//!
//! A new bin gets Y = Σ yⱼ·fⱼ and E = √(Σ eⱼ²·fⱼ), with fⱼ the fraction of old bin j that overlaps it; distributions
//! are multiplied by the old widths first and divided by the new ones afterwards. Events keep their values and only X
//! is replaced; without PreserveEvents they are histogrammed, a bin being [xᵢ, xᵢ₊₁).
//!
//! Source: Mantid's page Rebin v1 and VectorHelper.cpp.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::{EdgeOptions, check_params, edges, edges_to_points, points_to_edges, rebin};
use crate::compute::{HistogramReader, as_histogram, build_rows};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::Result;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::matrix::MaskedBins;

pub(crate) struct Rebin;

/// Property `Params`, mandatory, checked for odd length and increasing edges.
pub(crate) fn params_property(document: &'static str) -> crate::declaration::Property {
    input("Params", PropertyKind::Floats, document)
        .mandatory()
        .validator(Validator::Check(|value: &Value| {
            check_params(&value.to_floats().unwrap_or_default())
        }))
}

impl Algorithm for Rebin {
    fn declaration(&self) -> Declaration {
        Declaration::new("Rebin", 1, "Transforms\\Rebin", "Rebins data to given edges.")
            .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to rebin."))
            .with(output("OutputWorkspace", PropertyKind::Matrix, "Rebinned workspace."))
            .with(params_property("First edge, width, edge, width, edge …; a negative width is a fraction of the edge (logarithmic); one width alone spans all of X.").unit("the unit of X"))
            .with(option("PreserveEvents", PropertyKind::Bool, true, "Keep events and replace X only; otherwise histogram them."))
            .with(option("FullBinsOnly", PropertyKind::Bool, false, "Remove a last bin that is narrower than its width."))
            .with(option("IgnoreBinErrors", PropertyKind::Bool, false, "Accept input edges that do not increase."))
            .with(option("UseReverseLogarithmic", PropertyKind::Bool, false, "Count logarithmic widths from the upper edge down."))
            .with(option("Power", PropertyKind::Float, 0.0, "Exponent p: the i-th width is the width divided by i to the power p.").validator(Validator::Between(0.0, 1.0)))
            .with(option("BinningMode", PropertyKind::Str, "Default", "Meaning of the widths; Default is by their sign.")
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
        let made: SharedRow = edges(&params, x_range(&input), options)?.into();
        let ignore_bin_errors = context.bool("IgnoreBinErrors")?;
        let out = if input.is_events() {
            let mut out = input;
            out.set_xs(XRows::Common(made));
            if context.bool("PreserveEvents")? {
                out
            } else {
                as_histogram(&out, context.cancel)?
            }
        } else {
            rebin_to(&input, |_| Ok(made.clone()), ignore_bin_errors, context)?
        };
        context.output("OutputWorkspace", out)
    }
}

/// Smallest and largest finite X of all spectra; `None` for a workspace without X.
pub(crate) fn x_range(workspace: &MatrixWorkspace) -> Option<(f64, f64)> {
    let of = |row: &SharedRow| Some((*row.first()?, *row.last()?));
    match workspace.xs() {
        XRows::Common(row) => of(row),
        XRows::PerSpectrum(rows) => {
            let finite = |range: &(f64, f64)| range.0.is_finite() && range.1.is_finite();
            rows.iter()
                .filter_map(of)
                .filter(finite)
                .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
    }
}

/// Rebins histograms (points as histograms) to `target(index)`, the edges of each spectrum.
///
/// # Errors
/// `Execution` for edges of the input that do not increase, unless `ignore_bin_errors`.
pub(crate) fn rebin_to(
    input: &MatrixWorkspace,
    target: impl Fn(usize) -> Result<SharedRow> + Sync,
    ignore_bin_errors: bool,
    context: &Context<'_>,
) -> Result<MatrixWorkspace> {
    let reader = HistogramReader::new(input, context.cancel)?;
    let points = !input.is_histogram_data();
    let (y, e) = build_rows(input.histograms(), context.cancel, |index| {
        let (x, y, e) = reader.get(index)?;
        let x: SharedRow = if points { points_to_edges(&x).into() } else { x };
        rebin(&x, &y, &e, &target(index)?, input.is_distribution(), ignore_bin_errors)
    })?;
    let rows: Vec<SharedRow> = (0..input.histograms()).map(&target).collect::<Result<_>>()?;
    let x = XRows::each(rows);
    let x = if points {
        x.map(|row| Arc::from(edges_to_points(row)))
    } else {
        x
    };
    let masked = masked_fractions(input, &x)?;
    let mut out = input.clone().with_histogram(x, y, e);
    out.set_masked_bins(masked);
    Ok(out)
}

/// Mask weights of the new bins: the fraction of each that masked old bins cover.
fn masked_fractions(input: &MatrixWorkspace, x: &XRows) -> Result<BTreeMap<usize, MaskedBins>> {
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, x, y};
    use crate::error::ErrorClass;

    // Mantid's page Rebin v1: edges 0 to 9 in bins of 2.
    #[test]
    fn documented_examples_come_out() {
        let fixture = AlgorithmFixture::new();
        let edges: Vec<f64> = (0..10).map(f64::from).collect();
        fixture.workspace("a", &edges, &[1.0; 9], 1);
        let out = fixture.create("b", "Rebin", &[("InputWorkspace", "a".into()), ("Params", "2".into())]);
        assert_close(&x(&out, 0), &[0.0, 2.0, 4.0, 6.0, 8.0, 9.0]);
        assert_close(&y(&out, 0), &[2.0, 2.0, 2.0, 2.0, 1.0]);
        let full = fixture.create(
            "b",
            "Rebin",
            &[
                ("InputWorkspace", "a".into()),
                ("Params", 2.0.into()),
                ("FullBinsOnly", true.into()),
            ],
        );
        assert_close(&y(&full, 0), &[2.0; 4]);
    }

    #[test]
    fn events_are_kept_or_counted_alike() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        let kept = fixture.create(
            "k",
            "Rebin",
            &[("InputWorkspace", "s".into()), ("Params", "2000,500,15000".into())],
        );
        let counted = fixture.create(
            "c",
            "Rebin",
            &[
                ("InputWorkspace", "s".into()),
                ("Params", "2000,500,15000".into()),
                ("PreserveEvents", false.into()),
            ],
        );
        assert_eq!(
            (matrix(&kept).id(), matrix(&counted).id()),
            ("EventWorkspace", "Workspace2D")
        );
        for index in [0, 57, 199] {
            assert_close(&y(&kept, index), &y(&counted, index));
            assert_close(
                &e(&counted, index),
                &y(&counted, index).iter().map(|v| v.sqrt()).collect::<Vec<_>>(),
            );
        }
        assert!(total_counts(&counted) > 0.0);
    }

    #[test]
    fn distributions_and_points_are_conserved() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 3.0], &[4.0, 2.0], 1);
        let a = fixture.service.data.retrieve("a").unwrap();
        a.update(|ws| {
            ws.set_distribution(true);
            Ok(())
        })
        .unwrap();
        let out = fixture.create(
            "b",
            "Rebin",
            &[("InputWorkspace", "a".into()), ("Params", "0,3,3".into())],
        );
        assert_close(&y(&out, 0), &[8.0 / 3.0]);
        fixture.workspace("p", &[1.0, 2.0, 3.0, 4.0], &[1.0; 4], 1);
        let points = fixture.create(
            "q",
            "Rebin",
            &[("InputWorkspace", "p".into()), ("Params", "0.5,2,4.5".into())],
        );
        assert_close(&x(&points, 0), &[1.5, 3.5]);
        assert_close(&y(&points, 0), &[2.0, 2.0]);
    }

    #[test]
    fn bad_calls_are_refused_with_the_right_class() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0], &[1.0], 1);
        let input = ("InputWorkspace", "a".into());
        let error = fixture
            .try_create("b", "Rebin", &[input.clone(), ("Params", "1,0,2".into())])
            .unwrap_err();
        assert_eq!(
            (error.class(), error.to_string().as_str()),
            (ErrorClass::InvalidArgument, "Cannot have a zero bin width")
        );
        let error = fixture
            .try_create("b", "Rebin", &[input.clone(), ("Parms", "1".into())])
            .unwrap_err();
        assert_eq!(error.to_string(), "'Parms' is an invalid keyword argument for Rebin-v1");
        assert_eq!(error.class(), ErrorClass::Type);
        assert!(fixture.try_create("b", "Rebin", &[input]).is_err());
        assert!(
            fixture
                .try_create(
                    "b",
                    "Rebin",
                    &[("InputWorkspace", "none".into()), ("Params", 1.0.into())]
                )
                .is_err()
        );
        assert!(!fixture.service.data.contains("b"));
    }
}
