//! Which of a run's data have been delivered, and what the next chunk is: pure.
//!
//! Promises: every event that counts for the run is delivered once, with its frame's charge, in the order of arrival and
//! not of time. What has been delivered and no longer counts (a bound that moved, a late veto, another period) makes the
//! next chunk the whole view again. Must not process anything, nor know when it is asked.

use std::collections::HashMap;
use std::sync::Arc;

use live_data_engine::chunk::ChunkView;
use live_data_engine::selection::Bitmap;
use live_data_engine::snapshot::Snapshot;
use live_data_engine::time::PulseTime;
use live_data_reduction::bind::{Frames, LogPortion, PeriodPortion, Portion, period_count};

use super::frames::{self, Delivered};

/// What has been delivered of one run.
#[derive(Clone, Debug)]
pub struct Cursor {
    /// Earlier pulses are not asked for.
    from: PulseTime,
    /// Pulses by chunk and period.
    pulses: HashMap<(u64, u16), Arc<Bitmap>>,
    /// How many events the last pulse of a chunk had: it is the only one that more can be added to.
    last: HashMap<u64, (u16, u64)>,
    frames: Option<Delivered>,
    /// Frames and logs up to this time were looked at.
    until: PulseTime,
    /// How many values of each log are earlier than that.
    logs: HashMap<Arc<str>, usize>,
    /// The time of the last of these.
    last_log: Option<PulseTime>,
    periods: u32,
}

/// What comes next.
#[derive(Debug)]
pub struct Chunk {
    /// The data.
    pub portion: Portion,
    /// The whole view: what was made of earlier chunks is to be forgotten.
    pub whole: bool,
    /// The newest pulse that was ever delivered.
    pub newest: Option<PulseTime>,
    /// What has been delivered once this has.
    pub after: Cursor,
}

impl Chunk {
    /// Whether there is neither an event nor a frame in it.
    pub fn is_empty(&self) -> bool {
        self.portion
            .periods
            .iter()
            .all(|period| period.parts.is_empty() && period.frames == Frames::default())
    }
}

/// How chunks are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// They are put together: what no longer counts has to go.
    Together,
    /// Each stands alone.
    Alone,
}

impl Cursor {
    /// Nothing delivered; pulses before `from` never will be.
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

    /// Whether nothing has been delivered yet.
    pub fn is_fresh(&self) -> bool {
        self.frames.is_none()
    }

    /// The same from the beginning.
    pub fn rewound(&self) -> Self {
        Cursor::new(self.from)
    }

    /// What has not been delivered of the pulses before `until`; `None` when there is nothing. The first chunk of a
    /// view may be empty.
    pub fn next(&self, run: &Snapshot, until: PulseTime, usage: Use, number: u64) -> Option<Chunk> {
        let until = until.max(self.until);
        let (wanted, last) = self.wanted(run, until);
        if usage == Use::Together && !self.is_fresh() && self.is_overtaken(run, &wanted) {
            let mut chunk = self.rewound().next(run, until, usage, number)?;
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
        let now = Delivered::new(run.pulses().clone(), self.from, until);
        let tallies = frames::since(&now, self.frames.as_ref(), periods, usage == Use::Together);
        for (portion, frames) in portions.iter_mut().zip(tallies) {
            any |= frames != Frames::default();
            portion.frames = frames;
        }
        if !any {
            return None;
        }
        let (logs, counts) = self.logs(run, until);
        let newest = now.newest();
        Some(Chunk {
            portion: Portion {
                periods: portions,
                logs,
                lane: number,
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

    /// The pulses before `until` by chunk and period, and the last pulse of each chunk where it is among them.
    #[allow(clippy::type_complexity)]
    fn wanted(
        &self,
        run: &Snapshot,
        until: PulseTime,
    ) -> (HashMap<(u64, u16), (ChunkView, Arc<Bitmap>)>, HashMap<u64, (u16, u64)>) {
        let periods = period_count(run.run());
        let (mut wanted, mut last) = (HashMap::new(), HashMap::new());
        for period in 0..periods {
            let number = u16::try_from(period).unwrap_or(u16::MAX);
            let parts = if periods == 1 {
                run.parts().to_vec()
            } else {
                run.period(number)
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

    /// Whether something that was delivered no longer counts, counts elsewhere, or has become more.
    fn is_overtaken(&self, run: &Snapshot, wanted: &HashMap<(u64, u16), (ChunkView, Arc<Bitmap>)>) -> bool {
        if period_count(run.run()) != self.periods {
            return true;
        }
        let gone = self.pulses.iter().any(|(key, old)| match wanted.get(key) {
            Some((_, pulses)) => old.and_not(pulses).any(),
            None => old.any(),
        });
        // Values of logs after a bound that has moved before them.
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

    /// From when on each log is given, and how many values of it have been given then.
    fn logs(&self, run: &Snapshot, until: PulseTime) -> (LogPortion, HashMap<Arc<str>, usize>) {
        let (mut from, mut counts) = (HashMap::new(), HashMap::new());
        for log in run.logs().iter() {
            let before = |time: PulseTime| log.values.partition_point(|entry| entry.time < time);
            let (known, given) = (before(self.until), self.logs.get(&log.variable).copied().unwrap_or(0));
            // The last value before the chunk holds in it. Values that came late are given with all the others.
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

/// The time of the last value of a log before `until`.
fn last_log(run: &Snapshot, until: PulseTime) -> Option<PulseTime> {
    let lasts = run.logs().iter().filter_map(|log| {
        let count = log.values.partition_point(|entry| entry.time < until);
        log.values.get(count.checked_sub(1)?).map(|entry| entry.time)
    });
    lasts.max()
}

/// How many events the pulse has.
fn events_of(chunk: &ChunkView, pulse: u16) -> u64 {
    match chunk {
        ChunkView::Tail(tail) => {
            let blocks = tail.blocks().iter().rev();
            let counts = blocks.map(|block| {
                let of = block.pulses().filter(|(number, _)| *number == pulse);
                of.map(|(_, events)| events.len() as u64).sum::<u64>()
            });
            // The last pulse's events are in the last blocks.
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
