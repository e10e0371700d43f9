//! Materialised events in columns: of operations that a plan over the stream cannot express, and of files.
//!
//! Promises: rows are slices of shared columns (offsets into them, as in Arrow's list layout), so that clones share
//! them. Weights and squared errors are `f32`, as in NeXus event files; times are nanoseconds since the Unix epoch.

use std::sync::Arc;

use thiserror::Error;

/// Error of columns that do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ColumnsError {
    /// A column has another length than the column of values.
    #[error("the column of {column} has {found} entries for {expected} events: all columns must be of one length")]
    LengthsDiffer {
        column: &'static str,
        found: usize,
        expected: usize,
    },
    /// The offsets do not ascend from 0 to the number of events.
    #[error("row offset {index} is {value}, out of order or outside the {events} events")]
    BadOffset { index: usize, value: u64, events: usize },
}

/// Columns of events beside their values; Mantid's `EventType` (TOF, WEIGHTED, WEIGHTED_NOTIME).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Value and pulse time; weight and squared error are 1.
    Plain,
    /// Value, pulse time, weight and squared error.
    Weighted,
    /// Value, weight and squared error, without the pulse time.
    WeightedNoTime,
}

/// Events of one spectrum, in columns of equal length; optional columns are empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// Values in the unit of the plan: time of flight in µs before any conversion.
    pub x: Vec<f64>,
    /// Pulse times, ns since the Unix epoch; empty if unknown.
    pub pulse_time: Vec<i64>,
    /// Empty for plain events, whose weights are 1.
    pub weight: Vec<f32>,
    /// Squared errors of the weights; empty for plain events (all 1).
    pub error_squared: Vec<f32>,
}

impl Events {
    /// Number of events, equal to the length of `x`.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// True without events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Weight and squared error of event `index`; `(1, 1)` for plain events and beyond the end.
    #[must_use]
    pub fn weight(&self, index: usize) -> (f64, f64) {
        match (self.weight.get(index), self.error_squared.get(index)) {
            (Some(weight), Some(error)) => (f64::from(*weight), f64::from(*error)),
            _ => (1.0, 1.0),
        }
    }

    /// Removes all events and keeps the allocations.
    pub fn clear(&mut self) {
        self.x.clear();
        self.pulse_time.clear();
        self.weight.clear();
        self.error_squared.clear();
    }
}

/// Columns of weights and of their squared errors, of equal length.
pub type WeightColumns = (Arc<[f32]>, Arc<[f32]>);

/// Events of many spectra in shared columns; row `i` holds events `[offsets[i], offsets[i + 1])`.
#[derive(Debug, Clone)]
pub struct Columns {
    offsets: Arc<[u64]>,
    x: Arc<[f64]>,
    pulse_time: Option<Arc<[i64]>>,
    weights: Option<WeightColumns>,
}

impl Columns {
    /// Columns of `offsets.len() - 1` rows.
    ///
    /// # Errors
    /// [`ColumnsError::LengthsDiffer`] if a column has another length than `x`; [`ColumnsError::BadOffset`] if the
    /// offsets do not ascend from 0 to `x.len()`.
    pub fn new(
        offsets: impl Into<Arc<[u64]>>,
        x: impl Into<Arc<[f64]>>,
        pulse_time: Option<Arc<[i64]>>,
        weights: Option<WeightColumns>,
    ) -> Result<Self, ColumnsError> {
        let (offsets, x) = (offsets.into(), x.into());
        let expected = x.len();
        let check = |column, found| {
            if found == expected {
                Ok(())
            } else {
                Err(ColumnsError::LengthsDiffer {
                    column,
                    found,
                    expected,
                })
            }
        };
        if let Some(times) = &pulse_time {
            check("pulse times", times.len())?;
        }
        if let Some((weight, error)) = &weights {
            check("weights", weight.len())?;
            check("squared errors", error.len())?;
        }
        let mut before = 0;
        for (index, value) in offsets.iter().copied().enumerate() {
            if value < before || value > expected as u64 || (index == 0 && value != 0) {
                return Err(ColumnsError::BadOffset {
                    index,
                    value,
                    events: expected,
                });
            }
            before = value;
        }
        if before != expected as u64 {
            return Err(ColumnsError::BadOffset {
                index: offsets.len(),
                value: before,
                events: expected,
            });
        }
        Ok(Self {
            offsets,
            x,
            pulse_time,
            weights,
        })
    }

