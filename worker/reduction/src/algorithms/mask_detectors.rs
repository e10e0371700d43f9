//! MaskDetectors: spectra without their data, and their detectors marked.

use crate::algorithm::{Algorithm, Context};
use crate::compute::arithmetic::clear_masked;
use crate::compute::{Reader, indices};
use crate::declaration::{Declaration, Kind, Validator, in_out, option};
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
        .with(in_out("Workspace", Kind::Matrix, "The workspace, which is changed."))
        .with(option("SpectraList", Kind::Ints, Value::None, "Spectrum numbers."))
        .with(option("DetectorList", Kind::Ints, Value::None, "Detector ids."))
        .with(option(
            "WorkspaceIndexList",
            Kind::Ints,
            Value::None,
            "Workspace indices.",
        ))
        .with(option(
            "MaskedWorkspace",
            Kind::Matrix,
            Value::None,
            "A workspace whose masked spectra, or whose spectra with Y above 0.5 when it is a mask, are masked.",
        ))
        .with(option(
            "ForceInstrumentMasking",
            Kind::Bool,
            false,
            "Match MaskedWorkspace by detectors, whatever its size.",
        ))
        .with(
            option(
                "StartWorkspaceIndex",
                Kind::Int,
                0_i64,
                "The first spectrum that may be masked.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(
            option(
                "EndWorkspaceIndex",
                Kind::Int,
                Value::None,
                "The last spectrum that may be masked.",
            )
            .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "ComponentList",
            Kind::Strs,
            Value::None,
            "Names of components of the instrument.",
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
            masked_by(&input, &mask, context, &mut chosen, &mut extra)?;
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

/// Spectra of the same index where the sizes agree and nothing else is asked for, else the mask's detectors.
fn masked_by(
    input: &MatrixWorkspace,
    mask: &MatrixWorkspace,
    context: &Context<'_>,
    chosen: &mut Vec<usize>,
    extra: &mut Vec<i32>,
) -> Result<()> {
    let reader = Reader::new(mask, context.cancel)?;
    // A mask made of Y (1 masks) has one bin; other workspaces mask by their masked detectors.
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
    use crate::algorithms::testing::{Bench, close, m, total, y};

    #[test]
    fn data_go_and_detectors_are_marked() {
        let bench = Bench::new();
        for kind in ["Histogram", "Event"] {
            let s = bench.sample("s", &[("WorkspaceType", kind.into()), ("BankPixelWidth", 2_i64.into())]);
            let before = total(&s);
            bench.run(
                "MaskDetectors",
                &[
                    ("Workspace", "s".into()),
                    ("WorkspaceIndexList", "0,3".into()),
                    ("DetectorList", "5".into()),
                ],
            );
            for index in [0, 1, 3] {
                assert!(m(&s).is_masked(index), "{index}");
                close(&[y(&s, index).iter().sum::<f64>()], &[0.0]);
            }
            assert!(!m(&s).is_masked(2));
            close(&[total(&s)], &[before * 5.0 / 8.0]);
        }
    }

    #[test]
    fn masks_components_and_unknown_names() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("BankPixelWidth", 2_i64.into())]);
        bench.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("ComponentList", "bank2".into())],
        );
        assert!(!m(&s).is_masked(3) && m(&s).is_masked(4));
        bench.sample("t", &[("BankPixelWidth", 2_i64.into())]);
        bench.run(
            "MaskDetectors",
            &[("Workspace", "t".into()), ("MaskedWorkspace", "s".into())],
        );
        assert_eq!(
            m(&bench.service.data.retrieve("t").unwrap()).masked_detectors().len(),
            4
        );
        assert!(
            bench
                .try_run(
                    "MaskDetectors",
                    &[("Workspace", "s".into()), ("ComponentList", "bank9".into())]
                )
                .is_err()
        );
        assert!(
            bench
                .try_run(
                    "MaskDetectors",
                    &[("Workspace", "s".into()), ("SpectraList", "99".into())]
                )
                .is_err()
        );
    }
}
