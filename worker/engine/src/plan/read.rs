//! Reading of plans: histograms, event counts, ranges of values, and the events themselves.

use std::sync::Arc;

use parking_lot::Mutex;

use super::{EventPlan, PlanError, SlotMap, Term, TermSource, ViewId, Weights};
use crate::cancel::{Cancel, Cancelled};
use crate::chunk::{Chunk, ChunkView};
use crate::columns::{Columns, EventKind, Events};
use crate::counts::{CountLayer, Counts, RowWeights};
use crate::edges::Binning;
use crate::fingerprint::{Digest, Fingerprint};
use crate::kernel::grid::{Grid, Layout};
use crate::kernel::scatter::Binner;
use crate::kernel::table::IdTable;
use crate::kernel::{Pass, TailPass, gather, weigh};
use crate::memo::Memos;
use crate::plan::SourceChunk;
use crate::pool;
use crate::selection::Bitmap;
use crate::time::PulseTime;

/// Cells per event above which a memo costs more than it saves.
const MAX_CELLS_PER_EVENT: usize = 16;
/// Largest number of unsettled events that are listed; more are counted into a grid.
const MAX_LISTED_EVENTS: usize = 4_000_000;

/// Chunks of a view by the way in which they are counted.
#[derive(Default)]
struct SortedChunks {
    settled: Vec<(Arc<Chunk>, Arc<Bitmap>)>,
    unsettled: Vec<Pass>,
    tails: Vec<TailPass>,
}

impl SortedChunks {
    fn new(parts: &[SourceChunk]) -> Self {
        let mut sorted = Self::default();
        for part in parts.iter().filter(|part| part.selected.any()) {
            match &part.chunk {
                ChunkView::Tail(tail) => {
                    sorted.tails.push(TailPass {
                        tail: Arc::clone(tail),
                        pulses: Arc::clone(&part.selected),
                    });
                }
                ChunkView::Sealed(chunk) => {
                    let Some(settled) = &part.settled else {
                        sorted.settled.push((Arc::clone(chunk), Arc::clone(&part.selected)));
                        continue;
                    };
                    let (now, later) = (part.selected.and(settled), part.selected.and_not(settled));
                    if now.any() {
                        sorted.settled.push((Arc::clone(chunk), Arc::new(now)));
                    }
                    if later.any() {
                        let pulses = Arc::new(later);
                        sorted.unsettled.push(Pass {
                            chunk: Arc::clone(chunk),
                            pulses,
                            subtract: false,
                        });
                    }
                }
            }
        }
        sorted
    }

    /// Passes over all sealed chunks, settled or not.
    fn passes(&self) -> Vec<Pass> {
        let settled = self.settled.iter().map(|(chunk, pulses)| Pass {
            chunk: Arc::clone(chunk),
            pulses: Arc::clone(pulses),
            subtract: false,
        });
        settled.chain(self.unsettled.iter().cloned()).collect()
    }
}

/// Estimated number of selected events of a pass, as if all pulses had equally many.
fn expected(pass: &Pass) -> usize {
    let events = pass.chunk.events().len() as u64;
    (events * pass.pulses.count() as u64 / (pass.pulses.len().max(1) as u64)) as usize
}

impl Term {
    /// Digest of everything that the counts depend on, except bins, weights and arrived events.
    pub(super) fn key(&self, slots: &SlotMap, view_id: ViewId) -> Digest {
        let mut digest = Digest::new("term");
        digest.add(view_id);
        digest.add(slots.fingerprint());
        digest.add(self.rows.fingerprint);
        self.transform.digest(&mut digest);
        digest
    }

    /// Weight and squared error of one count by row; `None` if the spectra of a row have different weights.
    fn row_weights(&self, rows: usize) -> Option<RowWeights> {
        let factors = match &self.weights {
            Weights::PerSlot(factors) => factors,
            other => {
                let (value, error) = other.at(0).apply(1.0, 1.0);
                return Some(RowWeights::Uniform(value, error));
            }
        };
        let mut by_row: Vec<Option<(f64, f64)>> = vec![None; rows];
        for (slot, factor) in factors.iter().enumerate() {
            let Some(known) = self.rows.row(slot).and_then(|row| by_row.get_mut(row)) else {
                continue;
            };
            let weight = factor.apply(1.0, 1.0);
            match known {
                None => *known = Some(weight),
                Some(known) => {
                    if known.0.to_bits() != weight.0.to_bits() || known.1.to_bits() != weight.1.to_bits() {
                        return None;
                    }
                }
            }
        }
        Some(RowWeights::PerRow(
            by_row.into_iter().map(|weight| weight.unwrap_or((0.0, 0.0))).collect(),
        ))
    }

