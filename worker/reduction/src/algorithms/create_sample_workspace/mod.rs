//! CreateSampleWorkspace: a workspace of known numbers in a simple instrument, for examples and tests.
//!
//! Histograms have Y = |f(x)| at the left edge x of each bin and E = √Y; f is a sum of functions ([`function`]). Event
//! workspaces have ⌊N·Y / ΣY⌋ events in a bin, N = NumEvents, spread evenly over the bin and over the hour from
//! 2010-01-01T00:00:00. Source: Mantid's page CreateSampleWorkspace v1 and CreateSampleWorkspace.cpp.
//!
//! Promises: the same numbers and events in every run, unless Random is set. Must not create more than fits into
//! memory.

mod function;
mod instrument;
mod mersenne_twister;

use std::sync::Arc;

use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, option, output};
use crate::error::{Result, failed, invalid};
use crate::instrument::Detector;
use crate::run::Run;
use crate::service::LogLevel;
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Rows, SharedRow, XRows};
use crate::workspace::events::EventData;
use crate::workspace::matrix::{Histogram, WorkspaceData};
use crate::workspace::spectra::SpectrumDetectorMapping;
use instrument::InstrumentLayout;
use mersenne_twister::MersenneTwister;

pub(crate) struct CreateSampleWorkspace;

const FUNCTIONS: &[&str] = &[
    "One Peak",
    "Multiple Peaks",
    "Flat background",
    "Exp Decay",
    "Powder Diffraction",
    "Quasielastic",
    "Quasielastic Tunnelling",
    "User Defined",
];
const RUN_SECONDS: f64 = 3600.0;
const TITLE: &str = "Test Workspace";

