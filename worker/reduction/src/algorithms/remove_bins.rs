//! RemoveBins: counts in a range of X removed, or replaced by a straight line.
//!
//! Bins at either end of X are cropped. Elsewhere Y and E of bins inside are 0, and the bins at the limits keep the
//! fraction of [`clear_range`]. With Interpolation Linear, n bins between neighbours of signal a and b get Y = a + (b −
//! a)·k / (n + 2), k = 1 … n. Their E is the mean of the neighbours'. Limits in another unit are converted with the
//! formulas of [`crate::unit`], elastically. Source: Mantid's page RemoveBins v1 and RemoveBins.cpp.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::extract_spectra::crop_range;
use crate::compute::flight_paths::{EfixedSource, flight_paths};
use crate::compute::{as_histogram, map_values};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::unit::{self, EMode, Quantity, Unit};
use crate::value::Value;

pub(crate) struct RemoveBins;

const UNITS: &[&str] = &[
    "AsInput",
    "Energy",
    "Energy_inWavenumber",
    "Momentum",
    "MomentumTransfer",
    "QSquared",
    "TOF",
    "Wavelength",
    "dSpacing",
];

impl Algorithm for RemoveBins {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RemoveBins",
            1,
            "Transforms\\Splitting",
            "Removes a range of X from histograms.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace without the range: bins at either end are removed, others cleared.",
        ))
        .with(
            input("XMin", PropertyKind::Float, "Lower limit of the range.")
                .mandatory()
                .unit("RangeUnit"),
        )
        .with(
            input("XMax", PropertyKind::Float, "Upper limit of the range, at least XMin.")
                .mandatory()
                .unit("RangeUnit"),
        )
        .with(
            option("RangeUnit", PropertyKind::Str, "AsInput", "Unit of XMin and XMax.")
                .validator(Validator::OneOf(UNITS)),
        )
        .with(
            option(
                "Interpolation",
                PropertyKind::Str,
                "None",
                "None: counts become 0; Linear: a straight line between the neighbours.",
            )
            .validator(Validator::OneOf(&["None", "Linear"])),
        )
        .with(
            option(
                "WorkspaceIndex",
                PropertyKind::Int,
                Value::None,
                "Workspace index of the one spectrum to change; all when not given.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = as_histogram(&context.matrix("InputWorkspace")?, context.cancel)?;
        let (low, high) = (context.float("XMin")?, context.float("XMax")?);
        if !(low <= high) {
            return invalid("XMax must be greater than XMin.");
        }
        if !input.is_histogram_data() {
            return invalid("InputWorkspace: The workspace must contain histogram data");
        }
        let only = context.opt_int("WorkspaceIndex")?;
        let count = input.histograms();
        if let Some(index) = only.filter(|index| *index >= count as i64) {
            return invalid(format!(
                "The value of WorkspaceIndex provided ({index}) is larger than the size of this workspace ({count})"
            ));
        }
        let limits = limits_in_x_unit(&input, &context.str("RangeUnit")?, (low, high))?;
        let x = input.x(0)?;
        let (first, last) = (
            x.first().copied().unwrap_or_default(),
            x.last().copied().unwrap_or_default(),
        );
        if only.is_none() && limits.is_empty() && input.is_common_bins() && (low <= first || high >= last) {
            let kept = if low <= first {
                (Some(high), None)
            } else {
                (None, Some(low))
            };
            // A range that leaves no whole bin is cleared instead of cropped.
            if let Ok(out) = crop_range(input.clone(), kept.0, kept.1, context) {
                return context.output("OutputWorkspace", out);
            }
        }
        let line = context.str("Interpolation")? == "Linear";
        let out = map_values(&input, context.cancel, |index, x, y, e| {
            if only.is_none_or(|only| only == index as i64) {
                let (low, high) = limits.get(index).copied().unwrap_or((low, high));
                clear_range(x, y, e, (low, high), line);
            }
            Ok(())
        })?;
        context.output("OutputWorkspace", out)
    }
}

/// Range of each spectrum in the unit of X; empty where RangeUnit is that unit. A spectrum without detectors has NaN.
fn limits_in_x_unit(
    input: &crate::workspace::MatrixWorkspace,
    unit: &str,
    (low, high): (f64, f64),
) -> Result<Vec<(f64, f64)>> {
    let to = input.x_unit().quantity();
    let Some(from) = Unit::from_id(unit)
        .map(|unit| unit.quantity())
        .filter(|from| *from != to)
    else {
        return Ok(Vec::new());
    };
    if to != Quantity::TimeOfFlight && !unit::is_convertible(to) {
        return invalid(format!(
            "X is in {}: {unit} cannot be converted to it",
            input.x_unit().id()
        ));
    }
    let converted = flight_paths(input, EfixedSource::Nothing)?.into_iter().map(|flight| {
        // NaN limits leave the counts of a spectrum without flight path unchanged.
        let Some(flight) = flight else {
            return (f64::NAN, f64::NAN);
        };
        let of = |value: f64| unit::convert(from, to, EMode::Elastic, &flight, value);
        let (a, b) = (of(low), of(high));
        (a.min(b), a.max(b))
    });
    Ok(converted.collect())
}

