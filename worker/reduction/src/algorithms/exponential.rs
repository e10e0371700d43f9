//! Exponential: Y = exp(y), E = e·exp(y), with y and e the input's signal and its standard deviation in one bin.
//!
//! y must be dimensionless. Source: Mantid's page Exponential v1; the error is the first-order propagation
//! |d exp(y)/dy|·e.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::unary_operation;
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct Exponential;

impl Algorithm for Exponential {
    fn declaration(&self) -> Declaration {
        unary_operation::declaration("Exponential", "Raises e to the power of Y.")
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        unary_operation::evaluate(context, |y, e| {
            let exponential = y.exp();
            (exponential, e * exponential)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, y};

    #[test]
    fn powers_of_e_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace_with_errors("w", &[0.0, 1.0, 2.0], &[0.0, -2.0], &[0.5; 2], 1);
        let out = fixture.create("o", "Exponential", &[("InputWorkspace", "w".into())]);
        assert_close(&y(&out, 0), &[1.0, 0.135_335_283]);
        assert_close(&e(&out, 0), &[0.5, 0.067_667_642]);
    }
}
