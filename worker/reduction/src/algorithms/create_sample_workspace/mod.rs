//! CreateSampleWorkspace: a workspace of known numbers in a simple instrument, for examples and tests. Promises: the
//! same numbers and the same events in every run, unless Random is asked for; the signal is taken at the left edges
//! of the bins. Must not make more than fits into memory.

mod function;
mod instrument;
mod twister;

use std::sync::Arc;

use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, option, output};
use crate::error::{Result, failed, invalid};
use crate::instrument::Detector;
use crate::run::Run;
use crate::service::Level;
use crate::unit::Unit;
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{Row, Rows, Xs};
use crate::workspace::events::EventData;
use crate::workspace::matrix::{Data, Histogram};
use crate::workspace::spectra::Spectra;
use instrument::Layout;
use twister::Twister;

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
const HOUR: f64 = 3600.0;
const TITLE: &str = "Test Workspace";

impl Algorithm for CreateSampleWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new("CreateSampleWorkspace", 1, "Utility\\Workspaces", "Makes a workspace of known numbers, for examples and tests.")
            .with(output("OutputWorkspace", Kind::Matrix, "The workspace."))
            .with(option("WorkspaceType", Kind::Str, "Histogram", "Histograms or events.").validator(Validator::OneOf(&["Histogram", "Event"])))
            .with(option("Function", Kind::Str, "One Peak", "The shape of the signal.").validator(Validator::OneOf(FUNCTIONS)))
            .with(option("UserDefinedFunction", Kind::Str, "", "The function, when it is User Defined: a sum such as name=FlatBackground,A0=1;name=Gaussian,Height=5,PeakCentre=100,Sigma=3."))
            .with(option("NumBanks", Kind::Int, 2_i64, "How many banks.").validator(Validator::Between(0.0, 100.0)))
            .with(option("NumMonitors", Kind::Int, 0_i64, "How many monitors; they are the first spectra.").validator(Validator::Between(0.0, 100.0)))
            .with(option("BankPixelWidth", Kind::Int, 10_i64, "Pixels across and up each bank.").validator(Validator::Between(0.0, 10_000.0)))
            .with(option("NumEvents", Kind::Int, 1000_i64, "Events in each spectrum, about.").validator(Validator::Between(0.0, 100_000.0)))
            .with(option("Random", Kind::Bool, false, "Whether signals and events differ from run to run."))
            .with(option("XUnit", Kind::Str, "TOF", "The unit of X; what is no unit becomes a label."))
            .with(option("XMin", Kind::Float, 0.0, "The first edge."))
            .with(option("XMax", Kind::Float, 20_000.0, "The last edge."))
            .with(option("BinWidth", Kind::Float, 200.0, "The width of the bins.").validator(Validator::Check(positive)))
            .with(option("PixelSpacing", Kind::Float, 0.008, "From pixel to pixel.").unit("m").validator(Validator::Check(positive)))
            .with(option("BankDistanceFromSample", Kind::Float, 5.0, "From the sample to the first bank, and from bank to bank.").unit("m").validator(Validator::Check(positive)))
            .with(option("SourceDistanceFromSample", Kind::Float, 10.0, "From the source to the sample.").unit("m").validator(Validator::Check(positive)))
            .with(option("NumScanPoints", Kind::Int, 1_i64, "How many points of a scan; the native engine makes one."))
            .with(option("InstrumentName", Kind::Str, "basic_rect", "The instrument's name."))
            .with(option("RunStart", Kind::Str, "", "The start of the run, as ISO 8601 text (UTC); 2010-01-01T00:00:00, or an hour before its end."))
            .with(option("RunEnd", Kind::Str, "", "The end of the run, as ISO 8601 text (UTC); an hour after its start."))
            .with(option("PixelDiameter", Kind::Float, 0.008, "Width of a pixel; at most their spacing.").unit("m").validator(Validator::Between(0.0, 0.1)))
            .with(option("PixelHeight", Kind::Float, 0.0002, "Height of a pixel.").unit("m").validator(Validator::Between(0.0, 0.1)))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let int = |name: &str| context.opt_int(name).map(|v| v.unwrap_or_default());
        let number = int("NumEvents")?;
        let layout = Layout {
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
        let random = context.bool("Random")?;
        let mut twister = Twister::new(if random {
            DateAndTime::now().unix_nanoseconds() as u32
        } else {
            0
        });
        let text = function::text_of(&context.str("Function")?, &context.str("UserDefinedFunction")?);
        let mut y = function::evaluate(&text, edges.get(..bins).unwrap_or_default())?;
        if random {
            y.iter_mut().for_each(|y| *y = (*y + twister.fraction() - 0.5).abs());
        }
        let run = Times::of(context)?;
        let data = match context.str("WorkspaceType")?.as_str() {
            "Event" => events(&edges, &y, (number as f64, spectra as usize), &mut twister, context)?,
            _ => {
                let e: Row = y.iter().map(|v| v.sqrt()).collect();
                let rows = |row: Row| Rows::repeated(row, spectra as usize);
                Data::Histogram(Histogram {
                    x: Xs::Common(edges),
                    y: rows(y.into()),
                    e: rows(e),
                })
            }
        };
        let instrument = instrument::build(&layout);
        let mut workspace = MatrixWorkspace::new(data);
        workspace.set_spectra(numbered(&instrument.detectors))?;
        let unit = context.str("XUnit")?;
        workspace.x_unit = Unit::from_id(&unit).unwrap_or_else(|| Unit::label(&unit, &unit));
        workspace.set_y_unit("Counts");
        workspace.set_title(TITLE);
        workspace.instrument = Arc::new(instrument);
        workspace.run = Arc::new(run.logs());
        context.output("OutputWorkspace", workspace)
    }
}

