//! What was counted before is not counted again: one cumulative grid of counts for each structure of a plan.
//!
//! Promises: a grid that is handed out equals one computed from nothing, whatever came, went or was evicted before;
//! it never changes while it is held (an update then works on a copy). Coverage is kept chunk by chunk and pulse by
//! pulse, and every update adds and takes away exactly the difference. Memory stays within a limit: what costs least
//! to compute again for the memory it takes goes first. It must not decide which pulses are settled: callers do.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::cancel::Cancelled;
use crate::chunk::Chunk;
use crate::fingerprint::Fingerprint;
use crate::kernel::Pass;
use crate::kernel::grid::{Grid, Spares};
use crate::selection::Bitmap;

/// How many structures keep the limits of their chunks' values.
const LIMIT_KEYS: usize = 64;

/// What the memos hold and did, for status and metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoFigures {
    /// How many grids are held.
    pub grids: usize,
    /// Bytes of the grids and of buffers kept for reuse.
    pub bytes: usize,
    /// The limit on them.
    pub limit: usize,
    /// Reads that found everything counted.
    pub hits: u64,
    /// Reads that counted a difference.
    pub updates: u64,
    /// Reads that counted from nothing.
    pub builds: u64,
    /// Grids given up for the limit.
    pub evictions: u64,
}

#[derive(Debug)]
struct Covered {
    chunk: Weak<Chunk>,
    pulses: Arc<Bitmap>,
}

#[derive(Debug, Default)]
struct Entry {
    grid: Option<Arc<Grid>>,
    coverage: HashMap<u64, Covered>,
}

#[derive(Debug)]
struct Slot {
    entry: Arc<Mutex<Entry>>,
    bytes: usize,
    /// The clock at the last use, plus the events that it would take to count it again, per byte held.
    priority: f64,
    pinned: bool,
}

#[derive(Debug, Default)]
struct Slots {
    by_key: HashMap<Fingerprint, Slot>,
    /// The priority of what was evicted last: later uses start from it, so that what is used no more ages.
    clock: f64,
}

type LimitsOfChunks = HashMap<u64, (Arc<Bitmap>, Option<(f64, f64)>)>;

/// Adds passes to a grid.
type Count<'a> = &'a dyn Fn(&mut Grid, &[Pass]) -> Result<(), Cancelled>;

/// The memos of one worker.
#[derive(Debug)]
pub struct Memos {
    slots: Mutex<Slots>,
    /// Smallest and largest value by structure and chunk.
    limits: Mutex<HashMap<Fingerprint, LimitsOfChunks>>,
    frozen: Mutex<HashSet<u64>>,
    spares: Arc<Spares>,
    limit: AtomicUsize,
    hits: AtomicU64,
    updates: AtomicU64,
    builds: AtomicU64,
    evictions: AtomicU64,
}

