//! Freeing of chunks, frames and logs that no run needs.
//!
//! Promises: freed data are forgotten everywhere, so that a replay restores them once and completely. It must not free
//! data of an incomplete run or of the grace time; snapshots keep their own data alive.

use std::collections::HashMap;

use crate::chunk::ChunkView;
use crate::outcome::Signal;
use crate::record_position::TopicRole;
use crate::time::{NANOS_PER_SECOND, PulseTime};
use crate::timeline_chunk::TimelineChunk;

use super::state::TimelineState;

/// Time for which logs are kept before the horizon, ns: they are small, and a run start may be late.
const LOG_GRACE: i64 = 3600 * NANOS_PER_SECOND;

impl TimelineState {
    /// Stream time (ns): that of the slowest event partition that is not at its end, otherwise of the fastest.
    pub(super) fn stream_time(&self) -> Option<i64> {
        let events = || {
            self.partitions
                .iter()
                .filter(|partition| partition.key.role == TopicRole::Events)
        };
        let behind = events()
            .filter(|partition| !partition.at_end())
            .filter_map(|partition| partition.stream_time())
            .min();
        behind.or_else(|| events().filter_map(|partition| partition.stream_time()).max())
    }

    /// Frees data that no run needs and ends the memory limit below 90 % of it.
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
        self.pulse_bytes = (self.frames.heap_bytes()
            + self.ids.heap_bytes()
            + self.chunks.iter().map(TimelineChunk::pulse_bytes).sum::<usize>()) as u64;
        if let (Some(_), Some(limit)) = (self.limit_reached_at, self.config.memory_limit)
            && self.bytes() < limit / 10 * 9
        {
            self.limit_reached_at = None;
            self.signals.push(Signal::MemoryFreed);
        }
    }

    /// Releases complete runs: when a newer run is known, or after the grace time.
    fn release(&mut self, now: PulseTime) {
        let newest = self.tracker.runs().last().map(|run| run.id);
        let grace = self.config.grace;
        for (id, data) in &mut self.runs {
            let aged = data.completed.is_some_and(|completed| now.since(completed) > grace);
            if data.complete && !data.released && (newest != Some(*id) || aged) {
                data.released = true;
                // Map and structure may have several MB.
                data.map = None;
                data.nexus_structure = None;
                data.metadata = None;
                let open = self
                    .partitions
                    .iter_mut()
                    .filter_map(|partition| partition.open.as_mut());
                for chunk in self.chunks.iter_mut().chain(open) {
                    chunk.forget_run(*id);
                }
            }
        }
    }

    /// Pulse time (ns) before which no data are needed: the earliest start of an unreleased run, or the stream time
    /// less the grace time. A run start may be late by the grace time.
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
            .filter(|(_, partition)| {
                partition
                    .open
                    .as_ref()
                    .is_some_and(|chunk| chunk.newest_pulse() < horizon)
            })
            .map(|(index, _)| index)
            .collect();
        let mut freed: Vec<TimelineChunk> = self
            .chunks
            .extract_if(.., |chunk| chunk.newest_pulse() < horizon)
            .collect();
        for index in stale {
            if let Some(mut chunk) = self
                .partitions
                .get_mut(index)
                .and_then(|partition| partition.open.take())
            {
                chunk.close();
                freed.push(chunk);
            }
        }
        let open = self.partitions.iter().filter_map(|partition| partition.open.as_ref());
        let held_from = self
            .chunks
            .iter()
            .chain(open)
            .map(TimelineChunk::oldest_pulse)
            .min()
            .unwrap_or(i64::MAX);
        let rows_from = horizon.min(held_from);
        for chunk in freed {
            if let Some(ChunkView::Tail(tail)) = chunk.closed() {
                self.tail_bytes = self.tail_bytes.saturating_sub(tail.len() as u64 * 8);
            }
            self.mark_uncovered(chunk.newest_pulse());
            if chunk.newest_pulse() >= rows_from {
                self.subtract_events_of(&chunk, rows_from);
            }
            if let Some(partition) = self.partitions.get_mut(chunk.partition()) {
                partition.release_all(chunk.offsets());
            }
        }
        self.frames.forget_before(rows_from);
        for partition in &mut self.partitions {
            partition.forget_before(rows_from);
        }
        let logs = horizon.saturating_sub(LOG_GRACE);
        if self.logs.has_before(logs) {
            std::sync::Arc::make_mut(&mut self.logs).forget_before(logs);
        }
    }

    /// Subtracts a freed chunk's events from the frames from `from` (ns) on; otherwise a replay would count them twice.
    fn subtract_events_of(&mut self, freed: &TimelineChunk, from: i64) {
        let Some(chunk) = freed.closed() else { return };
        let mut counts: HashMap<u16, u32> = HashMap::new();
        chunk.for_each(|_, _, pulse| *counts.entry(pulse).or_insert(0) += 1);
        for (pulse, count) in counts {
            if let Some(time) = chunk.pulse_times().get(usize::from(pulse)).map(|time| time.nanos())
                && time >= from
            {
                let change = self.frames.subtract_events(time, count);
                if let Some(change) = change {
                    self.apply_frame_change(time, &change);
                }
            }
        }
    }

    /// Replaces a tail by its sealed chunk, unless it was freed meanwhile.
    pub(super) fn replace_tail(&mut self, sealed: ChunkView) {
        let id = sealed.id();
        if let Some(chunk) = self.chunks.iter_mut().rev().find(|chunk| chunk.id() == id) {
            self.tail_bytes = self.tail_bytes.saturating_sub(sealed.len() as u64 * 8);
            chunk.seal(sealed);
        }
    }
}
