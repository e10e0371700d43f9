//! A chunk as the timeline holds it: its events, open or sealed, and for each run which of its pulses belong to it.
//!
//! Promises: late metadata and moved bounds only flip bits; events are never moved. It must not know why a pulse
//! belongs to a run or not: it is told.

use std::sync::Arc;

use crate::chunk::{Block, ChunkView, Span, Tail};
use crate::offsets::Offsets;
use crate::selection::Bitmap;
use crate::snapshot::Part;
use crate::time::PulseTime;

/// Events of a block, unless one message has more.
const BLOCK_EVENTS: usize = 16 << 10;

/// What decides where a pulse counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The run that it counts for; none outside runs, when vetoed, or when excluded.
    pub(crate) run: Option<u32>,
    /// Its period.
    pub(crate) period: u16,
}

/// The pulses of a chunk that count for one run.
#[derive(Clone, Debug)]
struct Selection {
    run: u32,
    all: Arc<Bitmap>,
    periods: Vec<(u16, Arc<Bitmap>)>,
}

fn set(bitmap: &mut Arc<Bitmap>, pulse: usize, selected: bool) {
    if bitmap.get(pulse) != selected {
        Arc::make_mut(bitmap).set(pulse, selected);
    }
}

impl Selection {
    fn set(&mut self, pulse: usize, period: Option<u16>) {
        if let Some(number) = period {
            if self.periods.is_empty() && number != 0 {
                self.periods.push((0, Arc::clone(&self.all)));
            }
            if !self.periods.is_empty()
                && let Err(place) = self.periods.binary_search_by_key(&number, |(number, _)| *number)
            {
                self.periods.insert(place, (number, Arc::default()));
            }
        }
        set(&mut self.all, pulse, period.is_some());
        for (number, pulses) in &mut self.periods {
            set(pulses, pulse, period == Some(*number));
        }
    }

    fn grow(&mut self, len: usize) {
        for bitmap in std::iter::once(&mut self.all).chain(self.periods.iter_mut().map(|(_, pulses)| pulses)) {
            if bitmap.len() < len {
                Arc::make_mut(bitmap).grow(len);
            }
        }
    }
}

/// The events of an entry.
#[derive(Debug)]
enum Body {
    Open { frozen: Vec<Arc<Block>>, open: Block },
    Closed(ChunkView),
}

/// A chunk of the timeline.
#[derive(Debug)]
pub(crate) struct Entry {
    id: u64,
    partition: usize,
    offsets: Offsets,
    times: Arc<Vec<PulseTime>>,
    ascending: bool,
    first: i64,
    last: i64,
    selections: Vec<Selection>,
    events: usize,
    body: Body,
}

impl Entry {
    pub(crate) fn new(id: u64, partition: usize) -> Self {
        Self {
            id,
            partition,
            offsets: Offsets::default(),
            times: Arc::default(),
            ascending: true,
            first: i64::MAX,
            last: i64::MIN,
            selections: Vec::new(),
            events: 0,
            body: Body::Open {
                frozen: Vec::new(),
                open: Block::default(),
            },
        }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    pub(crate) const fn partition(&self) -> usize {
        self.partition
    }

    pub(crate) const fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    pub(crate) const fn add_offset(&mut self) -> &mut Offsets {
        &mut self.offsets
    }

    /// Newest pulse time.
    pub(crate) const fn last(&self) -> i64 {
        self.last
    }

    /// Oldest pulse time.
    pub(crate) const fn first(&self) -> i64 {
        self.first
    }

    /// The events, unless they are still open.
    pub(crate) const fn chunk(&self) -> Option<&ChunkView> {
        match &self.body {
            Body::Closed(chunk) => Some(chunk),
            Body::Open { .. } => None,
        }
    }

    pub(crate) const fn events(&self) -> usize {
        self.events
    }

    pub(crate) fn pulses(&self) -> usize {
        self.times.len()
    }

    /// The pulse that the next events belong to, if it is of this time.
    pub(crate) fn ends_with(&self, time: i64) -> bool {
        self.times.last().is_some_and(|last| last.nanos() == time)
    }

    /// The index of the pulse that the next events belong to, and whether it is a new one. The caller keeps to the
    /// limit of pulses.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn pulse(&mut self, time: i64) -> (u16, bool) {
        let count = self.times.len();
        if self.ends_with(time) {
            return (count.saturating_sub(1) as u16, false);
        }
        Arc::make_mut(&mut self.times).push(PulseTime::from_nanos(time));
        self.ascending &= time >= self.last;
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        (count as u16, true)
    }

