//! Live workspace: the name under which scripts find the view of a run, in the data service of either engine.
//!
//! Promises: with the native engine nothing is copied, and nothing computed before a script reads it. Must not decide
//! when a run is shown: the executor does.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use live_data_crd::reason::WorkerReason;
use live_data_crd::report::WorkspaceReport;
use live_data_engine::cancel::Cancel;
use live_data_engine::config::{EventIdKind, TimelineConfig};
use live_data_engine::snapshot::Snapshot;
use live_data_reduction::run_workspace::RunWorkspaceBuilder;
use live_data_reduction::service::Services;
use live_data_reduction::workspace::events::memos;
use live_data_reduction::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};
use parking_lot::Mutex;
use pyo3::prelude::*;

use crate::cli::EventIdsArg;
use crate::degradation::DegradationGuard;
use crate::engine::{ScriptLogLogger, native_services};
use crate::live::live_data_service::script_live_data::ScriptLiveData;
use crate::live::live_data_service::{LiveDataService, LiveDataServiceDependencies};
use crate::live::processing::EmbeddedPython;
use crate::live::run_source::RunSource;
use crate::output::OutputFolder;
use crate::python::errors::text_of;
use crate::python::real_mantid::RealMantid;
use crate::python::{Engine, InterpreterHandle, NativeSetup, native};
use crate::readiness::Readiness;
use crate::script::RetainedWorkspace;
use crate::script_log::ScriptLog;
use crate::settings::Settings;
use crate::status_registry::StatusRegistry;

/// Part of the memory limit that memoised histograms may use: one in this many.
const MEMO_SHARE: u64 = 8;

/// Workspaces removed from the data service, by their former names.
pub type ClearedWorkspaces = Vec<(String, Weak<WorkspaceCell>)>;