fn positive(value: &crate::value::Value) -> Result<(), String> {
    match value.to_float() {
        Ok(number) if number > 0.0 => Ok(()),
        Ok(number) => Err(format!("Selected value {number} is <= the lower bound (0)")),
        Err(error) => Err(error.to_string()),
    }
}

fn edges(context: &Context<'_>) -> Result<Row> {
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
            Level::Warning,
            &format!("BinWidth is larger than XMax - XMin: it is changed to {step}"),
        );
    }
    let count = ((high - low) / step).trunc();
    if !(count >= 1.0) || count > 1e8 {
        return failed(format!("{count} bins are too many for a sample workspace, or too few"));
    }
    Ok((0..=count as usize).map(|index| low + index as f64 * step).collect())
}

/// One spectrum for each detector: monitors first, then the banks' in order of their ids.
fn numbered(detectors: &[Detector]) -> Spectra {
    let mut spectra = Spectra::with_capacity(detectors.len());
    let monitors = detectors.iter().filter(|detector| detector.monitor);
    let others = detectors.iter().filter(|detector| !detector.monitor);
    for (index, detector) in monitors.chain(others).enumerate() {
        spectra.push(index as i32 + 1, &[detector.id]);
    }
    spectra
}

/// When the run began and ended.
struct Times {
    start: DateAndTime,
    end: DateAndTime,
}

