//! Workspaces as entries of processed NeXus files. Promises: rows are computed block by block while they are written; events
//! are read in few passes. Must not: open files; `live_data_nexus` does.

use std::ops::Range;

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, EventKind};
use live_data_engine::plan::EventPlan;
use live_data_nexus as nexus;
use nexus::SourceError;
use parking_lot::Mutex;

use crate::date_and_time::{DateAndTime, EPOCH_OFFSET_SECONDS};
use crate::error::{AlgorithmError, Result, failed};
use crate::instrument::{Detector, Instrument};
use crate::run::{LogPropertyValue, Run, SeriesValues};
use crate::unit::{Quantity, Unit};
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, XRows};

/// Largest number of events in memory at once while they are written.
const EVENTS_AT_ONCE: u64 = 16_000_000;

/// Data of an entry, alive while it is written.
pub(crate) enum EntrySource {
    Matrix(MatrixSource),
    Events(EventsSource),
}

impl EntrySource {
    /// Data of a workspace; events stay events if `preserve_events`, else they are binned.
    pub(crate) fn new(workspace: &MatrixWorkspace, preserve_events: bool, cancel: &Cancel) -> Result<Self> {
        if let Some(events) = workspace.events().filter(|_| preserve_events) {
            let plan = events.plan();
            let counts = events.counts(cancel)?;
            return Ok(Self::Events(EventsSource {
                kind: plan.kind(),
                plan,
                counts,
                block: Mutex::new(None),
                cancel: cancel.clone(),
            }));
        }
        let bins = workspace.blocksize()?;
        let (y, e) = (workspace.ys(cancel)?, workspace.es(cancel)?);
        Ok(Self::Matrix(MatrixSource {
            x: workspace.xs().clone(),
            y,
            e,
            bins,
            cancel: cancel.clone(),
        }))
    }
}

/// X, Y and E, read row by row.
pub(crate) struct MatrixSource {
    x: XRows,
    y: Rows,
    e: Rows,
    bins: usize,
    cancel: Cancel,
}

fn cancelled() -> SourceError {
    SourceError("cancelled".to_owned())
}

impl nexus::RowSource for MatrixSource {
    fn rows(&self) -> usize {
        self.y.len()
    }

    fn bins(&self) -> usize {
        self.bins
    }

    fn fill(&self, rows: Range<usize>, values: &mut [f64], errors: &mut [f64]) -> Result<(), SourceError> {
        self.cancel.check().map_err(|_| cancelled())?;
        let bins = self.bins.max(1);
        for ((row, values), errors) in rows.zip(values.chunks_mut(bins)).zip(errors.chunks_mut(bins)) {
            self.y.read(row, values);
            self.e.read(row, errors);
        }
        Ok(())
    }

    fn fill_x(&self, rows: Range<usize>, x: &mut [f64]) -> Result<(), SourceError> {
        let length = x.len() / rows.len().max(1);
        for (row, out) in rows.zip(x.chunks_mut(length.max(1))) {
            for (to, from) in out
                .iter_mut()
                .zip(self.x.get(row).into_iter().flat_map(|row| row.iter()))
            {
                *to = *from;
            }
        }
        Ok(())
    }
}

/// Events, read in blocks of many rows.
pub(crate) struct EventsSource {
    plan: EventPlan,
    kind: EventKind,
    counts: Vec<u64>,
    block: Mutex<Option<(Range<usize>, Columns)>>,
    cancel: Cancel,
}

impl EventsSource {
    /// Columns of as many rows from `row` on as have [`EVENTS_AT_ONCE`] events.
    fn block_from(&self, row: usize) -> Result<(Range<usize>, Columns), SourceError> {
        let mut end = row;
        let mut events = 0;
        while let Some(count) = self.counts.get(end) {
            if end > row && events + count > EVENTS_AT_ONCE {
                break;
            }
            events += count;
            end += 1;
        }
        let range = row..end;
        let rows: Vec<usize> = range.clone().collect();
        let columns = self.plan.subset(&rows).and_then(|plan| plan.to_columns(&self.cancel));
        columns
            .map(|columns| (range, columns))
            .map_err(|error| SourceError(error.to_string()))
    }
}

impl nexus::EventSource for EventsSource {
    fn counts(&self) -> &[u64] {
        &self.counts
    }

    fn has_pulse_times(&self) -> bool {
        self.kind != EventKind::WeightedNoTime
    }

    fn is_weighted(&self) -> bool {
        self.kind != EventKind::Plain
    }

