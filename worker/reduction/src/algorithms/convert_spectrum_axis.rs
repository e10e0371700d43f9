//! ConvertSpectrumAxis: spectra by their scattering angle, or by the momentum transfer or d-spacing of elastic scattering.

use std::f64::consts::PI;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Detector, Instrument, V3};
use crate::service::Level;
use crate::unit::{Quantity, Unit, de_broglie, half_mass};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;

pub(crate) struct ConvertSpectrumAxis;

const TARGETS: &[&str] = &[
    "Theta",
    "SignedTheta",
    "InPlaneTwoTheta",
    "SignedInPlaneTwoTheta",
    "ElasticQ",
    "ElasticQSquared",
    "theta",
    "signed_theta",
    "ElasticDSpacing",
];

impl Algorithm for ConvertSpectrumAxis {
    fn declaration(&self) -> Declaration {
        let target = input(
            "Target",
            Kind::Str,
            "What the vertical axis counts; theta stands for two theta in degrees.",
        );
        let energy = "The energy before (Direct) or after (Indirect) the sample; the log Ei or the parameter Efixed when not given.";
        Declaration::new(
            "ConvertSpectrumAxis",
            2,
            "Transforms\\Units;Transforms\\Axes",
            "Makes angles or momenta of spectrum numbers.",
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
        .with(
            option("EMode", Kind::Str, "Direct", "Which energy is fixed.")
                .validator(Validator::OneOf(&["Direct", "Indirect"])),
        )
        .with(
            option("EFixed", Kind::Float, Value::None, energy)
                .unit("meV")
                .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "OrderAxis",
            Kind::Bool,
            true,
            "Put the spectra in the order of the axis.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        check(&input)?;
        let target = context.str("Target")?;
        let quantity = match target.as_str() {
            "ElasticQ" => Quantity::MomentumTransfer,
            "ElasticQSquared" => Quantity::QSquared,
            "ElasticDSpacing" => Quantity::DSpacing,
            _ => Quantity::Degrees,
        };
        let ordered = context.bool("OrderAxis")?;
        let out = by_axis(&input, quantity, ordered, context, |index| {
            value(&input, index, &target, context).map(Some)
        })?;
        context.output("OutputWorkspace", out)
    }
}

/// Fails where spectra have no numbers, or nothing is known of where detectors are.
pub(crate) fn check(input: &MatrixWorkspace) -> Result<()> {
    if *input.vertical() != VerticalAxis::Spectra {
        return invalid("InputWorkspace: The workspace must have spectra axis");
    }
    if input.instrument().source_position().is_none() {
        return invalid("InputWorkspace: The workspace must have an instrument defined");
    }
    Ok(())
}

/// The spectra that have a detector, each at its value on the vertical axis.
pub(crate) fn by_axis(
    input: &MatrixWorkspace,
    quantity: Quantity,
    ordered: bool,
    context: &Context<'_>,
    value: impl Fn(usize) -> Result<Option<f64>>,
) -> Result<MatrixWorkspace> {
    let mut order: Vec<(f64, usize)> = Vec::with_capacity(input.histograms());
    for index in 0..input.histograms() {
        if input.has_detectors(index)
            && let Some(value) = value(index)?
        {
            order.push((value, index));
        }
    }
    if order.is_empty() {
        return failed("no spectrum has a detector that the instrument knows");
    }
    if order.len() < input.histograms() {
        context.log(
            Level::Warning,
            "The instrument definition is incomplete - spectra dropped from output",
        );
    }
    if ordered {
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    let chosen: Vec<usize> = order.iter().map(|(_, index)| *index).collect();
    let mut out = input.subset(&chosen)?;
    out.set_vertical(VerticalAxis::Numeric {
        unit: Unit::of(quantity),
        values: order.iter().map(|(value, _)| *value).collect(),
    })?;
    Ok(out)
}

fn value(input: &MatrixWorkspace, index: usize, target: &str, context: &Context<'_>) -> Result<f64> {
    let instrument = input.instrument();
    let ids = input.spectra().detectors(index);
    let known: Vec<&Detector> = ids.iter().filter_map(|id| instrument.detector(*id)).collect();
    let mean = |f: &dyn Fn(&Detector) -> f64| known.iter().map(|d| f(d)).sum::<f64>() / known.len() as f64;
    let monitor = input.is_monitor(index);
    let q = || -> Result<f64> {
        if monitor {
            return Ok(0.0);
        }
        let energy = fixed_energy(input, known.first().copied(), context)?;
        let wavelength = de_broglie() / (energy / half_mass()).sqrt();
        Ok(4.0 * PI * (mean(&|d| instrument.two_theta(d)) / 2.0).sin() / wavelength)
    };
    match target {
        "ElasticQ" => q(),
        "ElasticQSquared" => q().map(|q| q * q),
        "ElasticDSpacing" => q().map(|q| 2.0 * PI / q),
        _ if monitor => Ok(0.0),
        "SignedTheta" | "signed_theta" => Ok(mean(&|d| instrument.signed_two_theta(d)).to_degrees()),
        "InPlaneTwoTheta" => Ok(in_plane(instrument, mean_position(&known)).abs().to_degrees()),
        "SignedInPlaneTwoTheta" => Ok(in_plane(instrument, mean_position(&known)).to_degrees()),
        _ => Ok(mean(&|d| instrument.two_theta(d)).to_degrees()),
    }
}

fn mean_position(detectors: &[&Detector]) -> V3 {
    let sum = detectors
        .iter()
        .fold(V3::default(), |sum, detector| sum + detector.position);
    sum * (1.0 / detectors.len().max(1) as f64)
}

/// The angle in the horizontal plane, radians.
fn in_plane(instrument: &Instrument, position: V3) -> f64 {
    let from_sample = (position - instrument.sample_position()).to_array();
    let (up, along) = (instrument.frame.up, instrument.frame.along_beam);
    let across = (0..3).find(|axis| *axis != up && *axis != along).unwrap_or(0);
    let of = |axis: usize| from_sample.get(axis).copied().unwrap_or_default();
    of(across).atan2(of(along))
}

fn fixed_energy(input: &MatrixWorkspace, detector: Option<&Detector>, context: &Context<'_>) -> Result<f64> {
    if let Some(given) = context.opt_float("EFixed")? {
        return Ok(given);
    }
    if context.str("EMode")? == "Direct" {
        let known = input.run().number("Ei");
        return known.map_or_else(
            || invalid("Could not retrieve Efixed from the workspace. Please provide a value."),
            Ok,
        );
    }
    let parameter = detector.and_then(|detector| input.instrument().detector_parameter(detector, "Efixed"));
    parameter.and_then(|held| held.number()).map_or_else(
        || invalid("Could not retrieve Efixed from the detector. Please provide a value."),
        Ok,
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, m};
    use crate::value::Value;
    use crate::workspace::axis::VerticalAxis;

    fn axis(bench: &Bench, more: &[(&str, Value)]) -> (Vec<f64>, String, Vec<i32>) {
        let out = bench.make(
            "o",
            "ConvertSpectrumAxis",
            &[&[("InputWorkspace", "s".into())][..], more].concat(),
        );
        let out = m(&out);
        let VerticalAxis::Numeric { unit, values } = out.vertical() else {
            return Default::default();
        };
        (values.to_vec(), unit.id().to_owned(), out.spectra().numbers().to_vec())
    }

    #[test]
    fn documented_values_come_out_in_order() {
        let bench = Bench::new();
        bench.sample("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let (theta, unit, numbers) = axis(&bench, &[("Target", "Theta".into())]);
        assert_eq!((theta.len(), unit.as_str()), (4, "Degrees"));
        assert!((theta[3] - 0.129_645).abs() < 5e-7, "{theta:?}");
        assert!(theta.is_sorted() && numbers[0] == 1);
        let (q, unit, _) = axis(
            &bench,
            &[
                ("Target", "ElasticQ".into()),
                ("EFixed", 15.0.into()),
                ("EMode", "Direct".into()),
            ],
        );
        assert!((q[3] - 0.006_088).abs() < 5e-7 && unit == "MomentumTransfer", "{q:?}");
        let (plane, _, _) = axis(
            &bench,
            &[("Target", "SignedInPlaneTwoTheta".into()), ("OrderAxis", false.into())],
        );
        assert_eq!((plane[0], plane[1]), (0.0, 0.0));
        assert!((plane[2] - (0.008_f64 / 5.0).atan().to_degrees()).abs() < 1e-9);
        let (squared, _, _) = axis(&bench, &[("Target", "ElasticQSquared".into()), ("EFixed", 15.0.into())]);
        assert!((squared[3] - q[3] * q[3]).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        let bench = Bench::new();
        bench.sample("s", &[("BankPixelWidth", 1_i64.into())]);
        let text = |name: &str, more: &[(&str, Value)]| {
            bench
                .try_make(
                    "o",
                    "ConvertSpectrumAxis",
                    &[&[("InputWorkspace", name.into())][..], more].concat(),
                )
                .unwrap_err()
                .to_string()
        };
        let q = [("Target", "ElasticQ".into())];
        assert!(text("s", &q).starts_with("Could not retrieve Efixed from the workspace."));
        assert!(
            text("s", &[q[0].clone(), ("EMode", "Indirect".into())])
                .starts_with("Could not retrieve Efixed from the detector.")
        );
        bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert!(text("w", &q).ends_with("must have an instrument defined"));
        assert!(text("s", &[("Target", "Colour".into())]).contains("not in the list of allowed values"));
    }
}
