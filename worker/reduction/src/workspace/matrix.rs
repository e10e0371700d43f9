//! Workspace of spectra: histograms, points, or events as a lazy plan. Promises: a clone costs a few reference counts; Y
//! and E of events are computed when read; every accessor is safe for any index. Must not: run algorithms.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::error::{Result, failed, invalid, outside};
use crate::instrument::Instrument;
use crate::run::Run;
use crate::unit::Unit;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{ExportedRow, Rows, SharedRow, XRows};
use crate::workspace::events::EventData;
use crate::workspace::history::WorkspaceHistory;
use crate::workspace::sample::Sample;
use crate::workspace::spectra::SpectrumDetectorMapping;

/// X, signal and standard deviations of histograms or points.
#[derive(Clone)]
pub struct Histogram {
    /// Bin edges (one more than Y) or points, in the unit of X.
    pub(crate) x: XRows,
    pub(crate) y: Rows,
    pub(crate) e: Rows,
}

/// Data of all spectra of a workspace, of one kind.
#[derive(Clone)]
pub enum WorkspaceData {
    Histogram(Histogram),
    /// Events, binned when Y or E is read.
    Events(EventData),
}

/// Part of a histogram: X, signal or standard deviations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistogramField {
    /// Bin edges or points.
    X,
    /// Signal.
    Y,
    /// Standard deviations of the signal.
    E,
}

/// Masked bins of one spectrum by bin index, with the masked fraction in (0, 1].
pub type MaskedBins = BTreeMap<usize, f64>;

/// Workspace of spectra with instrument, logs and history: Mantid's `MatrixWorkspace`.
#[derive(Clone)]
pub struct MatrixWorkspace {
    pub(crate) data: WorkspaceData,
    pub(crate) spectra: Arc<SpectrumDetectorMapping>,
    pub(crate) x_unit: Unit,
    pub(crate) vertical: VerticalAxis,
    pub(crate) y_unit: String,
    pub(crate) y_label: String,
    pub(crate) distribution: bool,
    pub(crate) instrument: Arc<Instrument>,
    /// Ids of masked detectors, ascending.
    pub(crate) masked: Arc<Vec<i32>>,
    /// By workspace index; spectra without masked bins have no entry.
    pub(crate) masked_bins: Arc<BTreeMap<usize, MaskedBins>>,
    pub(crate) run: Arc<Run>,
    pub(crate) sample: Arc<Sample>,
    pub(crate) title: String,
    pub(crate) comment: String,
    pub(crate) history: WorkspaceHistory,
    /// Monitor workspace, a `WorkspaceCell`. As `Any`, since a cell contains this type.
    pub(crate) monitor: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) single_value: bool,
}

impl MatrixWorkspace {
    /// Workspace of data with spectra numbered from 1, without instrument and logs.
    pub fn new(data: WorkspaceData) -> Self {
        let count = match &data {
            WorkspaceData::Histogram(histogram) => histogram.y.len(),
            WorkspaceData::Events(events) => events.rows(),
        };
        Self {
            data,
            spectra: Arc::new(SpectrumDetectorMapping::numbered(count)),
            x_unit: Unit::EMPTY,
            vertical: VerticalAxis::Spectra,
            y_unit: String::new(),
            y_label: String::new(),
            distribution: false,
            instrument: Instrument::empty(),
            masked: Arc::default(),
            masked_bins: Arc::default(),
            run: Arc::default(),
            sample: Arc::default(),
            title: String::new(),
            comment: String::new(),
            history: WorkspaceHistory::default(),
            monitor: None,
            single_value: false,
        }
    }

    /// Workspace of histograms (X one longer than Y) or points; rows of Y and E must have equal lengths.
    pub fn histogram(x: XRows, y: Rows, e: Rows) -> Self {
        Self::new(WorkspaceData::Histogram(Histogram { x, y, e }))
    }

    /// Workspace of one value with its standard deviation.
    pub fn single_value(value: f64, error: f64) -> Self {
        let x = XRows::Common(Arc::from([0.0]));
        let rows = |v: f64| Rows::new(vec![Arc::from([v])]);
        let mut workspace = Self::histogram(x, rows(value), rows(error));
        workspace.single_value = true;
        workspace
    }

    /// Workspace with other data for the same spectra. Bins stay masked in spectra that keep their number of bins.
    pub(crate) fn with_data(mut self, data: WorkspaceData) -> Self {
        let before: Vec<(usize, usize)> = self
            .masked_bins
            .keys()
            .map(|index| (*index, self.bins(*index)))
            .collect();
        let count = self.histograms();
        self.data = data;
        if before.iter().any(|(index, bins)| self.bins(*index) != *bins) || count != self.histograms() {
            let same = |index: &usize| count == self.histograms() && before.contains(&(*index, self.bins(*index)));
            let kept = self.masked_bins.iter().filter(|(index, _)| same(index));
            self.masked_bins = Arc::new(kept.map(|(index, bins)| (*index, bins.clone())).collect());
        }
        self.single_value = false;
        self
    }

