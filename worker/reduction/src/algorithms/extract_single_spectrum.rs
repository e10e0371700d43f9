//! ExtractSingleSpectrum: one spectrum by its workspace index.

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, Validator, input, output};
use crate::error::Result;

pub(crate) struct ExtractSingleSpectrum;

impl Algorithm for ExtractSingleSpectrum {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ExtractSingleSpectrum",
            1,
            "Transforms\\Splitting",
            "Keeps one spectrum.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace that holds the spectrum.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace of this spectrum.",
        ))
        .with(
            input(
                "WorkspaceIndex",
                PropertyKind::Int,
                "Workspace index of the spectrum, from 0.",
            )
            .mandatory()
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let chosen = indices::checked(&input, &context.ints("WorkspaceIndex")?)?;
        context.output("OutputWorkspace", input.subset(&chosen)?)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, matrix, y};

    #[test]
    fn one_is_left() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0, 3.0], 3);
        let out = fixture.create(
            "o",
            "ExtractSingleSpectrum",
            &[("InputWorkspace", "w".into()), ("WorkspaceIndex", 1_i64.into())],
        );
        assert_eq!(
            (matrix(&out).spectra().numbers().to_vec(), y(&out, 0)),
            (vec![2], vec![2.0])
        );
        assert!(
            fixture
                .try_create(
                    "o",
                    "ExtractSingleSpectrum",
                    &[("InputWorkspace", "w".into()), ("WorkspaceIndex", 3_i64.into())]
                )
                .is_err()
        );
    }
}
