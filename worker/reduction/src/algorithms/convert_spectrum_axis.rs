//! ConvertSpectrumAxis, version 2: spectra by scattering angle, or by momentum transfer or d-spacing of elastic
//! scattering.
//!
//! | Target | value | unit |
//! |---|---|---|
//! | Theta, theta | 2θ, the mean over the spectrum's detectors | degrees |
//! | SignedTheta, signed_theta | 2θ with the sign of the side of the beam | degrees |
//! | InPlaneTwoTheta, SignedInPlaneTwoTheta | angle of the mean position projected on the horizontal plane | degrees |
//! | ElasticQ | Q = 4π sin(2θ/2) / λ, with λ = h / √(2mE) | Å⁻¹ |
//! | ElasticQSquared | Q² | Å⁻² |
//! | ElasticDSpacing | d = 2π / Q | Å |
//!
//! h is Planck's constant, m the neutron's mass ([`crate::unit`]: CODATA 2006), E the fixed energy in meV and λ the
//! wavelength in Å. Source: Mantid's page ConvertSpectrumAxis v2.

use std::f64::consts::PI;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Detector, Instrument, V3D};
use crate::service::LogLevel;
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
            PropertyKind::Str,
            "Quantity of the vertical axis; Theta is 2θ in degrees.",
        );
        let energy = "Energy before (Direct) or after (Indirect) the sample; the log Ei or the detector's parameter Efixed when not given.";
        Declaration::new(
            "ConvertSpectrumAxis",
            2,
            "Transforms\\Units;Transforms\\Axes",
            "Replaces spectrum numbers by angles or elastic momentum transfers.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace with an instrument and spectrum numbers.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with a numeric vertical axis.",
        ))
        .with(target.mandatory().validator(Validator::OneOf(TARGETS)))
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
            option("EFixed", PropertyKind::Float, Value::None, energy)
                .unit("meV")
                .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "OrderAxis",
            PropertyKind::Bool,
            true,
            "Sort the spectra by the axis, ascending.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        check_input(&input)?;
        let target = context.str("Target")?;
        let quantity = match target.as_str() {
            "ElasticQ" => Quantity::MomentumTransfer,
            "ElasticQSquared" => Quantity::QSquared,
            "ElasticDSpacing" => Quantity::DSpacing,
            _ => Quantity::Degrees,
        };
        let ordered = context.bool("OrderAxis")?;
        let out = with_numeric_axis(&input, quantity, ordered, context, |index| {
            axis_value(&input, index, &target, context).map(Some)
        })?;
        context.output("OutputWorkspace", out)
    }
}

/// Checks that the vertical axis holds spectrum numbers and the instrument has a source.
///
/// # Errors
/// `InvalidArgument` otherwise.
pub(crate) fn check_input(input: &MatrixWorkspace) -> Result<()> {
    if *input.vertical() != VerticalAxis::Spectra {
        return invalid("InputWorkspace: The workspace must have spectra axis");
    }
    if input.instrument().source_position().is_none() {
        return invalid("InputWorkspace: The workspace must have an instrument defined");
    }
    Ok(())
}