    /// Columns that the caller knows to fit; nothing is checked.
    pub(crate) fn from_parts(
        offsets: Arc<[u64]>,
        x: Arc<[f64]>,
        pulse_time: Option<Arc<[i64]>>,
        weights: Option<WeightColumns>,
    ) -> Self {
        Self {
            offsets,
            x,
            pulse_time,
            weights,
        }
    }

    /// Concatenates rows. The result has weights if any row has them, and pulse times if every row with events has
    /// them.
    #[must_use]
    pub fn from_rows(rows: &[Events]) -> Self {
        let total: usize = rows.iter().map(Events::len).sum();
        let timed = rows.iter().all(|row| row.pulse_time.len() == row.x.len());
        let weighted = rows.iter().any(|row| !row.weight.is_empty());
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        let mut x = Vec::with_capacity(total);
        let mut times = Vec::with_capacity(if timed { total } else { 0 });
        let mut weight = Vec::with_capacity(if weighted { total } else { 0 });
        let mut error = Vec::with_capacity(if weighted { total } else { 0 });
        offsets.push(0);
        for row in rows {
            x.extend_from_slice(&row.x);
            if timed {
                times.extend_from_slice(&row.pulse_time);
            }
            if weighted {
                for index in 0..row.len() {
                    weight.push(row.weight.get(index).copied().unwrap_or(1.0));
                    error.push(row.error_squared.get(index).copied().unwrap_or(1.0));
                }
            }
            offsets.push(x.len() as u64);
        }
        Self {
            offsets: offsets.into(),
            x: x.into(),
            pulse_time: timed.then(|| times.into()),
            weights: weighted.then(|| (weight.into(), error.into())),
        }
    }

