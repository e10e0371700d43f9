//! ReplaceSpecialValues: numbers in place of NaN, infinity and values beyond limits.
//!
//! Promises: the first matching rule counts, in the order NaN, infinity, big, small. Source: Mantid's page
//! ReplaceSpecialValues v1.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::value::Value;

pub(crate) struct ReplaceSpecialValues;

impl Algorithm for ReplaceSpecialValues {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ReplaceSpecialValues",
            1,
            "CorrectionFunctions\\SpecialCorrections",
            "Replaces NaN, infinity, and numbers beyond limits.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace to correct."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with values replaced.",
        ))
        .with(option(
            "NaNValue",
            PropertyKind::Float,
            Value::None,
            "Y in place of NaN; NaN is kept when not given.",
        ))
        .with(option("NaNError", PropertyKind::Float, 0.0, "E where NaN is replaced."))
        .with(option(
            "InfinityValue",
            PropertyKind::Float,
            Value::None,
            "Y in place of infinity; infinity is kept when not given.",
        ))
        .with(option(
            "InfinityError",
            PropertyKind::Float,
            0.0,
            "E where infinity is replaced.",
        ))
        .with(option(
            "BigNumberThreshold",
            PropertyKind::Float,
            Value::None,
            "Limit above which numbers are replaced; 0 or not given for none.",
        ))
        .with(option(
            "BigNumberValue",
            PropertyKind::Float,
            0.0,
            "Y in place of these numbers.",
        ))
        .with(option(
            "BigNumberError",
            PropertyKind::Float,
            0.0,
            "E where these numbers are replaced.",
        ))
        .with(option(
            "SmallNumberThreshold",
            PropertyKind::Float,
            Value::None,
            "Limit below which numbers are replaced; 0 or not given for none.",
        ))
        .with(option(
            "SmallNumberValue",
            PropertyKind::Float,
            0.0,
            "Y in place of these numbers.",
        ))
        .with(option(
            "SmallNumberError",
            PropertyKind::Float,
            0.0,
            "E where these numbers are replaced.",
        ))
        .with(option(
            "UseAbsolute",
            PropertyKind::Bool,
            true,
            "Compare magnitudes with the limits.",
        ))
        .with(option(
            "CheckErrorAxis",
            PropertyKind::Bool,
            false,
            "Apply the rules to E too; a match replaces Y and E.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let (nan, infinity) = (context.opt_float("NaNValue")?, context.opt_float("InfinityValue")?);
        let big = context.opt_float("BigNumberThreshold")?.filter(|v| *v != 0.0);
        let small = context.opt_float("SmallNumberThreshold")?.filter(|v| *v != 0.0);
        if nan.is_none() && infinity.is_none() && big.is_none() && small.is_none() {
            return failed("No value was defined for NaN, infinity, BigValueThreshold or SmallValueThreshold");
        }
        let value = |name: &str| context.float(name);
        let (nan_error, infinity_error) = (value("NaNError")?, value("InfinityError")?);
        let nan = nan.map(|v| (v, nan_error));
        let infinity = infinity.map(|v| (v, infinity_error));
        let big_to = (value("BigNumberValue")?, value("BigNumberError")?);
        let small_to = (value("SmallNumberValue")?, value("SmallNumberError")?);
        let (absolute, errors) = (context.bool("UseAbsolute")?, context.bool("CheckErrorAxis")?);
        let replace = |v: f64| -> Option<(f64, f64)> {
            let size = if absolute { v.abs() } else { v };
            match v {
                v if v.is_nan() => nan,
                v if v.is_infinite() && infinity.is_some() => infinity,
                _ if big.is_some_and(|limit| size > limit) => Some(big_to),
                _ if small.is_some_and(|limit| size < limit) => Some(small_to),
                _ => None,
            }
        };
        let out = map_values(&input, context.cancel, |_, _, y, e| {
            for (y, e) in y.iter_mut().zip(e) {
                let found = replace(*y).or_else(|| if errors { replace(*e) } else { None });
                if let Some((value, error)) = found {
                    (*y, *e) = (value, error);
                }
            }
            Ok(())
        })?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, y};

    // Mantid's page ReplaceSpecialValues v1.
    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        let values = [8e80, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 8e-7, 5.0];
        fixture.workspace_with_errors("w", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &values, &[1.0; 6], 1);
        let out = fixture.create(
            "o",
            "ReplaceSpecialValues",
            &[
                ("InputWorkspace", "w".into()),
                ("NaNValue", 0.0.into()),
                ("InfinityValue", 1000.0.into()),
                ("BigNumberThreshold", 1000.0.into()),
                ("BigNumberValue", 1000.0.into()),
                ("SmallNumberThreshold", 1e-3.into()),
                ("SmallNumberValue", 200.0.into()),
            ],
        );
        assert_close(&y(&out, 0), &[1000.0, 1000.0, 1000.0, 0.0, 200.0, 5.0]);
        assert!(
            fixture
                .try_create("o", "ReplaceSpecialValues", &[("InputWorkspace", "w".into())])
                .is_err()
        );
    }
}
