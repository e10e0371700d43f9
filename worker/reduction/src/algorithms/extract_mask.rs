//! ExtractMask: the mask of a workspace as ones (masked) and zeros, and as a list of detector ids.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;
use crate::unit::Unit;
use crate::value::Value;
use crate::workspace::data::{Rows, SharedRow, XRows};

pub(crate) struct ExtractMask;

impl Algorithm for ExtractMask {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ExtractMask",
            1,
            "Transforms\\Masking",
            "Copies the mask of a workspace into a workspace of ones and zeros.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose mask is copied.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "One value for each spectrum: 1 where it is masked, otherwise 0.",
        ))
        .with(output(
            "DetectorList",
            PropertyKind::Ints,
            "Ids of the masked detectors.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let [unmasked, masked]: [SharedRow; 2] = [[0.0].into(), [1.0].into()];
        let flags = (0..input.histograms()).map(|index| input.is_masked(index));
        let y = flags.map(|flag| if flag { masked.clone() } else { unmasked.clone() });
        let (y, e) = (
            Rows::new(y.collect()),
            Rows::repeated(unmasked.clone(), input.histograms()),
        );
        let ids = input.masked_detectors().iter().map(|id| i64::from(*id)).collect();
        let mut out = input.with_histogram(XRows::Common(unmasked), y, e);
        out.set_x_unit(Unit::EMPTY);
        out.set_y_unit("");
        out.set_distribution(false);
        context.output("OutputWorkspace", out)?;
        context.output_value("DetectorList", Value::Ints(ids))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix, y};
    use crate::value::Value;

    #[test]
    fn ones_stand_for_masked_spectra() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into()), ("NumBanks", 1_i64.into())]);
        fixture.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("WorkspaceIndexList", "2,3".into())],
        );
        let out = fixture.run(
            "ExtractMask",
            &[("InputWorkspace", "s".into()), ("OutputWorkspace", "k".into())],
        );
        let mask = out.workspace("OutputWorkspace").unwrap();
        let values: Vec<f64> = (0..4).map(|index| y(&mask, index)[0]).collect();
        assert_eq!((values, matrix(&mask).bins(0)), (vec![0.0, 0.0, 1.0, 1.0], 1));
        assert!(matches!(out.get("DetectorList"), Some(Value::Ints(ids)) if ids == &[6, 7]));
        // MaskDetectors accepts the result, within a range of indices where one is given.
        let other = fixture.sample_workspace("t", &[("BankPixelWidth", 2_i64.into()), ("NumBanks", 1_i64.into())]);
        let call = [
            ("Workspace", "t".into()),
            ("MaskedWorkspace", "k".into()),
            ("StartWorkspaceIndex", 3_i64.into()),
        ];
        fixture.run("MaskDetectors", &call);
        assert_eq!(
            (matrix(&other).is_masked(2), matrix(&other).is_masked(3)),
            (false, true)
        );
    }
}
