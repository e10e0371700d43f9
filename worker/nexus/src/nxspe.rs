//! NXSPE files: S(Q, ω) of a direct-geometry spectrometer over energy transfer, with the angles of its detectors.
//!
//! Promises the layout of NeXus's application definition NXspe, version 1.2, which Horace, MSlice and Mantid's
//! LoadNXSPE read. Rows are streamed as into processed files. Must not publish the file.

use std::path::Path;

use hdf5_metno::{Dataset, Group};

use crate::error::NexusError;
use crate::raw;
use crate::source::RowSource;
use crate::space;
use crate::write::{WriteOptions, Writer, row_blocks};

/// Means over the detectors of a row: position about the sample, with the beam as polar axis, and angular widths.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DetectorAngles {
    /// 2θ, degrees.
    pub polar: f64,
    /// φ, degrees.
    pub azimuthal: f64,
    /// Width in 2θ, degrees.
    pub polar_width: f64,
    /// Width in φ, degrees.
    pub azimuthal_width: f64,
    /// Distance from the sample, m.
    pub distance: f64,
}

/// Content of an NXSPE file: one entry.
pub struct Nxspe<'a> {
    /// Name of the NXentry group, without `/`.
    pub name: &'a str,
    /// Incident energy Ei, meV; NaN where unknown.
    pub fixed_energy: f64,
    /// Rotation ψ of the crystal about the vertical axis, degrees; NaN where unknown.
    pub psi: f64,
    /// True where values were multiplied by ki/kf.
    pub scaled: bool,
    pub instrument: &'a str,
    /// Edges of energy transfer Ei − Ef, meV; one more than bins.
    pub energy: &'a [f64],
    pub rows: &'a dyn RowSource,
    /// One for each row.
    pub detector_angles: &'a [DetectorAngles],
}

/// Values handed to the HDF5 library at once: 2 MB.
const BLOCK: usize = 1 << 18;

/// Writes a file, replacing an existing one, and waits for the disk (fsync).
///
/// # Errors
/// - [`NexusError::LengthMismatch`]: as many angles as rows and one more edge than bins are required.
/// - [`NexusError::NoSpace`], [`NexusError::Open`], [`NexusError::Write`]: the volume, the path or the disk.
/// - [`NexusError::Source`]: the rows could not be computed.
pub fn write_nxspe(path: &Path, content: &Nxspe<'_>) -> Result<(), NexusError> {
    let (rows, bins) = (content.rows.rows(), content.rows.bins());
    for (what, found, expected) in [
        ("the list of directions", content.detector_angles.len(), rows),
        ("the axis of energy transfer", content.energy.len(), bins + 1),
    ] {
        if found != expected {
            return Err(NexusError::LengthMismatch { what, found, expected });
        }
    }
    space::require_bytes(path, (rows as u64).saturating_mul(bins as u64).saturating_mul(16))?;
    let file = raw::file_options().create(path).map_err(|error| NexusError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let writer = Writer::new(path, WriteOptions::default());
    let entry = writer.group(&file, content.name, "NXentry")?;
    write_metadata(&writer, &entry, content)?;
    let data = writer.group(&entry, "data", "NXdata")?;
    let axis = writer.table(&data, "energy", &[content.energy.len()], content.energy)?;
    writer.attribute(&axis, "units", "meV")?;
    let values = writer.empty::<f64>(&data, "data", &[rows, bins])?;
    let errors = writer.empty::<f64>(&data, "error", &[rows, bins])?;
    writer.number_attribute(&values, "signal", 1)?;
    writer.attribute(&values, "axes", "polar:energy")?;
    write_rows(&writer, content.rows, &values, &errors)?;
    write_angles(&writer, &data, content.detector_angles)?;
    writer.close(file)
}

/// Everything of the entry but its data.
fn write_metadata(writer: &Writer<'_>, entry: &Group, content: &Nxspe<'_>) -> Result<(), NexusError> {
    let definition = writer.text(entry, "definition", "NXSPE")?;
    writer.attribute(&definition, "version", "1.2")?;
    let program = writer.text(entry, "program_name", "live-data")?;
    writer.attribute(&program, "version", env!("CARGO_PKG_VERSION"))?;
    let info = writer.group(entry, "NXSPE_info", "NXcollection")?;
    let energy = writer.table(&info, "fixed_energy", &[1], &[content.fixed_energy])?;
    writer.attribute(&energy, "units", "meV")?;
    let psi = writer.table(&info, "psi", &[1], &[content.psi])?;
    writer.attribute(&psi, "units", "degrees")?;
    writer.table(&info, "ki_over_kf_scaling", &[1], &[i32::from(content.scaled)])?;
    let instrument = writer.group(entry, "instrument", "NXinstrument")?;
    let name = writer.text(&instrument, "name", content.instrument)?;
    writer.attribute(&name, "short_name", content.instrument)?;
    let fermi = writer.group(&instrument, "fermi", "NXfermi_chopper")?;
    writer.table(&fermi, "energy", &[1], &[content.fixed_energy])?;
    writer.group(entry, "sample", "NXsample")?;
    Ok(())
}

fn write_rows(
    writer: &Writer<'_>,
    source: &dyn RowSource,
    values: &Dataset,
    errors: &Dataset,
) -> Result<(), NexusError> {
    let (rows, bins) = (source.rows(), source.bins());
    for block in row_blocks(rows, bins, BLOCK) {
        let (mut y, mut e) = (vec![0.0; block.len() * bins], vec![0.0; block.len() * bins]);
        source.fill(block.clone(), &mut y, &mut e)?;
        let (start, count) = ([block.start, 0], [block.len(), bins]);
        raw::write_block(values, &start, &count, &y).map_err(writer.failed("data"))?;
        raw::write_block(errors, &start, &count, &e).map_err(writer.failed("error"))?;
    }
    Ok(())
}

fn write_angles(writer: &Writer<'_>, data: &Group, angles: &[DetectorAngles]) -> Result<(), NexusError> {
    type Column = fn(&DetectorAngles) -> f64;
    let columns: [(&str, Column); 5] = [
        ("polar", |row| row.polar),
        ("azimuthal", |row| row.azimuthal),
        ("polar_width", |row| row.polar_width),
        ("azimuthal_width", |row| row.azimuthal_width),
        ("distance", |row| row.distance),
    ];
    for (name, of) in columns {
        let values: Vec<f64> = angles.iter().map(of).collect();
        writer.table(data, name, &[angles.len()], &values)?;
    }
    Ok(())
}
