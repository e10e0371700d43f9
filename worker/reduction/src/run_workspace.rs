//! Live workspace of a run: a snapshot as an event workspace, or a group of one for each period. Promises: no event is
//! copied; events with ids outside the run's map and instrument are counted and reported; X spans the times of flight of
//! all events. Must not: touch the data service.

use std::collections::BTreeMap;
use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::config::EventIdKind;
use live_data_engine::fingerprint::Digest;
use live_data_engine::message::EventSchema;
use live_data_engine::period_totals::PeriodTotals;
use live_data_engine::plan::{EventPlan, SlotTable, SourceChunk, ViewId};
use live_data_engine::run::RunInfo;
use live_data_engine::snapshot::Snapshot;
use parking_lot::Mutex;

use crate::date_and_time::DateAndTime;
use crate::error::Result;
use crate::instrument::Instrument;
use crate::instrument::run_instrument::{InstrumentRequest, run_instrument};
use crate::instrument::source::InstrumentSource;
use crate::run::Run;
use crate::run::live_logs::{PeriodLogs, period_logs, shared_logs};
use crate::run_portion::RunPortion;
use crate::unit::Unit;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::events::EventData;
use crate::workspace::matrix::WorkspaceData;
use crate::workspace::spectra::SpectrumDetectorMapping;
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

/// Live workspace of a run with the warnings that arose while it was built.
pub struct RunWorkspace {
    /// Event workspace, or a group of one for each period; its members have no names yet.
    pub workspace: Workspace,
    /// Meaning given to the event ids; never `Auto`.
    pub event_ids: EventIdKind,
    /// Number of events whose ids are neither in the run's map nor in the instrument; they are in no spectrum.
    pub unexplained_events: u64,
    /// Sentences for the status page, such as an unusable geometry.
    pub warnings: Vec<String>,
}

/// Builds live workspaces from snapshots of one instrument's runs.
///
/// The spectra and the instrument are built once for a run, since they depend on its map and geometry only.
pub struct RunWorkspaceBuilder {
    event_ids: EventIdKind,
    instrument: String,
    instruments: Arc<dyn InstrumentSource>,
    layout: Mutex<Option<(SpectraLayoutKey, Arc<SpectraLayout>)>>,
    /// Sums of frames already counted: the cost of a build does not grow with the length of the run.
    totals: Mutex<PeriodTotals>,
}

/// Inputs of a [`SpectraLayout`]: equal keys give equal layouts. Map and structure by address, since runs share them.
#[derive(Clone, PartialEq)]
struct SpectraLayoutKey {
    run: String,
    ids: EventIdKind,
    map: usize,
    structure: usize,
    /// Number of distinct ids; decisive where neither a map nor an instrument lists the spectra.
    distinct_ids: usize,
}

/// Spectra of a run, the slot of each event id, and the instrument.
struct SpectraLayout {
    spectra: Arc<SpectrumDetectorMapping>,
    table: SlotTable,
    instrument: Arc<Instrument>,
    warnings: Vec<String>,
}

impl RunWorkspaceBuilder {
    /// Builder for runs of `instrument`; `EventIdKind::Auto` decides run by run.
    pub fn new(event_ids: EventIdKind, instrument: &str, instruments: Arc<dyn InstrumentSource>) -> Self {
        Self {
            event_ids,
            instrument: instrument.to_owned(),
            instruments,
            layout: Mutex::new(None),
            totals: Mutex::default(),
        }
    }

    /// Builder with the same settings and an empty cache, for use on another thread without contention.
    pub fn with_own_cache(&self) -> Self {
        Self::new(self.event_ids, &self.instrument, self.instruments.clone())
    }

