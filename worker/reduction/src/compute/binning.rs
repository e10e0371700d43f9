//! Bin edges from rebinning parameters, and rebinning of histograms. Promises: counts are conserved where old and new edges
//! cover the same range; the number of edges is bounded. Must not: know workspaces.
//!
//! Source: Mantid's page Rebin v1 (parameters, `FullBinsOnly`, `UseReverseLogarithmic`, `Power`).

use crate::error::{Result, failed, invalid};

/// Largest number of edges: a tiny width is an error instead of exhausted memory.
const MAX_EDGES: usize = 50_000_000;

/// Options of Rebin for edges between two bounds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EdgeOptions {
    /// Drops a last bin that is not full (`FullBinsOnly`).
    pub full_bins_only: bool,
    /// Logarithmic widths grow from the upper bound downwards (`UseReverseLogarithmic`).
    pub reverse_logarithmic: bool,
    /// Exponent p of widths that shrink as 1/iᵖ, i = 1, 2, …; 0 for constant widths (`Power`).
    pub power: f64,
}

/// Validates parameters `first, width, bound, width, bound …`, or one width. Negative widths are logarithmic.
pub(crate) fn check_params(params: &[f64]) -> Result<(), String> {
    if params.is_empty() {
        return Err("Enter values for this property".to_owned());
    }
    if params.len().is_multiple_of(2) {
        return Err("The number of bin boundary parameters provided must be odd".to_owned());
    }
    if params.iter().any(|value| !value.is_finite()) {
        return Err("The bin boundary parameters must be finite numbers".to_owned());
    }
    if let [width] = params {
        return if *width == 0.0 {
            Err("Cannot have a zero bin width".to_owned())
        } else {
            Ok(())
        };
    }
    let mut before: Option<f64> = None;
    for (index, value) in params.iter().copied().enumerate() {
        if index % 2 == 1 {
            if value == 0.0 {
                return Err("Cannot have a zero bin width".to_owned());
            }
            if value < 0.0 && before.is_some_and(|bound| bound <= 0.0) {
                return Err("Bin boundaries must be positive for logarithmic binning".to_owned());
            }
        } else {
            if before.is_some_and(|bound| value <= bound) {
                return Err("Bin boundary values must be given in order of increasing value".to_owned());
            }
            before = Some(value);
        }
    }
    Ok(())
}

/// Edges of rebinning parameters; one width alone spans `range`.
///
/// xᵢ₊₁ = xᵢ + w for a width w > 0, xᵢ₊₁ = xᵢ (1 + |w|) for w < 0, in the unit of X.
///
/// # Errors
/// `InvalidArgument` for invalid parameters; `Execution` for edges that do not advance or exceed [`MAX_EDGES`].
pub(crate) fn edges(params: &[f64], range: Option<(f64, f64)>, options: EdgeOptions) -> Result<Vec<f64>> {
    check_params(params).or_else(invalid)?;
    let spanned;
    let params = match (params, range) {
        ([width], Some((low, high))) => {
            if *width < 0.0 && low <= 0.0 && high > 0.0 {
                return failed(format!(
                    "Cannot create logarithmic binning that changes sign (xmin={low}, xmax={high})"
                ));
            }
            if !(high > low) || !low.is_finite() || !high.is_finite() {
                return failed(format!(
                    "X goes from {low} to {high}: no bins of one width can span that; give the bounds too"
                ));
            }
            spanned = [low, *width, high];
            &spanned[..]
        }
        ([_], None) => return failed("the full range of X is not known: give the bounds too"),
        (all, _) => all,
    };
    let Some(first) = params.first().copied() else {
        return failed("Enter values for this property");
    };
    let mut out = vec![first];
    let mut at = first;
    for pair in params.get(1..).unwrap_or_default().chunks_exact(2) {
        let &[step, bound] = pair else { continue };
        if step < 0.0 && options.reverse_logarithmic && options.power == 0.0 {
            reverse(&mut out, at, step, bound, options)?;
        } else {
            forward(&mut out, at, step, bound, options)?;
        }
        at = out.last().copied().unwrap_or(bound);
    }
    if out.len() < 2 {
        return failed(format!(
            "the rebinning parameters {params:?} make no bin: the width is larger than the range"
        ));
    }
    Ok(out)
}

/// Largest width of the last bin in widths: a remainder of less than a quarter of a width is joined to the last bin.
fn last_bin_widths(options: EdgeOptions) -> f64 {
    if options.full_bins_only { 1.0 } else { 1.25 }
}

