//! An event workspace as a lazy plan: what to read, how to convert it, which row each spectrum goes to, what each
//! event weighs. Nothing is computed until a histogram, a count or the events themselves are asked for.
//!
//! Promises: a plan is a value. Operations return new plans that share everything large; none of them touches an
//! event of the stream. The one exception is a selection by pulse time on columns, which copies what it keeps. What
//! a plan gives is what the same operations on lists of events would give, event by event.

mod gathered;
mod read;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use thiserror::Error;

use crate::columns::{Columns, EventKind};
use crate::fingerprint::{Digest, Fingerprint};
use crate::selection::Bitmap;
use crate::snapshot::Part;
use crate::time::PulseTime;
use crate::transform::{Direction, Step, Transform};

pub use source::{ChunkPart, NONE, SlotMap, SlotTable, Source};

/// Why a plan could not be built or read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Two plans of different numbers of rows were to be added.
    #[error("cannot add event plans of {left} and {right} rows: both must have the same number")]
    RowsDiffer {
        /// Rows of the left one.
        left: usize,
        /// Rows of the right one.
        right: usize,
    },
    /// A table that must have an entry for each row.
    #[error("{what} given for {found} rows of an event plan that has {rows}")]
    TableLength {
        /// What was given.
        what: &'static str,
        /// How many entries it has.
        found: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A row that does not exist was named.
    #[error("row {row} was named, but the event plan has {rows} rows")]
    NoSuchRow {
        /// The row.
        row: usize,
        /// How many rows there are.
        rows: usize,
    },
    /// A histogram too large to be addressed.
    #[error("a histogram of {rows} rows with {cells} bins in all is more than this program can address: bin coarser")]
    TooLarge {
        /// How many rows.
        rows: usize,
        /// How many bins in all.
        cells: u64,
    },
    /// The computation was cancelled.
    #[error(transparent)]
    Cancelled(#[from] crate::cancel::Cancelled),
}

/// Which row each slot goes to.
#[derive(Debug, Clone)]
pub struct RowMap {
    map: Option<Arc<[u32]>>,
    fingerprint: Fingerprint,
}

impl RowMap {
    /// Slot `i` is row `i`.
    #[must_use]
    pub fn identity() -> Self {
        Self {
            map: None,
            fingerprint: Digest::new("rows").finish(),
        }
    }

    /// Slot `i` goes to row `map[i]`, or nowhere if that is [`NONE`].
    #[must_use]
    pub fn new(map: Vec<u32>) -> Self {
        let mut digest = Digest::new("rows");
        digest.add(&map);
        Self {
            map: Some(map.into()),
            fingerprint: digest.finish(),
        }
    }

    /// The row of a slot.
    #[must_use]
    #[inline]
    pub fn row(&self, slot: usize) -> Option<usize> {
        match &self.map {
            None => Some(slot),
            Some(map) => map.get(slot).filter(|row| **row != NONE).map(|row| *row as usize),
        }
    }
}

/// A factor for the events of a slot: weight `w` becomes `w·value`, and squared error `e` becomes
/// `e·value² + w²·error_squared`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factor {
    /// What the weight is multiplied by.
    pub value: f64,
    /// The squared error of `value` itself.
    pub error_squared: f64,
}

impl Factor {
    /// Leaves an event as it is.
    pub const ONE: Self = Self {
        value: 1.0,
        error_squared: 0.0,
    };
    /// Leaves nothing of an event.
    pub const ZERO: Self = Self {
        value: 0.0,
        error_squared: 0.0,
    };

    /// This factor, then another.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            value: self.value * next.value,
            error_squared: self.error_squared * next.value * next.value + self.value * self.value * next.error_squared,
        }
    }

    /// Weight and squared error after the factor.
    #[must_use]
    #[inline]
    pub fn apply(self, weight: f64, error_squared: f64) -> (f64, f64) {
        (
            weight * self.value,
            error_squared * self.value * self.value + weight * weight * self.error_squared,
        )
    }
}

/// The factors of a term.
#[derive(Debug, Clone)]
pub enum Weights {
    /// Events count as they are: one each, or with the weight that their columns give them.
    Plain,
    /// The same factor for all.
    Uniform(Factor),
    /// One for each slot.
    PerSlot(Arc<[Factor]>),
}

impl Weights {
    /// The factor of a slot.
    #[must_use]
    #[inline]
    pub fn at(&self, slot: usize) -> Factor {
        match self {
            Self::Plain => Factor::ONE,
            Self::Uniform(factor) => *factor,
            Self::PerSlot(factors) => factors.get(slot).copied().unwrap_or(Factor::ZERO),
        }
    }

