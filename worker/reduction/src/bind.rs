//! The live workspace: a snapshot of a run as a workspace of events, or a group of one for each period. Promises:
//! copies no event; what ids the run's map or the instrument cannot explain is counted and said; X spans the times of
//! flight that there are. Must not touch the data service: whoever binds the name does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::chunk::ChunkView;
use live_data_engine::config::EventIds;
use live_data_engine::fingerprint::{Digest, Fingerprint};
use live_data_engine::message::EventSchema;
use live_data_engine::period_totals::PeriodTotals;
use live_data_engine::plan::{ChunkPart, EventPlan, SlotMap, SlotTable};
use live_data_engine::run::RunInfo;
use live_data_engine::selection::Bitmap;
use live_data_engine::snapshot::{Part, Snapshot};
use live_data_engine::time::PulseTime;
use parking_lot::Mutex;

use crate::date_and_time::DateAndTime;
use crate::error::Result;
use crate::instrument::Instrument;
use crate::instrument::of_run::{Said, instrument_of};
use crate::instrument::source::InstrumentSource;
use crate::run::Run;
use crate::run::logs_of_run::{PeriodLogs, period_logs, shared_logs};
use crate::unit::Unit;
use crate::workspace::data::{Row, Xs};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;
use crate::workspace::spectra::Spectra;
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

/// What a snapshot was bound to.
pub struct Bound {
    /// The events of the run, or a group of them by period, whose members have no names yet.
    pub workspace: Workspace,
    /// What the events' ids were taken as.
    pub event_ids: EventIds,
    /// How many events of the run have ids that neither the map nor the instrument explains.
    pub unexplained_events: u64,
    /// What a scientist should know, in words.
    pub warnings: Vec<String>,
}

/// Frames and their charge, of one period.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Frames {
    /// The charge of the good frames, µAh; `None` when nobody sent one.
    pub charge: Option<f64>,
    /// The times of the frames whose charge is known.
    pub times: Vec<PulseTime>,
    /// Their charges, µAh.
    pub charges: Vec<f64>,
    /// How many frames there are; may be negative in a portion that takes frames back.
    pub raw: i64,
    /// How many of them are good.
    pub good: i64,
}

/// Pulses of one period.
#[derive(Debug, Clone, Default)]
pub struct PeriodPortion {
    /// The chunks and which of their pulses.
    pub parts: Vec<(ChunkView, Arc<Bitmap>)>,
    /// The frames.
    pub frames: Frames,
}

/// Which values of the logs.
#[derive(Debug, Clone, Default)]
pub struct LogPortion {
    /// The first value's time, by process variable; all values where none is given.
    pub from: HashMap<Arc<str>, PulseTime>,
    /// Values at or after this time are left out.
    pub until: PulseTime,
}

/// A portion of a run.
#[derive(Debug, Clone)]
pub struct Portion {
    /// The pulses, by period from 0; at least one period.
    pub periods: Vec<PeriodPortion>,
    /// The logs.
    pub logs: LogPortion,
    /// A number that no other portion has.
    pub lane: u64,
}

/// Binds snapshots. What depends on the run's map and instrument alone is made once for a run.
pub struct Binder {
    event_ids: EventIds,
    instrument: String,
    instruments: Arc<dyn InstrumentSource>,
    layout: Mutex<Option<(LayoutKey, Arc<Layout>)>>,
    /// Of the frames that were summed before, so that a long run costs no more than a short one.
    totals: Mutex<PeriodTotals>,
}

/// What a layout was made from.
#[derive(Clone, PartialEq)]
struct LayoutKey {
    run: String,
    ids: EventIds,
    map: usize,
    structure: usize,
    /// Ids seen so far, where neither a map nor an instrument says what there is.
    seen: usize,
}

struct Layout {
    spectra: Arc<Spectra>,
    table: SlotTable,
    instrument: Arc<Instrument>,
    warnings: Vec<String>,
}

