//! Exponential: e to the power of Y.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct Exponential;

impl Algorithm for Exponential {
    fn declaration(&self) -> Declaration {
        Declaration::new("Exponential", 1, "Arithmetic", "Raises e to the power of Y.")
            .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
            .with(output(
                "OutputWorkspace",
                Kind::Matrix,
                "The result; events become counts first.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let out = map_values(&context.matrix("InputWorkspace")?, context.cancel, |_, _, y, e| {
            for (y, e) in y.iter_mut().zip(e) {
                *y = y.exp();
                *e *= *y;
            }
            Ok(())
        })?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, e, y};

    #[test]
    fn powers_of_e_come_out() {
        let bench = Bench::new();
        bench.workspace_with("w", &[0.0, 1.0, 2.0], &[0.0, -2.0], &[0.5; 2], 1);
        let out = bench.make("o", "Exponential", &[("InputWorkspace", "w".into())]);
        close(&y(&out, 0), &[1.0, 0.135_335_283]);
        close(&e(&out, 0), &[0.5, 0.067_667_642]);
    }
}