fn forward(out: &mut Vec<f64>, from: f64, step: f64, bound: f64, options: EdgeOptions) -> Result<()> {
    let mut at = from;
    let mut count = 1.0_f64;
    loop {
        let width = match options.power {
            p if p != 0.0 && step > 0.0 => step / count.powf(p),
            _ if step > 0.0 => step,
            _ => -step * at,
        };
        let next = at + width;
        if !(width > 0.0) || next <= at {
            return failed(format!(
                "bins of width {width} at {at} do not advance: give a larger step than {step}"
            ));
        }
        // 1e-9 of slack: a bound at a whole number of widths is reached despite rounding.
        if at + last_bin_widths(options) * width > bound + if options.full_bins_only { 1e-9 * width } else { 0.0 } {
            break;
        }
        out.push(next);
        too_many(out)?;
        at = next;
        count += 1.0;
    }
    if !options.full_bins_only && bound > at {
        out.push(bound);
    }
    Ok(())
}

fn reverse(out: &mut Vec<f64>, from: f64, step: f64, bound: f64, options: EdgeOptions) -> Result<()> {
    let mut down = vec![bound];
    let mut at = bound;
    loop {
        let width = -step * (from + bound - at);
        if !(width > 0.0) || at - width >= at {
            return failed(format!(
                "bins of width {width} at {at} do not advance: give a larger step than {step}"
            ));
        }
        if at - last_bin_widths(options) * width <= from {
            break;
        }
        at -= width;
        down.push(at);
        too_many(&down)?;
    }
    out.extend(down.into_iter().rev());
    too_many(out)
}

fn too_many(out: &[f64]) -> Result<()> {
    if out.len() > MAX_EDGES {
        return failed(format!(
            "the rebinning parameters make more than {MAX_EDGES} bins: give a larger step"
        ));
    }
    Ok(())
}

/// Y and E of a histogram over other edges: Y'ⱼ = ∑ᵢ yᵢ fᵢⱼ and E'ⱼ² = ∑ᵢ eᵢ² fᵢⱼ.
///
/// fᵢⱼ is the share of old bin i inside new bin j.
///
/// A `distribution` is multiplied by the widths before and divided by them after. Source: Mantid's page Rebin and
/// `VectorHelper::rebin`.
///
/// # Errors
/// `Execution` for edges that do not increase, unless `ignore_errors`.
pub(crate) fn rebin(
    x: &[f64],
    y: &[f64],
    e: &[f64],
    to: &[f64],
    distribution: bool,
    ignore_errors: bool,
) -> Result<(Vec<f64>, Vec<f64>)> {
    let bins = to.len().saturating_sub(1);
    let (mut ys, mut es) = (vec![0.0; bins], vec![0.0; bins]);
    let increasing = |x: &[f64]| x.windows(2).all(|pair| matches!(pair, [a, b] if b > a));
    if !ignore_errors && (!increasing(x) || !increasing(to)) {
        return failed("Negative or zero bin widths not allowed");
    }
    let mut first = 0;
    for ((old, y), e) in x.windows(2).zip(y).zip(e) {
        let &[low, high] = old else { continue };
        let width = high - low;
        if !(width > 0.0) {
            continue;
        }
        while to.get(first + 1).is_some_and(|edge| *edge <= low) {
            first += 1;
        }
        let mut bin = first;
        while let (Some(from), Some(until)) = (to.get(bin), to.get(bin + 1)) {
            if *from >= high {
                break;
            }
            let overlap = (until.min(high) - from.max(low)).max(0.0);
            if overlap > 0.0
                && let (Some(ys), Some(es)) = (ys.get_mut(bin), es.get_mut(bin))
            {
                let (share, scale) = (overlap / width, if distribution { width } else { 1.0 });
                *ys += y * scale * share;
                *es += e * e * scale * scale * share;
            }
            bin += 1;
        }
    }
    for ((pair, y), e) in to.windows(2).zip(&mut ys).zip(&mut es) {
        let width = if let (true, [a, b]) = (distribution, pair) {
            b - a
        } else {
            1.0
        };
        *y /= width;
        *e = e.sqrt() / width;
    }
    Ok((ys, es))
}

/// Bin edges halfway between points; the outer ones mirror their inner neighbours. Source: Mantid's ConvertToHistogram.
pub(crate) fn points_to_edges(points: &[f64]) -> Vec<f64> {
    match points {
        [] => Vec::new(),
        [one] => vec![one - 0.5, one + 0.5],
        [first, second, ..] => {
            let mut out = Vec::with_capacity(points.len() + 1);
            out.push(first - (second - first) / 2.0);
            for pair in points.windows(2) {
                if let [a, b] = pair {
                    out.push((a + b) / 2.0);
                }
            }
            if let [.., before, last] = points {
                out.push(last + (last - before) / 2.0);
            }
            out
        }
    }
}

