//! The ledger of pulses: one row per frame time, filled in any order, and the only source of charge.
//!
//! Promises: a frame counts once, however many messages carry its events or repeat its metadata; what pu00 says
//! wins over what rode on the events; unknown stays unknown. Sums are kept in integers, so that they do not depend
//! on the order of arrival. It must not know runs or chunks.

use std::sync::Arc;

use crate::run::RunTotals;
use crate::time::PulseTime;
use crate::timed::{Timed, TimedList};

/// The veto bits of pu00's field; the bits above are the frame's repeat number.
pub const VETO_BITS: u32 = 0x00ff_ffff;

/// Charges are summed in units of 2⁻⁴⁴ µA·h: 6·10⁻¹⁴, far below what a frame's `f32` resolves.
const CHARGE_UNIT: f64 = (1_u64 << 44) as f64;
/// A frame's charge beyond this, in µA·h, is not believed (a frame of ISIS has about 0.001).
const MAX_CHARGE: f32 = 1.0e6;

const PULSE_VETOS: u16 = 1;
const PULSE_PERIOD: u16 = 2;
const PULSE_CHARGE: u16 = 4;
const FRAME: u16 = 8;
const SETUP: u16 = 16;
const JOINED: u16 = 32;

/// One frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    time: i64,
    charge: f32,
    vetos: u32,
    events: u32,
    period: u16,
    flags: u16,
}

impl Timed for Row {
    fn time(&self) -> i64 {
        self.time
    }
}

impl Row {
    const fn new(time: i64) -> Self {
        Self {
            time,
            charge: f32::NAN,
            vetos: 0,
            events: 0,
            period: 0,
            flags: 0,
        }
    }

    const fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn join_frame(&mut self, metadata: Metadata) {
        if !self.has(FRAME) {
            if let (Some(period), false) = (metadata.period, self.has(PULSE_PERIOD)) {
                self.period = period;
            }
            if let (Some(charge), false) = (metadata.charge, self.has(PULSE_CHARGE)) {
                self.charge = charge;
            }
            if metadata.setup == Some(true) {
                self.flags |= SETUP;
            }
        }
        self.flags |= FRAME | JOINED;
    }

    pub(crate) const fn period(&self) -> u16 {
        self.period
    }

    pub(crate) const fn has_vetos(&self) -> bool {
        self.vetos & VETO_BITS != 0
    }

    pub(crate) const fn at(&self) -> i64 {
        self.time
    }

    pub(crate) const fn events(&self) -> u32 {
        self.events
    }
}

/// What a message says about a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) vetos: Option<u32>,
    pub(crate) period: Option<u16>,
    pub(crate) charge: Option<f32>,
    pub(crate) setup: Option<bool>,
}

/// A row before and after a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) before: Option<Row>,
    pub(crate) after: Row,
}

/// The veto masks in force, by time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    steps: Arc<Vec<(i64, u32)>>,
    exclude_setup: bool,
}

impl Masks {
    fn at(&self, time: i64) -> u32 {
        match self.steps.last() {
            None => 0,
            Some(&(from, mask)) if time >= from => mask,
            _ => self
                .steps
                .partition_point(|&(from, _)| from <= time)
                .checked_sub(1)
                .and_then(|index| self.steps.get(index))
                .map_or(0, |&(_, mask)| mask),
        }
    }

    pub(crate) fn vetoed(&self, row: &Row) -> bool {
        row.has_vetos() && row.vetos & VETO_BITS & self.at(row.time) != 0
    }

    pub(crate) fn good(&self, row: &Row) -> bool {
        !self.vetoed(row) && (!self.exclude_setup || !row.has(SETUP))
    }
}

/// One row per frame time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    rows: TimedList<Row>,
    masks: Masks,
}

impl Ledger {
    pub(crate) fn new(exclude_setup: bool) -> Self {
        Self {
            rows: TimedList::default(),
            masks: Masks {
                steps: Arc::default(),
                exclude_setup,
            },
        }
    }

    pub(crate) const fn masks(&self) -> &Masks {
        &self.masks
    }

    pub(crate) const fn rows(&self) -> &TimedList<Row> {
        &self.rows
    }

    /// Adds `events` events to the frame of `time`.
    pub(crate) fn add_events(&mut self, time: i64, events: u32, hint: &mut usize) -> Change {
        self.change(time, hint, |row| row.events = row.events.saturating_add(events))
    }

