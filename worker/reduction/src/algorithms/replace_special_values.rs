//! ReplaceSpecialValues: other numbers for what is not finite, too large or too small.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, input, option, output};
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
        .with(input("InputWorkspace", Kind::Matrix, "The workspace."))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "The workspace with values replaced.",
        ))
        .with(option("NaNValue", Kind::Float, Value::None, "What replaces NaN in Y."))
        .with(option("NaNError", Kind::Float, 0.0, "E where NaN was replaced."))
        .with(option(
            "InfinityValue",
            Kind::Float,
            Value::None,
            "What replaces infinity in Y.",
        ))
        .with(option(
            "InfinityError",
            Kind::Float,
            0.0,
            "E where infinity was replaced.",
        ))
        .with(option(
            "BigNumberThreshold",
            Kind::Float,
            Value::None,
            "Numbers whose size is above this are replaced.",
        ))
        .with(option("BigNumberValue", Kind::Float, 0.0, "What replaces them."))
        .with(option(
            "BigNumberError",
            Kind::Float,
            0.0,
            "E where they were replaced.",
        ))
        .with(option(
            "SmallNumberThreshold",
            Kind::Float,
            Value::None,
            "Numbers whose size is below this are replaced.",
        ))
        .with(option("SmallNumberValue", Kind::Float, 0.0, "What replaces them."))
        .with(option(
            "SmallNumberError",
            Kind::Float,
            0.0,
            "E where they were replaced.",
        ))
        .with(option(
            "UseAbsolute",
            Kind::Bool,
            true,
            "Compare sizes without their sign.",
        ))
        .with(option("CheckErrorAxis", Kind::Bool, false, "Look at E too."))
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
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        let values = [8e80, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 8e-7, 5.0];
        bench.workspace_with("w", &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &values, &[1.0; 6], 1);
        let out = bench.make(
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
        close(&y(&out, 0), &[1000.0, 1000.0, 1000.0, 0.0, 200.0, 5.0]);
        assert!(
            bench
                .try_make("o", "ReplaceSpecialValues", &[("InputWorkspace", "w".into())])
                .is_err()
        );
    }
}
