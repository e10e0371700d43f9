//! Ingest of event messages: validation once per message, frames once per pulse, one copy of the columns.
//!
//! Promises: an event is stored once, or counted under the reason for which it was not. It must not allocate per event,
//! nor per pulse in the common case.
//!
//! A time of flight of 2³¹ ns (2.1 s) or more is out of range; a negative value on the wire becomes one. Such an event
//! is counted and dropped, the rest of its message is stored.

use std::sync::atomic::Ordering;

use crate::chunk::MAX_PULSES;
use crate::counters::Refusal;
use crate::dictionary::NO_DENSE_ID;
use crate::duplicates::checksums;
use crate::frame_row::{FrameMetadata, accepted_charge};
use crate::frame_store::FrameChange;
use crate::message::{EventBatch, Frame, IdColumn, LeU32, PulseColumns};
use crate::outcome::{IngestOutcome, Signal};
use crate::record_position::RecordPosition;
use crate::seal::FullTail;
use crate::time::PulseTime;
use crate::timeline_chunk::{PulseAssignment, TimelineChunk};

use super::state::TimelineState;

/// Bit of a time of flight that is out of range.
const OUT_OF_RANGE: u32 = 1 << 31;

/// Events of one pulse in a message.
#[derive(Clone, Copy)]
struct PulseEvents<'a> {
    time: i64,
    time_of_flight: LeU32<'a>,
    ids: PulseIds<'a>,
}

/// Ids of the events of one pulse.
#[derive(Clone, Copy)]
enum PulseIds<'a> {
    PerEvent(LeU32<'a>),
    /// One id for all events.
    Same(u32),
}

impl PulseIds<'_> {
    /// Ids of the events in `[start, stop)`; `None` if any of them does not exist.
    fn slice(self, start: usize, stop: usize) -> Option<Self> {
        match self {
            Self::PerEvent(ids) => ids.slice(start, stop).map(Self::PerEvent),
            Self::Same(_) => Some(self),
        }
    }
}

/// Context of a record for the ingest of its pulses.
#[derive(Clone, Copy)]
struct RecordContext<'a> {
    index: usize,
    position: &'a RecordPosition,
    read_before: bool,
    now: PulseTime,
}

/// Sums over the pulses of a message.
#[derive(Default)]
struct BatchTotals {
    stored: u64,
    dropped: u64,
    /// Latest pulse time (ns) before the horizon.
    expired: Option<i64>,
    /// Latest plausible pulse time, ns.
    newest: Option<i64>,
    /// Reason for which part of the message was refused.
    refused_part: Option<Refusal>,
}

/// Checks that the columns of a message fit each other.
fn validate_columns(batch: &EventBatch<'_>) -> Result<(), Refusal> {
    let count = batch.time_of_flight.len();
    if let IdColumn::PerEvent(ids) = batch.ids
        && ids.len() != count
    {
        return Err(Refusal::EventColumns);
    }
    if let PulseColumns::Multiple { times, first } = batch.pulses {
        let ordered = first.iter().try_fold(0_i64, |before, index| {
            let index = i64::from(index);
            (index >= before).then_some(index)
        });
        let starts_at_zero = first.get(0).map_or(count == 0, |first| first == 0);
        let fits = ordered.is_some_and(|last| usize::try_from(last).is_ok_and(|last| last <= count));
        if times.len() != first.len() || !starts_at_zero || !fits {
            return Err(Refusal::PulseIndex);
        }
    }
    Ok(())
}

