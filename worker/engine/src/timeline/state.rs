//! Everything that the timeline holds, and how a record finds its way in.
//!
//! Promises: each (partition, offset) is taken in once, and every record is counted. It must not lock, wait or read
//! a clock.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::chunk::Tail;
use crate::config::TimelineConfig;
use crate::dictionary::Ids;
use crate::duplicates::{Duplicates, Gaps};
use crate::entry::Entry;
use crate::figures::{Figures, Reason};
use crate::ledger::{Change, Ledger, Metadata, believable_charge};
use crate::logs::{Kept, LogStore};
use crate::message::{EventSchema, Message, PulseMetadata, VetoConfig};
use crate::outcome::{Ingested, Signal};
use crate::partition::Partition;
use crate::place::{PartitionKey, Place};
use crate::time::PulseTime;
use crate::tracker::RunTracker;

use super::runs::RunData;

/// Frames whose standing changed are applied to the chunks in batches of this many.
const FLIPS: usize = 512;

/// The timeline's contents.
#[derive(Debug)]
pub(super) struct State {
    pub(super) config: TimelineConfig,
    pub(super) partitions: Vec<Partition>,
    index: HashMap<PartitionKey, usize>,
    pub(super) tracker: RunTracker,
    pub(super) runs: BTreeMap<u32, RunData>,
    pub(super) ledger: Ledger,
    pub(super) logs: Arc<LogStore>,
    pub(super) ids: Ids,
    pub(super) duplicates: Duplicates,
    pub(super) gaps: Gaps,
    pub(super) entries: Vec<Entry>,
    pub(super) next_entry: u64,
    pub(super) to_seal: Vec<(Arc<Tail>, u32)>,
    pub(super) flips: Vec<i64>,
    pub(super) figures: Figures,
    pub(super) signals: Vec<Signal>,
    pub(super) event_bytes: Arc<AtomicU64>,
    /// Bytes in open tails and in those that are being sealed.
    pub(super) tail_bytes: u64,
    /// Bytes of pulses and selections when last counted.
    pub(super) pulse_bytes: u64,
    /// No events are kept: the memory limit was reached.
    pub(super) limited: Option<i64>,
    /// Everything from this pulse time on was read or will be, and is held.
    pub(super) covered_from: Option<i64>,
    /// What is older is of no use to any run.
    pub(super) horizon: i64,
    pub(super) oldest_seen: i64,
    pub(super) newest_seen: i64,
    /// Pulses in runs and outside of them since the window began.
    pub(super) inside: u64,
    pub(super) outside: u64,
    pub(super) window_began: Option<PulseTime>,
    /// The schema that events come in.
    pub(super) schema: Option<EventSchema>,
    pub(super) rates: VecDeque<(PulseTime, u64)>,
}

impl State {
    pub(super) fn new(config: TimelineConfig) -> Self {
        Self {
            partitions: Vec::new(),
            index: HashMap::new(),
            tracker: RunTracker::new(config.run_clock_offset),
            runs: BTreeMap::new(),
            ledger: Ledger::new(config.exclude_setup),
            logs: Arc::new(LogStore::new(&config.instrument, config.log_limit)),
            ids: Ids::default(),
            duplicates: Duplicates::new(config.duplicate_window),
            gaps: Gaps::default(),
            entries: Vec::new(),
            next_entry: 0,
            to_seal: Vec::new(),
            flips: Vec::new(),
            figures: Figures::default(),
            signals: Vec::new(),
            event_bytes: Arc::default(),
            tail_bytes: 0,
            pulse_bytes: 0,
            limited: None,
            covered_from: None,
            horizon: i64::MIN,
            oldest_seen: i64::MAX,
            newest_seen: i64::MIN,
            inside: 0,
            outside: 0,
            window_began: None,
            rates: VecDeque::new(),
            schema: None,
            config,
        }
    }

    /// The index of a partition, which is followed from now on.
    pub(super) fn partition(&mut self, key: PartitionKey) -> usize {
        let count = self.partitions.len();
        let index = *self.index.entry(key).or_insert(count);
        if index == count {
            self.partitions.push(Partition::new(key));
        }
        index
    }

    /// Notes that a record was read; says whether it is held already, and whether it was read before.
    fn read(&mut self, place: &Place) -> (usize, bool, bool) {
        let index = self.partition(place.partition);
        let (held, again) = self
            .partitions
            .get_mut(index)
            .map_or((true, true), |partition| partition.read(place.offset));
        (index, held, again)
    }

    pub(super) fn reject(&mut self, place: &Place, schema: &'static str, reason: &'static str) {
        let (index, held, again) = self.read(place);
        if held || again {
            return;
        }
        self.keep(index, place.offset, i64::MIN);
        *self.figures.rejected.entry(reason).or_insert(0) += 1;
        self.figures.schema(schema).rejected += 1;
    }

