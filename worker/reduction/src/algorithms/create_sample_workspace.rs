//! CreateSampleWorkspace: a workspace of known numbers in a simple instrument, for examples and tests. Each bank is a
//! square of pixels; the source is 10 m before the sample.

use std::sync::Arc;

use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, option, output};
use crate::error::{Result, failed, invalid};
use crate::instrument::{Component, Detector, Instrument, Rotation, V3};
use crate::run::{LogProperty, LogValue, Run, SeriesValues, TimeSeries};
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;
use crate::workspace::spectra::Spectra;

pub(crate) struct CreateSampleWorkspace;

const FUNCTIONS: &[&str] =
    &["One Peak", "Multiple Peaks", "Flat background", "Exp Decay", "Powder Diffraction", "Quasielastic", "Quasielastic Tunnelling", "User Defined"];

impl Algorithm for CreateSampleWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new("CreateSampleWorkspace", 1, "Utility\\Workspaces", "Makes a workspace of known numbers, for examples and tests.")
            .with(output("OutputWorkspace", Kind::Matrix, "The workspace."))
            .with(option("WorkspaceType", Kind::Str, "Histogram", "Histograms or events.").validator(Validator::OneOf(&["Histogram", "Event"])))
            .with(option("Function", Kind::Str, "One Peak", "The shape of the signal.").validator(Validator::OneOf(FUNCTIONS)))
            .with(option("UserDefinedFunction", Kind::Str, "", "A function of its own; the native engine has none."))
            .with(option("NumBanks", Kind::Int, 2_i64, "How many banks.").validator(Validator::Between(0.0, 100.0)))
            .with(option("NumMonitors", Kind::Int, 0_i64, "How many monitors.").validator(Validator::Between(0.0, 100.0)))
            .with(option("BankPixelWidth", Kind::Int, 10_i64, "Pixels across and up each bank.").validator(Validator::Between(0.0, 10_000.0)))
            .with(option("NumEvents", Kind::Int, 1000_i64, "Events in each spectrum, about.").validator(Validator::Between(0.0, 100_000_000.0)))
            .with(option("Random", Kind::Bool, false, "Whether signals are random; the native engine makes none."))
            .with(option("XUnit", Kind::Str, "TOF", "The unit of X."))
            .with(option("XMin", Kind::Float, 0.0, "The first edge."))
            .with(option("XMax", Kind::Float, 20_000.0, "The last edge."))
            .with(option("BinWidth", Kind::Float, 200.0, "The width of the bins."))
            .with(option("PixelSpacing", Kind::Float, 0.008, "From pixel to pixel.").unit("m"))
            .with(option("BankDistanceFromSample", Kind::Float, 5.0, "From the sample to the first bank, and from bank to bank.").unit("m"))
            .with(option("SourceDistanceFromSample", Kind::Float, 10.0, "From the source to the sample.").unit("m"))
            .with(option("NumScanPoints", Kind::Int, 1_i64, "How many points of a scan: one."))
            .with(option("InstrumentName", Kind::Str, "basic_rect", "The instrument's name."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let int = |name: &str| context.opt_int(name).map(|v| v.unwrap_or_default());
        let (banks, monitors, width, number) =
            (int("NumBanks")?, int("NumMonitors")?, int("BankPixelWidth")?, int("NumEvents")?);
        let (low, high, step) = (context.float("XMin")?, context.float("XMax")?, context.float("BinWidth")?);
        if !(high > low) {
            return failed("XMax must be larger than XMin");
        }
        if !(step > 0.0) || (high - low) / step < 1.0 {
            return failed("BinWidth must be larger than 0 and not larger than XMax - XMin");
        }
        let count = ((high - low) / step).trunc();
        let per_bank = width * width;
        let spectra = banks * per_bank + monitors;
        if count > 1e8 || spectra > 5_000_000 || spectra as f64 * count > 4e8 {
            return failed(format!("{spectra} spectra of {count} bins are too many for a sample workspace"));
        }
        let x: Row = (0..=count as usize).map(|i| low + i as f64 * step).collect();
        let y: Vec<f64> = signal(&context.str("Function")?, &x)?;
        let spacing = Spacing {
            pixel: context.float("PixelSpacing")?,
            bank: context.float("BankDistanceFromSample")?,
            source: context.float("SourceDistanceFromSample")?,
        };
        let instrument = instrument(&context.str("InstrumentName")?, (banks, width, monitors), &spacing);
        let mut numbers = Spectra::with_capacity(spectra as usize);
        let mut detectors: Vec<&Detector> = instrument.detectors.iter().collect();
        // Monitors come after the banks, whatever their ids.
        detectors.sort_by_key(|detector| (detector.monitor, detector.id));
        for (index, detector) in detectors.iter().enumerate() {
            numbers.push(index as i32 + 1, &[detector.id]);
        }
        let run = logs(number);
        let data = match context.str("WorkspaceType")?.as_str() {
            "Event" => events(&x, &y, number as f64, spectra as usize, context)?,
            _ => {
                let e: Row = y.iter().map(|v| v.sqrt()).collect();
                let rows = |row: Row| Rows::repeated(row, spectra as usize);
                Data::Histogram(crate::workspace::matrix::Histogram { x: Xs::Common(x), y: rows(y.into()), e: rows(e) })
            }
        };
        let mut workspace = MatrixWorkspace::new(data);
        workspace.set_spectra(numbers)?;
        let unit = context.str("XUnit")?;
        workspace.x_unit = match Unit::from_id(&unit) {
            Some(unit) => unit,
            None => return invalid(format!("XUnit: {unit} is no unit")),
        };
        workspace.set_y_unit("Counts");
        workspace.set_title("Test Workspace");
        workspace.instrument = Arc::new(instrument);
        workspace.run = Arc::new(run);
        context.output("OutputWorkspace", workspace)
    }
}