/// Clears the range in one spectrum by Mantid's rule, which scripts rely on.
///
/// The bin before the first edge x ≥ `low` keeps the fraction (x − `low`) / width. The bin before the first edge beyond
/// `high` keeps (`high` − its left edge) / width. Bins between are 0.
fn clear_range(x: &[f64], y: &mut [f64], e: &mut [f64], (low, high): (f64, f64), line: bool) {
    let edge = |limit: f64| x.iter().position(|edge| *edge >= limit);
    let at = |values: &[f64], index: usize| values.get(index).copied().unwrap_or_default();
    let (start, end) = (edge(low).unwrap_or(x.len()), edge(high));
    let first = start.saturating_sub(1);
    let (Some(end), true) = (end, start > 0) else {
        let last = end.unwrap_or(y.len()).min(y.len());
        for bin in first..last {
            if let (Some(y), Some(e)) = (y.get_mut(bin), e.get_mut(bin)) {
                (*y, *e) = (0.0, 0.0);
            }
        }
        return;
    };
    let neighbours = first.checked_sub(1).filter(|_| line && end < y.len());
    let ends = neighbours.map(|before| {
        let error = (at(e, before) + at(e, end)) / 2.0;
        (at(y, before), at(y, end), error)
    });
    let count = (end - first) as f64;
    for (step, bin) in (first..end).enumerate() {
        let width = at(x, bin + 1) - at(x, bin);
        let (Some(y), Some(e)) = (y.get_mut(bin), e.get_mut(bin)) else {
            continue;
        };
        if let Some((before, after, error)) = ends {
            // The standard deviation of a point on the line is unknown: the neighbours' mean takes its place.
            *y = before + (after - before) * (step + 1) as f64 / (count + 2.0);
            *e = error;
            continue;
        }
        let share = match bin {
            _ if bin == first => (at(x, start) - low) / width,
            _ if bin + 1 == end => (high - at(x, bin)) / width,
            _ => 0.0,
        };
        *y *= share;
        *e *= share;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x, y};
    use crate::value::Value;

    fn remove(
        fixture: &AlgorithmFixture,
        low: f64,
        high: f64,
        more: &[(&str, Value)],
    ) -> crate::Result<crate::WorkspaceHandle> {
        let range = [
            ("InputWorkspace", "w".into()),
            ("XMin", low.into()),
            ("XMax", high.into()),
        ];
        fixture.try_create("o", "RemoveBins", &[&range[..], more].concat())
    }

    #[test]
    fn counts_go_in_the_middle_and_bins_at_the_ends() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace(
            "w",
            &[0.0, 10.0, 20.0, 30.0, 40.0, 50.0],
            &[10.3, 0.3, 0.3, 0.3, 0.3],
            1,
        );
        assert_close(
            &y(&remove(&fixture, 20.0, 35.0, &[]).unwrap(), 0),
            &[10.3, 0.0, 0.0, 0.15, 0.3],
        );
        assert_close(&y(&remove(&fixture, 12.0, 18.0, &[]).unwrap(), 0)[..2], &[10.3, 0.24]);
        let line = remove(&fixture, 20.0, 40.0, &[("Interpolation", "Linear".into())]).unwrap();
        assert_close(&y(&line, 0), &[10.3, 8.3, 6.3, 4.3, 0.3]);
        let end = remove(&fixture, 30.0, 60.0, &[]).unwrap();
        assert_eq!((x(&end, 0), matrix(&end).bins(0)), (vec![0.0, 10.0, 20.0, 30.0], 3));
        let one = remove(&fixture, 30.0, 60.0, &[("WorkspaceIndex", 0_i64.into())]).unwrap();
        assert_close(&y(&one, 0), &[10.3, 0.3, 0.0, 0.0, 0.0]);
    }

    #[test]
    fn ranges_come_in_other_units_and_wrong_ones_are_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("w", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 1_i64.into())]);
        // 2 Å over 15 m are 7583 µs, 3 Å 11375 µs.
        let out = remove(&fixture, 2.0, 3.0, &[("RangeUnit", "Wavelength".into())]).unwrap();
        let left: Vec<usize> = (0..100).filter(|bin| y(&out, 0)[*bin] == 0.0).collect();
        assert_eq!(left, (38..=55).collect::<Vec<_>>());
        assert_eq!(
            remove(&fixture, 3.0, 2.0, &[]).unwrap_err().to_string(),
            "XMax must be greater than XMin."
        );
        assert!(remove(&fixture, f64::NAN, 2.0, &[]).is_err());
        assert!(remove(&fixture, 1.0, 2.0, &[("WorkspaceIndex", 5_i64.into())]).is_err());
    }
}
