//! State of the timeline, and the ingest of records by schema.
//!
//! Promises: each (partition, offset) has effect once, and every record is counted. It must not lock, wait or read a
//! clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::config::TimelineConfig;
use crate::counters::{Counters, Refusal};
use crate::dictionary::IdDictionary;
use crate::duplicates::DuplicateFilter;
use crate::frame_row::{FrameMetadata, accepted_charge};
use crate::frame_store::{FrameChange, FrameStore};
use crate::logs::{LogInsertion, LogStore};
use crate::message::{EventSchema, Message, PulseMetadata, VetoConfig};
use crate::message_gaps::MessageGaps;
use crate::outcome::{IngestOutcome, Signal};
use crate::partition::{PartitionState, RecordRead};
use crate::record_position::{PartitionKey, RecordPosition};
use crate::seal::FullTail;
use crate::time::PulseTime;
use crate::timeline_chunk::TimelineChunk;
use crate::tracker::RunTracker;

use super::run_data::RunData;

/// Batch size of changed frames that are applied to the chunks.
const CHANGED_FRAMES_BATCH: usize = 512;

/// Contents of a timeline.
#[derive(Debug)]
pub(super) struct TimelineState {
    pub(super) config: TimelineConfig,
    pub(super) partitions: Vec<PartitionState>,
    /// Index in `partitions`.
    index: HashMap<PartitionKey, usize>,
    pub(super) tracker: RunTracker,
    pub(super) runs: BTreeMap<u32, RunData>,
    pub(super) frames: FrameStore,
    pub(super) logs: Arc<LogStore>,
    pub(super) ids: IdDictionary,
    pub(super) duplicates: DuplicateFilter,
    pub(super) gaps: MessageGaps,
    pub(super) chunks: Vec<TimelineChunk>,
    /// Id of the latest chunk.
    pub(super) last_chunk_id: u64,
    /// Closed tails for the sealer, in the order of closing.
    pub(super) full_tails: Vec<FullTail>,
    /// Pulse times (ns) of frames whose assignment changed, for [`Self::apply_changed_frames`].
    pub(super) changed_frames: Vec<i64>,
    pub(super) counters: Counters,
    pub(super) signals: Vec<Signal>,
    /// Bytes of sealed chunks, those that only a snapshot holds included.
    pub(super) event_bytes: Arc<AtomicU64>,
    /// Bytes of events in open and in unsealed tails.
    pub(super) tail_bytes: u64,
    /// Bytes of frames, dictionary and selections at the latest call of `free`.
    pub(super) pulse_bytes: u64,
    /// Pulse time (ns) at which the memory limit was reached; no events are stored meanwhile.
    pub(super) limit_reached_at: Option<i64>,
    /// Pulse time (ns) from which all data are in memory or will be read.
    pub(super) covered_from: Option<i64>,
    /// Pulse time (ns) before which no run needs data.
    pub(super) horizon: i64,
    /// Earliest pulse time, ns; `i64::MAX` before the first.
    pub(super) oldest_pulse: i64,
    /// Latest pulse time, ns; `i64::MIN` before the first.
    pub(super) newest_pulse: i64,
    /// Pulses in runs since `window_start`; see [`Signal::EveryPulseOutside`].
    pub(super) pulses_inside: u64,
    pub(super) pulses_outside: u64,
    pub(super) window_start: Option<PulseTime>,
    /// Schema of the latest event message.
    pub(super) schema: Option<EventSchema>,
    /// Wall-clock time and number of events, for the event rate.
    pub(super) rate_samples: VecDeque<(PulseTime, u64)>,
}

impl TimelineState {
    pub(super) fn new(config: TimelineConfig) -> Self {
        Self {
            partitions: Vec::new(),
            index: HashMap::new(),
            tracker: RunTracker::new(config.run_clock_offset),
            runs: BTreeMap::new(),
            frames: FrameStore::new(config.exclude_setup),
            logs: Arc::new(LogStore::new(&config.instrument, config.log_limit)),
            ids: IdDictionary::default(),
            duplicates: DuplicateFilter::new(config.duplicate_window),
            gaps: MessageGaps::default(),
            chunks: Vec::new(),
            last_chunk_id: 0,
            full_tails: Vec::new(),
            changed_frames: Vec::new(),
            counters: Counters::default(),
            signals: Vec::new(),
            event_bytes: Arc::default(),
            tail_bytes: 0,
            pulse_bytes: 0,
            limit_reached_at: None,
            covered_from: None,
            horizon: i64::MIN,
            oldest_pulse: i64::MAX,
            newest_pulse: i64::MIN,
            pulses_inside: 0,
            pulses_outside: 0,
            window_start: None,
            rate_samples: VecDeque::new(),
            schema: None,
            config,
        }
    }