struct Spacing {
    pixel: f64,
    bank: f64,
    source: f64,
}

/// The signal at the left edge of each bin.
fn signal(function: &str, x: &[f64]) -> Result<Vec<f64>> {
    let bins = x.len().saturating_sub(1);
    let at = |fraction: f64| x.get((bins as f64 * fraction) as usize).copied().unwrap_or_default();
    // Widths are those for 100 bins of 200, scaled to the range.
    let range = x.last().copied().unwrap_or_default() - x.first().copied().unwrap_or_default();
    let scale = range / 20_000.0;
    let gauss = |x: f64, centre: f64, height: f64, sigma: f64| height * (-0.5 * ((x - centre) / (sigma * scale)).powi(2)).exp();
    let left = || x.iter().take(bins).copied();
    Ok(match function {
        "Flat background" => vec![1.0; bins],
        "One Peak" => left().map(|v| 0.3 + 10.0 * (-0.5 * ((v - at(0.5)) / 0.7).powi(2)).exp()).collect(),
        "Multiple Peaks" => left()
            .map(|v| {
                let peak = |centre: f64, height: f64| height * (-0.5 * ((v - centre) / 0.7).powi(2)).exp();
                0.3 + peak(at(0.3), 10.0) + peak(at(0.6), 8.0)
            })
            .collect(),
        "Exp Decay" => left().map(|v| 20.0 * (-v / (range / 2.0).max(f64::MIN_POSITIVE)).exp()).collect(),
        "Powder Diffraction" => {
            let peaks = [(0.1, 7.0), (0.2, 9.0), (0.3, 10.0), (0.4, 8.0), (0.5, 6.0), (0.6, 5.0), (0.7, 4.0)];
            left().map(|v| 0.3 + peaks.iter().map(|(at_, h)| gauss(v, at(*at_), *h, 100.0)).sum::<f64>()).collect()
        }
        "Quasielastic" | "Quasielastic Tunnelling" => {
            let wings: &[(f64, f64)] = if function == "Quasielastic" { &[] } else { &[(0.35, 2.0), (0.65, 2.0)] };
            let lorentz = |v: f64, centre: f64, height: f64| {
                let half = 0.05 * range;
                height * half * half / ((v - centre).powi(2) + half * half)
            };
            left()
                .map(|v| lorentz(v, at(0.5), 10.0) + wings.iter().map(|(c, h)| lorentz(v, at(*c), *h)).sum::<f64>())
                .collect()
        }
        other => return failed(format!("the native engine has no function \"{other}\" for CreateSampleWorkspace")),
    })
}

