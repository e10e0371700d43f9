//! How events come in: checks once a message, the ledger once a pulse, one copy of the columns.
//!
//! Promises: an event is stored once or counted under the reason why not. It must not allocate per event or per
//! pulse in the common case.
//!
//! Out of range is a time of flight of 2³¹ ns (2.1 s) or more, which is what a negative value on the wire becomes:
//! such an event is counted and dropped, the rest of its message is kept.

use std::sync::atomic::Ordering;

use crate::chunk::MAX_PULSES;
use crate::dictionary::NO_ROOM;
use crate::duplicates::fingerprint;
use crate::entry::{Entry, Standing};
use crate::figures::Reason;
use crate::ledger::{Metadata, believable_charge};
use crate::message::{EventBatch, Ids, LeU32, Pulses};
use crate::outcome::{Ingested, Signal};
use crate::place::Place;
use crate::time::PulseTime;

use super::state::State;

/// Set in a time of flight that is out of range.
const OUT_OF_RANGE: u32 = 1 << 31;

/// The events of one pulse.
#[derive(Clone, Copy)]
struct PulseEvents<'a> {
    time: i64,
    time_of_flight: LeU32<'a>,
    ids: IdColumn<'a>,
}

#[derive(Clone, Copy)]
enum IdColumn<'a> {
    Given(LeU32<'a>),
    Same(u32),
}

/// Where a message came from, as its pulses need to know.
#[derive(Clone, Copy)]
struct Source<'a> {
    index: usize,
    place: &'a Place,
    again: bool,
    now: PulseTime,
}

/// What became of a message's events.
#[derive(Default)]
struct Outcome {
    stored: u64,
    dropped: u64,
    expired: Option<i64>,
    newest: Option<i64>,
    partly: Option<Reason>,
}

/// Checks that the columns fit each other.
fn check(batch: &EventBatch<'_>) -> Result<(), Reason> {
    let count = batch.time_of_flight.len();
    if let Ids::Given(ids) = batch.ids
        && ids.len() != count
    {
        return Err(Reason::EventColumns);
    }
    if let Pulses::Many { times, first } = batch.pulses {
        let ordered = first.iter().try_fold(0_i64, |before, index| {
            let index = i64::from(index);
            (index >= before).then_some(index)
        });
        let starts_at_zero = first.get(0).map_or(count == 0, |first| first == 0);
        let fits = ordered.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last <= count));
        if times.len() != first.len() || !starts_at_zero || !fits {
            return Err(Reason::PulseIndex);
        }
    }
    Ok(())
}

