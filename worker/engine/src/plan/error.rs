//! Errors of plans.

use thiserror::Error;

/// Error of building or reading a plan.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Plus or Minus of plans with different numbers of rows.
    #[error("cannot add event plans of {left} and {right} rows: both must have the same number")]
    RowsDiffer { left: usize, right: usize },
    /// A table has another length than the plan has rows.
    #[error("{what} given for {found} rows of an event plan that has {rows}")]
    TableLength {
        /// Content of the table: factors, flags, constants or bin edges.
        what: &'static str,
        /// Length of the table.
        found: usize,
        rows: usize,
    },
    /// The row does not exist.
    #[error("row {row} was named, but the event plan has {rows} rows")]
    NoSuchRow { row: usize, rows: usize },
    /// The histogram has 2³² − 1 bins or more in all rows together.
    #[error("a histogram of {rows} rows with {cells} bins in all is more than this program can address: bin coarser")]
    TooLarge {
        rows: usize,
        /// Bins of all rows together.
        cells: u64,
    },
    /// The [`Cancel`](crate::cancel::Cancel) flag was raised.
    #[error(transparent)]
    Cancelled(#[from] crate::cancel::Cancelled),
}
