//! Cursor over a run: the events that were delivered, and the next chunk. Pure.
//!
//! Promises: every event that belongs to the run is delivered once, with its frame's charge, in order of arrival. If a
//! delivered event no longer belongs to it (a moved bound, a late veto, another period), the next chunk is the whole run
//! again. Must not process anything, nor read the clock.

use std::collections::HashMap;
use std::sync::Arc;

use live_data_engine::chunk::ChunkView;
use live_data_engine::selection::Bitmap;
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_reduction::run_portion::{LogPortion, PeriodFrames, PeriodPortion, RunPortion};
use live_data_reduction::run_workspace::period_count;

use super::frames::{self, DeliveredFrames};

/// Events, frames and log values of one run that were delivered.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Earlier pulses are never delivered.
    from: PulseTime,
    /// Delivered pulses by (chunk id, period).
    pulses: HashMap<(u64, u16), Arc<Bitmap>>,
    /// (last pulse, its number of events) by chunk id: only a chunk's last pulse can grow.
    last: HashMap<u64, (u16, u64)>,
    frames: Option<DeliveredFrames>,
    /// Frames and logs before this time were delivered.
    until: PulseTime,
    /// Number of values before `until` by log.
    logs: HashMap<Arc<str>, usize>,
    /// Time of the newest of these values.
    last_log: Option<PulseTime>,
    periods: u32,
}

/// Part of a run that has not been delivered.
#[derive(Debug)]
pub struct Chunk {
    /// Events, frames and log values by period.
    pub portion: RunPortion,
    /// The portion is the whole run: results of earlier chunks must be discarded.
    pub whole: bool,
    /// Time of the newest frame delivered so far, this chunk included.
    pub newest: Option<PulseTime>,
    /// Cursor for the time after this chunk.
    pub after: Cursor,
}

impl Chunk {
    /// True if the chunk has neither events nor frames.
    pub fn is_empty(&self) -> bool {
        self.portion
            .periods
            .iter()
            .all(|period| period.parts.is_empty() && period.frames == PeriodFrames::default())
    }
}

/// Use of chunks, which decides on corrections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkUse {
    /// Chunks are accumulated: events that no longer belong to the run require a new start.
    Accumulated,
    /// Each chunk replaces the one before: no corrections.
    Standalone,
}

impl Cursor {
    /// Cursor with nothing delivered, for pulses from `from` on.
    pub fn new(from: PulseTime) -> Self {
        Cursor {
            from,
            pulses: HashMap::new(),
            last: HashMap::new(),
            frames: None,
            until: PulseTime::MIN,
            logs: HashMap::new(),
            last_log: None,
            periods: 0,
        }
    }

    /// True if nothing was delivered.
    pub fn is_fresh(&self) -> bool {
        self.frames.is_none()
    }

    /// Cursor with the same `from` and nothing delivered.
    pub fn rewound(&self) -> Self {
        Cursor::new(self.from)
    }

    /// Undelivered part of the pulses before `until`; `None` without anything new.
    ///
    /// The first chunk of a run may be empty. `number` identifies the chunk for memoized reductions.
    pub fn next(&self, run: &Snapshot, until: PulseTime, chunk_use: ChunkUse, number: u64) -> Option<Chunk> {
        let until = until.max(self.until);
        let (wanted, last) = self.selected_pulses(run, until);
        if chunk_use == ChunkUse::Accumulated && !self.is_fresh() && self.is_invalidated(run, &wanted) {
            let mut chunk = self.rewound().next(run, until, chunk_use, number)?;
            chunk.whole = true;
            return Some(chunk);
        }
        let periods = period_count(run.run());
        let mut portions: Vec<PeriodPortion> = (0..periods).map(|_| PeriodPortion::default()).collect();
        let mut any = self.is_fresh();
        for ((id, period), (chunk, pulses)) in &wanted {
            let fresh = match self.pulses.get(&(*id, *period)) {
                Some(old) => Arc::new(pulses.and_not(old)),
                None => Arc::clone(pulses),
            };
            if fresh.any()
                && let Some(portion) = portions.get_mut(usize::from(*period))
            {
                any = true;
                portion.parts.push((chunk.clone(), fresh));
            }
        }
        for portion in &mut portions {
            portion.parts.sort_by_key(|(chunk, _)| chunk.id());
        }
        let now = DeliveredFrames::new(run.pulses().clone(), self.from, until);
        let tallies = frames::frames_since(&now, self.frames.as_ref(), periods, chunk_use == ChunkUse::Accumulated);
        for (portion, frames) in portions.iter_mut().zip(tallies) {
            any |= frames != PeriodFrames::default();
            portion.frames = frames;
        }
        if !any {
            return None;
        }
        let (logs, counts) = self.logs(run, until);
        let newest = now.newest();
        Some(Chunk {
            portion: RunPortion {
                periods: portions,
                logs,
                view_id: number,
            },
            whole: self.is_fresh(),
            newest,
            after: Cursor {
                from: self.from,
                pulses: wanted.into_iter().map(|(key, (_, pulses))| (key, pulses)).collect(),
                last,
                frames: Some(now),
                until,
                last_log: last_log(run, until),
                logs: counts,
                periods,
            },
        })
    }

