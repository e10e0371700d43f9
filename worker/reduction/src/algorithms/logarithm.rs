//! Logarithm: of Y, natural or to the base of 10.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::Result;

pub(crate) struct Logarithm;

/// 1/ln 10 to the three digits that Mantid calculates with.
const PER_DECADE: f64 = 0.434;

impl Algorithm for Logarithm {
    fn declaration(&self) -> Declaration {
        Declaration::new("Logarithm", 1, "Arithmetic", "Takes the logarithm of Y.")
            .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
            .with(output(
                "OutputWorkspace",
                Kind::Matrix,
                "The result; events become counts first.",
            ))
            .with(option(
                "Filler",
                Kind::Float,
                0.0,
                "The result where Y is not positive.",
            ))
            .with(option(
                "Natural",
                Kind::Bool,
                true,
                "The natural logarithm; else to the base of 10.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (filler, natural) = (context.float("Filler")?, context.bool("Natural")?);
        let out = map_values(&context.matrix("InputWorkspace")?, context.cancel, |_, _, y, e| {
            for (y, e) in y.iter_mut().zip(e) {
                (*y, *e) = match (*y > 0.0, natural) {
                    (false, _) if !y.is_nan() => (filler, 0.0),
                    (_, true) => (y.ln(), *e / *y),
                    (_, false) => (y.log10(), PER_DECADE * *e / *y),
                };
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
    fn logarithms_of_both_kinds_and_fillers_come_out() {
        let bench = Bench::new();
        bench.workspace_with(
            "w",
            &[0.0, 1.0, 2.0, 3.0, 4.0],
            &[-10.0, 10.0, 1.0, f64::NAN],
            &[1.0; 4],
            1,
        );
        let input = ("InputWorkspace", "w".into());
        let ten = [input.clone(), ("Filler", (-1.0).into()), ("Natural", "0".into())];
        let out = bench.make("o", "Logarithm", &ten);
        close(&y(&out, 0), &[-1.0, 1.0, 0.0, f64::NAN]);
        close(&e(&out, 0)[..3], &[0.0, 0.0434, 0.434]);
        let natural = bench.make("o", "Logarithm", &[input]);
        close(&y(&natural, 0)[..3], &[0.0, 10.0_f64.ln(), 0.0]);
        close(&e(&natural, 0)[..3], &[0.0, 0.1, 1.0]);
    }
}
