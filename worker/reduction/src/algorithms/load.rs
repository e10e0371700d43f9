//! Load: a processed NeXus file as a workspace, or as a group where it holds several.
//!
//! Must not read raw files: they need Mantid. Text files belong to LoadAscii.

use std::path::PathBuf;
use std::sync::Arc;

use live_data_engine::columns::Columns;
use live_data_engine::plan::EventPlan;
use live_data_nexus::{LoadedData, LoadedEntry, LogTimes, LogValues, ProcessedReader};

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::instrument::{Instrument, idf};
use crate::run::{LogProperty, LogPropertyValue, Run, SeriesValues, TimeSeriesProperty};
use crate::service::ConfigService;
use crate::unit::Unit;
use crate::value::Value;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::events::EventData;
use crate::workspace::matrix::{Histogram, WorkspaceData};
use crate::workspace::spectra::SpectrumDetectorMapping;
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

pub(crate) struct Load;

impl Algorithm for Load {
    fn declaration(&self) -> Declaration {
        Declaration::new("Load", 1, "DataHandling", "Reads a processed NeXus file.")
            .with(
                input(
                    "Filename",
                    PropertyKind::LoadFile,
                    "Path of the file; a relative path is searched in defaultsave.directory and datasearch.directories.",
                )
                .mandatory(),
            )
            .with(output(
                "OutputWorkspace",
                PropertyKind::Workspace,
                "Workspace, or group of the file's workspaces.",
            ))
            .with(option(
                "EntryNumber",
                PropertyKind::Int,
                0_i64,
                "Number of the entry, from 1; 0 for all.",
            ))
            .with(option(
                "LoadHistory",
                PropertyKind::Bool,
                true,
                "Not used: the history of the file is not loaded.",
            ))
            .with(option(
                "SpectrumMin",
                PropertyKind::Int,
                Value::None,
                "Position of the first spectrum, from 1.",
            ))
            .with(option(
                "SpectrumMax",
                PropertyKind::Int,
                Value::None,
                "Position of the last spectrum, inclusive, from 1.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let path = find_file(&context.services.config, &context.str("Filename")?)?;
        let read = |error: live_data_nexus::NexusError| AlgorithmError::Execution(error.to_string());
        let reader = ProcessedReader::open(&path).map_err(read)?;
        let number = context.opt_int("EntryNumber")?.unwrap_or(0);
        let wanted: Vec<usize> = match usize::try_from(number) {
            Ok(0) => (1..=reader.entries()).collect(),
            Ok(one) => vec![one],
            Err(_) => return invalid(format!("EntryNumber is {number}: it counts from 1, or is 0 for all")),
        };
        let mut made = Vec::new();
        for number in wanted {
            context.check_cancelled()?;
            let mut workspace = workspace_of_entry(reader.entry(number).map_err(read)?)?;
            let (first, last) = (context.opt_int("SpectrumMin")?, context.opt_int("SpectrumMax")?);
            if first.is_some() || last.is_some() {
                let range = crate::compute::indices::range(&workspace, first.map(|v| v - 1), last.map(|v| v - 1))?;
                workspace = workspace.subset(&range)?;
            }
            made.push(workspace);
        }
        match (made.len(), made.pop()) {
            (1, Some(only)) => context.output("OutputWorkspace", only),
            (_, last) => {
                let cells = made
                    .into_iter()
                    .chain(last)
                    .map(|one| WorkspaceCell::new("", one))
                    .collect();
                context.output("OutputWorkspace", Workspace::Group(WorkspaceGroup::new(cells)))
            }
        }
    }
}

/// First existing file of `name`: as given (`~/` is the home folder), then in the folders of the configuration.
///
/// # Errors
/// `InvalidArgument` where no file exists.
pub(crate) fn find_file(config: &ConfigService, name: &str) -> Result<PathBuf> {
    let given = match name.strip_prefix("~/").zip(std::env::var_os("HOME")) {
        Some((rest, home)) => PathBuf::from(home).join(rest),
        None => PathBuf::from(name),
    };
    let mut places = vec![given.clone()];
    if given.is_relative() {
        for key in ["defaultsave.directory", "datasearch.directories"] {
            places.extend(config.directories(key).into_iter().map(|folder| folder.join(&given)));
        }
    }
    match places.into_iter().find(|path| path.is_file()) {
        Some(found) => Ok(found),
        None => invalid(format!("File \"{name}\" not found")),
    }
}

fn workspace_of_entry(entry: LoadedEntry) -> Result<MatrixWorkspace> {
    let per_row = entry.x_per_row.unwrap_or_default();
    let x = match entry.x_per_row {
        Some(length) if length > 0 => XRows::PerSpectrum(Arc::new(entry.x.chunks(length).map(Arc::from).collect())),
        _ => XRows::Common(entry.x.into()),
    };
    let data = match entry.data {
        LoadedData::Matrix(matrix) => {
            if matrix.bins == 0 || matrix.values.len() != matrix.errors.len() {
                return failed("the file holds a workspace without data");
            }
            let rows = |values: &[f64]| Rows::new(values.chunks(matrix.bins).map(SharedRow::from).collect());
            WorkspaceData::Histogram(Histogram {
                x,
                y: rows(&matrix.values),
                e: rows(&matrix.errors),
            })
        }
        LoadedData::Events(events) => {
            let unix = |time: i64| DateAndTime::from_nanoseconds(time).unix_nanoseconds();
            let times = events.pulse_time.map(|times| times.into_iter().map(unix).collect());
            let weights = events
                .weights
                .map(|weights| (weights.weight.into(), weights.error_squared.into()));
            let columns = Columns::new(events.offsets, events.x, times, weights);
            let columns = columns.or_else(|error| failed(format!("the file's events do not fit together: {error}")))?;
            WorkspaceData::Events(EventData::new(EventPlan::columns(columns), x))
        }
    };
    let mut out = MatrixWorkspace::new(data);
    if matches!(out.xs(), XRows::PerSpectrum(rows) if rows.len() != out.histograms() || per_row == 0) {
        return failed("the file's X does not fit its number of spectra");
    }
    let count = out.histograms();
    let mut spectra = SpectrumDetectorMapping::with_capacity(count);
    let mut at = 0;
    for index in 0..count {
        let number = entry.spectra.numbers.get(index).copied().unwrap_or(index as i32 + 1);
        let length = entry
            .spectra
            .detector_counts
            .get(index)
            .map_or(0, |length| (*length).max(0) as usize);
        spectra.push(number, entry.spectra.detectors.get(at..at + length).unwrap_or_default());
        at += length;
    }
    out.set_spectra(spectra)?;
    out.x_unit = unit_of_axis(
        &entry.x_unit.units,
        entry.x_unit.caption.as_deref(),
        entry.x_unit.label.as_deref(),
    );
    out.set_y_unit(&entry.y_unit);
    if entry.y_label != out.y_unit_label() {
        out.set_y_unit_label(&entry.y_label);
    }
    out.distribution = entry.distribution;
    out.title = entry.title;
    let axis = entry.vertical_axis;
    if axis.units == "TextAxis" && axis.texts.len() == count {
        out.vertical = VerticalAxis::Text(axis.texts.into());
    } else if axis.units != "spectraNumber" && axis.values.len() == count {
        out.vertical = VerticalAxis::Numeric {
            unit: unit_of_axis(&axis.units, None, None),
            values: axis.values.into(),
        };
    }
    let instrument = entry.instrument_xml.as_deref().and_then(|xml| idf::parse(xml).ok());
    out.instrument = match instrument {
        Some(instrument) => Arc::new(instrument),
        None => Arc::new(Instrument {
            name: entry.instrument,
            ..Instrument::default()
        }),
    };
    let masked: Vec<i32> = entry.parameter_map.split('|').filter_map(masked_id).collect();
    out.set_masked(&masked, true);
    let mut bins = std::collections::BTreeMap::<usize, crate::workspace::matrix::MaskedBins>::new();
    for mask in entry.masked_bins {
        if mask.row < count && mask.bin < out.bins(mask.row) {
            bins.entry(mask.row).or_default().insert(mask.bin, mask.weight);
        }
    }
    out.set_masked_bins(bins);
    let mut run = Run::default();
    for log in entry.logs {
        if let Some(value) = log_value(log.values, log.times) {
            run.set(&log.name, LogProperty::new(value).with_units(&log.units));
        }
    }
    out.run = Arc::new(run);
    Ok(out)
}

fn unit_of_axis(id: &str, caption: Option<&str>, label: Option<&str>) -> Unit {
    match Unit::from_id(id) {
        Some(unit) if caption.is_none() || id != "Label" => unit,
        _ => Unit::label(caption.unwrap_or(id), label.unwrap_or_default()),
    }
}

/// Detector id of a parameter map's entry such as `detID:7;bool;masked;1`.
fn masked_id(entry: &str) -> Option<i32> {
    let mut parts = entry.split(';');
    let id = parts.next()?.rsplit("detID:").next()?.parse().ok()?;
    (parts.nth(1)? == "masked" && matches!(parts.next()?, "1" | "true")).then_some(id)
}

fn log_value(values: LogValues, times: Option<LogTimes>) -> Option<LogPropertyValue> {
    if let Some(times) = times {
        let start = DateAndTime::parse(&times.start)?;
        let times = times
            .seconds
            .iter()
            .map(|seconds| start.plus_seconds(*seconds))
            .collect();
        let values = match values {
            LogValues::Float(v) => SeriesValues::Floats(v),
            LogValues::Int(v) => SeriesValues::Ints(v.into_iter().map(i64::from).collect()),
            LogValues::Long(v) => SeriesValues::Ints(v),
            LogValues::Bool(v) => SeriesValues::Bools(v),
            LogValues::Text(v) => SeriesValues::Strs(v),
        };
        return TimeSeriesProperty::new(times, values).map(LogPropertyValue::Series);
    }
    Some(match values {
        LogValues::Float(v) if v.len() == 1 => LogPropertyValue::Float(*v.first()?),
        LogValues::Float(v) => LogPropertyValue::Floats(v),
        LogValues::Int(v) if v.len() == 1 => LogPropertyValue::Int(i64::from(*v.first()?)),
        LogValues::Int(v) => LogPropertyValue::Ints(v.into_iter().map(i64::from).collect()),
        LogValues::Long(v) if v.len() == 1 => LogPropertyValue::Int(*v.first()?),
        LogValues::Long(v) => LogPropertyValue::Ints(v),
        LogValues::Bool(v) => LogPropertyValue::Bool(*v.first()?),
        LogValues::Text(v) => LogPropertyValue::Str(v.join("\n")),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;
    use crate::error::ErrorClass;

    #[test]
    fn files_that_are_not_there_or_not_processed_are_named() {
        let fixture = AlgorithmFixture::new();
        let error = fixture
            .try_create("o", "Load", &[("Filename", "nothing.nxs".into())])
            .unwrap_err();
        assert_eq!(
            (error.class(), error.to_string().as_str()),
            (ErrorClass::InvalidArgument, "File \"nothing.nxs\" not found")
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "garbage").unwrap();
        assert!(
            fixture
                .try_create("o", "Load", &[("Filename", file.path().to_str().unwrap().into())])
                .is_err()
        );
    }
}
