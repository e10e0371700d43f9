//! The frames of the timeline: one row per pulse time, filled in any order, and the only source of proton charge.
//!
//! Promises: a frame counts once, also if several messages carry its events or repeat its metadata. Values of pu00 take
//! precedence over those of event messages. Unknown values stay unknown. It must not know runs or chunks.

use crate::frame_row::{FrameMetadata, FrameRow};
use crate::frame_sums::FrameSums;
use crate::pulse_table::PulseTable;
use crate::time::PulseTime;
use crate::timed::TimedList;
use crate::veto_masks::VetoMasks;

/// A frame before and after a message; `before` is `None` where the message made the frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameChange {
    pub(crate) before: Option<FrameRow>,
    pub(crate) after: FrameRow,
}

/// Frames of the timeline by pulse time, and the veto bits in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct FrameStore {
    rows: TimedList<FrameRow>,
    masks: VetoMasks,
}

impl FrameStore {
    pub(crate) fn new(exclude_setup: bool) -> Self {
        Self {
            rows: TimedList::default(),
            masks: VetoMasks::new(exclude_setup),
        }
    }

    pub(crate) const fn masks(&self) -> &VetoMasks {
        &self.masks
    }

    pub(crate) const fn rows(&self) -> &TimedList<FrameRow> {
        &self.rows
    }

    /// Adds events to the frame of `time` (ns), inserted if missing. `hint` is the position of the last look-up and
    /// speeds up ascending times.
    pub(crate) fn add_events(&mut self, time: i64, events: u32, hint: &mut usize) -> FrameChange {
        self.change(time, hint, |row| row.add_events(events))
    }

    /// Joins pu00 metadata to the frame of `time` (ns).
    pub(crate) fn join_pulse(&mut self, time: i64, metadata: FrameMetadata, hint: &mut usize) -> FrameChange {
        self.change(time, hint, |row| row.join_pulse(metadata))
    }

    /// Joins is84 metadata to the frame of `time` (ns).
    #[cfg(test)]
    pub(crate) fn join_frame(&mut self, time: i64, metadata: FrameMetadata, hint: &mut usize) -> FrameChange {
        self.change(time, hint, |row| row.join_frame(metadata))
    }

    /// Adds events and joins their is84 metadata in one look-up.
    pub(crate) fn add_events_and_join(
        &mut self,
        time: i64,
        events: u32,
        metadata: FrameMetadata,
        hint: &mut usize,
    ) -> FrameChange {
        self.change(time, hint, |row| {
            row.add_events(events);
            row.join_frame(metadata);
        })
    }

    /// Subtracts events from the frame of `time` (ns); `None` if it does not exist.
    pub(crate) fn subtract_events(&mut self, time: i64, events: u32) -> Option<FrameChange> {
        self.rows.get(time, &mut 0)?;
        Some(self.change(time, &mut 0, |row| row.subtract_events(events)))
    }

    fn change(&mut self, time: i64, hint: &mut usize, change: impl FnOnce(&mut FrameRow)) -> FrameChange {
        let (row, inserted) = self.rows.get_or_insert_with(time, hint, || FrameRow::new(time));
        let mut unused = FrameRow::new(time);
        let row = row.unwrap_or(&mut unused);
        let before = (!inserted).then_some(*row);
        change(row);
        FrameChange { before, after: *row }
    }

    /// Sets the veto bits in force from `time` (ns) on. Returns the range `[time, stop)` in which they changed, if any.
    pub(crate) fn set_mask(&mut self, time: i64, mask: u32) -> Option<(i64, i64)> {
        self.masks.set(time, mask)
    }

    /// True once a veto configuration arrived.
    pub(crate) fn has_masks(&self) -> bool {
        !self.masks.is_empty()
    }

    /// Sums over the frames with a pulse time in `[from, to)`.
    pub(crate) fn sum(&self, from: i64, to: i64) -> FrameSums {
        let mut sum = FrameSums::default();
        for row in self.rows.range(from, to) {
            sum.add(row, &self.masks);
        }
        sum
    }

    /// Forgets frames before `time` (ns) and masks that are no longer in force.
    pub(crate) fn forget_before(&mut self, time: i64) {
        self.rows.forget_before(time, |_| ());
        self.masks.forget_before(time);
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes()
    }

