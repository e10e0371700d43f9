//! Answers to readers: runs, snapshots and counters.
//!
//! Promises: an answer shows one moment, and no events are copied for it. It must not change later answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::counters::Counters;
use crate::run::{RunInfo, RunKey, RunState, RunWarning, run_number};
use crate::run_logs::RunLogs;
use crate::snapshot::{SelectedChunk, Snapshot};
use crate::time::{NANOS_PER_SECOND, PulseTime};
use crate::tracker::TrackedRun;

use super::run_data::RunData;
use super::state::TimelineState;

impl TimelineState {
    /// Id of the run with a key.
    pub(super) fn run_id(&self, key: &RunKey) -> Option<u32> {
        self.runs.iter().find(|(_, data)| data.key == *key).map(|(id, _)| *id)
    }

    /// All runs by start time.
    pub(super) fn run_infos(&self) -> Vec<RunInfo> {
        self.tracker
            .runs()
            .iter()
            .filter_map(|run| Some(self.run_info(run, self.runs.get(&run.id)?)))
            .collect()
    }

    /// Run with the latest start.
    pub(super) fn newest_run(&self) -> Option<RunInfo> {
        let run = self.tracker.runs().last()?;
        Some(self.run_info(run, self.runs.get(&run.id)?))
    }

    fn run_info(&self, run: &TrackedRun, data: &RunData) -> RunInfo {
        let time = PulseTime::from_nanos;
        let rows = self.frames.rows();
        let outside = |from: i64, to: i64| {
            rows.range(from, to)
                .filter(|row| row.events() > 0 && self.tracker.find(row.pulse_time()).is_none())
                .count() as u64
        };
        let near = self.config.near_bounds;
        let first = rows.range(run.start, run.stop).next().map(|row| row.pulse_time());
        let last = rows
            .last_before(run.stop)
            .map(|row| row.pulse_time())
            .filter(|&last| last >= run.start);
        let missing = match first {
            Some(first) if self.oldest_pulse >= run.start && first.saturating_sub(run.start) > NANOS_PER_SECOND => {
                time(first).seconds_since(time(run.start))
            }
            _ => 0.0,
        };
        RunInfo {
            key: data.key.clone(),
            run_name: data.start.run_name.clone(),
            run_number: run_number(&data.start.run_name).to_owned(),
            instrument: data.start.instrument_name.clone(),
            job_id: data.start.job_id.clone(),
            start: time(run.start),
            stop: (run.stop != i64::MAX).then(|| time(run.stop)),
            state: match (data.complete, run.stop) {
                (true, _) => RunState::Complete,
                (false, i64::MAX) => RunState::Open,
                (false, _) => RunState::Stopped,
            },
            n_periods: data.start.n_periods.max(data.sum.periods).max(1),
            map: data.map.clone(),
            nexus_structure: data.nexus_structure.clone(),
            metadata: data.metadata.clone(),
            totals: data.sum.totals(),
            first_pulse: first.map(time),
            last_pulse: last.map(time),
            kept_until: (data.view_end < run.stop).then(|| time(data.view_end)),
            not_kept_events: data.not_kept,
            late_events: data.late_events,
            missing_seconds: missing,
            pulses_before_start: outside(run.start.saturating_sub(near), run.start),
            pulses_after_stop: if run.stop == i64::MAX {
                0
            } else {
                outside(run.stop, run.stop.saturating_add(near))
            },
            warnings: self.run_warnings(run, data),
        }
    }

    /// Warnings of the run start, and those that depend on frames and bounds.
    fn run_warnings(&self, run: &TrackedRun, data: &RunData) -> Vec<RunWarning> {
        let mut warnings = data.warnings.clone();
        if data.sum.veto_bits && !self.frames.has_masks() {
            warnings.push(RunWarning::NoVetoConfig);
        }
        warnings.extend(
            run.stop_before_start
                .map(|stop| RunWarning::StopBeforeStart(PulseTime::from_nanos(stop))),
        );
        warnings
    }

    /// Snapshot of a run; `None` if unknown or freed.
    pub(super) fn snapshot(&mut self, id: u32) -> Option<Snapshot> {
        self.apply_changed_frames();
        let run = self.tracker.get(id)?.clone();
        let data = self.runs.get(&id).filter(|data| !data.released)?;
        let info = Arc::new(self.run_info(&run, data));
        let end = run.stop.min(data.view_end);
        let open = self
            .partitions
            .iter_mut()
            .filter_map(|partition| partition.open.as_mut());
        let mut chunks: Vec<SelectedChunk> = self
            .chunks
            .iter_mut()
            .chain(open)
            .filter_map(|chunk| chunk.selected_chunk(id))
            .collect();
        chunks.sort_by_key(|chunk| chunk.chunk.id());
        let (start, stop) = (PulseTime::from_nanos(run.start), PulseTime::from_nanos(end));
        Some(Snapshot {
            run: info,
            chunks: chunks.into(),
            pulses: self.frames.table(start, stop),
            logs: RunLogs::new(&self.logs, start, stop),
            ids: self.ids.snapshot().clone(),
            settled_before: PulseTime::from_nanos(self.settled_before()),
            event_schema: self.schema,
        })
    }

    fn settled_before(&self) -> i64 {
        let aged = self
            .stream_time()
            .map_or(i64::MIN, |time| time.saturating_sub(self.config.settle));
        let joined = self
            .partitions
            .iter()
            .filter_map(|partition| partition.metadata_time())
            .min()
            .unwrap_or(i64::MIN);
        aged.max(joined)
    }

    /// Counters, with the gauges of this moment.
    pub(super) fn counters(&self) -> Counters {
        let open = || self.partitions.iter().filter_map(|partition| partition.open.as_ref());
        let chunks = || self.chunks.iter().chain(open());
        let mut counters = self.counters.clone();
        counters.missing_messages = self.gaps.missing();
        counters.newest_pulse = (self.newest_pulse != i64::MIN).then(|| PulseTime::from_nanos(self.newest_pulse));
        counters.event_bytes = self.event_bytes.load(Ordering::Relaxed) + self.tail_bytes;
        counters.pulse_bytes = self.pulse_bytes;
        counters.memory_limit = self.config.memory_limit;
        counters.events_kept = chunks().map(|chunk| chunk.events() as u64).sum();
        counters.chunks = chunks().count() as u64;
        counters.pulses = self.frames.rows().len() as u64;
        counters.kept_until = self.limit_reached_at.map(PulseTime::from_nanos);
        if let (Some((then, before)), Some((now, after))) = (self.rate_samples.front(), self.rate_samples.back()) {
            let seconds = now.seconds_since(*then);
            #[allow(clippy::cast_precision_loss)]
            let events = after.saturating_sub(*before) as f64;
            counters.events_per_second = if seconds > 0.0 { events / seconds } else { 0.0 };
        }
        counters
    }
}
