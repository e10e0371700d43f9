//! Events of a workspace: a lazy plan, and the X over which it is binned when Y is read. Promises: clones share everything,
//! also a histogram once computed; replacing X reads no event. Must not: know the origin of events; plans do.

use std::sync::{Arc, LazyLock, OnceLock};

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, EventKind, Events};
use live_data_engine::counts::Counts;
use live_data_engine::edges::{Binning, Edges};
use live_data_engine::memo::Memos;
use live_data_engine::plan::{EventPlan, PlanError, TermSource};
use parking_lot::Mutex;

use crate::error::{AlgorithmError, Result, failed, outside};
use crate::workspace::data::{RowSource, SharedRow, XRows};

impl From<PlanError> for AlgorithmError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Cancelled(_) => Self::Cancelled,
            other => Self::Execution(other.to_string()),
        }
    }
}

/// Histograms kept between executions, shared by the process. 256 MiB unless the program sets another limit.
pub fn memos() -> &'static Memos {
    static MEMOS: LazyLock<Memos> = LazyLock::new(|| Memos::new(256 << 20));
    &MEMOS
}

/// Event added by a script and not yet part of the plan.
#[derive(Clone)]
struct AddedEvent {
    row: usize,
    /// In the unit of X.
    x: f64,
    /// ns since the Unix epoch.
    pulse_time: i64,
}

/// Events of a workspace with the X of their histograms.
#[derive(Clone)]
pub struct EventData {
    plan: EventPlan,
    x: XRows,
    binned: Arc<OnceLock<Arc<dyn RowSource>>>,
    added: Arc<Mutex<Vec<AddedEvent>>>,
}

impl EventData {
    /// Events of a plan, to be binned over X.
    pub fn new(plan: EventPlan, x: XRows) -> Self {
        Self {
            plan,
            x,
            binned: Arc::default(),
            added: Arc::default(),
        }
    }

    /// Plan of all events, also of those added by [`Self::add_event`].
    pub fn plan(&self) -> EventPlan {
        let added = self.added.lock();
        if added.is_empty() {
            return self.plan.clone();
        }
        let mut rows = vec![Events::default(); self.plan.rows()];
        for event in added.iter() {
            if let Some(row) = rows.get_mut(event.row) {
                row.x.push(event.x);
                row.pulse_time.push(event.pulse_time);
            }
        }
        self.plan
            .plus(&EventPlan::columns(Columns::from_rows(&rows)))
            .unwrap_or_else(|_| self.plan.clone())
    }

    /// Number of spectra.
    pub fn rows(&self) -> usize {
        self.plan.rows()
    }

    /// X of the spectra, bin edges.
    pub fn x(&self) -> &XRows {
        &self.x
    }

    /// Replaces X; a histogram over the former X is dropped.
    pub fn set_x(&mut self, x: XRows) {
        self.x = x;
        self.binned = Arc::default();
    }

    /// Events of another plan over the same X.
    pub(crate) fn with_plan(&self, plan: EventPlan) -> Self {
        Self::new(plan, self.x.clone())
    }

    /// Columns that events have beside x: weights, pulse times.
    pub fn kind(&self) -> EventKind {
        self.plan().kind()
    }

    /// Y and E over X, computed once for all clones with this X.
    pub(crate) fn binned(&self, cancel: &Cancel) -> Result<Arc<dyn RowSource>> {
        if let Some(known) = self.binned.get() {
            return Ok(known.clone());
        }
        let computed = histogram(&self.plan(), &self.x, cancel)?;
        Ok(self.binned.get_or_init(|| computed).clone())
    }

    /// Spectra at indices, in their order.
    pub(crate) fn subset(&self, indices: &[usize]) -> Result<Self> {
        Ok(Self::new(self.plan().subset(indices)?, self.x.subset(indices)))
    }