    /// Index of a partition, which is added if it is new.
    pub(super) fn partition(&mut self, key: PartitionKey) -> usize {
        let count = self.partitions.len();
        let index = *self.index.entry(key).or_insert(count);
        if index == count {
            self.partitions.push(PartitionState::new(key));
        }
        index
    }

    /// Records the reading of a record; returns the index of its partition too.
    fn read(&mut self, position: &RecordPosition) -> (usize, RecordRead) {
        let index = self.partition(position.partition);
        let unknown = RecordRead {
            already_held: true,
            read_before: true,
        };
        let partition = self.partitions.get_mut(index);
        (
            index,
            partition.map_or(unknown, |partition| partition.read(position.offset)),
        )
    }

    pub(super) fn count_undecodable(&mut self, position: &RecordPosition, schema: &'static str, reason: &'static str) {
        let (index, read) = self.read(position);
        if read.already_held || read.read_before {
            return;
        }
        self.hold_metadata(index, position.offset, i64::MIN);
        *self.counters.rejected.entry(reason).or_insert(0) += 1;
        self.counters.schema(schema).rejected += 1;
    }

    /// Ingests a record and counts its outcome.
    pub(super) fn ingest(&mut self, position: RecordPosition, message: Message<'_>, now: PulseTime) -> IngestOutcome {
        let schema = message.schema();
        let (
            index,
            RecordRead {
                already_held,
                read_before,
            },
        ) = self.read(&position);
        if already_held {
            self.counters.schema(schema).held += 1;
            return IngestOutcome::AlreadyHeld;
        }
        let outcome = match message {
            Message::Events(batch) => self.ingest_events(index, &position, read_before, &batch, now),
            Message::Pulse(metadata) => self.ingest_pulse(index, &position, &metadata, now),
            Message::RunStart(start) => self.ingest_run_start(&position, start, now),
            Message::RunStop(stop) => self.ingest_run_stop(&position, &stop, now),
            Message::Log(sample) => {
                let time = sample.time.nanos();
                self.ingest_log(index, &position, read_before, time, now, |logs| logs.insert(sample))
            }
            Message::Alarm(alarm) => {
                let time = alarm.time.nanos();
                self.ingest_log(index, &position, read_before, time, now, |logs| {
                    logs.insert_alarm(alarm)
                })
            }
            Message::Units(units) => {
                // A unit without a time is valid: its record's timestamp is checked.
                self.ingest_log(
                    index,
                    &position,
                    read_before,
                    position.timestamp().nanos(),
                    now,
                    |logs| logs.set_units(units),
                )
            }
            Message::VetoConfig(veto) => self.ingest_veto(&veto, now),
            Message::Ignored(_) => {
                self.hold_metadata(index, position.offset, i64::MIN);
                IngestOutcome::Recorded
            }
        };
        if self.changed_frames.len() >= CHANGED_FRAMES_BATCH {
            self.apply_changed_frames();
        }
        let counters = self.counters.schema(schema);
        match outcome {
            IngestOutcome::Events { .. } | IngestOutcome::Recorded | IngestOutcome::PartlyRefused(_) => {
                counters.accepted += 1
            }
            IngestOutcome::Duplicate => counters.repeated += 1,
            IngestOutcome::AlreadyHeld => counters.held += 1,
            IngestOutcome::Refused(_) => counters.rejected += 1,
        }
        if let (IngestOutcome::Refused(reason), false) = (outcome, read_before) {
            self.counters.reject(reason, 1);
        }
        outcome
    }

