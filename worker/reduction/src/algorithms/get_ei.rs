//! GetEi, version 2: the incident energy, from the times at which a pulse passes two monitors.
//!
//! With distances L_a < L_b of the monitors from the source (m) and mean times t_a, t_b of their peaks (µs): v = (L_b −
//! L_a) / (t_b − t_a), Ei = m·v² / 2 in meV ([`half_mass`]: m/2 in meV·µs²/m²), and Tzero = t_b − L_b / v in µs. With
//! FixEi, Ei is the estimate, Tzero is 0 and the second monitor is not used.
//!
//! The peak of a monitor is searched within PeakSearchRange of L·√(m / (2·Ei)). The first search is in the spectrum's own
//! bins, the second in bins of 1/12 of the peak's width at half height. The peak's time is its first moment over a linear
//! background.
//!
//! Source: Mantid's page GetEi v2 and GetEi2.cpp.

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::{EdgeOptions, edges, edges_to_points, rebin};
use crate::compute::peak::RateCurve;
use crate::compute::{HistogramReader, indices};
use crate::declaration::{Declaration, Property, PropertyDirection, PropertyKind, Validator, in_out, option, output};
use crate::error::{Result, failed, invalid};
use crate::service::LogLevel;
use crate::unit::{Quantity, half_mass};
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct GetEi;

/// Width of the bins in which a peak is searched again, in widths of the peak at half height.
const BIN_PER_PEAK_WIDTH: f64 = 1.0 / 12.0;
/// Ratio of the peak's height to the rate at its ends.
const PROMINENCE: f64 = 4.0;

fn output_number(name: &'static str, kind: PropertyKind, document: &'static str) -> Property {
    Property {
        direction: PropertyDirection::Out,
        ..output(name, kind, document)
    }
}

