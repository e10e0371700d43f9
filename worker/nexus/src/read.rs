//! Reading processed files: what Load needs of them, of ours and of Mantid's own.

use std::path::{Path, PathBuf};

use hdf5_metno::types::TypeDescriptor;
use hdf5_metno::{Dataset, File, Group, H5Type};

use crate::error::NexusError;
use crate::file::{Axis, BinMask, Log, LogValues, Note, Spectra};
use crate::raw;
use crate::write::entry_name;

/// Values and errors as they were read.
#[derive(Debug, Clone, Default)]
pub struct LoadedMatrix {
    /// How many rows.
    pub rows: usize,
    /// How many values a row.
    pub bins: usize,
    /// Values, row after row.
    pub values: Vec<f64>,
    /// Errors (not squared), row after row.
    pub errors: Vec<f64>,
}

/// Events as they were read.
#[derive(Debug, Clone, Default)]
pub struct LoadedEvents {
    /// Where each row's events begin; one more than there are rows.
    pub offsets: Vec<u64>,
    /// Values.
    pub x: Vec<f64>,
    /// Pulse times, ns since 1990-01-01; `None` where the file has none.
    pub pulse_time: Option<Vec<i64>>,
    /// Weights and squared errors; `None` for plain events.
    pub weights: Option<(Vec<f32>, Vec<f32>)>,
}

/// The data of an entry.
#[derive(Debug, Clone)]
pub enum LoadedData {
    /// Values and errors.
    Matrix(LoadedMatrix),
    /// Events.
    Events(LoadedEvents),
}

/// Unit and numbers of the vertical axis, and its texts.
type VerticalAxis = ((String, Vec<f64>), Vec<String>);

/// One workspace of a file.
#[derive(Debug, Clone)]
pub struct LoadedEntry {
    /// Title.
    pub title: String,
    /// The name under which it was saved; may be empty.
    pub workspace_name: String,
    /// Values and errors, or events.
    pub data: LoadedData,
    /// X values: common to all rows, or row after row.
    pub x: Vec<f64>,
    /// How many X values each row has; `None` when they are common.
    pub x_per_row: Option<usize>,
    /// Unit of X.
    pub x_axis: Axis,
    /// Unit of Y.
    pub y_unit: String,
    /// How Y is labelled.
    pub y_label: String,
    /// Whether Y is per unit of X.
    pub distribution: bool,
    /// The vertical axis' unit (`spectraNumber`, `TextAxis`, or another) and, for numbers, its values.
    pub vertical: (String, Vec<f64>),
    /// The texts of a text axis.
    pub vertical_text: Vec<String>,
    /// The spectra.
    pub spectra: Spectra,
    /// Bins that are masked.
    pub masked_bins: Vec<BinMask>,
    /// The instrument's name.
    pub instrument: String,
    /// Its definition.
    pub instrument_xml: Option<String>,
    /// Its parameter map.
    pub parameter_map: String,
    /// The sample's name.
    pub sample: String,
    /// The logs, by name.
    pub logs: Vec<Log>,
    /// Names of logs of kinds that are not known; they are left out.
    pub unknown_logs: Vec<String>,
    /// What was done, in order.
    pub history: Vec<Note>,
}

/// An open file.
#[derive(Debug)]
pub struct ProcessedReader {
    file: File,
    path: PathBuf,
}

