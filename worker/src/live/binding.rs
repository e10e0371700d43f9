//! The live workspace: how a view of a run gets its name in the data service, in either engine.
//!
//! Promises that with the native engine nothing is copied and nothing is computed before a script asks. It must not decide
//! when: the executor does.

use std::sync::{Arc, OnceLock};

use live_data_crd::report::WorkspaceReport;
use live_data_engine::cancel::Cancel;
use live_data_engine::config::{EventIds, TimelineConfig};
use live_data_engine::snapshot::Snapshot;
use live_data_reduction::bind::Binder;
use live_data_reduction::service::Service;
use live_data_reduction::workspace::events::memos;
use live_data_reduction::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::board::Board;
use crate::cli::EventIdsArg;
use crate::engine::{JournalLogger, service};
use crate::executor::LiveBinding;
use crate::journal::Journal;
use crate::live::feed::Feed;
use crate::live::hub::{ForScripts, Hub, HubTools};
use crate::live::methods::Embedded;
use crate::python::errors::text_of;
use crate::python::interpreter::Setup;
use crate::python::real_mantid::RealMantid;
use crate::python::{Engine, Handle, native};
use crate::script::Pinned;
use crate::settings::Settings;

/// The part of the memory limit that histograms kept for the next execution may take: one in this many.
const MEMO_SHARE: u64 = 8;

/// The timeline's settings from the worker's.
pub fn timeline_config(settings: &Settings) -> TimelineConfig {
    let nanos = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    TimelineConfig {
        event_ids: event_ids(settings.event_ids),
        exclude_setup: settings.exclude_setup,
        run_clock_offset: settings.run_clock_offset_ns,
        grace: nanos(settings.grace),
        duplicate_window: nanos(settings.duplicate_window),
        memory_limit: settings.memory_limit,
        ..TimelineConfig::new(&settings.instrument)
    }
}

/// What an event's id means, as the engine says it.
pub fn event_ids(choice: EventIdsArg) -> EventIds {
    match choice {
        EventIdsArg::Auto => EventIds::Auto,
        EventIdsArg::Spectrum => EventIds::Spectrum,
        EventIdsArg::Detector => EventIds::Detector,
        EventIdsArg::Index => EventIds::Index,
    }
}

/// What the executor needs to show runs to scripts.
pub struct Live {
    service: Service,
    name: String,
    binder: Binder,
    board: Arc<Board>,
}

impl Live {
    /// For these settings.
    pub fn new(settings: &Settings, output: &crate::output::OutputFolder, journal: Journal, board: Arc<Board>) -> Self {
        let logger = Arc::new(JournalLogger(journal));
        let service = service(logger, settings.instrument_dir.clone(), Some(output.root().to_owned()));
        service.config.set("default.instrument", &settings.instrument);
        if let Some(bytes) = settings.memory_limit {
            memos().set_limit(usize::try_from(bytes / MEMO_SHARE).unwrap_or(usize::MAX));
        }
        Live::over(service, &settings.live_ws, event_ids(settings.event_ids), board)
    }

    /// Over services that are there already.
    pub fn over(service: Service, name: &str, event_ids: EventIds, board: Arc<Board>) -> Self {
        let instrument = service.config.get("default.instrument").unwrap_or_default();
        let binder = Binder::new(event_ids, &instrument, Arc::clone(&service.instruments));
        Live {
            service,
            name: name.to_owned(),
            binder,
            board,
        }
    }

    /// The run's workspaces, one for each period, unnamed; what is odd about them goes to the board.
    fn periods(&self, run: &Snapshot, cancel: &Cancel) -> Result<Vec<MatrixWorkspace>, String> {
        let bound = self.binder.bind(run, cancel).map_err(|error| error.to_string())?;
        self.board.set_event_ids(match bound.event_ids {
            EventIds::Spectrum => "spectrum",
            EventIds::Index => "index",
            EventIds::Detector | EventIds::Auto => "detector",
        });
        if bound.warnings.is_empty() {
            self.board.recover("LiveWorkspace");
        } else {
            self.board.degrade("LiveWorkspace", bound.warnings.join("; "));
        }
        match bound.workspace {
            Workspace::Matrix(only) => Ok(vec![only]),
            Workspace::Group(group) => {
                let members = group
                    .members()
                    .iter()
                    .map(|cell| cell.matrix().map_err(|error| error.to_string()));
                members.collect()
            }
            Workspace::Table(_) => Ok(Vec::new()),
        }
    }

    /// What the interpreter prepares for the native engine.
    pub fn setup(&self) -> Setup {
        native::setup(self.service.clone())
    }

    /// Live data processing over these runs; `None` with the real Mantid, which has its own.
    pub fn hub(&self, python: &Handle, feed: Arc<dyn Feed>, journal: Journal, limits: HubLimits) -> Option<Arc<Hub>> {
        if !matches!(python.started().engine, Engine::Native) {
            return None;
        }
        let tools = HubTools {
            instrument: self
                .service
                .config
                .get("default.instrument")
                .unwrap_or_default()
                .to_uppercase(),
            service: self.service.clone(),
            binder: Arc::new(self.binder.another()),
            scripts: Arc::new(Embedded),
            journal,
            board: Arc::clone(&self.board),
            memory_limit: limits.memory,
            timeout: limits.timeout,
        };
        let hub = Hub::new(tools, feed);
        self.service.live.set(Arc::new(ForScripts(Arc::clone(&hub))));
        Some(hub)
    }

    /// The binding for the engine that is in use. What the hub's processing writes outlives the run of a script.
    pub fn binding(self, python: &Handle, hub: Option<Arc<Hub>>) -> Arc<dyn LiveBinding> {
        match python.started().engine {
            Engine::Native => Arc::new(Native {
                live: self,
                python: python.clone(),
                hub,
            }),
            Engine::Mantid(_) => Arc::new(Mantid {
                live: self,
                python: python.clone(),
                fed: OnceLock::new(),
                held: Mutex::default(),
            }),
        }
    }
}