    fn layers(
        &self,
        rows: usize,
        (binning, layout): (&Binning, &Layout),
        cancel: &Cancel,
        memos: &Memos,
    ) -> Result<Vec<CountLayer>, PlanError> {
        let (parts, slots, view_id) = match &self.source {
            TermSource::Columns(columns) => {
                let sums = weigh::weigh_columns(columns, self, (binning, layout), cancel)?;
                return Ok(vec![CountLayer::Sums(Arc::new(sums))]);
            }
            TermSource::Stream { parts, slots, view_id } => (parts, slots, *view_id),
        };
        let table = IdTable::of(self, slots);
        let mut sorted = SortedChunks::new(parts);
        let Some(weights) = self.row_weights(rows) else {
            let how = (&table, &self.transform, &self.weights);
            let sums = weigh::weigh_stream(how, (binning, layout), (&sorted.passes(), &sorted.tails), cancel)?;
            return Ok(vec![CountLayer::Sums(Arc::new(sums))]);
        };
        let binner = Binner::new(&table, &self.transform, binning, layout);
        let mut layers = Vec::new();
        let settled: usize = sorted.settled.iter().map(|(chunk, _)| chunk.events().len()).sum();
        if layout.cells() <= settled.saturating_mul(MAX_CELLS_PER_EVENT) {
            let mut key = self.key(slots, view_id);
            digest_binning(&mut key, binning);
            key.add(rows);
            let run = |grid: &mut Grid, passes: &[Pass]| binner.run(grid, passes, memos.buffer_pool(), cancel);
            let grid = memos.counts(key.finish(), layout.cells(), &sorted.settled, &run)?;
            layers.push(CountLayer::Grid(grid, weights.clone()));
            sorted.settled.clear();
        }
        let passes = sorted.passes();
        let listed: usize = passes.iter().map(expected).sum();
        if listed > MAX_LISTED_EVENTS {
            let events = passes.iter().map(|pass| pass.chunk.events().len() as u64).sum();
            let mut grid = Grid::zeros(layout.cells(), events, memos.buffer_pool());
            binner.run(&mut grid, &passes, memos.buffer_pool(), cancel)?;
            layers.push(CountLayer::Grid(Arc::new(grid), weights.clone()));
        }
        let listed_passes = if listed > MAX_LISTED_EVENTS { &[][..] } else { &passes };
        if !listed_passes.is_empty() || !sorted.tails.is_empty() {
            let list = binner.list(listed_passes, &sorted.tails, cancel)?;
            layers.push(CountLayer::List(list.into(), weights));
        }
        Ok(layers)
    }