impl Algorithm for GetEi {
    fn declaration(&self) -> Declaration {
        let given = |name, kind, document| option(name, kind, Value::None, document).validator(Validator::AtLeast(0.0));
        let first = "Spectrum number of the first monitor; the instrument's parameter ei-mon1-spec when not given.";
        let second = "Spectrum number of the second monitor; the instrument's parameter ei-mon2-spec when not given.";
        let estimate = "Estimate of the incident energy, above 0; the log EnergyRequest when not given.";
        Declaration::new(
            "GetEi",
            2,
            "Inelastic\\Ei",
            "Finds the incident energy from the peaks of two monitors.",
        )
        .with(in_out(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace with the monitors' histograms; X is the time of flight in µs. It receives the log Ei.",
        ))
        .with(given("Monitor1Spec", PropertyKind::Int, first))
        .with(given("Monitor2Spec", PropertyKind::Int, second))
        .with(given("EnergyEstimate", PropertyKind::Float, estimate).unit("meV"))
        .with(option(
            "FixEi",
            PropertyKind::Bool,
            false,
            "Use the estimate as the incident energy.",
        ))
        .with(output_number("IncidentEnergy", PropertyKind::Float, "Incident energy.").unit("meV"))
        .with(
            output_number(
                "FirstMonitorPeak",
                PropertyKind::Float,
                "Mean time of the first monitor's peak.",
            )
            .unit("µs"),
        )
        .with(output_number(
            "FirstMonitorIndex",
            PropertyKind::Int,
            "Workspace index of the first monitor.",
        ))
        .with(output_number("Tzero", PropertyKind::Float, "Time at which the pulse left the source.").unit("µs"))
        .with(
            option(
                "PeakSearchRange",
                PropertyKind::Float,
                0.1,
                "Half-width of the search range, as a fraction of the expected time.",
            )
            .validator(Validator::Between(0.0, 1.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut input = context.matrix("InputWorkspace")?;
        check_input(&input)?;
        let estimate = energy_estimate(&input, context)?;
        let fixed = context.bool("FixEi")?;
        let monitors = [
            monitor_spectrum(&input, context, "Monitor1Spec", "ei-mon1-spec")?,
            monitor_spectrum(&input, context, "Monitor2Spec", "ei-mon2-spec")?,
        ];
        let found = indices::of_numbers(&input, &monitors)
            .or_else(|_| failed("Error retrieving monitor spectra spectra from input workspace."))?;
        let range = context.float("PeakSearchRange")?;
        let reader = HistogramReader::new(&input, context.cancel)?;
        let mut passed: Vec<(f64, f64)> = Vec::new();
        for (index, spectrum) in found.iter().zip(monitors).take(if fixed { 1 } else { 2 }) {
            let distance = distance_from_source(&input, *index)?;
            let expected = distance * (half_mass() / estimate).sqrt();
            let (x, y, e) = reader.get(*index)?;
            let time = match peak_time(&x, &y, &e, ((1.0 - range) * expected, (1.0 + range) * expected)) {
                Ok(time) => time,
                Err(reason) if fixed => {
                    let text = format!(
                        "No peak found for monitor with spectra num {spectrum} (at {distance} metres): {reason}"
                    );
                    context.log(LogLevel::Warning, &text);
                    context.log(
                        LogLevel::Warning,
                        &format!("Using guess time found from energy estimate of Peak = {expected} microseconds"),
                    );
                    expected
                }
                Err(reason) => {
                    return invalid(format!(
                        "No peak found for the monitor with spectra num: {spectrum} (at {distance}  metres from source): {reason}"
                    ));
                }
            };
            passed.push((distance, time));
        }
        let first_time = passed.first().map_or(0.0, |(_, time)| *time);
        let (energy, zero) = match passed[..] {
            [(near, early), (far, late)] if !fixed => {
                let speed = (far - near) / (late - early);
                (speed * speed * half_mass(), late - far / speed)
            }
            _ => (estimate, 0.0),
        };
        if !energy.is_finite() || !zero.is_finite() {
            return invalid("the two monitors are at one distance or have one time: no speed follows from them");
        }
        let how = if fixed { "fixed" } else { "calculated" };
        context.log(LogLevel::Notice, &format!("Incident energy {how} at Ei= {energy} meV"));
        input.run_mut().set_number("Ei", energy, "meV");
        context.output_value("IncidentEnergy", Value::Float(energy))?;
        context.output_value("FirstMonitorPeak", Value::Float(first_time))?;
        context.output_value(
            "FirstMonitorIndex",
            Value::Int(found.first().copied().unwrap_or_default() as i64),
        )?;
        context.output_value("Tzero", Value::Float(zero))?;
        context.change("InputWorkspace", input)
    }
}

fn check_input(input: &MatrixWorkspace) -> Result<()> {
    if input.x_unit().quantity() != Quantity::TimeOfFlight {
        return invalid("InputWorkspace: The workspace must have units of TOF");
    }
    if !input.is_histogram_data() {
        return invalid("InputWorkspace: The workspace must contain histogram data");
    }
    if input.instrument().is_empty() {
        return invalid("InputWorkspace: The workspace must have an instrument defined");
    }
    Ok(())
}

/// Spectrum number of a monitor: of `property`, or of the instrument's `parameter`.
fn monitor_spectrum(input: &MatrixWorkspace, context: &Context<'_>, property: &str, parameter: &str) -> Result<i64> {
    if let Some(given) = context.opt_int(property)? {
        return Ok(given);
    }
    match input.instrument().number_parameter(parameter) {
        Some(number) if number.is_finite() => Ok(number as i64),
        _ => invalid("Could not determine spectrum number to use. Try to set it explicitly"),
    }
}

/// Distance from the source to the centre of a spectrum's detectors, m.
fn distance_from_source(input: &MatrixWorkspace, index: usize) -> Result<f64> {
    let instrument = input.instrument();
    let Some(source) = instrument.source_position() else {
        return failed(format!("the instrument {} has no source", instrument.name));
    };
    let ids = input.spectra().detectors(index);
    let known: Vec<_> = ids.iter().filter_map(|id| instrument.detector(*id)).collect();
    if known.is_empty() {
        return failed(format!(
            "A detector for monitor at workspace index {index} cannot be found. "
        ));
    }
    let centre = known
        .iter()
        .fold(crate::instrument::V3D::default(), |sum, d| sum + d.position);
    Ok((centre * (1.0 / known.len() as f64) - source).norm())
}

/// First moment of the highest peak between two times, µs.
///
/// # Errors
/// A sentence with the reason if no peak is found.
fn peak_time(x: &[f64], y: &[f64], e: &[f64], (from, to): (f64, f64)) -> std::result::Result<f64, String> {
    let (x, y, e) = bins_between(x, y, e, from, to)?;
    let rates = |values: &[f64]| -> Vec<f64> {
        values
            .iter()
            .zip(x.windows(2))
            .map(|(v, pair)| v / pair.iter().rev().fold(0.0, |d, x| x - d).abs())
            .collect()
    };
    let (rate, error) = (rates(y), rates(e));
    let width = RateCurve {
        x: &edges_to_points(x),
        y: &rate,
        e: &error,
    }
    .peak(PROMINENCE)?
    .width();
    if !(width > 0.0) || (to - from) / (width * BIN_PER_PEAK_WIDTH) > 1e7 {
        return Err(format!("its width would be {width}"));
    }
    let finer = edges(&[from, width * BIN_PER_PEAK_WIDTH, to], None, EdgeOptions::default())
        .map_err(|error| error.to_string())?;
    let (y, e) = rebin(x, &rate, &error, &finer, true, true).map_err(|error| error.to_string())?;
    let points = edges_to_points(&finer);
    let points = RateCurve {
        x: &points,
        y: &y,
        e: &e,
    };
    let peak = points.peak(PROMINENCE).or_else(|_| points.peak(PROMINENCE / 2.0))?;
    peak.mean().ok_or_else(|| "its area is zero".to_owned())
}

/// Edges, Y and E.
type BinSlices<'a> = (&'a [f64], &'a [f64], &'a [f64]);

/// Slices of the edges, Y and E of the bins that lie wholly between two times; at least three bins.
fn bins_between<'a>(
    x: &'a [f64],
    y: &'a [f64],
    e: &'a [f64],
    from: f64,
    to: f64,
) -> std::result::Result<BinSlices<'a>, String> {
    let first = x.partition_point(|edge| *edge < from);
    let last = x.partition_point(|edge| *edge <= to);
    match (
        x.get(first..last),
        y.get(first..last.saturating_sub(1)),
        e.get(first..last.saturating_sub(1)),
    ) {
        (Some(x), Some(y), Some(e)) if y.len() > 2 => Ok((x, y, e)),
        _ => Err(format!("the spectrum has no bins from {from} to {to} microseconds")),
    }
}

