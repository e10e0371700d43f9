//! A workspace of spectra: histograms, points, or events as a lazy plan. Promises: cloning costs a few reference
//! counts; Y and E of events and of counts are made when a row is read; every accessor is safe for any index. Must
//! not run algorithms.

use std::collections::BTreeMap;
use std::sync::Arc;

use live_data_engine::cancel::Cancel;

use crate::error::{AlgorithmError, Result, failed, invalid, outside};
use crate::instrument::Instrument;
use crate::run::Run;
use crate::unit::Unit;
use crate::workspace::Handle;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{ExportedRow, Row, Rows, Xs};
use crate::workspace::events::EventData;
use crate::workspace::history::History;
use crate::workspace::sample::Sample;
use crate::workspace::spectra::Spectra;

/// Signal and standard deviations of histograms or points.
#[derive(Clone)]
pub struct Histogram {
    /// X: bin edges (one more than Y) or points.
    pub(crate) x: Xs,
    /// The signal.
    pub(crate) y: Rows,
    /// Its standard deviations.
    pub(crate) e: Rows,
}

/// What a workspace holds.
#[derive(Clone)]
pub enum Data {
    /// Histograms or points.
    Histogram(Histogram),
    /// Events, binned when they are read.
    Events(EventData),
}

/// What X, Y and E name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// Edges or points.
    X,
    /// Signal.
    Y,
    /// Standard deviations.
    E,
}

/// Masked bins of one spectrum: how much of each is masked, 1 for all of it.
pub type MaskedBins = BTreeMap<usize, f64>;

/// A workspace of spectra.
#[derive(Clone)]
pub struct MatrixWorkspace {
    pub(crate) data: Data,
    pub(crate) spectra: Arc<Spectra>,
    pub(crate) x_unit: Unit,
    pub(crate) vertical: VerticalAxis,
    pub(crate) y_unit: String,
    pub(crate) y_label: String,
    pub(crate) distribution: bool,
    pub(crate) instrument: Arc<Instrument>,
    /// Ids of detectors that are masked, in order.
    pub(crate) masked: Arc<Vec<i32>>,
    /// Bins that are masked, by workspace index, each with the part of it that is.
    pub(crate) masked_bins: Arc<BTreeMap<usize, MaskedBins>>,
    pub(crate) run: Arc<Run>,
    pub(crate) sample: Arc<Sample>,
    pub(crate) title: String,
    pub(crate) comment: String,
    pub(crate) history: History,
    pub(crate) monitor: Option<Handle>,
    pub(crate) single_value: bool,
}

impl MatrixWorkspace {
    /// A workspace of this data, spectra numbered from 1, without instrument or logs.
    pub fn new(data: Data) -> Self {
        let count = match &data {
            Data::Histogram(histogram) => histogram.y.len(),
            Data::Events(events) => events.rows(),
        };
        Self {
            data,
            spectra: Arc::new(Spectra::numbered(count)),
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
            history: History::default(),
            monitor: None,
            single_value: false,
        }
    }

    /// Histograms or points; rows of Y and E have one length each.
    pub fn histogram(x: Xs, y: Rows, e: Rows) -> Self {
        Self::new(Data::Histogram(Histogram { x, y, e }))
    }

    /// One number with its standard deviation.
    pub fn single_value(value: f64, error: f64) -> Self {
        let x = Xs::Common(Arc::from([0.0]));
        let rows = |v: f64| Rows::new(vec![Arc::from([v])]);
        let mut workspace = Self::histogram(x, rows(value), rows(error));
        workspace.single_value = true;
        workspace
    }

    /// The same workspace with other data; the number of spectra must be the same. Bins stay masked in spectra that keep
    /// their number of bins.
    pub(crate) fn with_data(mut self, data: Data) -> Self {
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

    /// The same workspace with other histograms.
    pub(crate) fn with_histogram(self, x: Xs, y: Rows, e: Rows) -> Self {
        self.with_data(Data::Histogram(Histogram { x, y, e }))
    }

    /// The kind, as scripts know it.
    pub fn id(&self) -> &'static str {
        match &self.data {
            Data::Events(_) => "EventWorkspace",
            Data::Histogram(_) if self.single_value => "WorkspaceSingleValue",
            Data::Histogram(_) => "Workspace2D",
        }
    }

