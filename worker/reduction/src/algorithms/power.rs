//! Power: Y to an exponent.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct Power;

impl Algorithm for Power {
    fn declaration(&self) -> Declaration {
        Declaration::new("Power", 1, "Arithmetic", "Raises Y to an exponent.")
            .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
            .with(output("OutputWorkspace", Kind::Matrix, "The result."))
            .with(input("Exponent", Kind::Float, "The exponent.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let exponent = context.float("Exponent")?;
        let out = map_values(&context.matrix("InputWorkspace")?, context.cancel, |_, _, y, e| {
            for (y, e) in y.iter_mut().zip(e) {
                *e = (exponent * y.powf(exponent) * *e / *y).abs();
                *y = y.powf(exponent);
            }
            Ok(())
        })?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn squares_come_out() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0], 1);
        let out = bench.make(
            "o",
            "Power",
            &[("InputWorkspace", "w".into()), ("Exponent", 2.0.into())],
        );
        close(&y(&out, 0), &[1.0, 4.0, 9.0, 16.0]);
    }
}
