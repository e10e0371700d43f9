//! LoadInstrument: an instrument for a workspace that has data already.

use std::path::Path;
use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Property, PropertyDirection, PropertyKind, in_out, input, option, output};
use crate::error::{Result, failed};
use crate::instrument::idf;
use crate::value::Value;
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct LoadInstrument;

impl Algorithm for LoadInstrument {
    fn declaration(&self) -> Declaration {
        let monitors = output(
            "MonitorList",
            PropertyKind::Ints,
            "Detector ids of the instrument's monitors.",
        );
        let rewrite =
            "Assign one detector to each spectrum, in the order of the ids; otherwise spectra keep their detectors.";
        Declaration::new(
            "LoadInstrument",
            1,
            "DataHandling\\Instrument",
            "Sets the instrument of a workspace.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose instrument is replaced.",
        ))
        .with(option(
            "Filename",
            PropertyKind::LoadFile,
            "",
            "Path of the instrument definition file.",
        ))
        .with(Property {
            direction: PropertyDirection::Out,
            ..monitors
        })
        .with(option(
            "InstrumentName",
            PropertyKind::Str,
            "",
            "Name of the instrument; used without Filename and InstrumentXML.",
        ))
        .with(option(
            "InstrumentXML",
            PropertyKind::Str,
            "",
            "Text of the instrument definition; it takes precedence over Filename.",
        ))
        .with(input("RewriteSpectraMap", PropertyKind::Bool, rewrite).mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let (file, name, xml) = (
            context.str("Filename")?,
            context.str("InstrumentName")?,
            context.str("InstrumentXML")?,
        );
        let source = &context.services.instruments;
        let valid_at = workspace.run().start_time().unwrap_or_else(|_| DateAndTime::now());
        let instrument = match (xml.as_str(), file.as_str(), name.as_str()) {
            ("", "", "") => return failed("Either the InstrumentXML, Filename or InstrumentName must be specified."),
            ("", "", name) => source.by_name(name, valid_at)?,
            ("", file, _) => source.by_file(Path::new(file))?,
            (xml, _, name) => {
                let mut made =
                    idf::parse(xml).or_else(|error| failed(format!("Unable to parse InstrumentXML: {error}")))?;
                if !name.is_empty() {
                    name.clone_into(&mut made.name);
                }
                Arc::new(made)
            }
        };
        if context.bool("RewriteSpectraMap")? {
            let count = workspace.histograms();
            let mut spectra = SpectrumDetectorMapping::with_capacity(count);
            for index in 0..count {
                let id = instrument.detectors.get(index).map(|detector| detector.id);
                spectra.push(i32::try_from(index + 1).unwrap_or(i32::MAX), id.as_slice());
            }
            workspace.set_spectra(spectra)?;
        }
        let monitors = instrument
            .detectors
            .iter()
            .filter(|d| d.monitor)
            .map(|d| i64::from(d.id))
            .collect();
        context.output_value("MonitorList", Value::Ints(monitors))?;
        workspace.set_instrument(instrument);
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, matrix};
    use crate::value::Value;

    fn load(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::Result<crate::Outputs> {
        fixture.try_run("LoadInstrument", &[&[("Workspace", "w".into())][..], more].concat())
    }

    #[test]
    fn an_instrument_comes_by_name_or_as_text() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0, 2.0, 3.0], 3);
        let named = ("InstrumentName", Value::from("LIVEDEMO"));
        let out = load(&fixture, &[named.clone(), ("RewriteSpectraMap", true.into())]).unwrap();
        assert_eq!(out.get("MonitorList").unwrap().to_ints().unwrap().len(), 2);
        assert!(matrix(&w).is_monitor(1) && !matrix(&w).is_monitor(2) && matrix(&w).has_detectors(2));
        let text = r#"<instrument name="T"><component type="m" idlist="i"><location z="3"/></component>
            <type name="m" is="monitor"/><idlist idname="i"><id val="9"/></idlist></instrument>"#;
        load(
            &fixture,
            &[("InstrumentXML", text.into()), ("RewriteSpectraMap", true.into())],
        )
        .unwrap();
        assert_eq!(
            (matrix(&w).instrument().name.as_str(), matrix(&w).spectra().detectors(0)),
            ("T", &[9][..])
        );
        assert!(matrix(&w).spectra().detectors(1).is_empty());
        load(&fixture, &[named.clone(), ("RewriteSpectraMap", false.into())]).unwrap();
        assert_eq!(matrix(&w).spectra().detectors(0), [9]);
        assert!(
            load(&fixture, &[named])
                .unwrap_err()
                .to_string()
                .contains("RewriteSpectraMap")
        );
        assert!(load(&fixture, &[("RewriteSpectraMap", true.into())]).is_err());
        assert!(
            load(
                &fixture,
                &[("InstrumentXML", "<a>".into()), ("RewriteSpectraMap", true.into())]
            )
            .is_err()
        );
    }
}
