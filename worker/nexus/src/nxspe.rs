//! Files of a spectrometer's energy transfer (NXSPE), which programs such as Horace and MSlice read.
//!
//! Promises the layout of NXSPE 1.2: one entry with the fixed energy and the angle psi, the data over a common axis of
//! energy transfer, and one row of angles, widths and distance for each row of data. As the processed files, rows are
//! streamed and nothing is published.

use std::path::Path;

use crate::error::NexusError;
use crate::file::RowSource;
use crate::raw;
use crate::space;
use crate::write::{Options, Writer};

/// Where the detectors of a row are, seen from the sample: angles and widths in degrees, the distance in m.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Direction {
    /// The scattering angle.
    pub polar: f64,
    /// The azimuth.
    pub azimuthal: f64,
    /// How much of the scattering angle it covers.
    pub polar_width: f64,
    /// How much of the azimuth it covers.
    pub azimuthal_width: f64,
    /// How far it is.
    pub distance: f64,
}

/// What a file says.
pub struct Nxspe<'a> {
    /// The entry's name.
    pub name: &'a str,
    /// The fixed energy, meV; NaN where it is not known.
    pub fixed_energy: f64,
    /// The sample's angle, degrees; NaN where it is not known.
    pub psi: f64,
    /// Whether counts were scaled by ki/kf.
    pub scaled: bool,
    /// The instrument's name.
    pub instrument: &'a str,
    /// Edges of energy transfer, meV.
    pub energy: &'a [f64],
    /// Values and errors.
    pub rows: &'a dyn RowSource,
    /// One for each row.
    pub directions: &'a [Direction],
}

/// One number of a direction.
type Column = fn(&Direction) -> f64;

/// Numbers that go to the library at once.
const BLOCK: usize = 1 << 18;

/// Writes a file, replacing what is there, and waits until it is on the disk.
///
/// # Errors
/// As of [`crate::write_to`].
pub fn write_nxspe(path: &Path, content: &Nxspe<'_>) -> Result<(), NexusError> {
    let (rows, bins) = (content.rows.rows(), content.rows.bins());
    for (what, found, expected) in [
        ("the list of directions", content.directions.len(), rows),
        ("the axis of energy transfer", content.energy.len(), bins + 1),
    ] {
        if found != expected {
            return Err(NexusError::Mismatch { what, found, expected });
        }
    }
    space::room(path, (rows as u64).saturating_mul(bins as u64).saturating_mul(16))?;
    let file = raw::options().create(path).map_err(|error| NexusError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let writer = Writer::new(path, Options::default());
    let entry = writer.group(&file, content.name, "NXentry")?;
    let definition = writer.text(&entry, "definition", "NXSPE")?;
    writer.attribute(&definition, "version", "1.2")?;
    let program = writer.text(&entry, "program_name", "live-data")?;
    writer.attribute(&program, "version", env!("CARGO_PKG_VERSION"))?;
    let info = writer.group(&entry, "NXSPE_info", "NXcollection")?;
    let energy = writer.table(&info, "fixed_energy", &[1], &[content.fixed_energy])?;
    writer.attribute(&energy, "units", "meV")?;
    let psi = writer.table(&info, "psi", &[1], &[content.psi])?;
    writer.attribute(&psi, "units", "degrees")?;
    writer.table(&info, "ki_over_kf_scaling", &[1], &[i32::from(content.scaled)])?;
    let instrument = writer.group(&entry, "instrument", "NXinstrument")?;
    let name = writer.text(&instrument, "name", content.instrument)?;
    writer.attribute(&name, "short_name", content.instrument)?;
    let fermi = writer.group(&instrument, "fermi", "NXfermi_chopper")?;
    writer.table(&fermi, "energy", &[1], &[content.fixed_energy])?;
    writer.group(&entry, "sample", "NXsample")?;
    let data = writer.group(&entry, "data", "NXdata")?;
    let axis = writer.table(&data, "energy", &[content.energy.len()], content.energy)?;
    writer.attribute(&axis, "units", "meV")?;
    let values = writer.empty::<f64>(&data, "data", &[rows, bins])?;
    let errors = writer.empty::<f64>(&data, "error", &[rows, bins])?;
    writer.number_attribute(&values, "signal", 1)?;
    writer.attribute(&values, "axes", "polar:energy")?;
    let step = BLOCK.checked_div(bins).unwrap_or(rows).max(1);
    for from in (0..rows).step_by(step) {
        let block = from..(from + step).min(rows);
        let (mut y, mut e) = (vec![0.0; block.len() * bins], vec![0.0; block.len() * bins]);
        content.rows.fill(block.clone(), &mut y, &mut e)?;
        let (start, count) = ([from, 0], [block.len(), bins]);
        raw::write_block(&values, &start, &count, &y).map_err(writer.failed("data"))?;
        raw::write_block(&errors, &start, &count, &e).map_err(writer.failed("error"))?;
    }
    let columns: [(&str, Column); 5] = [
        ("polar", |d| d.polar),
        ("azimuthal", |d| d.azimuthal),
        ("polar_width", |d| d.polar_width),
        ("azimuthal_width", |d| d.azimuthal_width),
        ("distance", |d| d.distance),
    ];
    for (name, of) in columns {
        let values: Vec<f64> = content.directions.iter().map(of).collect();
        writer.table(&data, name, &[rows], &values)?;
    }
    writer.close(file)
}
