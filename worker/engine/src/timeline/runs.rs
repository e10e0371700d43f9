//! Run starts and stops: bounds move, and everything that depends on them follows.
//!
//! Promises: the views that result do not depend on when a message came. It must not touch events: moved bounds flip
//! bits.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::EventIds;
use crate::entry::Standing;
use crate::figures::Reason;
use crate::ledger::Sum;
use crate::message::{DetectorSpectrumMap, EventSchema, RunStart, RunStop};
use crate::outcome::{Ingested, Signal};
use crate::place::{PartitionKey, Place};
use crate::run::{RunKey, RunWarning};
use crate::time::PulseTime;
use crate::tracker::{Started, Stopped};

use super::state::State;

/// What the timeline knows of a run beside its bounds.
#[derive(Debug)]
pub(super) struct RunData {
    pub(super) key: RunKey,
    pub(super) start: RunStart,
    pub(super) map: Option<Arc<DetectorSpectrumMap>>,
    pub(super) nexus_structure: Option<Arc<str>>,
    pub(super) metadata: Option<Arc<str>>,
    pub(super) sum: Sum,
    /// The view ends here, because of the memory limit.
    pub(super) cut: i64,
    pub(super) not_kept: u64,
    pub(super) late_events: u64,
    pub(super) complete: bool,
    /// When it was found complete, by the wall clock.
    pub(super) completed: Option<PulseTime>,
    /// Its chunks are of no more use.
    pub(super) released: bool,
    /// When its stop became known, by the wall clock.
    pub(super) stop_read: Option<PulseTime>,
    /// The high watermarks that have to be read before it is complete.
    pub(super) targets: HashMap<PartitionKey, i64>,
    pub(super) warnings: Vec<RunWarning>,
}

impl RunData {
    fn new(key: RunKey, mut start: RunStart) -> (Self, Option<Reason>) {
        let mut warnings = Vec::new();
        let mut reason = None;
        let map = match start.map.take() {
            Some(map) if map.spectrum.len() != map.detector_id.len() => {
                reason = Some(Reason::RunMap);
                warnings.push(RunWarning::MapRefused {
                    spectra: map.spectrum.len(),
                    detectors: map.detector_id.len(),
                });
                None
            }
            Some(map) if !map.spectrum.is_empty() => Some(Arc::new(map)),
            _ => {
                warnings.push(RunWarning::NoMap);
                None
            }
        };
        let data = Self {
            key,
            map,
            nexus_structure: start.nexus_structure.take().map(Arc::from),
            metadata: start.metadata.take().map(Arc::from),
            start,
            sum: Sum::default(),
            cut: i64::MAX,
            not_kept: 0,
            late_events: 0,
            complete: false,
            completed: None,
            released: false,
            stop_read: None,
            targets: HashMap::new(),
            warnings,
        };
        (data, reason)
    }
}

impl State {
    pub(super) fn run_start(&mut self, place: &Place, start: RunStart, now: PulseTime) -> Ingested {
        let named = start.instrument_name.trim();
        if !named.is_empty() && !named.eq_ignore_ascii_case(self.config.instrument.trim()) {
            return Ingested::Rejected(Reason::OtherInstrument);
        }
        if !self.believable(start.start_time.nanos(), place, now) {
            return Ingested::Rejected(Reason::RunStartTime);
        }
        let before = self.bounds();
        let id = match self.tracker.start(&start, place.timestamp().nanos()) {
            Started::Repeat(_) => {
                self.figures.duplicate_run_starts += 1;
                return Ingested::Repeat;
            }
            Started::New(id) => id,
        };
        let key = RunKey::new(&start.job_id, &start.run_name, start.start_time);
        let (data, reason) = RunData::new(key.clone(), start);
        self.runs.insert(id, data);
        self.signals.push(Signal::RunOpened(key));
        self.rebound(&before, now);
        self.check_map();
        if let Some(reason) = reason {
            self.figures.reject(reason, 1);
            return Ingested::Partly(reason);
        }
        Ingested::Noted
    }

