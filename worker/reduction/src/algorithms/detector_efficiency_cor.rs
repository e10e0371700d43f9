//! DetectorEfficiencyCor: counts divided by the efficiency of cylindrical ³He tubes.
//!
//! Y and E of a bin are multiplied by 1 / ε(α), averaged over the spectrum's tubes. α = A·(r − w)·p / (kf·sin φ) and
//! kf = √((Ei − ΔE) / (ħ²/2m)):
//!
//! - ε(α), dimensionless: efficiency of a cylinder lit evenly from the side ([`crate::compute::helium`]),
//! - A = 100.09 Å⁻¹·m⁻¹·atm⁻¹: [`ABSORPTION`], absorption along a diameter at kf = 1 Å⁻¹,
//! - r, w in m: outer radius of the tube and thickness of its wall (`TubeThickness`),
//! - p in atm: pressure of ³He (`TubePressure`),
//! - φ: angle between the tube's axis and the neutron's path,
//! - Ei, ΔE in meV: incident energy, and energy transfer at the bin's centre; kf in Å⁻¹.
//!
//! Sources: Mantid's page DetectorEfficiencyCor v1 and DetectorEfficiencyCor.h, after T. G. Perring (June 1990). As on
//! that page, ki/kf is not part of the factor: CorrectKiKf applies it.

use crate::algorithm::{Algorithm, Context};
use crate::compute::helium::{ABSORPTION, efficiency};
use crate::compute::{HistogramReader, build_rows};
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::instrument::parameters::Parameter;
use crate::instrument::{Detector, Instrument};
use crate::service::LogLevel;
use crate::unit::Quantity;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct DetectorEfficiencyCor;

/// ħ²/2m in meV·Å², by which E = (ħ²/2m)·k²: value of Mantid's page DetectorEfficiencyCor v1 (CODATA 2018: 2.0721248).
const ENERGY_PER_SQUARED_WAVE_VECTOR: f64 = 2.072_124_66;

impl Algorithm for DetectorEfficiencyCor {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "DetectorEfficiencyCor",
            1,
            "CorrectionFunctions\\EfficiencyCorrections;Inelastic\\Corrections",
            "Divides by the efficiency of ³He tubes at the energy of the scattered neutrons.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms; X is the energy transfer in meV.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Corrected workspace; spectra without known tubes are empty.",
        ))
        .with(
            option(
                "IncidentEnergy",
                PropertyKind::Float,
                Value::None,
                "Incident energy, at least 0; the log Ei when not given.",
            )
            .unit("meV")
            .validator(Validator::AtLeast(0.0)),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let handle = context.handle("InputWorkspace")?;
        let input = handle.matrix()?;
        if input.x_unit().quantity() != Quantity::DeltaE {
            return invalid("InputWorkspace: The workspace must have units of DeltaE");
        }
        if !input.is_histogram_data() || input.is_events() {
            return invalid("InputWorkspace: The workspace must contain histogram data");
        }
        if input.instrument().is_empty() {
            return invalid("InputWorkspace: The workspace must have an instrument defined");
        }
        let Some(incident) = context
            .opt_float("IncidentEnergy")?
            .or_else(|| input.run().number("Ei"))
        else {
            return invalid("No Ei value has been set or stored within the run information.");
        };
        // As in Mantid, uncorrected spectra are kept in place and are empty in a new workspace.
        let in_place = !handle.name().is_empty() && handle.name() == context.str("OutputWorkspace")?;
        let absorptions: Vec<TubeAbsorption> = (0..input.histograms())
            .map(|index| tube_absorption(&input, index))
            .collect();
        let missing: Vec<i32> = absorptions
            .iter()
            .enumerate()
            .filter(|(_, absorption)| matches!(absorption, TubeAbsorption::Unknown))
            .map(|(index, _)| input.spectra().number(index))
            .collect();
        if let Some(first) = missing.first() {
            let text = format!(
                "{} spectra have no tube whose pressure and wall are known, the first with number {first}: they are empty now",
                missing.len()
            );
            context.log(LogLevel::Warning, &text);
        }
        let reader = HistogramReader::new(&input, context.cancel)?;
        let (y, e) = build_rows(input.histograms(), context.cancel, |index| {
            let (x, y, e) = reader.get(index)?;
            Ok(match absorptions.get(index) {
                Some(TubeAbsorption::Tubes(tubes)) => {
                    let factors = factors(&x, incident, tubes);
                    let times = |row: &[f64]| row.iter().zip(&factors).map(|(v, f)| v * f).collect::<Vec<f64>>();
                    (times(&y), times(&e))
                }
                Some(TubeAbsorption::Uncorrected) if in_place => (y.to_vec(), e.to_vec()),
                _ => (vec![0.0; y.len()], vec![0.0; e.len()]),
            })
        })?;
        context.output("OutputWorkspace", input.clone().with_histogram(reader.x.clone(), y, e))
    }
}

/// Absorption of a spectrum's tubes.
enum TubeAbsorption {
    /// A monitor or masked: not corrected.
    Uncorrected,
    /// The shape, pressure or wall of a detector is unknown.
    Unknown,
    /// α·kf of each tube, Å⁻¹.
    Tubes(Vec<f64>),
}

