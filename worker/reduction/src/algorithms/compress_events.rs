//! CompressEvents: events that lie close together joined to one weighted event.
//!
//! Events of a spectrum are sorted by x. A group starts at x₀ and takes events with x ≤ x₀ + T, or x ≤ x₀(1 + T) in
//! logarithmic mode; T is the Tolerance (unit of X, or dimensionless). The joined event has
//!
//! - weight Σ wᵢ and squared error Σ σᵢ²,
//! - x = Σ xᵢ/σᵢ² / Σ 1/σᵢ² and, with WallClockTolerance, the pulse time averaged in the same way (1/σᵢ² is 1 where
//!   σᵢ = 0).
//!
//! With WallClockTolerance τ (s), events join only within one interval [t₀ + iτ, t₀ + (i + 1)τ) of pulse time, i ≥ 0,
//! with t₀ the StartTime; earlier events are dropped. Source: Mantid's page CompressEvents v1.

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;
use live_data_engine::pool;
use rayon::prelude::*;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, PropertyKind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::value::Value;
use crate::workspace::matrix::WorkspaceData;

pub(crate) struct CompressEvents;

impl Algorithm for CompressEvents {
    fn declaration(&self) -> Declaration {
        let tolerance = "Largest difference of X in one group; a negative value is a fraction of X.";
        let interval = "Length of the intervals of pulse time, above 0; pulse times are dropped when not given.";
        let mode = option(
            "BinningMode",
            PropertyKind::Str,
            "Default",
            "Linear: Tolerance is in the unit of X; Logarithmic: a fraction of X; Default: by its sign.",
        );
        Declaration::new(
            "CompressEvents",
            1,
            "Events",
            "Joins events that lie close together and sums their weights.",
        )
        .with(input("InputWorkspace", PropertyKind::Matrix, "Workspace of events."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Weighted events of the same total weight.",
        ))
        .with(option("Tolerance", PropertyKind::Float, 1e-5, tolerance).unit("the unit of X"))
        .with(
            option("WallClockTolerance", PropertyKind::Float, Value::None, interval)
                .unit("s")
                .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "StartTime",
            PropertyKind::Str,
            "",
            "Start of the first interval of pulse time, ISO 8601 (UTC); the run's start when not given.",
        ))
        .with(mode.validator(Validator::OneOf(&["Default", "Linear", "Logarithmic"])))
        .with(option(
            "SortFirst",
            PropertyKind::Bool,
            true,
            "Not used: events are always sorted.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("InputWorkspace")?;
        let Some(events) = input.events() else {
            return invalid("InputWorkspace: Workspace is not an EventWorkspace: only events can be compressed");
        };
        let tolerance = context.float("Tolerance")?;
        if !tolerance.is_finite() {
            return invalid(format!("Tolerance is {tolerance}: it must be a number"));
        }
        let mode = context.str("BinningMode")?;
        let options = CompressionOptions {
            tolerance: tolerance.abs(),
            logarithmic: mode == "Logarithmic" || (mode == "Default" && tolerance < 0.0),
            pulse_intervals: pulse_intervals(context, input.run())?,
        };
        let columns = events.plan().to_columns(context.cancel)?;
        let rows = compress(&columns, options, context.cancel)?;
        let data = events.with_plan(EventPlan::columns(Columns::from_rows(&rows)));
        context.output("OutputWorkspace", input.clone().with_data(WorkspaceData::Events(data)))
    }
}

/// Intervals of pulse time from WallClockTolerance and StartTime; `None` where the former is not given.
///
/// # Errors
/// `InvalidArgument` for a tolerance that is not above 0, `Execution` for a time that is not ISO 8601.
fn pulse_intervals(context: &Context<'_>, run: &crate::run::Run) -> Result<Option<PulseIntervals>> {
    let Some(seconds) = context.opt_float("WallClockTolerance")? else {
        return Ok(None);
    };
    if !(seconds > 0.0) || !seconds.is_finite() {
        return invalid(format!("WallClockTolerance is {seconds} s: it must be more than 0"));
    }
    let text = context.str("StartTime")?;
    let start = match (text.is_empty(), DateAndTime::parse(&text)) {
        (true, _) => run.start_time()?,
        (false, Some(start)) => start,
        (false, None) => return failed(format!("'{text}' is no ISO 8601 time, such as 2020-01-31T12:00:00")),
    };
    Ok(Some(PulseIntervals {
        start_ns: start.unix_nanoseconds(),
        length_ns: seconds * 1e9,
    }))
}

/// Equal intervals of pulse time; the first starts at `start_ns` since the Unix epoch.
#[derive(Clone, Copy)]
struct PulseIntervals {
    start_ns: i64,
    length_ns: f64,
}

#[derive(Clone, Copy)]
struct CompressionOptions {
    tolerance: f64,
    logarithmic: bool,
    pulse_intervals: Option<PulseIntervals>,
}

fn compress(columns: &Columns, options: CompressionOptions, cancel: &Cancel) -> Result<Vec<Events>> {
    if options.pulse_intervals.is_some() && columns.pulse_times().is_none() && !columns.is_empty() {
        return failed("the events have no pulse times: leave WallClockTolerance out");
    }
    if options.logarithmic && columns.x().iter().any(|x| !(*x >= 0.0)) {
        return failed("events below 0 cannot be compressed logarithmically");
    }
    pool::install(|| {
        (0..columns.rows())
            .into_par_iter()
            .map(|row| {
                cancel.check().map_err(|_| AlgorithmError::Cancelled)?;
                Ok(compress_row(columns, row, options))
            })
            .collect()
    })
}

/// Group of events that is being filled.
struct EventGroup {
    interval: i64,
    /// Largest X of a further member, inclusive.
    limit: f64,
    weight: f64,
    error_squared: f64,
    /// Σ 1/σ², by which the two sums below are divided for the means.
    norm: f64,
    x_sum: f64,
    /// Pulse time of the first member, ns. `delay_sum` counts from it, which keeps small differences exact.
    first_pulse: i64,
    delay_sum: f64,
}

fn compress_row(columns: &Columns, row: usize, options: CompressionOptions) -> Events {
    let time = |at: usize| {
        columns
            .pulse_times()
            .and_then(|times| times.get(at))
            .copied()
            .unwrap_or_default()
    };
    let interval = |at: usize| {
        options.pulse_intervals.map_or(0, |intervals| {
            (time(at).saturating_sub(intervals.start_ns) as f64 / intervals.length_ns).floor() as i64
        })
    };
    let mut order: Vec<(i64, f64, usize)> = columns
        .range(row)
        .map(|at| (interval(at), columns.x().get(at).copied().unwrap_or_default(), at))
        .filter(|(interval, _, _)| *interval >= 0)
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut out = Events::default();
    let mut open: Option<EventGroup> = None;
    for (interval, x, at) in order {
        let (weight, error_squared) = columns.weight(at);
        // An event without error has the weight of one with an error of 1.
        let norm = if error_squared > 0.0 { 1.0 / error_squared } else { 1.0 };
        match &mut open {
            Some(group) if group.interval == interval && x <= group.limit => {
                group.weight += weight;
                group.error_squared += error_squared;
                group.norm += norm;
                group.x_sum += x * norm;
                group.delay_sum += time(at).saturating_sub(group.first_pulse) as f64 * norm;
            }
            _ => {
                push_group(open.take(), options, &mut out);
                let width = if options.logarithmic {
                    x.abs() * options.tolerance
                } else {
                    options.tolerance
                };
                open = Some(EventGroup {
                    interval,
                    limit: x + width,
                    weight,
                    error_squared,
                    norm,
                    x_sum: x * norm,
                    first_pulse: time(at),
                    delay_sum: 0.0,
                });
            }
        }
    }
    push_group(open, options, &mut out);
    out
}

/// Appends the joined event of a complete group.
fn push_group(group: Option<EventGroup>, options: CompressionOptions, out: &mut Events) {
    let Some(group) = group else { return };
    out.x.push(group.x_sum / group.norm);
    out.weight.push(group.weight as f32);
    out.error_squared.push(group.error_squared as f32);
    if options.pulse_intervals.is_some() {
        out.pulse_time
            .push(group.first_pulse.saturating_add((group.delay_sum / group.norm) as i64));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use live_data_engine::cancel::Cancel;
    use live_data_engine::columns::{EventKind, Events};

    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, matrix, total_counts, y};
    use crate::value::Value;

    fn compress(fixture: &AlgorithmFixture, more: &[(&str, Value)]) -> crate::WorkspaceHandle {
        fixture.create(
            "o",
            "CompressEvents",
            &[&[("InputWorkspace", "s".into())][..], more].concat(),
        )
    }

    fn number(handle: &crate::WorkspaceHandle) -> u64 {
        matrix(handle).events().unwrap().number(&Cancel::new()).unwrap()
    }

    // Mantid's page CompressEvents v1: 1900 events, 257 in bin 50.
    #[test]
    fn the_documented_example_keeps_its_counts() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let out = compress(&fixture, &[]);
        assert_eq!(
            (number(&out), matrix(&out).events().unwrap().kind()),
            (1900, EventKind::WeightedNoTime)
        );
        assert_close(&[y(&out, 0)[50]], &[257.0]);
        // Coarse groups: fewer events of the same total.
        let coarse = compress(&fixture, &[("Tolerance", 20.0.into())]);
        assert!(number(&coarse) < 1600);
        assert_close(&[total_counts(&coarse)], &[total_counts(&s)]);
    }

