//! Logarithm: Y = ln y with E = e / y, or Y = log₁₀ y with E = 0.434·e / y; y and e are the input's signal and its
//! standard deviation in one bin.
//!
//! A bin with y ≤ 0 gets Y = Filler and E = 0; NaN stays NaN. Source: Mantid's page Logarithm v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::unary_operation;
use crate::declaration::{Declaration, PropertyKind, option};
use crate::error::Result;

pub(crate) struct Logarithm;

/// 1/ln 10 rounded to three digits (exactly 0.434294…), as Mantid's Logarithm has it.
const PER_DECADE: f64 = 0.434;

impl Algorithm for Logarithm {
    fn declaration(&self) -> Declaration {
        unary_operation::declaration("Logarithm", "Takes the logarithm of Y.")
            .with(option(
                "Filler",
                PropertyKind::Float,
                0.0,
                "Y of bins without a positive value.",
            ))
            .with(option(
                "Natural",
                PropertyKind::Bool,
                true,
                "Natural logarithm; otherwise to the base of 10.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (filler, natural) = (context.float("Filler")?, context.bool("Natural")?);
        unary_operation::evaluate(context, |y, e| match (y > 0.0, natural) {
            (false, _) if !y.is_nan() => (filler, 0.0),
            (_, true) => (y.ln(), e / y),
            (_, false) => (y.log10(), PER_DECADE * e / y),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, y};

    #[test]
    fn logarithms_of_both_kinds_and_fillers_come_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace_with_errors(
            "w",
            &[0.0, 1.0, 2.0, 3.0, 4.0],
            &[-10.0, 10.0, 1.0, f64::NAN],
            &[1.0; 4],
            1,
        );
        let input = ("InputWorkspace", "w".into());
        let ten = [input.clone(), ("Filler", (-1.0).into()), ("Natural", "0".into())];
        let out = fixture.create("o", "Logarithm", &ten);
        assert_close(&y(&out, 0), &[-1.0, 1.0, 0.0, f64::NAN]);
        assert_close(&e(&out, 0)[..3], &[0.0, 0.0434, 0.434]);
        let natural = fixture.create("o", "Logarithm", &[input]);
        assert_close(&y(&natural, 0)[..3], &[0.0, 10.0_f64.ln(), 0.0]);
        assert_close(&e(&natural, 0)[..3], &[0.0, 0.1, 1.0]);
    }
}