    /// Workspace of all events of a run. Events are read once, to count them and to find the range of X.
    ///
    /// # Errors
    /// `Cancelled`; `Execution` when the events cannot be read.
    pub fn build(&self, snapshot: &Snapshot, cancel: &Cancel) -> Result<RunWorkspace> {
        let run = snapshot.run();
        let event_ids = self.resolve_event_ids(snapshot);
        let layout = self.layout(snapshot, event_ids);
        let slots = layout.table.resolve(snapshot.ids());
        let periods = period_count(run);
        let plans = (0..periods).map(|period| {
            let parts = if periods == 1 {
                snapshot.chunks().to_vec()
            } else {
                snapshot.period_chunks(period as u16)
            };
            let before = snapshot.settled_before();
            EventPlan::snapshot(&parts, before, slots.clone(), view_id(run, period, periods))
        });
        let by_period = period_logs(snapshot, periods, &mut self.totals.lock());
        let (workspace, counted) = assemble(
            &layout,
            plans.collect(),
            by_period,
            &shared_logs(snapshot, None),
            cancel,
        )?;
        let kept = run.totals.events.saturating_sub(run.not_kept_events);
        Ok(self.with_warnings(snapshot, &layout, event_ids, workspace, kept.saturating_sub(counted)))
    }

    /// Workspace of a portion of a run, with the charge and the logs of the portion alone.
    ///
    /// # Errors
    /// `Cancelled`; `Execution` when the events cannot be read.
    pub fn build_portion(&self, snapshot: &Snapshot, portion: &RunPortion, cancel: &Cancel) -> Result<RunWorkspace> {
        let event_ids = self.resolve_event_ids(snapshot);
        let layout = self.layout(snapshot, event_ids);
        let slots = layout.table.resolve(snapshot.ids());
        let mut unexplained_events = 0;
        let mut plans = Vec::with_capacity(portion.periods.len());
        for (number, period) in portion.periods.iter().enumerate() {
            if slots.outside() > 0 {
                for (chunk, selected) in &period.parts {
                    chunk.for_each(|dense, _, pulse| {
                        let unknown = selected.get(usize::from(pulse)) && slots.slot(dense as usize).is_none();
                        unexplained_events += u64::from(unknown);
                    });
                }
            }
            let parts = period.parts.iter().map(|(chunk, selected)| SourceChunk {
                chunk: chunk.clone(),
                selected: selected.clone(),
                settled: None,
            });
            let mut digest = Digest::new("portion");
            digest.add((portion.view_id, number));
            plans.push(EventPlan::stream(
                parts.collect(),
                slots.clone(),
                digest.finish().into(),
            ));
        }
        let by_period = portion
            .periods
            .iter()
            .map(|period| PeriodLogs::from(&period.frames))
            .collect();
        let shared = shared_logs(snapshot, Some(&portion.logs));
        let (workspace, _) = assemble(&layout, plans, by_period, &shared, cancel)?;
        Ok(self.with_warnings(snapshot, &layout, event_ids, workspace, unexplained_events))
    }

    fn with_warnings(
        &self,
        snapshot: &Snapshot,
        layout: &SpectraLayout,
        event_ids: EventIdKind,
        workspace: Workspace,
        unexplained_events: u64,
    ) -> RunWorkspace {
        let mut warnings = layout.warnings.clone();
        warnings.extend(snapshot.run().warnings.iter().map(ToString::to_string));
        if unexplained_events > 0 {
            warnings.push(unmapped_events_warning(
                event_ids,
                unexplained_events,
                self.event_ids == EventIdKind::Auto,
            ));
        }
        RunWorkspace {
            workspace,
            event_ids,
            unexplained_events,
            warnings,
        }
    }

    /// Meaning of the event ids. `Auto`: spectrum numbers for ev42 messages of a run with a map, else detector ids.
    fn resolve_event_ids(&self, snapshot: &Snapshot) -> EventIdKind {
        match self.event_ids {
            EventIdKind::Auto => {
                let ev42 = snapshot.event_schema().is_none_or(|schema| schema == EventSchema::Ev42);
                if ev42 && snapshot.run().map.is_some() {
                    EventIdKind::Spectrum
                } else {
                    EventIdKind::Detector
                }
            }
            configured => configured,
        }
    }