impl Times {
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
        let usual = || DateAndTime::parse("2010-01-01T00:00:00").unwrap_or_default();
        Ok(match (time("RunStart")?, time("RunEnd")?) {
            (Some(start), Some(end)) => Self { start, end },
            (None, Some(end)) => Self {
                start: end.plus_seconds(-HOUR),
                end,
            },
            (start, None) => {
                let start = start.unwrap_or_else(usual);
                Self {
                    start,
                    end: start.plus_seconds(HOUR),
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

/// Events in each bin by its share of the signal, spread evenly over the bin and over an hour.
fn events(
    x: &Row,
    y: &[f64],
    (number, spectra): (f64, usize),
    twister: &mut Twister,
    context: &Context<'_>,
) -> Result<Data> {
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
                row.pulse_time
                    .push(start.plus_seconds(twister.fraction() * HOUR).unix_nanoseconds());
                row.x.push((bin as f64 + twister.fraction()) * width + first);
            }
        }
        rows.push(row);
    }
    let plan = EventPlan::columns(Columns::from_rows(&rows));
    Ok(Data::Events(EventData::new(plan, Xs::Common(x.clone()))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, total, x, y};
    use crate::value::Value;

    #[test]
    fn its_numbers_are_known() {
        let bench = Bench::new();
        let made = bench.sample("s", &[]);
        let ws = m(&made);
        assert_eq!(
            (ws.histograms(), ws.blocksize().unwrap(), x(&made, 0)[1]),
            (200, 100, 200.0)
        );
        close(&y(&made, 7)[49..52], &[0.3, 10.3, 0.3]);
        let first = ws.instrument().detector(100).unwrap();
        assert_eq!(first.position.to_array(), [0.0, 0.0, 5.0]);
        assert_eq!(ws.instrument().l1(), Some(10.0));
        let events = bench.sample("e", &[("WorkspaceType", "Event".into())]);
        assert_eq!(m(&events).id(), "EventWorkspace");
        assert_eq!(
            (y(&events, 3)[0], y(&events, 3)[50], total(&events)),
            (7.0, 257.0, 190_000.0)
        );
        assert!(!m(&events).run().has("proton_charge"));
    }

    #[test]
    fn presets_and_functions_of_ones_own() {
        let bench = Bench::new();
        let at = |function: &str, bin: usize| {
            let small: [(&str, Value); 3] = [
                ("Function", function.into()),
                ("NumBanks", 1_i64.into()),
                ("BankPixelWidth", 1_i64.into()),
            ];
            y(&bench.sample("s", &small), 0)[bin]
        };
        close(
            &[
                at("Flat background", 9),
                at("Multiple Peaks", 30),
                at("Multiple Peaks", 60),
            ],
            &[1.0, 10.3, 8.3],
        );
        close(&[at("Exp Decay", 40)], &[100.0 * (-8.0_f64).exp()]);
        close(
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
        close(&y(&bench.sample("u", &own), 0)[2..5], &[3.0, 7.0, 3.0]);
        assert!(
            bench
                .try_make("v", "CreateSampleWorkspace", &[("Function", "User Defined".into())])
                .is_err()
        );
    }

    #[test]
    fn monitors_come_first_and_columns_have_names() {
        let bench = Bench::new();
        let made = bench.sample(
            "s",
            &[
                ("NumBanks", 2_i64.into()),
                ("BankPixelWidth", 3_i64.into()),
                ("NumMonitors", 2_i64.into()),
                ("XUnit", "Shift".into()),
            ],
        );
        let ws = m(&made);
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
        let bench = Bench::new();
        let end = [("RunEnd", "2020-05-05T12:00:00".into()), ("NumBanks", 1_i64.into())];
        let made = bench.sample("s", &end);
        assert_eq!(
            m(&made).run().start_time().unwrap().to_iso_seconds(),
            "2020-05-05T11:00:00"
        );
        assert!(
            bench
                .try_make("t", "CreateSampleWorkspace", &[("RunStart", "noon".into())])
                .is_err()
        );
    }

    #[test]
    fn random_differs_and_bins_wider_than_the_range_shrink() {
        let bench = Bench::new();
        let noisy = || {
            y(
                &bench.sample("r", &[("Random", true.into()), ("NumBanks", 1_i64.into())]),
                0,
            )
        };
        assert_ne!(noisy(), noisy());
        let one = bench.sample(
            "s",
            &[("XMin", 5.0.into()), ("XMax", 6.0.into()), ("BinWidth", 10.0.into())],
        );
        assert_eq!(x(&one, 0), [5.0, 6.0]);
    }
}
