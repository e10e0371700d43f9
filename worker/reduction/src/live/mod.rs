//! From a view of a run to the workspace that a script finds: events as a lazy plan, spectra, instrument, logs.
//!
//! Promises: no event is copied and none is looked at; an event whose id no spectrum has is left out and said so; a view of
//! several periods becomes a group. Must not name the workspace: whoever owns the data service does.
//!
//! # Layout
//! `spectra` (which ids make up which spectrum) and `logs` (what is known of the run) → [`bind`].

pub mod logs;
pub mod spectra;

use std::sync::Arc;

use live_data_engine::chunk::ChunkView;
use live_data_engine::config::EventIds;
use live_data_engine::fingerprint::Digest;
use live_data_engine::plan::{EventPlan, SlotTable};
use live_data_engine::snapshot::{Part, Snapshot};

use crate::date_and_time::DateAndTime;
use crate::error::Result;
use crate::instrument::Instrument;
use crate::live::spectra::{Meaning, meaning};
use crate::service::Service;
use crate::unit::Unit;
use crate::workspace::data::Xs;
use crate::workspace::events::EventData;
use crate::workspace::matrix::{Data, MatrixWorkspace};

/// Time of flight, in µs, that X ends at while no event is known: one frame at 50 Hz.
const EMPTY_RANGE: f64 = 20_000.0;

/// Something about the run that its scientist should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// One word in CamelCase.
    pub reason: &'static str,
    /// What is odd and what to do next.
    pub message: String,
}

/// A view of a run, ready to be named.
pub struct Bound {
    /// One workspace for each period; a run without periods has one.
    pub periods: Vec<MatrixWorkspace>,
    /// What an event's id was taken for.
    pub event_ids: &'static str,
    /// What is odd.
    pub warnings: Vec<Warning>,
}

/// Makes the workspaces of a view of a run.
///
/// # Errors
/// `Execution` when the run's map describes more spectra than can be addressed.
pub fn bind(snapshot: &Snapshot, service: &Service, ids: EventIds) -> Result<Bound> {
    let run = snapshot.run();
    let mut warnings = Vec::new();
    let instrument = instrument(snapshot, service, &mut warnings);
    let meaning = meaning(ids, snapshot.event_schema(), run.map.is_some());
    let layout = spectra::layout(run.map.as_deref(), &instrument, meaning, snapshot.ids());
    let table = SlotTable::new(layout.spectra.len(), layout.slots);
    let slots = table.resolve(snapshot.ids());
    let spectra = Arc::new(layout.spectra);
    let by_period = logs::charge_by_period(snapshot);
    let periods = (0..run.n_periods.max(1)).map(|period| {
        let number = u16::try_from(period).unwrap_or(u16::MAX);
        let parts = if run.n_periods > 1 {
            snapshot.period(number)
        } else {
            snapshot.parts().to_vec()
        };
        let mut lane = Digest::new("run");
        lane.add((run.key.as_str(), run.n_periods > 1, period));
        let plan = EventPlan::snapshot(&parts, snapshot.settled_before(), slots.clone(), lane.finish());
        let (low, high) = limits(&parts);
        let x = Xs::Common(Arc::from([low, high]));
        let mut workspace = MatrixWorkspace::new(Data::Events(EventData::new(plan, x)));
        workspace.spectra = Arc::clone(&spectra);
        workspace.x_unit = Unit::from_id("TOF").unwrap_or(Unit::EMPTY);
        workspace.y_unit = "Counts".to_owned();
        workspace.instrument = Arc::clone(&instrument);
        workspace.run = Arc::new(logs::run(snapshot, (run.n_periods > 1).then_some(number), &by_period));
        workspace.title = logs::title(snapshot);
        workspace
    });
    Ok(Bound {
        periods: periods.collect(),
        event_ids: meaning.name(),
        warnings,
    })
}

fn instrument(snapshot: &Snapshot, service: &Service, warnings: &mut Vec<Warning>) -> Arc<Instrument> {
    let run = snapshot.run();
    let named = Some(run.instrument.clone()).filter(|name| !name.is_empty());
    let name = named
        .or_else(|| service.config.get("default.instrument"))
        .unwrap_or_default();
    service.instruments.by_name(&name, DateAndTime::from_pulse(run.start)).unwrap_or_else(|error| {
        warnings.push(Warning {
            reason: "NoInstrument",
            message: format!(
                "{error}. Spectra have no positions: units cannot be converted. Put the instrument's definition file into \
                 INSTRUMENT_DIR"
            ),
        });
        Instrument::empty()
    })
}

/// X that every event lies within, in µs: from whole chunks, so that it costs nothing to know.
fn limits(parts: &[Part]) -> (f64, f64) {
    let ranges = parts.iter().filter_map(|part| match &part.chunk {
        ChunkView::Sealed(chunk) => chunk.time_of_flight_range(),
        ChunkView::Tail(tail) => tail.time_of_flight_range(),
    });
    let range = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    match range {
        // The last edge is excluded: it lies one clock tick past the latest event.
        Some((low, high)) => (f64::from(low) * 1e-3, (f64::from(high) + 1.0) * 1e-3),
        None => (0.0, EMPTY_RANGE),
    }
}

impl Meaning {
    /// The meaning's name in the worker's report.
    pub fn name(self) -> &'static str {
        match self {
            Meaning::Spectrum => "spectrum",
            Meaning::Detector => "detector",
            Meaning::Index => "index",
        }
    }
}
