//! Workspace indices from the properties of a script. Promises: indices are inside the workspace, in the order given. Must
//! not: change anything.

use crate::error::{Result, failed, invalid};
use crate::workspace::MatrixWorkspace;

/// Workspace indices of integers; `InvalidArgument` for one outside.
pub(crate) fn checked(workspace: &MatrixWorkspace, given: &[i64]) -> Result<Vec<usize>> {
    let count = workspace.histograms();
    let mut out = Vec::with_capacity(given.len());
    for value in given {
        match usize::try_from(*value).ok().filter(|index| *index < count) {
            Some(index) => out.push(index),
            None => {
                return invalid(format!(
                    "Workspace index {value} is out of range: the workspace has {count} spectra"
                ));
            }
        }
    }
    Ok(out)
}

/// Workspace indices `start..=end`, by default all; `InvalidArgument` for an end outside.
pub(crate) fn range(workspace: &MatrixWorkspace, start: Option<i64>, end: Option<i64>) -> Result<Vec<usize>> {
    let count = workspace.histograms() as i64;
    let (start, end) = (start.unwrap_or(0), end.unwrap_or(count - 1));
    if start < 0 || start >= count.max(1) {
        return invalid(format!(
            "StartWorkspaceIndex out of range! {start} is not in 0..{count}"
        ));
    }
    if end < start || end >= count {
        return invalid(format!(
            "EndWorkspaceIndex out of range! {end} is not in {start}..{count}"
        ));
    }
    Ok((start as usize..=end as usize).collect())
}

/// Workspace indices of spectrum numbers; `Execution` for an unknown one.
pub(crate) fn of_numbers(workspace: &MatrixWorkspace, numbers: &[i64]) -> Result<Vec<usize>> {
    let map = workspace.spectra().index_by_number();
    let mut out = Vec::with_capacity(numbers.len());
    for number in numbers {
        match i32::try_from(*number).ok().and_then(|number| map.get(&number)) {
            Some(index) => out.push(*index),
            None => return failed(format!("Spectrum number {number} not found")),
        }
    }
    Ok(out)
}

/// Workspace indices of detector ids, without duplicates; unmapped ids are dropped.
pub(crate) fn of_detectors(workspace: &MatrixWorkspace, ids: &[i64]) -> Vec<usize> {
    let ids: Vec<i32> = ids.iter().filter_map(|id| i32::try_from(*id).ok()).collect();
    workspace.indices_of_detectors(&ids)
}
