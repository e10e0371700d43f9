//! How chunks are put together: Add, Append and Replace of workspaces and of groups of them.
//!
//! Promises: adding chunks gives what one chunk of all their data would give, counts, charge and logs alike; changes that
//! were made to the geometry or the masks of a result outlive its replacement. Must not name anything.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::fingerprint::{Digest, Fingerprint};

use crate::algorithm::AlgorithmRun;
use crate::compute::arithmetic::{Operation, clear_masked, combine};
use crate::compute::as_histogram;
use crate::error::{Result, failed};
use crate::instrument::Instrument;
use crate::live::Accumulation;
use crate::run::series::TimeSeries;
use crate::run::{GOOD_CHARGE, LogProperty, LogValue, Run};
use crate::service::Service;
use crate::value::Value;
use crate::workspace::data::{Row, Xs};
use crate::workspace::matrix::Data;
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

/// Logs that say how far the run is: the newest chunk knows.
const NEWEST: &[&str] = &["end_time", "run_end", "duration", "nperiods", "run_title"];
/// How many values of one time are compared: a clock that stands still must not make this slow.
const MOST_AT_ONCE: usize = 1024;
const BY_PERIOD: &str = "proton_charge_by_period";

/// What chunks are put together with.
pub struct Accumulator<'a> {
    /// Algorithms are run with it; nothing is stored.
    pub service: &'a Service,
    /// Raised when the work has to stop.
    pub cancel: &'a Cancel,
    /// Names what is accumulated, so that reading it again and again is fast.
    pub lane: Fingerprint,
}

/// The geometry and masks that a result was given when it was made, by member.
pub type Given = Vec<(Arc<Instrument>, Vec<i32>)>;

/// The geometry and masks of a workspace.
pub fn given(workspace: &Workspace) -> Given {
    let of = |matrix: &MatrixWorkspace| (matrix.instrument().clone(), matrix.masked_detectors().to_vec());
    members(workspace).iter().map(of).collect()
}

/// The members of a group, or the workspace alone.
pub fn members(workspace: &Workspace) -> Vec<MatrixWorkspace> {
    match workspace {
        Workspace::Matrix(matrix) => vec![matrix.clone()],
        Workspace::Group(group) => group.members().iter().filter_map(|cell| cell.matrix().ok()).collect(),
        Workspace::Table(_) => Vec::new(),
    }
}

/// A group of unnamed members, or the one workspace.
pub fn grouped(mut members: Vec<MatrixWorkspace>, group: bool) -> Workspace {
    match members.pop() {
        Some(only) if members.is_empty() && !group => Workspace::Matrix(only),
        last => {
            let cells = members
                .into_iter()
                .chain(last)
                .map(|matrix| WorkspaceCell::new("", matrix));
            Workspace::Group(WorkspaceGroup::new(cells.collect()))
        }
    }
}

/// The same; a group's members in cells of its own, so that what is done to one in place is done to no other.
pub fn apart(workspace: Workspace) -> Workspace {
    match workspace {
        Workspace::Group(_) => grouped(members(&workspace), true),
        matrix => matrix,
    }
}