    fn layout(&self, snapshot: &Snapshot, ids: EventIdKind) -> Arc<SpectraLayout> {
        let run = snapshot.run();
        let map = run.map.as_ref().map_or(0, |map| Arc::as_ptr(map) as usize);
        let structure = run
            .nexus_structure
            .as_ref()
            .map_or(0, |text| Arc::as_ptr(text).cast::<u8>() as usize);
        let mut cached = self.layout.lock();
        let known = cached.as_ref().filter(|(key, layout)| {
            let same = key.run == run.key.as_str() && key.ids == ids && key.map == map && key.structure == structure;
            // Without map and instrument each new id is a new spectrum.
            same && (map != 0 || !layout.instrument.is_empty() || key.distinct_ids == snapshot.ids().len())
        });
        if let Some((_, layout)) = known {
            return layout.clone();
        }
        let layout = Arc::new(self.build_layout(snapshot, ids));
        let key = SpectraLayoutKey {
            run: run.key.as_str().to_owned(),
            ids,
            map,
            structure,
            distinct_ids: snapshot.ids().len(),
        };
        *cached = Some((key, layout.clone()));
        layout
    }

    fn build_layout(&self, snapshot: &Snapshot, ids: EventIdKind) -> SpectraLayout {
        let run = snapshot.run();
        let request = InstrumentRequest {
            structure: run.nexus_structure.as_deref(),
            name: &run.instrument,
            default_name: &self.instrument,
            start: DateAndTime::from_pulse(run.start),
        };
        let (instrument, warnings) = run_instrument(&request, &*self.instruments);
        let spectra = Arc::new(spectra_of(run, &instrument, snapshot, ids));
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let pairs: Vec<(u32, usize)> = match ids {
            EventIdKind::Spectrum => {
                let numbers = spectra.numbers().iter().enumerate();
                numbers
                    .filter_map(|(at, number)| u32::try_from(*number).ok().map(|id| (id, at)))
                    .collect()
            }
            EventIdKind::Index => (0..spectra.len()).map(|at| (index(at), at)).collect(),
            EventIdKind::Detector | EventIdKind::Auto => (0..spectra.len())
                .flat_map(|at| spectra.detectors(at).iter().map(move |id| (*id, at)))
                .filter_map(|(id, at)| u32::try_from(id).ok().map(|id| (id, at)))
                .collect(),
        };
        let table = SlotTable::new(spectra.len(), pairs);
        SpectraLayout {
            spectra,
            table,
            instrument,
            warnings,
        }
    }
}

/// Spectra of the run's map, else one for each detector of the instrument, else one for each id in the events.
fn spectra_of(
    run: &RunInfo,
    instrument: &Instrument,
    snapshot: &Snapshot,
    ids: EventIdKind,
) -> SpectrumDetectorMapping {
    if let Some(map) = &run.map {
        let mut by_number: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (number, id) in map.spectrum.iter().zip(&map.detector_id) {
            by_number.entry(*number).or_default().push(*id);
        }
        let mut spectra = SpectrumDetectorMapping::with_capacity(by_number.len());
        for (number, detectors) in &by_number {
            spectra.push(*number, detectors);
        }
        return spectra;
    }
    let mut spectra = SpectrumDetectorMapping::with_capacity(instrument.detectors.len());
    if instrument.detectors.is_empty() {
        let mut seen: Vec<i32> = snapshot.ids().ids().filter_map(|id| i32::try_from(id).ok()).collect();
        seen.sort_unstable();
        if ids == EventIdKind::Index {
            return SpectrumDetectorMapping::numbered(seen.last().map_or(0, |last| *last as usize + 1).min(10_000_000));
        }
        for (at, id) in seen.iter().enumerate() {
            match ids {
                EventIdKind::Spectrum => spectra.push(*id, &[]),
                _ => spectra.push(at as i32 + 1, &[*id]),
            }
        }
        return spectra;
    }
    for (at, detector) in instrument.detectors.iter().enumerate() {
        spectra.push(at as i32 + 1, &[detector.id]);
    }
    spectra
}

