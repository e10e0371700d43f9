//! The summands of a plan.

use crate::columns::EventKind;
use crate::transform::Transform;

use super::row_map::RowMap;
use super::source::{TermSource, UNMAPPED};
use super::weights::Weights;

/// Summand of a plan: events of one source with one transform, row map and set of weights.
#[derive(Debug, Clone)]
pub struct Term {
    pub(crate) source: TermSource,
    pub(crate) transform: Transform,
    pub(crate) rows: RowMap,
    pub(crate) weights: Weights,
}

impl Term {
    /// Origin of the events.
    #[must_use]
    pub fn source(&self) -> &TermSource {
        &self.source
    }

    /// Conversion from time of flight (µs), or from the unit of the columns, to the plan's unit.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// Map from the source's slots to the plan's rows.
    #[must_use]
    pub fn rows(&self) -> &RowMap {
        &self.rows
    }

    /// Factors of the events' weights, by slot.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Values by slot from values by row; `missing` for slots without a row.
    pub(super) fn by_slot<T: Copy>(&self, by_row: &[T], missing: T) -> Vec<T> {
        (0..self.source.slots())
            .map(|slot| {
                self.rows
                    .row(slot)
                    .and_then(|row| by_row.get(row))
                    .copied()
                    .unwrap_or(missing)
            })
            .collect()
    }

    /// Term with row `r` moved to row `target[r]`; `None` if no slot has a row then.
    pub(super) fn remap(&self, target: &[u32]) -> Option<Self> {
        let mut any = false;
        let map: Vec<u32> = (0..self.source.slots())
            .map(|slot| {
                let row = self
                    .rows
                    .row(slot)
                    .and_then(|row| target.get(row))
                    .copied()
                    .unwrap_or(UNMAPPED);
                any |= row != UNMAPPED;
                row
            })
            .collect();
        any.then(|| {
            let same = map.iter().enumerate().all(|(slot, row)| *row as usize == slot);
            let rows = if same { RowMap::identity() } else { RowMap::new(map) };
            Self { rows, ..self.clone() }
        })
    }

    /// Columns that the term's events have, with the weights of its factors.
    pub(crate) fn kind(&self) -> EventKind {
        let own = match &self.source {
            TermSource::Stream { .. } => EventKind::Plain,
            TermSource::Columns(columns) => columns.kind(),
        };
        if own == EventKind::Plain && !self.weights.is_plain() {
            EventKind::Weighted
        } else {
            own
        }
    }
}
