//! The frames of a run as readers see them.
//!
//! Promises: immutable; shares its rows with the timeline, so that a snapshot copies none.

use std::sync::Arc;

use crate::frame_row::FrameRow;
use crate::frame_sums::FrameSums;
use crate::run::RunTotals;
use crate::time::PulseTime;
use crate::timed::TimedList;
use crate::veto_masks::VetoMasks;

/// One frame of the accelerator: all events and metadata of one pulse time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    pub time: PulseTime,
    /// µA·h; `None` while unknown.
    pub proton_charge: Option<f32>,
    /// From 0; 0 while unknown.
    pub period: u16,
    /// Bits 0–23 of pu00's `vetos`, in force or not.
    pub vetos: u32,
    /// Bits 24–31 of pu00's `vetos`.
    pub repeat: u8,
    /// True if one of [`Self::vetos`] is in force (vc00).
    pub vetoed: bool,
    /// True if is84 gave the run state SETUP.
    pub setup: bool,
    /// True if the frame counts: neither vetoed nor excluded as SETUP.
    pub good: bool,
    /// True once metadata of a pu00 or is84 arrived.
    pub joined: bool,
    /// Events of all messages of the frame, stored or not.
    pub events: u32,
}

/// Frames of a run at one moment, in time order. Cloning shares the rows.
#[derive(Clone, Debug)]
pub struct PulseTable {
    rows: TimedList<FrameRow>,
    masks: VetoMasks,
    start: i64,
    stop: i64,
}

impl PulseTable {
    pub(crate) fn new(rows: &TimedList<FrameRow>, masks: &VetoMasks, start: PulseTime, stop: PulseTime) -> Self {
        Self {
            rows: rows.clone(),
            masks: masks.clone(),
            start: start.nanos(),
            stop: stop.nanos(),
        }
    }

    fn pulse(&self, row: &FrameRow) -> Pulse {
        Pulse {
            time: PulseTime::from_nanos(row.pulse_time()),
            proton_charge: row.charge(),
            period: row.period(),
            vetos: row.veto_bits(),
            repeat: row.repeat(),
            vetoed: self.masks.vetoed(row),
            setup: row.is_setup(),
            good: self.masks.good(row),
            joined: row.is_joined(),
            events: row.events(),
        }
    }

    pub(crate) const fn masks(&self) -> &VetoMasks {
        &self.masks
    }

    /// Frames of the run in slices; a slice that lies in the run as a whole comes with its shared owner.
    pub(crate) fn slices(&self) -> impl Iterator<Item = (&[FrameRow], Option<&Arc<Vec<FrameRow>>>)> + '_ {
        self.rows.slices(self.start, self.stop)
    }

    /// Frames of the run in time order, good or not.
    pub fn iter(&self) -> impl Iterator<Item = Pulse> + '_ {
        self.rows.range(self.start, self.stop).map(|row| self.pulse(row))
    }

    /// Frames of the run with a pulse time in `[from, to)`, good or not.
    pub fn range(&self, from: PulseTime, to: PulseTime) -> impl Iterator<Item = Pulse> + '_ {
        let (from, to) = (from.nanos().max(self.start), to.nanos().min(self.stop));
        self.rows.range(from, to.max(from)).map(|row| self.pulse(row))
    }

    /// Frame of exactly this pulse time; `None` outside the run's bounds.
    #[must_use]
    pub fn get(&self, time: PulseTime) -> Option<Pulse> {
        let time = time.nanos();
        if !(self.start..self.stop).contains(&time) {
            return None;
        }
        self.rows.get(time, &mut 0).map(|row| self.pulse(row))
    }

    /// Sums over the frames of the run, O(frames); [`PeriodTotals`](crate::period_totals::PeriodTotals) sums changed
    /// frames only.
    #[must_use]
    pub fn totals(&self) -> RunTotals {
        let mut sum = FrameSums::default();
        for row in self.rows.range(self.start, self.stop) {
            sum.add(row, &self.masks);
        }
        sum.totals()
    }
}
