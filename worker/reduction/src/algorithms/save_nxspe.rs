//! SaveNXSPE: energy transfer of a direct spectrometer, with the angles of its detectors, for programs that look at single
//! crystals.

use std::ops::Range;

use live_data_engine::cancel::Cancel;
use live_data_nexus::nxspe::{Direction, Nxspe, write_nxspe};
use live_data_nexus::{RowSource, SourceError};

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, input, option};
use crate::error::{Result, failed, invalid};
use crate::processed::{Source, file_error};
use crate::publish::{publish, save_path};
use crate::unit::Quantity;
use crate::value::Value;
use crate::workspace::MatrixWorkspace;

pub(crate) struct SaveNXSPE;

/// What stands in a row whose detectors are masked.
const MASKED: (f64, f64) = (-1e30, 0.0);

impl Algorithm for SaveNXSPE {
    fn declaration(&self) -> Declaration {
        let energy = "The fixed energy; the log Ei goes first where there is one.";
        let scaled = "State that counts were scaled by ki/kf.";
        Declaration::new(
            "SaveNXSPE",
            1,
            "DataHandling\\Nexus;DataHandling\\SPE;Inelastic\\DataHandling",
            "Writes energy transfer and detectors' angles into an NXSPE file.",
        )
        .with(input(
            "InputWorkspace",
            Kind::Matrix,
            "Histograms over common bins of DeltaE, in meV.",
        ))
        .with(
            input(
                "Filename",
                Kind::SaveFile,
                "The file; a relative path is in defaultsave.directory.",
            )
            .mandatory(),
        )
        .with(option("Efixed", Kind::Float, Value::None, energy).unit("meV"))
        .with(option("Psi", Kind::Float, Value::None, "The sample's angle.").unit("degrees"))
        .with(option("KiOverKfScaling", Kind::Bool, true, scaled))
        .with(option(
            "ParFile",
            Kind::Str,
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
        let path = save_path(&context.service.config, &context.str("Filename")?, "nxspe");
        let directions: Vec<Direction> = (0..input.histograms()).map(|index| direction(&input, index)).collect();
        let source = Masked::new(&input, context.cancel)?;
        let edges = input.x(0)?;
        let content = Nxspe {
            name: &name,
            fixed_energy: energy.unwrap_or(f64::NAN),
            psi: context.opt_float("Psi")?.unwrap_or(f64::NAN),
            scaled: context.bool("KiOverKfScaling")?,
            instrument: &input.instrument().name,
            energy: &edges,
            rows: &source,
            directions: &directions,
        };
        publish(&context.service.config, &path, false, |hidden| {
            write_nxspe(hidden, &content).map_err(|error| file_error(&error, context.cancel))
        })
    }
}

/// The means over the detectors of a spectrum. Widths are those of tubes; other shapes have none.
fn direction(input: &MatrixWorkspace, index: usize) -> Direction {
    let instrument = input.instrument();
    let ids = input.spectra().detectors(index).iter();
    let known: Vec<_> = ids.filter_map(|id| instrument.detector(*id)).collect();
    let mut sum = Direction::default();
    for detector in &known {
        let (distance, polar) = (instrument.l2(detector), instrument.two_theta(detector));
        sum.polar += polar.to_degrees();
        sum.azimuthal += instrument.phi(detector).to_degrees();
        sum.distance += distance;
        if let Some(tube) = instrument.cylinder(detector).filter(|_| distance > 0.0) {
            // Along the ring of equal angle, and across it.
            sum.azimuthal_width += (tube.height / (distance * polar.sin().max(1e-6))).atan().to_degrees();
            sum.polar_width += (2.0 * tube.radius / distance).atan().to_degrees();
        }
    }
    let count = known.len().max(1) as f64;
    Direction {
        polar: sum.polar / count,
        azimuthal: sum.azimuthal / count,
        polar_width: sum.polar_width / count,
        azimuthal_width: sum.azimuthal_width / count,
        distance: sum.distance / count,
    }
}

/// Rows as they are; those of masked detectors filled with a mark, those of none and of monitors with zeros.
struct Masked {
    source: Source,
    fill: Vec<Option<(f64, f64)>>,
}

impl Masked {
    fn new(input: &MatrixWorkspace, cancel: &Cancel) -> Result<Self> {
        let mark = |index: usize| match () {
            () if !input.has_detectors(index) || input.is_monitor(index) => Some((0.0, 0.0)),
            () if input.is_masked(index) => Some(MASKED),
            () => None,
        };
        Ok(Self {
            source: Source::new(input, false, cancel)?,
            fill: (0..input.histograms()).map(mark).collect(),
        })
    }

    fn rows_of(&self) -> Option<&dyn RowSource> {
        match &self.source {
            Source::Matrix(matrix) => Some(matrix),
            Source::Events(_) => None,
        }
    }
}

impl RowSource for Masked {
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
    use crate::algorithms::testing::Bench;

    #[test]
    fn energy_transfer_is_saved_and_nothing_else() {
        let bench = Bench::new();
        bench.sample("s", &[("BankPixelWidth", 1_i64.into())]);
        let call = [("InputWorkspace", "s".into()), ("Filename", "/nowhere/x.nxspe".into())];
        let error = bench.try_run("SaveNXSPE", &call).unwrap_err();
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
        bench.make("d", "ConvertUnits", &convert);
        bench.make(
            "d",
            "Rebin",
            &[("InputWorkspace", "d".into()), ("Params", "-5,1,5".into())],
        );
        let call = [
            ("InputWorkspace", "d".into()),
            ("Filename", path.to_str().unwrap().into()),
        ];
        bench.run("SaveNXSPE", &call);
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89HDF"));
        let par = [&call[..], &[("ParFile", "a.par".into())]].concat();
        assert!(bench.try_run("SaveNXSPE", &par).is_err());
    }
}