/// What live data processing has to keep to.
#[derive(Clone, Copy, Debug)]
pub struct HubLimits {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// When a script is interrupted.
    pub timeout: std::time::Duration,
}

struct Native {
    live: Live,
    python: Handle,
    hub: Option<Arc<Hub>>,
}

/// The real Mantid, fed with what the native view of a run holds.
struct Mantid {
    live: Live,
    python: Handle,
    fed: OnceLock<RealMantid>,
    /// What Mantid's data service held at the last binding: a report must not wait for the interpreter.
    held: Mutex<Vec<WorkspaceReport>>,
}

impl Mantid {
    fn real(&self, py: Python<'_>) -> PyResult<&RealMantid> {
        if let Some(real) = self.fed.get() {
            return Ok(real);
        }
        let made = RealMantid::new(py)?;
        Ok(self.fed.get_or_init(|| made))
    }
}

impl LiveBinding for Mantid {
    fn bind(&self, py: Python<'_>, run: Snapshot) -> Result<(), String> {
        let live = &self.live;
        let cancel = self.python.cancel();
        let periods = py.detach(|| live.periods(&run, &cancel))?;
        let instrument = live.service.config.get("default.instrument").unwrap_or_default();
        let fed = self
            .real(py)
            .and_then(|real| real.feed(py, &live.name, &instrument, &periods, &cancel))
            .map_err(|error| text_of(py, &error))?;
        if fed.left_out > 0 {
            live.board.degrade(
                "DetectorsUnknown",
                format!(
                    "{} spectra have no detector that Mantid's {instrument} knows; their events are not in its workspace",
                    fed.left_out
                ),
            );
        }
        let listed = self.real(py).and_then(|real| real.workspaces(py)).unwrap_or_default();
        *self.held.lock() = listed
            .into_iter()
            .map(|(name, kind, memory_bytes)| WorkspaceReport {
                name,
                kind,
                memory_bytes,
                ..WorkspaceReport::default()
            })
            .collect();
        Ok(())
    }

    fn clear(&self, py: Python<'_>) -> Box<dyn std::any::Any + Send> {
        if let Err(error) = self.real(py).and_then(|real| real.clear(py)) {
            tracing::warn!("cannot clear Mantid's data service: {}", text_of(py, &error));
        }
        Box::new(())
    }

    fn pinned(&self, _py: Python<'_>, _former: Box<dyn std::any::Any + Send>) -> Vec<Pinned> {
        // Mantid's handles do not keep what the data service let go of.
        Vec::new()
    }

    fn workspaces(&self) -> Vec<WorkspaceReport> {
        self.held.lock().clone()
    }
}

/// One period has the live workspace's name; several have it with `_1`, `_2`, …, and a group has the name itself.
fn name_periods(live: &Live, mut periods: Vec<MatrixWorkspace>) -> live_data_reduction::Result<()> {
    let data = &live.service.data;
    if periods.len() == 1
        && let Some(only) = periods.pop()
    {
        return data.add_or_replace(&live.name, WorkspaceCell::new(&live.name, Workspace::Matrix(only)));
    }
    let mut members = Vec::with_capacity(periods.len());
    for (number, period) in (1..).zip(periods) {
        let name = format!("{}_{number}", live.name);
        let cell = WorkspaceCell::new(&name, Workspace::Matrix(period));
        data.add_or_replace(&name, Arc::clone(&cell))?;
        members.push(cell);
    }
    data.add_or_replace(
        &live.name,
        WorkspaceCell::new(&live.name, Workspace::Group(WorkspaceGroup::new(members))),
    )
}

impl LiveBinding for Native {
    fn bind(&self, py: Python<'_>, run: Snapshot) -> Result<(), String> {
        let (live, cancel) = (&self.live, self.python.cancel());
        py.detach(|| {
            let periods = live.periods(&run, &cancel)?;
            name_periods(live, periods).map_err(|error| error.to_string())
        })
    }

    fn clear(&self, py: Python<'_>) -> Box<dyn std::any::Any + Send> {
        // Histograms of a run that is over would only take the place of the next one's.
        memos().clear();
        let kept = self.hub.as_ref().map(|hub| hub.names()).unwrap_or_default();
        Box::new(native::clear_data_service(py, &kept))
    }

    fn pinned(&self, py: Python<'_>, former: Box<dyn std::any::Any + Send>) -> Vec<Pinned> {
        former
            .downcast()
            .map(|former| native::still_held(py, *former))
            .unwrap_or_default()
    }

    fn workspaces(&self) -> Vec<WorkspaceReport> {
        let data = &self.live.service.data;
        let handles = data
            .object_names()
            .into_iter()
            .filter_map(|name| data.get(&name).map(|cell| (name, cell)));
        handles
            .map(|(name, cell)| match cell.raw() {
                Workspace::Matrix(matrix) => WorkspaceReport {
                    name,
                    kind: matrix.id().to_owned(),
                    spectra: matrix.histograms() as u64,
                    bins: matrix.x(0).map_or(0, |x| x.len().saturating_sub(1) as u64),
                    events: None,
                    memory_bytes: matrix.memory() as u64,
                },
                Workspace::Group(_) => WorkspaceReport {
                    name,
                    kind: "WorkspaceGroup".into(),
                    ..WorkspaceReport::default()
                },
                Workspace::Table(_) => WorkspaceReport {
                    name,
                    kind: "TableWorkspace".into(),
                    ..WorkspaceReport::default()
                },
            })
            .collect()
    }
}
