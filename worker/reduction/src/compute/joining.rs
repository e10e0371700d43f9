//! The spectra of two workspaces after one another. Promises: X, units, instrument and logs are the first one's; what
//! is masked in either is masked in the result; events stay events. Must not decide spectrum numbers: who joins does.

use live_data_engine::cancel::Cancel;

use crate::compute::Reader;
use crate::error::{Result, failed, invalid};
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, Xs, same_row};
use crate::workspace::events::EventData;
use crate::workspace::matrix::Data;
use crate::workspace::spectra::Spectra;

/// More spectra than any instrument has, so that a multiplied workspace ends.
pub(crate) const MOST_SPECTRA: usize = 20_000_000;

/// Fails where one workspace holds events and the other does not.
pub(crate) fn check_kinds(first: &MatrixWorkspace, second: &MatrixWorkspace) -> Result<()> {
    if first.is_events() == second.is_events() {
        return Ok(());
    }
    invalid(
        "Only one of the input workspaces are of type EventWorkspace; please use matching workspace types (both \
         EventWorkspace's or both Workspace2D's).",
    )
}

/// Fails where X, its unit, the instrument or the distribution flag differ.
pub(crate) fn check_compatible(first: &MatrixWorkspace, second: &MatrixWorkspace) -> Result<()> {
    if !first.is_common_bins() || !second.is_common_bins() {
        return invalid("Both input workspaces must have common binning for all their spectra");
    }
    let wrong = if first.instrument().name != second.instrument().name {
        "they come from different instruments"
    } else if first.x_unit().id() != second.x_unit().id() {
        "they have different units on the X axis"
    } else if first.is_distribution() != second.is_distribution() {
        return invalid("The input workspaces have inconsistent distribution flags");
    } else if first.histograms() > 0 && second.histograms() > 0 && !same_row(&first.x(0)?, &second.x(0)?) {
        "they have different binning"
    } else {
        return Ok(());
    };
    invalid(format!("The input workspaces are not compatible because {wrong}"))
}

/// The spectra of the first workspace, then those of the second as often as said, over the first one's X. Numbers stay
/// as they are.
pub(crate) fn join(
    first: &MatrixWorkspace,
    second: &MatrixWorkspace,
    times: usize,
    cancel: &Cancel,
) -> Result<MatrixWorkspace> {
    let (before, each) = (first.histograms(), second.histograms());
    let count = each.saturating_mul(times).saturating_add(before);
    if count > MOST_SPECTRA {
        return failed(format!(
            "{count} spectra are too many: at most {MOST_SPECTRA} can be joined"
        ));
    }
    let data = match (first.events(), second.events()) {
        (Some(left), Some(right)) => {
            let mut order: Vec<usize> = (0..before).collect();
            for _ in 0..times {
                order.extend(before..before + each);
            }
            let plan = left.plan().concat(&right.plan()).subset(&order)?;
            Data::Events(EventData::new(plan, Xs::Common(first.x(0)?)))
        }
        _ => {
            let (left, right) = (Reader::new(first, cancel)?, Reader::new(second, cancel)?);
            let (mut xs, mut ys, mut es) = (Vec::new(), Vec::new(), Vec::new());
            let x = first.x(0)?;
            let mut take = |reader: &Reader, index: usize, own: bool| -> Result<()> {
                let (row, y, e) = reader.get(index)?;
                let fits = row.len() == x.len() && y.len() <= x.len();
                xs.push(if own || !fits { row } else { x.clone() });
                ys.push(y);
                es.push(e);
                Ok(())
            };
            for index in 0..before {
                take(&left, index, true)?;
            }
            for _ in 0..times {
                for index in 0..each {
                    take(&right, index, false)?;
                }
            }
            Data::Histogram(crate::workspace::matrix::Histogram {
                x: Xs::each(xs),
                y: Rows::new(ys),
                e: Rows::new(es),
            })
        }
    };
    let mut spectra = Spectra::with_capacity(count);
    for index in 0..before {
        spectra.push(first.spectra().number(index), first.spectra().detectors(index));
    }
    for _ in 0..times {
        for index in 0..each {
            spectra.push(second.spectra().number(index), second.spectra().detectors(index));
        }
    }
    let vertical = join_axes(first, second, times);
    let mut out = first.clone().with_data(data);
    out.spectra = spectra.into();
    out.vertical = vertical;
    out.set_masked(second.masked_detectors(), true);
    Ok(out)
}

/// Texts or numbers after one another where both have one for each spectrum; spectrum numbers otherwise.
fn join_axes(first: &MatrixWorkspace, second: &MatrixWorkspace, times: usize) -> VerticalAxis {
    match (first.vertical(), second.vertical()) {
        (VerticalAxis::Text(left), VerticalAxis::Text(right)) => {
            let all = (0..times).flat_map(|_| right.iter().cloned());
            VerticalAxis::Text(left.iter().cloned().chain(all).collect())
        }
        (VerticalAxis::Numeric { unit, values: left }, VerticalAxis::Numeric { values: right, .. })
            if left.len() == first.histograms() && right.len() == second.histograms() =>
        {
            let all = (0..times).flat_map(|_| right.iter().copied());
            VerticalAxis::Numeric {
                unit: unit.clone(),
                values: left.iter().copied().chain(all).collect(),
            }
        }
        _ => VerticalAxis::Spectra,
    }
}

/// The smallest and the largest of spectrum numbers; `None` of none.
pub(crate) fn span(numbers: &[i32]) -> Option<(i32, i32)> {
    Some((*numbers.iter().min()?, *numbers.iter().max()?))
}