    pub(super) fn run_stop(&mut self, place: &Place, stop: &RunStop, now: PulseTime) -> Ingested {
        let before = self.bounds();
        match self.tracker.stop(stop, place.timestamp().nanos()) {
            Stopped::Repeat => Ingested::Repeat,
            Stopped::Unknown => Ingested::Rejected(Reason::StopWithoutStart),
            Stopped::Run(_) => {
                self.rebound(&before, now);
                Ingested::Noted
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

    /// Follows the bounds that changed since `before`.
    fn rebound(&mut self, before: &HashMap<u32, (i64, i64)>, now: PulseTime) {
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
            let sum = self.ledger.sum(start, stop);
            if let Some(data) = self.runs.get_mut(&id) {
                data.sum = sum;
                if stop != i64::MAX {
                    data.stop_read = Some(now);
                    data.targets.clear();
                }
                if before.contains_key(&id) {
                    self.signals.push(Signal::RunChanged(data.key.clone()));
                }
            }
            self.reassess_selections(from, to);
            if !before.contains_key(&id) {
                self.reach_back(start);
            }
        }
    }

    /// Asks for a replay when a run begins before what is held.
    fn reach_back(&mut self, start: i64) {
        let held_from = self.covered_from.unwrap_or(self.oldest_seen);
        if held_from != i64::MAX && start < held_from {
            self.covered_from = Some(start);
            self.horizon = self.horizon.min(start);
            self.signals.push(Signal::ReplayFrom(PulseTime::from_nanos(start)));
        }
        self.horizon = self.horizon.min(start);
    }

    /// Follows a change of the veto masks in force between two times.
    pub(super) fn reassess(&mut self, from: i64, to: i64) {
        for run in self.tracker.runs() {
            if run.start < to
                && from < run.stop
                && let Some(data) = self.runs.get_mut(&run.id)
            {
                data.sum = self.ledger.sum(run.start, run.stop);
            }
        }
        self.reassess_selections(from, to);
    }

    /// Sets anew which pulses between two times count for which run.
    pub(super) fn reassess_selections(&mut self, from: i64, to: i64) {
        self.place_all(|entry, standing| entry.place_range(from, to, standing));
    }

    /// Applies the frames whose standing changed to the chunks.
    pub(super) fn apply_flips(&mut self) {
        if self.flips.is_empty() {
            return;
        }
        let mut flips = std::mem::take(&mut self.flips);
        flips.sort_unstable();
        flips.dedup();
        self.place_all(|entry, standing| entry.place_times(&flips, standing));
        flips.clear();
        self.flips = flips;
    }

    fn place_all(&mut self, place: impl Fn(&mut crate::entry::Entry, &mut dyn FnMut(i64) -> Standing)) {
        let (tracker, runs, ledger) = (&self.tracker, &self.runs, &self.ledger);
        let mut hint = 0;
        let mut standing = |time: i64| {
            let row = ledger.rows().get(time, &mut hint);
            let run = tracker.find(time).map(|run| run.id).filter(|id| {
                runs.get(id).is_some_and(|data| time < data.cut) && row.is_some_and(|row| ledger.masks().good(row))
            });
            Standing {
                run,
                period: row.map_or(0, |row| row.period()),
            }
        };
        let open = self
            .partitions
            .iter_mut()
            .filter_map(|partition| partition.open.as_mut());
        for entry in self.entries.iter_mut().chain(open) {
            place(entry, &mut standing);
        }
    }

    /// Sets the ids that events are expected to have, by the newest run's map.
    pub(super) fn check_map(&mut self) {
        let newest = self.tracker.runs().last().and_then(|run| self.runs.get(&run.id));
        let spectra = match (self.config.event_ids, self.schema) {
            (EventIds::Index, _) => None,
            (EventIds::Spectrum, _) | (EventIds::Auto, None | Some(EventSchema::Ev42)) => Some(true),
            (EventIds::Detector, _) | (EventIds::Auto, Some(EventSchema::Ev44)) => Some(false),
        };
        let ids = newest
            .and_then(|data| data.map.as_ref())
            .zip(spectra)
            .map(|(map, spectra)| {
                let column = if spectra { &map.spectrum } else { &map.detector_id };
                column.iter().map(|id| id.cast_unsigned()).collect()
            });
        self.ids.set_map(ids.unwrap_or_default());
    }
}
