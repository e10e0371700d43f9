//! ConvertSpectrumAxis in its first version: spectra by their scattering angle, or by the middle of their X in another
//! unit.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::convert_spectrum_axis::{by_axis, check};
use crate::compute::flight::{Fixed, flights};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::unit::{self, EnergyMode, Quantity, Unit};
use crate::value::Value;

pub(crate) struct ConvertSpectrumAxis1;

const TARGETS: &[&str] = &[
    "theta",
    "signed_theta",
    "DeltaE",
    "DeltaE_inFrequency",
    "DeltaE_inWavenumber",
    "Energy",
    "Energy_inWavenumber",
    "Momentum",
    "MomentumTransfer",
    "QSquared",
    "TOF",
    "Wavelength",
    "dSpacing",
];

impl Algorithm for ConvertSpectrumAxis1 {
    fn declaration(&self) -> Declaration {
        let target = input(
            "Target",
            Kind::Str,
            "What the vertical axis counts: the angle in degrees, or X in this unit.",
        );
        let modes = &["Elastic", "Direct", "Indirect"];
        Declaration::new(
            "ConvertSpectrumAxis",
            1,
            "Transforms\\Units;Transforms\\Axes",
            "Makes angles or values of X of spectrum numbers.",
        )
        .with(input(
            "InputWorkspace",
            Kind::Matrix,
            "The workspace; it needs an instrument.",
        ))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "The workspace with another vertical axis.",
        ))
        .with(target.mandatory().validator(Validator::OneOf(TARGETS)))
        .with(option("EMode", Kind::Str, "Direct", "Which energy is fixed.").validator(Validator::OneOf(modes)))
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
        check(&input)?;
        let target = context.str("Target")?;
        let fixed = match context.opt_float("EFixed")?.or_else(|| input.run().number("Ei")) {
            Some(energy) => Fixed::Same(energy),
            None => Fixed::Nothing,
        };
        let flights = flights(&input, fixed)?;
        let Some(unit) = Unit::from_id(&target) else {
            let signed = target == "signed_theta";
            let angle = |index: usize| {
                let detectors = input.spectra().detectors(index).iter();
                let known: Vec<_> = detectors.filter_map(|id| input.instrument().detector(*id)).collect();
                let sum: f64 = known.iter().map(|d| input.instrument().signed_two_theta(d)).sum();
                sum / known.len().max(1) as f64
            };
            let out = by_axis(&input, Quantity::Degrees, true, context, |index| {
                let flight = flights.get(index).copied().flatten();
                Ok(flight.map(|flight| if signed { angle(index) } else { flight.two_theta }.to_degrees()))
            })?;
            return context.output("OutputWorkspace", out);
        };
        let mode = EnergyMode::from_name(&context.str("EMode")?).unwrap_or(EnergyMode::Elastic);
        let (from, to) = (input.x_unit().quantity(), unit.quantity());
        if from != Quantity::TimeOfFlight && !unit::is_convertible(from) {
            return invalid(format!("X is in {}: it cannot be converted", input.x_unit().id()));
        }
        if unit::is_energy_transfer(to) && mode == EnergyMode::Elastic {
            return invalid("An energy transfer needs EMode Direct or Indirect");
        }
        let out = by_axis(&input, to, true, context, |index| {
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

    use crate::algorithm::AlgorithmRun;
    use crate::algorithms::testing::{Bench, close, m};
    use crate::workspace::axis::VerticalAxis;

    fn values(bench: &Bench, target: &str, mode: &str) -> crate::Result<Vec<f64>> {
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
            .execute(&bench.service, &Cancel::new())?
            .workspace("OutputWorkspace")
            .unwrap();
        match m(&out).vertical() {
            VerticalAxis::Numeric { values, .. } => Ok(values.to_vec()),
            _ => panic!("no numbers"),
        }
    }

    #[test]
    fn angles_and_the_middle_of_x_make_the_axis() {
        let bench = Bench::new();
        bench.sample("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let angles = values(&bench, "theta", "Direct").unwrap();
        close(&angles, &[0.0, 0.091_673, 0.091_673, 0.129_645]);
        // Half of 20 000 µs over 15 m and a little.
        let lengths = values(&bench, "Wavelength", "Elastic").unwrap();
        close(&lengths[3..], &[3956.034 * 0.01 / 15.0]);
        assert!(values(&bench, "DeltaE", "Elastic").is_err());
        assert!(values(&bench, "Brightness", "Elastic").is_err());
    }
}
