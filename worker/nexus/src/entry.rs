//! Entries of a processed NeXus file: one workspace each, with its data, spectra, instrument, sample, logs and history.
//!
//! Promises: plain values in the units of the file; nothing of HDF5. The groups are those of Mantid's
//! SaveNexusProcessed (`mantid_workspace_N`, NXentry).

use crate::source::{EventSource, RowSource};

/// X values of histogram data (dataset `axis1`).
#[derive(Debug, Clone)]
pub enum XValues {
    /// One list for all rows: bin edges (one more than values in a row) or points.
    Common(Vec<f64>),
    /// Number of X values in each row, which [`RowSource::fill_x`] gives.
    PerRow(usize),
}

/// Unit of an axis, as the attributes `units`, `caption` and `label` of its dataset.
#[derive(Debug, Clone, Default)]
pub struct AxisUnit {
    /// Mantid's id of the unit (`TOF`, `DeltaE`, `dSpacing`, `Label`, …).
    pub units: String,
    /// Caption, for the unit `Label` only.
    pub caption: Option<String>,
    /// Symbol, for the unit `Label` only.
    pub label: Option<String>,
}

/// Vertical axis (dataset `axis2`), one element for each row.
#[derive(Debug, Clone)]
pub enum VerticalAxis {
    /// The spectrum numbers of [`Spectra::numbers`].
    SpectraNumber,
    /// Points of a quantity with a unit, such as the momentum transfer of a rebinned row.
    Numeric(Vec<f64>, AxisUnit),
    /// Texts, kept as one string with a line for each row.
    Text(Vec<String>),
}

/// Data of an entry, streamed from a source.
pub enum EntryData<'a> {
    /// Histogram data (group `workspace`, NXdata).
    Matrix { x: XValues, rows: &'a dyn RowSource },
    /// Event data (group `event_workspace`, NXdata).
    Events {
        /// X values of the histogram view: common to all rows, or row after row.
        x: Vec<f64>,
        /// Number of X values in each row; `None` when they are common.
        per_row: Option<usize>,
        events: &'a dyn EventSource,
    },
}

/// Map from rows to spectrum numbers and detectors (group `instrument/detector`, NXdetector).
#[derive(Debug, Clone, Default)]
pub struct Spectra {
    /// Spectrum number of each row.
    pub numbers: Vec<i32>,
    /// Number of detectors of each row; 0 for none.
    pub detector_counts: Vec<i32>,
    /// Detector ids, row after row.
    pub detectors: Vec<i32>,
    /// Distance from the sample (m), 2θ (degrees) and φ (degrees) of each element of `detectors`; empty where unknown.
    pub positions: Vec<[f64; 3]>,
}

/// Position of one detector or monitor, in spherical coordinates about the sample with the beam as polar axis.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhysicalDetector {
    pub id: i32,
    /// φ, degrees.
    pub azimuthal: f64,
    /// 2θ, degrees.
    pub polar: f64,
    /// Distance from the sample, m.
    pub distance: f64,
}

/// Instrument of a workspace (group `instrument`, NXinstrument).
#[derive(Debug, Clone, Default)]
pub struct Instrument {
    pub name: String,
    /// Mantid's instrument definition file.
    pub xml: Option<String>,
    /// Mantid's parameter map as text, entries separated by `|`; `detID:N;bool;masked;1` masks detector N.
    pub parameter_map: String,
    pub detectors: Vec<PhysicalDetector>,
    pub monitors: Vec<PhysicalDetector>,
}

/// Sample of a workspace (group `sample`, NXsample).
#[derive(Debug, Clone, Default)]
pub struct Sample {
    pub name: String,
    /// Mantid's shape definition; empty for none.
    pub shape_xml: String,
    /// Shape code of ISIS's raw files; 0 for unknown.
    pub geometry: i32,
    /// Thickness, mm.
    pub thickness: f64,
    /// Height, mm.
    pub height: f64,
    /// Width, mm.
    pub width: f64,
}

/// Values of a log, in the type of the dataset `value`.
#[derive(Debug, Clone, PartialEq)]
pub enum LogValues {
    Float(Vec<f64>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    /// Bytes 0 and 1 with the attribute `boolean`.
    Bool(Vec<bool>),
    /// Strings, padded to the longest.
    Text(Vec<String>),
}

impl LogValues {
    /// Number of values, in O(1).
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Float(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Long(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// True for a log without values, which the writer leaves out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Times of a log's values.
#[derive(Debug, Clone, PartialEq)]
pub struct LogTimes {
    /// Origin of `seconds`, ISO 8601, UTC.
    pub start: String,
    /// Seconds since `start`, one for each value.
    pub seconds: Vec<f64>,
}

/// Log of the run (a group of `logs`, NXlog).
#[derive(Debug, Clone, PartialEq)]
pub struct NxLog {
    /// Name of the log; `/` and NUL are written as `_`, since HDF5 reads a slash as a path.
    pub name: String,
    /// Unit of the values; empty for none.
    pub units: String,
    pub values: LogValues,
    /// Times of a series; `None` for a single value or an array.
    pub times: Option<LogTimes>,
}

/// Text with its author and date (NXnote).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NxNote {
    pub author: String,
    /// ISO 8601, UTC.
    pub date: String,
    pub description: String,
    pub data: String,
}

/// History of a workspace (group `process`, NXprocess).
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Program, version and machine (`MantidEnvironment`).
    pub environment: NxNote,
    /// One note for each algorithm, in the order of execution (`MantidAlgorithm_N`, from 1).
    pub algorithms: Vec<NxNote>,
}

/// Mask of one bin, an entry of `masked_bins` and `mask_weights`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinMask {
    /// Index of the row, from 0.
    pub row: usize,
    /// Index of the bin, from 0.
    pub bin: usize,
    /// Masked fraction of the bin, in (0, 1].
    pub weight: f64,
}

/// One workspace to be written, as NXentry `mantid_workspace_N`.
pub struct ProcessedEntry<'a> {
    pub title: String,
    pub workspace_name: String,
    pub data: EntryData<'a>,
    pub x_unit: AxisUnit,
    /// Unit of Y as Mantid names it, such as `Counts`.
    pub y_unit: String,
    pub y_label: String,
    /// True for values per unit of X (a distribution), false for values per bin.
    pub distribution: bool,
    pub vertical_axis: VerticalAxis,
    pub spectra: Spectra,
    /// Masked bins, in ascending order of rows.
    pub masked_bins: Vec<BinMask>,
    pub instrument: Instrument,
    pub sample: Sample,
    pub logs: Vec<NxLog>,
    pub history: History,
}

impl ProcessedEntry<'_> {
    /// Number of rows (spectra) that the source of the data has.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.data {
            EntryData::Matrix { rows, .. } => rows.rows(),
            EntryData::Events { events, .. } => events.counts().len(),
        }
    }
}