/// Bin centres (xᵢ + xᵢ₊₁)/2. Source: Mantid's ConvertToPointData.
pub(crate) fn edges_to_points(edges: &[f64]) -> Vec<f64> {
    edges.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn plain(params: &[f64]) -> Vec<f64> {
        edges(params, Some((0.0, 9.0)), EdgeOptions::default()).unwrap()
    }

    #[test]
    fn documented_edges_come_out() {
        assert_eq!(plain(&[2.0]), [0.0, 2.0, 4.0, 6.0, 8.0, 9.0]);
        assert_eq!(plain(&[1.0, 2.0, 3.0, 3.0, 9.0]), [1.0, 3.0, 6.0, 9.0]);
        let full = EdgeOptions {
            full_bins_only: true,
            ..EdgeOptions::default()
        };
        assert_eq!(
            edges(&[2.0], Some((0.0, 9.0)), full).unwrap(),
            [0.0, 2.0, 4.0, 6.0, 8.0]
        );
        assert_eq!(
            edges(&[0.0, 2.0, 4.5, 3.0, 11.0], None, full).unwrap(),
            [0.0, 2.0, 4.0, 7.0, 10.0]
        );
        let reverse = EdgeOptions {
            reverse_logarithmic: true,
            ..EdgeOptions::default()
        };
        assert_eq!(edges(&[1.0, -1.0, 9.0], None, reverse).unwrap(), [1.0, 6.0, 8.0, 9.0]);
        let power = EdgeOptions {
            power: 0.5,
            ..EdgeOptions::default()
        };
        let made = edges(&[1.0, 3.0, 10.0], None, power).unwrap();
        for (edge, wanted) in made.iter().zip([1.0, 4.0, 6.12132, 7.85337, 9.35337, 10.0]) {
            assert!((edge - wanted).abs() < 1e-5, "{made:?}");
        }
        let log = edges(&[-0.5], Some((1.0, 10.0)), EdgeOptions::default()).unwrap();
        assert_eq!(log[1..3], [1.5, 2.25]);
    }

    #[test]
    fn bad_parameters_are_named() {
        for (params, text) in [
            (&[][..], "Enter values for this property"),
            (&[1.0, 2.0], "must be odd"),
            (&[1.0, 0.0, 2.0], "zero bin width"),
            (&[-1.0, -0.1, 2.0], "must be positive for logarithmic"),
            (&[3.0, 1.0, 2.0], "order of increasing"),
        ] {
            assert!(check_params(params).unwrap_err().contains(text));
        }
        assert!(edges(&[0.0, 1e-9, 1e9], None, EdgeOptions::default()).is_err());
        assert!(edges(&[0.0, 1e-30, 1.0], None, EdgeOptions::default()).is_err());
    }

    #[test]
    fn edges_that_do_not_increase_are_refused() {
        assert!(rebin(&[0.0, 0.0, 1.0], &[1.0, 1.0], &[1.0, 1.0], &[0.0, 1.0], false, false).is_err());
    }

    proptest! {
        #[test]
        fn rebinning_conserves_counts(mut x in proptest::collection::vec(-1e3..1e3, 3..60), mut cuts in proptest::collection::vec(0.0..1.0, 0..40)) {
            x.sort_by(f64::total_cmp);
            x.dedup();
            let (low, high) = (x[0], x[x.len() - 1]);
            prop_assume!(high > low);
            let y: Vec<f64> = (0..x.len() - 1).map(|i| (i % 7) as f64).collect();
            cuts.extend([0.0, 1.0]);
            let mut to: Vec<f64> = cuts.iter().map(|c| low + c * (high - low)).collect();
            to.sort_by(f64::total_cmp);
            to.dedup();
            let end = to.len() - 1;
            to[end] = high;
            let (ys, es) = rebin(&x, &y, &y, &to, false, false).unwrap();
            let (before, after): (f64, f64) = (y.iter().sum(), ys.iter().sum());
            prop_assert!((before - after).abs() < 1e-9 * before.max(1.0));
            let squares = |errors: &[f64]| errors.iter().map(|e| e * e).sum::<f64>();
            prop_assert!(es.iter().all(|e| *e >= 0.0) && (squares(&y) - squares(&es)).abs() < 1e-6 * squares(&y).max(1.0));
        }
    }
}