    fn events(&self, rows: Range<usize>) -> Result<nexus::EventBlock, SourceError> {
        let mut block = nexus::EventBlock::default();
        let mut cached = self.block.lock();
        for row in rows {
            if cached.as_ref().is_none_or(|(range, _)| !range.contains(&row)) {
                *cached = None;
                *cached = Some(self.block_from(row)?);
            }
            let Some((range, columns)) = cached.as_ref() else {
                continue;
            };
            let events = columns.row(row - range.start);
            block.x.extend_from_slice(&events.x);
            if self.has_pulse_times() {
                let since = |time: &i64| DateAndTime::from_unix_nanoseconds(*time).nanoseconds();
                block.pulse_time.extend(events.pulse_time.iter().map(since));
            }
            if self.is_weighted() {
                for index in 0..events.len() {
                    let (weight, squared) = events.weight(index);
                    block.weight.push(weight as f32);
                    block.error_squared.push(squared as f32);
                }
            }
        }
        Ok(block)
    }
}

/// Entry of a processed file for a workspace; `title` replaces the workspace's own if not empty.
pub(crate) fn entry<'a>(
    workspace: &MatrixWorkspace,
    name: &str,
    title: &str,
    source: &'a EntrySource,
) -> Result<nexus::ProcessedEntry<'a>> {
    let data = match source {
        EntrySource::Matrix(rows) => nexus::EntryData::Matrix {
            x: horizontal(workspace)?,
            rows,
        },
        EntrySource::Events(events) => {
            let (x, per_row) = match workspace.xs() {
                XRows::Common(row) => (row.to_vec(), None),
                XRows::PerSpectrum(rows) => {
                    let length = rows.first().map_or(0, |row| row.len());
                    if rows.iter().any(|row| row.len() != length) {
                        return failed("events whose X differ in length cannot be saved: rebin them first");
                    }
                    (rows.iter().flat_map(|row| row.iter().copied()).collect(), Some(length))
                }
            };
            nexus::EntryData::Events { x, per_row, events }
        }
    };
    let title = if title.is_empty() {
        workspace.title()
    } else {
        title.to_owned()
    };
    Ok(nexus::ProcessedEntry {
        title,
        workspace_name: name.to_owned(),
        data,
        x_unit: axis(workspace.x_unit()),
        y_unit: workspace.y_unit().to_owned(),
        y_label: workspace.y_unit_label(),
        distribution: workspace.is_distribution(),
        vertical_axis: match workspace.vertical() {
            VerticalAxis::Spectra => nexus::VerticalAxis::SpectraNumber,
            VerticalAxis::Numeric { unit, values } => {
                // The format has no edges on the vertical axis: their centres are written.
                let centres = values.len() == workspace.histograms() + 1;
                let values = if centres {
                    crate::compute::binning::edges_to_points(values)
                } else {
                    values.to_vec()
                };
                nexus::VerticalAxis::Numeric(values, axis(unit))
            }
            VerticalAxis::Text(texts) => nexus::VerticalAxis::Text(texts.to_vec()),
        },
        spectra: spectra(workspace),
        masked_bins: masked_bins(workspace),
        instrument: instrument(workspace),
        sample: nexus::Sample::default(),
        logs: logs(workspace.run()),
        history: history(workspace),
    })
}

fn horizontal(workspace: &MatrixWorkspace) -> Result<nexus::XValues> {
    match workspace.xs() {
        XRows::Common(row) => Ok(nexus::XValues::Common(row.to_vec())),
        XRows::PerSpectrum(rows) => {
            let length = rows.first().map_or(0, |row| row.len());
            if rows.iter().any(|row| row.len() != length) {
                return failed("spectra whose X differ in length cannot be saved: rebin them first");
            }
            Ok(nexus::XValues::PerRow(length))
        }
    }
}

fn axis(unit: &Unit) -> nexus::AxisUnit {
    let label = unit.quantity() == Quantity::Label;
    nexus::AxisUnit {
        units: unit.id().to_owned(),
        caption: label.then(|| unit.caption().to_owned()),
        label: label.then(|| unit.symbol().to_owned()),
    }
}

fn spectra(workspace: &MatrixWorkspace) -> nexus::Spectra {
    let known = workspace.spectra();
    let instrument = workspace.instrument();
    let mut out = nexus::Spectra {
        numbers: known.numbers().to_vec(),
        ..nexus::Spectra::default()
    };
    for index in 0..known.len() {
        let ids = known.detectors(index);
        out.detector_counts.push(i32::try_from(ids.len()).unwrap_or(i32::MAX));
        out.detectors.extend_from_slice(ids);
        out.positions
            .extend(ids.iter().map(|id| match instrument.detector(*id) {
                Some(detector) => {
                    let physical = physical(instrument, detector);
                    [physical.distance, physical.polar, physical.azimuthal]
                }
                None => [0.0; 3],
            }));
    }
    out
}