    fn by_hand(fixture: &AlgorithmFixture) -> crate::WorkspaceHandle {
        let s = fixture.sample_workspace(
            "s",
            &[
                ("WorkspaceType", "Event".into()),
                ("NumBanks", 1_i64.into()),
                ("BankPixelWidth", 1_i64.into()),
            ],
        );
        let start = matrix(&s).run().start_time().unwrap().unix_nanoseconds();
        let second = 1_000_000_000;
        let events = Events {
            x: vec![5.0, 5.5, 7.0, 5.2, 5.0],
            pulse_time: vec![start, start + second, start, start + 10 * second, start - second],
            weight: vec![1.0, 3.0, 1.0, 2.0, 9.0],
            error_squared: vec![1.0, 1.0, 1.0, 2.0, 9.0],
        };
        s.update(|ws| ws.events_mut().unwrap().replace(&[events])).unwrap();
        s
    }

    #[test]
    fn groups_have_mean_values_and_summed_weights() {
        let fixture = AlgorithmFixture::new();
        by_hand(&fixture);
        let out = compress(&fixture, &[("Tolerance", 0.5.into())]);
        let events = matrix(&out).events().unwrap().spectrum(0, &Cancel::new()).unwrap();
        assert_eq!(events.weight, [15.0, 1.0]);
        assert_eq!(events.error_squared, [13.0, 1.0]);
        let mean = (5.0 + 5.5 + 5.2 / 2.0 + 5.0 / 9.0) / (2.0 + 0.5 + 1.0 / 9.0);
        assert_close(&events.x, &[mean, 7.0]);
        assert!(events.pulse_time.is_empty());
        assert_close(&e(&out, 0)[..1], &[14.0_f64.sqrt()]);
        let parts = compress(&fixture, &[("Tolerance", (-0.05).into())]);
        assert_eq!(number(&parts), 3);
    }