    /// Selected pulses in `[from, until)` by (chunk id, period), and each chunk's last pulse if it is among them.
    #[allow(clippy::type_complexity)]
    fn selected_pulses(
        &self,
        run: &Snapshot,
        until: PulseTime,
    ) -> (HashMap<(u64, u16), (ChunkView, Arc<Bitmap>)>, HashMap<u64, (u16, u64)>) {
        let periods = period_count(run.run());
        let (mut wanted, mut last) = (HashMap::new(), HashMap::new());
        for period in 0..periods {
            let number = u16::try_from(period).unwrap_or(u16::MAX);
            let parts = if periods == 1 {
                run.chunks().to_vec()
            } else {
                run.period_chunks(number)
            };
            for part in parts {
                let times = part.chunk.pulse_times();
                let inside = |time: &PulseTime| *time >= self.from && *time < until;
                let pulses = if times.iter().all(inside) {
                    Arc::clone(&part.selected)
                } else {
                    let keep = |at: usize| part.selected.get(at) && times.get(at).is_some_and(inside);
                    Arc::new(Bitmap::from_fn(part.selected.len(), keep))
                };
                let end = times.len().checked_sub(1).filter(|end| pulses.get(*end));
                if let Some(end) = end.and_then(|end| u16::try_from(end).ok()) {
                    last.insert(part.chunk.id(), (end, events_of(&part.chunk, end)));
                }
                if pulses.any() {
                    wanted.insert((part.chunk.id(), number), (part.chunk.clone(), pulses));
                }
            }
        }
        (wanted, last)
    }

    /// True if a delivered pulse was deselected, changed its period, or has got more events.
    fn is_invalidated(&self, run: &Snapshot, wanted: &HashMap<(u64, u16), (ChunkView, Arc<Bitmap>)>) -> bool {
        if period_count(run.run()) != self.periods {
            return true;
        }
        let gone = self.pulses.iter().any(|(key, old)| match wanted.get(key) {
            Some((_, pulses)) => old.and_not(pulses).any(),
            None => old.any(),
        });
        // A run's end that has moved before delivered log values.
        let gone = gone
            || run
                .run()
                .stop
                .zip(self.last_log)
                .is_some_and(|(stop, last)| stop < last);
        let chunks: HashMap<u64, &ChunkView> = wanted.iter().map(|((id, _), (chunk, _))| (*id, chunk)).collect();
        gone || self
            .last
            .iter()
            .any(|(id, (pulse, events))| chunks.get(id).is_some_and(|chunk| events_of(chunk, *pulse) != *events))
    }

    /// Start of each log's portion, and the number of its values before `until`.
    fn logs(&self, run: &Snapshot, until: PulseTime) -> (LogPortion, HashMap<Arc<str>, usize>) {
        let (mut from, mut counts) = (HashMap::new(), HashMap::new());
        for log in run.logs().iter() {
            let before = |time: PulseTime| log.values.partition_point(|entry| entry.time < time);
            let (known, given) = (before(self.until), self.logs.get(&log.variable).copied().unwrap_or(0));
            // The last value before the chunk is valid in it. Late values are delivered with all others.
            if known == given
                && let Some(entry) = known.checked_sub(1).and_then(|at| log.values.get(at))
            {
                from.insert(Arc::clone(&log.variable), entry.time);
            }
            counts.insert(Arc::clone(&log.variable), before(until));
        }
        (LogPortion { from, until }, counts)
    }
}

/// Time of the newest log value before `until`.
fn last_log(run: &Snapshot, until: PulseTime) -> Option<PulseTime> {
    let lasts = run.logs().iter().filter_map(|log| {
        let count = log.values.partition_point(|entry| entry.time < until);
        log.values.get(count.checked_sub(1)?).map(|entry| entry.time)
    });
    lasts.max()
}

/// Number of events of a pulse of a chunk.
fn events_of(chunk: &ChunkView, pulse: u16) -> u64 {
    match chunk {
        ChunkView::Tail(tail) => {
            let blocks = tail.blocks().iter().rev();
            let counts = blocks.map(|block| {
                let of = block.pulses().filter(|(number, _)| *number == pulse);
                of.map(|(_, events)| events.len() as u64).sum::<u64>()
            });
            // A tail's last pulse is in its last blocks: stop at the first block without it.
            let mut sum = 0;
            for (count, block) in counts.zip(tail.blocks().iter().rev()) {
                sum += count;
                if count == 0 && !block.is_empty() && sum > 0 {
                    break;
                }
            }
            sum
        }
        ChunkView::Sealed(chunk) => chunk.events().iter().filter(|event| event.pulse() == pulse).count() as u64,
    }
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