fn tube_absorption(input: &MatrixWorkspace, index: usize) -> TubeAbsorption {
    let instrument = input.instrument();
    if input.is_monitor(index) || input.is_masked(index) {
        return TubeAbsorption::Uncorrected;
    }
    let ids = input.spectra().detectors(index);
    let absorption = |id: &i32| {
        instrument
            .detector(*id)
            .and_then(|detector| absorption_of_tube(instrument, detector))
    };
    match ids.iter().map(absorption).collect::<Option<Vec<f64>>>() {
        Some(tubes) if !tubes.is_empty() => TubeAbsorption::Tubes(tubes),
        _ => TubeAbsorption::Unknown,
    }
}

/// α·kf of a detector's tube, Å⁻¹; `None` where its shape, pressure or wall is unknown.
fn absorption_of_tube(instrument: &Instrument, detector: &Detector) -> Option<f64> {
    let of = |name: &str| {
        instrument
            .detector_parameter(detector, name)
            .and_then(Parameter::number)
    };
    let (pressure, wall) = (of("TubePressure")?, of("TubeThickness")?);
    let shape = instrument.cylinder(detector)?;
    let path = (detector.position - instrument.sample_position()).unit();
    let sine = shape.axis.unit().cross(path).norm();
    Some(ABSORPTION * (shape.radius - wall) * pressure / sine)
}

/// Factor of each bin: the mean of 1 / ε over the tubes.
fn factors(x: &[f64], incident: f64, tubes: &[f64]) -> Vec<f64> {
    // Tubes of one spectrum mostly share α: the last efficiency is reused.
    let mut last: Option<(u64, f64)> = None;
    x.windows(2)
        .map(|pair| {
            let energy = incident - 0.5 * pair.iter().sum::<f64>();
            let inverse_wave_vector = (ENERGY_PER_SQUARED_WAVE_VECTOR / energy).sqrt();
            let sum: f64 = tubes
                .iter()
                .map(|absorption| {
                    let alpha = absorption * inverse_wave_vector;
                    match last {
                        Some((bits, value)) if bits == alpha.to_bits() => value,
                        _ => {
                            let value = 1.0 / efficiency(alpha);
                            last = Some((alpha.to_bits(), value));
                            value
                        }
                    }
                })
                .sum();
            sum / tubes.len() as f64
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::path::Path;
    use std::sync::Arc;

    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x, y};
    use crate::instrument::source::InstrumentFolders;
    use crate::service::{NullLogger, Services};
    use crate::value::Value;

    /// Fixture with MARI's definition; `None` where the folder of instruments is missing.
    fn mari() -> Option<AlgorithmFixture> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/instruments"));
        if !folder.join("MARI_Definition.xml").exists() {
            eprintln!("not tried: {} has no MARI_Definition.xml", folder.display());
            return None;
        }
        let instruments = Arc::new(InstrumentFolders::new(vec![folder.to_owned()]));
        Some(AlgorithmFixture {
            service: Services::new(Arc::new(NullLogger), instruments),
        })
    }

    // Mantid's page DetectorEfficiencyCor v1: energy transfers of -20, 0 and 8 meV.
    #[test]
    fn the_documented_numbers_come_out() {
        let Some(fixture) = mari() else { return };
        let simulated = [
            ("Instrument", "MARI".into()),
            ("BinParams", "-50,2,50".into()),
            ("UnitX", "DeltaE".into()),
        ];
        fixture.create("s", "CreateSimulationWorkspace", &simulated);
        let log = [
            ("Workspace", "s".into()),
            ("LogName", "Ei".into()),
            ("LogText", "52.".into()),
            ("LogType", "Number".into()),
        ];
        fixture.run("AddSampleLog", &log);
        fixture.create("c", "DetectorEfficiencyCor", &[("InputWorkspace", "s".into())]);
        let out = fixture.create(
            "c",
            "CorrectKiKf",
            &[("InputWorkspace", "c".into()), ("EMode", "Direct".into())],
        );
        let (x, y) = (x(&out, 0), y(&out, 0));
        let at = |energy: f64| {
            x.iter()
                .position(|v| (v - energy).abs() < 1e-9)
                .and_then(|i| y.get(i))
                .copied()
                .unwrap()
        };
        assert_close(
            &[at(-20.0), at(0.0), at(8.0)],
            &[1.114_891_842_33, 1.237_469_835_99, 1.311_189_840_59],
        );
    }

    #[test]
    fn spectra_without_tubes_are_empty_and_bad_input_is_refused() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into()), ("XUnit", "DeltaE".into())]);
        let call = |more: &[(&str, Value)]| {
            fixture.try_create(
                "o",
                "DetectorEfficiencyCor",
                &[&[("InputWorkspace", "s".into())][..], more].concat(),
            )
        };
        let error = call(&[]).unwrap_err().to_string();
        assert_eq!(error, "No Ei value has been set or stored within the run information.");
        let out = call(&[("IncidentEnergy", 52.0.into())]).unwrap();
        assert_close(&y(&out, 0), &[0.0; 100]);
        assert!(call(&[("IncidentEnergy", (-1.0).into())]).is_err());
        s.update(|ws| {
            ws.set_x_unit(crate::unit::Unit::TIME_OF_FLIGHT);
            Ok(())
        })
        .unwrap();
        assert!(
            call(&[("IncidentEnergy", 52.0.into())])
                .unwrap_err()
                .to_string()
                .contains("units of DeltaE")
        );
        assert_eq!(matrix(&s).histograms(), 2);
    }
}