impl Algorithm for CreateSampleWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new("CreateSampleWorkspace", 1, "Utility\\Workspaces", "Creates a workspace of known numbers, for examples and tests.")
            .with(output("OutputWorkspace", PropertyKind::Matrix, "Workspace with monitors first, then the banks' pixels."))
            .with(option("WorkspaceType", PropertyKind::Str, "Histogram", "Histograms or events.").validator(Validator::OneOf(&["Histogram", "Event"])))
            .with(option("Function", PropertyKind::Str, "One Peak", "Function of the signal; PeakCentre and widths are in the unit of X.").validator(Validator::OneOf(FUNCTIONS)))
            .with(option("UserDefinedFunction", PropertyKind::Str, "", "Sum of functions for User Defined, such as name=FlatBackground,A0=1;name=Gaussian,Height=5,PeakCentre=100,Sigma=3."))
            .with(option("NumBanks", PropertyKind::Int, 2_i64, "Number of banks.").validator(Validator::Between(0.0, 100.0)))
            .with(option("NumMonitors", PropertyKind::Int, 0_i64, "Number of monitors; they are the first spectra.").validator(Validator::Between(0.0, 100.0)))
            .with(option("BankPixelWidth", PropertyKind::Int, 10_i64, "Number of pixels across and up each bank.").validator(Validator::Between(0.0, 10_000.0)))
            .with(option("NumEvents", PropertyKind::Int, 1000_i64, "Approximate number of events in each spectrum.").validator(Validator::Between(0.0, 100_000.0)))
            .with(option("Random", PropertyKind::Bool, false, "Use another seed in every run."))
            .with(option("XUnit", PropertyKind::Str, "TOF", "Unit of X: a unit's id, or any other text as its caption."))
            .with(option("XMin", PropertyKind::Float, 0.0, "First edge of X."))
            .with(option("XMax", PropertyKind::Float, 20_000.0, "Upper limit of X."))
            .with(option("BinWidth", PropertyKind::Float, 200.0, "Width of the bins, above 0.").validator(Validator::Check(positive)))
            .with(option("PixelSpacing", PropertyKind::Float, 0.008, "Distance from pixel to pixel.").unit("m").validator(Validator::Check(positive)))
            .with(option("BankDistanceFromSample", PropertyKind::Float, 5.0, "Distance from the sample to the first bank, and from bank to bank.").unit("m").validator(Validator::Check(positive)))
            .with(option("SourceDistanceFromSample", PropertyKind::Float, 10.0, "Distance from the source to the sample.").unit("m").validator(Validator::Check(positive)))
            .with(option("NumScanPoints", PropertyKind::Int, 1_i64, "Number of scan points; the native engine supports 1 only."))
            .with(option("InstrumentName", PropertyKind::Str, "basic_rect", "Name of the instrument."))
            .with(option("RunStart", PropertyKind::Str, "", "Start of the run, ISO 8601 (UTC); an hour before RunEnd, or 2010-01-01T00:00:00, when not given."))
            .with(option("RunEnd", PropertyKind::Str, "", "End of the run, ISO 8601 (UTC); an hour after its start when not given."))
            .with(option("PixelDiameter", PropertyKind::Float, 0.008, "Width of a pixel, at most PixelSpacing.").unit("m").validator(Validator::Between(0.0, 0.1)))
            .with(option("PixelHeight", PropertyKind::Float, 0.0002, "Height of a pixel.").unit("m").validator(Validator::Between(0.0, 0.1)))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let int = |name: &str| context.opt_int(name).map(|v| v.unwrap_or_default());
        let number = int("NumEvents")?;
        let layout = InstrumentLayout {
            name: context.str("InstrumentName")?,
            banks: int("NumBanks")?,
            width: int("BankPixelWidth")?,
            monitors: int("NumMonitors")?,
            pixel_spacing: context.float("PixelSpacing")?,
            bank_distance: context.float("BankDistanceFromSample")?,
            source_distance: context.float("SourceDistanceFromSample")?,
        };
        if context.given("PixelDiameter") && layout.pixel_spacing < context.float("PixelDiameter")? {
            return failed("PixelSpacing must be at least as large as PixelDiameter");
        }
        if int("NumScanPoints")? > 1 {
            return failed("NumScanPoints: the native engine makes no scans; give 1");
        }
        let edges = edges(context)?;
        let spectra = layout.banks * layout.width * layout.width + layout.monitors;
        let bins = edges.len() - 1;
        if spectra > 5_000_000 || spectra as f64 * bins as f64 > 4e8 {
            return failed(format!(
                "{spectra} spectra of {bins} bins are too many for a sample workspace"
            ));
        }
        let randomised = context.bool("Random")?;
        let mut random = MersenneTwister::new(if randomised {
            DateAndTime::now().unix_nanoseconds() as u32
        } else {
            0
        });
        let text = function::text_of(&context.str("Function")?, &context.str("UserDefinedFunction")?);
        let mut y = function::evaluate(&text, edges.get(..bins).unwrap_or_default())?;
        if randomised {
            y.iter_mut()
                .for_each(|y| *y = (*y + random.next_fraction() - 0.5).abs());
        }
        let run = RunTimes::of(context)?;
        let data = match context.str("WorkspaceType")?.as_str() {
            "Event" => events(&edges, &y, (number as f64, spectra as usize), &mut random, context)?,
            _ => {
                let e: SharedRow = y.iter().map(|v| v.sqrt()).collect();
                let rows = |row: SharedRow| Rows::repeated(row, spectra as usize);
                WorkspaceData::Histogram(Histogram {
                    x: XRows::Common(edges),
                    y: rows(y.into()),
                    e: rows(e),
                })
            }
        };
        let instrument = instrument::build(&layout);
        let mut workspace = MatrixWorkspace::new(data);
        workspace.set_spectra(spectra_of(&instrument.detectors))?;
        let unit = context.str("XUnit")?;
        workspace.x_unit = Unit::from_id(&unit).unwrap_or_else(|| Unit::label(&unit, &unit));
        workspace.set_y_unit("Counts");
        workspace.set_title(TITLE);
        workspace.instrument = Arc::new(instrument);
        workspace.run = Arc::new(run.logs());
        context.output("OutputWorkspace", workspace)
    }
}

/// Validator of properties that must be above 0.
fn positive(value: &crate::value::Value) -> Result<(), String> {
    match value.to_float() {
        Ok(number) if number > 0.0 => Ok(()),
        Ok(number) => Err(format!("Selected value {number} is <= the lower bound (0)")),
        Err(error) => Err(error.to_string()),
    }
}

/// Equidistant edges from XMin; a last bin that is not whole is left out.
fn edges(context: &Context<'_>) -> Result<SharedRow> {
    let (low, high, mut step) = (
        context.float("XMin")?,
        context.float("XMax")?,
        context.float("BinWidth")?,
    );
    if !(high > low) {
        return failed("XMax must be larger than XMin");
    }
    if step > high - low {
        step = high - low;
        context.log(
            LogLevel::Warning,
            &format!("BinWidth is larger than XMax - XMin: it is changed to {step}"),
        );
    }
    let count = ((high - low) / step).trunc();
    if !(count >= 1.0) || count > 1e8 {
        return failed(format!("{count} bins are too many for a sample workspace, or too few"));
    }
    Ok((0..=count as usize).map(|index| low + index as f64 * step).collect())
}

