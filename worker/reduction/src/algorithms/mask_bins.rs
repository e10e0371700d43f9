//! MaskBins: no counts in a range of X.

use crate::algorithm::{Algorithm, Context};
use crate::compute::{indices, map_values};
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;
use crate::workspace::matrix::Data;

pub(crate) struct MaskBins;

impl Algorithm for MaskBins {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "MaskBins",
            1,
            "Transforms\\Masking",
            "Clears the bins, or removes the events, in a range of X.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "The workspace without counts in the range.",
        ))
        .with(
            input("XMin", Kind::Float, "Where the range begins.")
                .mandatory()
                .unit("the unit of X"),
        )
        .with(
            input("XMax", Kind::Float, "Where the range ends.")
                .mandatory()
                .unit("the unit of X"),
        )
        .with(option(
            "SpectraList",
            Kind::Ints,
            Value::None,
            "Workspace indices; all when not given.",
        ))
        .with(option(
            "InputWorkspaceIndexType",
            Kind::Str,
            "WorkspaceIndex",
            "What InputWorkspaceIndexSet holds.",
        ))
        .with(option(
            "InputWorkspaceIndexSet",
            Kind::Ints,
            Value::None,
            "Spectra by index or number; all when not given.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (low, high) = (context.float("XMin")?, context.float("XMax")?);
        if !(low < high) {
            return invalid(format!("XMin ({low}) must be less than XMax ({high})"));
        }
        let (listed, set) = (context.ints("SpectraList")?, context.ints("InputWorkspaceIndexSet")?);
        let chosen = match (
            set.is_empty(),
            listed.is_empty(),
            context.str("InputWorkspaceIndexType")?.as_str(),
        ) {
            (false, _, "SpectrumNumber") => indices::of_numbers(&input, &set)?,
            (false, _, "WorkspaceIndex") => indices::checked(&input, &set)?,
            (false, _, other) => return failed(format!("InputWorkspaceIndexType {other} is not known")),
            (true, false, _) => indices::checked(&input, &listed)?,
            (true, true, _) => (0..input.histograms()).collect(),
        };
        let mut touched = vec![false; input.histograms()];
        for index in chosen {
            if let Some(flag) = touched.get_mut(index) {
                *flag = true;
            }
        }
        if let Some(events) = input.events() {
            let others: Vec<bool> = touched.iter().map(|flag| !flag).collect();
            let (plan, inside) = (events.plan(), events.plan().clear(&others)?);
            let kept = plan.clear(&touched)?;
            let below = inside.keep(f64::NEG_INFINITY, low.next_down());
            let above = inside.keep(high.next_up(), f64::INFINITY);
            let data = events.with_plan(kept.plus(&below)?.plus(&above)?);
            let out = input.clone().with_data(Data::Events(data));
            return context.output("OutputWorkspace", out);
        }
        let histogram = input.is_histogram_data();
        let inside = |x: &[f64], bin: usize| {
            let from = x.get(bin).copied().unwrap_or(f64::NAN);
            match x.get(bin + 1) {
                // A bin that only touches the range is outside of it.
                Some(to) if histogram => *to > low && from < high,
                _ => !histogram && from >= low && from <= high,
            }
        };
        let mut masked = (*input.masked_bins).clone();
        for (index, _) in touched.iter().enumerate().filter(|(_, touched)| **touched) {
            let x = input.x(index)?;
            let bins = (0..input.bins(index)).filter(|bin| inside(&x, *bin));
            masked.entry(index).or_default().extend(bins.map(|bin| (bin, 1.0)));
        }
        let mut out = map_values(&input, context.cancel, |index, x, y, e| {
            if !touched.get(index).copied().unwrap_or_default() {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, total, y};
    use crate::value::Value;

    fn mask(bench: &Bench, more: &[(&str, Value)]) -> crate::Result<crate::Handle> {
        let range = [
            ("InputWorkspace", "w".into()),
            ("XMin", 1.0.into()),
            ("XMax", 2.5.into()),
        ];
        bench.try_make("o", "MaskBins", &[&range[..], more].concat())
    }

    #[test]
    fn bins_that_reach_into_the_range_are_cleared() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0; 8], 2);
        close(&y(&mask(&bench, &[]).unwrap(), 1), &[1.0, 0.0, 0.0, 1.0]);
        let some = mask(&bench, &[("InputWorkspaceIndexSet", "1".into())]).unwrap();
        assert_eq!((y(&some, 0), y(&some, 1)), (vec![1.0; 4], vec![1.0, 0.0, 0.0, 1.0]));
        let numbered = [
            ("InputWorkspaceIndexType", "SpectrumNumber".into()),
            ("InputWorkspaceIndexSet", "1".into()),
        ];
        close(&y(&mask(&bench, &numbered).unwrap(), 1), &[1.0; 4]);
        assert!(mask(&bench, &[("XMax", 1.0.into())]).is_err());
        assert!(mask(&bench, &[("XMax", f64::NAN.into())]).is_err());
        assert!(mask(&bench, &[("SpectraList", "2".into())]).is_err());
    }

    #[test]
    fn bins_stay_masked_where_they_go() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0; 8], 2);
        let bins = |handle: &crate::Handle, index: usize| -> Vec<(usize, f64)> {
            let held = m(handle).masked_bins(index).cloned().unwrap_or_default();
            held.into_iter().collect()
        };
        let out = mask(&bench, &[("InputWorkspaceIndexSet", "1".into())]).unwrap();
        assert_eq!((bins(&out, 0), bins(&out, 1)), (vec![], vec![(1, 1.0), (2, 1.0)]));
        let from = ("InputWorkspace", "o".into());
        let cropped = bench.make("c", "CropWorkspace", &[from.clone(), ("XMin", 2.0.into())]);
        assert_eq!((bins(&cropped, 0), bins(&cropped, 1)), (vec![], vec![(0, 1.0)]));
        let alone = bench.make(
            "c",
            "ExtractSingleSpectrum",
            &[from.clone(), ("WorkspaceIndex", 1_i64.into())],
        );
        assert_eq!(bins(&alone, 0), [(1, 1.0), (2, 1.0)]);
        let scaled = bench.make("c", "Scale", &[from.clone(), ("Factor", 2.0.into())]);
        assert_eq!(bins(&scaled, 1), [(1, 1.0), (2, 1.0)]);
        let wider = bench.make("c", "Rebin", &[from, ("Params", "0,2,4".into())]);
        assert_eq!((bins(&wider, 0), bins(&wider, 1)), (vec![], vec![(0, 0.5), (1, 0.5)]));
    }

    #[test]
    fn events_in_the_range_go() {
        let bench = Bench::new();
        let w = bench.sample(
            "w",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let range = [
            ("XMin", 1000.0.into()),
            ("XMax", 3000.0.into()),
            ("InputWorkspaceIndexSet", "0".into()),
        ];
        let out = mask(&bench, &range).unwrap();
        let inside: f64 = y(&w, 0)[5..15].iter().sum();
        close(&[total(&out)], &[total(&w) - inside]);
        assert_eq!((m(&out).id(), y(&out, 1)), ("EventWorkspace", y(&w, 1)));
    }
}
