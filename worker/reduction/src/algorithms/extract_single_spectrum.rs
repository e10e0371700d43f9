//! ExtractSingleSpectrum: one spectrum.

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, Kind, Validator, input, output};
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
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output("OutputWorkspace", Kind::Matrix, "The spectrum."))
        .with(
            input("WorkspaceIndex", Kind::Int, "Which spectrum.")
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
    use crate::algorithms::testing::{Bench, m, y};

    #[test]
    fn one_is_left() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0], &[1.0, 2.0, 3.0], 3);
        let out = bench.make(
            "o",
            "ExtractSingleSpectrum",
            &[("InputWorkspace", "w".into()), ("WorkspaceIndex", 1_i64.into())],
        );
        assert_eq!((m(&out).spectra().numbers().to_vec(), y(&out, 0)), (vec![2], vec![2.0]));
        assert!(
            bench
                .try_make(
                    "o",
                    "ExtractSingleSpectrum",
                    &[("InputWorkspace", "w".into()), ("WorkspaceIndex", 3_i64.into())]
                )
                .is_err()
        );
    }
}
