//! DetectorEfficiencyCor: counts as they would be if tubes of ³He counted every neutron.

use crate::algorithm::{Algorithm, Context};
use crate::compute::helium::{ABSORPTION, efficiency};
use crate::compute::{Reader, build_rows};
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{Result, invalid};
use crate::instrument::parameters::Parameter;
use crate::instrument::{Detector, Instrument};
use crate::service::Level;
use crate::unit::Quantity;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct DetectorEfficiencyCor;

/// ħ²/2m, meV·Å².
const ENERGY_OF_WAVE_VECTOR: f64 = 2.072_124_66;

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
            Kind::Matrix,
            "Histograms; X is the energy transfer in meV.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The corrected workspace."))
        .with(
            option(
                "IncidentEnergy",
                Kind::Float,
                Value::None,
                "The incident energy; the log Ei when not given.",
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
        // What is not corrected stays in place, and is empty in a new workspace.
        let in_place = !handle.name().is_empty() && handle.name() == context.str("OutputWorkspace")?;
        let depths: Vec<Depth> = (0..input.histograms()).map(|index| depth(&input, index)).collect();
        let missing: Vec<i32> = depths
            .iter()
            .enumerate()
            .filter(|(_, depth)| matches!(depth, Depth::Unknown))
            .map(|(index, _)| input.spectra().number(index))
            .collect();
        if let Some(first) = missing.first() {
            let text = format!(
                "{} spectra have no tube whose pressure and wall are known, the first with number {first}: they are empty now",
                missing.len()
            );
            context.log(Level::Warning, &text);
        }
        let reader = Reader::new(&input, context.cancel)?;
        let (y, e) = build_rows(input.histograms(), context.cancel, |index| {
            let (x, y, e) = reader.get(index)?;
            Ok(match depths.get(index) {
                Some(Depth::Tubes(tubes)) => {
                    let factors = factors(&x, incident, tubes);
                    let times = |row: &[f64]| row.iter().zip(&factors).map(|(v, f)| v * f).collect::<Vec<f64>>();
                    (times(&y), times(&e))
                }
                Some(Depth::Left) if in_place => (y.to_vec(), e.to_vec()),
                _ => (vec![0.0; y.len()], vec![0.0; e.len()]),
            })
        })?;
        context.output("OutputWorkspace", input.clone().with_histogram(reader.x.clone(), y, e))
    }
}

/// What is known of a spectrum's tubes.
enum Depth {
    /// A monitor or masked: not corrected.
    Left,
    /// A detector's shape, pressure or wall is not known.
    Unknown,
    /// The absorption along the diameter of each tube, for neutrons of one Å⁻¹.
    Tubes(Vec<f64>),
}

fn depth(input: &MatrixWorkspace, index: usize) -> Depth {
    let instrument = input.instrument();
    if input.is_monitor(index) || input.is_masked(index) {
        return Depth::Left;
    }
    let ids = input.spectra().detectors(index);
    let one = |id: &i32| instrument.detector(*id).and_then(|detector| tube(instrument, detector));
    match ids.iter().map(one).collect::<Option<Vec<f64>>>() {
        Some(tubes) if !tubes.is_empty() => Depth::Tubes(tubes),
        _ => Depth::Unknown,
    }
}

fn tube(instrument: &Instrument, detector: &Detector) -> Option<f64> {
    let of = |name: &str| {
        instrument
            .detector_parameter(detector, name)
            .and_then(Parameter::number)
    };
    let (pressure, wall) = (of("TubePressure")?, of("TubeThickness")?);
    let shape = instrument.cylinder(detector)?;
    let path = (detector.position - instrument.sample_position()).unit();
    let across = shape.axis.unit().cross(path).norm();
    Some(ABSORPTION * (shape.radius - wall) * pressure / across)
}

/// What each bin is multiplied by: the mean over the tubes of one over the efficiency.
fn factors(x: &[f64], incident: f64, tubes: &[f64]) -> Vec<f64> {
    let mut known: Option<(u64, f64)> = None;
    x.windows(2)
        .map(|pair| {
            let energy = incident - 0.5 * pair.iter().sum::<f64>();
            let length = (ENERGY_OF_WAVE_VECTOR / energy).sqrt();
            let sum: f64 = tubes
                .iter()
                .map(|depth| {
                    let depth = depth * length;
                    match known {
                        Some((bits, value)) if bits == depth.to_bits() => value,
                        _ => {
                            let value = 1.0 / efficiency(depth);
                            known = Some((depth.to_bits(), value));
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

    use crate::algorithms::testing::{Bench, close, m, x, y};
    use crate::instrument::source::InstrumentFolders;
    use crate::service::{Service, Silent};
    use crate::value::Value;

    /// MARI, where the folder of instruments is there.
    fn mari() -> Option<Bench> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/instruments"));
        if !folder.join("MARI_Definition.xml").exists() {
            eprintln!("not tried: {} has no MARI_Definition.xml", folder.display());
            return None;
        }
        let instruments = Arc::new(InstrumentFolders::new(vec![folder.to_owned()]));
        Some(Bench {
            service: Service::new(Arc::new(Silent), instruments),
        })
    }

    #[test]
    fn the_documented_numbers_come_out() {
        let Some(bench) = mari() else { return };
        let simulated = [
            ("Instrument", "MARI".into()),
            ("BinParams", "-50,2,50".into()),
            ("UnitX", "DeltaE".into()),
        ];
        bench.make("s", "CreateSimulationWorkspace", &simulated);
        let log = [
            ("Workspace", "s".into()),
            ("LogName", "Ei".into()),
            ("LogText", "52.".into()),
            ("LogType", "Number".into()),
        ];
        bench.run("AddSampleLog", &log);
        bench.make("c", "DetectorEfficiencyCor", &[("InputWorkspace", "s".into())]);
        let out = bench.make(
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
        close(
            &[at(-20.0), at(0.0), at(8.0)],
            &[1.114_891_842_33, 1.237_469_835_99, 1.311_189_840_59],
        );
    }

    #[test]
    fn spectra_without_tubes_are_empty_and_bad_input_is_refused() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("BankPixelWidth", 1_i64.into()), ("XUnit", "DeltaE".into())]);
        let call = |more: &[(&str, Value)]| {
            bench.try_make(
                "o",
                "DetectorEfficiencyCor",
                &[&[("InputWorkspace", "s".into())][..], more].concat(),
            )
        };
        let error = call(&[]).unwrap_err().to_string();
        assert_eq!(error, "No Ei value has been set or stored within the run information.");
        let out = call(&[("IncidentEnergy", 52.0.into())]).unwrap();
        close(&y(&out, 0), &[0.0; 100]);
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
        assert_eq!(m(&s).histograms(), 2);
    }
}