/// One spectrum for each detector, numbered from 1: monitors first, then pixels in the order of their ids.
fn spectra_of(detectors: &[Detector]) -> SpectrumDetectorMapping {
    let mut spectra = SpectrumDetectorMapping::with_capacity(detectors.len());
    let monitors = detectors.iter().filter(|detector| detector.monitor);
    let others = detectors.iter().filter(|detector| !detector.monitor);
    for (index, detector) in monitors.chain(others).enumerate() {
        spectra.push(index as i32 + 1, &[detector.id]);
    }
    spectra
}

/// Start and end of the run.
struct RunTimes {
    start: DateAndTime,
    end: DateAndTime,
}

impl RunTimes {
    fn of(context: &Context<'_>) -> Result<Self> {
        let time = |name: &str| -> Result<Option<DateAndTime>> {
            let text = context.str(name)?;
            match DateAndTime::parse(&text) {
                _ if text.is_empty() => Ok(None),
                None => invalid(format!(
                    "{name}: '{text}' is no ISO 8601 time, such as 2020-01-31T12:00:00"
                )),
                found => Ok(found),
            }
        };
        let default_start = || DateAndTime::parse("2010-01-01T00:00:00").unwrap_or_default();
        Ok(match (time("RunStart")?, time("RunEnd")?) {
            (Some(start), Some(end)) => Self { start, end },
            (None, Some(end)) => Self {
                start: end.plus_seconds(-RUN_SECONDS),
                end,
            },
            (start, None) => {
                let start = start.unwrap_or_else(default_start);
                Self {
                    start,
                    end: start.plus_seconds(RUN_SECONDS),
                }
            }
        })
    }

    fn logs(&self) -> Run {
        let mut run = Run::default();
        run.set_text("run_title", TITLE);
        for (name, time) in [
            ("start_time", self.start),
            ("end_time", self.end),
            ("run_start", self.start),
            ("run_end", self.end),
        ] {
            run.set_text(name, &time.to_iso());
        }
        run
    }
}

