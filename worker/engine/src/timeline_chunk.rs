//! Chunks of the timeline: events, open or closed, and the pulses that count for each run.
//!
//! Promises: late metadata and moved bounds only change bits; events are never moved. It must not know the reasons for
//! which a pulse counts for a run: the caller assigns pulses.

use std::sync::Arc;

use crate::chunk::{ChunkView, PulseSpan, Tail, TailBlock};
use crate::offsets::Offsets;
use crate::selection::Bitmap;
use crate::snapshot::SelectedChunk;
use crate::time::PulseTime;

/// Events of a block, unless a single message has more.
const BLOCK_EVENTS: usize = 16 << 10;

/// Run and period for which a pulse counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PulseAssignment {
    /// Id of the run; `None` for pulses outside runs, vetoed or excluded.
    pub(crate) run: Option<u32>,
    /// From 0.
    pub(crate) period: u16,
}

/// Pulses of a chunk that count for one run, in all and by period.
#[derive(Clone, Debug)]
struct RunSelection {
    run: u32,
    all: Arc<Bitmap>,
    periods: Vec<(u16, Arc<Bitmap>)>,
}

fn set_bit(bitmap: &mut Arc<Bitmap>, pulse: usize, selected: bool) {
    if bitmap.get(pulse) != selected {
        Arc::make_mut(bitmap).set(pulse, selected);
    }
}

