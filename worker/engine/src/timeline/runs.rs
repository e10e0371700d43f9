//! Ingest of run starts and stops: moves bounds and updates everything that depends on them.
//!
//! Promises: the resulting views do not depend on the order of arrival. It must not touch events: moved bounds change
//! bits of selections.

use std::collections::HashMap;

use crate::config::EventIdKind;
use crate::counters::Refusal;
use crate::message::{EventSchema, RunStart, RunStop};
use crate::outcome::{IngestOutcome, Signal};
use crate::record_position::RecordPosition;
use crate::run::RunKey;
use crate::time::PulseTime;
use crate::timeline_chunk::{PulseAssignment, TimelineChunk};
use crate::tracker::{StartOutcome, StopOutcome};

use super::run_data::RunData;
use super::state::TimelineState;

impl TimelineState {
    pub(super) fn ingest_run_start(
        &mut self,
        position: &RecordPosition,
        start: RunStart,
        now: PulseTime,
    ) -> IngestOutcome {
        let name = start.instrument_name.trim();
        if !name.is_empty() && !name.eq_ignore_ascii_case(self.config.instrument.trim()) {
            return IngestOutcome::Refused(Refusal::OtherInstrument);
        }
        if !self.is_plausible(start.start_time.nanos(), position, now) {
            return IngestOutcome::Refused(Refusal::RunStartTime);
        }
        let before = self.bounds();
        let id = match self.tracker.start(&start, position.timestamp().nanos()) {
            StartOutcome::Duplicate(_) => return IngestOutcome::Duplicate,
            StartOutcome::New(id) => id,
        };
        let key = RunKey::new(&start.job_id, &start.run_name, start.start_time);
        let (data, reason) = RunData::new(key.clone(), start);
        self.runs.insert(id, data);
        self.signals.push(Signal::RunOpened(key));
        self.apply_new_bounds(&before, now);
        self.set_expected_ids();
        if let Some(reason) = reason {
            self.counters.reject(reason, 1);
            return IngestOutcome::PartlyRefused(reason);
        }
        IngestOutcome::Recorded
    }

    pub(super) fn ingest_run_stop(
        &mut self,
        position: &RecordPosition,
        stop: &RunStop,
        now: PulseTime,
    ) -> IngestOutcome {
        let before = self.bounds();
        match self.tracker.stop(stop, position.timestamp().nanos()) {
            StopOutcome::Duplicate => IngestOutcome::Duplicate,
            StopOutcome::Unknown => IngestOutcome::Refused(Refusal::StopWithoutStart),
            StopOutcome::Stopped(_) => {
                self.apply_new_bounds(&before, now);
                IngestOutcome::Recorded
            }
        }
    }

    fn bounds(&self) -> HashMap<u32, (i64, i64)> {
        self.tracker
            .runs()
            .iter()
            .map(|run| (run.id, (run.start, run.stop)))
            .collect()
    }

    /// Updates sums, selections and signals of the runs whose bounds differ from `before`.
    fn apply_new_bounds(&mut self, before: &HashMap<u32, (i64, i64)>, now: PulseTime) {
        let after = self.bounds();
        self.runs.retain(|id, _| after.contains_key(id));
        let mut changed: Vec<_> = after
            .iter()
            .filter(|(id, bounds)| before.get(*id) != Some(*bounds))
            .collect();
        changed.sort();
        for (&id, &(start, stop)) in changed {
            let (from, to) = match before.get(&id) {
                Some(&(_, old)) => (old.min(stop), old.max(stop)),
                None => (start, stop),
            };
            let sum = self.frames.sum(start, stop);
            if let Some(data) = self.runs.get_mut(&id) {
                data.sum = sum;
                if stop != i64::MAX {
                    data.stop_read = Some(now);
                    data.required_offsets.clear();
                }
                if before.contains_key(&id) {
                    self.signals.push(Signal::RunChanged(data.key.clone()));
                }
            }
            self.reassess_selections(from, to);
            if !before.contains_key(&id) {
                self.request_replay(start);
            }
        }
    }

    /// Signals a replay if a run begins before the data in memory.
    fn request_replay(&mut self, start: i64) {
        let held_from = self.covered_from.unwrap_or(self.oldest_pulse);
        if held_from != i64::MAX && start < held_from {
            self.covered_from = Some(start);
            self.horizon = self.horizon.min(start);
            self.signals.push(Signal::ReplayFrom(PulseTime::from_nanos(start)));
        }
        self.horizon = self.horizon.min(start);
    }

    /// Updates sums and selections after a change of the veto bits in force in `[from, to)` (ns).
    pub(super) fn reassess(&mut self, from: i64, to: i64) {
        for run in self.tracker.runs() {
            if run.start < to
                && from < run.stop
                && let Some(data) = self.runs.get_mut(&run.id)
            {
                data.sum = self.frames.sum(run.start, run.stop);
            }
        }
        self.reassess_selections(from, to);
    }

    /// Assigns the pulses in `[from, to)` (ns) to runs again.
    pub(super) fn reassess_selections(&mut self, from: i64, to: i64) {
        self.assign_all(|chunk, assignment| chunk.assign_range(from, to, assignment));
    }

    /// Applies the frames with changed assignments to the chunks' selections.
    pub(super) fn apply_changed_frames(&mut self) {
        if self.changed_frames.is_empty() {
            return;
        }
        let mut changed_frames = std::mem::take(&mut self.changed_frames);
        changed_frames.sort_unstable();
        changed_frames.dedup();
        self.assign_all(|chunk, assignment| chunk.assign_times(&changed_frames, assignment));
        changed_frames.clear();
        self.changed_frames = changed_frames;
    }

    fn assign_all(&mut self, assign: impl Fn(&mut TimelineChunk, &mut dyn FnMut(i64) -> PulseAssignment)) {
        let (tracker, runs, frames) = (&self.tracker, &self.runs, &self.frames);
        let mut hint = 0;
        let mut assignment = |time: i64| {
            let row = frames.rows().get(time, &mut hint);
            let run = tracker.find(time).map(|run| run.id).filter(|id| {
                runs.get(id).is_some_and(|data| time < data.view_end) && row.is_some_and(|row| frames.masks().good(row))
            });
            PulseAssignment {
                run,
                period: row.map_or(0, |row| row.period()),
            }
        };
        let open = self
            .partitions
            .iter_mut()
            .filter_map(|partition| partition.open.as_mut());
        for chunk in self.chunks.iter_mut().chain(open) {
            assign(chunk, &mut assignment);
        }
    }

    /// Sets the expected ids of events from the newest run's map.
    pub(super) fn set_expected_ids(&mut self) {
        let newest = self.tracker.runs().last().and_then(|run| self.runs.get(&run.id));
        let checks_spectra = match (self.config.event_ids, self.schema) {
            (EventIdKind::Index, _) => None,
            (EventIdKind::Spectrum, _) | (EventIdKind::Auto, None | Some(EventSchema::Ev42)) => Some(true),
            (EventIdKind::Detector, _) | (EventIdKind::Auto, Some(EventSchema::Ev44)) => Some(false),
        };
        let ids = newest
            .and_then(|data| data.map.as_ref())
            .zip(checks_spectra)
            .map(|(map, checks_spectra)| {
                let column = if checks_spectra {
                    &map.spectrum
                } else {
                    &map.detector_id
                };
                column.iter().map(|id| id.cast_unsigned()).collect()
            });
        self.ids.set_map(ids.unwrap_or_default());
    }
}
