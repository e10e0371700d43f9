//! MaskDetectors: data of spectra cleared, and their detectors marked as masked.
//!
//! Source: Mantid's page MaskDetectors v1.

use crate::algorithm::{Algorithm, Context};
use crate::compute::arithmetic::clear_masked;
use crate::compute::{HistogramReader, indices};
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, option};
use crate::error::{Result, failed};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct MaskDetectors;

impl Algorithm for MaskDetectors {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "MaskDetectors",
            1,
            "Transforms\\Masking",
            "Clears spectra and masks their detectors.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace that is masked in place.",
        ))
        .with(option(
            "SpectraList",
            PropertyKind::Ints,
            Value::None,
            "Spectrum numbers to mask.",
        ))
        .with(option(
            "DetectorList",
            PropertyKind::Ints,
            Value::None,
            "Detector ids to mask.",
        ))
        .with(option(
            "WorkspaceIndexList",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices to mask.",
        ))
        .with(option(
            "MaskedWorkspace",
            PropertyKind::Matrix,
            Value::None,
            "Workspace whose masked spectra are masked here; of a mask workspace, the spectra with Y above 0.5.",
        ))
        .with(option(
            "ForceInstrumentMasking",
            PropertyKind::Bool,
            false,
            "Match MaskedWorkspace by detectors also where the numbers of spectra agree.",
        ))
        .with(
            option(
                "StartWorkspaceIndex",
                PropertyKind::Int,
                0_i64,
                "Workspace index of the first spectrum that may be masked.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(
            option(
                "EndWorkspaceIndex",
                PropertyKind::Int,
                Value::None,
                "Workspace index of the last spectrum that may be masked, inclusive.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "ComponentList",
            PropertyKind::Strs,
            Value::None,
            "Names of components whose detectors are masked.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("Workspace")?;
        let mut flags = vec![false; input.histograms()];
        let mut extra: Vec<i32> = Vec::new();
        let mut chosen = indices::of_numbers(&input, &context.ints("SpectraList")?)?;
        chosen.extend(indices::checked(&input, &context.ints("WorkspaceIndexList")?)?);
        let ids = context.ints("DetectorList")?;
        extra.extend(ids.iter().filter_map(|id| i32::try_from(*id).ok()));
        for name in context.value("ComponentList")?.to_strs()? {
            match input.instrument().component(&name) {
                Some(component) => extra.extend(input.instrument().detectors_within(component)),
                None => {
                    return failed(format!(
                        "the instrument {} has no component {name}",
                        input.instrument().name
                    ));
                }
            }
        }
        if let Some(mask) = context.opt_matrix("MaskedWorkspace")? {
            add_masked(&input, &mask, context, &mut chosen, &mut extra)?;
        }
        chosen.extend(input.indices_of_detectors(&extra));
        if context.given("StartWorkspaceIndex") || context.given("EndWorkspaceIndex") {
            let range = indices::range(
                &input,
                context.opt_int("StartWorkspaceIndex")?,
                context.opt_int("EndWorkspaceIndex")?,
            )?;
            let (first, last) = (range.first().copied().unwrap_or(0), range.last().copied().unwrap_or(0));
            if chosen.is_empty() && extra.is_empty() {
                chosen = range;
            } else {
                chosen.retain(|index| (first..=last).contains(index));
                extra.clear();
            }
        }
        for index in chosen {
            if let Some(flag) = flags.get_mut(index) {
                *flag = true;
            }
        }
        let mut out = clear_masked(input, &flags, context.cancel)?;
        out.set_masked(&extra, true);
        context.change("Workspace", out)
    }
}

/// Adds the mask's indices to `chosen` if the numbers of spectra agree and ForceInstrumentMasking is off.
///
/// Otherwise adds the detector ids of its masked spectra to `extra`.
fn add_masked(
    input: &MatrixWorkspace,
    mask: &MatrixWorkspace,
    context: &Context<'_>,
    chosen: &mut Vec<usize>,
    extra: &mut Vec<i32>,
) -> Result<()> {
    let reader = HistogramReader::new(mask, context.cancel)?;
    // A mask workspace has one bin and no masked detectors; others mask by their masked detectors.
    let by_value = mask.masked_detectors().is_empty() && mask.bins(0) == 1;
    let mut masked = Vec::new();
    for index in 0..mask.histograms() {
        let (_, y, _) = reader.get(index)?;
        if mask.is_masked(index) || (by_value && y.first().is_some_and(|y| *y > 0.5)) {
            masked.push(index);
        }
    }
    if mask.histograms() == input.histograms() && !context.bool("ForceInstrumentMasking")? {
        chosen.extend(masked);
        return Ok(());
    }
    let known = mask.instrument().detectors.len();
    if known != input.instrument().detectors.len() {
        return failed("Instrument's detector numbers mismatch between input Workspace and MaskWorkspace");
    }
    extra.extend(
        masked
            .iter()
            .flat_map(|index| mask.spectra().detectors(*index).to_vec()),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, y};

    #[test]
    fn data_go_and_detectors_are_marked() {
        let fixture = AlgorithmFixture::new();
        for kind in ["Histogram", "Event"] {
            let s = fixture.sample_workspace("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            let before = total_counts(&s);
            fixture.run(
                "MaskDetectors",
                &[
                    ("Workspace", "s".into()),
                    ("WorkspaceIndexList", "0,3".into()),
                    ("DetectorList", "5".into()),
                ],
            );
            for index in [0, 1, 3] {
                assert!(matrix(&s).is_masked(index), "{index}");
                assert_close(&[y(&s, index).iter().sum::<f64>()], &[0.0]);
            }
            assert!(!matrix(&s).is_masked(2));
            assert_close(&[total_counts(&s)], &[before * 5.0 / 8.0]);
        }
    }

    #[test]
    fn masks_components_and_unknown_names() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        fixture.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("ComponentList", "bank2".into())],
        );
        assert!(!matrix(&s).is_masked(3) && matrix(&s).is_masked(4));
        fixture.sample_workspace("t", &[("BankPixelWidth", 2_i64.into())]);
        fixture.run(
            "MaskDetectors",
            &[("Workspace", "t".into()), ("MaskedWorkspace", "s".into())],
        );
        assert_eq!(
            matrix(&fixture.service.data.retrieve("t").unwrap())
                .masked_detectors()
                .len(),
            4
        );
        assert!(
            fixture
                .try_run(
                    "MaskDetectors",
                    &[("Workspace", "s".into()), ("ComponentList", "bank9".into())]
                )
                .is_err()
        );
        assert!(
            fixture
                .try_run(
                    "MaskDetectors",
                    &[("Workspace", "s".into()), ("SpectraList", "99".into())]
                )
                .is_err()
        );
    }
}
