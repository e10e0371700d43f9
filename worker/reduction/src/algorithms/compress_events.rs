//! CompressEvents: events that lie close together as one, of their summed weight.

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::{Columns, Events};
use live_data_engine::plan::EventPlan;
use live_data_engine::pool;
use rayon::prelude::*;

use crate::algorithm::{Algorithm, Context};
use crate::date_and_time::DateAndTime;
use crate::declaration::{Declaration, Kind, Validator, input, option, output};
use crate::error::{AlgorithmError, Result, failed, invalid};
use crate::value::Value;
use crate::workspace::matrix::Data;

pub(crate) struct CompressEvents;

impl Algorithm for CompressEvents {
    fn declaration(&self) -> Declaration {
        let within = "How far apart events of one group may be; a part of X when it is negative.";
        let clock = "How far apart their pulses may be; without it pulse times are forgotten.";
        let mode = option(
            "BinningMode",
            Kind::Str,
            "Default",
            "Whether the tolerance is a part of X.",
        );
        Declaration::new(
            "CompressEvents",
            1,
            "Events",
            "Joins events that lie close together, and sums their weights.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The events."))
        .with(output(
            "OutputWorkspace",
            Kind::Matrix,
            "Fewer events of the same total weight.",
        ))
        .with(option("Tolerance", Kind::Float, 1e-5, within).unit("the unit of X"))
        .with(
            option("WallClockTolerance", Kind::Float, Value::None, clock)
                .unit("s")
                .validator(Validator::AtLeast(0.0)),
        )
        .with(option(
            "StartTime",
            Kind::Str,
            "",
            "Where intervals of pulse time begin, as ISO 8601 text; the run's start when not given.",
        ))
        .with(mode.validator(Validator::OneOf(&["Default", "Linear", "Logarithmic"])))
        .with(option(
            "SortFirst",
            Kind::Bool,
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
        let grouping = Grouping {
            tolerance: tolerance.abs(),
            logarithmic: mode == "Logarithmic" || (mode == "Default" && tolerance < 0.0),
            clock: clock(context, input.run())?,
        };
        let columns = events.plan().to_columns(context.cancel)?;
        let rows = compress(&columns, grouping, context.cancel)?;
        let data = events.with_plan(EventPlan::columns(Columns::from_rows(&rows)));
        context.output("OutputWorkspace", input.clone().with_data(Data::Events(data)))
    }
}

/// Where intervals of pulse time begin, in ns since the Unix epoch, and their length in ns.
fn clock(context: &Context<'_>, run: &crate::run::Run) -> Result<Option<(i64, f64)>> {
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
    Ok(Some((start.unix_nanoseconds(), seconds * 1e9)))
}

#[derive(Clone, Copy)]
struct Grouping {
    tolerance: f64,
    logarithmic: bool,
    clock: Option<(i64, f64)>,
}

fn compress(columns: &Columns, grouping: Grouping, cancel: &Cancel) -> Result<Vec<Events>> {
    if grouping.clock.is_some() && columns.pulse_times().is_none() && !columns.is_empty() {
        return failed("the events have no pulse times: leave WallClockTolerance out");
    }
    if grouping.logarithmic && columns.x().iter().any(|x| !(*x >= 0.0)) {
        return failed("events below 0 cannot be compressed logarithmically");
    }
    pool::install(|| {
        (0..columns.rows())
            .into_par_iter()
            .map(|row| {
                cancel.check().map_err(|_| AlgorithmError::Cancelled)?;
                Ok(compress_row(columns, row, grouping))
            })
            .collect()
    })
}

/// One group of events while it grows.
struct Group {
    interval: i64,
    limit: f64,
    weight: f64,
    error_squared: f64,
    /// Sums that give means: of the norm, of the value, and of the time from the group's first pulse.
    norm: f64,
    x: f64,
    first_pulse: i64,
    later: f64,
}

fn compress_row(columns: &Columns, row: usize, grouping: Grouping) -> Events {
    let time = |at: usize| {
        columns
            .pulse_times()
            .and_then(|times| times.get(at))
            .copied()
            .unwrap_or_default()
    };
    let interval = |at: usize| {
        grouping.clock.map_or(0, |(start, length)| {
            (time(at).saturating_sub(start) as f64 / length).floor() as i64
        })
    };
    let mut order: Vec<(i64, f64, usize)> = columns
        .range(row)
        .map(|at| (interval(at), columns.x().get(at).copied().unwrap_or_default(), at))
        .filter(|(interval, _, _)| *interval >= 0)
        .collect();
    order.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut out = Events::default();
    let mut open: Option<Group> = None;
    for (interval, x, at) in order {
        let (weight, error_squared) = columns.weight(at);
        // Means are weighted by how well each event is known.
        let norm = if error_squared > 0.0 { 1.0 / error_squared } else { 1.0 };
        match &mut open {
            Some(group) if group.interval == interval && x <= group.limit => {
                group.weight += weight;
                group.error_squared += error_squared;
                group.norm += norm;
                group.x += x * norm;
                group.later += time(at).saturating_sub(group.first_pulse) as f64 * norm;
            }
            _ => {
                close(open.take(), grouping, &mut out);
                let reach = if grouping.logarithmic {
                    x.abs() * grouping.tolerance
                } else {
                    grouping.tolerance
                };
                open = Some(Group {
                    interval,
                    limit: x + reach,
                    weight,
                    error_squared,
                    norm,
                    x: x * norm,
                    first_pulse: time(at),
                    later: 0.0,
                });
            }
        }
    }
    close(open, grouping, &mut out);
    out
}

fn close(group: Option<Group>, grouping: Grouping, out: &mut Events) {
    let Some(group) = group else { return };
    out.x.push(group.x / group.norm);
    out.weight.push(group.weight as f32);
    out.error_squared.push(group.error_squared as f32);
    if grouping.clock.is_some() {
        out.pulse_time
            .push(group.first_pulse.saturating_add((group.later / group.norm) as i64));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use live_data_engine::cancel::Cancel;
    use live_data_engine::columns::{EventKind, Events};

    use crate::algorithms::testing::{Bench, close, e, m, total, y};
    use crate::value::Value;

    fn compress(bench: &Bench, more: &[(&str, Value)]) -> crate::Handle {
        bench.make(
            "o",
            "CompressEvents",
            &[&[("InputWorkspace", "s".into())][..], more].concat(),
        )
    }

    fn number(handle: &crate::Handle) -> u64 {
        m(handle).events().unwrap().number(&Cancel::new()).unwrap()
    }

    #[test]
    fn the_documented_example_keeps_its_counts() {
        let bench = Bench::new();
        let s = bench.sample(
            "s",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let out = compress(&bench, &[]);
        assert_eq!(
            (number(&out), m(&out).events().unwrap().kind()),
            (1900, EventKind::WeightedNoTime)
        );
        close(&[y(&out, 0)[50]], &[257.0]);
        // Coarse groups: fewer events of the same total.
        let coarse = compress(&bench, &[("Tolerance", 20.0.into())]);
        assert!(number(&coarse) < 1600);
        close(&[total(&coarse)], &[total(&s)]);
    }

    fn by_hand(bench: &Bench) -> crate::Handle {
        let s = bench.sample(
            "s",
            &[
                ("WorkspaceType", "Event".into()),
                ("NumBanks", 1_i64.into()),
                ("BankPixelWidth", 1_i64.into()),
            ],
        );
        let start = m(&s).run().start_time().unwrap().unix_nanoseconds();
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
        let bench = Bench::new();
        by_hand(&bench);
        let out = compress(&bench, &[("Tolerance", 0.5.into())]);
        let events = m(&out).events().unwrap().spectrum(0, &Cancel::new()).unwrap();
        assert_eq!(events.weight, [15.0, 1.0]);
        assert_eq!(events.error_squared, [13.0, 1.0]);
        let mean = (5.0 + 5.5 + 5.2 / 2.0 + 5.0 / 9.0) / (2.0 + 0.5 + 1.0 / 9.0);
        close(&events.x, &[mean, 7.0]);
        assert!(events.pulse_time.is_empty());
        close(&e(&out, 0)[..1], &[14.0_f64.sqrt()]);
        let parts = compress(&bench, &[("Tolerance", (-0.05).into())]);
        assert_eq!(number(&parts), 3);
    }

    #[test]
    fn pulses_of_one_interval_stay_together_and_earlier_ones_go() {
        let bench = Bench::new();
        let s = by_hand(&bench);
        let out = compress(&bench, &[("Tolerance", 0.5.into()), ("WallClockTolerance", 5.0.into())]);
        let events = m(&out).events().unwrap().spectrum(0, &Cancel::new()).unwrap();
        assert_eq!(m(&out).events().unwrap().kind(), EventKind::Weighted);
        assert_eq!(events.weight, [4.0, 1.0, 2.0]);
        let start = m(&s).run().start_time().unwrap().unix_nanoseconds();
        assert_eq!(events.pulse_time[0] - start, 500_000_000);
    }

    #[test]
    fn what_cannot_be_compressed_is_refused() {
        let bench = Bench::new();
        bench.sample("s", &[("BankPixelWidth", 1_i64.into())]);
        let refused = |more: &[(&str, Value)]| {
            bench
                .try_make(
                    "o",
                    "CompressEvents",
                    &[&[("InputWorkspace", "s".into())][..], more].concat(),
                )
                .is_err()
        };
        assert!(refused(&[]));
        by_hand(&bench);
        assert!(refused(&[("Tolerance", f64::NAN.into())]));
        assert!(refused(&[("WallClockTolerance", 0.0.into())]));
        assert!(refused(&[
            ("WallClockTolerance", 1.0.into()),
            ("StartTime", "never".into())
        ]));
    }
}
