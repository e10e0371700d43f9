//! RemoveSpectra: removal of spectra by list, mask or lack of detectors.

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::value::Value;

pub(crate) struct RemoveSpectra;

impl Algorithm for RemoveSpectra {
    fn declaration(&self) -> Declaration {
        let list = option(
            "WorkspaceIndices",
            PropertyKind::Ints,
            Value::None,
            "Workspace indices of spectra to remove.",
        );
        Declaration::new(
            "RemoveSpectra",
            1,
            "Transforms\\Splitting",
            "Removes spectra by list, mask or lack of detectors.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose spectra are filtered.",
        ))
        .with(list)
        .with(option(
            "RemoveMaskedSpectra",
            PropertyKind::Bool,
            false,
            "Remove spectra that are masked.",
        ))
        .with(option(
            "RemoveSpectraWithNoDetector",
            PropertyKind::Bool,
            false,
            "Remove spectra without a detector of the instrument.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Remaining spectra, at least one.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let mut removed = vec![false; input.histograms()];
        for index in indices::checked(&input, &context.ints("WorkspaceIndices")?)? {
            if let Some(flag) = removed.get_mut(index) {
                *flag = true;
            }
        }
        let (masked, without_detectors) = (
            context.bool("RemoveMaskedSpectra")?,
            context.bool("RemoveSpectraWithNoDetector")?,
        );
        for (index, flag) in removed.iter_mut().enumerate() {
            *flag |= (masked && input.is_masked(index)) || (without_detectors && !input.has_detectors(index));
        }
        let kept: Vec<usize> = (0..removed.len())
            .filter(|index| removed.get(*index) == Some(&false))
            .collect();
        if kept.is_empty() {
            return failed("No spectrum would be left: a workspace holds at least one");
        }
        let out = if kept.len() == input.histograms() {
            input
        } else {
            input.subset(&kept)?
        };
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    #[test]
    fn listed_masked_and_bare_spectra_go() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        fixture.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("WorkspaceIndexList", "2,3".into())],
        );
        let bare = |ws: &mut crate::MatrixWorkspace| {
            let mut spectra = (**ws.spectra()).clone();
            spectra.set_detectors(7, &[]);
            ws.set_spectra(spectra)
        };
        s.update(bare).unwrap();
        let left = |more: &[(&str, Value)]| {
            let out = fixture.create(
                "o",
                "RemoveSpectra",
                &[&[("InputWorkspace", "s".into())][..], more].concat(),
            );
            matrix(&out).spectra().numbers().to_vec()
        };
        assert_eq!(left(&[("WorkspaceIndices", "0,5".into())]), [2, 3, 4, 5, 7, 8]);
        assert_eq!(left(&[("RemoveMaskedSpectra", true.into())]), [1, 2, 5, 6, 7, 8]);
        assert_eq!(
            left(&[("RemoveSpectraWithNoDetector", true.into())]),
            [1, 2, 3, 4, 5, 6, 7]
        );
        assert_eq!(left(&[]).len(), 8);
        for wrong in ["8", "-1", "0-7"] {
            let call = [("InputWorkspace", "s".into()), ("WorkspaceIndices", wrong.into())];
            assert!(fixture.try_create("o", "RemoveSpectra", &call).is_err(), "{wrong}");
        }
    }
}