/// Number of periods of a run, between 1 and 65536: a period number has 16 bits.
pub fn period_count(run: &RunInfo) -> u32 {
    run.n_periods.clamp(1, u32::from(u16::MAX) + 1)
}

/// Workspace of the plans, one for each period, over a common X that holds all events, with the number of events.
fn assemble(
    layout: &SpectraLayout,
    plans: Vec<EventPlan>,
    by_period: Vec<PeriodLogs>,
    shared: &Run,
    cancel: &Cancel,
) -> Result<(Workspace, u64)> {
    let mut counted = 0;
    let mut range: Option<(f64, f64)> = None;
    let mut members = Vec::with_capacity(plans.len());
    for plan in plans {
        let events = EventData::new(plan, XRows::Common([0.0, f64::MIN_POSITIVE].into()));
        counted += events.number(cancel)?;
        if let Some((low, high)) = events.range(cancel)? {
            let (a, b) = range.unwrap_or((low, high));
            range = Some((a.min(low), b.max(high)));
        }
        members.push(events);
    }
    let x = bounding_edges(range);
    let instrument = layout.instrument.with_logs(|name| log_values(shared, name));
    let several = members.len() > 1;
    let charges: Vec<f64> = by_period.iter().map(|logs| logs.charge.unwrap_or_default()).collect();
    let mut workspaces = Vec::with_capacity(members.len());
    for (period, (mut events, logs)) in members.into_iter().zip(by_period).enumerate() {
        events.set_x(XRows::Common(x.clone()));
        let mut workspace = MatrixWorkspace::new(WorkspaceData::Events(events));
        workspace.spectra = layout.spectra.clone();
        workspace.instrument = Arc::clone(&instrument);
        workspace.x_unit = Unit::TIME_OF_FLIGHT;
        workspace.set_y_unit("Counts");
        let mut run = shared.clone();
        logs.add_to(&mut run, several.then_some((period, &charges)));
        workspace.title = run.text("run_title").unwrap_or_default();
        workspace.run = Arc::new(run);
        workspaces.push(workspace);
    }
    let workspace = match (workspaces.len(), workspaces.pop()) {
        (1, Some(only)) => Workspace::Matrix(only),
        (_, last) => {
            let cells = workspaces
                .into_iter()
                .chain(last)
                .map(|workspace| WorkspaceCell::new("", workspace));
            Workspace::Group(WorkspaceGroup::new(cells.collect()))
        }
    };
    Ok((workspace, counted))
}

/// Identity of a period of a run: views with the same identity share memos.
fn view_id(run: &RunInfo, period: u32, periods: u32) -> ViewId {
    let mut digest = Digest::new("run");
    digest.add(run.key.as_str());
    digest.add((period, periods > 1));
    digest.finish().into()
}

/// Numbers of a log, oldest first; one for a log that is not a series. `None` for texts.
fn log_values(run: &Run, name: &str) -> Option<Vec<f64>> {
    match run.series(name) {
        Some(series) => series.numbers(),
        None => run.number(name).map(|number| vec![number]),
    }
}

/// Bin edges in µs that hold every event: the upper one lies 1 ns above the largest time of flight, since it is excluded.
fn bounding_edges(range: Option<(f64, f64)>) -> SharedRow {
    match range {
        Some((low, high)) => [low, ((high * 1000.0).round() + 1.0) / 1000.0].into(),
        None => [0.0, f64::MIN_POSITIVE].into(),
    }
}

fn unmapped_events_warning(taken: EventIdKind, events: u64, auto: bool) -> String {
    let (taken, other) = match taken {
        EventIdKind::Spectrum => ("spectrum numbers", "detector"),
        EventIdKind::Index => ("workspace indices", "spectrum"),
        EventIdKind::Detector | EventIdKind::Auto => ("detector ids", "spectrum"),
    };
    let how = if auto { "by EVENT_IDS=auto" } else { "as EVENT_IDS says" };
    format!(
        "{events} events have ids that the run's map and instrument do not know: ids are taken as {taken} \
         {how}; if that is wrong, set EVENT_IDS={other}"
    )
}