impl Binder {
    /// Binds snapshots of an instrument's runs, with ids taken as said.
    pub fn new(event_ids: EventIds, instrument: &str, instruments: Arc<dyn InstrumentSource>) -> Self {
        Self {
            event_ids,
            instrument: instrument.to_owned(),
            instruments,
            layout: Mutex::new(None),
            totals: Mutex::default(),
        }
    }

    /// A binder that does the same, and keeps what it makes for itself.
    pub fn another(&self) -> Self {
        Self::new(self.event_ids, &self.instrument, self.instruments.clone())
    }

    /// Binds a snapshot.
    ///
    /// # Errors
    /// `Cancelled`, and `Execution` when the events cannot be read.
    pub fn bind(&self, snapshot: &Snapshot, cancel: &Cancel) -> Result<Bound> {
        let run = snapshot.run();
        let event_ids = self.resolve(snapshot);
        let layout = self.layout(snapshot, event_ids);
        let slots = layout.table.resolve(snapshot.ids());
        let periods = period_count(run);
        let plans = (0..periods).map(|period| {
            let parts = if periods == 1 {
                snapshot.parts().to_vec()
            } else {
                snapshot.period(period as u16)
            };
            plan(snapshot, &parts, &slots, lane(run, period, periods))
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
        Ok(self.bound(snapshot, &layout, event_ids, workspace, kept.saturating_sub(counted)))
    }

    /// Binds a portion of a snapshot: a workspace of these pulses, with the charge and the logs of the portion alone.
    ///
    /// # Errors
    /// `Cancelled`, and `Execution` when the events cannot be read.
    pub fn bind_portion(&self, snapshot: &Snapshot, portion: &Portion, cancel: &Cancel) -> Result<Bound> {
        let event_ids = self.resolve(snapshot);
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
            let parts = period.parts.iter().map(|(chunk, selected)| ChunkPart {
                chunk: chunk.clone(),
                selected: selected.clone(),
                settled: None,
            });
            let mut digest = Digest::new("portion");
            digest.add((portion.lane, number));
            plans.push(EventPlan::stream(parts.collect(), slots.clone(), digest.finish()));
        }
        let by_period = portion
            .periods
            .iter()
            .map(|period| PeriodLogs::from(&period.frames))
            .collect();
        let shared = shared_logs(snapshot, Some(&portion.logs));
        let (workspace, _) = assemble(&layout, plans, by_period, &shared, cancel)?;
        Ok(self.bound(snapshot, &layout, event_ids, workspace, unexplained_events))
    }

    fn bound(
        &self,
        snapshot: &Snapshot,
        layout: &Layout,
        event_ids: EventIds,
        workspace: Workspace,
        unexplained_events: u64,
    ) -> Bound {
        let mut warnings = layout.warnings.clone();
        warnings.extend(snapshot.run().warnings.iter().map(ToString::to_string));
        if unexplained_events > 0 {
            warnings.push(unexplained(
                event_ids,
                unexplained_events,
                self.event_ids == EventIds::Auto,
            ));
        }
        Bound {
            workspace,
            event_ids,
            unexplained_events,
            warnings,
        }
    }

    /// What ids are taken as: spectrum numbers for ev42 with a map, else detector ids, when nothing else is said.
    fn resolve(&self, snapshot: &Snapshot) -> EventIds {
        match self.event_ids {
            EventIds::Auto => {
                let ev42 = snapshot.event_schema().is_none_or(|schema| schema == EventSchema::Ev42);
                if ev42 && snapshot.run().map.is_some() {
                    EventIds::Spectrum
                } else {
                    EventIds::Detector
                }
            }
            said => said,
        }
    }

    fn layout(&self, snapshot: &Snapshot, ids: EventIds) -> Arc<Layout> {
        let run = snapshot.run();
        let map = run.map.as_ref().map_or(0, |map| Arc::as_ptr(map) as usize);
        let structure = run
            .nexus_structure
            .as_ref()
            .map_or(0, |text| Arc::as_ptr(text).cast::<u8>() as usize);
        let mut held = self.layout.lock();
        let known = held.as_ref().filter(|(key, layout)| {
            let same = key.run == run.key.as_str() && key.ids == ids && key.map == map && key.structure == structure;
            // Without map and instrument the spectra are the ids that came, so that a new id makes a new layout.
            same && (map != 0 || !layout.instrument.is_empty() || key.seen == snapshot.ids().len())
        });
        if let Some((_, layout)) = known {
            return layout.clone();
        }
        let made = Arc::new(self.make_layout(snapshot, ids));
        let key = LayoutKey {
            run: run.key.as_str().to_owned(),
            ids,
            map,
            structure,
            seen: snapshot.ids().len(),
        };
        *held = Some((key, made.clone()));
        made
    }

    fn make_layout(&self, snapshot: &Snapshot, ids: EventIds) -> Layout {
        let run = snapshot.run();
        let said = Said {
            structure: run.nexus_structure.as_deref(),
            name: &run.instrument,
            default_name: &self.instrument,
            start: DateAndTime::from_pulse(run.start),
        };
        let (instrument, warnings) = instrument_of(&said, &*self.instruments);
        let spectra = Arc::new(spectra_of(run, &instrument, snapshot, ids));
        let index = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
        let pairs: Vec<(u32, usize)> = match ids {
            EventIds::Spectrum => {
                let numbers = spectra.numbers().iter().enumerate();
                numbers
                    .filter_map(|(at, number)| u32::try_from(*number).ok().map(|id| (id, at)))
                    .collect()
            }
            EventIds::Index => (0..spectra.len()).map(|at| (index(at), at)).collect(),
            EventIds::Detector | EventIds::Auto => (0..spectra.len())
                .flat_map(|at| spectra.detectors(at).iter().map(move |id| (*id, at)))
                .filter_map(|(id, at)| u32::try_from(id).ok().map(|id| (id, at)))
                .collect(),
        };
        let table = SlotTable::new(spectra.len(), pairs);
        Layout {
            spectra,
            table,
            instrument,
            warnings,
        }
    }
}

/// The spectra: of the map, else one for each detector, else one for each id that came.
fn spectra_of(run: &RunInfo, instrument: &Instrument, snapshot: &Snapshot, ids: EventIds) -> Spectra {
    if let Some(map) = &run.map {
        let mut by_number: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (number, id) in map.spectrum.iter().zip(&map.detector_id) {
            by_number.entry(*number).or_default().push(*id);
        }
        let mut spectra = Spectra::with_capacity(by_number.len());
        for (number, detectors) in &by_number {
            spectra.push(*number, detectors);
        }
        return spectra;
    }
    let mut spectra = Spectra::with_capacity(instrument.detectors.len());
    if instrument.detectors.is_empty() {
        let mut seen: Vec<i32> = snapshot.ids().ids().filter_map(|id| i32::try_from(id).ok()).collect();
        seen.sort_unstable();
        if ids == EventIds::Index {
            return Spectra::numbered(seen.last().map_or(0, |last| *last as usize + 1).min(10_000_000));
        }
        for (at, id) in seen.iter().enumerate() {
            match ids {
                EventIds::Spectrum => spectra.push(*id, &[]),
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

/// How many periods a run has, within what a period number can say.
pub fn period_count(run: &RunInfo) -> u32 {
    run.n_periods.clamp(1, u32::from(u16::MAX) + 1)
}

/// A workspace for each plan, over X that holds the events of all; and how many events that is.
fn assemble(
    layout: &Layout,
    plans: Vec<EventPlan>,
    by_period: Vec<PeriodLogs>,
    shared: &Run,
    cancel: &Cancel,
) -> Result<(Workspace, u64)> {
    let mut counted = 0;
    let mut range: Option<(f64, f64)> = None;
    let mut members = Vec::with_capacity(plans.len());
    for plan in plans {
        let events = EventData::new(plan, Xs::Common([0.0, f64::MIN_POSITIVE].into()));
        counted += events.number(cancel)?;
        if let Some((low, high)) = events.range(cancel)? {
            let (a, b) = range.unwrap_or((low, high));
            range = Some((a.min(low), b.max(high)));
        }
        members.push(events);
    }
    let x = limits(range);
    let instrument = layout.instrument.with_logs(|name| log_values(shared, name));
    let several = members.len() > 1;
    let charges: Vec<f64> = by_period.iter().map(|logs| logs.charge.unwrap_or_default()).collect();
    let mut workspaces = Vec::with_capacity(members.len());
    for (period, (mut events, logs)) in members.into_iter().zip(by_period).enumerate() {
        events.set_x(Xs::Common(x.clone()));
        let mut workspace = MatrixWorkspace::new(Data::Events(events));
        workspace.spectra = layout.spectra.clone();
        workspace.instrument = Arc::clone(&instrument);
        workspace.x_unit = Unit::TIME_OF_FLIGHT;
        workspace.set_y_unit("Counts");
        let mut own = shared.clone();
        logs.add_to(&mut own, several.then_some((period, &charges)));
        workspace.title = own.text("run_title").unwrap_or_default();
        workspace.run = Arc::new(own);
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

/// Names a view, so that views of one run and period share memos.
fn lane(run: &RunInfo, period: u32, periods: u32) -> Fingerprint {
    let mut digest = Digest::new("run");
    digest.add(run.key.as_str());
    digest.add((period, periods > 1));
    digest.finish()
}

fn plan(snapshot: &Snapshot, parts: &[Part], slots: &SlotMap, lane: Fingerprint) -> EventPlan {
    let before = snapshot.settled_before();
    let parts: Vec<ChunkPart> = parts
        .iter()
        .map(|part| ChunkPart {
            chunk: part.chunk.clone(),
            selected: part.selected.clone(),
            settled: settled(part, before),
        })
        .collect();
    EventPlan::stream(parts.into(), slots.clone(), lane)
}

/// The selected pulses that will rarely change; `None` when all are.
fn settled(part: &Part, before: PulseTime) -> Option<Arc<Bitmap>> {
    let times = part.chunk.pulse_times();
    if times.iter().all(|time| *time < before) {
        return None;
    }
    let early = |pulse: usize| times.get(pulse).is_some_and(|time| *time < before);
    Some(Arc::new(Bitmap::from_fn(times.len(), |pulse| {
        part.selected.get(pulse) && early(pulse)
    })))
}

/// The values of a log, oldest first.
fn log_values(run: &Run, name: &str) -> Option<Vec<f64>> {
    match run.series(name) {
        Some(series) => series.numbers(),
        None => run.number(name).map(|number| vec![number]),
    }
}

/// Edges that hold every event: the last lies one nanosecond beyond the latest.
fn limits(range: Option<(f64, f64)>) -> Row {
    match range {
        Some((low, high)) => [low, ((high * 1000.0).round() + 1.0) / 1000.0].into(),
        None => [0.0, f64::MIN_POSITIVE].into(),
    }
}

fn unexplained(taken: EventIds, events: u64, auto: bool) -> String {
    let (taken, other) = match taken {
        EventIds::Spectrum => ("spectrum numbers", "detector"),
        EventIds::Index => ("workspace indices", "spectrum"),
        EventIds::Detector | EventIds::Auto => ("detector ids", "spectrum"),
    };
    let how = if auto { "by EVENT_IDS=auto" } else { "as EVENT_IDS says" };
    format!(
        "{events} events have ids that the run's map and instrument do not know: ids are taken as {taken} \
         {how}; if that is wrong, set EVENT_IDS={other}"
    )
}