    /// Whether the workspace holds events.
    pub fn is_events(&self) -> bool {
        matches!(self.data, Data::Events(_))
    }

    /// The events, if the workspace holds them.
    pub fn events(&self) -> Option<&EventData> {
        match &self.data {
            Data::Events(events) => Some(events),
            Data::Histogram(_) => None,
        }
    }

    /// The events, to be changed, if the workspace holds them.
    pub fn events_mut(&mut self) -> Option<&mut EventData> {
        match &mut self.data {
            Data::Events(events) => Some(events),
            Data::Histogram(_) => None,
        }
    }

    /// The number of spectra.
    pub fn histograms(&self) -> usize {
        match &self.data {
            Data::Histogram(histogram) => histogram.y.len(),
            Data::Events(events) => events.rows(),
        }
    }

    pub(crate) fn xs(&self) -> &Xs {
        match &self.data {
            Data::Histogram(histogram) => &histogram.x,
            Data::Events(events) => events.x(),
        }
    }

    pub(crate) fn set_xs(&mut self, x: Xs) {
        match &mut self.data {
            Data::Histogram(histogram) => histogram.x = x,
            Data::Events(events) => events.set_x(x),
        }
    }

    /// Fails when there is no spectrum at the index.
    ///
    /// # Errors
    /// `Index`.
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
    /// `Index` when there is no such spectrum.
    pub fn x(&self, index: usize) -> Result<Row> {
        self.check_index(index)?;
        match self.xs().get(index) {
            Some(row) => Ok(row.clone()),
            None => outside("workspace index", index, self.histograms()),
        }
    }

    /// The signal of a spectrum. The first read of events that are not yet binned bins all of them.
    ///
    /// # Errors
    /// `Index` when there is no such spectrum; `Cancelled`.
    pub fn y(&self, index: usize, cancel: &Cancel) -> Result<Row> {
        self.check_index(index)?;
        row_of(&self.ys(cancel)?, index)
    }

    /// The standard deviations of a spectrum; see `y`.
    ///
    /// # Errors
    /// `Index` when there is no such spectrum; `Cancelled`.
    pub fn e(&self, index: usize, cancel: &Cancel) -> Result<Row> {
        self.check_index(index)?;
        row_of(&self.es(cancel)?, index)
    }

    /// All rows of the signal; events are binned.
    pub(crate) fn ys(&self, cancel: &Cancel) -> Result<Rows> {
        match &self.data {
            Data::Histogram(histogram) => Ok(histogram.y.clone()),
            Data::Events(events) => Ok(Rows::signal(events.binned(cancel)?)),
        }
    }

    /// All rows of the standard deviations; events are binned.
    pub(crate) fn es(&self, cancel: &Cancel) -> Result<Rows> {
        match &self.data {
            Data::Histogram(histogram) => Ok(histogram.e.clone()),
            Data::Events(events) => Ok(Rows::deviation(events.binned(cancel)?)),
        }
    }

    /// The number of values of Y in a spectrum; 0 outside.
    pub fn bins(&self, index: usize) -> usize {
        match &self.data {
            Data::Histogram(histogram) => histogram.y.bins(index),
            Data::Events(events) => events.x().get(index).map_or(0, |x| x.len().saturating_sub(1)),
        }
    }

    /// The number of values of Y in each spectrum.
    ///
    /// # Errors
    /// When the spectra differ in length.
    pub fn blocksize(&self) -> Result<usize> {
        let first = self.bins(0);
        if matches!(&self.data, Data::Events(events) if matches!(events.x(), Xs::Common(_))) {
            return Ok(first);
        }
        if (1..self.histograms()).any(|index| self.bins(index) != first) {
            return failed("blocksize undefined because size of histograms is not equal");
        }
        Ok(first)
    }

    /// Whether X holds bin edges (rather than points).
    pub fn is_histogram_data(&self) -> bool {
        let index = 0;
        self.xs().get(index).is_some_and(|x| x.len() == self.bins(index) + 1) || self.is_events()
    }