impl ProcessedReader {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// When there is none, it is not HDF5, or it holds no processed workspace.
    pub fn open(path: &Path) -> Result<Self, NexusError> {
        let file = raw::options().open(path).map_err(|error| NexusError::Open {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        let reader = Self {
            file,
            path: path.to_owned(),
        };
        if reader.entries() == 0 {
            return Err(NexusError::NotProcessed {
                path: path.to_owned(),
                number: 1,
            });
        }
        Ok(reader)
    }

    /// How many workspaces the file holds.
    #[must_use]
    pub fn entries(&self) -> usize {
        (1..)
            .take_while(|number| self.file.link_exists(&entry_name(*number)))
            .count()
    }

    /// Reads one workspace, counted from 1.
    ///
    /// # Errors
    /// When there is no such entry, or a part that must be there cannot be read.
    pub fn entry(&self, number: usize) -> Result<LoadedEntry, NexusError> {
        let name = entry_name(number);
        if !self.file.link_exists(&name) {
            return Err(NexusError::NotProcessed {
                path: self.path.clone(),
                number,
            });
        }
        let entry = self.file.group(&name).map_err(self.failed(&name))?;
        let is_events = entry.link_exists("event_workspace");
        let data = self.group(&entry, if is_events { "event_workspace" } else { "workspace" })?;
        let x_dataset = self.dataset(&data, "axis1")?;
        let x_per_row = match x_dataset.shape()[..] {
            [_, length] => Some(length),
            _ => None,
        };
        let (loaded, described) = if is_events {
            self.events(&data)?
        } else {
            self.matrix(&data)?
        };
        let instrument = entry.group("instrument").ok();
        let instrument = instrument.as_ref();
        let note = |name: &str| {
            instrument
                .and_then(|group| group.group(name).ok())
                .map(|note| self.text(&note, "data"))
        };
        let (vertical, vertical_text) = self.vertical(&data)?;
        let (logs, unknown_logs) = self.logs(&entry)?;
        Ok(LoadedEntry {
            title: self.text(&entry, "title"),
            workspace_name: self.text(&entry, "workspace_name"),
            data: loaded,
            x: self.numbers(&x_dataset, "axis1")?,
            x_per_row,
            x_axis: axis_of(&x_dataset),
            y_unit: attribute(&described, "units"),
            y_label: attribute(&described, "unit_label"),
            distribution: attribute(&x_dataset, "distribution") == "1",
            vertical,
            vertical_text,
            spectra: instrument.map_or_else(|| Ok(Spectra::default()), |group| self.spectra(group))?,
            masked_bins: self.masks(&data)?,
            instrument: instrument.map(|group| self.text(group, "name")).unwrap_or_default(),
            instrument_xml: note("instrument_xml"),
            parameter_map: note("instrument_parameter_map").unwrap_or_default(),
            sample: entry
                .group("sample")
                .map(|sample| attribute(&sample, "name"))
                .unwrap_or_default(),
            logs,
            unknown_logs,
            history: self.history(&entry),
        })
    }

    fn failed(&self, what: &str) -> impl Fn(hdf5_metno::Error) -> NexusError {
        let (what, path) = (what.to_owned(), self.path.clone());
        move |error| NexusError::Read {
            what: what.clone(),
            path: path.clone(),
            reason: error.to_string(),
        }
    }

    fn group(&self, parent: &Group, name: &str) -> Result<Group, NexusError> {
        parent.group(name).map_err(self.failed(name))
    }

    fn dataset(&self, group: &Group, name: &str) -> Result<Dataset, NexusError> {
        group.dataset(name).map_err(self.failed(name))
    }

    fn numbers<T: H5Type>(&self, dataset: &Dataset, name: &str) -> Result<Vec<T>, NexusError> {
        dataset.read_raw::<T>().map_err(self.failed(name))
    }

    /// The text of a dataset, empty where there is none.
    fn text(&self, group: &Group, name: &str) -> String {
        let texts = group
            .dataset(name)
            .and_then(|dataset| raw::read_strings(&dataset))
            .unwrap_or_default();
        texts.into_iter().next().unwrap_or_default()
    }

    fn matrix(&self, data: &Group) -> Result<(LoadedData, Dataset), NexusError> {
        let values = self.dataset(data, "values")?;
        let errors = self.dataset(data, "errors")?;
        let [rows, bins] = values.shape()[..] else {
            return Err(NexusError::Read {
                what: "values".to_owned(),
                path: self.path.clone(),
                reason: format!("found a table of shape {:?} instead of rows and bins", values.shape()),
            });
        };
        let matrix = LoadedMatrix {
            rows,
            bins,
            values: self.numbers(&values, "values")?,
            errors: self.numbers(&errors, "errors")?,
        };
        if matrix.errors.len() != matrix.values.len() {
            let (found, expected) = (matrix.errors.len(), matrix.values.len());
            return Err(NexusError::Read {
                what: "errors".to_owned(),
                path: self.path.clone(),
                reason: format!("found {found} numbers for {expected} values"),
            });
        }
        Ok((LoadedData::Matrix(matrix), values))
    }

    fn events(&self, data: &Group) -> Result<(LoadedData, Dataset), NexusError> {
        let indices = self.dataset(data, "indices")?;
        let wrong = |reason: String| NexusError::Read {
            what: "event_workspace".to_owned(),
            path: self.path.clone(),
            reason,
        };
        let x: Vec<f64> = match data.dataset("tof") {
            Ok(dataset) => self.numbers(&dataset, "tof")?,
            Err(_) => Vec::new(),
        };
        let mut offsets = Vec::new();
        let mut before = 0;
        for offset in self.numbers::<i64>(&indices, "indices")? {
            if offset < before || offset as usize > x.len() {
                return Err(wrong(format!(
                    "index {offset} is out of order or beyond the {} events",
                    x.len()
                )));
            }
            before = offset;
            offsets.push(offset as u64);
        }
        if offsets.last().is_none_or(|last| *last as usize != x.len()) || offsets.first() != Some(&0) {
            return Err(wrong(format!("the indices do not cover the {} events", x.len())));
        }
        let column = |name: &str, found: usize| {
            if found == x.len() {
                Ok(())
            } else {
                Err(wrong(format!("{name} has {found} entries for {} events", x.len())))
            }
        };
        let pulse_time = match data.dataset("pulsetime") {
            Ok(dataset) => {
                let times: Vec<i64> = self.numbers(&dataset, "pulsetime")?;
                column("pulsetime", times.len())?;
                Some(times)
            }
            Err(_) => None,
        };
        let weights = match (data.dataset("weight"), data.dataset("error_squared")) {
            (Ok(weight), Ok(error)) => {
                let weights: (Vec<f32>, Vec<f32>) =
                    (self.numbers(&weight, "weight")?, self.numbers(&error, "error_squared")?);
                column("weight", weights.0.len())?;
                column("error_squared", weights.1.len())?;
                Some(weights)
            }
            _ => None,
        };
        Ok((
            LoadedData::Events(LoadedEvents {
                offsets,
                x,
                pulse_time,
                weights,
            }),
            indices,
        ))
    }

    fn vertical(&self, data: &Group) -> Result<VerticalAxis, NexusError> {
        let Ok(axis) = data.dataset("axis2") else {
            return Ok((("spectraNumber".to_owned(), Vec::new()), Vec::new()));
        };
        let units = attribute(&axis, "units");
        if units == "TextAxis" {
            let texts = raw::read_strings(&axis).map_err(self.failed("axis2"))?;
            let lines = texts
                .first()
                .map_or(Vec::new(), |text| text.split('\n').map(str::to_owned).collect());
            return Ok(((units, Vec::new()), lines));
        }
        Ok(((units, self.numbers(&axis, "axis2")?), Vec::new()))
    }

    fn spectra(&self, instrument: &Group) -> Result<Spectra, NexusError> {
        let Ok(group) = instrument.group("detector") else {
            return Ok(Spectra::default());
        };
        let column = |name: &str| -> Result<Vec<i32>, NexusError> {
            group
                .dataset(name)
                .map_or_else(|_| Ok(Vec::new()), |dataset| self.numbers(&dataset, name))
        };
        let positions: Vec<f64> = match group.dataset("detector_positions") {
            Ok(dataset) => self.numbers(&dataset, "detector_positions")?,
            Err(_) => Vec::new(),
        };
        Ok(Spectra {
            numbers: column("spectra")?,
            detector_counts: column("detector_count")?,
            detectors: column("detector_list")?,
            positions: positions.as_chunks::<3>().0.to_vec(),
        })
    }

    fn masks(&self, data: &Group) -> Result<Vec<BinMask>, NexusError> {
        let (Ok(spectra), Ok(bins)) = (data.dataset("masked_spectra"), data.dataset("masked_bins")) else {
            return Ok(Vec::new());
        };
        let pairs: Vec<i32> = self.numbers(&spectra, "masked_spectra")?;
        let bins: Vec<u64> = self.numbers(&bins, "masked_bins")?;
        let weights: Vec<f64> = match data.dataset("mask_weights") {
            Ok(dataset) => self.numbers(&dataset, "mask_weights")?,
            Err(_) => vec![1.0; bins.len()],
        };
        let pairs: Vec<(usize, usize)> = pairs
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[row, first]| ((*row).max(0) as usize, (*first).max(0) as usize))
            .collect();
        let mut masks = Vec::new();
        for (index, (row, first)) in pairs.iter().enumerate() {
            let end = pairs
                .get(index + 1)
                .map_or(bins.len(), |(_, first)| *first)
                .min(bins.len());
            let bins = bins.iter().enumerate().take(end).skip(*first);
            masks.extend(bins.map(|(place, bin)| BinMask {
                row: *row,
                bin: *bin as usize,
                weight: weights.get(place).copied().unwrap_or(1.0),
            }));
        }
        Ok(masks)
    }

    fn logs(&self, entry: &Group) -> Result<(Vec<Log>, Vec<String>), NexusError> {
        let Ok(group) = entry.group("logs") else {
            return Ok((Vec::new(), Vec::new()));
        };
        let (mut logs, mut unknown) = (Vec::new(), Vec::new());
        let mut names = group.member_names().map_err(self.failed("logs"))?;
        names.sort_unstable();
        for name in names {
            let Ok(log) = group.group(&name) else { continue };
            let Ok(value) = log.dataset("value") else {
                unknown.push(name);
                continue;
            };
            let values = match self.log_values(&value)? {
                Some(values) => values,
                None => {
                    unknown.push(name);
                    continue;
                }
            };
            let times = match log.dataset("time") {
                Ok(time) => {
                    let times: Vec<f64> = self.numbers(&time, "time")?;
                    (times.len() == values.len()).then(|| (attribute(&time, "start"), times))
                }
                Err(_) => None,
            };
            logs.push(Log {
                name,
                units: attribute(&value, "units"),
                values,
                times,
            });
        }
        Ok((logs, unknown))
    }

    fn log_values(&self, value: &Dataset) -> Result<Option<LogValues>, NexusError> {
        let kind = value
            .dtype()
            .and_then(|dtype| dtype.to_descriptor())
            .map_err(self.failed("a log's value"))?;
        Ok(Some(match kind {
            TypeDescriptor::Float(_) => LogValues::Float(self.numbers(value, "a log's value")?),
            TypeDescriptor::Unsigned(size) if size as usize == 1 && attribute(value, "boolean") == "1" => {
                let bytes: Vec<u8> = self.numbers(value, "a log's value")?;
                LogValues::Bool(bytes.iter().map(|byte| *byte != 0).collect())
            }
            TypeDescriptor::Integer(size) if size as usize <= 4 => {
                LogValues::Int(self.numbers(value, "a log's value")?)
            }
            TypeDescriptor::Integer(_) | TypeDescriptor::Unsigned(_) => {
                LogValues::Long(self.numbers(value, "a log's value")?)
            }
            TypeDescriptor::FixedAscii(_)
            | TypeDescriptor::FixedUnicode(_)
            | TypeDescriptor::VarLenAscii
            | TypeDescriptor::VarLenUnicode => {
                LogValues::Text(raw::read_strings(value).map_err(self.failed("a log's value"))?)
            }
            _ => return Ok(None),
        }))
    }

    fn history(&self, entry: &Group) -> Vec<Note> {
        let Ok(process) = entry.group("process") else {
            return Vec::new();
        };
        let read = |group: &Group| Note {
            author: self.text(group, "author"),
            date: group
                .dataset("author")
                .map(|author| attribute(&author, "date"))
                .unwrap_or_default(),
            description: self.text(group, "description"),
            data: self.text(group, "data"),
        };
        (1..)
            .map_while(|index| process.group(&format!("MantidAlgorithm_{index}")).ok())
            .map(|note| read(&note))
            .collect()
    }
}

/// The text of an attribute, empty where there is none.
fn attribute(location: &hdf5_metno::Location, name: &str) -> String {
    raw::read_attribute(location, name).ok().flatten().unwrap_or_default()
}

fn axis_of(dataset: &Dataset) -> Axis {
    let optional = |name: &str| Some(attribute(dataset, name)).filter(|text| !text.is_empty());
    Axis {
        units: attribute(dataset, "units"),
        caption: optional("caption"),
        label: optional("label"),
    }
}
