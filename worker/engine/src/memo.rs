//! Memos: one cumulative grid of counts per structure of a plan (view, conversion, rows, bins), so that a repeated
//! histogram counts new events only.
//!
//! Promises: a returned grid equals one counted from nothing, after any additions, removals and evictions. It does not
//! change while a caller holds it (an update then works on a copy). Coverage is kept by chunk and pulse; an update adds
//! and subtracts exactly the difference. Memory stays within a limit: the grid that is cheapest to count again per byte
//! is evicted first (the rule GreedyDual-Size, Cao and Irani 1997). It must not decide which pulses are settled:
//! callers do.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::cancel::Cancelled;
use crate::chunk::Chunk;
use crate::fingerprint::Fingerprint;
use crate::kernel::Pass;
use crate::kernel::grid::{BufferPool, Grid};
use crate::metric::counters;
use crate::selection::Bitmap;

/// Largest number of structures for which value ranges of chunks are kept.
const MAX_LIMIT_KEYS: usize = 64;

counters! {
    /// Counters of the memos since the worker's start, and gauges at the moment of the call.
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
    pub struct MemoCounters {
        grids: usize => Gauge "memo_grids", "Grids of counts that are kept for reuse",
        /// Bytes of the grids and of the pooled buffers.
        bytes: usize => Bytes "memo_memory", "Memory of the grids that are kept for reuse",
        limit: usize => Bytes "memo_memory_limit", "Memory that the kept grids may take",
        /// Reads for which every wanted pulse was counted already.
        hits: u64 => Counter "memo_hits", "Histograms read from a grid without counting",
        /// Reads that counted the difference to the wanted pulses.
        updates: u64 => Counter "memo_updates", "Histograms for which a grid was brought up to date",
        /// Reads that counted all wanted pulses.
        builds: u64 => Counter "memo_builds", "Histograms that were counted from nothing",
        /// Grids that were dropped to stay within the limit.
        evictions: u64 => Counter "memo_evictions", "Grids dropped to stay within the limit",
    }
}

/// Pulses of a chunk that a grid has counted.
#[derive(Debug)]
struct CoveredPulses {
    chunk: Weak<Chunk>,
    pulses: Arc<Bitmap>,
}

/// Grid of one structure, and the pulses that it has counted by chunk id.
#[derive(Debug, Default)]
struct MemoEntry {
    grid: Option<Arc<Grid>>,
    coverage: HashMap<u64, CoveredPulses>,
}

/// Entry with its priority for eviction. Each entry has its own lock, so that structures are counted in parallel.
#[derive(Debug)]
struct MemoSlot {
    entry: Arc<Mutex<MemoEntry>>,
    bytes: usize,
    /// Clock at the last use, plus events to count it again per byte held.
    priority: f64,
    /// True for a grid with counts of a freed chunk, which cannot be counted again.
    pinned: bool,
}

/// Slots by structure.
#[derive(Debug, Default)]
struct MemoSlots {
    by_key: HashMap<Fingerprint, MemoSlot>,
    /// Priority of the latest evicted grid. Later uses start from it, so that unused grids age.
    clock: f64,
}

/// Selected pulses and range of values by chunk id.
type ChunkLimits = HashMap<u64, (Arc<Bitmap>, Option<(f64, f64)>)>;

/// Function that adds passes to a grid.
type CountPasses<'a> = &'a dyn Fn(&mut Grid, &[Pass]) -> Result<(), Cancelled>;

/// Memos of one process, shared by all threads.
#[derive(Debug)]
pub struct Memos {
    slots: Mutex<MemoSlots>,
    /// Smallest and largest value of a chunk's selected pulses, by structure and chunk id.
    limits: Mutex<HashMap<Fingerprint, ChunkLimits>>,
    /// Ids of chunks that were freed while views still have their events.
    frozen: Mutex<HashSet<u64>>,
    buffer_pool: Arc<BufferPool>,
    limit: AtomicUsize,
    hits: AtomicU64,
    updates: AtomicU64,
    builds: AtomicU64,
    evictions: AtomicU64,
}

