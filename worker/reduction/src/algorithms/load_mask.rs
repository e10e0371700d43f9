//! LoadMask: a mask file as a workspace of ones (masked) and zeros, one spectrum for each detector that is no monitor.
//! Spectrum numbers in the file are those of the reference workspace, where one is given.

use std::path::Path;

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::load::find;
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::instrument::lists::mask::{Mask, parse};
use crate::service::Level;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::spectra::Spectra;

pub(crate) struct LoadMask;

impl Algorithm for LoadMask {
    fn declaration(&self) -> Declaration {
        let reference = "A workspace of the same instrument: which detectors the file's spectrum numbers mean. Without it the detectors are numbered from 1.";
        Declaration::new(
            "LoadMask",
            1,
            "DataHandling\\Instrument;Transforms\\Masking",
            "Reads a mask file.",
        )
        .with(
            input(
                "Instrument",
                Kind::Str,
                "The instrument's name, or its definition file.",
            )
            .mandatory(),
        )
        .with(input("InputFile", Kind::LoadFile, "The file: .xml or .msk.").mandatory())
        .with(option("RefWorkspace", Kind::Matrix, Value::None, reference))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "The mask: Y is 1 where a spectrum is masked.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let path = find(&context.service.config, &context.str("InputFile")?)?;
        let name = context.str("Instrument")?;
        let source = &context.service.instruments;
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
        let mut spectra = Spectra::default();
        for (detector, number) in instrument.detectors.iter().filter(|d| !d.monitor).zip(1..) {
            spectra.push(number, &[detector.id]);
        }
        let rows: [Row; 2] = [[0.0].into(), [1.0].into()];
        let [kept, masked] = &rows;
        let zeros = Rows::repeated(kept.clone(), spectra.len());
        let mut out = MatrixWorkspace::histogram(Xs::Common(kept.clone()), zeros.clone(), zeros);
        out.set_spectra(spectra)?;
        out.set_instrument(instrument);
        out.set_title("Mask");
        let flags = flags(&out, &mask, reference.as_ref(), context)?;
        let y = flags
            .into_iter()
            .map(|flag| if flag { masked.clone() } else { kept.clone() });
        let zeros = Rows::repeated(kept.clone(), out.histograms());
        let out = out
            .clone()
            .with_histogram(Xs::Common(kept.clone()), Rows::new(y.collect()), zeros);
        context.output("OutputWorkspace", out)
    }
}