impl TimelineState {
    pub(super) fn ingest_events(
        &mut self,
        index: usize,
        position: &RecordPosition,
        read_before: bool,
        batch: &EventBatch<'_>,
        now: PulseTime,
    ) -> IngestOutcome {
        if let Err(reason) = validate_columns(batch) {
            self.hold_metadata(index, position.offset, i64::MIN);
            return IngestOutcome::Refused(reason);
        }
        let count = batch.time_of_flight.len();
        let (checksum, producer) = checksums(batch);
        if !read_before {
            self.gaps.record(producer, batch.message_id);
        }
        if count > 0 && self.is_duplicate(index, position, batch, checksum, read_before, now) {
            return IngestOutcome::Duplicate;
        }
        if self.schema != Some(batch.schema) {
            self.schema = Some(batch.schema);
            self.set_expected_ids();
        }
        let ids = match batch.ids {
            IdColumn::PerEvent(ids) => PulseIds::PerEvent(ids),
            IdColumn::Implicit => PulseIds::Same(self.config.implicit_ids.get(batch.source).copied().unwrap_or(0)),
        };
        let mut totals = BatchTotals::default();
        let metadata = batch.frame.map(|frame| self.frame_metadata(frame, &mut totals));
        let source = RecordContext {
            index,
            position,
            read_before,
            now,
        };
        match batch.pulses {
            PulseColumns::Single(time) => {
                let events = PulseEvents {
                    time: time.nanos(),
                    time_of_flight: batch.time_of_flight,
                    ids,
                };
                self.ingest_pulse_events(source, events, metadata, &mut totals);
            }
            PulseColumns::Multiple { times, first } => {
                let bound = |number: usize| {
                    first
                        .get(number)
                        .and_then(|first| usize::try_from(first).ok())
                        .unwrap_or(count)
                };
                for (number, time) in times.iter().enumerate() {
                    let (start, stop) = (bound(number), bound(number + 1));
                    if let (Some(time_of_flight), Some(ids)) =
                        (batch.time_of_flight.slice(start, stop), ids.slice(start, stop))
                    {
                        let events = PulseEvents {
                            time,
                            time_of_flight,
                            ids,
                        };
                        let frame = if number == 0 { metadata } else { None };
                        self.ingest_pulse_events(source, events, frame, &mut totals);
                    }
                }
            }
        }
        self.finish_batch(source, metadata.is_some(), &totals)
    }

    /// Metadata of a frame from its event message; an implausible value counts as a refusal and is left out.
    fn frame_metadata(&self, frame: Frame, totals: &mut BatchTotals) -> FrameMetadata {
        let period = u16::try_from(frame.period).ok();
        let charge = f64::from(frame.proton_charge) * self.config.is84_charge_unit;
        #[allow(clippy::cast_possible_truncation)]
        let charge = accepted_charge(charge as f32);
        match (period, charge) {
            (None, _) => totals.refused_part = Some(Refusal::Period),
            (_, None) => totals.refused_part = Some(Refusal::ProtonCharge),
            _ => {}
        }
        FrameMetadata {
            vetos: None,
            period,
            charge,
            setup: Some(frame.setup),
        }
    }

