//! SaveNXSPE: energy transfer of a direct spectrometer with the angles of its detectors, for programs of single
//! crystals.
//!
//! Angles and distances are means over a spectrum's detectors. The widths of a tube, in degrees, are atan(2r / L2) in 2θ
//! and atan(h / (L2 sin 2θ)) in azimuth. r is its radius, h its height and L2 its distance from the sample, all in m.
//! Source: Mantid's page SaveNXSPE v1.
//!
//! Promises: rows of masked detectors hold −10³⁰, those of monitors and without detectors 0; the file appears whole or
//! not at all.

use std::ops::Range;

use live_data_engine::cancel::Cancel;
use live_data_nexus::nxspe::{DetectorAngles, Nxspe, write_nxspe};
use live_data_nexus::{RowSource, SourceError};

use crate::algorithm::{Algorithm, Context};
use crate::atomic_file::{ExistingFile, save_path, write_atomically};
use crate::declaration::{Declaration, PropertyKind, input, option};
use crate::error::{Result, failed, invalid};
use crate::processed::{EntrySource, file_error};
use crate::unit::Quantity;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct SaveNXSPE;

/// Y and E of rows whose detectors are masked, as in Mantid.
const MASKED_VALUE_AND_ERROR: (f64, f64) = (-1e30, 0.0);

impl Algorithm for SaveNXSPE {
    fn declaration(&self) -> Declaration {
        let energy = "Fixed energy; the log Ei takes precedence.";
        let scaled = "Record in the file that counts are multiplied by ki/kf.";
        Declaration::new(
            "SaveNXSPE",
            1,
            "DataHandling\\Nexus;DataHandling\\SPE;Inelastic\\DataHandling",
            "Saves energy transfer and the detectors' angles to an NXSPE file.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms over common bins of DeltaE, in meV.",
        ))
        .with(
            input(
                "Filename",
                PropertyKind::SaveFile,
                "Path of the file, relative to defaultsave.directory; a name without extension gets .nxspe.",
            )
            .mandatory(),
        )
        .with(option("Efixed", PropertyKind::Float, Value::None, energy).unit("meV"))
        .with(
            option(
                "Psi",
                PropertyKind::Float,
                Value::None,
                "Rotation of the sample about the vertical axis.",
            )
            .unit("degrees"),
        )
        .with(option("KiOverKfScaling", PropertyKind::Bool, true, scaled))
        .with(option(
            "ParFile",
            PropertyKind::Str,
            "",
            "Not available: angles come from the instrument.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let handle = context.handle("InputWorkspace")?;
        let input = handle.matrix()?;
        if input.x_unit().quantity() != Quantity::DeltaE {
            return invalid("InputWorkspace: The workspace must have units of DeltaE");
        }
        if !input.is_histogram_data() {
            return invalid("InputWorkspace: The workspace must contain histogram data");
        }
        if !input.is_common_bins() {
            return invalid("The input workspace must have common bins");
        }
        let par = context.str("ParFile")?;
        if !par.is_empty() && par != "not_used.par" {
            return failed("ParFile is not available in the native engine: leave it out");
        }
        let energy = input.run().number("Ei").or(context.opt_float("Efixed")?);
        let name = match handle.name() {
            name if name.is_empty() => "mantid_workspace".to_owned(),
            name => name.replace('/', "_"),
        };
        let path = save_path(&context.services.config, &context.str("Filename")?, "nxspe");
        let detector_angles: Vec<DetectorAngles> = (0..input.histograms())
            .map(|index| detector_angles(&input, index))
            .collect();
        let source = MaskedRows::new(&input, context.cancel)?;
        let edges = input.x(0)?;
        let content = Nxspe {
            name: &name,
            fixed_energy: energy.unwrap_or(f64::NAN),
            psi: context.opt_float("Psi")?.unwrap_or(f64::NAN),
            scaled: context.bool("KiOverKfScaling")?,
            instrument: &input.instrument().name,
            energy: &edges,
            rows: &source,
            detector_angles: &detector_angles,
        };
        write_atomically(&context.services.config, &path, ExistingFile::Replace, |hidden| {
            write_nxspe(hidden, &content).map_err(|error| file_error(&error, context.cancel))
        })
    }
}

/// Means over the detectors of a spectrum; shapes other than tubes have no widths.
fn detector_angles(input: &MatrixWorkspace, index: usize) -> DetectorAngles {
    let instrument = input.instrument();
    let ids = input.spectra().detectors(index).iter();
    let known: Vec<_> = ids.filter_map(|id| instrument.detector(*id)).collect();
    let mut sum = DetectorAngles::default();
    for detector in &known {
        let (distance, polar) = (instrument.l2(detector), instrument.two_theta(detector));
        sum.polar += polar.to_degrees();
        sum.azimuthal += instrument.phi(detector).to_degrees();
        sum.distance += distance;
        if let Some(tube) = instrument.cylinder(detector).filter(|_| distance > 0.0) {
            // Tubes stand along the ring of equal 2θ.
            sum.azimuthal_width += (tube.height / (distance * polar.sin().max(1e-6))).atan().to_degrees();
            sum.polar_width += (2.0 * tube.radius / distance).atan().to_degrees();
        }
    }
    let count = known.len().max(1) as f64;
    DetectorAngles {
        polar: sum.polar / count,
        azimuthal: sum.azimuthal / count,
        polar_width: sum.polar_width / count,
        azimuthal_width: sum.azimuthal_width / count,
        distance: sum.distance / count,
    }
}

/// Rows of a workspace, with those of masked detectors, of monitors and without detectors replaced.
struct MaskedRows {
    source: EntrySource,
    fill: Vec<Option<(f64, f64)>>,
}

impl MaskedRows {
    fn new(input: &MatrixWorkspace, cancel: &Cancel) -> Result<Self> {
        let mark = |index: usize| match () {
            () if !input.has_detectors(index) || input.is_monitor(index) => Some((0.0, 0.0)),
            () if input.is_masked(index) => Some(MASKED_VALUE_AND_ERROR),
            () => None,
        };
        Ok(Self {
            source: EntrySource::new(input, false, cancel)?,
            fill: (0..input.histograms()).map(mark).collect(),
        })
    }

