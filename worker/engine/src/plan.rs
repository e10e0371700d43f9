//! Event workspaces as lazy plans: source of events, unit conversion, map to rows, and weights. Events are read only
//! for a histogram, a count or the events themselves.
//!
//! Promises: a plan is a value. Operations return new plans that share everything large; none touches an event of the
//! stream. A selection by pulse time on columns is the exception: it copies the selected events. Results equal those of
//! the same operations on lists of events, event by event.

mod error;
mod merge;
mod read;
mod row_map;
mod source;
mod term;
#[cfg(test)]
mod tests;
mod weights;

use std::sync::Arc;

use crate::columns::{Columns, EventKind};
use crate::fingerprint::{Digest, Fingerprint};
use crate::selection::Bitmap;
use crate::snapshot::SelectedChunk;
use crate::time::PulseTime;
use crate::transform::{ConversionStep, Direction, Transform};

pub use error::PlanError;
pub use row_map::RowMap;
pub use source::{SlotMap, SlotTable, SourceChunk, TermSource, UNMAPPED, ViewId};
pub use term::Term;
pub use weights::{Factor, Weights};

/// Lazy event workspace: a sum of terms over a number of rows; clones share the terms.
#[derive(Debug, Clone)]
pub struct EventPlan {
    rows: usize,
    terms: Arc<[Term]>,
}

impl EventPlan {
    /// Plan of `rows` rows without events.
    #[must_use]
    pub fn empty(rows: usize) -> Self {
        Self {
            rows,
            terms: Arc::from([]),
        }
    }

    /// Plan of a view of the stream, with one row per slot.
    #[must_use]
    pub fn stream(parts: Arc<[SourceChunk]>, slots: SlotMap, view_id: ViewId) -> Self {
        Self::from_source(TermSource::Stream { parts, slots, view_id })
    }

    /// Plan of a run's or period's chunks from a snapshot; pulses before `settled_before` may enter memos.
    #[must_use]
    pub fn snapshot(parts: &[SelectedChunk], settled_before: PulseTime, slots: SlotMap, view_id: ViewId) -> Self {
        let parts = parts
            .iter()
            .map(|part| {
                let times = part.chunk.pulse_times();
                let settled = |pulse: usize| times.get(pulse).is_some_and(|time| *time < settled_before);
                // Most chunks are settled as a whole: no test of every pulse of the run.
                let all = part.chunk.newest_pulse() < settled_before;
                SourceChunk {
                    chunk: part.chunk.clone(),
                    selected: Arc::clone(&part.selected),
                    settled: (!all).then(|| Arc::new(Bitmap::from_fn(times.len(), settled))),
                }
            })
            .collect();
        Self::stream(parts, slots, view_id)
    }

    /// Plan of materialised events, with one row per row of the columns.
    #[must_use]
    pub fn columns(columns: Columns) -> Self {
        Self::from_source(TermSource::Columns(Arc::new(columns)))
    }

    fn from_source(source: TermSource) -> Self {
        let term = Term {
            transform: Transform::identity(),
            rows: RowMap::identity(),
            weights: Weights::Plain,
            source,
        };
        Self {
            rows: term.source.slots(),
            terms: Arc::from([term]),
        }
    }

    /// Number of rows (workspace indices).
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Summands of the plan.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Columns that the events of all terms have.
    #[must_use]
    pub fn kind(&self) -> EventKind {
        self.terms
            .iter()
            .map(Term::kind)
            .fold(EventKind::Plain, |all, one| match (all, one) {
                (EventKind::WeightedNoTime, _) | (_, EventKind::WeightedNoTime) => EventKind::WeightedNoTime,
                (EventKind::Weighted, _) | (_, EventKind::Weighted) => EventKind::Weighted,
                _ => EventKind::Plain,
            })
    }

    /// Events of both plans (Mantid: Plus).
    ///
    /// # Errors
    /// [`PlanError::RowsDiffer`].
    pub fn plus(&self, other: &Self) -> Result<Self, PlanError> {
        if self.rows != other.rows {
            return Err(PlanError::RowsDiffer {
                left: self.rows,
                right: other.rows,
            });
        }
        Ok(Self {
            rows: self.rows,
            terms: self.terms.iter().chain(other.terms.iter()).cloned().collect(),
        })
    }