    /// Joins what pu00 says about the frame of `time`.
    pub(crate) fn join_pulse(&mut self, time: i64, metadata: Metadata, hint: &mut usize) -> Change {
        self.change(time, hint, |row| {
            if let (Some(vetos), false) = (metadata.vetos, row.has(PULSE_VETOS)) {
                row.vetos = vetos;
                row.flags |= PULSE_VETOS;
            }
            if let (Some(period), false) = (metadata.period, row.has(PULSE_PERIOD)) {
                row.period = period;
                row.flags |= PULSE_PERIOD;
            }
            if let (Some(charge), false) = (metadata.charge, row.has(PULSE_CHARGE)) {
                row.charge = charge;
                row.flags |= PULSE_CHARGE;
            }
            row.flags |= JOINED;
        })
    }

    /// Joins what rode on the events (is84) about the frame of `time`.
    #[cfg(test)]
    pub(crate) fn join_frame(&mut self, time: i64, metadata: Metadata, hint: &mut usize) -> Change {
        self.change(time, hint, |row| row.join_frame(metadata))
    }

    /// Adds events and joins what rode on them, in one look-up.
    pub(crate) fn add_events_and_join(
        &mut self,
        time: i64,
        events: u32,
        metadata: Metadata,
        hint: &mut usize,
    ) -> Change {
        self.change(time, hint, |row| {
            row.events = row.events.saturating_add(events);
            row.join_frame(metadata);
        })
    }

    /// Takes events away from the frame of `time`, if there is one.
    pub(crate) fn take_events(&mut self, time: i64, events: u32) -> Option<Change> {
        self.rows.get(time, &mut 0)?;
        Some(self.change(time, &mut 0, |row| row.events = row.events.saturating_sub(events)))
    }

    fn change(&mut self, time: i64, hint: &mut usize, change: impl FnOnce(&mut Row)) -> Change {
        let (row, made) = self.rows.entry(time, hint, || Row::new(time));
        let mut lost = Row::new(time);
        let row = row.unwrap_or(&mut lost);
        let before = (!made).then_some(*row);
        change(row);
        Change { before, after: *row }
    }

    /// Sets the mask in force from `time` on; says up to when it changed anything, if it did.
    pub(crate) fn set_mask(&mut self, time: i64, mask: u32) -> Option<(i64, i64)> {
        let steps = &self.masks.steps;
        let index = steps.partition_point(|&(from, _)| from < time);
        let until = |index: usize| steps.get(index).map_or(i64::MAX, |&(from, _)| from);
        match steps.get(index) {
            Some(&(from, known)) if from == time => {
                if known == mask {
                    return None;
                }
                let until = until(index + 1);
                if let Some(step) = Arc::make_mut(&mut self.masks.steps).get_mut(index) {
                    step.1 = mask;
                }
                Some((time, until))
            }
            _ => {
                let until = until(index);
                let before = self.masks.at(time);
                let first = self.masks.steps.is_empty();
                Arc::make_mut(&mut self.masks.steps).insert(index, (time, mask));
                (first || before != mask).then_some((time, until))
            }
        }
    }

    pub(crate) fn has_masks(&self) -> bool {
        !self.masks.steps.is_empty()
    }

    /// The sum over the frames with `from <= time < to`.
    pub(crate) fn sum(&self, from: i64, to: i64) -> Sum {
        let mut sum = Sum::default();
        for row in self.rows.range(from, to) {
            sum.add(row, &self.masks);
        }
        sum
    }

    /// Forgets frames before `time`, and masks no longer in force.
    pub(crate) fn forget_before(&mut self, time: i64) {
        self.rows.forget_before(time, |_| ());
        let in_force = self.masks.steps.partition_point(|&(from, _)| from <= time);
        if in_force > 64 {
            Arc::make_mut(&mut self.masks.steps).drain(..in_force - 1);
        }
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.rows.heap_bytes()
    }

    /// The frames from `start` up to `stop` as readers see them.
    pub(crate) fn table(&self, start: PulseTime, stop: PulseTime) -> PulseTable {
        PulseTable {
            rows: self.rows.clone(),
            masks: self.masks.clone(),
            start: start.nanos(),
            stop: stop.nanos(),
        }
    }
}

/// A believable charge of a frame, or nothing.
pub(crate) fn believable_charge(charge: f32) -> Option<f32> {
    (0.0..=MAX_CHARGE).contains(&charge).then_some(charge)
}

/// Exact sums over frames: what is added can be taken away again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    events: u64,
    excluded_events: u64,
    raw: u64,
    good: u64,
    vetoed: u64,
    setup: u64,
    charged: u64,
    charge: i128,
    /// One more than the highest period seen; never taken back.
    pub(crate) periods: u32,
    /// Whether veto bits were seen; never taken back.
    pub(crate) veto_bits: bool,
}