    fn rows_of(&self) -> Option<&dyn RowSource> {
        match &self.source {
            EntrySource::Matrix(matrix) => Some(matrix),
            EntrySource::Events(_) => None,
        }
    }
}

impl RowSource for MaskedRows {
    fn rows(&self) -> usize {
        self.fill.len()
    }

    fn bins(&self) -> usize {
        self.rows_of().map_or(0, RowSource::bins)
    }

    fn fill(&self, rows: Range<usize>, values: &mut [f64], errors: &mut [f64]) -> std::result::Result<(), SourceError> {
        let Some(source) = self.rows_of() else {
            return Err(SourceError("events have no rows of counts".to_owned()));
        };
        source.fill(rows.clone(), values, errors)?;
        let bins = self.bins().max(1);
        for ((row, values), errors) in rows.zip(values.chunks_mut(bins)).zip(errors.chunks_mut(bins)) {
            if let Some((value, error)) = self.fill.get(row).copied().flatten() {
                values.fill(value);
                errors.fill(error);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn energy_transfer_is_saved_and_nothing_else() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let call = [("InputWorkspace", "s".into()), ("Filename", "/nowhere/x.nxspe".into())];
        let error = fixture.try_run("SaveNXSPE", &call).unwrap_err();
        assert_eq!(
            error.to_string(),
            "InputWorkspace: The workspace must have units of DeltaE"
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.nxspe");
        let convert = [
            ("InputWorkspace", "s".into()),
            ("Target", "DeltaE".into()),
            ("EMode", "Direct".into()),
            ("EFixed", 7.5.into()),
        ];
        fixture.create("d", "ConvertUnits", &convert);
        fixture.create(
            "d",
            "Rebin",
            &[("InputWorkspace", "d".into()), ("Params", "-5,1,5".into())],
        );
        let call = [
            ("InputWorkspace", "d".into()),
            ("Filename", path.to_str().unwrap().into()),
        ];
        fixture.run("SaveNXSPE", &call);
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89HDF"));
        let par = [&call[..], &[("ParFile", "a.par".into())]].concat();
        assert!(fixture.try_run("SaveNXSPE", &par).is_err());
    }
}
