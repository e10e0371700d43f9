//! CorrectKiKf: counts times ki/kf, which turns a double differential cross-section into a dynamic structure factor.
//!
//! Y and E are multiplied by ki / kf = √(Ei / Ef), with Ef = Ei − ΔE (Direct, EFixed = Ei) or Ei = Ef + ΔE (Indirect,
//! EFixed = Ef):
//!
//! - ki, kf in Å⁻¹: wave vectors before and after the sample,
//! - Ei, Ef in meV: energies before and after the sample,
//! - ΔE in meV: energy transfer at the bin's centre.
//!
//! The factor is 0 where Ei or Ef is not positive.
//!
//! Sources: Mantid's page CorrectKiKf v1; G. L. Squires, Introduction to the Theory of Thermal Neutron Scattering
//! (1978), chapter 2: d²σ/dΩdEf = (kf / ki)·S(Q, ω).

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::edges_to_points;
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
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
            "Multiplies each bin by the ratio ki/kf of the wave vectors before and after the sample.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms or points; X is the energy transfer in meV.",
        ))
        .with(output("OutputWorkspace", PropertyKind::Matrix, "Corrected workspace."))
        .with(
            option(
                "EMode",
                PropertyKind::Str,
                "Direct",
                "Direct: the energy before the sample is fixed; Indirect: after it.",
            )
            .validator(Validator::OneOf(&["Direct", "Indirect"])),
        )
        .with(
            option(
                "EFixed",
                PropertyKind::Float,
                Value::None,
                "Fixed energy, above 0; the log Ei or the parameter Efixed when not given.",
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
        let energy = given.or_else(|| match direct {
            true => input.run().number("Ei"),
            false => input.instrument().number_parameter("Efixed"),
        });
        let Some(fixed) = energy.filter(|energy| *energy > 0.0) else {
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, y};
    use crate::unit::{Quantity, Unit};

    #[test]
    fn the_factor_is_that_of_the_bins_centre() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[-3.0, 0.0, 6.0, 9.0], &[1.0, 1.0, 1.0], 1);
        let call = [("InputWorkspace", "w".into()), ("EFixed", 7.5.into())];
        assert!(fixture.try_create("o", "CorrectKiKf", &call).is_err());
        w.update(|ws| {
            ws.set_x_unit(Unit::of(Quantity::DeltaE));
            Ok(())
        })
        .unwrap();
        let out = fixture.create("o", "CorrectKiKf", &call);
        assert_close(&y(&out, 0), &[(7.5_f64 / 9.0).sqrt(), (7.5_f64 / 4.5).sqrt(), 0.0]);
        assert!(fixture.try_create("o", "CorrectKiKf", &call[..1]).is_err());
    }

    // Mantid's page CorrectKiKf v1, to two digits: results for 0.30 in the first five bins.
    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let direct = [("EMode", "Direct".into()), ("EFixed", 7.5.into())];
        let convert = [("InputWorkspace", "s".into()), ("Target", "DeltaE".into())];
        fixture.create("d", "ConvertUnits", &[&convert[..], &direct].concat());
        let call = [&[("InputWorkspace", "d".into())][..], &direct].concat();
        let out = y(&fixture.create("o", "CorrectKiKf", &call), 0);
        let rounded: Vec<String> = out.iter().take(5).map(|value| format!("{value:.2}")).collect();
        assert_eq!(rounded, ["0.01", "0.02", "0.04", "0.05", "0.07"]);
    }
}