    fn is_duplicate(
        &mut self,
        index: usize,
        position: &RecordPosition,
        batch: &EventBatch<'_>,
        checksum: u64,
        read_before: bool,
        now: PulseTime,
    ) -> bool {
        let time = match batch.pulses {
            PulseColumns::Single(time) => time.nanos(),
            PulseColumns::Multiple { times, .. } => times.get(0).unwrap_or(0),
        };
        if !self.is_plausible(time, position, now) {
            return false;
        }
        let partitions = &self.partitions;
        let held = |(partition, offset): (u32, i64)| {
            partitions
                .get(partition as usize)
                .is_some_and(|partition| partition.holds(offset))
        };
        let origin = (u32::try_from(index).unwrap_or(u32::MAX), position.offset);
        if !self.duplicates.is_duplicate(time, checksum, origin, held) {
            return false;
        }
        // The first message holds the content; this offset is released with it.
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hold_dropped_events(position.offset, time);
            partition.record_time(time);
        }
        if !read_before {
            self.counters.duplicate_messages += 1;
            self.counters.duplicate_events += batch.time_of_flight.len() as u64;
        }
        true
    }

    fn finish_batch(&mut self, source: RecordContext<'_>, metadata: bool, totals: &BatchTotals) -> IngestOutcome {
        let RecordContext {
            index,
            position,
            read_before,
            ..
        } = source;
        let newest = totals.newest;
        if let Some(partition) = self.partitions.get_mut(index) {
            if let Some(time) = newest {
                partition.record_time(time);
                if metadata {
                    partition.record_metadata_time(time);
                }
            }
            match partition.open.as_mut() {
                Some(chunk) if totals.stored > 0 => {
                    chunk.offsets_mut().insert(position.offset);
                }
                _ => partition.hold_dropped_events(position.offset, newest.unwrap_or(i64::MIN)),
            }
        }
        if let (Some(time), 0) = (totals.expired, totals.stored) {
            self.expire(index, position.offset, time);
        }
        let full = self
            .partitions
            .get(index)
            .and_then(|partition| partition.open.as_ref())
            .is_some_and(|chunk| chunk.events() >= self.config.seal_events || chunk.pulses() >= self.seal_pulses());
        if full {
            self.close_chunk(index);
        }
        if !read_before {
            self.counters.events += totals.stored + totals.dropped;
        }
        match totals.refused_part {
            Some(reason) => {
                self.counters.reject(reason, 1);
                IngestOutcome::PartlyRefused(reason)
            }
            None => IngestOutcome::Events {
                stored: totals.stored,
                dropped: totals.dropped,
            },
        }
    }

    fn seal_pulses(&self) -> usize {
        self.config.seal_pulses.clamp(1, MAX_PULSES)
    }

    /// Ingests the events of one pulse, without those that are out of range.
    fn ingest_pulse_events(
        &mut self,
        source: RecordContext<'_>,
        events: PulseEvents<'_>,
        metadata: Option<FrameMetadata>,
        totals: &mut BatchTotals,
    ) {
        if events.time_of_flight.iter().fold(0, |seen, time| seen | time) & OUT_OF_RANGE == 0 {
            self.store_pulse(source, events, metadata, totals);
            return;
        }
        let (mut times, mut ids, mut dropped) = (Vec::new(), Vec::new(), 0);
        for (position, time) in events.time_of_flight.iter().enumerate() {
            if time & OUT_OF_RANGE != 0 {
                dropped += 1;
                continue;
            }
            times.extend(time.to_le_bytes());
            if let PulseIds::PerEvent(column) = events.ids
                && let Some(id) = column.get(position)
            {
                ids.extend(id.to_le_bytes());
            }
        }
        if !source.read_before {
            self.counters.reject(Refusal::TimeOfFlight, dropped);
        }
        totals.dropped += dropped;
        let ids = match events.ids {
            PulseIds::PerEvent(_) => PulseIds::PerEvent(LeU32::new(&ids)),
            same @ PulseIds::Same(_) => same,
        };
        let events = PulseEvents {
            time: events.time,
            time_of_flight: LeU32::new(&times),
            ids,
        };
        self.store_pulse(source, events, metadata, totals);
    }

    /// Adds a pulse's events and metadata to its frame.
    fn join_frame(
        &mut self,
        source: RecordContext<'_>,
        time: i64,
        count: usize,
        metadata: Option<FrameMetadata>,
    ) -> FrameChange {
        let index = source.index;
        let mut hint = self.partitions.get(index).map_or(0, |partition| partition.hint);
        let events_in_frame = u32::try_from(count).unwrap_or(u32::MAX);
        let change = match metadata {
            None => self.frames.add_events(time, events_in_frame, &mut hint),
            Some(metadata) => self
                .frames
                .add_events_and_join(time, events_in_frame, metadata, &mut hint),
        };
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hint = hint;
        }
        change
    }

    /// Ingests events of one pulse that are all in range. Counts them, joins their frame, and stores them unless they
    /// are late, expired or beyond the memory limit.
    fn store_pulse(
        &mut self,
        source: RecordContext<'_>,
        events: PulseEvents<'_>,
        metadata: Option<FrameMetadata>,
        totals: &mut BatchTotals,
    ) {
        let (time, count) = (events.time, events.time_of_flight.len());
        if !self.is_plausible(time, source.position, source.now) {
            totals.refused_part = Some(Refusal::PulseTime);
            totals.dropped += count as u64;
            return;
        }
        totals.newest = totals.newest.max(Some(time));
        let run = self.tracker.find(time).map(|run| run.id);
        if run.is_some() {
            self.pulses_inside += 1;
        } else {
            self.pulses_outside += 1;
            self.counters.pulses_outside_runs += u64::from(!source.read_before);
        }
        if time < self.horizon {
            totals.expired = totals.expired.max(Some(time));
            totals.dropped += count as u64;
            if !source.read_before {
                self.counters.expired_events += count as u64;
            }
            return;
        }
        let mut view_end = i64::MAX;
        if let Some(data) = run.and_then(|run| self.runs.get_mut(&run)) {
            if data.complete {
                totals.dropped += count as u64;
                if !source.read_before {
                    data.late_events += count as u64;
                    self.counters.late_events += count as u64;
                }
                return;
            }
            view_end = data.view_end;
        }
        self.note_pulse_time(time);
        let change = self.join_frame(source, time, count, metadata);
        self.apply_frame_change(time, &change);
        if count == 0 {
            return;
        }
        if time >= view_end || self.limit_reached_at.is_some() || self.at_limit(time) {
            self.cut_view(run, time, count as u64);
            totals.dropped += count as u64;
            return;
        }
        let good = self.frames.masks().good(&change.after);
        let assignment = PulseAssignment {
            run: run.filter(|_| good),
            period: change.after.period(),
        };
        totals.stored += self.store(source, &events, assignment);
    }

    /// Closes the open chunk if it is full for a pulse of this time (ns), or if reading of the partition went back.
    fn close_before(&mut self, source: RecordContext<'_>, time: i64) {
        let index = source.index;
        let pulses = self.seal_pulses();
        let must_close = self.partitions.get(index).is_some_and(|partition| {
            let full = partition
                .open
                .as_ref()
                .is_some_and(|open| open.pulses() >= pulses && !open.ends_with(time));
            full || partition.precedes_open_chunk(source.position.offset)
        });
        if must_close {
            self.close_chunk(index);
        }
    }

    /// Appends events to the partition's open chunk. Returns their number, without ids that the full dictionary
    /// refused.
    fn store(&mut self, source: RecordContext<'_>, events: &PulseEvents<'_>, assignment: PulseAssignment) -> u64 {
        let (index, count) = (source.index, events.time_of_flight.len());
        self.close_before(source, events.time);
        let Some(partition) = self.partitions.get_mut(index) else {
            return 0;
        };
        let last_id = &mut self.last_chunk_id;
        let chunk = partition.open.get_or_insert_with(|| {
            *last_id += 1;
            TimelineChunk::new(*last_id, index)
        });
        let (pulse, new) = chunk.pulse_index(events.time);
        if new {
            chunk.assign(usize::from(pulse), assignment);
        }
        let ids = &mut self.ids;
        let (mut unmapped, mut outside, mut example) = (0, 0, None);
        let stored = chunk.append(pulse, count, |times, dense| {
            let start = dense.len();
            let mapped = match events.ids {
                PulseIds::PerEvent(column) => ids.append_dense(column, dense),
                PulseIds::Same(id) => {
                    let mut mapped = ids.append_dense(LeU32::new(&id.to_le_bytes()), dense);
                    let last = dense.last().copied().unwrap_or(NO_DENSE_ID);
                    dense.resize(start + count, last);
                    mapped.unmapped *= count as u64;
                    mapped.outside *= count as u64;
                    mapped
                }
            };
            (unmapped, outside, example) = (mapped.unmapped, mapped.outside, mapped.example);
            if unmapped == 0 {
                times.extend(events.time_of_flight.iter());
                return;
            }
            times.extend(
                events
                    .time_of_flight
                    .iter()
                    .zip(dense.iter().skip(start))
                    .filter(|(_, id)| **id != NO_DENSE_ID)
                    .map(|(t, _)| t),
            );
            let mut position = 0;
            dense.retain(|&id| {
                position += 1;
                position <= start || id != NO_DENSE_ID
            });
        }) as u64;
        self.tail_bytes += stored * 8;
        if !source.read_before {
            self.counters.ids_outside_map += outside;
            self.counters.id_outside_map = example.or(self.counters.id_outside_map);
            if unmapped > 0 {
                self.counters.reject(Refusal::TooManyIds, unmapped);
            }
        }
        stored
    }

    /// Closes a partition's open chunk and queues its tail for sealing.
    pub(super) fn close_chunk(&mut self, index: usize) {
        let Some(mut chunk) = self
            .partitions
            .get_mut(index)
            .and_then(|partition| partition.open.take())
        else {
            return;
        };
        if let Some(tail) = chunk.close() {
            self.full_tails.push(FullTail {
                tail,
                shift: self.ids.shift(),
            });
        }
        self.chunks.push(chunk);
    }

    /// True if the memory limit is reached; then no events from `time` (ns) on are stored.
    fn at_limit(&mut self, time: i64) -> bool {
        let Some(limit) = self.config.memory_limit else {
            return false;
        };
        if self.bytes() < limit {
            return false;
        }
        self.limit_reached_at = Some(time);
        self.signals.push(Signal::MemoryLimit(PulseTime::from_nanos(time)));
        true
    }

    /// Bytes that count against the memory limit: events, pulses and logs.
    pub(super) fn bytes(&self) -> u64 {
        self.event_bytes.load(Ordering::Relaxed) + self.tail_bytes + self.pulse_bytes + self.logs.bytes()
    }

    /// Cuts a run's view at `time` (ns), from which its events are not stored, and counts `count` events.
    fn cut_view(&mut self, run: Option<u32>, time: i64, count: u64) {
        self.counters.not_kept_events += count;
        let Some((run, data)) = run.and_then(|run| self.runs.get_mut(&run).map(|data| (run, data))) else {
            return;
        };
        data.not_kept += count;
        if time < data.view_end {
            let to = std::mem::replace(&mut data.view_end, time);
            let stop = self.tracker.get(run).map_or(i64::MAX, |run| run.stop);
            self.reassess_selections(time, to.min(stop));
        }
    }
}