    /// Frames in `[start, stop)` for a snapshot; copies nothing.
    pub(crate) fn table(&self, start: PulseTime, stop: PulseTime) -> PulseTable {
        PulseTable::new(&self.rows, &self.masks, start, stop)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::frame_row::accepted_charge;
    use crate::run::RunTotals;

    fn pulse(vetos: u32, period: u16, charge: f32) -> FrameMetadata {
        FrameMetadata {
            vetos: Some(vetos),
            period: Some(period),
            charge: Some(charge),
            setup: None,
        }
    }

    fn frame(period: u16, charge: f32, setup: bool) -> FrameMetadata {
        FrameMetadata {
            vetos: None,
            period: Some(period),
            charge: Some(charge),
            setup: Some(setup),
        }
    }

    #[test]
    fn a_frame_counts_once_whatever_comes_first() {
        let orders: [&[u8]; 4] = [b"eepf", b"pfee", b"fepe", b"ppeffe"];
        let mut seen = Vec::new();
        for order in orders {
            let mut frames = FrameStore::new(false);
            for step in order {
                match step {
                    b'e' => frames.add_events(20, 3, &mut 0),
                    b'p' => frames.join_pulse(20, pulse(0, 2, 0.5), &mut 0),
                    _ => frames.join_frame(20, frame(1, 9.0, true), &mut 0),
                };
            }
            seen.push(frames.sum(0, 100));
        }
        assert!(seen.iter().all(|sum| *sum == seen[0]), "{seen:?}");
        let totals = seen[0].totals();
        assert_eq!((totals.events, totals.raw_frames, totals.charged_frames), (6, 1, 1));
        assert_eq!(totals.proton_charge, Some(0.5));
        assert_eq!((totals.setup_frames, seen[0].periods), (1, 3));
    }

    #[test]
    fn an_unknown_charge_is_not_zero() {
        let mut frames = FrameStore::new(false);
        frames.add_events(1, 5, &mut 0);
        assert_eq!(frames.sum(0, 10).totals().proton_charge, None);
        frames.join_pulse(
            1,
            FrameMetadata {
                charge: Some(0.0),
                ..FrameMetadata::default()
            },
            &mut 0,
        );
        assert_eq!(frames.sum(0, 10).totals().proton_charge, Some(0.0));
        assert_eq!(accepted_charge(f32::NAN), None);
        assert_eq!(accepted_charge(-1.0), None);
        assert_eq!(accepted_charge(f32::INFINITY), None);
    }

    #[test]
    fn vetoes_count_under_the_mask_in_force_and_the_repeat_number_is_none() {
        let mut frames = FrameStore::new(false);
        for time in [10, 20, 30] {
            frames.add_events(time, 1, &mut 0);
            frames.join_pulse(time, pulse(0x0300_0002, 0, 1.0), &mut 0);
        }
        assert_eq!(frames.sum(0, 100).totals().vetoed_frames, 0);
        assert_eq!(frames.set_mask(20, 0xff00_0002), Some((20, i64::MAX)));
        assert_eq!(frames.set_mask(30, 1), Some((30, i64::MAX)));
        assert_eq!(frames.set_mask(30, 1), None);
        assert_eq!(frames.set_mask(25, 0xff00_0002), None);
        let totals = frames.sum(0, 100).totals();
        assert_eq!((totals.vetoed_frames, totals.good_frames, totals.raw_frames), (1, 2, 3));
        assert_eq!((totals.events, totals.excluded_events), (2, 1));
        let table = frames.table(PulseTime::from_nanos(10), PulseTime::from_nanos(30));
        let pulses: Vec<_> = table.iter().collect();
        assert_eq!(pulses.len(), 2);
        assert_eq!((pulses[1].vetoed, pulses[1].vetos, pulses[1].repeat), (true, 2, 3));
        assert_eq!(table.get(PulseTime::from_nanos(30)), None);
        assert_eq!(table.get(PulseTime::from_nanos(20)).unwrap().time.nanos(), 20);
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let mut frames = FrameStore::new(true);
        let first = frames.join_frame(5, frame(0, 0.1, true), &mut 0);
        let mut sum = FrameSums::default();
        sum.add(&first.after, frames.masks());
        assert_eq!(sum.totals().good_frames, 0);
        sum.subtract(&first.after, frames.masks());
        assert_eq!(sum.totals(), RunTotals::default());
    }
}
