//! LoadMask: a mask file as ones (masked) and zeros, one spectrum for each detector that is not a monitor.
//!
//! Spectrum numbers in the file are those of RefWorkspace; without it, detectors are numbered from 1. Source: Mantid's
//! page LoadMask v1.

use std::path::Path;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load::find_file;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::instrument::detector_files::mask::{DetectorMask, parse};
use crate::service::LogLevel;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct LoadMask;

impl Algorithm for LoadMask {
    fn declaration(&self) -> Declaration {
        let reference = "Workspace of the same instrument whose spectrum numbers the file uses; without it, detectors are numbered from 1.";
        Declaration::new(
            "LoadMask",
            1,
            "DataHandling\\Instrument;Transforms\\Masking",
            "Reads a mask file.",
        )
        .with(
            input(
                "Instrument",
                PropertyKind::Str,
                "Name of the instrument, or path of its definition file (.xml).",
            )
            .mandatory(),
        )
        .with(
            input(
                "InputFile",
                PropertyKind::LoadFile,
                "Path of the mask file: .xml or .msk.",
            )
            .mandatory(),
        )
        .with(option("RefWorkspace", PropertyKind::Matrix, Value::None, reference))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Mask: Y is 1 where a spectrum is masked, otherwise 0.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let path = find_file(&context.services.config, &context.str("InputFile")?)?;
        let name = context.str("Instrument")?;
        let source = &context.services.instruments;
        let instrument = match name.ends_with(".xml") {
            true => source.by_file(Path::new(&name))?,
            false => source.by_name(&name, DateAndTime::now())?,
        };
        let text = std::fs::read_to_string(&path)
            .map_err(|error| AlgorithmError::Execution(format!("Unable to read {}: {error}", path.display())))?;
        let mask =
            parse(&text).or_else(|error| failed(format!("Unable to parse File: {}: {error}", path.display())))?;
        let reference = context.opt_matrix("RefWorkspace")?;
        let instrument = match &reference {
            Some(reference) if reference.instrument().name != instrument.name => {
                return invalid(
                    "If reference workspace is provided, it has to have instrument with the same name as specified by \
                     'Instrument' property",
                );
            }
            Some(reference) => reference.instrument().clone(),
            None => instrument,
        };
        let mut spectra = SpectrumDetectorMapping::default();
        for (detector, number) in instrument.detectors.iter().filter(|d| !d.monitor).zip(1..) {
            spectra.push(number, &[detector.id]);
        }
        let rows: [SharedRow; 2] = [[0.0].into(), [1.0].into()];
        let [unmasked, masked] = &rows;
        let zeros = Rows::repeated(unmasked.clone(), spectra.len());
        let mut out = MatrixWorkspace::histogram(XRows::Common(unmasked.clone()), zeros.clone(), zeros);
        out.set_spectra(spectra)?;
        out.set_instrument(instrument);
        out.set_title("Mask");
        let flags = mask_flags(&out, &mask, reference.as_ref(), context)?;
        let y = flags
            .into_iter()
            .map(|flag| if flag { masked.clone() } else { unmasked.clone() });
        let zeros = Rows::repeated(unmasked.clone(), out.histograms());
        let out = out
            .clone()
            .with_histogram(XRows::Common(unmasked.clone()), Rows::new(y.collect()), zeros);
        context.output("OutputWorkspace", out)
    }
}