    /// Smallest and largest value of the term's events; `None` without events.
    fn limits(&self, cancel: &Cancel, memos: &Memos) -> Result<Option<(f64, f64)>, Cancelled> {
        let found: Mutex<Option<(f64, f64)>> = Mutex::new(None);
        let widen = |limits: Option<(f64, f64)>| {
            if let Some((low, high)) = limits {
                let mut found = found.lock();
                *found = Some(found.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
            }
        };
        match &self.source {
            TermSource::Columns(columns) => pool::run_tasks(columns.rows(), cancel, |slot| {
                if self.rows.row(slot).is_some() {
                    let values = columns.x().get(columns.range(slot)).unwrap_or_default();
                    let kept = values
                        .iter()
                        .filter_map(|x| self.transform.apply(slot, *x))
                        .filter(|x| !x.is_nan());
                    widen(kept.fold(None, |limits: Option<(f64, f64)>, x| {
                        Some(limits.map_or((x, x), |(low, high)| (low.min(x), high.max(x))))
                    }));
                }
            })?,
            TermSource::Stream { parts, slots, view_id } => {
                let table = IdTable::of(self, slots);
                let mut digest = self.key(slots, *view_id);
                // Known limits of a sealed chunk stay valid when ids are added: the slots of its dense ids never
                // change.
                digest.add("limits");
                let key = digest.finish();
                pool::run_tasks(parts.len(), cancel, |index| {
                    let part = &parts[index];
                    let compute = || gather::limits(&part.chunk, &part.selected, &table, &self.transform);
                    widen(match &part.chunk {
                        ChunkView::Sealed(chunk) => memos.limits(key, chunk.id(), &part.selected, compute),
                        ChunkView::Tail(_) => compute(),
                    });
                })?;
            }
        }
        Ok(found.into_inner())
    }

    /// Calls `visit(row, value, pulse time, weight, squared error)` for every event, in arrival order for each id, or
    /// in the order of the columns.
    fn each_event(
        &self,
        cancel: &Cancel,
        visit: &mut impl FnMut(usize, f64, Option<PulseTime>, f64, f64),
    ) -> Result<(), Cancelled> {
        match &self.source {
            TermSource::Columns(columns) => {
                for slot in 0..columns.rows() {
                    cancel.check()?;
                    let Some(row) = self.rows.row(slot) else { continue };
                    let factor = self.weights.at(slot);
                    for index in columns.range(slot) {
                        if let Some(x) = columns.x().get(index).and_then(|x| self.transform.apply(slot, *x)) {
                            let time = columns.pulse_times().and_then(|times| times.get(index));
                            let (weight, error) = columns.weight(index);
                            let (weight, error) = factor.apply(weight, error);
                            visit(row, x, time.map(|time| PulseTime::from_nanos(*time)), weight, error);
                        }
                    }
                }
                Ok(())
            }
            TermSource::Stream { parts, slots, .. } => {
                let table = IdTable::of(self, slots);
                for part in parts.iter().filter(|part| part.selected.any()) {
                    let mut one = |dense: usize, x: f64, time: PulseTime| {
                        let (weight, error) = self.weights.at(table.slots[dense] as usize).apply(1.0, 1.0);
                        visit(table.rows[dense] as usize, x, Some(time), weight, error);
                    };
                    gather::visit(&part.chunk, &part.selected, &table, &self.transform, cancel, &mut one)?;
                }
                Ok(())
            }
        }
    }
}

fn digest_binning(digest: &mut Digest, binning: &Binning) {
    match binning {
        Binning::Common(edges) => {
            digest.add(0_u8);
            digest.add_f64s(edges.values());
        }
        Binning::PerRow(rows) => {
            digest.add(1_u8);
            digest.add(rows.len());
            // Rows often share their edges; each list is digested once.
            let mut known: std::collections::HashMap<*const f64, Fingerprint> = std::collections::HashMap::new();
            for edges in rows.iter() {
                let fingerprint = known.entry(edges.values().as_ptr()).or_insert_with(|| {
                    let mut own = Digest::new("edges");
                    own.add_f64s(edges.values());
                    own.finish()
                });
                digest.add(*fingerprint);
            }
        }
        Binning::Whole => digest.add(2_u8),
    }
}

impl EventPlan {
    /// Histogram of the events. `memos` keeps the counts of settled pulses, so that a later call with the same
    /// conversion, rows and bins counts the new events only.
    ///
    /// # Errors
    /// [`PlanError::Cancelled`]; [`PlanError::TableLength`] if `binning` has edges for another number of rows;
    /// [`PlanError::TooLarge`] for 2³² − 1 bins or more.
    pub fn histogram(&self, binning: &Binning, cancel: &Cancel, memos: &Memos) -> Result<Counts, PlanError> {
        let layout = Layout::new(self.rows, binning)?;
        let mut layers = Vec::new();
        for term in self.terms.iter() {
            layers.extend(term.layers(self.rows, (binning, &layout), cancel, memos)?);
        }
        Ok(Counts::new(layout, binning.clone(), layers))
    }

