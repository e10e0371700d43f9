//! MaskBins: bins cleared, or events removed, in a range of X.
//!
//! Bins that reach into the range are cleared and masked with weight 1; of events, those in [XMin, XMax] are removed.
//! Source: Mantid's page MaskBins v1.

use crate::algorithm::{Algorithm, Context};
use crate::compute::{indices, map_values};
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct MaskBins;

impl Algorithm for MaskBins {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "MaskBins",
            1,
            "Transforms\\Masking",
            "Clears the bins, or removes the events, in a range of X.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose bins are masked.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace without counts in the range.",
        ))
        .with(
            input("XMin", PropertyKind::Float, "Lower limit of the range.")
                .mandatory()
                .unit("the unit of X"),
        )
        .with(
            input("XMax", PropertyKind::Float, "Upper limit of the range, above XMin.")
                .mandatory()
                .unit("the unit of X"),
        )
        .with(option(
            "SpectraList",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices; all when not given.",
        ))
        .with(option(
            "InputWorkspaceIndexType",
            PropertyKind::Str,
            "WorkspaceIndex",
            "WorkspaceIndex or SpectrumNumber: meaning of InputWorkspaceIndexSet.",
        ))
        .with(option(
            "InputWorkspaceIndexSet",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices or spectrum numbers; they replace SpectraList.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (low, high) = (context.float("XMin")?, context.float("XMax")?);
        if !(low < high) {
            return invalid(format!("XMin ({low}) must be less than XMax ({high})"));
        }
        let mut selected = vec![false; input.histograms()];
        for index in selected_indices(&input, context)? {
            if let Some(flag) = selected.get_mut(index) {
                *flag = true;
            }
        }
        if let Some(events) = input.events() {
            let others: Vec<bool> = selected.iter().map(|flag| !flag).collect();
            let (plan, inside) = (events.plan(), events.plan().clear(&others)?);
            let kept = plan.clear(&selected)?;
            let below = inside.keep(f64::NEG_INFINITY, low.next_down());
            let above = inside.keep(high.next_up(), f64::INFINITY);
            let data = events.with_plan(kept.plus(&below)?.plus(&above)?);
            let out = input.clone().with_data(WorkspaceData::Events(data));
            return context.output("OutputWorkspace", out);
        }
        let histogram = input.is_histogram_data();
        let inside = |x: &[f64], bin: usize| {
            let from = x.get(bin).copied().unwrap_or(f64::NAN);
            match x.get(bin + 1) {
                // A bin that shares only an edge with the range is not masked.
                Some(to) if histogram => *to > low && from < high,
                _ => !histogram && from >= low && from <= high,
            }
        };
        let mut masked = (*input.masked_bins).clone();
        for (index, _) in selected.iter().enumerate().filter(|(_, selected)| **selected) {
            let x = input.x(index)?;
            let bins = (0..input.bins(index)).filter(|bin| inside(&x, *bin));
            masked.entry(index).or_default().extend(bins.map(|bin| (bin, 1.0)));
        }
        let mut out = map_values(&input, context.cancel, |index, x, y, e| {
            if !selected.get(index).copied().unwrap_or_default() {
                return Ok(());
            }
            for (bin, (y, e)) in y.iter_mut().zip(e).enumerate() {
                if inside(x, bin) {
                    (*y, *e) = (0.0, 0.0);
                }
            }
            Ok(())
        })?;
        out.set_masked_bins(masked);
        context.output("OutputWorkspace", out)
    }
}

