//! CreateSimulationWorkspace: one spectrum for each detector of an instrument, Y = 1 and E = 0 in each bin.
//!
//! Promises: monitors are left out, and spectra are numbered from 1 in the order of the detectors' ids. Source:
//! Mantid's page CreateSimulationWorkspace v1.

use std::path::Path;
use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::compute::binning::{EdgeOptions, edges};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed};
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::spectra::SpectrumDetectorMapping;

pub(crate) struct CreateSimulationWorkspace;

impl Algorithm for CreateSimulationWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateSimulationWorkspace",
            1,
            "Utility\\Workspaces",
            "Creates a workspace of an instrument's detectors, without its monitors.",
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
                "BinParams",
                PropertyKind::Floats,
                "First edge, width, edge, width, edge …, as in Rebin.",
            )
            .mandatory()
            .unit("the unit of X"),
        )
        .with(option("UnitX", PropertyKind::Str, "DeltaE", "Unit of X."))
        .with(option("DetectorTableFilename", PropertyKind::LoadFile, "", "Not used."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with one spectrum for each detector.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let params = context.floats("BinParams")?;
        if params.len() < 3 || params.len() % 2 == 0 {
            return failed(format!(
                "Error in BinParams - Gave invalid number of bin boundaries: {}",
                params.len()
            ));
        }
        let x: SharedRow = edges(&params, None, EdgeOptions::default())?.into();
        let name = context.str("Instrument")?;
        let source = &context.services.instruments;
        let instrument = match name.ends_with(".xml") {
            true => source.by_file(Path::new(&name))?,
            false => source.by_name(&name, DateAndTime::now())?,
        };
        let ids: Vec<i32> = instrument
            .detectors
            .iter()
            .filter(|d| !d.monitor)
            .map(|d| d.id)
            .collect();
        if ids.is_empty() {
            return failed(format!("No detectors found in the instrument {}", instrument.name));
        }
        let mut spectra = SpectrumDetectorMapping::with_capacity(ids.len());
        for (index, id) in ids.iter().enumerate() {
            spectra.push(index as i32 + 1, &[*id]);
        }
        let bins = x.len().saturating_sub(1);
        let row = |value: f64| Rows::repeated(Arc::from(vec![value; bins]), ids.len());
        let mut workspace = MatrixWorkspace::histogram(XRows::Common(x), row(1.0), row(0.0));
        workspace.set_spectra(spectra)?;
        workspace.set_instrument(instrument);
        let unit = context.str("UnitX")?;
        workspace.set_x_unit(Unit::from_id(&unit).unwrap_or_else(|| Unit::label(&unit, "")));
        workspace.set_y_unit("SpectraNumber");
        context.output("OutputWorkspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, y};

    #[test]
    fn detectors_have_a_signal_of_one() {
        let fixture = AlgorithmFixture::new();
        let name = ("Instrument", "LIVEDEMO".into());
        let out = fixture.create(
            "o",
            "CreateSimulationWorkspace",
            &[name.clone(), ("BinParams", "-3,1,3".into())],
        );
        assert_eq!(matrix(&out).histograms(), 512);
        assert_close(&y(&out, 511), &[1.0; 6]);
        let error = fixture
            .try_create("o", "CreateSimulationWorkspace", &[name, ("BinParams", "1,2".into())])
            .map(|_| ())
            .map_err(|e| e.to_string());
        assert_eq!(
            error,
            Err("Error in BinParams - Gave invalid number of bin boundaries: 2".to_owned())
        );
    }
}