    #[test]
    fn pulses_of_one_interval_stay_together_and_earlier_ones_go() {
        let fixture = AlgorithmFixture::new();
        let s = by_hand(&fixture);
        let out = compress(
            &fixture,
            &[("Tolerance", 0.5.into()), ("WallClockTolerance", 5.0.into())],
        );
        let events = matrix(&out).events().unwrap().spectrum(0, &Cancel::new()).unwrap();
        assert_eq!(matrix(&out).events().unwrap().kind(), EventKind::Weighted);
        assert_eq!(events.weight, [4.0, 1.0, 2.0]);
        let start = matrix(&s).run().start_time().unwrap().unix_nanoseconds();
        assert_eq!(events.pulse_time[0] - start, 500_000_000);
    }

    #[test]
    fn what_cannot_be_compressed_is_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
        let refused = |more: &[(&str, Value)]| {
            fixture
                .try_create(
                    "o",
                    "CompressEvents",
                    &[&[("InputWorkspace", "s".into())][..], more].concat(),
                )
                .is_err()
        };
        assert!(refused(&[]));
        by_hand(&fixture);
        assert!(refused(&[("Tolerance", f64::NAN.into())]));
        assert!(refused(&[("WallClockTolerance", 0.0.into())]));
        assert!(refused(&[
            ("WallClockTolerance", 1.0.into()),
            ("StartTime", "never".into())
        ]));
    }
}
