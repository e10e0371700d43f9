//! Accumulation of chunks: Add, Append and Replace of workspaces and of groups.
//!
//! Promises: the sum of chunks equals one chunk of all their data, in counts, charge and logs. Changes of geometry and masks
//! of a result outlive its replacement. Must not store workspaces under names.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::fingerprint::{Digest, Fingerprint};

use crate::algorithm_run::AlgorithmRun;
use crate::compute::arithmetic::{BinaryOperation, clear_masked, combine};
use crate::compute::as_histogram;
use crate::error::{Result, failed};
use crate::instrument::Instrument;
use crate::live::request::AccumulationMethod;
use crate::run::series::TimeSeriesProperty;
use crate::run::{GOOD_CHARGE, LogProperty, LogPropertyValue, Run};
use crate::service::Services;
use crate::value::Value;
use crate::workspace::data::{SharedRow, XRows};
use crate::workspace::matrix::WorkspaceData;
use crate::workspace::{MatrixWorkspace, Workspace, WorkspaceCell, WorkspaceGroup};

/// Logs that grow with the run: the newest chunk's values are right.
const NEWEST_LOGS: &[&str] = &["end_time", "run_end", "duration", "nperiods", "run_title"];
/// Largest number of values of equal time that are compared, which bounds the cost of a stopped clock.
const MAX_COMPARED_VALUES: usize = 1024;
const BY_PERIOD: &str = "proton_charge_by_period";

/// Accumulation of the chunks of one session.
pub struct Accumulator<'a> {
    pub services: &'a Services,
    pub cancel: &'a Cancel,
    /// Identity of the accumulated data, for memoized reductions.
    pub view_id: Fingerprint,
}

/// Instrument and masked detector ids by group member.
pub type MemberGeometry = Vec<(Arc<Instrument>, Vec<i32>)>;

/// Geometry and masks of each member of a workspace.
pub fn geometry_of(workspace: &Workspace) -> MemberGeometry {
    let of = |matrix: &MatrixWorkspace| (matrix.instrument().clone(), matrix.masked_detectors().to_vec());
    members(workspace).iter().map(of).collect()
}

/// Matrix workspaces of a group, or the workspace itself; empty for a table.
pub fn members(workspace: &Workspace) -> Vec<MatrixWorkspace> {
    match workspace {
        Workspace::Matrix(matrix) => vec![matrix.clone()],
        Workspace::Group(group) => group.members().iter().filter_map(|cell| cell.matrix().ok()).collect(),
        Workspace::Table(_) => Vec::new(),
    }
}