/// Which spectra are masked. What the file names and the instrument does not have is left out, with a warning.
fn flags(
    out: &MatrixWorkspace,
    mask: &Mask,
    reference: Option<&MatrixWorkspace>,
    context: &Context<'_>,
) -> Result<Vec<bool>> {
    let by_detector = out.spectra().index_by_detector();
    let numbered = reference.unwrap_or(out);
    let by_number = numbered.spectra().index_by_number();
    let mut ids = mask.listed.detectors.clone();
    for number in &mask.listed.spectra {
        match (by_number.get(number), reference) {
            (Some(index), _) => ids.extend_from_slice(numbered.spectra().detectors(*index)),
            (None, Some(_)) => {
                return failed(format!(
                    "Can not find spectra with ID: {number} in the workspace {}",
                    context.handle("RefWorkspace")?.name()
                ));
            }
            (None, None) => context.log(Level::Warning, &format!("Spectrum {number} of the mask does not exist")),
        }
    }
    for name in &mask.listed.components {
        match out.instrument().component(name) {
            Some(component) => ids.extend(out.instrument().detectors_within(component)),
            None => context.log(Level::Warning, &format!("Component {name} does not exist!")),
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
        context.log(Level::Error, &text);
    }
    Ok(if mask.keeps_listed {
        listed.into_iter().map(|flag| !flag).collect()
    } else {
        listed
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;

    use crate::algorithms::testing::{Bench, m, y};
    use crate::value::Value;

    fn load(bench: &Bench, text: &str, more: &[(&str, Value)]) -> crate::Result<crate::Handle> {
        let mut file = tempfile::NamedTempFile::with_suffix(".xml").unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let path = file.path().to_str().unwrap();
        let given = [("Instrument", "LIVEDEMO".into()), ("InputFile", path.into())];
        bench.try_make("mask", "LoadMask", &[&given[..], more].concat())
    }

    fn masked(handle: &crate::Handle) -> Vec<i32> {
        let held = m(handle);
        let ones = (0..held.histograms()).filter(|index| y(handle, *index) == [1.0]);
        ones.map(|index| held.spectra().detectors(index)[0]).collect()
    }

    #[test]
    fn detectors_of_the_file_are_masked_and_mask_another_workspace() {
        let bench = Bench::new();
        let empty = bench.make("lives", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        let ids: Vec<i32> = m(&empty)
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
        let mask = load(&bench, &text, &[]).unwrap();
        assert_eq!(m(&mask).histograms(), ids.len());
        assert_eq!(masked(&mask), [ids[0], ids[5], ids[6], ids[7]]);
        let force = [
            ("Workspace", "lives".into()),
            ("MaskedWorkspace", "mask".into()),
            ("ForceInstrumentMasking", true.into()),
        ];
        bench.run("MaskDetectors", &force);
        assert_eq!(m(&empty).masked_detectors(), [ids[0], ids[5], ids[6], ids[7]]);
    }

    #[test]
    fn spectrum_numbers_are_those_of_the_reference() {
        let bench = Bench::new();
        let lives = bench.make("lives", "LoadEmptyInstrument", &[("InstrumentName", "LIVEDEMO".into())]);
        let monitors = m(&lives).instrument().detectors.iter().filter(|d| d.monitor).count();
        let ids: Vec<i32> = [2, 4, 5].map(|index| m(&lives).spectra().detectors(index)[0]).to_vec();
        let text = "3 5-6\n# the end\n";
        // Spectra of the whole instrument begin with its monitors, those of a mask with the first detector.
        let mask = load(&bench, text, &[("RefWorkspace", "lives".into())]).unwrap();
        assert_eq!(m(&mask).histograms(), 514 - monitors);
        assert_eq!(masked(&mask), ids);
        let plain = load(&bench, text, &[]).unwrap();
        let expected: Vec<i32> = [2, 4, 5].map(|index| m(&plain).spectra().detectors(index)[0]).to_vec();
        assert_eq!(masked(&plain), expected);
        assert_ne!(ids, expected);
        bench.run(
            "GroupDetectors",
            &[
                ("InputWorkspace", "lives".into()),
                ("OutputWorkspace", "grouped".into()),
                ("GroupingPattern", "2-4,5-9".into()),
            ],
        );
        let grouped = load(&bench, "2\n", &[("RefWorkspace", "grouped".into())]).unwrap();
        assert_eq!(masked(&grouped).len(), 5);
        let error = load(&bench, "9\n", &[("RefWorkspace", "grouped".into())]).unwrap_err();
        assert!(error.to_string().starts_with("Can not find spectra with ID: 9"));
        bench.sample("s", &[]);
        let error = load(&bench, text, &[("RefWorkspace", "s".into())]).unwrap_err();
        assert!(error.to_string().ends_with("'Instrument' property"));
    }

    #[test]
    fn what_is_no_mask_is_named() {
        let bench = Bench::new();
        let text = load(&bench, "<detector-masking>", &[]).unwrap_err().to_string();
        assert!(text.starts_with("Unable to parse File: "), "{text}");
        let none = [("Instrument", "LIVEDEMO".into()), ("InputFile", "nothing.xml".into())];
        let error = bench.try_make("mask", "LoadMask", &none).unwrap_err();
        assert_eq!(error.to_string(), "File \"nothing.xml\" not found");
    }
}
