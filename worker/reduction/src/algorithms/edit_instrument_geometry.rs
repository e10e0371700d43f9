//! EditInstrumentGeometry: a new instrument of one detector for each spectrum.
//!
//! Positions are relative to the sample. The source is at (0, 0, −L1), a detector at (L2 sin 2θ cos φ, L2 sin 2θ sin φ,
//! L2 cos 2θ). L1 and L2 are in m, the polar angle 2θ and the azimuth φ in degrees. Source: Mantid's page
//! EditInstrumentGeometry v1.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::indices;
use crate::declaration::{Declaration, PropertyKind, in_out, input, option};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Component, Detector, Instrument, Rotation, V3D};
use crate::value::Value;
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct EditInstrumentGeometry;

/// Id of the first detector where DetectorIDs is not given, as in Mantid.
const FIRST_ID: usize = 100;

impl Algorithm for EditInstrumentGeometry {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "EditInstrumentGeometry",
            1,
            "Diffraction\\DataHandling;DataHandling\\Instrument",
            "Replaces the instrument by one detector for each spectrum.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose instrument is replaced.",
        ))
        .with(
            option(
                "PrimaryFlightPath",
                PropertyKind::Float,
                Value::None,
                "Distance L1 from source to sample; the old instrument's when not given.",
            )
            .unit("m"),
        )
        .with(option(
            "SpectrumIDs",
            PropertyKind::Ints,
            Value::None,
            "Spectrum numbers in the order of the other lists; the workspace's order when not given.",
        ))
        .with(
            input(
                "L2",
                PropertyKind::Floats,
                "Distances from sample to detector, above 0, one for each spectrum.",
            )
            .mandatory()
            .unit("m"),
        )
        .with(
            input(
                "Polar",
                PropertyKind::Floats,
                "Scattering angles 2θ, one for each spectrum.",
            )
            .mandatory()
            .unit("degrees"),
        )
        .with(
            option(
                "Azimuthal",
                PropertyKind::Floats,
                Value::None,
                "Azimuths, one for each spectrum; 0 when not given.",
            )
            .unit("degrees"),
        )
        .with(option(
            "DetectorIDs",
            PropertyKind::Ints,
            Value::None,
            "Detector ids, unique, one for each spectrum; from 100 when not given.",
        ))
        .with(option(
            "InstrumentName",
            PropertyKind::Str,
            "",
            "Name of the new instrument; the old one's when not given.",
        ))
    }

    fn cross_check(&self, context: &Context<'_>) -> Vec<(&'static str, String)> {
        let Ok(count) = context
            .handle("Workspace")
            .and_then(|handle| handle.raw_matrix())
            .map(|ws| ws.histograms())
        else {
            return Vec::new();
        };
        let lists = ["SpectrumIDs", "L2", "Polar", "Azimuthal", "DetectorIDs"];
        let length = |name: &str| context.floats(name).map_or(0, |values| values.len());
        lists
            .into_iter()
            .filter(|name| length(name) != 0 && length(name) != count)
            .map(|name| {
                (
                    name,
                    format!("Must equal number of spectra or be empty ({count} != {})", length(name)),
                )
            })
            .collect()
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let count = workspace.histograms();
        let l1 = match context
            .opt_float("PrimaryFlightPath")?
            .or_else(|| workspace.instrument().l1())
        {
            Some(l1) if l1.is_finite() => l1,
            Some(l1) => return invalid(format!("PrimaryFlightPath is {l1}: it must be a length in metres")),
            None => return failed("PrimaryFlightPath must be given: the workspace has no instrument with a source"),
        };
        let numbers = context.ints("SpectrumIDs")?;
        let order = match numbers.is_empty() {
            true => (0..count).collect(),
            false => indices::of_numbers(&workspace, &numbers)
                .or_else(|error| failed(format!("{error}. Instrument won't be edited for this spectrum.")))?,
        };
        let (l2, polar) = (context.floats("L2")?, context.floats("Polar")?);
        let (azimuth, ids) = (context.floats("Azimuthal")?, context.ints("DetectorIDs")?);
        if l2.iter().any(|l2| !(*l2 > 0.0) || !l2.is_finite()) {
            return invalid("L2 cannot be less or equal to 0");
        }
        if polar.iter().chain(&azimuth).any(|angle| !angle.is_finite()) {
            return invalid("Polar and Azimuthal must be angles in degrees");
        }
        let mut name = context.str("InstrumentName")?;
        if name.is_empty() {
            name.clone_from(&workspace.instrument().name);
        }
        let mut edited = source_and_sample(name, l1);
        let mut spectra = SpectrumDetectorMapping::with_capacity(count);
        let mut list_positions = vec![None; count];
        for (at, index) in order.iter().enumerate() {
            if let Some(slot) = list_positions.get_mut(*index) {
                *slot = Some(at);
            }
        }
        for (index, place) in list_positions.into_iter().enumerate() {
            let Some(at) = place else {
                return invalid(format!("SpectrumIDs does not name the spectrum at index {index}"));
            };
            let id = ids.get(at).copied().unwrap_or((FIRST_ID + index) as i64);
            let Ok(id) = i32::try_from(id) else {
                return invalid(format!("DetectorIDs: {id} does not fit 32 bits"));
            };
            let of = |values: &[f64]| values.get(at).copied().unwrap_or_default();
            edited.detectors.push(Detector {
                id,
                position: V3D::spherical(of(&l2), of(&polar), of(&azimuth)),
                monitor: false,
                parent: 0,
                name: 0,
                number: -1,
            });
            spectra.push(workspace.spectra().number(index), &[id]);
        }
        edited.sort_detectors();
        if edited.detectors.len() != count {
            return invalid("DetectorIDs: an id comes twice");
        }
        let masked = workspace.masked_detectors().to_vec();
        workspace.set_masked(&masked, false);
        workspace.set_spectra(spectra)?;
        workspace.set_instrument(Arc::new(edited));
        context.change("Workspace", workspace)
    }
}