/// Group of unnamed members; a single member alone if `group` is false.
pub fn from_members(mut members: Vec<MatrixWorkspace>, group: bool) -> Workspace {
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

/// Workspace with copies of the group's members: changes in place do not reach the original's members.
pub fn with_own_members(workspace: Workspace) -> Workspace {
    match workspace {
        Workspace::Group(_) => from_members(members(&workspace), true),
        matrix => matrix,
    }
}

impl Accumulator<'_> {
    /// Accumulated data after `chunk`.
    ///
    /// # Errors
    /// `Execution` if only one is a group or sizes differ; errors of Plus and AppendSpectra; `Cancelled`.
    pub fn accumulate(&self, method: AccumulationMethod, held: &Workspace, chunk: Workspace) -> Result<Workspace> {
        let group = matches!(chunk, Workspace::Group(_));
        if matches!(held, Workspace::Group(_)) != group {
            return failed("Two workspace groups are expected.");
        }
        let (before, after) = (members(held), members(&chunk));
        if before.len() != after.len() {
            return failed("Accumulation and chunk workspace groups are expected to have the same size.");
        }
        if method == AccumulationMethod::Replace {
            return Ok(chunk);
        }
        let mut out = Vec::with_capacity(after.len());
        for (index, (held, chunk)) in before.into_iter().zip(after).enumerate() {
            out.push(match method {
                AccumulationMethod::Append => self.append(held, chunk)?,
                _ => self.add(held, chunk, index)?,
            });
        }
        if group {
            set_charges_by_period(&mut out);
        }
        Ok(from_members(out, group))
    }

    fn add(&self, held: MatrixWorkspace, chunk: MatrixWorkspace, index: usize) -> Result<MatrixWorkspace> {
        let newest = chunk.run().clone();
        let (mut held, mut chunk) = match (held.is_events(), chunk.is_events()) {
            (true, false) => (as_histogram(&held, self.cancel)?, chunk),
            (false, true) => (held, as_histogram(&chunk, self.cancel)?),
            _ => (held, chunk),
        };
        // A single bin spans its data, hence the sum needs one that spans both. Chunks of several bins have equal ones.
        if let Some(both) = common_single_bin(&held, &chunk) {
            held.set_xs(XRows::Common(both.clone()));
            chunk.set_xs(XRows::Common(both));
        }
        let mut out = combine(BinaryOperation::Plus, held, chunk, self.cancel)?;
        if let WorkspaceData::Events(events) = &out.data {
            let mut digest = Digest::new("accumulated");
            digest.add((self.view_id, index));
            let plan = events.plan().merge_terms(digest.finish().into());
            let gathered = events.with_plan(plan);
            out = out.with_data(WorkspaceData::Events(gathered));
        }
        merge_newest_logs(out.run_mut(), &newest);
        Ok(out)
    }

    fn append(&self, held: MatrixWorkspace, chunk: MatrixWorkspace) -> Result<MatrixWorkspace> {
        let newest = chunk.run().clone();
        let (mut held, mut chunk) = (held, chunk);
        if let Some(both) = common_single_bin(&held, &chunk) {
            held.set_xs(XRows::Common(both.clone()));
            chunk.set_xs(XRows::Common(both));
        }
        let mut run = AlgorithmRun::create("AppendSpectra", None)?;
        run.store_in_data_service(false);
        run.set_property("InputWorkspace1", Value::Workspace(WorkspaceCell::new("", held)))?;
        run.set_property("InputWorkspace2", Value::Workspace(WorkspaceCell::new("", chunk)))?;
        run.set_property("MergeLogs", Value::Bool(true))?;
        let Some(made) = run.execute(self.services, self.cancel)?.workspace("OutputWorkspace") else {
            return failed("AppendSpectra made no workspace");
        };
        let mut out = made.matrix()?;
        merge_newest_logs(out.run_mut(), &newest);
        Ok(out)
    }

    /// Copies changes of geometry and masks from the replaced data to `chunk`.
    ///
    /// `former` is the geometry that the replaced data had before scripts changed them.
    ///
    /// # Errors
    /// `Cancelled`.
    pub fn keep_geometry_changes(
        &self,
        before: &Workspace,
        former: &MemberGeometry,
        chunk: Workspace,
    ) -> Result<Workspace> {
        let (before, after) = (members(before), members(&chunk));
        if before.len() != after.len() || before.len() != former.len() {
            return Ok(chunk);
        }
        let group = matches!(chunk, Workspace::Group(_));
        let mut changed = false;
        let mut out = Vec::with_capacity(after.len());
        for ((before, (instrument, masked)), mut after) in before.iter().zip(former).zip(after) {
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
        Ok(if changed { from_members(out, group) } else { chunk })
    }
}

/// Bin that spans both, if their bins differ and can be replaced: bins of events, and single bins of counts.
///
/// Several bins of counts must be equal in all chunks, or the chunks cannot be added.
fn common_single_bin(held: &MatrixWorkspace, chunk: &MatrixWorkspace) -> Option<SharedRow> {
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
    let equal = |a: &SharedRow, b: &SharedRow| Arc::ptr_eq(a, b) || a == b;
    match (a.xs(), b.xs()) {
        (XRows::Common(a), XRows::Common(b)) => equal(a, b),
        (XRows::PerSpectrum(a), XRows::PerSpectrum(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| equal(a, b))
        }
        _ => false,
    }
}

/// First and last edge over all spectra; `None` if no spectrum has limits yet.
fn span(matrix: &MatrixWorkspace) -> Option<(f64, f64)> {
    let rows: &[SharedRow] = match matrix.xs() {
        XRows::Common(row) => std::slice::from_ref(row),
        XRows::PerSpectrum(rows) => rows,
    };
    let ends = rows.iter().filter_map(|row| Some((*row.first()?, *row.last()?)));
    // A spectrum without events has no limits yet; a detector on the beam has infinite or undefined ones.
    let limits =
        ends.filter(|(from, to)| from.is_finite() && to.is_finite() && (*from, *to) != (0.0, f64::MIN_POSITIVE));
    limits.reduce(|(low, high), (from, to)| (low.min(from), high.max(to)))
}

/// Copies growing and new logs from the newest chunk, and removes repeated series values.
///
/// A chunk's series starts with the last value before the chunk, which the former chunk has as well.
fn merge_newest_logs(run: &mut Run, newest: &Run) {
    for name in NEWEST_LOGS {
        if let Some(log) = newest.get(name) {
            run.set(name, log.clone());
        }
    }
    for (name, log) in newest.iter() {
        // Charge or log that the first chunk lacks.
        if !run.has(name) {
            run.set(name, log.clone());
        }
    }
    let names: Vec<String> = run
        .iter()
        .filter(|(_, log)| matches!(&log.value, LogPropertyValue::Series(series) if repeats(series)))
        .map(|(name, _)| name.to_owned())
        .collect();
    for name in names {
        if let Some(series) = run.series_mut(&name) {
            let kept = (0..series.len()).filter(|at| !is_repeat(series, *at));
            *series = series.subset(&kept.collect::<Vec<_>>());
        }
    }
}

/// True if the value at index `at` occurs before with the same time.
fn is_repeat(series: &TimeSeriesProperty, at: usize) -> bool {
    let (times, values) = (series.times(), series.values());
    let before = (0..at).rev().take(MAX_COMPARED_VALUES);
    let mut same_time = before.take_while(|before| times.get(*before) == times.get(at));
    same_time.any(|before| values.get(before) == values.get(at))
}

fn repeats(series: &TimeSeriesProperty) -> bool {
    (1..series.len()).any(|at| is_repeat(series, at))
}

/// Sets the log of charges by period, in µA·h, on each member of a group.
fn set_charges_by_period(members: &mut [MatrixWorkspace]) {
    let charges: Vec<f64> = members
        .iter()
        .map(|member| member.run().number(GOOD_CHARGE).unwrap_or_default())
        .collect();
    for member in members.iter_mut().filter(|member| member.run().has(BY_PERIOD)) {
        let log = LogProperty::new(LogPropertyValue::Floats(charges.clone())).with_units("uA.hour");
        member.run_mut().set(BY_PERIOD, log);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::algorithms::testing::{AlgorithmFixture, total_counts, x};
    use crate::date_and_time::DateAndTime;
    use crate::run::series::SeriesValues;

    fn put(
        fixture: &AlgorithmFixture,
        method: AccumulationMethod,
        held: &Workspace,
        chunk: Workspace,
    ) -> Result<Workspace> {
        accumulator(fixture, &Cancel::new()).accumulate(method, held, chunk)
    }

    fn accumulator<'a>(fixture: &'a AlgorithmFixture, cancel: &'a Cancel) -> Accumulator<'a> {
        Accumulator {
            services: &fixture.service,
            cancel,
            view_id: Digest::new("test").finish(),
        }
    }

    fn workspace(fixture: &AlgorithmFixture, x: &[f64], y: &[f64]) -> MatrixWorkspace {
        fixture.workspace("w", x, y, 1).matrix().unwrap()
    }

    fn cell(workspace: &Workspace) -> crate::workspace::WorkspaceHandle {
        WorkspaceCell::new("", workspace.clone())
    }

    #[test]
    fn single_bins_are_widened_and_others_must_match() {
        let fixture = AlgorithmFixture::new();
        let a = Workspace::Matrix(workspace(&fixture, &[5.0, 9.0], &[3.0]));
        let sum = put(
            &fixture,
            AccumulationMethod::Add,
            &a,
            workspace(&fixture, &[2.0, 7.0], &[4.0]).into(),
        )
        .unwrap();
        assert_eq!((x(&cell(&sum), 0), total_counts(&cell(&sum))), (vec![2.0, 9.0], 7.0));
        let empty = workspace(&fixture, &[0.0, f64::MIN_POSITIVE], &[0.0]);
        let sum = put(&fixture, AccumulationMethod::Add, &a, empty.into()).unwrap();
        assert_eq!(x(&cell(&sum), 0), [5.0, 9.0]);
        let two = Workspace::Matrix(workspace(&fixture, &[0.0, 1.0, 2.0], &[1.0, 1.0]));
        let other = workspace(&fixture, &[0.0, 1.0, 3.0], &[1.0, 1.0]);
        let error = put(&fixture, AccumulationMethod::Add, &two, other.into())
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with("X arrays must match"), "{error}");
    }

    #[test]
    fn groups_are_put_together_member_by_member_and_must_fit() {
        let fixture = AlgorithmFixture::new();
        let one = |value: f64| workspace(&fixture, &[0.0, 1.0], &[value]);
        let held = from_members(vec![one(1.0), one(2.0)], true);
        let sum = put(
            &fixture,
            AccumulationMethod::Add,
            &held,
            from_members(vec![one(10.0), one(20.0)], true),
        )
        .unwrap();
        let totals: Vec<f64> = members(&sum)
            .into_iter()
            .map(|m| total_counts(&cell(&m.into())))
            .collect();
        assert_eq!(totals, [11.0, 22.0]);
        let error = put(&fixture, AccumulationMethod::Add, &held, one(1.0).into())
            .err()
            .unwrap();
        assert_eq!(error.to_string(), "Two workspace groups are expected.");
        let error = put(
            &fixture,
            AccumulationMethod::Add,
            &held,
            from_members(vec![one(1.0)], true),
        )
        .err()
        .unwrap();
        let expected = "Accumulation and chunk workspace groups are expected to have the same size.";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn charges_add_up_and_logs_join_without_the_value_that_both_have() {
        let fixture = AlgorithmFixture::new();
        let with = |charge: f64, at: &[i64], end: &str| {
            let mut workspace = workspace(&fixture, &[0.0, 1.0], &[1.0]);
            let times: Vec<DateAndTime> = at.iter().map(|t| DateAndTime::from_nanoseconds(*t)).collect();
            let values = SeriesValues::Floats(at.iter().map(|t| *t as f64).collect());
            let series = LogProperty::new(LogPropertyValue::Series(
                TimeSeriesProperty::new(times, values).unwrap(),
            ));
            let run = workspace.run_mut();
            run.set("Rot", series);
            run.set_number(GOOD_CHARGE, charge, "uA.hour");
            run.set_text("end_time", end);
            workspace
        };
        let held = Workspace::Matrix(with(1.5, &[1, 2], "a"));
        let sum = put(&fixture, AccumulationMethod::Add, &held, with(2.5, &[2, 3], "b").into()).unwrap();
        let Workspace::Matrix(sum) = sum else { panic!() };
        assert_eq!(sum.run().number(GOOD_CHARGE), Some(4.0));
        assert_eq!(sum.run().series("Rot").unwrap().numbers().unwrap(), [1.0, 2.0, 3.0]);
        assert_eq!(sum.run().text("end_time").unwrap(), "b");
    }

    #[test]
    fn several_values_of_one_time_are_joined_once() {
        let fixture = AlgorithmFixture::new();
        let with = |values: &[f64]| {
            let mut workspace = workspace(&fixture, &[0.0, 1.0], &[1.0]);
            let times = vec![DateAndTime::from_nanoseconds(1); values.len()];
            let series = TimeSeriesProperty::new(times, SeriesValues::Floats(values.to_vec())).unwrap();
            workspace
                .run_mut()
                .set("Rot", LogProperty::new(LogPropertyValue::Series(series)));
            Workspace::Matrix(workspace)
        };
        let sum = put(
            &fixture,
            AccumulationMethod::Add,
            &with(&[0.0, 1.0]),
            with(&[0.0, 1.0, 5.0]),
        )
        .unwrap();
        let joined = members(&sum)[0].run().series("Rot").unwrap().numbers().unwrap();
        assert_eq!(joined, [0.0, 1.0, 5.0]);
    }

    #[test]
    fn appended_spectra_follow() {
        let fixture = AlgorithmFixture::new();
        let held = Workspace::Matrix(workspace(&fixture, &[0.0, 1.0], &[1.0]));
        let both = put(
            &fixture,
            AccumulationMethod::Append,
            &held,
            workspace(&fixture, &[0.0, 1.0], &[5.0]).into(),
        )
        .unwrap();
        assert_eq!((members(&both)[0].histograms(), total_counts(&cell(&both))), (2, 6.0));
    }

    #[test]
    fn changes_of_geometry_and_masks_outlive_a_replacement() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("s", &[("BankPixelWidth", 2_i64.into())]);
        let fresh = fixture.service.data.retrieve("s").unwrap().raw();
        let was = geometry_of(&fresh);
        let move_bank = [
            ("Workspace", "s".into()),
            ("ComponentName", "bank1".into()),
            ("X", 1.0.into()),
        ];
        fixture.run("MoveInstrumentComponent", &move_bank);
        fixture.run(
            "MaskDetectors",
            &[("Workspace", "s".into()), ("WorkspaceIndexList", "0".into())],
        );
        let changed = fixture.service.data.retrieve("s").unwrap().raw();
        let cancel = Cancel::new();
        let kept = accumulator(&fixture, &cancel)
            .keep_geometry_changes(&changed, &was, fresh.clone())
            .unwrap();
        let (kept, changed) = (members(&kept).remove(0), members(&changed).remove(0));
        assert!(Arc::ptr_eq(kept.instrument(), changed.instrument()));
        assert_eq!(kept.y(0, &cancel).unwrap().iter().sum::<f64>(), 0.0);
        assert!(kept.is_masked(0) && kept.y(1, &cancel).unwrap().iter().sum::<f64>() > 0.0);
        // Without a change the replacement stays unchanged.
        let same = accumulator(&fixture, &cancel)
            .keep_geometry_changes(&fresh, &was, fresh.clone())
            .unwrap();
        assert!(!members(&same)[0].is_masked(0));
    }
}
