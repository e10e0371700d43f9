//! Power: Y = y^p, E = |p·y^p·e / y|, with y and e the input's signal and its standard deviation in one bin and p the
//! exponent, dimensionless.
//!
//! Source: Mantid's page Power v1; the error is the first-order propagation |d(y^p)/dy|·e.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::unary_operation;
use crate::declaration::{Declaration, PropertyKind, input};
use crate::error::Result;

pub(crate) struct Power;

impl Algorithm for Power {
    fn declaration(&self) -> Declaration {
        unary_operation::declaration("Power", "Raises Y to an exponent.")
            .with(input("Exponent", PropertyKind::Float, "Exponent, of any sign.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let exponent = context.float("Exponent")?;
        unary_operation::evaluate(context, |y, e| {
            let power = y.powf(exponent);
            (power, (exponent * power * e / y).abs())
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, y};

    // Mantid's page Power v1.
    #[test]
    fn squares_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0, 4.0], 1);
        let out = fixture.create(
            "o",
            "Power",
            &[("InputWorkspace", "w".into()), ("Exponent", 2.0.into())],
        );
        assert_close(&y(&out, 0), &[1.0, 4.0, 9.0, 16.0]);
    }
}
