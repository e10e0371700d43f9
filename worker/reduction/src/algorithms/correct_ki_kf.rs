//! CorrectKiKf: counts as the double differential cross-section has them, times ki/kf.

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::edges_to_points;
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed};
use crate::unit::Quantity;
use crate::value::Value;

pub(crate) struct CorrectKiKf;

impl Algorithm for CorrectKiKf {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CorrectKiKf",
            1,
            "Inelastic\\Corrections",
            "Multiplies each bin by the ratio of the wave vectors before and after the sample.",
        )
        .with(input(
            "InputWorkspace",
            Kind::Matrix,
            "The workspace; X is the energy transfer in meV.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The corrected workspace."))
        .with(
            option("EMode", Kind::Str, "Direct", "Which energy is fixed.")
                .validator(Validator::OneOf(&["Direct", "Indirect"])),
        )
        .with(
            option(
                "EFixed",
                Kind::Float,
                Value::None,
                "The fixed energy; the log Ei when not given.",
            )
            .unit("meV")
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        if input.x_unit().quantity() != Quantity::DeltaE {
            return failed("X must be the energy transfer in meV (DeltaE): convert it with ConvertUnits");
        }
        if input.is_events() {
            return failed("CorrectKiKf needs histograms: rebin the events with PreserveEvents=False first");
        }
        let direct = context.str("EMode")? == "Direct";
        let given = context.opt_float("EFixed")?.filter(|energy| *energy > 0.0);
        let known = given.or_else(|| match direct {
            true => input.run().number("Ei"),
            false => input.instrument().number_parameter("Efixed"),
        });
        let Some(fixed) = known.filter(|energy| *energy > 0.0) else {
            return failed("No Efixed parameter found: give EFixed, or set the log Ei");
        };
        let histogram = input.is_histogram_data();
        let out = map_values(&input, context.cancel, |_, x, y, e| {
            let centres = if histogram { edges_to_points(x) } else { x.to_vec() };
            for ((centre, y), e) in centres.iter().zip(y).zip(e) {
                let (ei, ef) = if direct {
                    (fixed, fixed - centre)
                } else {
                    (fixed + centre, fixed)
                };
                let factor = if ei <= 0.0 || ef <= 0.0 { 0.0 } else { (ei / ef).sqrt() };
                *y *= factor;
                *e *= factor;
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
    use crate::unit::{Quantity, Unit};

    #[test]
    fn the_factor_is_that_of_the_bins_centre() {
        let bench = Bench::new();
        let w = bench.workspace("w", &[-3.0, 0.0, 6.0, 9.0], &[1.0, 1.0, 1.0], 1);
        let call = [("InputWorkspace", "w".into()), ("EFixed", 7.5.into())];
        assert!(bench.try_make("o", "CorrectKiKf", &call).is_err());
        w.update(|ws| {
            ws.set_x_unit(Unit::of(Quantity::DeltaE));
            Ok(())
        })
        .unwrap();
        let out = bench.make("o", "CorrectKiKf", &call);
        close(&y(&out, 0), &[(7.5_f64 / 9.0).sqrt(), (7.5_f64 / 4.5).sqrt(), 0.0]);
        assert!(bench.try_make("o", "CorrectKiKf", &call[..1]).is_err());
    }
}