    /// Whether every spectrum has the same X.
    pub fn is_common_bins(&self) -> bool {
        self.xs().is_common()
    }

    /// Whether Y is per unit of X.
    pub fn is_distribution(&self) -> bool {
        self.distribution
    }

    /// States whether Y is per unit of X; changes no number.
    pub fn set_distribution(&mut self, distribution: bool) {
        self.distribution = distribution;
    }

    /// Replaces X of a spectrum. Its length may be that of Y or one more; events take any two values or more.
    ///
    /// # Errors
    /// `Index` when there is no such spectrum, `InvalidArgument` when the length does not fit.
    pub fn set_x(&mut self, index: usize, values: Row) -> Result<()> {
        self.check_index(index)?;
        let bins = self.bins(index);
        let count = self.histograms();
        match &mut self.data {
            Data::Histogram(histogram) => {
                if values.len() != bins && values.len() != bins + 1 {
                    return invalid(format!(
                        "X has {} values: it must have {bins} or {}",
                        values.len(),
                        bins + 1
                    ));
                }
                histogram.x.set(index, count, values);
            }
            Data::Events(events) => {
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
    /// `Index`, `InvalidArgument` when the length differs, `Execution` for events, whose Y is not stored.
    pub fn set_y(&mut self, index: usize, values: Row) -> Result<()> {
        self.set_column(Column::Y, index, values)
    }

    /// Replaces E of a spectrum; see `set_y`.
    ///
    /// # Errors
    /// As `set_y`.
    pub fn set_e(&mut self, index: usize, values: Row) -> Result<()> {
        self.set_column(Column::E, index, values)
    }

    fn set_column(&mut self, column: Column, index: usize, values: Row) -> Result<()> {
        self.check_index(index)?;
        let bins = self.bins(index);
        if values.len() != bins {
            return invalid(format!("{} values were given for {bins} bins", values.len()));
        }
        self.stored(column)?.set(index, values);
        Ok(())
    }

    /// Makes a row live outside, where it may be written: each read asks it for its present values. Its length must
    /// be that of the row that it replaces.
    ///
    /// # Errors
    /// As `set_y`; X cannot be exported.
    pub fn export_row(&mut self, column: Column, index: usize, row: Arc<dyn ExportedRow>) -> Result<()> {
        self.check_index(index)?;
        if row.len() != self.bins(index) {
            return invalid(format!("{} values were given for {} bins", row.len(), self.bins(index)));
        }
        self.stored(column)?.export(index, row);
        Ok(())
    }

    /// The row as it lives outside, if it does.
    pub fn exported_row(&self, column: Column, index: usize) -> Option<Arc<dyn ExportedRow>> {
        match (&self.data, column) {
            (Data::Histogram(histogram), Column::Y) => histogram.y.exported(index),
            (Data::Histogram(histogram), Column::E) => histogram.e.exported(index),
            _ => None,
        }
    }

    fn stored(&mut self, column: Column) -> Result<&mut Rows> {
        match (&mut self.data, column) {
            (Data::Histogram(histogram), Column::Y) => Ok(&mut histogram.y),
            (Data::Histogram(histogram), Column::E) => Ok(&mut histogram.e),
            (Data::Histogram(_), Column::X) => failed("X is replaced as a whole: use setX"),
            (Data::Events(_), _) => failed(
                "EventWorkspace has no stored Y or E to write to: convert it with ConvertToMatrixWorkspace first",
            ),
        }
    }

    pub(crate) fn without_exports(mut self) -> Self {
        if let Data::Histogram(histogram) = self.data {
            self.data = Data::Histogram(Histogram {
                x: histogram.x,
                y: histogram.y.without_exports(),
                e: histogram.e.without_exports(),
            });
        }
        self
    }

    /// Spectrum numbers and detector ids.
    pub fn spectra(&self) -> &Arc<Spectra> {
        &self.spectra
    }

    /// Replaces spectrum numbers and detector ids.
    ///
    /// # Errors
    /// When the number of spectra differs.
    pub fn set_spectra(&mut self, spectra: Spectra) -> Result<()> {
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

    /// The workspace index of a spectrum number.
    ///
    /// # Errors
    /// `Execution` when no spectrum has the number.
    pub fn index_of_number(&self, number: i32) -> Result<usize> {
        self.spectra
            .numbers()
            .iter()
            .position(|known| *known == number)
            .ok_or_else(|| {
                AlgorithmError::Execution(format!(
                    "getIndexFromSpectrumNumber: no spectrum has the number {number}"
                ))
            })
    }

    /// The workspace index of each detector id, in the order of the ids; ids of no spectrum are left out.
    pub fn indices_of_detectors(&self, ids: &[i32]) -> Vec<usize> {
        let map = self.spectra.index_by_detector();
        let mut seen = std::collections::HashSet::new();
        ids.iter()
            .filter_map(|id| map.get(id).copied())
            .filter(|index| seen.insert(*index))
            .collect()
    }

    /// The unit of X.
    pub fn x_unit(&self) -> &Unit {
        &self.x_unit
    }

    /// States the unit of X; converts nothing.
    pub fn set_x_unit(&mut self, unit: Unit) {
        self.x_unit = unit;
    }

    /// What the vertical axis counts.
    pub fn vertical(&self) -> &VerticalAxis {
        &self.vertical
    }

    /// Replaces the vertical axis.
    ///
    /// # Errors
    /// When its length is neither the number of spectra nor one more.
    pub fn set_vertical(&mut self, axis: VerticalAxis) -> Result<()> {
        let count = self.histograms();
        let length = match &axis {
            VerticalAxis::Spectra => count,
            VerticalAxis::Numeric { values, .. } => values.len(),
            VerticalAxis::Text(texts) => texts.len(),
        };
        if length != count && length != count + 1 {
            return invalid(format!("the axis has {length} values for {count} spectra"));
        }
        self.vertical = axis;
        Ok(())
    }

    /// The unit of Y, `Counts` say; empty when it has none.
    pub fn y_unit(&self) -> &str {
        &self.y_unit
    }

    /// The text for the axis of Y: the label if one was set, otherwise the unit, per unit of X for a distribution.
    pub fn y_unit_label(&self) -> String {
        if !self.y_label.is_empty() {
            return self.y_label.clone();
        }
        match self.distribution && !self.y_unit.is_empty() && !self.x_unit.symbol().is_empty() {
            true => format!("{} per {}", self.y_unit, self.x_unit.symbol()),
            false => self.y_unit.clone(),
        }
    }

    /// States the unit of Y; forgets the label.
    pub fn set_y_unit(&mut self, unit: &str) {
        unit.clone_into(&mut self.y_unit);
        self.y_label.clear();
    }

    /// Sets the text for the axis of Y.
    pub fn set_y_unit_label(&mut self, label: &str) {
        label.clone_into(&mut self.y_label);
    }

    /// The title.
    pub fn title(&self) -> String {
        if self.title.is_empty() {
            self.run.text("run_title").unwrap_or_default()
        } else {
            self.title.clone()
        }
    }

    /// Sets the title.
    pub fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// The comment.
    pub fn comment(&self) -> &str {
        &self.comment
    }

    /// Sets the comment.
    pub fn set_comment(&mut self, comment: &str) {
        comment.clone_into(&mut self.comment);
    }

    /// The logs.
    pub fn run(&self) -> &Arc<Run> {
        &self.run
    }

    /// The logs, to be changed; they are copied first if another workspace shares them.
    pub fn run_mut(&mut self) -> &mut Run {
        Arc::make_mut(&mut self.run)
    }

    /// The run number; 0 when the logs have none.
    pub fn run_number(&self) -> i64 {
        self.run.run_number()
    }

    /// The sample.
    pub fn sample(&self) -> &Arc<Sample> {
        &self.sample
    }

    /// Replaces the sample.
    pub fn set_sample(&mut self, sample: Arc<Sample>) {
        self.sample = sample;
    }

    /// The history.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The instrument.
    pub fn instrument(&self) -> &Arc<Instrument> {
        &self.instrument
    }

    /// Replaces the instrument.
    pub fn set_instrument(&mut self, instrument: Arc<Instrument>) {
        self.instrument = instrument;
    }

    /// The monitor workspace, if there is one.
    pub fn monitor_workspace(&self) -> Option<&Handle> {
        self.monitor.as_ref()
    }

    /// Sets or clears the monitor workspace.
    pub fn set_monitor_workspace(&mut self, monitor: Option<Handle>) {
        self.monitor = monitor;
    }

    /// Whether a detector is masked.
    pub fn is_detector_masked(&self, id: i32) -> bool {
        self.masked.binary_search(&id).is_ok()
    }

    /// The ids of masked detectors, in order.
    pub fn masked_detectors(&self) -> &[i32] {
        &self.masked
    }

    /// Masks or unmasks detectors; no data are changed.
    pub fn set_masked(&mut self, ids: &[i32], masked: bool) {
        let mut all: std::collections::BTreeSet<i32> = self.masked.iter().copied().collect();
        for id in ids {
            if masked {
                all.insert(*id);
            } else {
                all.remove(id);
            }
        }
        self.masked = Arc::new(all.into_iter().collect());
    }

    /// The masked bins of a spectrum, if it has any.
    pub fn masked_bins(&self, index: usize) -> Option<&MaskedBins> {
        self.masked_bins.get(&index)
    }

    /// Replaces the masked bins of all spectra.
    pub(crate) fn set_masked_bins(&mut self, mut bins: BTreeMap<usize, MaskedBins>) {
        bins.retain(|_, bins| !bins.is_empty());
        self.masked_bins = Arc::new(bins);
    }

    /// Whether a spectrum has detectors and all of them are masked.
    pub fn is_masked(&self, index: usize) -> bool {
        let ids = self.spectra.detectors(index);
        !self.masked.is_empty() && !ids.is_empty() && ids.iter().all(|id| self.is_detector_masked(*id))
    }

    /// Whether a spectrum has detectors and all of them are monitors.
    pub fn is_monitor(&self, index: usize) -> bool {
        let ids = self.spectra.detectors(index);
        !ids.is_empty()
            && ids
                .iter()
                .all(|id| self.instrument.detector(*id).is_some_and(|d| d.monitor))
    }

    /// Whether a spectrum has detectors that the instrument knows.
    pub fn has_detectors(&self, index: usize) -> bool {
        self.spectra
            .detectors(index)
            .iter()
            .any(|id| self.instrument.detector(*id).is_some())
    }

    /// The energy mode, from the log `deltaE-mode`: `Elastic` when it has none.
    pub fn energy_mode(&self) -> String {
        self.run
            .text("deltaE-mode")
            .filter(|mode| !mode.is_empty())
            .unwrap_or_else(|| "Elastic".to_owned())
    }

    /// Bytes held in memory by the data; events of a run are shared, and count nothing here.
    pub fn memory(&self) -> usize {
        let x = match self.xs() {
            Xs::Common(row) => row.len() * 8,
            Xs::Each(rows) => rows.iter().map(|row| row.len() * 8).sum(),
        };
        match &self.data {
            Data::Histogram(histogram) => x + histogram.y.bytes() + histogram.e.bytes(),
            Data::Events(events) => x + events.memory(),
        }
    }

    /// The spectra at these indices, in their order, with everything else kept.
    pub(crate) fn subset(&self, indices: &[usize]) -> Result<Self> {
        for index in indices {
            self.check_index(*index)?;
        }
        let mut out = self.clone();
        out.data = match &self.data {
            Data::Histogram(histogram) => Data::Histogram(Histogram {
                x: histogram.x.subset(indices),
                y: histogram.y.subset(indices),
                e: histogram.e.subset(indices),
            }),
            Data::Events(events) => Data::Events(events.subset(indices)?),
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

fn row_of(rows: &Rows, index: usize) -> Result<Row> {
    match rows.get(index) {
        Some(row) => Ok(row),
        None => outside("workspace index", index, rows.len()),
    }
}