    /// Events of both plans, those of the other with negated weights (Mantid: Minus).
    ///
    /// # Errors
    /// [`PlanError::RowsDiffer`].
    pub fn minus(&self, other: &Self) -> Result<Self, PlanError> {
        self.plus(&other.scale(Factor {
            value: -1.0,
            error_squared: 0.0,
        }))
    }

    /// All weights times a factor (Mantid: Scale, NormaliseByCurrent).
    #[must_use]
    pub fn scale(&self, factor: Factor) -> Self {
        self.map_terms(|term| Term {
            weights: match &term.weights {
                Weights::PerSlot(factors) => Weights::PerSlot(factors.iter().map(|one| one.then(factor)).collect()),
                plain_or_uniform => Weights::Uniform(plain_or_uniform.at(0).then(factor)),
            },
            ..term.clone()
        })
    }

    /// Weights of each row times the factor of the row.
    ///
    /// # Errors
    /// [`PlanError::TableLength`] unless `factors` has one element per row.
    pub fn scale_rows(&self, factors: &[Factor]) -> Result<Self, PlanError> {
        self.check_table("factors", factors.len())?;
        Ok(self.map_terms(|term| {
            let by_slot = term.by_slot(factors, Factor::ZERO);
            let weights = by_slot
                .iter()
                .enumerate()
                .map(|(slot, factor)| term.weights.at(slot).then(*factor))
                .collect();
            Term {
                weights: Weights::PerSlot(weights),
                ..term.clone()
            }
        }))
    }

    /// Converts all values, with constants by row (Mantid: ConvertUnits).
    ///
    /// # Errors
    /// [`PlanError::TableLength`] if `step` has constants for fewer rows than the plan.
    pub fn convert(&self, step: &ConversionStep) -> Result<Self, PlanError> {
        if let Some(found) = step.slots()
            && found < self.rows
        {
            return Err(PlanError::TableLength {
                what: "constants",
                found,
                rows: self.rows,
            });
        }
        Ok(self.map_terms(|term| {
            let step = match (&term.rows.map, step.slots()) {
                (None, _) | (_, None) => step.clone(),
                (Some(map), Some(_)) => step.gather(map),
            };
            Term {
                transform: term.transform.then(step),
                ..term.clone()
            }
        }))
    }

    /// Events with a value in `[low, high]`, both ends included (Mantid: CropWorkspace).
    #[must_use]
    pub fn keep(&self, low: f64, high: f64) -> Self {
        self.map_terms(|term| Term {
            transform: term.transform.keep(low, high),
            ..term.clone()
        })
    }

    /// Plan whose row `i` sums the rows `groups[i]` of this one (Mantid: GroupDetectors, SumSpectra). A row may be in
    /// several groups or in none.
    ///
    /// # Errors
    /// [`PlanError::NoSuchRow`].
    pub fn regroup(&self, groups: &[Vec<usize>]) -> Result<Self, PlanError> {
        // A row of several groups needs as many maps as it has groups.
        let mut maps: Vec<Vec<u32>> = Vec::new();
        for (group, members) in groups.iter().enumerate() {
            for row in members.iter().copied() {
                if row >= self.rows {
                    return Err(PlanError::NoSuchRow { row, rows: self.rows });
                }
                match maps.iter_mut().find(|map| map[row] == UNMAPPED) {
                    Some(map) => map[row] = group as u32,
                    None => {
                        let mut map = vec![UNMAPPED; self.rows];
                        map[row] = group as u32;
                        maps.push(map);
                    }
                }
            }
        }
        let terms = maps
            .iter()
            .flat_map(|map| self.terms.iter().filter_map(|term| term.remap(map)))
            .collect();
        Ok(Self {
            rows: groups.len(),
            terms,
        })
    }

    /// Rows of this plan in the given order (Mantid: ExtractSpectra).
    ///
    /// # Errors
    /// [`PlanError::NoSuchRow`].
    pub fn subset(&self, rows: &[usize]) -> Result<Self, PlanError> {
        self.regroup(&rows.iter().map(|row| vec![*row]).collect::<Vec<_>>())
    }