impl Memos {
    /// Empty memos with a limit in bytes for grids and pooled buffers.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            slots: Mutex::default(),
            limits: Mutex::default(),
            frozen: Mutex::default(),
            buffer_pool: Arc::default(),
            limit: AtomicUsize::new(limit),
            hits: AtomicU64::new(0),
            updates: AtomicU64::new(0),
            builds: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// Sets the limit in bytes and evicts grids above it.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
        self.evict(&mut self.slots.lock(), None);
    }

    /// Drops all grids that are not pinned, all value ranges and all pooled buffers.
    pub fn clear(&self) {
        self.slots.lock().by_key.retain(|_, slot| slot.pinned);
        self.limits.lock().clear();
        self.buffer_pool.clear();
    }

    /// Marks a chunk as freed while its events still belong to a view. Its counts stay in the grids, which are pinned
    /// (never evicted).
    pub fn freeze(&self, chunk: u64) {
        self.frozen.lock().insert(chunk);
        let mut slots = self.slots.lock();
        for slot in slots.by_key.values_mut() {
            if !slot.pinned && slot.entry.lock().coverage.contains_key(&chunk) {
                slot.pinned = true;
            }
        }
    }

    /// Counters since the worker's start, and gauges of this moment, for `/status` and `/metrics`.
    #[must_use]
    pub fn counters(&self) -> MemoCounters {
        let slots = self.slots.lock();
        MemoCounters {
            grids: slots.by_key.len(),
            bytes: slots.by_key.values().map(|slot| slot.bytes).sum::<usize>() + self.buffer_pool.memory(),
            limit: self.limit.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            updates: self.updates.load(Ordering::Relaxed),
            builds: self.builds.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn buffer_pool(&self) -> &Arc<BufferPool> {
        &self.buffer_pool
    }

    /// Counts of the wanted pulses of sealed chunks for the structure `key`; `run` counts those that are missing.
    pub(crate) fn counts(
        &self,
        key: Fingerprint,
        cells: usize,
        wanted_chunks: &[(Arc<Chunk>, Arc<Bitmap>)],
        run: CountPasses<'_>,
    ) -> Result<Arc<Grid>, Cancelled> {
        let entry = {
            let mut slots = self.slots.lock();
            let clock = slots.clock;
            let slot = slots.by_key.entry(key).or_insert_with(|| MemoSlot {
                entry: Arc::default(),
                bytes: 0,
                priority: clock,
                pinned: false,
            });
            Arc::clone(&slot.entry)
        };
        let grid = self.update(&mut entry.lock(), cells, wanted_chunks, run)?;
        let events: u64 = wanted_chunks.iter().map(|(chunk, _)| chunk.events().len() as u64).sum();
        let mut slots = self.slots.lock();
        let clock = slots.clock;
        if let Some(slot) = slots.by_key.get_mut(&key)
            && Arc::ptr_eq(&slot.entry, &entry)
        {
            slot.bytes = grid.memory();
            slot.priority = clock + events as f64 / (slot.bytes.max(1) as f64);
        }
        self.evict(&mut slots, Some(key));
        Ok(grid)
    }

    fn update(
        &self,
        entry: &mut MemoEntry,
        cells: usize,
        wanted_chunks: &[(Arc<Chunk>, Arc<Bitmap>)],
        run: CountPasses<'_>,
    ) -> Result<Arc<Grid>, Cancelled> {
        let passes = match (&entry.grid, self.difference(entry, wanted_chunks)) {
            (Some(grid), Some(passes)) if passes.is_empty() => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                return Ok(Arc::clone(grid));
            }
            (Some(_), Some(passes)) => {
                self.updates.fetch_add(1, Ordering::Relaxed);
                passes
            }
            (_, _) => {
                self.builds.fetch_add(1, Ordering::Relaxed);
                // Dropped before the next grid is allocated, so that its buffer is reused.
                *entry = MemoEntry::default();
                all_passes(wanted_chunks)
            }
        };
        let events: u64 = wanted_chunks
            .iter()
            .map(|(chunk, _)| chunk.events().len() as u64)
            .sum::<u64>()
            + entry.coverage.values().map(max_events).sum::<u64>();
        // The entry is empty until the passes are done: a cancelled update leaves no half-counted grid.
        let coverage = std::mem::take(&mut entry.coverage);
        let mut grid = match entry.grid.take().map(Arc::try_unwrap) {
            None => Grid::zeros(cells, events, &self.buffer_pool),
            Some(Ok(grid)) if grid.holds(events) => grid,
            Some(Ok(grid)) => grid.copy(events, &self.buffer_pool),
            Some(Err(held)) => held.copy(events, &self.buffer_pool),
        };
        run(&mut grid, &passes)?;
        let frozen = self.frozen.lock();
        entry.coverage = coverage.into_iter().filter(|(id, _)| frozen.contains(id)).collect();
        drop(frozen);
        for (chunk, pulses) in wanted_chunks {
            let covered = CoveredPulses {
                chunk: Arc::downgrade(chunk),
                pulses: Arc::clone(pulses),
            };
            entry.coverage.insert(chunk.id(), covered);
        }
        let grid = Arc::new(grid);
        entry.grid = Some(Arc::clone(&grid));
        Ok(grid)
    }

    /// Passes from an entry's coverage to the wanted pulses. `None` if counting from nothing is cheaper, or if a chunk
    /// that must be subtracted was freed.
    fn difference(&self, entry: &MemoEntry, wanted_chunks: &[(Arc<Chunk>, Arc<Bitmap>)]) -> Option<Vec<Pass>> {
        let mut passes = Vec::new();
        let mut wanted = HashSet::with_capacity(wanted_chunks.len());
        for (chunk, pulses) in wanted_chunks {
            wanted.insert(chunk.id());
            let mut pass = |pulses: Bitmap, subtract| {
                if pulses.any() {
                    passes.push(Pass {
                        chunk: Arc::clone(chunk),
                        pulses: Arc::new(pulses),
                        subtract,
                    });
                }
            };
            match entry.coverage.get(&chunk.id()) {
                Some(covered) if Arc::ptr_eq(&covered.pulses, pulses) || covered.pulses == *pulses => {}
                Some(covered) => {
                    pass(pulses.and_not(&covered.pulses), false);
                    pass(covered.pulses.and_not(pulses), true);
                }
                None if pulses.any() => {
                    passes.push(Pass {
                        chunk: Arc::clone(chunk),
                        pulses: Arc::clone(pulses),
                        subtract: false,
                    });
                }
                None => {}
            }
        }
        let frozen = self.frozen.lock();
        let mut must_update = false;
        for (id, covered) in &entry.coverage {
            if frozen.contains(id) {
                must_update = true;
            } else if !wanted.contains(id) && covered.pulses.any() {
                let chunk = covered.chunk.upgrade()?;
                passes.push(Pass {
                    chunk,
                    pulses: Arc::clone(&covered.pulses),
                    subtract: true,
                });
            }
        }
        let work = |passes: &[Pass]| passes.iter().map(|pass| pass.chunk.events().len()).sum::<usize>();
        (must_update || passes.is_empty() || work(&passes) <= work(&all_passes(wanted_chunks))).then_some(passes)
    }

    /// Smallest and largest value of a chunk for the structure `key`, computed once per set of pulses.
    pub(crate) fn limits(
        &self,
        key: Fingerprint,
        chunk: u64,
        pulses: &Arc<Bitmap>,
        compute: impl FnOnce() -> Option<(f64, f64)>,
    ) -> Option<(f64, f64)> {
        if let Some((known, limits)) = self.limits.lock().get(&key).and_then(|chunks| chunks.get(&chunk))
            && (Arc::ptr_eq(known, pulses) || known == pulses)
        {
            return *limits;
        }
        let computed = compute();
        let mut limits = self.limits.lock();
        if limits.len() >= MAX_LIMIT_KEYS && !limits.contains_key(&key) {
            limits.clear();
        }
        limits
            .entry(key)
            .or_default()
            .insert(chunk, (Arc::clone(pulses), computed));
        computed
    }

    /// Evicts grids until the limit is met; `current` is evicted last.
    fn evict(&self, slots: &mut MemoSlots, current: Option<Fingerprint>) {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut bytes: usize = slots.by_key.values().map(|slot| slot.bytes).sum();
        if bytes + self.buffer_pool.memory() > limit {
            self.buffer_pool.clear();
        }
        while bytes > limit {
            let candidates = slots.by_key.iter().filter(|(_, slot)| !slot.pinned && slot.bytes > 0);
            let Some((key, priority)) = candidates.map(|(key, slot)| (*key, slot.priority)).min_by(|a, b| {
                (Some(a.0) == current, a.1)
                    .partial_cmp(&(Some(b.0) == current, b.1))
                    .unwrap_or(std::cmp::Ordering::Equal)
            }) else {
                return;
            };
            if let Some(slot) = slots.by_key.remove(&key) {
                bytes -= slot.bytes;
                slots.clock = slots.clock.max(priority);
                self.evictions.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Upper bound of the events that a covered chunk added; 2²⁴ for a freed chunk.
fn max_events(covered: &CoveredPulses) -> u64 {
    covered
        .chunk
        .upgrade()
        .map_or(1 << 24, |chunk| chunk.events().len() as u64)
}

fn all_passes(wanted_chunks: &[(Arc<Chunk>, Arc<Bitmap>)]) -> Vec<Pass> {
    wanted_chunks
        .iter()
        .filter(|(_, pulses)| pulses.any())
        .map(|(chunk, pulses)| Pass {
            chunk: Arc::clone(chunk),
            pulses: Arc::clone(pulses),
            subtract: false,
        })
        .collect()
}