impl Accumulator<'_> {
    /// What was held with a chunk.
    ///
    /// # Errors
    /// When one is a group and the other is not, when their sizes differ, and what adding or appending raises.
    pub fn put(&self, method: Accumulation, held: &Workspace, chunk: Workspace) -> Result<Workspace> {
        let group = matches!(chunk, Workspace::Group(_));
        if matches!(held, Workspace::Group(_)) != group {
            return failed("Two workspace groups are expected.");
        }
        let (before, after) = (members(held), members(&chunk));
        if before.len() != after.len() {
            return failed("Accumulation and chunk workspace groups are expected to have the same size.");
        }
        if method == Accumulation::Replace {
            return Ok(chunk);
        }
        let mut out = Vec::with_capacity(after.len());
        for (index, (held, chunk)) in before.into_iter().zip(after).enumerate() {
            out.push(match method {
                Accumulation::Append => self.append(held, chunk)?,
                _ => self.add(held, chunk, index)?,
            });
        }
        if group {
            state_charges(&mut out);
        }
        Ok(grouped(out, group))
    }

    fn add(&self, held: MatrixWorkspace, chunk: MatrixWorkspace, index: usize) -> Result<MatrixWorkspace> {
        let newest = chunk.run().clone();
        let (mut held, mut chunk) = match (held.is_events(), chunk.is_events()) {
            (true, false) => (as_histogram(&held, self.cancel)?, chunk),
            (false, true) => (held, as_histogram(&chunk, self.cancel)?),
            _ => (held, chunk),
        };
        // One bin is as wide as its data: the sum needs one that holds both. Chosen bins are the same in every chunk.
        if let Some(both) = widened(&held, &chunk) {
            held.set_xs(Xs::Common(both.clone()));
            chunk.set_xs(Xs::Common(both));
        }
        let mut out = combine(Operation::Plus, held, chunk, self.cancel)?;
        if let Data::Events(events) = &out.data {
            let mut digest = Digest::new("accumulated");
            digest.add((self.lane, index));
            let plan = events.plan().gathered(digest.finish());
            let gathered = events.with_plan(plan);
            out = out.with_data(Data::Events(gathered));
        }
        finish_logs(out.run_mut(), &newest);
        Ok(out)
    }

    fn append(&self, held: MatrixWorkspace, chunk: MatrixWorkspace) -> Result<MatrixWorkspace> {
        let newest = chunk.run().clone();
        let (mut held, mut chunk) = (held, chunk);
        if let Some(both) = widened(&held, &chunk) {
            held.set_xs(Xs::Common(both.clone()));
            chunk.set_xs(Xs::Common(both));
        }
        let mut run = AlgorithmRun::create("AppendSpectra", None)?;
        run.store_in_data_service(false);
        run.set_property("InputWorkspace1", Value::Workspace(WorkspaceCell::new("", held)))?;
        run.set_property("InputWorkspace2", Value::Workspace(WorkspaceCell::new("", chunk)))?;
        run.set_property("MergeLogs", Value::Bool(true))?;
        let Some(made) = run.execute(self.service, self.cancel)?.workspace("OutputWorkspace") else {
            return failed("AppendSpectra made no workspace");
        };
        let mut out = made.matrix()?;
        finish_logs(out.run_mut(), &newest);
        Ok(out)
    }

    /// Gives a chunk that takes another's place the geometry and the masks that were changed on the one before.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn keep_changes(&self, before: &Workspace, was: &Given, chunk: Workspace) -> Result<Workspace> {
        let (before, after) = (members(before), members(&chunk));
        if before.len() != after.len() || before.len() != was.len() {
            return Ok(chunk);
        }
        let group = matches!(chunk, Workspace::Group(_));
        let mut changed = false;
        let mut out = Vec::with_capacity(after.len());
        for ((before, (instrument, masked)), mut after) in before.iter().zip(was).zip(after) {
            let same_kind = instrument.name == after.instrument().name
                && (Arc::ptr_eq(&instrument.xml, &after.instrument().xml) || instrument.xml == after.instrument().xml);
            if same_kind && !Arc::ptr_eq(before.instrument(), instrument) {
                after.set_instrument(before.instrument().clone());
                changed = true;
            }
            let new: Vec<i32> = before
                .masked_detectors()
                .iter()
                .copied()
                .filter(|id| masked.binary_search(id).is_err())
                .collect();
            if !new.is_empty() {
                after.set_masked(&new, true);
                let rows: Vec<bool> = (0..after.histograms()).map(|index| after.is_masked(index)).collect();
                after = clear_masked(after, &rows, self.cancel)?;
                changed = true;
            }
            out.push(after);
        }
        Ok(if changed { grouped(out, group) } else { chunk })
    }
}

/// One bin over both, where their bins differ and need not stay: bins of events, and single ones. Chosen bins of counts are
/// the same in every chunk, or the chunks cannot be added.
fn widened(held: &MatrixWorkspace, chunk: &MatrixWorkspace) -> Option<Row> {
    let single = |matrix: &MatrixWorkspace| (0..matrix.histograms()).all(|row| matrix.bins(row) == 1);
    let free = (held.is_events() && chunk.is_events()) || (single(held) && single(chunk));
    if !free || held.x_unit() != chunk.x_unit() || have_same_bins(held, chunk) {
        return None;
    }
    let (low, high) = span(held)
        .into_iter()
        .chain(span(chunk))
        .reduce(|(low, high), (a, b)| (low.min(a), high.max(b)))?;
    Some([low, high].into())
}

fn have_same_bins(a: &MatrixWorkspace, b: &MatrixWorkspace) -> bool {
    let equal = |a: &Row, b: &Row| Arc::ptr_eq(a, b) || a == b;
    match (a.xs(), b.xs()) {
        (Xs::Common(a), Xs::Common(b)) => equal(a, b),
        (Xs::Each(a), Xs::Each(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b)),
        _ => false,
    }
}