    /// Whether events count as they are.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

/// Some events, read one way.
#[derive(Debug, Clone)]
pub struct Term {
    pub(crate) source: Source,
    pub(crate) transform: Transform,
    pub(crate) rows: RowMap,
    pub(crate) weights: Weights,
}

impl Term {
    /// Where the events come from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What becomes of a time of flight.
    #[must_use]
    pub fn transform(&self) -> &Transform {
        &self.transform
    }

    /// Which row a slot goes to.
    #[must_use]
    pub fn rows(&self) -> &RowMap {
        &self.rows
    }

    /// By what their weights are multiplied.
    #[must_use]
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// A number for each row as one for each slot.
    fn by_slot<T: Copy>(&self, by_row: &[T], missing: T) -> Vec<T> {
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

    fn remap(&self, target: &[u32]) -> Option<Self> {
        let mut any = false;
        let map: Vec<u32> = (0..self.source.slots())
            .map(|slot| {
                let row = self
                    .rows
                    .row(slot)
                    .and_then(|row| target.get(row))
                    .copied()
                    .unwrap_or(NONE);
                any |= row != NONE;
                row
            })
            .collect();
        any.then(|| {
            let same = map.iter().enumerate().all(|(slot, row)| *row as usize == slot);
            let rows = if same { RowMap::identity() } else { RowMap::new(map) };
            Self { rows, ..self.clone() }
        })
    }

    pub(crate) fn kind(&self) -> EventKind {
        let own = match &self.source {
            Source::Stream { .. } => EventKind::Plain,
            Source::Columns(columns) => columns.kind(),
        };
        if own == EventKind::Plain && !self.weights.is_plain() {
            EventKind::Weighted
        } else {
            own
        }
    }
}

/// A lazy event workspace.
#[derive(Debug, Clone)]
pub struct EventPlan {
    rows: usize,
    terms: Arc<[Term]>,
}

impl EventPlan {
    /// No events in `rows` rows.
    #[must_use]
    pub fn empty(rows: usize) -> Self {
        Self {
            rows,
            terms: Arc::from([]),
        }
    }

    /// A view of the stream: row = slot. `lane` names the view (see [`Source::Stream`]).
    #[must_use]
    pub fn stream(parts: Arc<[ChunkPart]>, slots: SlotMap, lane: Fingerprint) -> Self {
        Self::of(Source::Stream { parts, slots, lane })
    }

    /// A run's chunks (or a period's) as a snapshot gives them. Pulses before `settled_before` enter memos.
    #[must_use]
    pub fn snapshot(parts: &[Part], settled_before: PulseTime, slots: SlotMap, lane: Fingerprint) -> Self {
        let parts = parts
            .iter()
            .map(|part| {
                let times = part.chunk.pulse_times();
                let settled = |pulse: usize| times.get(pulse).is_some_and(|time| *time < settled_before);
                // A look at every pulse of every chunk would cost what the run is long.
                let all = part.chunk.newest_pulse() < settled_before;
                ChunkPart {
                    chunk: part.chunk.clone(),
                    selected: Arc::clone(&part.selected),
                    settled: (!all).then(|| Arc::new(Bitmap::from_fn(times.len(), settled))),
                }
            })
            .collect();
        Self::stream(parts, slots, lane)
    }

    /// Materialised events: one row for each row of the columns.
    #[must_use]
    pub fn columns(columns: Columns) -> Self {
        Self::of(Source::Columns(Arc::new(columns)))
    }