    /// Number of events of each row, whatever their weights.
    ///
    /// # Errors
    /// [`PlanError::Cancelled`].
    pub fn count_events(&self, cancel: &Cancel, memos: &Memos) -> Result<Vec<u64>, PlanError> {
        let mut events = vec![0_u64; self.rows];
        for term in self.terms.iter() {
            match &term.source {
                TermSource::Columns(columns) => {
                    for slot in 0..columns.rows() {
                        let Some(row) = term.rows.row(slot) else { continue };
                        let range = columns.range(slot);
                        let kept = if term.transform.has_range() {
                            let values = columns.x().get(range).unwrap_or_default();
                            values
                                .iter()
                                .filter(|x| term.transform.apply(slot, **x).is_some())
                                .count()
                        } else {
                            range.len()
                        };
                        if let Some(events) = events.get_mut(row) {
                            *events += kept as u64;
                        }
                    }
                }
                TermSource::Stream { .. } => {
                    let plain = Term {
                        weights: Weights::Plain,
                        ..term.clone()
                    };
                    let one = Self {
                        rows: self.rows,
                        terms: Arc::from([plain]),
                    };
                    let counts = one.histogram(&Binning::Whole, cancel, memos)?;
                    for (events, more) in events.iter_mut().zip(counts.events().unwrap_or_default()) {
                        *events += more;
                    }
                }
            }
        }
        Ok(events)
    }

    /// Smallest and largest value of all events in the plan's unit; `None` without events. NaN are ignored; the values
    /// of the physically inaccessible region count.
    ///
    /// # Errors
    /// [`PlanError::Cancelled`].
    pub fn x_range(&self, cancel: &Cancel, memos: &Memos) -> Result<Option<(f64, f64)>, PlanError> {
        let mut range: Option<(f64, f64)> = None;
        for term in self.terms.iter() {
            if let Some((low, high)) = term.limits(cancel, memos)? {
                range = Some(range.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
            }
        }
        Ok(range)
    }

    /// Events of one row, term by term, in arrival order for each id.
    ///
    /// # Errors
    /// [`PlanError::Cancelled`]; [`PlanError::NoSuchRow`].
    pub fn spectrum_events(&self, row: usize, cancel: &Cancel) -> Result<Events, PlanError> {
        let columns = self.subset(&[row])?.to_columns(cancel)?;
        Ok(columns.row(0))
    }

    /// All events as columns; reads them twice. Weights and squared errors are rounded to `f32`.
    ///
    /// # Errors
    /// [`PlanError::Cancelled`].
    pub fn to_columns(&self, cancel: &Cancel) -> Result<Columns, PlanError> {
        let kind = self.kind();
        let mut ends = vec![0_usize; self.rows];
        for term in self.terms.iter() {
            term.each_event(cancel, &mut |row, _, _, _, _| {
                if let Some(count) = ends.get_mut(row) {
                    *count += 1;
                }
            })?;
        }
        let mut offsets = Vec::with_capacity(self.rows + 1);
        let mut total = 0;
        for end in &mut ends {
            offsets.push(total as u64);
            total += std::mem::replace(end, total);
        }
        offsets.push(total as u64);
        let (timed, weighted) = (kind != EventKind::WeightedNoTime, kind != EventKind::Plain);
        let mut x = vec![0.0; total];
        let mut times = vec![0_i64; if timed { total } else { 0 }];
        let mut weights = vec![0.0_f32; if weighted { total } else { 0 }];
        let mut errors = weights.clone();
        for term in self.terms.iter() {
            term.each_event(cancel, &mut |row, value, time, weight, error| {
                let Some(end) = ends.get_mut(row) else { return };
                let index = *end;
                *end += 1;
                if let Some(x) = x.get_mut(index) {
                    *x = value;
                }
                if let (Some(to), Some(time)) = (times.get_mut(index), time) {
                    *to = time.nanos();
                }
                if let (Some(w), Some(e)) = (weights.get_mut(index), errors.get_mut(index)) {
                    *w = weight as f32;
                    *e = error as f32;
                }
            })?;
        }
        let weights = weighted.then(|| (Arc::from(weights), Arc::from(errors)));
        Ok(Columns::from_parts(
            offsets.into(),
            x.into(),
            timed.then(|| times.into()),
            weights,
        ))
    }
}