    /// Adds events of a pulse by letting `append` extend the two columns by the same number; says how many.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn append(
        &mut self,
        pulse: u16,
        expected: usize,
        append: impl FnOnce(&mut Vec<u32>, &mut Vec<u32>),
    ) -> usize {
        let Body::Open { frozen, open } = &mut self.body else {
            return 0;
        };
        if open.time_of_flight.capacity() == 0 || open.len() + expected > BLOCK_EVENTS && !open.is_empty() {
            freeze(frozen, open);
            open.time_of_flight.reserve_exact(expected.max(BLOCK_EVENTS));
            open.dense_ids.reserve_exact(expected.max(BLOCK_EVENTS));
        }
        let before = open.len();
        append(&mut open.time_of_flight, &mut open.dense_ids);
        let after = open.time_of_flight.len().min(open.dense_ids.len());
        if after > before && open.spans.last().is_none_or(|span| span.pulse != pulse) {
            open.spans.push(Span {
                first: before as u32,
                pulse,
            });
        }
        self.events += after - before;
        after - before
    }

    /// Sets where a pulse counts.
    pub(crate) fn place(&mut self, pulse: usize, standing: Standing) {
        let mut found = false;
        for selection in &mut self.selections {
            let mine = standing.run == Some(selection.run);
            found |= mine;
            selection.set(pulse, mine.then_some(standing.period));
        }
        if let (Some(run), false) = (standing.run, found) {
            let mut selection = Selection {
                run,
                all: Arc::new(Bitmap::none(pulse + 1)),
                periods: Vec::new(),
            };
            selection.set(pulse, Some(standing.period));
            self.selections.push(selection);
        }
    }

    /// Sets anew where the pulses with `from <= time < to` count.
    pub(crate) fn place_range(&mut self, from: i64, to: i64, mut standing: impl FnMut(i64) -> Standing) {
        if self.last < from || self.first >= to {
            return;
        }
        let times = Arc::clone(&self.times);
        let range = if self.ascending {
            times.partition_point(|time| time.nanos() < from)..times.partition_point(|time| time.nanos() < to)
        } else {
            0..times.len()
        };
        for pulse in range {
            if let Some(time) = times.get(pulse).map(|time| time.nanos())
                && (from..to).contains(&time)
            {
                self.place(pulse, standing(time));
            }
        }
    }

    /// Sets anew where the pulses of some times count; `sorted` ascends.
    pub(crate) fn place_times(&mut self, sorted: &[i64], mut standing: impl FnMut(i64) -> Standing) {
        let within =
            sorted.partition_point(|&time| time < self.first)..sorted.partition_point(|&time| time <= self.last);
        let Some(sorted) = sorted.get(within).filter(|sorted| !sorted.is_empty()) else {
            return;
        };
        let times = Arc::clone(&self.times);
        if !self.ascending {
            for (pulse, time) in times.iter().enumerate() {
                if sorted.binary_search(&time.nanos()).is_ok() {
                    self.place(pulse, standing(time.nanos()));
                }
            }
            return;
        }
        let mut pulse = sorted
            .first()
            .map_or(0, |&time| times.partition_point(|other| other.nanos() < time));
        for &time in sorted {
            while times.get(pulse).is_some_and(|other| other.nanos() < time) {
                pulse += 1;
            }
            while times.get(pulse).is_some_and(|other| other.nanos() == time) {
                self.place(pulse, standing(time));
                pulse += 1;
            }
        }
    }

    /// Forgets what counted for a run.
    pub(crate) fn forget_run(&mut self, run: u32) {
        self.selections.retain(|selection| selection.run != run);
    }

    /// The tail as it is now; its open block is closed, so that nothing is copied.
    fn tail(&mut self) -> Option<Arc<Tail>> {
        let Body::Open { frozen, open } = &mut self.body else {
            return None;
        };
        freeze(frozen, open);
        Some(Arc::new(Tail {
            id: self.id,
            blocks: frozen.clone(),
            times: Arc::clone(&self.times),
            events: self.events,
        }))
    }

    /// Ends a tail: no events are added any more. The tail is to be sealed.
    pub(crate) fn close(&mut self) -> Option<Arc<Tail>> {
        let tail = self.tail()?;
        self.body = Body::Closed(ChunkView::Tail(Arc::clone(&tail)));
        Some(tail)
    }

    /// Puts the sealed chunk in the place of its tail.
    pub(crate) fn seal(&mut self, chunk: ChunkView) {
        self.body = Body::Closed(chunk);
    }

    /// The chunk and its pulses that count for a run, if any do.
    pub(crate) fn part(&mut self, run: u32) -> Option<Part> {
        let pulses = self.times.len();
        let selection = self.selections.iter_mut().find(|selection| selection.run == run)?;
        if !selection.all.any() {
            return None;
        }
        selection.grow(pulses);
        let (selected, periods) = (Arc::clone(&selection.all), selection.periods.clone());
        let chunk = match &self.body {
            Body::Closed(chunk) => chunk.clone(),
            Body::Open { .. } => ChunkView::Tail(self.tail()?),
        };
        Some(Part {
            chunk,
            selected,
            periods,
        })
    }

    /// Bytes beside the events: pulse times and selections.
    pub(crate) fn pulse_bytes(&self) -> usize {
        let bitmaps = |selection: &Selection| {
            selection.all.heap_bytes()
                + selection
                    .periods
                    .iter()
                    .map(|(_, pulses)| pulses.heap_bytes())
                    .sum::<usize>()
        };
        self.times.capacity() * 8 + self.selections.iter().map(bitmaps).sum::<usize>()
    }
}