impl State {
    pub(super) fn events(
        &mut self,
        index: usize,
        place: &Place,
        again: bool,
        batch: &EventBatch<'_>,
        now: PulseTime,
    ) -> Ingested {
        if let Err(reason) = check(batch) {
            self.keep(index, place.offset, i64::MIN);
            return Ingested::Rejected(reason);
        }
        let count = batch.time_of_flight.len();
        let (print, producer) = fingerprint(batch);
        if !again {
            self.gaps.note(producer, batch.message_id);
        }
        if count > 0 && self.is_repeat(index, place, batch, print, again, now) {
            return Ingested::Repeat;
        }
        if self.schema != Some(batch.schema) {
            self.schema = Some(batch.schema);
            self.check_map();
        }
        let ids = match batch.ids {
            Ids::Given(ids) => IdColumn::Given(ids),
            Ids::Implicit => IdColumn::Same(self.config.implicit_ids.get(batch.source).copied().unwrap_or(0)),
        };
        let mut outcome = Outcome::default();
        let metadata = batch.frame.map(|frame| {
            let period = u16::try_from(frame.period).ok();
            let charge = f64::from(frame.proton_charge) * self.config.is84_charge_unit;
            #[allow(clippy::cast_possible_truncation)]
            let charge = believable_charge(charge as f32);
            match (period, charge) {
                (None, _) => outcome.partly = Some(Reason::Period),
                (_, None) => outcome.partly = Some(Reason::ProtonCharge),
                _ => {}
            }
            Metadata {
                vetos: None,
                period,
                charge,
                setup: Some(frame.setup),
            }
        });
        let source = Source {
            index,
            place,
            again,
            now,
        };
        match batch.pulses {
            Pulses::One(time) => {
                let events = PulseEvents {
                    time: time.nanos(),
                    time_of_flight: batch.time_of_flight,
                    ids,
                };
                self.pulse_events(source, events, metadata, &mut outcome);
            }
            Pulses::Many { times, first } => {
                for (number, time) in times.iter().enumerate() {
                    let start = first
                        .get(number)
                        .and_then(|first| usize::try_from(first).ok())
                        .unwrap_or(count);
                    let end = first
                        .get(number + 1)
                        .and_then(|first| usize::try_from(first).ok())
                        .unwrap_or(count);
                    let part = match ids {
                        IdColumn::Given(ids) => ids.slice(start, end).map(IdColumn::Given),
                        same @ IdColumn::Same(_) => Some(same),
                    };
                    if let (Some(time_of_flight), Some(ids)) = (batch.time_of_flight.slice(start, end), part) {
                        let frame = if number == 0 { metadata } else { None };
                        self.pulse_events(
                            source,
                            PulseEvents {
                                time,
                                time_of_flight,
                                ids,
                            },
                            frame,
                            &mut outcome,
                        );
                    }
                }
            }
        }
        self.finish(source, metadata.is_some(), &outcome)
    }