impl Sum {
    pub(crate) fn add(&mut self, row: &Row, masks: &Masks) {
        self.apply(row, masks, true);
        self.periods = self.periods.max(u32::from(row.period) + 1);
        self.veto_bits |= row.has_vetos();
    }

    pub(crate) fn take(&mut self, row: &Row, masks: &Masks) {
        self.apply(row, masks, false);
    }

    /// Adds what another sum has.
    pub(crate) fn join(&mut self, other: &Self) {
        self.events += other.events;
        self.excluded_events += other.excluded_events;
        self.raw += other.raw;
        self.good += other.good;
        self.vetoed += other.vetoed;
        self.setup += other.setup;
        self.charged += other.charged;
        self.charge += other.charge;
        self.periods = self.periods.max(other.periods);
        self.veto_bits |= other.veto_bits;
    }

    fn apply(&mut self, row: &Row, masks: &Masks, add: bool) {
        let step = |count: &mut u64, by: u64| {
            *count = if add {
                count.saturating_add(by)
            } else {
                count.saturating_sub(by)
            };
        };
        step(&mut self.raw, 1);
        if masks.vetoed(row) {
            step(&mut self.vetoed, 1);
        }
        if row.has(SETUP) {
            step(&mut self.setup, 1);
        }
        if !masks.good(row) {
            step(&mut self.excluded_events, u64::from(row.events));
            return;
        }
        step(&mut self.good, 1);
        step(&mut self.events, u64::from(row.events));
        if !row.charge.is_nan() {
            step(&mut self.charged, 1);
            #[allow(clippy::cast_possible_truncation)]
            let charge = (f64::from(row.charge) * CHARGE_UNIT).round() as i128;
            self.charge += if add { charge } else { -charge };
        }
    }

    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn totals(&self) -> RunTotals {
        RunTotals {
            events: self.events,
            excluded_events: self.excluded_events,
            raw_frames: self.raw,
            good_frames: self.good,
            vetoed_frames: self.vetoed,
            setup_frames: self.setup,
            charged_frames: self.charged,
            proton_charge: (self.charged > 0).then_some(self.charge as f64 / CHARGE_UNIT),
        }
    }
}

/// A frame as readers see it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pulse {
    /// Its pulse time.
    pub time: PulseTime,
    /// Its proton charge in µA·h, where known.
    pub proton_charge: Option<f32>,
    /// Its period, from 0; 0 where unknown.
    pub period: u16,
    /// Its veto bits, in force or not.
    pub vetos: u32,
    /// Its repeat number.
    pub repeat: u8,
    /// Whether a veto in force applies to it.
    pub vetoed: bool,
    /// Whether its run state was SETUP.
    pub setup: bool,
    /// Whether it counts: neither vetoed nor excluded as SETUP.
    pub good: bool,
    /// Whether any metadata were joined to it.
    pub joined: bool,
    /// Its events, over all messages, kept or not.
    pub events: u32,
}

/// The frames of a run at one moment, in time order.
#[derive(Clone, Debug)]
pub struct PulseTable {
    rows: TimedList<Row>,
    masks: Masks,
    start: i64,
    stop: i64,
}

impl PulseTable {
    fn pulse(&self, row: &Row) -> Pulse {
        Pulse {
            time: PulseTime::from_nanos(row.time),
            proton_charge: (!row.charge.is_nan()).then_some(row.charge),
            period: row.period,
            vetos: row.vetos & VETO_BITS,
            #[allow(clippy::cast_possible_truncation)]
            repeat: (row.vetos >> 24) as u8,
            vetoed: self.masks.vetoed(row),
            setup: row.has(SETUP),
            good: self.masks.good(row),
            joined: row.has(JOINED),
            events: row.events,
        }
    }

    pub(crate) const fn masks(&self) -> &Masks {
        &self.masks
    }

