//! Sources of the numbers of an entry, row by row.
//!
//! Promises: the writer requests rows in ascending order, each once, in blocks of a few megabytes. Must not know the
//! file's layout.

use std::ops::Range;

use thiserror::Error;

/// Refusal of a source to give its rows, for example because the execution was cancelled. The file is not completed.
#[derive(Debug, Error)]
#[error("the data to be saved could not be computed: {0}")]
pub struct SourceError(pub String);

/// Values and errors of histogram data, computed row by row while the file is written.
pub trait RowSource: Sync {
    /// Number of rows (spectra).
    fn rows(&self) -> usize;
    /// Number of values in a row, the same for all rows.
    fn bins(&self) -> usize;
    /// Fills the values and standard deviations (not variances) of `rows`, row after row. Each buffer has
    /// `rows.len() * bins()` elements.
    ///
    /// # Errors
    /// [`SourceError`] when the rows cannot be computed: the writer stops there.
    fn fill(&self, rows: Range<usize>, values: &mut [f64], errors: &mut [f64]) -> Result<(), SourceError>;
    /// Fills the X values of `rows`, row after row. Called only for
    /// [`XValues::PerRow`](crate::entry::XValues::PerRow), whose number is the length of a row.
    ///
    /// # Errors
    /// [`SourceError`] as of [`RowSource::fill`], and from sources that have no X values.
    fn fill_x(&self, rows: Range<usize>, x: &mut [f64]) -> Result<(), SourceError> {
        let _ = (rows, x);
        Err(SourceError(
            "rows were said to have X values of their own, but none are given".to_owned(),
        ))
    }
}

/// Events of consecutive rows, as columns: all events of the first row, then those of the next.
#[derive(Debug, Clone, Default)]
pub struct EventBlock {
    /// X of each event, in the unit of the workspace (time of flight: µs).
    pub x: Vec<f64>,
    /// Pulse times in ns since 1990-01-01T00:00:00; empty for events without.
    pub pulse_time: Vec<i64>,
    /// Weights; empty for unweighted events, each of which counts 1.
    pub weight: Vec<f32>,
    /// Variances of the weights; empty for unweighted events.
    pub error_squared: Vec<f32>,
}

/// Events, given in blocks of rows while the file is written.
pub trait EventSource: Sync {
    /// Number of events in each row; fixed before the first block is requested.
    fn counts(&self) -> &[u64];
    /// True where blocks carry [`EventBlock::pulse_time`].
    fn has_pulse_times(&self) -> bool;
    /// True where blocks carry [`EventBlock::weight`] and [`EventBlock::error_squared`].
    fn is_weighted(&self) -> bool;
    /// Events of `rows`, as many as [`EventSource::counts`] promises.
    ///
    /// # Errors
    /// [`SourceError`] when the events cannot be computed: the writer stops there.
    fn events(&self, rows: Range<usize>) -> Result<EventBlock, SourceError>;
}