    fn is_repeat(
        &mut self,
        index: usize,
        place: &Place,
        batch: &EventBatch<'_>,
        print: u64,
        again: bool,
        now: PulseTime,
    ) -> bool {
        let time = match batch.pulses {
            Pulses::One(time) => time.nanos(),
            Pulses::Many { times, .. } => times.get(0).unwrap_or(0),
        };
        if !self.believable(time, place, now) {
            return false;
        }
        let partitions = &self.partitions;
        let held = |(partition, offset): (u32, i64)| {
            partitions
                .get(partition as usize)
                .is_some_and(|partition| partition.holds(offset))
        };
        let origin = (u32::try_from(index).unwrap_or(u32::MAX), place.offset);
        if !self.duplicates.is_repeat(time, print, origin, held) {
            return false;
        }
        // What the repeat would bring is held by the first, and is let go of with it.
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.keep_events(place.offset, time);
            partition.came_to(time);
        }
        if !again {
            self.figures.duplicate_messages += 1;
            self.figures.duplicate_events += batch.time_of_flight.len() as u64;
        }
        true
    }

    fn finish(&mut self, source: Source<'_>, metadata: bool, outcome: &Outcome) -> Ingested {
        let Source {
            index, place, again, ..
        } = source;
        let newest = outcome.newest;
        if let Some(partition) = self.partitions.get_mut(index) {
            if let Some(time) = newest {
                partition.came_to(time);
                if metadata {
                    partition.metadata_came_to(time);
                }
            }
            match partition.open.as_mut() {
                Some(entry) if outcome.stored > 0 => {
                    entry.add_offset().insert(place.offset);
                }
                _ => partition.keep_events(place.offset, newest.unwrap_or(i64::MIN)),
            }
        }
        if let (Some(time), 0) = (outcome.expired, outcome.stored) {
            self.expire(index, place.offset, time);
        }
        let full = self
            .partitions
            .get(index)
            .and_then(|partition| partition.open.as_ref())
            .is_some_and(|entry| entry.events() >= self.config.seal_events || entry.pulses() >= self.seal_pulses());
        if full {
            self.close(index);
        }
        if !again {
            self.figures.events += outcome.stored + outcome.dropped;
        }
        match outcome.partly {
            Some(reason) => {
                self.figures.reject(reason, 1);
                Ingested::Partly(reason)
            }
            None => Ingested::Events {
                stored: outcome.stored,
                dropped: outcome.dropped,
            },
        }
    }

    fn seal_pulses(&self) -> usize {
        self.config.seal_pulses.clamp(1, MAX_PULSES)
    }

    /// Takes in the events of one pulse.
    fn pulse_events(
        &mut self,
        source: Source<'_>,
        events: PulseEvents<'_>,
        metadata: Option<Metadata>,
        outcome: &mut Outcome,
    ) {
        if events.time_of_flight.iter().fold(0, |seen, time| seen | time) & OUT_OF_RANGE == 0 {
            self.good_events(source, events, metadata, outcome);
            return;
        }
        let (mut times, mut ids, mut dropped) = (Vec::new(), Vec::new(), 0);
        for (place, time) in events.time_of_flight.iter().enumerate() {
            if time & OUT_OF_RANGE != 0 {
                dropped += 1;
                continue;
            }
            times.extend(time.to_le_bytes());
            if let IdColumn::Given(column) = events.ids
                && let Some(id) = column.get(place)
            {
                ids.extend(id.to_le_bytes());
            }
        }
        if !source.again {
            self.figures.reject(Reason::TimeOfFlight, dropped);
        }
        outcome.dropped += dropped;
        let ids = match events.ids {
            IdColumn::Given(_) => IdColumn::Given(LeU32::new(&ids)),
            same @ IdColumn::Same(_) => same,
        };
        let events = PulseEvents {
            time: events.time,
            time_of_flight: LeU32::new(&times),
            ids,
        };
        self.good_events(source, events, metadata, outcome);
    }

    fn good_events(
        &mut self,
        source: Source<'_>,
        events: PulseEvents<'_>,
        metadata: Option<Metadata>,
        outcome: &mut Outcome,
    ) {
        let (time, count) = (events.time, events.time_of_flight.len());
        if !self.believable(time, source.place, source.now) {
            outcome.partly = Some(Reason::PulseTime);
            outcome.dropped += count as u64;
            return;
        }
        outcome.newest = outcome.newest.max(Some(time));
        let run = self.tracker.find(time).map(|run| run.id);
        if run.is_some() {
            self.inside += 1;
        } else {
            self.outside += 1;
            self.figures.pulses_outside_runs += u64::from(!source.again);
        }
        if time < self.horizon {
            outcome.expired = outcome.expired.max(Some(time));
            outcome.dropped += count as u64;
            if !source.again {
                self.figures.expired_events += count as u64;
            }
            return;
        }
        let data = run.and_then(|run| self.runs.get_mut(&run));
        let mut cut = i64::MAX;
        if let Some(data) = data {
            if data.complete {
                outcome.dropped += count as u64;
                if !source.again {
                    data.late_events += count as u64;
                    self.figures.late_events += count as u64;
                }
                return;
            }
            cut = data.cut;
        }
        self.saw(time);
        let index = source.index;
        let mut hint = self.partitions.get(index).map_or(0, |partition| partition.hint);
        let events_in_frame = u32::try_from(count).unwrap_or(u32::MAX);
        let change = match metadata {
            None => self.ledger.add_events(time, events_in_frame, &mut hint),
            Some(metadata) => self
                .ledger
                .add_events_and_join(time, events_in_frame, metadata, &mut hint),
        };
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hint = hint;
        }
        self.count(time, &change);
        if count == 0 {
            return;
        }
        if time >= cut || self.limited.is_some() || self.at_limit(time) {
            self.cut(run, time, count as u64);
            outcome.dropped += count as u64;
            return;
        }
        let good = self.ledger.masks().good(&change.after);
        let standing = Standing {
            run: run.filter(|_| good),
            period: change.after.period(),
        };
        outcome.stored += self.store(source, &events, standing);
    }

    /// Appends events to the partition's tail; says how many there was room for in the dictionary.
    fn store(&mut self, source: Source<'_>, events: &PulseEvents<'_>, standing: Standing) -> u64 {
        let (index, count) = (source.index, events.time_of_flight.len());
        let pulses = self.seal_pulses();
        let end = self.partitions.get(index).is_some_and(|partition| {
            let full = partition
                .open
                .as_ref()
                .is_some_and(|open| open.pulses() >= pulses && !open.ends_with(events.time));
            full || partition.went_back(source.place.offset)
        });
        if end {
            self.close(index);
        }
        let Some(partition) = self.partitions.get_mut(index) else {
            return 0;
        };
        let next = &mut self.next_entry;
        let entry = partition.open.get_or_insert_with(|| {
            *next += 1;
            Entry::new(*next, index)
        });
        let (pulse, new) = entry.pulse(events.time);
        if new {
            entry.place(usize::from(pulse), standing);
        }
        let ids = &mut self.ids;
        let (mut no_room, mut outside, mut example) = (0, 0, None);
        let stored = entry.append(pulse, count, |times, dense| {
            let start = dense.len();
            let mapped = match events.ids {
                IdColumn::Given(column) => ids.map(column, dense),
                IdColumn::Same(id) => {
                    let mut mapped = ids.map(LeU32::new(&id.to_le_bytes()), dense);
                    let one = dense.last().copied().unwrap_or(NO_ROOM);
                    dense.resize(start + count, one);
                    mapped.no_room *= count as u64;
                    mapped.outside *= count as u64;
                    mapped
                }
            };
            (no_room, outside, example) = (mapped.no_room, mapped.outside, mapped.example);
            if no_room == 0 {
                times.extend(events.time_of_flight.iter());
                return;
            }
            times.extend(
                events
                    .time_of_flight
                    .iter()
                    .zip(dense.iter().skip(start))
                    .filter(|(_, id)| **id != NO_ROOM)
                    .map(|(t, _)| t),
            );
            let mut place = 0;
            dense.retain(|&id| {
                place += 1;
                place <= start || id != NO_ROOM
            });
        }) as u64;
        self.tail_bytes += stored * 8;
        if !source.again {
            self.figures.ids_outside_map += outside;
            self.figures.id_outside_map = example.or(self.figures.id_outside_map);
            if no_room > 0 {
                self.figures.reject(Reason::TooManyIds, no_room);
            }
        }
        stored
    }

    /// Ends a partition's tail, which is then to be sealed.
    pub(super) fn close(&mut self, index: usize) {
        let Some(mut entry) = self
            .partitions
            .get_mut(index)
            .and_then(|partition| partition.open.take())
        else {
            return;
        };
        if let Some(tail) = entry.close() {
            self.to_seal.push((tail, self.ids.shift()));
        }
        self.entries.push(entry);
    }

    /// Whether the memory limit is reached; from `time` on no events are kept then.
    fn at_limit(&mut self, time: i64) -> bool {
        let Some(limit) = self.config.memory_limit else {
            return false;
        };
        if self.bytes() < limit {
            return false;
        }
        self.limited = Some(time);
        self.signals.push(Signal::MemoryLimit(PulseTime::from_nanos(time)));
        true
    }

    /// Bytes of everything that counts against the memory limit.
    pub(super) fn bytes(&self) -> u64 {
        self.event_bytes.load(Ordering::Relaxed) + self.tail_bytes + self.pulse_bytes + self.logs.bytes()
    }

    /// Ends a run's view at `time`, from which on its events are not kept.
    fn cut(&mut self, run: Option<u32>, time: i64, count: u64) {
        self.figures.not_kept_events += count;
        let Some((run, data)) = run.and_then(|run| self.runs.get_mut(&run).map(|data| (run, data))) else {
            return;
        };
        data.not_kept += count;
        if time < data.cut {
            let to = std::mem::replace(&mut data.cut, time);
            let stop = self.tracker.get(run).map_or(i64::MAX, |run| run.stop);
            self.reassess_selections(time, to.min(stop));
        }
    }
}