    /// Number of rows (spectra), one less than the number of offsets.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Number of events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// True without events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Columns beside the values; events without pulse time and weight are [`EventKind::WeightedNoTime`].
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match (&self.weights, &self.pulse_time) {
            (None, Some(_)) => EventKind::Plain,
            // Plain events always have a pulse time; without one they are weighted events of weight one.
            (None, None) | (Some(_), None) => EventKind::WeightedNoTime,
            (Some(_), Some(_)) => EventKind::Weighted,
        }
    }

    /// Row offsets, one more than rows; the last is the number of events.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// Values of all rows, row after row, in the unit of the plan (µs before any conversion).
    #[must_use]
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Pulse times of all rows, ns since the Unix epoch; `None` if unknown.
    #[must_use]
    pub fn pulse_times(&self) -> Option<&[i64]> {
        self.pulse_time.as_deref()
    }

    /// Weights and squared errors of all rows; `None` for plain events.
    #[must_use]
    pub fn weights(&self) -> Option<(&[f32], &[f32])> {
        self.weights.as_ref().map(|(weight, error)| (&**weight, &**error))
    }

    /// Indices of a row's events in the columns; empty for a row that does not exist.
    #[must_use]
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        match (self.offsets.get(row), self.offsets.get(row.saturating_add(1))) {
            (Some(first), Some(last)) => *first as usize..*last as usize,
            _ => 0..0,
        }
    }

    /// Weight and squared error of the event at `index` in the columns; `(1, 1)` for plain events.
    #[must_use]
    #[inline]
    pub fn weight(&self, index: usize) -> (f64, f64) {
        self.weights.as_ref().map_or((1.0, 1.0), |(weight, error)| {
            (
                weight.get(index).map_or(1.0, |w| f64::from(*w)),
                error.get(index).map_or(1.0, |e| f64::from(*e)),
            )
        })
    }

    /// Copy of the events of one row.
    #[must_use]
    pub fn row(&self, row: usize) -> Events {
        let range = self.range(row);
        Events {
            x: self.x.get(range.clone()).unwrap_or_default().to_vec(),
            pulse_time: self
                .pulse_time
                .as_ref()
                .and_then(|times| times.get(range.clone()))
                .unwrap_or_default()
                .to_vec(),
            weight: self
                .weights
                .as_ref()
                .and_then(|(weight, _)| weight.get(range.clone()))
                .unwrap_or_default()
                .to_vec(),
            error_squared: self
                .weights
                .as_ref()
                .and_then(|(_, error)| error.get(range))
                .unwrap_or_default()
                .to_vec(),
        }
    }

    /// Copy of the events whose pulse time (ns) `keep` accepts; all events without pulse times.
    #[must_use]
    pub fn select(&self, keep: impl Fn(i64) -> bool) -> Self {
        let Some(times) = &self.pulse_time else {
            return self.clone();
        };
        let rows: Vec<Events> = (0..self.rows())
            .map(|row| {
                let mut events = Events::default();
                for index in self.range(row) {
                    if keep(times[index]) {
                        events.x.push(self.x[index]);
                        events.pulse_time.push(times[index]);
                        if let Some((weight, error)) = &self.weights {
                            events.weight.push(weight[index]);
                            events.error_squared.push(error[index]);
                        }
                    }
                }
                events
            })
            .collect();
        let mut selected = Self::from_rows(&rows);
        if self.weights.is_some() && selected.weights.is_none() {
            selected.weights = Some((Arc::from([]), Arc::from([])));
        }
        selected
    }

    /// Bytes of all columns; clones share them.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of_val(&*self.offsets)
            + size_of_val(&*self.x)
            + self.pulse_time.as_ref().map_or(0, |times| size_of_val(&**times))
            + self
                .weights
                .as_ref()
                .map_or(0, |(weight, error)| size_of_val(&**weight) + size_of_val(&**error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    fn events(x: &[f64]) -> Events {
        Events {
            x: x.to_vec(),
            pulse_time: (0..x.len() as i64).collect(),
            ..Events::default()
        }
    }

    #[test]
    fn rows_come_back_as_they_went_in() {
        let rows = [events(&[3.0, 1.0]), Events::default(), events(&[2.0])];
        let columns = Columns::from_rows(&rows);
        assert_eq!(columns.kind(), EventKind::Plain);
        assert_eq!((columns.rows(), columns.len()), (3, 3));
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(&columns.row(index), row);
        }
        assert!(columns.row(3).is_empty(), "a row that does not exist holds nothing");
    }

    #[test]
    fn one_weighted_row_makes_all_weighted() {
        let weighted = Events {
            weight: vec![2.0],
            error_squared: vec![4.0],
            ..events(&[5.0])
        };
        let columns = Columns::from_rows(&[events(&[1.0]), weighted]);
        assert_eq!(columns.kind(), EventKind::Weighted);
        assert_eq!(columns.row(0).weight, [1.0]);
        assert_eq!(columns.row(1).error_squared, [4.0]);
    }

    #[test]
    fn selection_by_pulse_time_keeps_rows_apart() {
        let columns = Columns::from_rows(&[events(&[1.0, 2.0, 3.0]), events(&[4.0, 5.0])]).select(|time| time >= 1);
        assert_eq!(columns.row(0).x, [2.0, 3.0]);
        assert_eq!(columns.row(1).x, [5.0]);
    }

    #[test]
    fn columns_that_do_not_fit_are_refused() {
        let x: Vec<f64> = vec![1.0, 2.0];
        assert!(matches!(
            Columns::new(vec![0, 3], x.clone(), None, None),
            Err(ColumnsError::BadOffset { .. })
        ));
        assert!(matches!(
            Columns::new(vec![0, 1], x.clone(), None, None),
            Err(ColumnsError::BadOffset { .. })
        ));
        assert!(matches!(
            Columns::new(vec![1, 2], x.clone(), None, None),
            Err(ColumnsError::BadOffset { .. })
        ));
        let short: Arc<[i64]> = vec![1].into();
        let error = Columns::new(vec![0, 2], x, Some(short), None).unwrap_err();
        assert_eq!(
            error,
            ColumnsError::LengthsDiffer {
                column: "pulse times",
                found: 1,
                expected: 2
            }
        );
    }
}