impl RunSelection {
    fn set(&mut self, pulse: usize, period: Option<u16>) {
        if let Some(number) = period {
            if self.periods.is_empty() && number != 0 {
                self.periods.push((0, Arc::clone(&self.all)));
            }
            if !self.periods.is_empty()
                && let Err(index) = self.periods.binary_search_by_key(&number, |(number, _)| *number)
            {
                self.periods.insert(index, (number, Arc::default()));
            }
        }
        set_bit(&mut self.all, pulse, period.is_some());
        for (number, pulses) in &mut self.periods {
            set_bit(pulses, pulse, period == Some(*number));
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

/// Events of a timeline chunk.
#[derive(Debug)]
enum ChunkEvents {
    Open {
        blocks: Vec<Arc<TailBlock>>,
        open: TailBlock,
    },
    Closed(ChunkView),
}

/// Chunk of the timeline, from the events of one partition.
#[derive(Debug)]
pub(crate) struct TimelineChunk {
    id: u64,
    partition: usize,
    offsets: Offsets,
    times: Arc<Vec<PulseTime>>,
    ascending: bool,
    oldest: i64,
    newest: i64,
    selections: Vec<RunSelection>,
    events: usize,
    content: ChunkEvents,
}

impl TimelineChunk {
    pub(crate) fn new(id: u64, partition: usize) -> Self {
        Self {
            id,
            partition,
            offsets: Offsets::default(),
            times: Arc::default(),
            ascending: true,
            oldest: i64::MAX,
            newest: i64::MIN,
            selections: Vec::new(),
            events: 0,
            content: ChunkEvents::Open {
                blocks: Vec::new(),
                open: TailBlock::default(),
            },
        }
    }

    pub(crate) const fn id(&self) -> u64 {
        self.id
    }

    /// Index of the partition.
    pub(crate) const fn partition(&self) -> usize {
        self.partition
    }

    /// Offsets of the records with events in the chunk.
    pub(crate) const fn offsets(&self) -> &Offsets {
        &self.offsets
    }

    pub(crate) const fn offsets_mut(&mut self) -> &mut Offsets {
        &mut self.offsets
    }

    /// Latest pulse time, ns; `i64::MIN` without pulses.
    pub(crate) const fn newest_pulse(&self) -> i64 {
        self.newest
    }

    /// Earliest pulse time, ns; `i64::MAX` without pulses.
    pub(crate) const fn oldest_pulse(&self) -> i64 {
        self.oldest
    }

    /// Events of a closed chunk; `None` while it is open.
    pub(crate) const fn closed(&self) -> Option<&ChunkView> {
        match &self.content {
            ChunkEvents::Closed(chunk) => Some(chunk),
            ChunkEvents::Open { .. } => None,
        }
    }

    pub(crate) const fn events(&self) -> usize {
        self.events
    }

    pub(crate) fn pulses(&self) -> usize {
        self.times.len()
    }

    /// True if the latest pulse has this time (ns).
    pub(crate) fn ends_with(&self, time: i64) -> bool {
        self.times.last().is_some_and(|last| last.nanos() == time)
    }

    /// Index of the pulse for the next events, and true if it was appended. The caller respects
    /// [`MAX_PULSES`](crate::chunk::MAX_PULSES).
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn pulse_index(&mut self, time: i64) -> (u16, bool) {
        let count = self.times.len();
        if self.ends_with(time) {
            return (count.saturating_sub(1) as u16, false);
        }
        Arc::make_mut(&mut self.times).push(PulseTime::from_nanos(time));
        self.ascending &= time >= self.newest;
        self.oldest = self.oldest.min(time);
        self.newest = self.newest.max(time);
        (count as u16, true)
    }

    /// Appends events of a pulse: `append` extends both columns, times of flight and dense ids, by the same number.
    /// Returns that number; 0 for a closed chunk.
    #[allow(clippy::cast_possible_truncation)]
    pub(crate) fn append(
        &mut self,
        pulse: u16,
        expected: usize,
        append: impl FnOnce(&mut Vec<u32>, &mut Vec<u32>),
    ) -> usize {
        let ChunkEvents::Open { blocks, open } = &mut self.content else {
            return 0;
        };
        if open.time_of_flight.capacity() == 0 || open.len() + expected > BLOCK_EVENTS && !open.is_empty() {
            close_block(blocks, open);
            open.time_of_flight.reserve_exact(expected.max(BLOCK_EVENTS));
            open.dense_ids.reserve_exact(expected.max(BLOCK_EVENTS));
        }
        let before = open.len();
        append(&mut open.time_of_flight, &mut open.dense_ids);
        let after = open.time_of_flight.len().min(open.dense_ids.len());
        if after > before && open.spans.last().is_none_or(|span| span.pulse != pulse) {
            open.spans.push(PulseSpan {
                first: before as u32,
                pulse,
            });
        }
        self.events += after - before;
        after - before
    }

    /// Sets the run and period for which a pulse counts.
    pub(crate) fn assign(&mut self, pulse: usize, assignment: PulseAssignment) {
        let mut found = false;
        for selection in &mut self.selections {
            let is_selected = assignment.run == Some(selection.run);
            found |= is_selected;
            selection.set(pulse, is_selected.then_some(assignment.period));
        }
        if let (Some(run), false) = (assignment.run, found) {
            let mut selection = RunSelection {
                run,
                all: Arc::new(Bitmap::none(pulse + 1)),
                periods: Vec::new(),
            };
            selection.set(pulse, Some(assignment.period));
            self.selections.push(selection);
        }
    }

    /// Sets the assignments of the pulses with a time in `[from, to)` (ns).
    pub(crate) fn assign_range(&mut self, from: i64, to: i64, mut assignment: impl FnMut(i64) -> PulseAssignment) {
        if self.newest < from || self.oldest >= to {
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
                self.assign(pulse, assignment(time));
            }
        }
    }

    /// Sets the assignments of the pulses with one of the times (ns, ascending).
    pub(crate) fn assign_times(&mut self, sorted: &[i64], mut assignment: impl FnMut(i64) -> PulseAssignment) {
        let within =
            sorted.partition_point(|&time| time < self.oldest)..sorted.partition_point(|&time| time <= self.newest);
        let Some(sorted) = sorted.get(within).filter(|sorted| !sorted.is_empty()) else {
            return;
        };
        let times = Arc::clone(&self.times);
        if !self.ascending {
            for (pulse, time) in times.iter().enumerate() {
                if sorted.binary_search(&time.nanos()).is_ok() {
                    self.assign(pulse, assignment(time.nanos()));
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
                self.assign(pulse, assignment(time));
                pulse += 1;
            }
        }
    }

    /// Forgets the selection of a run.
    pub(crate) fn forget_run(&mut self, run: u32) {
        self.selections.retain(|selection| selection.run != run);
    }

    /// Tail at this moment; `None` if closed. Closes the open block, so that no events are copied.
    fn tail(&mut self) -> Option<Arc<Tail>> {
        let ChunkEvents::Open { blocks, open } = &mut self.content else {
            return None;
        };
        close_block(blocks, open);
        Some(Arc::new(Tail {
            id: self.id,
            blocks: blocks.clone(),
            times: Arc::clone(&self.times),
            events: self.events,
        }))
    }

    /// Closes the chunk for further events. Returns the tail, which must be sealed.
    pub(crate) fn close(&mut self) -> Option<Arc<Tail>> {
        let tail = self.tail()?;
        self.content = ChunkEvents::Closed(ChunkView::Tail(Arc::clone(&tail)));
        Some(tail)
    }

    /// Replaces the closed tail by its sealed chunk.
    pub(crate) fn seal(&mut self, chunk: ChunkView) {
        self.content = ChunkEvents::Closed(chunk);
    }

    /// Chunk with the selection of a run for a snapshot; `None` if no pulse counts for the run.
    pub(crate) fn selected_chunk(&mut self, run: u32) -> Option<SelectedChunk> {
        let pulses = self.times.len();
        let selection = self.selections.iter_mut().find(|selection| selection.run == run)?;
        if !selection.all.any() {
            return None;
        }
        selection.grow(pulses);
        let (selected, periods) = (Arc::clone(&selection.all), selection.periods.clone());
        let chunk = match &self.content {
            ChunkEvents::Closed(chunk) => chunk.clone(),
            ChunkEvents::Open { .. } => ChunkView::Tail(self.tail()?),
        };
        Some(SelectedChunk {
            chunk,
            selected,
            periods,
        })
    }

    /// Bytes of pulse times and selections.
    pub(crate) fn pulse_bytes(&self) -> usize {
        let bitmaps = |selection: &RunSelection| {
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

/// Appends the open block to the closed ones, without excess capacity if it is less than half full.
fn close_block(blocks: &mut Vec<Arc<TailBlock>>, open: &mut TailBlock) {
    if open.is_empty() {
        return;
    }
    let mut block = std::mem::take(open);
    if block.len() < BLOCK_EVENTS / 2 {
        block.time_of_flight.shrink_to_fit();
        block.dense_ids.shrink_to_fit();
    }
    blocks.push(Arc::new(block));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chunk_of(times: &[i64]) -> TimelineChunk {
        let mut chunk = TimelineChunk::new(7, 0);
        for &time in times {
            let (pulse, _) = chunk.pulse_index(time);
            chunk.append(pulse, 2, |tofs, ids| {
                tofs.extend([time as u32, 1]);
                ids.extend([3, 4]);
            });
        }
        chunk
    }

    fn selected(chunk: &mut TimelineChunk, run: u32) -> Vec<usize> {
        chunk
            .selected_chunk(run)
            .map(|part| part.selected.iter().collect())
            .unwrap_or_default()
    }

    #[test]
    fn bits_follow_assignments_whether_times_ascend_or_not() {
        for times in [vec![1, 2, 3, 4, 5], vec![4, 1, 5, 3, 2]] {
            let mut chunk = chunk_of(&times);
            let at = |pulses: Vec<usize>| {
                pulses
                    .into_iter()
                    .map(|p| times[p])
                    .collect::<std::collections::BTreeSet<_>>()
            };
            chunk.assign_range(2, 5, |_| PulseAssignment {
                run: Some(1),
                period: 0,
            });
            assert_eq!(at(selected(&mut chunk, 1)), [2, 3, 4].into());
            chunk.assign_times(&[0, 3, 9], |_| PulseAssignment { run: None, period: 0 });
            assert_eq!(at(selected(&mut chunk, 1)), [2, 4].into());
            chunk.assign_times(&[4, 5], |_| PulseAssignment {
                run: Some(2),
                period: 1,
            });
            assert_eq!(at(selected(&mut chunk, 1)), [2].into());
            assert_eq!(at(selected(&mut chunk, 2)), [4, 5].into());
        }
    }

    #[test]
    fn periods_are_kept_apart_from_the_first_that_is_not_zero() {
        let mut chunk = chunk_of(&[1, 2, 3]);
        chunk.assign(
            0,
            PulseAssignment {
                run: Some(1),
                period: 0,
            },
        );
        assert_eq!(chunk.selected_chunk(1).unwrap().period(0).unwrap().count(), 1);
        chunk.assign(
            1,
            PulseAssignment {
                run: Some(1),
                period: 2,
            },
        );
        chunk.assign(
            2,
            PulseAssignment {
                run: Some(1),
                period: 0,
            },
        );
        let part = chunk.selected_chunk(1).unwrap();
        assert_eq!(part.selected.count(), 3);
        assert_eq!(part.period(0).unwrap().iter().collect::<Vec<_>>(), [0, 2]);
        assert_eq!(part.period(2).unwrap().iter().collect::<Vec<_>>(), [1]);
        assert!(part.period(1).is_none());
        chunk.assign(
            1,
            PulseAssignment {
                run: Some(1),
                period: 0,
            },
        );
        assert!(chunk.selected_chunk(1).unwrap().period(2).is_none());
        assert_eq!(part.period(2).unwrap().count(), 1, "a snapshot keeps its own");
    }

    #[test]
    fn a_tail_in_a_snapshot_does_not_grow() {
        let mut chunk = chunk_of(&[1, 1, 2]);
        chunk.assign_range(0, 9, |_| PulseAssignment {
            run: Some(1),
            period: 0,
        });
        let part = chunk.selected_chunk(1).unwrap();
        let (pulse, _) = chunk.pulse_index(3);
        chunk.append(pulse, 1, |tofs, ids| {
            tofs.push(9);
            ids.push(9);
        });
        assert_eq!((part.chunk.len(), part.chunk.pulse_times().len()), (6, 2));
        let again = chunk.selected_chunk(1).unwrap();
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