    /// The frames of the run, stretch by stretch; a stretch that is in the run as a whole comes with its owner.
    pub(crate) fn stretches(&self) -> impl Iterator<Item = (&[Row], Option<&Arc<Vec<Row>>>)> + '_ {
        self.rows.stretches(self.start, self.stop)
    }

    /// All frames of the run in time order, good or not.
    pub fn iter(&self) -> impl Iterator<Item = Pulse> + '_ {
        self.rows.range(self.start, self.stop).map(|row| self.pulse(row))
    }

    /// The frames of the run with `from <= time < to`, good or not.
    pub fn range(&self, from: PulseTime, to: PulseTime) -> impl Iterator<Item = Pulse> + '_ {
        let (from, to) = (from.nanos().max(self.start), to.nanos().min(self.stop));
        self.rows.range(from, to.max(from)).map(|row| self.pulse(row))
    }

    /// The frame of a pulse time, if the run has it.
    #[must_use]
    pub fn get(&self, time: PulseTime) -> Option<Pulse> {
        let time = time.nanos();
        if !(self.start..self.stop).contains(&time) {
            return None;
        }
        self.rows.get(time, &mut 0).map(|row| self.pulse(row))
    }

    /// The totals over the frames of the run.
    #[must_use]
    pub fn totals(&self) -> RunTotals {
        let mut sum = Sum::default();
        for row in self.rows.range(self.start, self.stop) {
            sum.add(row, &self.masks);
        }
        sum.totals()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pulse(vetos: u32, period: u16, charge: f32) -> Metadata {
        Metadata {
            vetos: Some(vetos),
            period: Some(period),
            charge: Some(charge),
            setup: None,
        }
    }

    fn frame(period: u16, charge: f32, setup: bool) -> Metadata {
        Metadata {
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
            let mut ledger = Ledger::new(false);
            for step in order {
                match step {
                    b'e' => ledger.add_events(20, 3, &mut 0),
                    b'p' => ledger.join_pulse(20, pulse(0, 2, 0.5), &mut 0),
                    _ => ledger.join_frame(20, frame(1, 9.0, true), &mut 0),
                };
            }
            seen.push(ledger.sum(0, 100));
        }
        assert!(seen.iter().all(|sum| *sum == seen[0]), "{seen:?}");
        let totals = seen[0].totals();
        assert_eq!((totals.events, totals.raw_frames, totals.charged_frames), (6, 1, 1));
        assert_eq!(totals.proton_charge, Some(0.5));
        assert_eq!((totals.setup_frames, seen[0].periods), (1, 3));
    }

    #[test]
    fn an_unknown_charge_is_not_zero() {
        let mut ledger = Ledger::new(false);
        ledger.add_events(1, 5, &mut 0);
        assert_eq!(ledger.sum(0, 10).totals().proton_charge, None);
        ledger.join_pulse(
            1,
            Metadata {
                charge: Some(0.0),
                ..Metadata::default()
            },
            &mut 0,
        );
        assert_eq!(ledger.sum(0, 10).totals().proton_charge, Some(0.0));
        assert_eq!(believable_charge(f32::NAN), None);
        assert_eq!(believable_charge(-1.0), None);
        assert_eq!(believable_charge(f32::INFINITY), None);
    }

    #[test]
    fn vetoes_count_under_the_mask_in_force_and_the_repeat_number_is_none() {
        let mut ledger = Ledger::new(false);
        for time in [10, 20, 30] {
            ledger.add_events(time, 1, &mut 0);
            ledger.join_pulse(time, pulse(0x0300_0002, 0, 1.0), &mut 0);
        }
        assert_eq!(ledger.sum(0, 100).totals().vetoed_frames, 0);
        assert_eq!(ledger.set_mask(20, 0xff00_0002), Some((20, i64::MAX)));
        assert_eq!(ledger.set_mask(30, 1), Some((30, i64::MAX)));
        assert_eq!(ledger.set_mask(30, 1), None);
        assert_eq!(ledger.set_mask(25, 0xff00_0002), None);
        let totals = ledger.sum(0, 100).totals();
        assert_eq!((totals.vetoed_frames, totals.good_frames, totals.raw_frames), (1, 2, 3));
        assert_eq!((totals.events, totals.excluded_events), (2, 1));
        let table = ledger.table(PulseTime::from_nanos(10), PulseTime::from_nanos(30));
        let pulses: Vec<_> = table.iter().collect();
        assert_eq!(pulses.len(), 2);
        assert_eq!((pulses[1].vetoed, pulses[1].vetos, pulses[1].repeat), (true, 2, 3));
        assert_eq!(table.get(PulseTime::from_nanos(30)), None);
        assert_eq!(table.get(PulseTime::from_nanos(20)).unwrap().time.nanos(), 20);
    }

    #[test]
    fn what_is_added_can_be_taken_away() {
        let mut ledger = Ledger::new(true);
        let first = ledger.join_frame(5, frame(0, 0.1, true), &mut 0);
        let mut sum = Sum::default();
        sum.add(&first.after, ledger.masks());
        assert_eq!(sum.totals().good_frames, 0);
        sum.take(&first.after, ledger.masks());
        assert_eq!(sum.totals(), RunTotals::default());
    }
}