/// One flag for each spectrum, true if masked. Detectors, spectra and components that the instrument lacks are logged
/// and ignored.
fn mask_flags(
    out: &MatrixWorkspace,
    mask: &DetectorMask,
    reference: Option<&MatrixWorkspace>,
    context: &Context<'_>,
) -> Result<Vec<bool>> {
    let by_detector = out.spectra().index_by_detector();
    let numbered = reference.unwrap_or(out);
    let by_number = numbered.spectra().index_by_number();
    let mut ids = mask.selection.detectors.clone();
    for number in &mask.selection.spectra {
        match (by_number.get(number), reference) {
            (Some(index), _) => ids.extend_from_slice(numbered.spectra().detectors(*index)),
            (None, Some(_)) => {
                return failed(format!(
                    "Can not find spectra with ID: {number} in the workspace {}",
                    context.handle("RefWorkspace")?.name()
                ));
            }
            (None, None) => context.log(
                LogLevel::Warning,
                &format!("Spectrum {number} of the mask does not exist"),
            ),
        }
    }
    for name in &mask.selection.components {
        match out.instrument().component(name) {
            Some(component) => ids.extend(out.instrument().detectors_within(component)),
            None => context.log(LogLevel::Warning, &format!("Component {name} does not exist!")),
        }
    }
    let mut listed = vec![false; out.histograms()];
    let mut unknown = Vec::new();
    for id in ids {
        match by_detector.get(&id).and_then(|index| listed.get_mut(*index)) {
            Some(flag) => *flag = true,
            None if out.instrument().detector(id).is_some_and(|detector| detector.monitor) => {}
            None => unknown.push(id),
        }
    }
    if let Some(first) = unknown.first() {
        let text = format!(
            "{} detectors of the mask cannot be located, the first with ID {first}",
            unknown.len()
        );
        context.log(LogLevel::Error, &text);
    }
    Ok(if mask.keeps_selection {
        listed.into_iter().map(|flag| !flag).collect()
    } else {
        listed
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use crate::algorithms::testing::{AlgorithmFixture, matrix, y};
    use crate::value::Value;

    fn load(fixture: &AlgorithmFixture, text: &str, more: &[(&str, Value)]) -> crate::Result<crate::WorkspaceHandle> {
        let mut file = tempfile::NamedTempFile::with_suffix(".xml").unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let given = [("Instrument", "LIVEDEMO".into()), ("InputFile", path.into())];
        fixture.try_create("mask", "LoadMask", &[&given[..], more].concat())
    }

    fn masked(handle: &crate::WorkspaceHandle) -> Vec<i32> {
        let held = matrix(handle);
        let ones = (0..held.histograms()).filter(|index| y(handle, *index) == [1.0]);
        ones.map(|index| held.spectra().detectors(index)[0]).collect()
    }

    #[test]
    fn detectors_of_the_file_are_masked_and_mask_another_workspace() {
        let fixture = AlgorithmFixture::new();
        let empty = fixture.create("lives", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        let ids: Vec<i32> = matrix(&empty)
            .instrument()
            .detectors
            .iter()
            .filter(|d| !d.monitor)
            .map(|d| d.id)
            .collect();
        let text = format!(
            "<detector-masking><group><detids>{},{}-{}, 99999999</detids><component>nowhere</component></group></detector-masking>",
            ids[0], ids[5], ids[7]
        );
        let mask = load(&fixture, &text, &[]).unwrap();
        assert_eq!(matrix(&mask).histograms(), ids.len());
        assert_eq!(masked(&mask), [ids[0], ids[5], ids[6], ids[7]]);
        let force = [
            ("Workspace", "lives".into()),
            ("MaskedWorkspace", "mask".into()),
            ("ForceInstrumentMasking", true.into()),
        ];
        fixture.run("MaskDetectors", &force);
        assert_eq!(matrix(&empty).masked_detectors(), [ids[0], ids[5], ids[6], ids[7]]);
    }

    #[test]
    fn spectrum_numbers_are_those_of_the_reference() {
        let fixture = AlgorithmFixture::new();
        let lives = fixture.create("lives", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        let monitors = matrix(&lives)
            .instrument()
            .detectors
            .iter()
            .filter(|d| d.monitor)
            .count();
        let ids: Vec<i32> = [2, 4, 5]
            .map(|index| matrix(&lives).spectra().detectors(index)[0])
            .to_vec();
        let text = "3 5-6\n# the end\n";
        // Spectra of the whole instrument begin with its monitors, those of a mask with the first detector.
        let mask = load(&fixture, text, &[("RefWorkspace", "lives".into())]).unwrap();
        assert_eq!(matrix(&mask).histograms(), 514 - monitors);
        assert_eq!(masked(&mask), ids);
        let plain = load(&fixture, text, &[]).unwrap();
        let expected: Vec<i32> = [2, 4, 5]
            .map(|index| matrix(&plain).spectra().detectors(index)[0])
            .to_vec();
        assert_eq!(masked(&plain), expected);
        assert_ne!(ids, expected);
        fixture.run(
            "GroupDetectors",
            &[
                ("InputWorkspace", "lives".into()),
                ("OutputWorkspace", "grouped".into()),
                ("GroupingPattern", "2-4,5-9".into()),
            ],
        );
        let grouped = load(&fixture, "2\n", &[("RefWorkspace", "grouped".into())]).unwrap();
        assert_eq!(masked(&grouped).len(), 5);
        let error = load(&fixture, "9\n", &[("RefWorkspace", "grouped".into())]).unwrap_err();
        assert!(error.to_string().starts_with("Can not find spectra with ID: 9"));
        fixture.sample_workspace("s", &[]);
        let error = load(&fixture, text, &[("RefWorkspace", "s".into())]).unwrap_err();
        assert!(error.to_string().ends_with("'Instrument' property"));
    }

    #[test]
    fn what_is_no_mask_is_named() {
        let fixture = AlgorithmFixture::new();
        let text = load(&fixture, "<detector-masking>", &[]).unwrap_err().to_string();
        assert!(text.starts_with("Unable to parse File: "), "{text}");
        let none = [("Instrument", "LIVEDEMO".into()), ("InputFile", "nothing.xml".into())];
        let error = fixture.try_create("mask", "LoadMask", &none).unwrap_err();
        assert_eq!(error.to_string(), "File \"nothing.xml\" not found");
    }
}