impl Memos {
    /// No memos yet; they will take at most `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            slots: Mutex::default(),
            limits: Mutex::default(),
            frozen: Mutex::default(),
            spares: Arc::default(),
            limit: AtomicUsize::new(limit),
            hits: AtomicU64::new(0),
            updates: AtomicU64::new(0),
            builds: AtomicU64::new(0),
            evictions: AtomicU64::new(0),
        }
    }

    /// Changes the limit, and evicts what is above it.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
        self.evict(&mut self.slots.lock(), None);
    }

    /// Forgets everything that is not pinned.
    pub fn clear(&self) {
        self.slots.lock().by_key.retain(|_, slot| slot.pinned);
        self.limits.lock().clear();
        self.spares.clear();
    }

    /// Says that a chunk is freed while its events still belong to a view: what memos counted of it stays counted,
    /// and those memos are never evicted.
    pub fn freeze(&self, chunk: u64) {
        self.frozen.lock().insert(chunk);
        let mut slots = self.slots.lock();
        for slot in slots.by_key.values_mut() {
            if !slot.pinned && slot.entry.lock().coverage.contains_key(&chunk) {
                slot.pinned = true;
            }
        }
    }

    /// What the memos hold and did.
    #[must_use]
    pub fn figures(&self) -> MemoFigures {
        let slots = self.slots.lock();
        MemoFigures {
            grids: slots.by_key.len(),
            bytes: slots.by_key.values().map(|slot| slot.bytes).sum::<usize>() + self.spares.memory(),
            limit: self.limit.load(Ordering::Relaxed),
            hits: self.hits.load(Ordering::Relaxed),
            updates: self.updates.load(Ordering::Relaxed),
            builds: self.builds.load(Ordering::Relaxed),
            evictions: self.evictions.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn spares(&self) -> &Arc<Spares> {
        &self.spares
    }

    /// The counts of the wanted pulses of sealed chunks for a structure, counted by `run` as far as they are not yet.
    /// `run` adds passes to a grid.
    pub(crate) fn counts(
        &self,
        key: Fingerprint,
        cells: usize,
        want: &[(Arc<Chunk>, Arc<Bitmap>)],
        run: Count<'_>,
    ) -> Result<Arc<Grid>, Cancelled> {
        let entry = {
            let mut slots = self.slots.lock();
            let clock = slots.clock;
            let slot = slots.by_key.entry(key).or_insert_with(|| Slot {
                entry: Arc::default(),
                bytes: 0,
                priority: clock,
                pinned: false,
            });
            Arc::clone(&slot.entry)
        };
        let grid = self.update(&mut entry.lock(), cells, want, run)?;
        let events: u64 = want.iter().map(|(chunk, _)| chunk.events().len() as u64).sum();
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
        entry: &mut Entry,
        cells: usize,
        want: &[(Arc<Chunk>, Arc<Bitmap>)],
        run: Count<'_>,
    ) -> Result<Arc<Grid>, Cancelled> {
        let passes = match (&entry.grid, self.difference(entry, want)) {
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
                // Given back before the next is taken, so that its memory serves again.
                *entry = Entry::default();
                whole(want)
            }
        };
        let events: u64 = want.iter().map(|(chunk, _)| chunk.events().len() as u64).sum::<u64>()
            + entry.coverage.values().map(bound).sum::<u64>();
        // Until the passes are through, the entry holds nothing: a cancelled update leaves no half-counted grid.
        let coverage = std::mem::take(&mut entry.coverage);
        let mut grid = match entry.grid.take().map(Arc::try_unwrap) {
            None => Grid::zeros(cells, events, &self.spares),
            Some(Ok(grid)) if grid.holds(events) => grid,
            Some(Ok(grid)) => grid.copy(events, &self.spares),
            Some(Err(held)) => held.copy(events, &self.spares),
        };
        run(&mut grid, &passes)?;
        let frozen = self.frozen.lock();
        entry.coverage = coverage.into_iter().filter(|(id, _)| frozen.contains(id)).collect();
        drop(frozen);
        for (chunk, pulses) in want {
            let covered = Covered {
                chunk: Arc::downgrade(chunk),
                pulses: Arc::clone(pulses),
            };
            entry.coverage.insert(chunk.id(), covered);
        }
        let grid = Arc::new(grid);
        entry.grid = Some(Arc::clone(&grid));
        Ok(grid)
    }

    /// The passes from what an entry covers to what is wanted; `None` where counting from nothing is cheaper, or the
    /// only way because a chunk to be taken away is gone.
    fn difference(&self, entry: &Entry, want: &[(Arc<Chunk>, Arc<Bitmap>)]) -> Option<Vec<Pass>> {
        let mut passes = Vec::new();
        let mut wanted = HashSet::with_capacity(want.len());
        for (chunk, pulses) in want {
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
        (must_update || passes.is_empty() || work(&passes) <= work(&whole(want))).then_some(passes)
    }

    /// The limits of a chunk's values for a structure, computed once for each set of pulses.
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
        if limits.len() >= LIMIT_KEYS && !limits.contains_key(&key) {
            limits.clear();
        }
        limits
            .entry(key)
            .or_default()
            .insert(chunk, (Arc::clone(pulses), computed));
        computed
    }

    /// Evicts until the limit is kept; `current` goes last.
    fn evict(&self, slots: &mut Slots, current: Option<Fingerprint>) {
        let limit = self.limit.load(Ordering::Relaxed);
        let mut bytes: usize = slots.by_key.values().map(|slot| slot.bytes).sum();
        if bytes + self.spares.memory() > limit {
            self.spares.clear();
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

/// How many events a covered chunk can have added: those of a frozen chunk are unknown but for this bound.
fn bound(covered: &Covered) -> u64 {
    covered
        .chunk
        .upgrade()
        .map_or(1 << 24, |chunk| chunk.events().len() as u64)
}

fn whole(want: &[(Arc<Chunk>, Arc<Bitmap>)]) -> Vec<Pass> {
    want.iter()
        .filter(|(_, pulses)| pulses.any())
        .map(|(chunk, pulses)| Pass {
            chunk: Arc::clone(chunk),
            pulses: Arc::clone(pulses),
            subtract: false,
        })
        .collect()
}
