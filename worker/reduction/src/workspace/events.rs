//! The events of a workspace: a lazy plan and the X over which it is binned when Y is read. Promises: cloning shares
//! everything, including a histogram that was computed once; X alone is replaced without touching an event. Must not
//! know where events come from: plans do.

use std::sync::{Arc, LazyLock, OnceLock};

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, EventKind, Events};
use live_data_engine::counts::Counts;
use live_data_engine::edges::{Binning, Edges};
use live_data_engine::memo::Memos;
use live_data_engine::plan::{EventPlan, PlanError, Source};
use parking_lot::Mutex;

use crate::error::{AlgorithmError, Result, failed, outside};
use crate::workspace::data::{Row, RowSource, Xs};

impl From<PlanError> for AlgorithmError {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Cancelled(_) => Self::Cancelled,
            other => Self::Execution(other.to_string()),
        }
    }
}

/// The histograms that are kept from one execution to the next, for the whole process: whoever starts it sets the
/// limit.
pub fn memos() -> &'static Memos {
    static MEMOS: LazyLock<Memos> = LazyLock::new(|| Memos::new(256 << 20));
    &MEMOS
}

/// An event that was added by hand and is not yet in the plan: row, time of flight in µs, pulse time.
type Added = (usize, f64, i64);

/// The events of a workspace.
#[derive(Clone)]
pub struct EventData {
    plan: EventPlan,
    x: Xs,
    binned: Arc<OnceLock<Arc<dyn RowSource>>>,
    added: Arc<Mutex<Vec<Added>>>,
}

impl EventData {
    /// The events of a plan, binned over X.
    pub fn new(plan: EventPlan, x: Xs) -> Self {
        Self {
            plan,
            x,
            binned: Arc::default(),
            added: Arc::default(),
        }
    }

    /// The plan, with events that were added by hand.
    pub fn plan(&self) -> EventPlan {
        let added = self.added.lock();
        if added.is_empty() {
            return self.plan.clone();
        }
        let mut rows = vec![Events::default(); self.plan.rows()];
        for (row, x, time) in added.iter() {
            if let Some(row) = rows.get_mut(*row) {
                row.x.push(*x);
                row.pulse_time.push(*time);
            }
        }
        self.plan
            .plus(&EventPlan::columns(Columns::from_rows(&rows)))
            .unwrap_or_else(|_| self.plan.clone())
    }

    /// The number of spectra.
    pub fn rows(&self) -> usize {
        self.plan.rows()
    }

    /// X of the spectra.
    pub fn x(&self) -> &Xs {
        &self.x
    }

    /// The same events binned over other X.
    pub fn set_x(&mut self, x: Xs) {
        self.x = x;
        self.binned = Arc::default();
    }

    /// Other events over the same X.
    pub(crate) fn with_plan(&self, plan: EventPlan) -> Self {
        Self::new(plan, self.x.clone())
    }

    /// What the events know beside their value.
    pub fn kind(&self) -> EventKind {
        self.plan().kind()
    }

    /// Y and E over X; computed once for all that share these events and this X.
    pub(crate) fn binned(&self, cancel: &Cancel) -> Result<Arc<dyn RowSource>> {
        if let Some(known) = self.binned.get() {
            return Ok(known.clone());
        }
        let computed = histogram(&self.plan(), &self.x, cancel)?;
        Ok(self.binned.get_or_init(|| computed).clone())
    }

    /// The spectra at these indices.
    pub(crate) fn subset(&self, indices: &[usize]) -> Result<Self> {
        Ok(Self::new(self.plan().subset(indices)?, self.x.subset(indices)))
    }

    /// The number of events of every spectrum.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn counts(&self, cancel: &Cancel) -> Result<Vec<u64>> {
        Ok(self.plan().count_events(cancel, memos())?)
    }

    /// The number of all events.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn number(&self, cancel: &Cancel) -> Result<u64> {
        Ok(self.counts(cancel)?.iter().sum())
    }

    /// The smallest and the largest value (time of flight in µs where nothing was converted); `None` without events.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn range(&self, cancel: &Cancel) -> Result<Option<(f64, f64)>> {
        Ok(self.plan().x_range(cancel, memos())?)
    }

    /// The events of one spectrum, copied.
    ///
    /// # Errors
    /// `Index` when there is no such spectrum; `Cancelled`.
    pub fn spectrum(&self, index: usize, cancel: &Cancel) -> Result<Events> {
        if index >= self.rows() {
            return outside("workspace index", index, self.rows());
        }
        Ok(self.plan().spectrum_events(index, cancel)?)
    }

    /// Adds one event: value in the unit of X, pulse time in ns since the Unix epoch. Cheap: it joins the plan when
    /// the events are next read.
    ///
    /// # Errors
    /// `Index` when there is no such spectrum.
    pub fn add_event(&mut self, index: usize, x: f64, pulse_time: i64) -> Result<()> {
        if index >= self.rows() {
            return outside("workspace index", index, self.rows());
        }
        self.binned = Arc::default();
        if Arc::strong_count(&self.added) > 1 {
            let copy = self.added.lock().clone();
            self.added = Arc::new(Mutex::new(copy));
        }
        self.added.lock().push((index, x, pulse_time));
        Ok(())
    }

    /// Replaces the events of every spectrum.
    ///
    /// # Errors
    /// When the number of spectra differs.
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
    /// `Index` when there is no such spectrum.
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

    /// Bytes held by events that belong to this workspace alone.
    pub fn memory(&self) -> usize {
        self.plan
            .terms()
            .iter()
            .map(|term| match term.source() {
                Source::Columns(columns) => columns.memory(),
                Source::Stream { .. } => 0,
            })
            .sum()
    }
}

/// Counts as rows.
struct Counted(Counts);

impl RowSource for Counted {
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

/// Edges that a plan can be binned over, or what is wrong with them.
pub(crate) fn edges_of(row: &Row) -> Result<Edges> {
    Edges::new(row.clone()).map_err(|error| AlgorithmError::Execution(error.to_string()))
}

fn histogram(plan: &EventPlan, x: &Xs, cancel: &Cancel) -> Result<Arc<dyn RowSource>> {
    let binning = match x {
        Xs::Common(row) => Binning::Common(edges_of(row)?),
        Xs::Each(rows) => Binning::PerRow(rows.iter().map(edges_of).collect::<Result<_>>()?),
    };
    Ok(Arc::new(Counted(plan.histogram(&binning, cancel, memos())?)))
}
