//! Concatenation of the spectra of two workspaces. Promises: X, units, instrument and logs are those of the first; masks are
//! those of both; events stay events. Must not: choose spectrum numbers.
//!
//! Source: Mantid's pages AppendSpectra and ConjoinWorkspaces.

use live_data_engine::cancel::Cancel;

use crate::compute::HistogramReader;
use crate::error::{Result, failed, invalid};
use crate::workspace::MatrixWorkspace;
use crate::workspace::axis::VerticalAxis;
use crate::workspace::data::{Rows, XRows, same_row};
use crate::workspace::events::EventData;
use crate::workspace::matrix::WorkspaceData;
use crate::workspace::spectra::SpectrumDetectorMapping;

/// Largest number of spectra, which bounds repetition.
pub(crate) const MAX_SPECTRA: usize = 20_000_000;

/// `InvalidArgument` unless both or neither have events.
pub(crate) fn check_same_data_type(first: &MatrixWorkspace, second: &MatrixWorkspace) -> Result<()> {
    if first.is_events() == second.is_events() {
        return Ok(());
    }
    invalid(
        "Only one of the input workspaces are of type EventWorkspace; please use matching workspace types (both \
         EventWorkspace's or both Workspace2D's).",
    )
}

/// `InvalidArgument` unless X, its unit, the instrument and the distribution flag agree.
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

/// Spectra of the first workspace, then `times` repetitions of those of the second, over the X of the first. Spectrum
/// numbers are kept.
pub(crate) fn join(
    first: &MatrixWorkspace,
    second: &MatrixWorkspace,
    times: usize,
    cancel: &Cancel,
) -> Result<MatrixWorkspace> {
    let (before, each) = (first.histograms(), second.histograms());
    let count = each.saturating_mul(times).saturating_add(before);
    if count > MAX_SPECTRA {
        return failed(format!(
            "{count} spectra are too many: at most {MAX_SPECTRA} can be joined"
        ));
    }
    let data = match (first.events(), second.events()) {
        (Some(left), Some(right)) => {
            let mut order: Vec<usize> = (0..before).collect();
            for _ in 0..times {
                order.extend(before..before + each);
            }
            let plan = left.plan().concat(&right.plan()).subset(&order)?;
            WorkspaceData::Events(EventData::new(plan, XRows::Common(first.x(0)?)))
        }
        _ => {
            let (left, right) = (
                HistogramReader::new(first, cancel)?,
                HistogramReader::new(second, cancel)?,
            );
            let (mut xs, mut ys, mut es) = (Vec::new(), Vec::new(), Vec::new());
            let x = first.x(0)?;
            let mut push = |reader: &HistogramReader, index: usize, own: bool| -> Result<()> {
                let (row, y, e) = reader.get(index)?;
                let fits = row.len() == x.len() && y.len() <= x.len();
                xs.push(if own || !fits { row } else { x.clone() });
                ys.push(y);
                es.push(e);
                Ok(())
            };
            for index in 0..before {
                push(&left, index, true)?;
            }
            for _ in 0..times {
                for index in 0..each {
                    push(&right, index, false)?;
                }
            }
            WorkspaceData::Histogram(crate::workspace::matrix::Histogram {
                x: XRows::each(xs),
                y: Rows::new(ys),
                e: Rows::new(es),
            })
        }
    };
    let mut spectra = SpectrumDetectorMapping::with_capacity(count);
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

/// Concatenated labels or numbers if both axes have one for each spectrum, else spectrum numbers.
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

/// Smallest and largest spectrum number; `None` without any.
pub(crate) fn span(numbers: &[i32]) -> Option<(i32, i32)> {
    Some((*numbers.iter().min()?, *numbers.iter().max()?))
}