/// Moves the open block behind the frozen ones.
fn freeze(frozen: &mut Vec<Arc<Block>>, open: &mut Block) {
    if open.is_empty() {
        return;
    }
    let mut block = std::mem::take(open);
    if block.len() < BLOCK_EVENTS / 2 {
        block.time_of_flight.shrink_to_fit();
        block.dense_ids.shrink_to_fit();
    }
    frozen.push(Arc::new(block));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(times: &[i64]) -> Entry {
        let mut entry = Entry::new(7, 0);
        for &time in times {
            let (pulse, _) = entry.pulse(time);
            entry.append(pulse, 2, |tofs, ids| {
                tofs.extend([time as u32, 1]);
                ids.extend([3, 4]);
            });
        }
        entry
    }

    fn selected(entry: &mut Entry, run: u32) -> Vec<usize> {
        entry
            .part(run)
            .map(|part| part.selected.iter().collect())
            .unwrap_or_default()
    }

    #[test]
    fn bits_follow_what_is_told_whether_times_ascend_or_not() {
        for times in [vec![1, 2, 3, 4, 5], vec![4, 1, 5, 3, 2]] {
            let mut entry = entry(&times);
            let at = |pulses: Vec<usize>| {
                pulses
                    .into_iter()
                    .map(|p| times[p])
                    .collect::<std::collections::BTreeSet<_>>()
            };
            entry.place_range(2, 5, |_| Standing {
                run: Some(1),
                period: 0,
            });
            assert_eq!(at(selected(&mut entry, 1)), [2, 3, 4].into());
            entry.place_times(&[0, 3, 9], |_| Standing { run: None, period: 0 });
            assert_eq!(at(selected(&mut entry, 1)), [2, 4].into());
            entry.place_times(&[4, 5], |_| Standing {
                run: Some(2),
                period: 1,
            });
            assert_eq!(at(selected(&mut entry, 1)), [2].into());
            assert_eq!(at(selected(&mut entry, 2)), [4, 5].into());
        }
    }

    #[test]
    fn periods_are_kept_apart_from_the_first_that_is_not_zero() {
        let mut entry = entry(&[1, 2, 3]);
        entry.place(
            0,
            Standing {
                run: Some(1),
                period: 0,
            },
        );
        assert_eq!(entry.part(1).unwrap().period(0).unwrap().count(), 1);
        entry.place(
            1,
            Standing {
                run: Some(1),
                period: 2,
            },
        );
        entry.place(
            2,
            Standing {
                run: Some(1),
                period: 0,
            },
        );
        let part = entry.part(1).unwrap();
        assert_eq!(part.selected.count(), 3);
        assert_eq!(part.period(0).unwrap().iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(part.period(2).unwrap().iter().collect::<Vec<_>>(), [1]);
        assert!(part.period(1).is_none());
        entry.place(
            1,
            Standing {
                run: Some(1),
                period: 0,
            },
        );
        assert!(entry.part(1).unwrap().period(2).is_none());
        assert_eq!(part.period(2).unwrap().count(), 1, "a snapshot keeps its own");
    }

    #[test]
    fn a_tail_in_a_snapshot_does_not_grow() {
        let mut entry = entry(&[1, 1, 2]);
        entry.place_range(0, 9, |_| Standing {
            run: Some(1),
            period: 0,
        });
        let part = entry.part(1).unwrap();
        let (pulse, _) = entry.pulse(3);
        entry.append(pulse, 1, |tofs, ids| {
            tofs.push(9);
            ids.push(9);
        });
        assert_eq!((part.chunk.len(), part.chunk.pulse_times().len()), (6, 2));
        let again = entry.part(1).unwrap();
        assert_eq!(
            (again.chunk.len(), again.selected.len(), again.selected.count()),
            (7, 3, 2)
        );
        let mut events = Vec::new();
        again.chunk.for_each(|id, tof, pulse| events.push((id, tof, pulse)));
        assert_eq!(events.len(), 7);
        assert_eq!(events[6], (9, 9, 2));
    }
}