    /// Holds a record of metadata or a log until `time` (ns) is forgotten.
    pub(super) fn hold_metadata(&mut self, index: usize, offset: i64, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hold_metadata(offset, time);
        }
    }

    /// Records the time (ns) of a pulse or log value in a partition.
    pub(super) fn record_time(&mut self, index: usize, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.record_time(time);
        }
    }

    /// True if a pulse time (ns) lies between `clock_start` and `clock_ahead` after wall clock or record timestamp.
    pub(super) fn is_plausible(&self, time: i64, position: &RecordPosition, now: PulseTime) -> bool {
        let latest = now.max(position.timestamp()).plus(self.config.clock_ahead);
        (self.config.clock_start..=latest.nanos()).contains(&time)
    }

    fn ingest_pulse(
        &mut self,
        index: usize,
        position: &RecordPosition,
        message: &PulseMetadata,
        now: PulseTime,
    ) -> IngestOutcome {
        let time = message.reference_time.nanos();
        if !self.is_plausible(time, position, now) {
            self.hold_metadata(index, position.offset, i64::MIN);
            return IngestOutcome::Refused(Refusal::PulseTime);
        }
        if time < self.horizon {
            self.expire(index, position.offset, time);
            return IngestOutcome::Recorded;
        }
        let mut partly = None;
        let charge = message.proton_charge.and_then(|charge| {
            let believable = accepted_charge(charge);
            if believable.is_none() {
                partly = Some(Refusal::ProtonCharge);
            }
            believable
        });
        let period = message.period.and_then(|period| {
            u16::try_from(period)
                .inspect_err(|_| partly = Some(Refusal::Period))
                .ok()
        });
        let metadata = FrameMetadata {
            vetos: message.vetos,
            period,
            charge,
            setup: None,
        };
        self.note_pulse_time(time);
        let mut hint = self.partitions.get(index).map_or(0, |partition| partition.hint);
        let change = self.frames.join_pulse(time, metadata, &mut hint);
        self.apply_frame_change(time, &change);
        self.hold_metadata(index, position.offset, time);
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hint = hint;
            partition.record_time(time);
            partition.record_metadata_time(time);
        }
        match partly {
            Some(reason) => {
                self.counters.reject(reason, 1);
                IngestOutcome::PartlyRefused(reason)
            }
            None => IngestOutcome::Recorded,
        }
    }

    /// Updates the sums of a frame's run, and queues the frame if chunks must change their selections.
    pub(super) fn apply_frame_change(&mut self, time: i64, change: &FrameChange) {
        let run = self.tracker.find(time).map(|run| run.id);
        let masks = self.frames.masks();
        if let Some(data) = run.and_then(|run| self.runs.get_mut(&run)) {
            if let Some(before) = &change.before {
                data.sum.subtract(before, masks);
            }
            data.sum.add(&change.after, masks);
        }
        if let Some(before) = &change.before
            && before.events() > 0
            && (masks.good(before) != masks.good(&change.after) || before.period() != change.after.period())
        {
            self.changed_frames.push(time);
        }
    }

    /// Widens the range of known pulse times by one (ns).
    pub(super) fn note_pulse_time(&mut self, time: i64) {
        self.oldest_pulse = self.oldest_pulse.min(time);
        self.newest_pulse = self.newest_pulse.max(time);
    }

    /// Releases a record from before the horizon: a replay for an earlier run must read it again.
    pub(super) fn expire(&mut self, index: usize, offset: i64, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.release(offset);
            partition.record_time(time);
        }
        self.mark_uncovered(time);
    }

    /// Marks the data up to `time` (ns) as missing.
    pub(super) fn mark_uncovered(&mut self, time: i64) {
        let next = time.saturating_add(1);
        self.covered_from = Some(self.covered_from.map_or(next, |from| from.max(next)));
    }

    fn ingest_log(
        &mut self,
        index: usize,
        position: &RecordPosition,
        read_before: bool,
        time: i64,
        now: PulseTime,
        add: impl FnOnce(&mut LogStore) -> LogInsertion,
    ) -> IngestOutcome {
        if time > now.max(position.timestamp()).plus(self.config.clock_ahead).nanos() || time < 0 {
            self.hold_metadata(index, position.offset, i64::MIN);
            return IngestOutcome::Refused(Refusal::LogTime);
        }
        let insertion = add(Arc::make_mut(&mut self.logs));
        self.record_time(index, time);
        self.hold_metadata(index, position.offset, time);
        match insertion {
            LogInsertion::New => IngestOutcome::Recorded,
            LogInsertion::Repeat => {
                self.counters.duplicate_logs += u64::from(!read_before);
                IngestOutcome::Duplicate
            }
            LogInsertion::Full => IngestOutcome::Refused(Refusal::LogsFull),
        }
    }

    fn ingest_veto(&mut self, veto: &VetoConfig, now: PulseTime) -> IngestOutcome {
        let time = veto.time.nanos();
        if time < 0 || time > now.plus(self.config.clock_ahead).nanos() {
            return IngestOutcome::Refused(Refusal::VetoTime);
        }
        match self.frames.set_mask(time, veto.mask) {
            Some((from, to)) => {
                self.reassess(from, to);
                IngestOutcome::Recorded
            }
            None => IngestOutcome::Duplicate,
        }
    }
}