    /// One row with the events of all rows.
    #[must_use]
    pub fn sum(&self) -> Self {
        let map = vec![0; self.rows];
        Self {
            rows: 1,
            terms: self.terms.iter().filter_map(|term| term.remap(&map)).collect(),
        }
    }

    /// Plan without the events of the rows with a true flag (Mantid: MaskDetectors); the rows stay.
    ///
    /// # Errors
    /// [`PlanError::TableLength`] unless `cleared` has one element per row.
    pub fn clear(&self, cleared: &[bool]) -> Result<Self, PlanError> {
        self.check_table("flags", cleared.len())?;
        let map: Vec<u32> = cleared
            .iter()
            .enumerate()
            .map(|(row, cleared)| if *cleared { UNMAPPED } else { row as u32 })
            .collect();
        Ok(Self {
            rows: self.rows,
            terms: self.terms.iter().filter_map(|term| term.remap(&map)).collect(),
        })
    }

    /// Rows of this plan, then those of the other (Mantid: AppendSpectra, ConjoinWorkspaces).
    #[must_use]
    pub fn concat(&self, other: &Self) -> Self {
        let shifted: Vec<u32> = (0..other.rows).map(|row| (self.rows + row) as u32).collect();
        let moved = other.terms.iter().filter_map(|term| term.remap(&shifted));
        Self {
            rows: self.rows + other.rows,
            terms: self.terms.iter().cloned().chain(moved).collect(),
        }
    }

    /// Events of pulses whose time `keep` accepts. `tag` is a digest of the criterion: selections of one view with one
    /// tag share memos.
    #[must_use]
    pub fn select(&self, tag: Fingerprint, keep: &dyn Fn(PulseTime) -> bool) -> Self {
        self.map_terms(|term| {
            let source = match &term.source {
                TermSource::Columns(columns) => {
                    TermSource::Columns(Arc::new(columns.select(|time| keep(PulseTime::from_nanos(time)))))
                }
                TermSource::Stream { parts, slots, view_id } => {
                    let mut digest = Digest::new("selection");
                    digest.add(view_id);
                    digest.add(tag);
                    let parts = parts
                        .iter()
                        .filter_map(|part| {
                            let times = part.chunk.pulse_times();
                            let accepted = Bitmap::from_fn(part.selected.len(), |pulse| {
                                part.selected.get(pulse) && times.get(pulse).is_some_and(|time| keep(*time))
                            });
                            accepted.any().then(|| SourceChunk {
                                selected: Arc::new(accepted),
                                ..part.clone()
                            })
                        })
                        .collect();
                    TermSource::Stream {
                        parts,
                        slots: slots.clone(),
                        view_id: digest.finish().into(),
                    }
                }
            };
            Term { source, ..term.clone() }
        })
    }

    /// Events of pulses within any of the intervals `[from, to)` (Mantid: FilterByTime, FilterByLogValue). Intervals
    /// may touch and overlap.
    #[must_use]
    pub fn select_times(&self, intervals: &[(PulseTime, PulseTime)]) -> Self {
        let mut sorted: Vec<(PulseTime, PulseTime)> =
            intervals.iter().copied().filter(|(from, to)| from < to).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(PulseTime, PulseTime)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        let mut digest = Digest::new("intervals");
        digest.add(&merged);
        self.select(digest.finish(), &|time| {
            let after = merged.partition_point(|(from, _)| *from <= time);
            after
                .checked_sub(1)
                .and_then(|index| merged.get(index))
                .is_some_and(|(_, to)| time < *to)
        })
    }

    /// Direction of the values with growing time of flight; `None` if terms or slots differ.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        let mut directions = self.terms.iter().map(|term| term.transform.direction());
        let first = directions.next().unwrap_or(Some(Direction::Increasing))?;
        directions.all(|direction| direction == Some(first)).then_some(first)
    }

    fn map_terms(&self, change: impl Fn(&Term) -> Term) -> Self {
        Self {
            rows: self.rows,
            terms: self.terms.iter().map(change).collect(),
        }
    }

    /// Fails unless a table has one entry per row.
    fn check_table(&self, what: &'static str, found: usize) -> Result<(), PlanError> {
        if found == self.rows {
            Ok(())
        } else {
            Err(PlanError::TableLength {
                what,
                found,
                rows: self.rows,
            })
        }
    }
}