    pub(super) fn ingest(&mut self, place: Place, message: Message<'_>, now: PulseTime) -> Ingested {
        let schema = message.schema();
        let (index, held, again) = self.read(&place);
        if held {
            self.figures.schema(schema).held += 1;
            return Ingested::Held;
        }
        let outcome = match message {
            Message::Events(batch) => self.events(index, &place, again, &batch, now),
            Message::Pulse(metadata) => self.pulse(index, &place, &metadata, now),
            Message::RunStart(start) => self.run_start(&place, start, now),
            Message::RunStop(stop) => self.run_stop(&place, &stop, now),
            Message::Log(sample) => {
                let time = sample.time.nanos();
                self.log(index, &place, again, time, now, |logs| logs.add(sample))
            }
            Message::Alarm(alarm) => {
                let time = alarm.time.nanos();
                self.log(index, &place, again, time, now, |logs| logs.add_alarm(alarm))
            }
            Message::Units(units) => {
                // A unit without a time holds all the same.
                self.log(index, &place, again, place.timestamp().nanos(), now, |logs| {
                    logs.set_units(units)
                })
            }
            Message::VetoConfig(veto) => self.veto(&veto, now),
            Message::Known(_) => {
                self.keep(index, place.offset, i64::MIN);
                Ingested::Noted
            }
        };
        if self.flips.len() >= FLIPS {
            self.apply_flips();
        }
        let figures = self.figures.schema(schema);
        match outcome {
            Ingested::Events { .. } | Ingested::Noted | Ingested::Partly(_) => figures.accepted += 1,
            Ingested::Repeat => figures.repeated += 1,
            Ingested::Held => figures.held += 1,
            Ingested::Rejected(_) => figures.rejected += 1,
        }
        if let (Ingested::Rejected(reason), false) = (outcome, again) {
            self.figures.reject(reason, 1);
        }
        outcome
    }

    /// A record of metadata is held for as long as `time` is of use.
    pub(super) fn keep(&mut self, index: usize, offset: i64, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.keep_metadata(offset, time);
        }
    }

    pub(super) fn came_to(&mut self, index: usize, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.came_to(time);
        }
    }

    /// Whether a clock can mean a pulse time, given the record's timestamp and the wall clock.
    pub(super) fn believable(&self, time: i64, place: &Place, now: PulseTime) -> bool {
        let latest = now.max(place.timestamp()).plus(self.config.clock_ahead);
        (self.config.clock_start..=latest.nanos()).contains(&time)
    }

    fn pulse(&mut self, index: usize, place: &Place, message: &PulseMetadata, now: PulseTime) -> Ingested {
        let time = message.reference_time.nanos();
        if !self.believable(time, place, now) {
            self.keep(index, place.offset, i64::MIN);
            return Ingested::Rejected(Reason::PulseTime);
        }
        if time < self.horizon {
            self.expire(index, place.offset, time);
            return Ingested::Noted;
        }
        let mut partly = None;
        let charge = message.proton_charge.and_then(|charge| {
            let believable = believable_charge(charge);
            if believable.is_none() {
                partly = Some(Reason::ProtonCharge);
            }
            believable
        });
        let period = message.period.and_then(|period| {
            u16::try_from(period)
                .inspect_err(|_| partly = Some(Reason::Period))
                .ok()
        });
        let metadata = Metadata {
            vetos: message.vetos,
            period,
            charge,
            setup: None,
        };
        self.saw(time);
        let mut hint = self.partitions.get(index).map_or(0, |partition| partition.hint);
        let change = self.ledger.join_pulse(time, metadata, &mut hint);
        self.count(time, &change);
        self.keep(index, place.offset, time);
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.hint = hint;
            partition.came_to(time);
            partition.metadata_came_to(time);
        }
        match partly {
            Some(reason) => {
                self.figures.reject(reason, 1);
                Ingested::Partly(reason)
            }
            None => Ingested::Noted,
        }
    }

    /// Counts a frame's change for its run, and notes it where chunks have to follow.
    pub(super) fn count(&mut self, time: i64, change: &Change) {
        let run = self.tracker.find(time).map(|run| run.id);
        let masks = self.ledger.masks();
        if let Some(data) = run.and_then(|run| self.runs.get_mut(&run)) {
            if let Some(before) = &change.before {
                data.sum.take(before, masks);
            }
            data.sum.add(&change.after, masks);
        }
        if let Some(before) = &change.before
            && before.events() > 0
            && (masks.good(before) != masks.good(&change.after) || before.period() != change.after.period())
        {
            self.flips.push(time);
        }
    }

    /// A pulse that was seen.
    pub(super) fn saw(&mut self, time: i64) {
        self.oldest_seen = self.oldest_seen.min(time);
        self.newest_seen = self.newest_seen.max(time);
    }

    /// A record older than anything of use: a replay for an earlier run would want it again.
    pub(super) fn expire(&mut self, index: usize, offset: i64, time: i64) {
        if let Some(partition) = self.partitions.get_mut(index) {
            partition.let_go(offset);
            partition.came_to(time);
        }
        self.uncover(time);
    }

    /// What is at `time` is not held any more.
    pub(super) fn uncover(&mut self, time: i64) {
        let next = time.saturating_add(1);
        self.covered_from = Some(self.covered_from.map_or(next, |from| from.max(next)));
    }

    fn log(
        &mut self,
        index: usize,
        place: &Place,
        again: bool,
        time: i64,
        now: PulseTime,
        add: impl FnOnce(&mut LogStore) -> Kept,
    ) -> Ingested {
        if time > now.max(place.timestamp()).plus(self.config.clock_ahead).nanos() || time < 0 {
            self.keep(index, place.offset, i64::MIN);
            return Ingested::Rejected(Reason::LogTime);
        }
        let kept = add(Arc::make_mut(&mut self.logs));
        self.came_to(index, time);
        self.keep(index, place.offset, time);
        match kept {
            Kept::New => Ingested::Noted,
            Kept::Repeat => {
                self.figures.duplicate_logs += u64::from(!again);
                Ingested::Repeat
            }
            Kept::Full => Ingested::Rejected(Reason::LogsFull),
        }
    }

    fn veto(&mut self, veto: &VetoConfig, now: PulseTime) -> Ingested {
        let time = veto.time.nanos();
        if time < 0 || time > now.plus(self.config.clock_ahead).nanos() {
            return Ingested::Rejected(Reason::VetoTime);
        }
        match self.ledger.set_mask(time, veto.mask) {
            Some((from, to)) => {
                self.reassess(from, to);
                Ingested::Noted
            }
            None => Ingested::Repeat,
        }
    }
}