fn instrument(name: &str, (banks, width, monitors): (i64, i64, i64), spacing: &Spacing) -> Instrument {
    let mut made = Instrument { name: name.to_owned(), names: vec![Arc::from("pixel")], ..Instrument::default() };
    let component = |name: String, parent, z: f64| Component {
        name: name.into(),
        parent,
        position: V3::new(0.0, 0.0, z),
        rotation: Rotation::IDENTITY,
    };
    made.components.push(component(name.to_owned(), None, 0.0));
    let per_bank = width * width;
    for bank in 1..=banks {
        let z = spacing.bank * bank as f64;
        let index = made.components.len() as u32;
        made.components.push(component(format!("bank{bank}"), Some(0), z));
        for pixel in 0..per_bank {
            // Column after column, each from the bottom up.
            let (column, row) = (pixel / width, pixel % width);
            let position = V3::new(column as f64 * spacing.pixel, row as f64 * spacing.pixel, z);
            let id = (bank * per_bank + pixel) as i32;
            made.detectors.push(Detector { id, position, monitor: false, parent: index, name: 0, number: pixel as i32 });
        }
    }
    for monitor in 0..monitors {
        // Between sample and the banks, one after the other.
        let position = V3::new(0.0, 0.0, spacing.bank * (monitor + 1) as f64 / (monitors + 1) as f64);
        let id = ((banks + 1) * per_bank.max(1) + monitor) as i32;
        made.detectors.push(Detector { id, position, monitor: true, parent: 0, name: 0, number: monitor as i32 });
    }
    made.source = Some(made.components.len() as u32);
    made.components.push(component("moderator".to_owned(), Some(0), -spacing.source));
    made.sample = Some(made.components.len() as u32);
    made.components.push(component("sample".to_owned(), Some(0), 0.0));
    made.sort_detectors();
    made
}

fn logs(number: i64) -> Run {
    let start = DateAndTime::parse("2010-01-01T00:00:00").unwrap_or_default();
    let mut run = Run::default();
    run.set_text("run_title", "Test Workspace");
    run.set_text("run_start", "2010-01-01T00:00:00");
    run.set_text("start_time", "2010-01-01T00:00:00");
    run.set_text("run_end", "2010-01-01T01:00:00");
    run.set_text("end_time", "2010-01-01T01:00:00");
    let times = (0..60).map(|minute| start.plus_seconds(60.0 * f64::from(minute))).collect();
    if number > 0
        && let Some(series) = TimeSeries::new(times, SeriesValues::Floats(vec![100.0; 60]))
    {
        run.set("proton_charge", LogProperty::new(LogValue::Series(series)));
    }
    run
}

/// Events in each bin by its share of the signal, spread over the bin and over the hour of the run.
fn events(x: &Row, y: &[f64], number: f64, spectra: usize, context: &Context<'_>) -> Result<Data> {
    let sum: f64 = y.iter().sum();
    if number * spectra as f64 > 2e8 {
        return failed(format!("{number} events in each of {spectra} spectra are too many for a sample workspace"));
    }
    let start = DateAndTime::parse("2010-01-01T00:00:00").unwrap_or_default().unix_nanoseconds();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut rows = Vec::with_capacity(spectra);
    for _ in 0..spectra {
        context.check_cancelled()?;
        let mut row = Events { x: Vec::new(), pulse_time: Vec::new(), weight: Vec::new(), error_squared: Vec::new() };
        for (edges, y) in x.windows(2).zip(y) {
            let &[low, high] = edges else { continue };
            let count = if sum > 0.0 { (y * number / sum) as usize } else { 0 };
            for _ in 0..count {
                row.x.push(low + random.next() * (high - low));
                row.pulse_time.push(start + (random.next() * 3600e9) as i64);
            }
        }
        rows.push(row);
    }
    let plan = EventPlan::columns(Columns::from_rows(&rows));
    Ok(Data::Events(EventData::new(plan, Xs::Common(x.clone()))))
}

/// A small generator of even numbers in [0, 1), the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, total, x, y};

    #[test]
    fn its_numbers_are_known() {
        let bench = Bench::new();
        let made = bench.sample("s", &[]);
        let ws = m(&made);
        assert_eq!((ws.histograms(), ws.blocksize().unwrap(), x(&made, 0)[1]), (200, 100, 200.0));
        close(&y(&made, 7)[49..52], &[0.3, 10.3, 0.3]);
        let first = ws.instrument().detector(100).unwrap();
        assert_eq!(first.position.to_array(), [0.0, 0.0, 5.0]);
        assert_eq!(ws.instrument().l1(), Some(10.0));
        let events = bench.sample("e", &[("WorkspaceType", "Event".into())]);
        assert_eq!(m(&events).id(), "EventWorkspace");
        let whole: f64 = y(&made, 0).iter().map(|v| (v * 1000.0 / 40.0).trunc()).sum();
        assert_eq!(total(&events), whole * 200.0);
    }
}