/// EnergyEstimate, or the log EnergyRequest, meV.
///
/// # Errors
/// `InvalidArgument` where both are missing, or the number is not positive.
fn energy_estimate(input: &MatrixWorkspace, context: &Context<'_>) -> Result<f64> {
    let given = context.opt_float("EnergyEstimate")?;
    let Some(estimate) = given.or_else(|| input.run().number("EnergyRequest")) else {
        return invalid("Could not find an energy guess");
    };
    if !(estimate > 0.0) || !estimate.is_finite() {
        return invalid(format!(
            "EnergyEstimate is {estimate} meV: it must be a positive number"
        ));
    }
    Ok(estimate)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix, x};
    use crate::unit::half_mass;
    use crate::value::Value;

    fn call(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<[f64; 4]> {
        let monitors = [
            ("InputWorkspace", "s".into()),
            ("Monitor1Spec", 1_i64.into()),
            ("Monitor2Spec", 2_i64.into()),
            ("EnergyEstimate", 15.0.into()),
        ];
        let out = fixture.try_run("GetEi", &[&monitors[..], more].concat())?;
        let of = |name: &str| out.get(name).unwrap().to_float().unwrap();
        Ok([
            of("IncidentEnergy"),
            of("FirstMonitorPeak"),
            of("FirstMonitorIndex"),
            of("Tzero"),
        ])
    }

    fn sample(fixture: &AlgorithmFixture) -> crate::WorkspaceHandle {
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into()), ("BinWidth", 10.0.into())])
    }

    // Mantid's page GetEi v2: 15 meV, 8854.69 µs, index 0, Tzero 0.
    #[test]
    fn the_documented_fixed_energy_comes_out() {
        let fixture = AlgorithmFixture::new();
        let s = sample(&fixture);
        let [energy, peak, index, zero] = call(&fixture, &[("FixEi", true.into())]).unwrap();
        assert_eq!((energy, index, zero), (15.0, 0.0, 0.0));
        assert!((peak - 8854.69).abs() < 0.005, "{peak}");
        assert_eq!(matrix(&s).run().number("Ei"), Some(15.0));
        let error = call(&fixture, &[]).unwrap_err().to_string();
        assert!(
            error.starts_with("No peak found for the monitor with spectra num: 1 (at 15"),
            "{error}"
        );
    }

    #[test]
    fn the_energy_of_two_peaks_is_found_with_the_time_of_the_pulse() {
        let fixture = AlgorithmFixture::new();
        let s = sample(&fixture);
        let (energy, late) = (14.6_f64, 25.0);
        let edges = x(&s, 0);
        for (index, distance) in [(0, 15.0), (1, 20.0)] {
            let centre = distance * (half_mass() / energy).sqrt() + late;
            let rate = |x: f64| 20.0 + 3e4 * (-0.5 * ((x - centre) / 40.0).powi(2)).exp();
            let y: Vec<f64> = edges.windows(2).map(|pair| rate((pair[0] + pair[1]) / 2.0)).collect();
            let e: Vec<f64> = y.iter().map(|y| y.sqrt()).collect();
            s.update(|ws| ws.set_y(index, y.into()).and_then(|()| ws.set_e(index, e.into())))
                .unwrap();
        }
        let [found, _, index, zero] = call(&fixture, &[]).unwrap();
        assert!(
            (found - energy).abs() < 0.01 && (zero - late).abs() < 3.0,
            "{found} {zero}"
        );
        assert_eq!(index, 0.0);
        assert!((matrix(&s).run().number("Ei").unwrap() - found).abs() < 1e-12);
    }

    #[test]
    fn bad_calls_are_refused_in_the_known_words() {
        let fixture = AlgorithmFixture::new();
        let s = sample(&fixture);
        let text = |properties: &[(&str, Value)]| fixture.try_run("GetEi", properties).unwrap_err().to_string();
        let input = ("InputWorkspace", Value::from("s"));
        assert_eq!(text(std::slice::from_ref(&input)), "Could not find an energy guess");
        let guess = ("EnergyEstimate", Value::from(15.0));
        assert!(text(&[input.clone(), guess.clone()]).starts_with("Could not determine spectrum number to use."));
        let far = [
            input.clone(),
            guess,
            ("Monitor1Spec", 1_i64.into()),
            ("Monitor2Spec", 99_i64.into()),
        ];
        assert!(text(&far).starts_with("Error retrieving monitor spectra"));
        assert!(text(&[input.clone(), ("EnergyEstimate", f64::NAN.into())]).contains("positive"));
        s.update(|ws| {
            ws.set_x_unit(crate::unit::Unit::EMPTY);
            Ok(())
        })
        .unwrap();
        assert!(text(&[input]).contains("units of TOF"));
    }
}