/// Live workspace in the data service of one engine.
pub trait LiveWorkspace: Send + Sync + 'static {
    /// Replaces the live workspace by a view of `run`. On the script thread, detached while it is built.
    ///
    /// # Errors
    /// Text of the engine's or Python's error; the former workspace may have been removed.
    fn set_run(&self, py: Python<'_>, run: Snapshot) -> Result<(), String>;

    /// Removes the former run's workspaces from the data service, but not those of live data processing. On the script thread.
    fn clear(&self, py: Python<'_>) -> ClearedWorkspaces;

    /// Cleared workspaces that a script still references. On the script thread.
    fn retained(&self, py: Python<'_>, cleared: ClearedWorkspaces) -> Vec<RetainedWorkspace>;

    /// Report of the data service's content, which with Mantid is that of the last [`LiveWorkspace::set_run`]. On any thread.
    fn report(&self) -> Vec<WorkspaceReport>;
}

/// Settings of the timeline among the worker's.
pub fn timeline_config(settings: &Settings) -> TimelineConfig {
    let nanos = |duration: Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
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

/// The engine's kind of event ids for the setting EVENT_IDS.
pub fn event_ids(choice: EventIdsArg) -> EventIdKind {
    match choice {
        EventIdsArg::Auto => EventIdKind::Auto,
        EventIdsArg::Spectrum => EventIdKind::Spectrum,
        EventIdsArg::Detector => EventIdKind::Detector,
        EventIdsArg::Index => EventIdKind::Index,
    }
}

/// Services and settings of the live workspace, before the engine is known.
pub struct LiveWorkspaceBuilder {
    services: Services,
    name: String,
    workspaces: RunWorkspaceBuilder,
    status: Arc<StatusRegistry>,
}

impl LiveWorkspaceBuilder {
    /// Builder with new services; limits the memos to an eighth of the memory limit.
    pub fn new(settings: &Settings, output: &OutputFolder, script_log: ScriptLog, status: Arc<StatusRegistry>) -> Self {
        let logger = Arc::new(ScriptLogLogger(script_log));
        let services = native_services(logger, settings.instrument_dir.clone(), Some(output.root().to_owned()));
        services.config.set("default.instrument", &settings.instrument);
        if let Some(bytes) = settings.memory_limit {
            memos().set_limit(usize::try_from(bytes / MEMO_SHARE).unwrap_or(usize::MAX));
        }
        LiveWorkspaceBuilder::with_services(services, &settings.live_ws, event_ids(settings.event_ids), status)
    }

    /// Builder over given services; `name` is that of the live workspace.
    pub fn with_services(services: Services, name: &str, event_ids: EventIdKind, status: Arc<StatusRegistry>) -> Self {
        let instrument = services.config.get("default.instrument").unwrap_or_default();
        let workspaces = RunWorkspaceBuilder::new(event_ids, &instrument, Arc::clone(&services.instruments));
        LiveWorkspaceBuilder {
            services,
            name: name.to_owned(),
            workspaces,
            status,
        }
    }

    /// Setup of the native engine's modules, for the interpreter's start.
    pub fn interpreter_setup(&self) -> NativeSetup {
        native::setup(self.services.clone())
    }

    /// Live data processing of `runs`; `None` with the real Mantid, which has its own StartLiveData.
    pub fn live_data_service(
        &self,
        python: &InterpreterHandle,
        runs: Arc<dyn RunSource>,
        script_log: ScriptLog,
        readiness: Arc<Readiness>,
        limits: LiveDataLimits,
    ) -> Option<Arc<LiveDataService>> {
        if !matches!(python.info().engine, Engine::Native) {
            return None;
        }
        let instrument = self.services.config.get("default.instrument").unwrap_or_default();
        let dependencies = LiveDataServiceDependencies {
            instrument: instrument.to_uppercase(),
            services: self.services.clone(),
            workspace_builder: Arc::new(self.workspaces.with_own_cache()),
            scripts: Arc::new(EmbeddedPython),
            script_log,
            status: Arc::clone(&self.status),
            readiness,
            memory_limit: limits.memory,
            timeout: limits.timeout,
        };
        let live_data = LiveDataService::new(dependencies, runs);
        self.services.live.set(Arc::new(ScriptLiveData(Arc::clone(&live_data))));
        Some(live_data)
    }

    /// Live workspace of the engine in use. Workspaces of `live_data` are kept when the run changes.
    pub fn build(self, python: &InterpreterHandle, live_data: Option<Arc<LiveDataService>>) -> Arc<dyn LiveWorkspace> {
        let view = RunView {
            services: self.services,
            name: self.name,
            workspaces: self.workspaces,
            status: self.status,
            warnings: Mutex::default(),
        };
        match python.info().engine {
            Engine::Native => Arc::new(NativeLiveWorkspace {
                view,
                python: python.clone(),
                live_data,
            }),
            Engine::Mantid(_) => Arc::new(MantidLiveWorkspace {
                view,
                python: python.clone(),
                mantid: OnceLock::new(),
                report: Mutex::default(),
                detectors_unknown: Mutex::default(),
            }),
        }
    }
}

/// Limits of live data processing.
#[derive(Clone, Copy, Debug)]
pub struct LiveDataLimits {
    /// Memory limit of the worker in bytes.
    pub memory: Option<u64>,
    /// Time after which the Python of one chunk is interrupted.
    pub timeout: Duration,
}

/// Builder of the native workspaces of a run.
struct RunView {
    services: Services,
    name: String,
    workspaces: RunWorkspaceBuilder,
    status: Arc<StatusRegistry>,
    /// Degradation until the next view without warnings.
    warnings: Mutex<Option<DegradationGuard>>,
}

impl RunView {
    /// Workspaces of the run, one for each period, unnamed. Warnings about them become a degradation.
    fn periods(&self, run: &Snapshot, cancel: &Cancel) -> Result<Vec<MatrixWorkspace>, String> {
        let bound = self.workspaces.build(run, cancel).map_err(|error| error.to_string())?;
        self.status.set_event_ids(match bound.event_ids {
            EventIdKind::Spectrum => "spectrum",
            EventIdKind::Index => "index",
            EventIdKind::Detector | EventIdKind::Auto => "detector",
        });
        let warnings = (!bound.warnings.is_empty()).then(|| bound.warnings.join("; "));
        *self.warnings.lock() = warnings.map(|warnings| self.status.degrade(WorkerReason::LiveWorkspace, warnings));
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

    /// One period has the live workspace's name; several have it with `_1`, `_2`, …, and their group has the name itself.
    fn publish(&self, mut periods: Vec<MatrixWorkspace>) -> live_data_reduction::Result<()> {
        let data = &self.services.data;
        if periods.len() == 1
            && let Some(only) = periods.pop()
        {
            return data.add_or_replace(&self.name, WorkspaceCell::new(&self.name, Workspace::Matrix(only)));
        }
        let mut members = Vec::with_capacity(periods.len());
        for (number, period) in (1..).zip(periods) {
            let name = format!("{}_{number}", self.name);
            let cell = WorkspaceCell::new(&name, Workspace::Matrix(period));
            data.add_or_replace(&name, Arc::clone(&cell))?;
            members.push(cell);
        }
        let group = Workspace::Group(WorkspaceGroup::new(members));
        data.add_or_replace(&self.name, WorkspaceCell::new(&self.name, group))
    }
}

struct NativeLiveWorkspace {
    view: RunView,
    python: InterpreterHandle,
    live_data: Option<Arc<LiveDataService>>,
}

impl LiveWorkspace for NativeLiveWorkspace {
    fn set_run(&self, py: Python<'_>, run: Snapshot) -> Result<(), String> {
        let (view, cancel) = (&self.view, self.python.cancel());
        py.detach(|| {
            let periods = view.periods(&run, &cancel)?;
            view.publish(periods).map_err(|error| error.to_string())
        })
    }

    fn clear(&self, py: Python<'_>) -> ClearedWorkspaces {
        // Histograms of a former run would only occupy the memory of the next one's.
        memos().clear();
        let kept = self.live_data.as_ref().map(|live_data| live_data.names_in_use());
        native::clear_data_service(py, &kept.unwrap_or_default())
    }

    fn retained(&self, py: Python<'_>, cleared: ClearedWorkspaces) -> Vec<RetainedWorkspace> {
        native::retained_workspaces(py, cleared)
    }

    fn report(&self) -> Vec<WorkspaceReport> {
        let data = &self.view.services.data;
        let cells = data
            .object_names()
            .into_iter()
            .filter_map(|name| data.get(&name).map(|cell| (name, cell)));
        cells
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

/// Live workspace of the real Mantid, filled from the native view of a run.
struct MantidLiveWorkspace {
    view: RunView,
    python: InterpreterHandle,
    mantid: OnceLock<RealMantid>,
    /// Content of Mantid's data service at the last update: a report must not wait for the interpreter.
    report: Mutex<Vec<WorkspaceReport>>,
    /// Until the next view of which Mantid knows every detector.
    detectors_unknown: Mutex<Option<DegradationGuard>>,
}

impl MantidLiveWorkspace {
    fn mantid(&self, py: Python<'_>) -> PyResult<&RealMantid> {
        if let Some(mantid) = self.mantid.get() {
            return Ok(mantid);
        }
        let imported = RealMantid::new(py)?;
        Ok(self.mantid.get_or_init(|| imported))
    }
}

/// Degradation for spectra without a detector in Mantid's instrument; `None` if every spectrum has one.
fn detectors_unknown(status: &StatusRegistry, spectra: usize, instrument: &str) -> Option<DegradationGuard> {
    (spectra > 0).then(|| {
        status.degrade(
            WorkerReason::DetectorsUnknown,
            format!(
                "{spectra} spectra have no detector that Mantid's {instrument} knows; their events are not in its workspace"
            ),
        )
    })
}

impl LiveWorkspace for MantidLiveWorkspace {
    fn set_run(&self, py: Python<'_>, run: Snapshot) -> Result<(), String> {
        let view = &self.view;
        let cancel = self.python.cancel();
        let periods = py.detach(|| view.periods(&run, &cancel))?;
        let instrument = view.services.config.get("default.instrument").unwrap_or_default();
        let summary = self
            .mantid(py)
            .and_then(|mantid| mantid.update(py, &view.name, &instrument, &periods, &cancel))
            .map_err(|error| text_of(py, &error))?;
        *self.detectors_unknown.lock() = detectors_unknown(&view.status, summary.left_out, &instrument);
        let workspaces = self.mantid(py).and_then(|mantid| mantid.workspaces(py));
        *self.report.lock() = workspaces
            .unwrap_or_default()
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

    fn clear(&self, py: Python<'_>) -> ClearedWorkspaces {
        if let Err(error) = self.mantid(py).and_then(|mantid| mantid.clear(py)) {
            tracing::warn!("cannot clear Mantid's data service: {}", text_of(py, &error));
        }
        Vec::new()
    }

    fn retained(&self, _py: Python<'_>, _cleared: ClearedWorkspaces) -> Vec<RetainedWorkspace> {
        // Mantid's handles do not keep workspaces that the data service removed.
        Vec::new()
    }

    fn report(&self) -> Vec<WorkspaceReport> {
        self.report.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_detectors_are_shown_until_the_next_view_that_has_none() {
        let status = StatusRegistry::new("LET", None, Arc::default());
        let mut guard = detectors_unknown(&status, 3, "LET");
        assert!(guard.is_some());
        assert_eq!(status.report().degraded[0].reason, "DetectorsUnknown");
        guard = detectors_unknown(&status, 0, "LET");
        assert!(guard.is_none() && status.report().degraded.is_empty());
    }
}