/// Spectra with a known detector, each at `value(index)` on a vertical axis in the unit of `quantity`.
///
/// # Errors
/// `Execution` where no spectrum has one.
pub(crate) fn with_numeric_axis(
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
            LogLevel::Warning,
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

fn axis_value(input: &MatrixWorkspace, index: usize, target: &str, context: &Context<'_>) -> Result<f64> {
    let instrument = input.instrument();
    let ids = input.spectra().detectors(index);
    let detectors: Vec<&Detector> = ids.iter().filter_map(|id| instrument.detector(*id)).collect();
    let mean = |f: &dyn Fn(&Detector) -> f64| detectors.iter().map(|d| f(d)).sum::<f64>() / detectors.len() as f64;
    let monitor = input.is_monitor(index);
    let elastic_q = || -> Result<f64> {
        if monitor {
            return Ok(0.0);
        }
        let energy = fixed_energy(input, detectors.first().copied(), context)?;
        let wavelength = de_broglie() / (energy / half_mass()).sqrt();
        Ok(4.0 * PI * (mean(&|d| instrument.two_theta(d)) / 2.0).sin() / wavelength)
    };
    match target {
        "ElasticQ" => elastic_q(),
        "ElasticQSquared" => elastic_q().map(|q| q * q),
        "ElasticDSpacing" => elastic_q().map(|q| 2.0 * PI / q),
        _ if monitor => Ok(0.0),
        "SignedTheta" | "signed_theta" => Ok(mean(&|d| instrument.signed_two_theta(d)).to_degrees()),
        "InPlaneTwoTheta" => Ok(in_plane_two_theta(instrument, mean_position(&detectors))
            .abs()
            .to_degrees()),
        "SignedInPlaneTwoTheta" => Ok(in_plane_two_theta(instrument, mean_position(&detectors)).to_degrees()),
        _ => Ok(mean(&|d| instrument.two_theta(d)).to_degrees()),
    }
}

fn mean_position(detectors: &[&Detector]) -> V3D {
    let sum = detectors
        .iter()
        .fold(V3D::default(), |sum, detector| sum + detector.position);
    sum * (1.0 / detectors.len().max(1) as f64)
}

/// Angle between the beam and `position` seen from the sample, in the horizontal plane, radians in (−π, π].
fn in_plane_two_theta(instrument: &Instrument, position: V3D) -> f64 {
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
        let logged = input.run().number("Ei");
        return logged.map_or_else(
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
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;
    use crate::workspace::axis::VerticalAxis;

    fn axis(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> (Vec<f64>, String, Vec<i32>) {
        let out = fixture.create(
            "o",
            "ConvertSpectrumAxis",
            &[&[("InputWorkspace", "s".into())][..], more].concat(),
        );
        let out = matrix(&out);
        let VerticalAxis::Numeric { unit, values } = out.vertical() else {
            return Default::default();
        };
        (values.to_vec(), unit.id().to_owned(), out.spectra().numbers().to_vec())
    }

    // Mantid's page ConvertSpectrumAxis v2: 0.129645 degrees and 0.006088 Å⁻¹.
    #[test]
    fn documented_values_come_out_in_order() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("NumBanks", 1_i64.into()), ("BankPixelWidth", 2_i64.into())]);
        let (theta, unit, numbers) = axis(&fixture, &[("Target", "Theta".into())]);
        assert_eq!((theta.len(), unit.as_str()), (4, "Degrees"));
        assert!((theta[3] - 0.129_645).abs() < 5e-7, "{theta:?}");
        assert!(theta.is_sorted() && numbers[0] == 1);
        let (q, unit, _) = axis(
            &fixture,
            &[
                ("Target", "ElasticQ".into()),
                ("EFixed", 15.0.into()),
                ("EMode", "Direct".into()),
            ],
        );
        assert!((q[3] - 0.006_088).abs() < 5e-7 && unit == "MomentumTransfer", "{q:?}");
        let (plane, _, _) = axis(
            &fixture,
            &[("Target", "SignedInPlaneTwoTheta".into()), ("OrderAxis", false.into())],
        );
        assert_eq!((plane[0], plane[1]), (0.0, 0.0));
        assert!((plane[2] - (0.008_f64 / 5.0).atan().to_degrees()).abs() < 1e-9);
        let (squared, _, _) = axis(
            &fixture,
            &[("Target", "ElasticQSquared".into()), ("EFixed", 15.0.into())],
        );
        assert!((squared[3] - q[3] * q[3]).abs() < 1e-15);
    }

    #[test]
    fn what_is_not_known_is_asked_for() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let text = |name: &str, more: &[(&str, Value)]| {
            fixture
                .try_create(
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
        fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert!(text("w", &q).ends_with("must have an instrument defined"));
        assert!(text("s", &[("Target", "Colour".into())]).contains("not in the list of allowed values"));
    }
}