    /// Workspace with other histograms for the same spectra.
    pub(crate) fn with_histogram(self, x: XRows, y: Rows, e: Rows) -> Self {
        self.with_data(WorkspaceData::Histogram(Histogram { x, y, e }))
    }

    /// Mantid's type name: `EventWorkspace`, `Workspace2D` or `WorkspaceSingleValue`.
    pub fn id(&self) -> &'static str {
        match &self.data {
            WorkspaceData::Events(_) => "EventWorkspace",
            WorkspaceData::Histogram(_) if self.single_value => "WorkspaceSingleValue",
            WorkspaceData::Histogram(_) => "Workspace2D",
        }
    }

    /// True if the data are events.
    pub fn is_events(&self) -> bool {
        matches!(self.data, WorkspaceData::Events(_))
    }

    /// Events; `None` for histograms.
    pub fn events(&self) -> Option<&EventData> {
        match &self.data {
            WorkspaceData::Events(events) => Some(events),
            WorkspaceData::Histogram(_) => None,
        }
    }

    /// Events for changes; `None` for histograms.
    pub fn events_mut(&mut self) -> Option<&mut EventData> {
        match &mut self.data {
            WorkspaceData::Events(events) => Some(events),
            WorkspaceData::Histogram(_) => None,
        }
    }

    /// Number of spectra.
    pub fn histograms(&self) -> usize {
        match &self.data {
            WorkspaceData::Histogram(histogram) => histogram.y.len(),
            WorkspaceData::Events(events) => events.rows(),
        }
    }

    pub(crate) fn xs(&self) -> &XRows {
        match &self.data {
            WorkspaceData::Histogram(histogram) => &histogram.x,
            WorkspaceData::Events(events) => events.x(),
        }
    }

    pub(crate) fn set_xs(&mut self, x: XRows) {
        match &mut self.data {
            WorkspaceData::Histogram(histogram) => histogram.x = x,
            WorkspaceData::Events(events) => events.set_x(x),
        }
    }

    /// Checks a workspace index.
    ///
    /// # Errors
    /// `Index` outside the workspace.
    pub fn check_index(&self, index: usize) -> Result<()> {
        if index < self.histograms() {
            Ok(())
        } else {
            outside("workspace index", index, self.histograms())
        }
    }

    /// X of a spectrum: bin edges or points.
    ///
    /// # Errors
    /// `Index` outside the workspace.
    pub fn x(&self, index: usize) -> Result<SharedRow> {
        self.check_index(index)?;
        match self.xs().get(index) {
            Some(row) => Ok(row.clone()),
            None => outside("workspace index", index, self.histograms()),
        }
    }

    /// Signal of a spectrum. The first read of an event workspace bins all its events.
    ///
    /// # Errors
    /// `Index` outside the workspace; `Cancelled`.
    pub fn y(&self, index: usize, cancel: &Cancel) -> Result<SharedRow> {
        self.check_index(index)?;
        row_of(&self.ys(cancel)?, index)
    }

    /// Standard deviations of a spectrum; cost and errors as [`Self::y`].
    ///
    /// # Errors
    /// `Index` outside the workspace; `Cancelled`.
    pub fn e(&self, index: usize, cancel: &Cancel) -> Result<SharedRow> {
        self.check_index(index)?;
        row_of(&self.es(cancel)?, index)
    }

    /// Signal of all spectra; events are binned.
    pub(crate) fn ys(&self, cancel: &Cancel) -> Result<Rows> {
        match &self.data {
            WorkspaceData::Histogram(histogram) => Ok(histogram.y.clone()),
            WorkspaceData::Events(events) => Ok(Rows::signal(events.binned(cancel)?)),
        }
    }

    /// Standard deviations of all spectra; events are binned.
    pub(crate) fn es(&self, cancel: &Cancel) -> Result<Rows> {
        match &self.data {
            WorkspaceData::Histogram(histogram) => Ok(histogram.e.clone()),
            WorkspaceData::Events(events) => Ok(Rows::deviation(events.binned(cancel)?)),
        }
    }

    /// Number of values of Y in a spectrum; 0 outside.
    pub fn bins(&self, index: usize) -> usize {
        match &self.data {
            WorkspaceData::Histogram(histogram) => histogram.y.bins(index),
            WorkspaceData::Events(events) => events.x().get(index).map_or(0, |x| x.len().saturating_sub(1)),
        }
    }

    /// Number of values of Y in every spectrum.
    ///
    /// # Errors
    /// `Execution` when the spectra differ in length.
    pub fn blocksize(&self) -> Result<usize> {
        let first = self.bins(0);
        if matches!(&self.data, WorkspaceData::Events(events) if matches!(events.x(), XRows::Common(_))) {
            return Ok(first);
        }
        if (1..self.histograms()).any(|index| self.bins(index) != first) {
            return failed("blocksize undefined because size of histograms is not equal");
        }
        Ok(first)
    }

    /// True if X has bin edges, false if points.
    pub fn is_histogram_data(&self) -> bool {
        let index = 0;
        self.xs().get(index).is_some_and(|x| x.len() == self.bins(index) + 1) || self.is_events()
    }

    /// True if all spectra have the same X within a relative 1e-7.
    pub fn is_common_bins(&self) -> bool {
        self.xs().is_common()
    }

    /// True if Y is per unit of X.
    pub fn is_distribution(&self) -> bool {
        self.distribution
    }

    /// Declares Y to be per unit of X, or not; no value changes.
    pub fn set_distribution(&mut self, distribution: bool) {
        self.distribution = distribution;
    }

    /// Replaces X of a spectrum: as many values as Y or one more; for events at least two.
    ///
    /// # Errors
    /// `Index` outside the workspace; `InvalidArgument` for another length.
    pub fn set_x(&mut self, index: usize, values: SharedRow) -> Result<()> {
        self.check_index(index)?;
        let bins = self.bins(index);
        let count = self.histograms();
        match &mut self.data {
            WorkspaceData::Histogram(histogram) => {
                if values.len() != bins && values.len() != bins + 1 {
                    return invalid(format!(
                        "X has {} values: it must have {bins} or {}",
                        values.len(),
                        bins + 1
                    ));
                }
                histogram.x.set(index, count, values);
            }
            WorkspaceData::Events(events) => {
                if values.len() < 2 {
                    return invalid(format!("X has {} values: events need at least two edges", values.len()));
                }
                let mut x = events.x().clone();
                x.set(index, count, values);
                events.set_x(x);
            }
        }
        Ok(())
    }

    /// Replaces Y of a spectrum.
    ///
    /// # Errors
    /// `Index` outside the workspace; `InvalidArgument` for another length; `Execution` for events, whose Y is computed.
    pub fn set_y(&mut self, index: usize, values: SharedRow) -> Result<()> {
        self.set_column(HistogramField::Y, index, values)
    }

    /// Replaces E of a spectrum.
    ///
    /// # Errors
    /// As [`Self::set_y`].
    pub fn set_e(&mut self, index: usize, values: SharedRow) -> Result<()> {
        self.set_column(HistogramField::E, index, values)
    }

    fn set_column(&mut self, column: HistogramField, index: usize, values: SharedRow) -> Result<()> {
        self.check_index(index)?;
        let bins = self.bins(index);
        if values.len() != bins {
            return invalid(format!("{} values were given for {bins} bins", values.len()));
        }
        self.stored_rows(column)?.set(index, values);
        Ok(())
    }

    /// Replaces a row of Y or E by one that an outside owner may write: each read copies its present values.
    ///
    /// # Errors
    /// As [`Self::set_y`]; `Execution` for X.
    pub fn export_row(&mut self, column: HistogramField, index: usize, row: Arc<dyn ExportedRow>) -> Result<()> {
        self.check_index(index)?;
        if row.len() != self.bins(index) {
            return invalid(format!("{} values were given for {} bins", row.len(), self.bins(index)));
        }
        self.stored_rows(column)?.export(index, row);
        Ok(())
    }

    /// Row with an outside owner; `None` for other rows.
    pub fn exported_row(&self, column: HistogramField, index: usize) -> Option<Arc<dyn ExportedRow>> {
        match (&self.data, column) {
            (WorkspaceData::Histogram(histogram), HistogramField::Y) => histogram.y.exported(index),
            (WorkspaceData::Histogram(histogram), HistogramField::E) => histogram.e.exported(index),
            _ => None,
        }
    }

    fn stored_rows(&mut self, column: HistogramField) -> Result<&mut Rows> {
        match (&mut self.data, column) {
            (WorkspaceData::Histogram(histogram), HistogramField::Y) => Ok(&mut histogram.y),
            (WorkspaceData::Histogram(histogram), HistogramField::E) => Ok(&mut histogram.e),
            (WorkspaceData::Histogram(_), HistogramField::X) => failed("X is replaced as a whole: use setX"),
            (WorkspaceData::Events(_), _) => failed(
                "EventWorkspace has no stored Y or E to write to: convert it with ConvertToMatrixWorkspace first",
            ),
        }
    }

    pub(crate) fn without_exports(mut self) -> Self {
        if let WorkspaceData::Histogram(histogram) = self.data {
            self.data = WorkspaceData::Histogram(Histogram {
                x: histogram.x,
                y: histogram.y.without_exports(),
                e: histogram.e.without_exports(),
            });
        }
        self
    }

    /// Spectrum numbers and detector ids by workspace index.
    pub fn spectra(&self) -> &Arc<SpectrumDetectorMapping> {
        &self.spectra
    }

    /// Replaces spectrum numbers and detector ids.
    ///
    /// # Errors
    /// `InvalidArgument` for another number of spectra.
    pub fn set_spectra(&mut self, spectra: SpectrumDetectorMapping) -> Result<()> {
        if spectra.len() != self.histograms() {
            return invalid(format!(
                "{} spectra were given for {}",
                spectra.len(),
                self.histograms()
            ));
        }
        self.spectra = Arc::new(spectra);
        Ok(())
    }

    /// Logs of the run, shared between workspaces until one changes them.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// Logs for changes, copied first if another workspace shares them.
    pub fn run_mut(&mut self) -> &mut Run {
        Arc::make_mut(&mut self.run)
    }

    /// Run number of the logs; 0 without any.
    pub fn run_number(&self) -> i64 {
        self.run.run_number()
    }

    /// Sample, shared with workspaces of the same origin.
    pub fn sample(&self) -> &Arc<Sample> {
        &self.sample
    }

    /// Replaces the sample of this workspace; workspaces that share the former one keep it.
    pub fn set_sample(&mut self, sample: Arc<Sample>) {
        self.sample = sample;
    }

    /// Executions that made the workspace, oldest first.
    pub fn history(&self) -> &WorkspaceHistory {
        &self.history
    }

    /// Instrument; empty for a workspace without geometry.
    pub fn instrument(&self) -> &Arc<Instrument> {
        &self.instrument
    }

    /// Replaces the instrument; spectra, masks and data stay unchanged.
    pub fn set_instrument(&mut self, instrument: Arc<Instrument>) {
        self.instrument = instrument;
    }

    /// Name of the energy mode: the log `deltaE-mode`, else `Elastic`.
    pub fn energy_mode(&self) -> String {
        self.run
            .text("deltaE-mode")
            .filter(|mode| !mode.is_empty())
            .unwrap_or_else(|| "Elastic".to_owned())
    }

    /// Bytes of X, Y and E in memory; events of the run are shared and not counted.
    pub fn memory(&self) -> usize {
        let x = match self.xs() {
            XRows::Common(row) => row.len() * 8,
            XRows::PerSpectrum(rows) => rows.iter().map(|row| row.len() * 8).sum(),
        };
        match &self.data {
            WorkspaceData::Histogram(histogram) => x + histogram.y.bytes() + histogram.e.bytes(),
            WorkspaceData::Events(events) => x + events.memory(),
        }
    }

    /// Workspace of the spectra at indices, in their order, with everything else kept.
    pub(crate) fn subset(&self, indices: &[usize]) -> Result<Self> {
        for index in indices {
            self.check_index(*index)?;
        }
        let mut out = self.clone();
        out.data = match &self.data {
            WorkspaceData::Histogram(histogram) => WorkspaceData::Histogram(Histogram {
                x: histogram.x.subset(indices),
                y: histogram.y.subset(indices),
                e: histogram.e.subset(indices),
            }),
            WorkspaceData::Events(events) => WorkspaceData::Events(events.subset(indices)?),
        };
        out.spectra = Arc::new(self.spectra.subset(indices));
        if !self.masked_bins.is_empty() {
            let bins = indices.iter().enumerate();
            let bins = bins.filter_map(|(at, index)| Some((at, self.masked_bins(*index)?.clone())));
            out.masked_bins = Arc::new(bins.collect());
        }
        out.vertical = match &self.vertical {
            VerticalAxis::Spectra => VerticalAxis::Spectra,
            VerticalAxis::Numeric { unit, values } if values.len() == self.histograms() => VerticalAxis::Numeric {
                unit: unit.clone(),
                values: indices.iter().filter_map(|index| values.get(*index)).copied().collect(),
            },
            VerticalAxis::Numeric { .. } => VerticalAxis::Spectra,
            VerticalAxis::Text(texts) => {
                VerticalAxis::Text(indices.iter().filter_map(|index| texts.get(*index)).cloned().collect())
            }
        };
        Ok(out)
    }
}

fn row_of(rows: &Rows, index: usize) -> Result<SharedRow> {
    match rows.get(index) {
        Some(row) => Ok(row),
        None => outside("workspace index", index, rows.len()),
    }
}
