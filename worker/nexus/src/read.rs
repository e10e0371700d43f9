//! Reading of processed files, written by this crate or by Mantid's SaveNexusProcessed.
//!
//! Promises: lists that belong together have matching lengths, or an error names the dataset; parts that the layout
//! leaves optional read as empty. Must not interpret units, instruments or parameter maps.

use std::path::{Path, PathBuf};

use hdf5_metno::types::TypeDescriptor;
use hdf5_metno::{Dataset, File, Group, H5Type};

use crate::entry::{AxisUnit, BinMask, LogTimes, LogValues, NxLog, NxNote, Spectra};
use crate::error::NexusError;
use crate::raw;
use crate::write::entry_name;

/// Histogram data of an entry, in row-major order.
#[derive(Debug, Clone, Default)]
pub struct LoadedMatrix {
    pub rows: usize,
    /// Number of values in a row.
    pub bins: usize,
    /// `rows * bins` values.
    pub values: Vec<f64>,
    /// Standard deviations (not variances) of `values`.
    pub errors: Vec<f64>,
}

/// Weights of events and their variances, one of each for every event.
#[derive(Debug, Clone, Default)]
pub struct LoadedWeights {
    pub weight: Vec<f32>,
    pub error_squared: Vec<f32>,
}

/// Event data of an entry, as columns: all events of the first row, then those of the next.
#[derive(Debug, Clone, Default)]
pub struct LoadedEvents {
    /// Row `i` has the events `offsets[i]..offsets[i + 1]`: starts at 0, ascends, ends at the number of events.
    pub offsets: Vec<u64>,
    /// X of each event, in the unit of the entry (time of flight: µs).
    pub x: Vec<f64>,
    /// Pulse times, ns since 1990-01-01T00:00:00; `None` for events without.
    pub pulse_time: Option<Vec<i64>>,
    /// `None` for unweighted events, each of which counts 1.
    pub weights: Option<LoadedWeights>,
}

/// Data of an entry, wholly in memory.
#[derive(Debug, Clone)]
pub enum LoadedData {
    /// Histogram data (group `workspace`).
    Matrix(LoadedMatrix),
    /// Event data (group `event_workspace`).
    Events(LoadedEvents),
}

/// Vertical axis of an entry (dataset `axis2`).
#[derive(Debug, Clone, Default)]
pub struct LoadedVerticalAxis {
    /// `spectraNumber`, `TextAxis`, or the id of a unit.
    pub units: String,
    /// Numbers of the axis; empty for a text axis and for a file without `axis2`.
    pub values: Vec<f64>,
    /// Texts of a text axis, one for each row.
    pub texts: Vec<String>,
}

/// One workspace of a processed file (`mantid_workspace_N`).
#[derive(Debug, Clone)]
pub struct LoadedEntry {
    pub title: String,
    /// Name under which the workspace was saved; empty in files of older Mantid versions.
    pub workspace_name: String,
    pub data: LoadedData,
    /// X values: common to all rows, or row after row.
    pub x: Vec<f64>,
    /// Number of X values in each row; `None` when they are common.
    pub x_per_row: Option<usize>,
    pub x_unit: AxisUnit,
    /// Unit of Y as Mantid names it, such as `Counts`.
    pub y_unit: String,
    pub y_label: String,
    /// True for values per unit of X (a distribution), false for values per bin.
    pub distribution: bool,
    pub vertical_axis: LoadedVerticalAxis,
    pub spectra: Spectra,
    pub masked_bins: Vec<BinMask>,
    /// Name of the instrument; empty where the file has none.
    pub instrument: String,
    /// Mantid's instrument definition file.
    pub instrument_xml: Option<String>,
    /// Mantid's parameter map as text; see [`Instrument::parameter_map`](crate::entry::Instrument::parameter_map).
    pub parameter_map: String,
    /// Name of the sample; empty where the file has none.
    pub sample: String,
    /// Logs in ascending order of names.
    pub logs: Vec<NxLog>,
    /// Names of logs whose values have an unsupported type, such as a compound; they are not in `logs`.
    pub unknown_logs: Vec<String>,
    /// One note for each algorithm, in the order of execution.
    pub history: Vec<NxNote>,
}

/// Processed file that is open for reading; closed when dropped.
#[derive(Debug)]
pub struct ProcessedReader {
    file: File,
    path: PathBuf,
}