    fn of(source: Source) -> Self {
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

    /// How many rows (workspace indices) there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// What is added up.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// What the events know beside their value: the least that all terms know.
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

    /// The events of both (Plus).
    ///
    /// # Errors
    /// When the numbers of rows differ.
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

    /// The events of both, those of the other with their weights negated (Minus).
    ///
    /// # Errors
    /// When the numbers of rows differ.
    pub fn minus(&self, other: &Self) -> Result<Self, PlanError> {
        self.plus(&other.scale(Factor {
            value: -1.0,
            error_squared: 0.0,
        }))
    }

    /// Every weight times a factor (Scale, division by a proton charge).
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

    /// The weights of each row times that row's factor.
    ///
    /// # Errors
    /// When there is not one factor a row.
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

    /// Converts every value, with constants given by row.
    ///
    /// # Errors
    /// When the constants are for fewer rows than there are.
    pub fn convert(&self, step: &Step) -> Result<Self, PlanError> {
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
                (Some(map), Some(_)) => step.spread(map),
            };
            Term {
                transform: term.transform.then(step),
                ..term.clone()
            }
        }))
    }

    /// Only events whose value lies in `[low, high]`, both ends inside (CropWorkspace).
    #[must_use]
    pub fn keep(&self, low: f64, high: f64) -> Self {
        self.map_terms(|term| Term {
            transform: term.transform.keep(low, high),
            ..term.clone()
        })
    }

    /// Row `i` of the result holds the rows `groups[i]` of this plan (GroupDetectors, SumSpectra, ExtractSpectra,
    /// in any order; a row may be in several groups or in none).
    ///
    /// # Errors
    /// When a row does not exist.
    pub fn regroup(&self, groups: &[Vec<usize>]) -> Result<Self, PlanError> {
        // A row in several groups needs as many maps as it has groups.
        let mut maps: Vec<Vec<u32>> = Vec::new();
        for (group, members) in groups.iter().enumerate() {
            for row in members.iter().copied() {
                if row >= self.rows {
                    return Err(PlanError::NoSuchRow { row, rows: self.rows });
                }
                match maps.iter_mut().find(|map| map[row] == NONE) {
                    Some(map) => map[row] = group as u32,
                    None => {
                        let mut map = vec![NONE; self.rows];
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

    /// Rows `rows` of this plan, in that order.
    ///
    /// # Errors
    /// When a row does not exist.
    pub fn subset(&self, rows: &[usize]) -> Result<Self, PlanError> {
        self.regroup(&rows.iter().map(|row| vec![*row]).collect::<Vec<_>>())
    }

    /// One row that holds all (SumSpectra over everything).
    #[must_use]
    pub fn sum(&self) -> Self {
        let map = vec![0; self.rows];
        Self {
            rows: 1,
            terms: self.terms.iter().filter_map(|term| term.remap(&map)).collect(),
        }
    }

    /// The same without the events of the rows for which `cleared` is true (masking): the rows stay.
    ///
    /// # Errors
    /// When there is not one flag a row.
    pub fn clear(&self, cleared: &[bool]) -> Result<Self, PlanError> {
        self.check_table("flags", cleared.len())?;
        let map: Vec<u32> = cleared
            .iter()
            .enumerate()
            .map(|(row, cleared)| if *cleared { NONE } else { row as u32 })
            .collect();
        Ok(Self {
            rows: self.rows,
            terms: self.terms.iter().filter_map(|term| term.remap(&map)).collect(),
        })
    }

    /// The rows of this plan, then those of the other (AppendSpectra, ConjoinWorkspaces).
    #[must_use]
    pub fn concat(&self, other: &Self) -> Self {
        let shifted: Vec<u32> = (0..other.rows).map(|row| (self.rows + row) as u32).collect();
        let moved = other.terms.iter().filter_map(|term| term.remap(&shifted));
        Self {
            rows: self.rows + other.rows,
            terms: self.terms.iter().cloned().chain(moved).collect(),
        }
    }

    /// Only events of pulses whose time `keep` accepts. `tag` is a digest of what decides:
    /// two selections of one view with one tag are taken to differ only by what arrived since.
    #[must_use]
    pub fn select(&self, tag: Fingerprint, keep: &dyn Fn(PulseTime) -> bool) -> Self {
        self.map_terms(|term| {
            let source = match &term.source {
                Source::Columns(columns) => {
                    Source::Columns(Arc::new(columns.select(|time| keep(PulseTime::from_nanos(time)))))
                }
                Source::Stream { parts, slots, lane } => {
                    let mut digest = Digest::new("selection");
                    digest.add(lane);
                    digest.add(tag);
                    let parts = parts
                        .iter()
                        .filter_map(|part| {
                            let times = part.chunk.pulse_times();
                            let accepted = Bitmap::from_fn(part.selected.len(), |pulse| {
                                part.selected.get(pulse) && times.get(pulse).is_some_and(|time| keep(*time))
                            });
                            accepted.any().then(|| ChunkPart {
                                selected: Arc::new(accepted),
                                ..part.clone()
                            })
                        })
                        .collect();
                    Source::Stream {
                        parts,
                        slots: slots.clone(),
                        lane: digest.finish(),
                    }
                }
            };
            Term { source, ..term.clone() }
        })
    }

    /// Only events of pulses within one of the intervals `[from, to)` (FilterByTime,
    /// FilterByLogValue). Intervals may touch and overlap.
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

    /// Whether values rise or fall with the time of flight, where that is the same for all events.
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
