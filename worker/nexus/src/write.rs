//! Writing of processed files: group by group, data streamed in blocks of rows.
//!
//! Promises the layout of Mantid's SaveNexusProcessed: its groups, dataset types, attribute types and string lengths, so
//! that Mantid's LoadNexusProcessed reads the file. An entry that contradicts itself is refused before the file is
//! created. Must not publish: the path is written in place.

mod data;
mod description;

use std::ops::Range;
use std::path::Path;

use hdf5_metno::{File, Group, H5Type, Location};

use crate::entry::{ProcessedEntry, VerticalAxis};
use crate::error::NexusError;
use crate::raw;
use crate::space;

/// Settings of a file that is written; by default nothing is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Compress tables of more than 1024 numbers with deflate, level 1; slower than most disks.
    pub compress: bool,
}

/// Fastest level of deflate: higher ones hardly shrink counts and cost much time.
const DEFLATE_LEVEL: u8 = 1;

/// Tables of more numbers than this are compressed.
const COMPRESS_ABOVE: usize = 1024;

/// Writes a file of the given entries, replacing an existing one, and waits for the disk (fsync).
///
/// # Errors
/// - [`NexusError::LengthMismatch`], [`NexusError::NoSpace`]: nothing was written.
/// - [`NexusError::Open`], [`NexusError::Write`]: the path or the disk.
/// - [`NexusError::Source`]: the data could not be computed. An incomplete file is left at `path`.
pub fn write_to(path: &Path, entries: &[ProcessedEntry<'_>], options: WriteOptions) -> Result<(), NexusError> {
    for entry in entries {
        validate(entry)?;
    }
    space::require_space(path, entries, options.compress)?;
    let file = raw::file_options().create(path).map_err(|error| NexusError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let writer = Writer { path, options };
    writer.root(&file)?;
    for (index, entry) in entries.iter().enumerate() {
        writer.entry(&file, index + 1, entry)?;
    }
    writer.close(file)
}

/// Adds an entry to a file, which is created where it does not exist, and waits for the disk (fsync). Returns the
/// entry's number, from 1.
///
/// # Errors
/// Those of [`write_to`].
pub fn append_to(path: &Path, entry: &ProcessedEntry<'_>, options: WriteOptions) -> Result<usize, NexusError> {
    validate(entry)?;
    if !path.exists() {
        write_to(path, std::slice::from_ref(entry), options)?;
        return Ok(1);
    }
    space::require_space(path, std::slice::from_ref(entry), options.compress)?;
    let file = raw::file_options().open_rw(path).map_err(|error| NexusError::Open {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    let mut number = 1;
    while file.link_exists(&entry_name(number)) {
        number += 1;
    }
    let writer = Writer { path, options };
    writer.entry(&file, number, entry)?;
    writer.close(file)?;
    Ok(number)
}

/// Name of the NXentry group of an entry, numbered from 1.
pub(crate) fn entry_name(number: usize) -> String {
    format!("mantid_workspace_{number}")
}

/// Fails with [`NexusError::LengthMismatch`] where lists of the entry that belong together differ in length.
fn validate(entry: &ProcessedEntry<'_>) -> Result<(), NexusError> {
    let rows = entry.rows();
    let same = |what, found, expected| {
        if found == expected {
            Ok(())
        } else {
            Err(NexusError::LengthMismatch { what, found, expected })
        }
    };
    let spectra = &entry.spectra;
    same("the list of spectrum numbers", spectra.numbers.len(), rows)?;
    same("the list of detector counts", spectra.detector_counts.len(), rows)?;
    let detectors = spectra
        .detector_counts
        .iter()
        .map(|count| (*count).max(0) as usize)
        .sum();
    same("the list of detectors", spectra.detectors.len(), detectors)?;
    if !spectra.positions.is_empty() {
        same("the list of detector positions", spectra.positions.len(), detectors)?;
    }
    match &entry.vertical_axis {
        VerticalAxis::SpectraNumber => {}
        VerticalAxis::Numeric(values, _) => same("the vertical axis", values.len(), rows)?,
        VerticalAxis::Text(values) => same("the vertical axis", values.len(), rows)?,
    }
    for log in &entry.logs {
        if let Some(times) = &log.times {
            same("a log's list of times", times.seconds.len(), log.values.len())?;
        }
    }
    Ok(())
}

/// Groups, datasets and attributes of one file; errors name the object and the path.
pub(crate) struct Writer<'a> {
    path: &'a Path,
    options: WriteOptions,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(path: &'a Path, options: WriteOptions) -> Self {
        Self { path, options }
    }

    pub(crate) fn failed(&self, what: &str) -> impl Fn(hdf5_metno::Error) -> NexusError {
        let (what, path) = (what.to_owned(), self.path.to_owned());
        move |error| NexusError::Write {
            what: what.clone(),
            path: path.clone(),
            reason: error.to_string(),
        }
    }

    fn root(&self, file: &File) -> Result<(), NexusError> {
        self.attribute(file, "NeXus_version", "4.3.0")?;
        self.attribute(file, "HDF5_Version", &hdf5_version())?;
        let name = self
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        self.attribute(file, "file_name", &name)
    }

    fn entry(&self, file: &File, number: usize, entry: &ProcessedEntry<'_>) -> Result<(), NexusError> {
        let group = self.group(file, &entry_name(number), "NXentry")?;
        self.text(&group, "title", &entry.title)?;
        self.text(&group, "workspace_name", &entry.workspace_name)?;
        self.definition(
            &group,
            "definition",
            "http://www.nexusformat.org/instruments/xml/NXprocessed.xml",
        )?;
        self.definition(&group, "definition_local", "http://www.isis.rl.ac.uk/xml/IXmantid.xml")?;
        self.instrument(&group, entry)?;
        self.sample(&group, &entry.sample)?;
        self.logs(&group, &entry.logs)?;
        self.data(&group, entry)?;
        self.history(&group, &entry.history)
    }

    fn definition(&self, group: &Group, name: &str, url: &str) -> Result<(), NexusError> {
        let dataset = self.text(group, name, "Mantid Processed Workspace")?;
        self.attribute(&dataset, "URL", url)?;
        self.attribute(&dataset, "Version", "1.0")
    }

    pub(crate) fn close(&self, file: File) -> Result<(), NexusError> {
        file.flush().map_err(self.failed("the file"))?;
        file.close().map_err(self.failed("the file"))?;
        let synced = std::fs::File::open(self.path).and_then(|file| file.sync_all());
        synced.map_err(|error| NexusError::Write {
            what: "the file".to_owned(),
            path: self.path.to_owned(),
            reason: error.to_string(),
        })
    }

    pub(crate) fn group(&self, parent: &Group, name: &str, class: &str) -> Result<Group, NexusError> {
        let group = parent.create_group(name).map_err(self.failed(name))?;
        self.attribute(&group, "NX_class", class)?;
        Ok(group)
    }

    pub(crate) fn attribute(&self, location: &Location, name: &str, text: &str) -> Result<(), NexusError> {
        raw::write_attribute(location, name, text).map_err(self.failed(&format!("attribute {name}")))
    }

    pub(crate) fn number_attribute(&self, location: &Location, name: &str, number: i32) -> Result<(), NexusError> {
        let write = || location.new_attr::<i32>().shape(()).create(name)?.write_scalar(&number);
        write().map_err(self.failed(&format!("attribute {name}")))
    }

    pub(crate) fn text(&self, group: &Group, name: &str, text: &str) -> Result<hdf5_metno::Dataset, NexusError> {
        raw::write_string(group, name, text).map_err(self.failed(name))
    }

    /// Dataset of numbers, written at once; `values` has as many elements as `shape`.
    pub(crate) fn table<T: H5Type>(
        &self,
        group: &Group,
        name: &str,
        shape: &[usize],
        values: &[T],
    ) -> Result<hdf5_metno::Dataset, NexusError> {
        let dataset = self.empty::<T>(group, name, shape)?;
        let start = vec![0; shape.len()];
        raw::write_block(&dataset, &start, shape, values).map_err(self.failed(name))?;
        Ok(dataset)
    }

    /// Dataset of numbers without values, to be filled in blocks.
    pub(crate) fn empty<T: H5Type>(
        &self,
        group: &Group,
        name: &str,
        shape: &[usize],
    ) -> Result<hdf5_metno::Dataset, NexusError> {
        let mut builder = group.new_dataset_builder();
        if self.options.compress && shape.iter().product::<usize>() > COMPRESS_ABOVE {
            builder = builder.chunk(chunk_of(shape)).deflate(DEFLATE_LEVEL);
        }
        builder
            .empty::<T>()
            .shape(shape)
            .create(name)
            .map_err(self.failed(name))
    }
}

/// Shape of chunks of about 65,536 numbers, in whole rows where these fit.
fn chunk_of(shape: &[usize]) -> Vec<usize> {
    const WANTED: usize = 1 << 16;
    match shape {
        [length] => vec![(*length).min(WANTED)],
        [rows, columns, ..] => {
            let columns_each = (*columns).clamp(1, WANTED);
            vec![(WANTED / columns_each).clamp(1, (*rows).max(1)), columns_each]
        }
        [] => Vec::new(),
    }
}

/// Consecutive ranges of rows that cover `0..rows`, each of about `numbers` numbers but at least one row.
pub(crate) fn row_blocks(rows: usize, numbers_per_row: usize, numbers: usize) -> impl Iterator<Item = Range<usize>> {
    let step = rows_per_block(rows, numbers_per_row, numbers);
    (0..rows)
        .step_by(step)
        .map(move |first| first..(first + step).min(rows))
}

/// Number of rows in each of the [`row_blocks`] but the last.
pub(crate) fn rows_per_block(rows: usize, numbers_per_row: usize, numbers: usize) -> usize {
    numbers.checked_div(numbers_per_row).unwrap_or(rows).max(1)
}

fn hdf5_version() -> String {
    let (major, minor, patch) = hdf5_metno::library_version();
    format!("{major}.{minor}.{patch}")
}
