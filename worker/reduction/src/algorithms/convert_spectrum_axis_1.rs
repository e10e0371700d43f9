//! ConvertSpectrumAxis, version 1: spectra by scattering angle, or by the mean of their first and last X in another
//! unit.
//!
//! `theta` and `signed_theta` are 2θ in degrees. Other targets are (x₁ + xₙ)/2 in the target's unit. The ends x₁ and xₙ
//! of X are converted by the formulas of [`crate::unit`] with the spectrum's flight path. Source: Mantid's page
//! ConvertSpectrumAxis v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::convert_spectrum_axis::{check_input, with_numeric_axis};
use crate::compute::flight_paths::{EfixedSource, flight_paths};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::unit::{self, CONVERTIBLE, EMode, Quantity, Unit};
use crate::value::Value;

pub(crate) struct ConvertSpectrumAxis1;

/// `theta` and `signed_theta`, then the units of [`CONVERTIBLE`].
const TARGETS: [&str; CONVERTIBLE.len() + 2] = {
    let mut targets = ["theta"; CONVERTIBLE.len() + 2];
    targets[1] = "signed_theta";
    let mut index = 0;
    while index < CONVERTIBLE.len() {
        targets[index + 2] = CONVERTIBLE[index];
        index += 1;
    }
    targets
};

impl Algorithm for ConvertSpectrumAxis1 {
    fn declaration(&self) -> Declaration {
        let target = input(
            "Target",
            PropertyKind::Str,
            "Quantity of the vertical axis: the angle in degrees, or X in this unit.",
        );
        let modes = &["Elastic", "Direct", "Indirect"];
        Declaration::new(
            "ConvertSpectrumAxis",
            1,
            "Transforms\\Units;Transforms\\Axes",
            "Replaces spectrum numbers by angles or values of X.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace with an instrument and spectrum numbers.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with a numeric vertical axis, ascending.",
        ))
        .with(target.mandatory().validator(Validator::OneOf(&TARGETS)))
        .with(
            option(
                "EMode",
                PropertyKind::Str,
                "Direct",
                "Elastic, or the fixed energy: before (Direct) or after (Indirect) the sample.",
            )
            .validator(Validator::OneOf(modes)),
        )
        .with(
            option(
                "EFixed",
                PropertyKind::Float,
                Value::None,
                "Fixed energy; the log Ei when not given.",
            )
            .unit("meV")
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        check_input(&input)?;
        let target = context.str("Target")?;
        let fixed = match context.opt_float("EFixed")?.or_else(|| input.run().number("Ei")) {
            Some(energy) => EfixedSource::Same(energy),
            None => EfixedSource::Nothing,
        };
        let flights = flight_paths(&input, fixed)?;
        let Some(unit) = Unit::from_id(&target) else {
            let signed = target == "signed_theta";
            let angle = |index: usize| {
                let detectors = input.spectra().detectors(index).iter();
                let known: Vec<_> = detectors.filter_map(|id| input.instrument().detector(*id)).collect();
                let sum: f64 = known.iter().map(|d| input.instrument().signed_two_theta(d)).sum();
                sum / known.len().max(1) as f64
            };
            let out = with_numeric_axis(&input, Quantity::Degrees, true, context, |index| {
                let flight = flights.get(index).copied().flatten();
                Ok(flight.map(|flight| if signed { angle(index) } else { flight.two_theta }.to_degrees()))
            })?;
            return context.output("OutputWorkspace", out);
        };
        let mode = EMode::from_name(&context.str("EMode")?).unwrap_or(EMode::Elastic);
        let (from, to) = (input.x_unit().quantity(), unit.quantity());
        if from != Quantity::TimeOfFlight && !unit::is_convertible(from) {
            return invalid(format!("X is in {}: it cannot be converted", input.x_unit().id()));
        }
        if unit::is_energy_transfer(to) && mode == EMode::Elastic {
            return invalid("An energy transfer needs EMode Direct or Indirect");
        }
        let out = with_numeric_axis(&input, to, true, context, |index| {
            let Some(flight) = flights.get(index).copied().flatten() else {
                return Ok(None);
            };
            let x = input.x(index)?;
            let (Some(first), Some(last)) = (x.first(), x.last()) else {
                return Ok(None);
            };
            let convert = |x: f64| unit::convert(from, to, mode, &flight, x);
            Ok(Some((convert(*first) + convert(*last)) / 2.0))
        })?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use live_data_engine::cancel::Cancel;

    use crate::algorithm_run::AlgorithmRun;
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix};
    use crate::workspace::axis::VerticalAxis;

    fn values(fixture: &AlgorithmFixture, target: &str, mode: &str) -> crate::Result<Vec<f64>> {
        let mut run = AlgorithmRun::create("ConvertSpectrumAxis", Some(1))?;
        for (name, value) in [
            ("InputWorkspace", "s"),
            ("OutputWorkspace", "o"),
            ("Target", target),
            ("EMode", mode),
        ] {
            run.set_property(name, value.into())?;
        }
        let out = run
            .execute(&fixture.service, &Cancel::new())?
            .workspace("OutputWorkspace")
            .unwrap();
        match matrix(&out).vertical() {
            VerticalAxis::Numeric { values, .. } => Ok(values.to_vec()),
            _ => panic!("no numbers"),
        }
    }

    #[test]
    fn angles_and_the_middle_of_x_make_the_axis() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let angles = values(&fixture, "theta", "Direct").unwrap();
        assert_close(&angles, &[0.0, 0.091_673, 0.091_673, 0.129_645]);
        // Half of 20 000 µs, over slightly more than 15 m.
        let lengths = values(&fixture, "Wavelength", "Elastic").unwrap();
        assert_close(&lengths[3..], &[3956.034 * 0.01 / 15.0]);
        assert!(values(&fixture, "DeltaE", "Elastic").is_err());
        assert!(values(&fixture, "Brightness", "Elastic").is_err());
    }
}
