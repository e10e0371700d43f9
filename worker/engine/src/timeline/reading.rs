//! What readers get: runs, snapshots, figures.
//!
//! Promises: everything in an answer was true at one moment, and no events are copied for it. It must not change
//! what later answers say.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::figures::Figures;
use crate::logs::RunLogs;
use crate::run::{RunInfo, RunKey, RunState, RunWarning, run_number};
use crate::snapshot::{Part, Snapshot};
use crate::time::{NANOS_PER_SECOND, PulseTime};
use crate::tracker::Run;

use super::runs::RunData;
use super::state::State;

impl State {
    pub(super) fn id(&self, key: &RunKey) -> Option<u32> {
        self.runs.iter().find(|(_, data)| data.key == *key).map(|(id, _)| *id)
    }

    /// All runs by start time.
    pub(super) fn infos(&self) -> Vec<RunInfo> {
        self.tracker
            .runs()
            .iter()
            .filter_map(|run| Some(self.info(run, self.runs.get(&run.id)?)))
            .collect()
    }

    /// The newest run.
    pub(super) fn current(&self) -> Option<RunInfo> {
        let run = self.tracker.runs().last()?;
        Some(self.info(run, self.runs.get(&run.id)?))
    }

    fn info(&self, run: &Run, data: &RunData) -> RunInfo {
        let time = PulseTime::from_nanos;
        let rows = self.ledger.rows();
        let outside = |from: i64, to: i64| {
            rows.range(from, to)
                .filter(|row| row.events() > 0 && self.tracker.find(row.at()).is_none())
                .count() as u64
        };
        let near = self.config.near_bounds;
        let first = rows.range(run.start, run.stop).next().map(|row| row.at());
        let last = rows
            .last_before(run.stop)
            .map(|row| row.at())
            .filter(|&last| last >= run.start);
        let missing = match first {
            Some(first) if self.oldest_seen >= run.start && first.saturating_sub(run.start) > NANOS_PER_SECOND => {
                time(first).seconds_since(time(run.start))
            }
            _ => 0.0,
        };
        let mut warnings = data.warnings.clone();
        if data.sum.veto_bits && !self.ledger.has_masks() {
            warnings.push(RunWarning::NoVetoConfig);
        }
        warnings.extend(
            run.stop_before_start
                .map(|stop| RunWarning::StopBeforeStart(time(stop))),
        );
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
            kept_until: (data.cut < run.stop).then(|| time(data.cut)),
            not_kept_events: data.not_kept,
            late_events: data.late_events,
            missing_seconds: missing,
            pulses_before_start: outside(run.start.saturating_sub(near), run.start),
            pulses_after_stop: if run.stop == i64::MAX {
                0
            } else {
                outside(run.stop, run.stop.saturating_add(near))
            },
            warnings,
        }
    }

    /// The view of a run; `None` when it is not known or was let go of.
    pub(super) fn snapshot(&mut self, id: u32) -> Option<Snapshot> {
        self.apply_flips();
        let run = self.tracker.get(id)?.clone();
        let data = self.runs.get(&id).filter(|data| !data.released)?;
        let info = Arc::new(self.info(&run, data));
        let end = run.stop.min(data.cut);
        let open = self
            .partitions
            .iter_mut()
            .filter_map(|partition| partition.open.as_mut());
        let mut parts: Vec<Part> = self
            .entries
            .iter_mut()
            .chain(open)
            .filter_map(|entry| entry.part(id))
            .collect();
        parts.sort_by_key(|part| part.chunk.id());
        let (start, stop) = (PulseTime::from_nanos(run.start), PulseTime::from_nanos(end));
        Some(Snapshot {
            run: info,
            parts: parts.into(),
            pulses: self.ledger.table(start, stop),
            logs: RunLogs::new(&self.logs, start, stop),
            ids: self.ids.shared().clone(),
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
            .filter_map(|partition| partition.metadata())
            .min()
            .unwrap_or(i64::MIN);
        aged.max(joined)
    }

    pub(super) fn figures(&self) -> Figures {
        let open = || self.partitions.iter().filter_map(|partition| partition.open.as_ref());
        let entries = || self.entries.iter().chain(open());
        let mut figures = self.figures.clone();
        figures.missing_messages = self.gaps.missing();
        figures.newest_pulse = (self.newest_seen != i64::MIN).then(|| PulseTime::from_nanos(self.newest_seen));
        figures.event_bytes = self.event_bytes.load(Ordering::Relaxed) + self.tail_bytes;
        figures.pulse_bytes = self.pulse_bytes;
        figures.log_bytes = self.logs.bytes();
        figures.memory_limit = self.config.memory_limit;
        figures.events_kept = entries().map(|entry| entry.events() as u64).sum();
        figures.chunks = entries().count() as u64;
        figures.pulses = self.ledger.rows().len() as u64;
        figures.kept_until = self.limited.map(PulseTime::from_nanos);
        figures.dense_ids = self.ids.shared().len() as u64;
        if let (Some((then, before)), Some((now, after))) = (self.rates.front(), self.rates.back()) {
            let seconds = now.seconds_since(*then);
            #[allow(clippy::cast_precision_loss)]
            let events = after.saturating_sub(*before) as f64;
            figures.events_per_second = if seconds > 0.0 { events / seconds } else { 0.0 };
        }
        figures
    }
}