/// Workspace indices of InputWorkspaceIndexSet, otherwise of SpectraList, otherwise all.
fn selected_indices(input: &MatrixWorkspace, context: &Context<'_>) -> Result<Vec<usize>> {
    let (listed, set) = (context.ints("SpectraList")?, context.ints("InputWorkspaceIndexSet")?);
    match (
        set.is_empty(),
        listed.is_empty(),
        context.str("InputWorkspaceIndexType")?.as_str(),
    ) {
        (false, _, "SpectrumNumber") => indices::of_numbers(input, &set),
        (false, _, "WorkspaceIndex") => indices::checked(input, &set),
        (false, _, other) => failed(format!("InputWorkspaceIndexType {other} is not known")),
        (true, false, _) => indices::checked(input, &listed),
        (true, true, _) => Ok((0..input.histograms()).collect()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, y};
    use crate::value::Value;

    fn mask(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::WorkspaceHandle> {
        let range = [
            ("InputWorkspace", "w".into()),
            ("XMin", 1.0.into()),
            ("XMax", 2.5.into()),
        ];
        fixture.try_create("o", "MaskBins", &[&range[..], more].concat())
    }

    #[test]
    fn bins_that_reach_into_the_range_are_cleared() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0; 8], 2);
        assert_close(&y(&mask(&fixture, &[]).unwrap(), 1), &[1.0, 0.0, 0.0, 1.0]);
        let some = mask(&fixture, &[("InputWorkspaceIndexSet", "1".into())]).unwrap();
        assert_eq!((y(&some, 0), y(&some, 1)), (vec![1.0; 4], vec![1.0, 0.0, 0.0, 1.0]));
        let numbered = [
            ("InputWorkspaceIndexType", "SpectrumNumber".into()),
            ("InputWorkspaceIndexSet", "1".into()),
        ];
        assert_close(&y(&mask(&fixture, &numbered).unwrap(), 1), &[1.0; 4]);
        assert!(mask(&fixture, &[("XMax", 1.0.into())]).is_err());
        assert!(mask(&fixture, &[("XMax", f64::NAN.into())]).is_err());
        assert!(mask(&fixture, &[("SpectraList", "2".into())]).is_err());
    }

    #[test]
    fn bins_stay_masked_where_they_go() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0; 8], 2);
        let bins = |handle: &crate::WorkspaceHandle, index: usize| -> Vec<(usize, f64)> {
            let held = matrix(handle).masked_bins(index).cloned().unwrap_or_default();
            held.into_iter().collect()
        };
        let out = mask(&fixture, &[("InputWorkspaceIndexSet", "1".into())]).unwrap();
        assert_eq!((bins(&out, 0), bins(&out, 1)), (vec![], vec![(1, 1.0), (2, 1.0)]));
        let from = ("InputWorkspace", "o".into());
        let cropped = fixture.create("c", "CropWorkspace", &[from.clone(), ("XMin", 2.0.into())]);
        assert_eq!((bins(&cropped, 0), bins(&cropped, 1)), (vec![], vec![(0, 1.0)]));
        let alone = fixture.create(
            "c",
            "ExtractSingleSpectrum",
            &[from.clone(), ("WorkspaceIndex", 1_i64.into())],
        );
        assert_eq!(bins(&alone, 0), [(1, 1.0), (2, 1.0)]);
        let scaled = fixture.create("c", "Scale", &[from.clone(), ("Factor", 2.0.into())]);
        assert_eq!(bins(&scaled, 1), [(1, 1.0), (2, 1.0)]);
        let wider = fixture.create("c", "Rebin", &[from, ("Params", "0,2,4".into())]);
        assert_eq!((bins(&wider, 0), bins(&wider, 1)), (vec![], vec![(0, 0.5), (1, 0.5)]));
    }

    #[test]
    fn events_in_the_range_go() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.sample_workspace(
            "w",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let range = [
            ("XMin", 1000.0.into()),
            ("XMax", 3000.0.into()),
            ("InputWorkspaceIndexSet", "0".into()),
        ];
        let out = mask(&fixture, &range).unwrap();
        let inside: f64 = y(&w, 0)[5..15].iter().sum();
        assert_close(&[total_counts(&out)], &[total_counts(&w) - inside]);
        assert_eq!((matrix(&out).id(), y(&out, 1)), ("EventWorkspace", y(&w, 1)));
    }
}
