//! What a processed file says: entries, each with data, spectra, instrument, sample, logs and history.

use std::ops::Range;

use thiserror::Error;

/// The source of the data could not give them.
#[derive(Debug, Error)]
#[error("the data to be saved could not be computed: {0}")]
pub struct SourceError(pub String);

/// Values and errors, row by row.
pub trait RowSource: Sync {
    /// How many rows there are.
    fn rows(&self) -> usize;
    /// How many values a row has; the same for all.
    fn bins(&self) -> usize;
    /// Fills values and errors (not squared) of `rows`, one row after the other; both buffers are as long as that.
    ///
    /// # Errors
    /// When the data cannot be had: the file is then not written.
    fn fill(&self, rows: Range<usize>, values: &mut [f64], errors: &mut [f64]) -> Result<(), SourceError>;
    /// Fills the X values of `rows` where each row has its own; as many a row as [`Horizontal::PerRow`] says.
    ///
    /// # Errors
    /// As [`RowSource::fill`].
    fn fill_x(&self, rows: Range<usize>, x: &mut [f64]) -> Result<(), SourceError> {
        let _ = (rows, x);
        Err(SourceError(
            "rows were said to have X values of their own, but none are given".to_owned(),
        ))
    }
}

/// Events of a stretch of rows.
#[derive(Debug, Clone, Default)]
pub struct EventBlock {
    /// Values (times of flight in µs) of all rows of the block, one row after the other.
    pub x: Vec<f64>,
    /// Pulse times, ns since 1990-01-01; empty where they are not known.
    pub pulse_time: Vec<i64>,
    /// Weights; empty for plain events.
    pub weight: Vec<f32>,
    /// Squared errors; empty for plain events.
    pub error_squared: Vec<f32>,
}

/// Events, row by row.
pub trait EventSource: Sync {
    /// How many events each row has: known before the first of them is written.
    fn counts(&self) -> &[u64];
    /// Whether events have pulse times.
    fn has_pulse_times(&self) -> bool;
    /// Whether events have weights.
    fn is_weighted(&self) -> bool;
    /// The events of `rows`.
    ///
    /// # Errors
    /// When they cannot be had: the file is then not written.
    fn events(&self, rows: Range<usize>) -> Result<EventBlock, SourceError>;
}

/// The X values.
#[derive(Debug, Clone)]
pub enum Horizontal {
    /// The same for all rows: edges (one more than bins) or points.
    Common(Vec<f64>),
    /// This many for each row, given by [`RowSource::fill_x`].
    PerRow(usize),
}

/// The name of a unit and how it is shown.
#[derive(Debug, Clone, Default)]
pub struct Axis {
    /// The unit's id (`TOF`, `DeltaE`, `dSpacing`, …).
    pub units: String,
    /// The caption, for units without an id.
    pub caption: Option<String>,
    /// The label, for units without an id.
    pub label: Option<String>,
}

/// The vertical axis.
#[derive(Debug, Clone)]
pub enum Vertical {
    /// Spectrum numbers.
    SpectraNumber,
    /// Numbers with a unit.
    Numeric(Vec<f64>, Axis),
    /// Words.
    Text(Vec<String>),
}

/// The data of an entry.
pub enum Data<'a> {
    /// Values and errors.
    Matrix {
        /// X values.
        x: Horizontal,
        /// The rest, row by row.
        rows: &'a dyn RowSource,
    },
    /// Events.
    Events {
        /// X values, common to all rows or row after row.
        x: Vec<f64>,
        /// How many of them each row has; `None` when they are common.
        per_row: Option<usize>,
        /// The events, row by row.
        events: &'a dyn EventSource,
    },
}

/// The spectra: which detectors make up each.
#[derive(Debug, Clone, Default)]
pub struct Spectra {
    /// Spectrum numbers, one a row.
    pub numbers: Vec<i32>,
    /// How many detectors each row has.
    pub detector_counts: Vec<i32>,
    /// Detector ids, row after row.
    pub detectors: Vec<i32>,
    /// For each of them distance from the sample in m, two theta and phi in degrees; empty where not known.
    pub positions: Vec<[f64; 3]>,
}

/// A detector or monitor as the instrument has it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PhysicalDetector {
    /// Detector id.
    pub id: i32,
    /// Azimuthal angle, degrees.
    pub azimuthal: f64,
    /// Polar angle (two theta), degrees.
    pub polar: f64,
    /// Distance from the sample, m.
    pub distance: f64,
}

/// The instrument.
#[derive(Debug, Clone, Default)]
pub struct Instrument {
    /// Its name.
    pub name: String,
    /// Its definition, if there is one.
    pub xml: Option<String>,
    /// The parameter map in Mantid's text form; masked detectors are named here.
    pub parameter_map: String,
    /// All detectors.
    pub detectors: Vec<PhysicalDetector>,
    /// All monitors.
    pub monitors: Vec<PhysicalDetector>,
}

/// The sample.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape_xml: String,
    /// Geometry flag.
    pub geometry: i32,
    /// Thickness, mm.
    pub thickness: f64,
    /// Height, mm.
    pub height: f64,
    /// Width, mm.
    pub width: f64,
}

/// The values of a log.
#[derive(Debug, Clone, PartialEq)]
pub enum LogValues {
    /// Doubles.
    Float(Vec<f64>),
    /// Whole numbers of 32 bits.
    Int(Vec<i32>),
    /// Whole numbers of 64 bits.
    Long(Vec<i64>),
    /// Yes or no.
    Bool(Vec<bool>),
    /// Words.
    Text(Vec<String>),
}

impl LogValues {
    /// How many there are.
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

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One log.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// Its name; a slash becomes an underscore in the file.
    pub name: String,
    /// The unit of its values; may be empty.
    pub units: String,
    /// The values.
    pub values: LogValues,
    /// Where it is a series: the moment that its times count from (ISO 8601), and a time in s for each value.
    pub times: Option<(String, Vec<f64>)>,
}

/// A text with where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Note {
    /// Who.
    pub author: String,
    /// When, ISO 8601.
    pub date: String,
    /// What it is.
    pub description: String,
    /// The text.
    pub data: String,
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Versions and machine.
    pub environment: Note,
    /// One note for each algorithm, in the order of execution.
    pub algorithms: Vec<Note>,
}

/// A bin that is masked in one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BinMask {
    /// The row.
    pub row: usize,
    /// The bin.
    pub bin: usize,
    /// How far it is masked: 1 for all of it.
    pub weight: f64,
}

/// One workspace.
pub struct ProcessedEntry<'a> {
    /// Title of the run or workspace.
    pub title: String,
    /// The workspace's name.
    pub workspace_name: String,
    /// Values and errors, or events.
    pub data: Data<'a>,
    /// Unit of X.
    pub x_axis: Axis,
    /// Unit of Y.
    pub y_unit: String,
    /// How Y is labelled.
    pub y_label: String,
    /// Whether Y is per unit of X.
    pub distribution: bool,
    /// The vertical axis.
    pub vertical: Vertical,
    /// The spectra.
    pub spectra: Spectra,
    /// Bins that are masked, in the order of rows.
    pub masked_bins: Vec<BinMask>,
    /// The instrument.
    pub instrument: Instrument,
    /// The sample.
    pub sample: Sample,
    /// The logs.
    pub logs: Vec<Log>,
    /// What was done.
    pub history: History,
}

impl ProcessedEntry<'_> {
    /// How many rows the data have.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.data {
            Data::Matrix { rows, .. } => rows.rows(),
            Data::Events { events, .. } => events.counts().len(),
        }
    }
}