/// Events of `spectra` spectra, about `number` in each.
fn events(
    x: &SharedRow,
    y: &[f64],
    (number, spectra): (f64, usize),
    random: &mut MersenneTwister,
    context: &Context<'_>,
) -> Result<WorkspaceData> {
    let sum: f64 = y.iter().sum();
    if number * spectra as f64 > 2e8 {
        return failed(format!(
            "{number} events in each of {spectra} spectra are too many for a sample workspace"
        ));
    }
    let start = DateAndTime::parse("2010-01-01T00:00:00").unwrap_or_default();
    let first = x.first().copied().unwrap_or_default();
    let width = x.get(1).map_or(1.0, |second| second - first);
    let mut rows = Vec::with_capacity(spectra);
    for _ in 0..spectra {
        context.check_cancelled()?;
        let mut row = Events {
            x: Vec::new(),
            pulse_time: Vec::new(),
            weight: Vec::new(),
            error_squared: Vec::new(),
        };
        for (bin, y) in y.iter().enumerate() {
            let count = if sum > 0.0 { (number / sum * y) as usize } else { 0 };
            for _ in 0..count {
                row.pulse_time.push(
                    start
                        .plus_seconds(random.next_fraction() * RUN_SECONDS)
                        .unix_nanoseconds(),
                );
                row.x.push((bin as f64 + random.next_fraction()) * width + first);
            }
        }
        rows.push(row);
    }
    let plan = EventPlan::columns(Columns::from_rows(&rows));
    Ok(WorkspaceData::Events(EventData::new(plan, XRows::Common(x.clone()))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, total_counts, x, y};
    use crate::value::Value;

    // Numbers of Mantid's page CreateSampleWorkspace v1, and the peak of 257 events on CompressEvents v1.
    #[test]
    fn its_numbers_are_known() {
        let fixture = AlgorithmFixture::new();
        let made = fixture.sample_workspace("s", &[]);
        let ws = matrix(&made);
        assert_eq!(
            (ws.histograms(), ws.blocksize().unwrap(), x(&made, 0)[1]),
            (200, 100, 200.0)
        );
        assert_close(&y(&made, 7)[49..52], &[0.3, 10.3, 0.3]);
        let first = ws.instrument().detector(100).unwrap();
        assert_eq!(first.position.to_array(), [0.0, 0.0, 5.0]);
        assert_eq!(ws.instrument().l1(), Some(10.0));
        let events = fixture.sample_workspace("e", &[("WorkspaceType", "Event".into())]);
        assert_eq!(matrix(&events).id(), "EventWorkspace");
        assert_eq!(
            (y(&events, 3)[0], y(&events, 3)[50], total_counts(&events)),
            (7.0, 257.0, 190_000.0)
        );
        assert!(!matrix(&events).run().has("proton_charge"));
    }

    #[test]
    fn presets_and_functions_of_ones_own() {
        let fixture = AlgorithmFixture::new();
        let at = |function: &str, bin: usize| {
            let small: [(&str, Value); 3] = [
                ("Function", function.into()),
                ("NumBanks", 1_i64.into()),
                ("BankPixelWidth", 1_i64.into()),
            ];
            y(&fixture.sample_workspace("s", &small), 0)[bin]
        };
        assert_close(
            &[
                at("Flat background", 9),
                at("Multiple Peaks", 30),
                at("Multiple Peaks", 60),
            ],
            &[1.0, 10.3, 8.3],
        );
        assert_close(&[at("Exp Decay", 40)], &[100.0 * (-8.0_f64).exp()]);
        assert_close(
            &[at("Powder Diffraction", 90)],
            &[8.40976 + 0.0850208 - 4.89583e-6 * 18_000.0],
        );
        let own = [
            ("Function", "User Defined".into()),
            (
                "UserDefinedFunction",
                "name=FlatBackground,A0=3;name=Gaussian,Height=4,PeakCentre=600,Sigma=9".into(),
            ),
        ];
        assert_close(&y(&fixture.sample_workspace("u", &own), 0)[2..5], &[3.0, 7.0, 3.0]);
        assert!(
            fixture
                .try_create("v", "CreateSampleWorkspace", &[("Function", "User Defined".into())])
                .is_err()
        );
    }

    #[test]
    fn monitors_come_first_and_columns_have_names() {
        let fixture = AlgorithmFixture::new();
        let made = fixture.sample_workspace(
            "s",
            &[
                ("NumBanks", 2_i64.into()),
                ("BankPixelWidth", 3_i64.into()),
                ("NumMonitors", 2_i64.into()),
                ("XUnit", "Shift".into()),
            ],
        );
        let ws = matrix(&made);
        assert_eq!(
            (ws.histograms(), ws.is_monitor(0), ws.is_monitor(1), ws.is_monitor(2)),
            (20, true, true, false)
        );
        assert_eq!(
            (ws.spectra().detectors(1), ws.spectra().detectors(2)),
            (&[28][..], &[9][..])
        );
        assert_eq!(
            ws.instrument().detector(28).unwrap().position.to_array(),
            [0.0, 0.0, 7.5]
        );
        let column = ws.instrument().component("bank2/bank2(x=1)").unwrap();
        assert_eq!(ws.instrument().detectors_within(column), [21, 22, 23]);
        assert_eq!((ws.x_unit().id(), ws.x_unit().caption()), ("Label", "Shift"));
    }

    #[test]
    fn times_follow_what_is_given() {
        let fixture = AlgorithmFixture::new();
        let end = [("RunEnd", "2020-05-05T12:00:00".into()), ("NumBanks", 1_i64.into())];
        let made = fixture.sample_workspace("s", &end);
        assert_eq!(
            matrix(&made).run().start_time().unwrap().to_iso_seconds(),
            "2020-05-05T11:00:00"
        );
        assert!(
            fixture
                .try_create("t", "CreateSampleWorkspace", &[("RunStart", "noon".into())])
                .is_err()
        );
    }

    #[test]
    fn random_differs_and_bins_wider_than_the_range_shrink() {
        let fixture = AlgorithmFixture::new();
        let noisy = || {
            y(
                &fixture.sample_workspace("r", &[("Random", true.into()), ("NumBanks", 1_i64.into())]),
                0,
            )
        };
        assert_ne!(noisy(), noisy());
        let one = fixture.sample_workspace(
            "s",
            &[("XMin", 5.0.into()), ("XMax", 6.0.into()), ("BinWidth", 10.0.into())],
        );
        assert_eq!(x(&one, 0), [5.0, 6.0]);
    }
}