/// From the first edge to the last one; nothing where no spectrum has limits yet.
fn span(matrix: &MatrixWorkspace) -> Option<(f64, f64)> {
    let rows: &[Row] = match matrix.xs() {
        Xs::Common(row) => std::slice::from_ref(row),
        Xs::Each(rows) => rows,
    };
    let ends = rows.iter().filter_map(|row| Some((*row.first()?, *row.last()?)));
    // What holds no event has no limits yet, and what lies on the beam none that is a number.
    let limits =
        ends.filter(|(from, to)| from.is_finite() && to.is_finite() && (*from, *to) != (0.0, f64::MIN_POSITIVE));
    limits.reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
}

/// Takes what is newest from the chunk, and values out that both had: a chunk begins with the last value before it.
fn finish_logs(run: &mut Run, newest: &Run) {
    for name in NEWEST {
        if let Some(log) = newest.get(name) {
            run.set(name, log.clone());
        }
    }
    for (name, log) in newest.iter() {
        // A charge, or a log, that the first chunk had none of.
        if !run.has(name) {
            run.set(name, log.clone());
        }
    }
    let names: Vec<String> = run
        .iter()
        .filter(|(_, log)| matches!(&log.value, LogValue::Series(series) if repeats(series)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        if let Some(series) = run.series_mut(&name) {
            let kept = (0..series.len()).filter(|at| !is_repeat(series, *at));
            *series = series.picked(&kept.collect::<Vec<_>>());
        }
    }
}

/// Whether a value is there before with the same time. Several values may have one time, and a chunk has all of them.
fn is_repeat(series: &TimeSeries, at: usize) -> bool {
    let (times, values) = (series.times(), series.values());
    let before = (0..at).rev().take(MOST_AT_ONCE);
    let mut same_time = before.take_while(|before| times.get(*before) == times.get(at));
    same_time.any(|before| values.get(before) == values.get(at))
}

fn repeats(series: &TimeSeries) -> bool {
    (1..series.len()).any(|at| is_repeat(series, at))
}

/// Each member of a group says the charges of all.
fn state_charges(members: &mut [MatrixWorkspace]) {
    let charges: Vec<f64> = members
        .iter()
        .map(|member| member.run().number(GOOD_CHARGE).unwrap_or_default())
        .collect();
    for member in members.iter_mut().filter(|member| member.run().has(BY_PERIOD)) {
        let log = LogProperty::new(LogValue::Floats(charges.clone())).with_units("uA.hour");
        member.run_mut().set(BY_PERIOD, log);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::algorithms::testing::{Bench, total, x};
    use crate::date_and_time::DateAndTime;
    use crate::run::series::SeriesValues;

    fn put(bench: &Bench, method: Accumulation, held: &Workspace, chunk: Workspace) -> Result<Workspace> {
        accumulator(bench, &Cancel::new()).put(method, held, chunk)
    }

    fn accumulator<'a>(bench: &'a Bench, cancel: &'a Cancel) -> Accumulator<'a> {
        Accumulator {
            service: &bench.service,
            cancel,
            lane: Digest::new("test").finish(),
        }
    }

    fn workspace(bench: &Bench, x: &[f64], y: &[f64]) -> MatrixWorkspace {
        bench.workspace("w", x, y, 1).matrix().unwrap()
    }

    fn cell(workspace: &Workspace) -> crate::workspace::Handle {
        WorkspaceCell::new("", workspace.clone())
    }

    #[test]
    fn single_bins_are_widened_and_others_must_match() {
        let bench = Bench::new();
        let a = Workspace::Matrix(workspace(&bench, &[5.0, 9.0], &[3.0]));
        let sum = put(
            &bench,
            Accumulation::Add,
            &a,
            workspace(&bench, &[2.0, 7.0], &[4.0]).into(),
        )
        .unwrap();
        assert_eq!((x(&cell(&sum), 0), total(&cell(&sum))), (vec![2.0, 9.0], 7.0));
        let empty = workspace(&bench, &[0.0, f64::MIN_POSITIVE], &[0.0]);
        let sum = put(&bench, Accumulation::Add, &a, empty.into()).unwrap();
        assert_eq!(x(&cell(&sum), 0), [5.0, 9.0]);
        let two = Workspace::Matrix(workspace(&bench, &[0.0, 1.0, 2.0], &[1.0, 1.0]));
        let other = workspace(&bench, &[0.0, 1.0, 3.0], &[1.0, 1.0]);
        let error = put(&bench, Accumulation::Add, &two, other.into())
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with("X arrays must match"), "{error}");
    }

    #[test]
    fn groups_are_put_together_member_by_member_and_must_fit() {
        let bench = Bench::new();
        let one = |value: f64| workspace(&bench, &[0.0, 1.0], &[value]);
        let held = grouped(vec![one(1.0), one(2.0)], true);
        let sum = put(
            &bench,
            Accumulation::Add,
            &held,
            grouped(vec![one(10.0), one(20.0)], true),
        )
        .unwrap();
        let totals: Vec<f64> = members(&sum).into_iter().map(|m| total(&cell(&m.into()))).collect();
        assert_eq!(totals, [11.0, 22.0]);
        let error = put(&bench, Accumulation::Add, &held, one(1.0).into()).err().unwrap();
        assert_eq!(error.to_string(), "Two workspace groups are expected.");
        let error = put(&bench, Accumulation::Add, &held, grouped(vec![one(1.0)], true))
            .err()
            .unwrap();
        let expected = "Accumulation and chunk workspace groups are expected to have the same size.";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn charges_add_up_and_logs_join_without_the_value_that_both_have() {
        let bench = Bench::new();
        let with = |charge: f64, at: &[i64], end: &str| {
            let mut workspace = workspace(&bench, &[0.0, 1.0], &[1.0]);
            let times: Vec<DateAndTime> = at.iter().map(|t| DateAndTime::from_nanoseconds(*t)).collect();
            let values = SeriesValues::Floats(at.iter().map(|t| *t as f64).collect());
            let series = LogProperty::new(LogValue::Series(TimeSeries::new(times, values).unwrap()));
            let run = workspace.run_mut();
            run.set("Rot", series);
            run.set_number(GOOD_CHARGE, charge, "uA.hour");
            run.set_text("end_time", end);
            workspace
        };
        let held = Workspace::Matrix(with(1.5, &[1, 2], "a"));
        let sum = put(&bench, Accumulation::Add, &held, with(2.5, &[2, 3], "b").into()).unwrap();
        let Workspace::Matrix(sum) = sum else { panic!() };
        assert_eq!(sum.run().number(GOOD_CHARGE), Some(4.0));
        assert_eq!(sum.run().series("Rot").unwrap().numbers().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(sum.run().text("end_time").unwrap(), "b");
    }

    #[test]
    fn several_values_of_one_time_are_joined_once() {
        let bench = Bench::new();
        let with = |values: &[f64]| {
            let mut workspace = workspace(&bench, &[0.0, 1.0], &[1.0]);
            let times = vec![DateAndTime::from_nanoseconds(1); values.len()];
            let series = TimeSeries::new(times, SeriesValues::Floats(values.to_vec())).unwrap();
            workspace
                .run_mut()
                .set("Rot", LogProperty::new(LogValue::Series(series)));
            Workspace::Matrix(workspace)
        };
        let sum = put(&bench, Accumulation::Add, &with(&[0.0, 1.0]), with(&[0.0, 1.0, 5.0])).unwrap();
        let joined = members(&sum)[0].run().series("Rot").unwrap().numbers().unwrap();
        assert_eq!(joined, [0.0, 1.0, 5.0]);
    }

    #[test]
    fn appended_spectra_follow() {
        let bench = Bench::new();
        let held = Workspace::Matrix(workspace(&bench, &[0.0, 1.0], &[1.0]));
        let both = put(
            &bench,
            Accumulation::Append,
            &held,
            workspace(&bench, &[0.0, 1.0], &[5.0]).into(),
        )
        .unwrap();
        assert_eq!((members(&both)[0].histograms(), total(&cell(&both))), (2, 6.0));
    }

    #[test]
    fn changes_of_geometry_and_masks_outlive_a_replacement() {
        let bench = Bench::new();
        bench.sample("s", &[("BankPixelWidth", 2_i64.into())]);
        let fresh = bench.service.data.retrieve("s").unwrap().raw();
        let was = given(&fresh);
        let move_bank = [
            ("Workspace", "s".into()),
            ("ComponentName", "bank1".into()),
            ("X", 1.0.into()),
        ];
        bench.run("MoveInstrumentComponent", &move_bank);
        bench.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("WorkspaceIndexList", "0".into())],
        );
        let changed = bench.service.data.retrieve("s").unwrap().raw();
        let cancel = Cancel::new();
        let kept = accumulator(&bench, &cancel)
            .keep_changes(&changed, &was, fresh.clone())
            .unwrap();
        let (kept, changed) = (members(&kept).remove(0), members(&changed).remove(0));
        assert!(Arc::ptr_eq(kept.instrument(), changed.instrument()));
        assert_eq!(kept.y(0, &cancel).unwrap().iter().sum::<f64>(), 0.0);
        assert!(kept.is_masked(0) && kept.y(1, &cancel).unwrap().iter().sum::<f64>() > 0.0);
        // Without a change the replacement is as it comes.
        let same = accumulator(&bench, &cancel)
            .keep_changes(&fresh, &was, fresh.clone())
            .unwrap();
        assert!(!members(&same)[0].is_masked(0));
    }
}
