//! Writing: entries, group by group, data streamed in blocks of rows.

mod data;
mod description;

use std::path::Path;

use hdf5_metno::{File, Group, H5Type, Location};

use crate::error::NexusError;
use crate::file::ProcessedEntry;
use crate::raw;
use crate::space;

/// How files are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Whether large tables are compressed (slower by far than the disk).
    pub compress: bool,
}

/// The fastest level of compression: higher ones give little on counts and cost much.
const LEVEL: u8 = 1;

/// Writes a file of the given entries, replacing what is there, and waits until it is on the disk.
///
/// # Errors
/// When a source gives up, the description contradicts itself, or the file cannot be written; what was written until
/// then is left at `path`.
pub fn write_to(path: &Path, entries: &[ProcessedEntry<'_>], options: Options) -> Result<(), NexusError> {
    for entry in entries {
        check(entry)?;
    }
    space::check(path, entries, options)?;
    let file = raw::options().create(path).map_err(|error| NexusError::Open {
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

/// Adds an entry to a file (a new one if there is none), and waits until it is on the disk. Returns its number,
/// from 1.
///
/// # Errors
/// As [`write_to`].
pub fn append_to(path: &Path, entry: &ProcessedEntry<'_>, options: Options) -> Result<usize, NexusError> {
    check(entry)?;
    if !path.exists() {
        write_to(path, std::slice::from_ref(entry), options)?;
        return Ok(1);
    }
    space::check(path, std::slice::from_ref(entry), options)?;
    let file = raw::options().open_rw(path).map_err(|error| NexusError::Open {
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

/// The name of an entry, from 1.
pub(crate) fn entry_name(number: usize) -> String {
    format!("mantid_workspace_{number}")
}

/// Refuses an entry that contradicts itself before anything is written.
fn check(entry: &ProcessedEntry<'_>) -> Result<(), NexusError> {
    let rows = entry.rows();
    let same = |what, found, expected| {
        if found == expected {
            Ok(())
        } else {
            Err(NexusError::Mismatch { what, found, expected })
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
    match &entry.vertical {
        crate::file::Vertical::SpectraNumber => {}
        crate::file::Vertical::Numeric(values, _) => same("the vertical axis", values.len(), rows)?,
        crate::file::Vertical::Text(values) => same("the vertical axis", values.len(), rows)?,
    }
    for log in &entry.logs {
        if let Some((_, times)) = &log.times {
            same("a log's list of times", times.len(), log.values.len())?;
        }
    }
    Ok(())
}

/// Says which thing could not be written where.
pub(crate) struct Writer<'a> {
    path: &'a Path,
    options: Options,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(path: &'a Path, options: Options) -> Self {
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

    /// A table of numbers, all at once.
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

    /// A table to be filled.
    pub(crate) fn empty<T: H5Type>(
        &self,
        group: &Group,
        name: &str,
        shape: &[usize],
    ) -> Result<hdf5_metno::Dataset, NexusError> {
        let mut builder = group.new_dataset_builder();
        if self.options.compress && shape.iter().product::<usize>() > 1024 {
            builder = builder.chunk(chunk_of(shape)).deflate(LEVEL);
        }
        builder
            .empty::<T>()
            .shape(shape)
            .create(name)
            .map_err(self.failed(name))
    }
}

/// Chunks of about 64 thousand numbers, in whole rows where they fit.
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

fn hdf5_version() -> String {
    let (major, minor, patch) = hdf5_metno::library_version();
    format!("{major}.{minor}.{patch}")
}
