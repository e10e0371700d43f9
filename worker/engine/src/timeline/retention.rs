//! What is let go of: chunks, pulses and logs that no run can ask for any more.
//!
//! Promises: what is freed is forgotten everywhere, so that a replay brings it back once and whole. It must not free
//! what an incomplete run or the grace time covers; snapshots keep what they hold by themselves.

use std::collections::HashMap;

use crate::chunk::ChunkView;
use crate::entry::Entry;
use crate::outcome::Signal;
use crate::place::TopicRole;
use crate::time::{NANOS_PER_SECOND, PulseTime};

use super::state::State;

/// How long logs are kept behind the horizon: they are small, and a run start may be late.
const LOG_GRACE: i64 = 3600 * NANOS_PER_SECOND;

impl State {
    /// The pulse time that the stream has come to: that of the partition furthest behind, those that were read to
    /// their end left out.
    pub(super) fn stream_time(&self) -> Option<i64> {
        let events = || {
            self.partitions
                .iter()
                .filter(|partition| partition.key.role == TopicRole::Events)
        };
        let behind = events()
            .filter(|partition| !partition.at_end())
            .filter_map(|partition| partition.time())
            .min();
        behind.or_else(|| events().filter_map(|partition| partition.time()).max())
    }

    /// Lets go of what is of no more use.
    pub(super) fn free(&mut self, now: PulseTime) {
        self.release(now);
        if let Some(time) = self.stream_time() {
            self.duplicates.forget_before(time);
        }
        let horizon = self.new_horizon();
        self.horizon = self.horizon.max(horizon);
        if self.horizon > i64::MIN {
            self.free_before(self.horizon);
        }
        self.pulse_bytes = (self.ledger.heap_bytes()
            + self.ids.heap_bytes()
            + self.entries.iter().map(Entry::pulse_bytes).sum::<usize>()) as u64;
        if let (Some(_), Some(limit)) = (self.limited, self.config.memory_limit)
            && self.bytes() < limit / 10 * 9
        {
            self.limited = None;
            self.signals.push(Signal::MemoryFreed);
        }
    }

    /// A complete run is released when a newer one is known, or after the grace time.
    fn release(&mut self, now: PulseTime) {
        let newest = self.tracker.runs().last().map(|run| run.id);
        let grace = self.config.grace;
        for (id, data) in &mut self.runs {
            let aged = data.completed.is_some_and(|completed| now.since(completed) > grace);
            if data.complete && !data.released && (newest != Some(*id) || aged) {
                data.released = true;
                // The map and the structure may be several MB.
                data.map = None;
                data.nexus_structure = None;
                data.metadata = None;
                let open = self
                    .partitions
                    .iter_mut()
                    .filter_map(|partition| partition.open.as_mut());
                for entry in self.entries.iter_mut().chain(open) {
                    entry.forget_run(*id);
                }
            }
        }
    }

    /// From which pulse time on things are of use: a run's start, or a grace time ago, for the start of a run may be
    /// late whether another one is open or not.
    fn new_horizon(&self) -> i64 {
        let needed = |id: u32| self.runs.get(&id).is_some_and(|data| !data.released);
        let starts = self
            .tracker
            .runs()
            .iter()
            .filter(|run| needed(run.id))
            .map(|run| run.start);
        let recent = self
            .stream_time()
            .map_or(i64::MIN, |time| time.saturating_sub(self.config.grace));
        starts.min().unwrap_or(i64::MAX).min(recent)
    }

    fn free_before(&mut self, horizon: i64) {
        let stale: Vec<_> = self
            .partitions
            .iter()
            .enumerate()
            .filter(|(_, partition)| partition.open.as_ref().is_some_and(|entry| entry.last() < horizon))
            .map(|(index, _)| index)
            .collect();
        let mut freed: Vec<Entry> = self.entries.extract_if(.., |entry| entry.last() < horizon).collect();
        for index in stale {
            if let Some(mut entry) = self
                .partitions
                .get_mut(index)
                .and_then(|partition| partition.open.take())
            {
                entry.close();
                freed.push(entry);
            }
        }
        let open = self.partitions.iter().filter_map(|partition| partition.open.as_ref());
        let held_from = self
            .entries
            .iter()
            .chain(open)
            .map(Entry::first)
            .min()
            .unwrap_or(i64::MAX);
        let rows_from = horizon.min(held_from);
        for entry in freed {
            if let Some(ChunkView::Tail(tail)) = entry.chunk() {
                self.tail_bytes = self.tail_bytes.saturating_sub(tail.len() as u64 * 8);
            }
            self.uncover(entry.last());
            if entry.last() >= rows_from {
                self.uncount(&entry, rows_from);
            }
            if let Some(partition) = self.partitions.get_mut(entry.partition()) {
                partition.free(entry.offsets());
            }
        }
        self.ledger.forget_before(rows_from);
        for partition in &mut self.partitions {
            partition.forget_before(rows_from);
        }
        let logs = horizon.saturating_sub(LOG_GRACE);
        if self.logs.has_before(logs) {
            std::sync::Arc::make_mut(&mut self.logs).forget_before(logs);
        }
    }

    /// Takes a freed chunk's events out of the frames that stay, or a replay would count them twice.
    fn uncount(&mut self, entry: &Entry, from: i64) {
        let Some(chunk) = entry.chunk() else { return };
        let mut counts: HashMap<u16, u32> = HashMap::new();
        chunk.for_each(|_, _, pulse| *counts.entry(pulse).or_insert(0) += 1);
        for (pulse, count) in counts {
            if let Some(time) = chunk.pulse_times().get(usize::from(pulse)).map(|time| time.nanos())
                && time >= from
            {
                let change = self.ledger.take_events(time, count);
                if let Some(change) = change {
                    self.count(time, &change);
                }
            }
        }
    }

    /// Puts a sealed chunk in the place of its tail, if the tail is still held.
    pub(super) fn sealed(&mut self, chunk: ChunkView) {
        let id = chunk.id();
        if let Some(entry) = self.entries.iter_mut().rev().find(|entry| entry.id() == id) {
            self.tail_bytes = self.tail_bytes.saturating_sub(chunk.len() as u64 * 8);
            entry.seal(chunk);
        }
    }
}