/// Instrument with a source at z = −`l1` (m), a sample at the origin, and no detectors.
fn source_and_sample(name: String, l1: f64) -> Instrument {
    let part = |name: &str, parent, z| Component {
        name: Arc::from(name),
        parent,
        position: V3D::new(0.0, 0.0, z),
        rotation: Rotation::IDENTITY,
    };
    Instrument {
        components: vec![
            part(&name, None, 0.0),
            part("Sample", Some(0), 0.0),
            part("Source", Some(0), -l1),
        ],
        detector_names: vec![Arc::from("det")],
        source: Some(2),
        sample: Some(1),
        name,
        ..Instrument::default()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    fn edit(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        let lists = [
            ("Workspace", "w".into()),
            ("L2", "3.1,3.2,3.3".into()),
            ("Polar", "90.01,90.02,90.03".into()),
        ];
        fixture.try_run("EditInstrumentGeometry", &[&lists[..], more].concat())
    }

    #[test]
    fn detectors_go_by_spectrum_numbers() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0, 3.0], 3);
        let more = [
            ("PrimaryFlightPath", 50.0.into()),
            ("SpectrumIDs", "1,3,2".into()),
            ("Azimuthal", "0.1,0.2,0.3".into()),
            ("InstrumentName", "made".into()),
        ];
        edit(&fixture, &more).unwrap();
        let held = matrix(&w);
        let instrument = held.instrument();
        assert_eq!((instrument.name.as_str(), instrument.l1()), ("made", Some(50.0)));
        assert_eq!(
            (0..3).map(|i| held.spectra().detectors(i)[0]).collect::<Vec<_>>(),
            [100, 101, 102]
        );
        let third = instrument.detector(102).unwrap();
        assert!((instrument.l2(third) - 3.2).abs() < 1e-12);
        assert!((instrument.two_theta(third).to_degrees() - 90.02).abs() < 1e-9);
        assert!((instrument.phi(third).to_degrees() - 0.2).abs() < 1e-9);
        // The flight path is kept where it is not given.
        edit(&fixture, &[("DetectorIDs", "7,8,9".into())]).unwrap();
        assert_eq!(
            (matrix(&w).instrument().l1(), matrix(&w).spectra().detectors(0)),
            (Some(50.0), &[7][..])
        );
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0, 3.0], 3);
        let text = |more: &[(&str, Value)]| edit(&fixture, more).unwrap_err().to_string();
        assert!(text(&[]).contains("PrimaryFlightPath must be given"));
        let l1 = ("PrimaryFlightPath", Value::from(9.0));
        assert!(
            text(&[l1.clone(), ("Azimuthal", "1,2".into())])
                .contains("Must equal number of spectra or be empty (3 != 2)")
        );
        assert_eq!(
            text(&[l1.clone(), ("L2", "1,0,1".into())]),
            "L2 cannot be less or equal to 0"
        );
        assert!(text(&[l1.clone(), ("SpectrumIDs", "1,2,9".into())]).contains("Spectrum number 9 not found"));
        assert!(text(&[l1.clone(), ("SpectrumIDs", "1,2,2".into())]).contains("does not name"));
        assert!(text(&[l1.clone(), ("DetectorIDs", "5,5,6".into())]).contains("comes twice"));
        assert!(text(&[l1, ("Polar", "nan,1,2".into())]).contains("angles in degrees"));
    }
}
