//! Events as columns, row by row: what a plan over the stream cannot express, and what a caller brings along.
//!
//! Promises: rows are slices of shared columns (offsets into them), so that cloning costs nothing; an event's weight
//! and its squared error are single precision as in the files; times are nanoseconds since the Unix epoch.

use std::sync::Arc;

use thiserror::Error;

/// Why columns do not fit together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ColumnsError {
    /// A column that is not as long as the others.
    #[error("the column of {column} has {found} entries for {expected} events: all columns must be of one length")]
    LengthsDiffer {
        /// Which column.
        column: &'static str,
        /// Its length.
        found: usize,
        /// The length of the column of values.
        expected: usize,
    },
    /// Offsets that do not run from 0 to the number of events without falling.
    #[error("row offset {index} is {value}, out of order or outside the {events} events")]
    BadOffset {
        /// Which offset.
        index: usize,
        /// Its value.
        value: u64,
        /// How many events there are.
        events: usize,
    },
}

/// What events know beside their value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// Value and pulse time; the weight is one.
    Plain,
    /// Value, pulse time, weight and squared error.
    Weighted,
    /// Value, weight and squared error, without the pulse time.
    WeightedNoTime,
}

/// Events of one spectrum.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Events {
    /// The value in the plan's current unit (time of flight in µs where it was not converted).
    pub x: Vec<f64>,
    /// Pulse times, ns since the Unix epoch; empty where they are not known.
    pub pulse_time: Vec<i64>,
    /// Weights; empty for plain events (all one).
    pub weight: Vec<f32>,
    /// Squared errors; empty for plain events (all one).
    pub error_squared: Vec<f32>,
}

impl Events {
    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Weight and squared error of an event.
    #[must_use]
    pub fn weight(&self, index: usize) -> (f64, f64) {
        match (self.weight.get(index), self.error_squared.get(index)) {
            (Some(weight), Some(error)) => (f64::from(*weight), f64::from(*error)),
            _ => (1.0, 1.0),
        }
    }

    /// Removes all events.
    pub fn clear(&mut self) {
        self.x.clear();
        self.pulse_time.clear();
        self.weight.clear();
        self.error_squared.clear();
    }
}

/// A column of weights and one of squared errors.
pub type WeightColumns = (Arc<[f32]>, Arc<[f32]>);

/// Events of many spectra in shared columns.
#[derive(Debug, Clone)]
pub struct Columns {
    offsets: Arc<[u64]>,
    x: Arc<[f64]>,
    pulse_time: Option<Arc<[i64]>>,
    weights: Option<WeightColumns>,
}

impl Columns {
    /// Takes columns over: row `i` holds the events `offsets[i] .. offsets[i + 1]`.
    ///
    /// # Errors
    /// When the offsets fall or leave the columns, or the columns differ in length.
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

    /// Columns that are known to fit.
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

    /// Puts the events of each row together. The result has weights if any row has, and pulse times only if every
    /// row that holds events has them.
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

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// What the events know beside their value.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        match (&self.weights, &self.pulse_time) {
            (None, Some(_)) => EventKind::Plain,
            // Plain events always have a pulse time; without one they are weighted events of weight one.
            (None, None) | (Some(_), None) => EventKind::WeightedNoTime,
            (Some(_), Some(_)) => EventKind::Weighted,
        }
    }

    /// The row offsets: one more than there are rows.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// All values.
    #[must_use]
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// All pulse times, ns since the Unix epoch.
    #[must_use]
    pub fn pulse_times(&self) -> Option<&[i64]> {
        self.pulse_time.as_deref()
    }

    /// All weights and squared errors.
    #[must_use]
    pub fn weights(&self) -> Option<(&[f32], &[f32])> {
        self.weights.as_ref().map(|(weight, error)| (&**weight, &**error))
    }

    /// The places of a row's events in the columns; none for a row that does not exist.
    #[must_use]
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        match (self.offsets.get(row), self.offsets.get(row.saturating_add(1))) {
            (Some(first), Some(last)) => *first as usize..*last as usize,
            _ => 0..0,
        }
    }

    /// Weight and squared error of the event at a place in the columns.
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

    /// The events of one row, copied.
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

    /// Only the events whose pulse time `keep` accepts; events without pulse times are all kept.
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

    /// The memory that the columns take, in bytes.
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