    /// Number of events of each spectrum.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn counts(&self, cancel: &Cancel) -> Result<Vec<u64>> {
        Ok(self.plan().count_events(cancel, memos())?)
    }

    /// Number of events of all spectra.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn number(&self, cancel: &Cancel) -> Result<u64> {
        Ok(self.counts(cancel)?.iter().sum())
    }

    /// Smallest and largest x of all events, in the unit of X (µs unless converted); `None` without events.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn range(&self, cancel: &Cancel) -> Result<Option<(f64, f64)>> {
        Ok(self.plan().x_range(cancel, memos())?)
    }

    /// Copy of the events of one spectrum, in the order of arrival.
    ///
    /// # Errors
    /// `Index` outside the workspace; `Cancelled`.
    pub fn spectrum(&self, index: usize, cancel: &Cancel) -> Result<Events> {
        if index >= self.rows() {
            return outside("workspace index", index, self.rows());
        }
        Ok(self.plan().spectrum_events(index, cancel)?)
    }

    /// Adds one event: x in the unit of X, pulse time in ns since the Unix epoch. O(1): events join the plan when next read.
    ///
    /// # Errors
    /// `Index` outside the workspace.
    pub fn add_event(&mut self, index: usize, x: f64, pulse_time: i64) -> Result<()> {
        if index >= self.rows() {
            return outside("workspace index", index, self.rows());
        }
        self.binned = Arc::default();
        if Arc::strong_count(&self.added) > 1 {
            let copy = self.added.lock().clone();
            self.added = Arc::new(Mutex::new(copy));
        }
        self.added.lock().push(AddedEvent {
            row: index,
            x,
            pulse_time,
        });
        Ok(())
    }

    /// Replaces the events of all spectra, one element of `rows` each.
    ///
    /// # Errors
    /// `Execution` for another number of spectra.
    pub fn replace(&mut self, rows: &[Events]) -> Result<()> {
        if rows.len() != self.rows() {
            return failed(format!(
                "{} rows of events were given for {} spectra",
                rows.len(),
                self.rows()
            ));
        }
        *self = Self::new(EventPlan::columns(Columns::from_rows(rows)), self.x.clone());
        Ok(())
    }

    /// Replaces the events of one spectrum.
    ///
    /// # Errors
    /// `Index` outside the workspace.
    pub fn replace_spectrum(&mut self, index: usize, events: Events) -> Result<()> {
        let mut cleared = vec![false; self.rows()];
        let Some(flag) = cleared.get_mut(index) else {
            return outside("workspace index", index, self.rows());
        };
        *flag = true;
        let mut rows = vec![Events::default(); self.rows()];
        if let Some(row) = rows.get_mut(index) {
            *row = events;
        }
        let kept = self.plan().clear(&cleared)?;
        *self = self.with_plan(kept.plus(&EventPlan::columns(Columns::from_rows(&rows)))?);
        Ok(())
    }

    /// Bytes of events in memory, without those of the stream, which all workspaces share.
    pub fn memory(&self) -> usize {
        self.plan
            .terms()
            .iter()
            .map(|term| match term.source() {
                TermSource::Columns(columns) => columns.memory(),
                TermSource::Stream { .. } => 0,
            })
            .sum()
    }
}

/// Counts of the engine as rows of signal and standard deviation.
struct CountRows(Counts);

impl RowSource for CountRows {
    fn rows(&self) -> usize {
        self.0.rows()
    }
    fn bins(&self, row: usize) -> usize {
        if row < self.0.rows() { self.0.bins(row) } else { 0 }
    }
    fn signal(&self, row: usize, out: &mut [f64]) {
        self.0.row_y(row, out);
    }
    fn deviation(&self, row: usize, out: &mut [f64]) {
        self.0.row_error(row, out);
    }
}

/// Bin edges of a row; `Execution` for fewer than two or for edges out of order.
pub(crate) fn edges_of(row: &SharedRow) -> Result<Edges> {
    Edges::new(row.clone()).map_err(|error| AlgorithmError::Execution(error.to_string()))
}

fn histogram(plan: &EventPlan, x: &XRows, cancel: &Cancel) -> Result<Arc<dyn RowSource>> {
    let binning = match x {
        XRows::Common(row) => Binning::Common(edges_of(row)?),
        XRows::PerSpectrum(rows) => Binning::PerRow(rows.iter().map(edges_of).collect::<Result<_>>()?),
    };
    Ok(Arc::new(CountRows(plan.histogram(&binning, cancel, memos())?)))
}