fn physical(instrument: &Instrument, detector: &Detector) -> nexus::PhysicalDetector {
    nexus::PhysicalDetector {
        id: detector.id,
        azimuthal: instrument.phi(detector).to_degrees(),
        polar: instrument.two_theta(detector).to_degrees(),
        distance: (detector.position - instrument.sample_position()).norm(),
    }
}

fn instrument(workspace: &MatrixWorkspace) -> nexus::Instrument {
    let instrument = workspace.instrument();
    let of = |monitor: bool| {
        let wanted = instrument
            .detectors
            .iter()
            .filter(move |detector| detector.monitor == monitor);
        wanted.map(|detector| physical(instrument, detector)).collect()
    };
    let masked: Vec<String> = workspace
        .masked_detectors()
        .iter()
        .map(|id| format!("detID:{id};bool;masked;1"))
        .collect();
    nexus::Instrument {
        name: instrument.name.clone(),
        xml: Some(instrument.xml.to_string()).filter(|xml| !xml.is_empty()),
        parameter_map: masked.join("|"),
        detectors: of(false),
        monitors: of(true),
    }
}

fn logs(run: &Run) -> Vec<nexus::NxLog> {
    let mut out = Vec::new();
    for (name, log) in run.iter() {
        let (values, times) = match &log.value {
            LogPropertyValue::Int(v) => (ints(&[*v]), None),
            LogPropertyValue::Float(v) => (nexus::LogValues::Float(vec![*v]), None),
            LogPropertyValue::Str(v) => (nexus::LogValues::Text(vec![v.clone()]), None),
            LogPropertyValue::Bool(v) => (nexus::LogValues::Bool(vec![*v]), None),
            LogPropertyValue::Ints(v) => (ints(v), None),
            LogPropertyValue::Floats(v) => (nexus::LogValues::Float(v.clone()), None),
            LogPropertyValue::Series(series) => {
                let Some(start) = series.times().first() else { continue };
                let times = series.times().iter().map(|time| time.seconds_since(*start)).collect();
                let values = match series.values() {
                    SeriesValues::Floats(v) => nexus::LogValues::Float(v.clone()),
                    SeriesValues::Ints(v) => ints(v),
                    SeriesValues::Strs(v) => nexus::LogValues::Text(v.clone()),
                    SeriesValues::Bools(v) => nexus::LogValues::Bool(v.clone()),
                };
                let times = nexus::LogTimes {
                    start: start.to_iso_nanoseconds(),
                    seconds: times,
                };
                (values, Some(times))
            }
        };
        out.push(nexus::NxLog {
            name: name.to_owned(),
            units: log.units.clone(),
            values,
            times,
        });
    }
    out
}

fn ints(values: &[i64]) -> nexus::LogValues {
    let narrow: Option<Vec<i32>> = values.iter().map(|v| i32::try_from(*v).ok()).collect();
    narrow.map_or_else(|| nexus::LogValues::Long(values.to_vec()), nexus::LogValues::Int)
}

fn history(workspace: &MatrixWorkspace) -> nexus::History {
    let note = |date: String, description: &str, data: String| nexus::NxNote {
        author: "live-data".to_owned(),
        date,
        description: description.to_owned(),
        data,
    };
    let algorithms = workspace.history().executions().iter();
    nexus::History {
        environment: note(
            DateAndTime::now().to_iso_seconds(),
            "Environment",
            format!(
                "live-data {}; times since {EPOCH_OFFSET_SECONDS} s after the Unix epoch",
                env!("CARGO_PKG_VERSION")
            ),
        ),
        algorithms: algorithms
            .map(|e| note(e.time.to_iso_seconds(), "Mantid Algorithm data", e.to_text()))
            .collect(),
    }
}

fn masked_bins(workspace: &MatrixWorkspace) -> Vec<nexus::BinMask> {
    let bins = workspace.masked_bins.iter();
    bins.flat_map(|(row, bins)| {
        bins.iter().map(|(bin, weight)| nexus::BinMask {
            row: *row,
            bin: *bin,
            weight: *weight,
        })
    })
    .collect()
}

/// Error of writing a file: `Cancelled` if that is the cause, else `Execution`.
pub(crate) fn file_error(error: &nexus::NexusError, cancel: &Cancel) -> AlgorithmError {
    if cancel.is_cancelled() {
        AlgorithmError::Cancelled
    } else {
        AlgorithmError::Execution(error.to_string())
    }
}