impl ProcessedReader {
    /// Opens a file for reading and checks that it has an entry.
    ///
    /// # Errors
    /// [`NexusError::Open`] for a missing file or one that is not HDF5; [`NexusError::NotProcessed`] for an HDF5 file
    /// without `mantid_workspace_1`.
    pub fn open(path: &Path) -> Result<Self, NexusError> {
        let file = raw::file_options().open(path).map_err(|error| NexusError::Open {
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

    /// Number of entries, `mantid_workspace_1` and its successors without a gap.
    #[must_use]
    pub fn entries(&self) -> usize {
        (1..)
            .take_while(|number| self.file.link_exists(&entry_name(*number)))
            .count()
    }

    /// Reads the entry `number`, from 1, wholly into memory.
    ///
    /// # Errors
    /// [`NexusError::NotProcessed`] for a number beyond [`entries`](Self::entries); [`NexusError::Read`] where a
    /// required part is missing or contradicts another.
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
        let (logs, unknown_logs) = self.logs(&entry)?;
        Ok(LoadedEntry {
            title: self.text(&entry, "title"),
            workspace_name: self.text(&entry, "workspace_name"),
            data: loaded,
            x: self.numbers(&x_dataset, "axis1")?,
            x_per_row,
            x_unit: axis_unit(&x_dataset),
            y_unit: attribute(&described, "units"),
            y_label: attribute(&described, "unit_label"),
            distribution: attribute(&x_dataset, "distribution") == "1",
            vertical_axis: self.vertical_axis(&data)?,
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

    /// First string of a dataset; empty where the dataset is missing.
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
        let x: Vec<f64> = match data.dataset("tof") {
            Ok(dataset) => self.numbers(&dataset, "tof")?,
            Err(_) => Vec::new(),
        };
        let mut offsets = Vec::new();
        let mut before = 0;
        for offset in self.numbers::<i64>(&indices, "indices")? {
            if offset < before || offset as usize > x.len() {
                return Err(self.wrong_events(format!(
                    "index {offset} is out of order or beyond the {} events",
                    x.len()
                )));
            }
            before = offset;
            offsets.push(offset as u64);
        }
        if offsets.last().is_none_or(|last| *last as usize != x.len()) || offsets.first() != Some(&0) {
            return Err(self.wrong_events(format!("the indices do not cover the {} events", x.len())));
        }
        let pulse_time = match data.dataset("pulsetime") {
            Ok(dataset) => Some(self.event_column(&dataset, "pulsetime", x.len())?),
            Err(_) => None,
        };
        let weights = match (data.dataset("weight"), data.dataset("error_squared")) {
            (Ok(weight), Ok(error)) => Some(LoadedWeights {
                weight: self.event_column(&weight, "weight", x.len())?,
                error_squared: self.event_column(&error, "error_squared", x.len())?,
            }),
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

    /// Column of a dataset with one element for each of `events` events.
    fn event_column<T: H5Type>(&self, dataset: &Dataset, name: &str, events: usize) -> Result<Vec<T>, NexusError> {
        let column: Vec<T> = self.numbers(dataset, name)?;
        if column.len() == events {
            Ok(column)
        } else {
            let found = column.len();
            Err(self.wrong_events(format!("{name} has {found} entries for {events} events")))
        }
    }

    fn wrong_events(&self, reason: String) -> NexusError {
        NexusError::Read {
            what: "event_workspace".to_owned(),
            path: self.path.clone(),
            reason,
        }
    }

    fn vertical_axis(&self, data: &Group) -> Result<LoadedVerticalAxis, NexusError> {
        let Ok(axis) = data.dataset("axis2") else {
            return Ok(LoadedVerticalAxis {
                units: "spectraNumber".to_owned(),
                ..LoadedVerticalAxis::default()
            });
        };
        let units = attribute(&axis, "units");
        if units == "TextAxis" {
            let texts = raw::read_strings(&axis).map_err(self.failed("axis2"))?;
            let lines = texts
                .first()
                .map_or(Vec::new(), |text| text.split('\n').map(str::to_owned).collect());
            return Ok(LoadedVerticalAxis {
                units,
                values: Vec::new(),
                texts: lines,
            });
        }
        Ok(LoadedVerticalAxis {
            units,
            values: self.numbers(&axis, "axis2")?,
            texts: Vec::new(),
        })
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
            masks.extend(bins.map(|(index, bin)| BinMask {
                row: *row,
                bin: *bin as usize,
                weight: weights.get(index).copied().unwrap_or(1.0),
            }));
        }
        Ok(masks)
    }

    /// Logs in ascending order of names, and the names of those of an unsupported type.
    fn logs(&self, entry: &Group) -> Result<(Vec<NxLog>, Vec<String>), NexusError> {
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
                    (times.len() == values.len()).then(|| LogTimes {
                        start: attribute(&time, "start"),
                        seconds: times,
                    })
                }
                Err(_) => None,
            };
            logs.push(NxLog {
                name,
                units: attribute(&value, "units"),
                values,
                times,
            });
        }
        Ok((logs, unknown))
    }

    /// Values of a log; `None` for an unsupported element type.
    fn log_values(&self, value: &Dataset) -> Result<Option<LogValues>, NexusError> {
        let element_type = value
            .dtype()
            .and_then(|dtype| dtype.to_descriptor())
            .map_err(self.failed("a log's value"))?;
        Ok(Some(match element_type {
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

    fn history(&self, entry: &Group) -> Vec<NxNote> {
        let Ok(process) = entry.group("process") else {
            return Vec::new();
        };
        let read = |group: &Group| NxNote {
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

/// Text of an attribute; empty where it is missing or not text.
fn attribute(location: &hdf5_metno::Location, name: &str) -> String {
    raw::read_attribute(location, name).ok().flatten().unwrap_or_default()
}

fn axis_unit(dataset: &Dataset) -> AxisUnit {
    let optional = |name: &str| Some(attribute(dataset, name)).filter(|text| !text.is_empty());
    AxisUnit {
        units: attribute(dataset, "units"),
        caption: optional("caption"),
        label: optional("label"),
    }
}
