//! Addition, subtraction, multiplication and division of workspaces. Promises: the right-hand side is one value, one
//! spectrum, one column or of equal shape; events stay events where their weights can express the result. Must not: read
//! properties.
//!
//! | operation | y | e |
//! |---|---|---|
//! | plus, minus | y₁ ± y₂ | √(e₁² + e₂²) |
//! | multiply | y₁ y₂ | √((e₁ y₂)² + (e₂ y₁)²) |
//! | divide | y₁ / y₂ | √(e₁² + (y₁ e₂ / y₂)²) / \|y₂\| |
//!
//! y: signal, e: standard deviation of independent Gaussian uncertainties. Sources: Mantid's pages Plus, Minus, Multiply,
//! Divide; P. R. Bevington and D. K. Robinson, Data Reduction and Error Analysis, 3rd edition (2003), chapter 3.

use std::sync::Arc;

use live_data_engine::cancel::Cancel;
use live_data_engine::columns::Events;
use live_data_engine::plan::Factor;

use crate::compute::{HistogramReader, as_histogram, build_rows};
use crate::error::{Result, failed};
use crate::workspace::MatrixWorkspace;
use crate::workspace::data::{SharedRow, same_row};
use crate::workspace::matrix::WorkspaceData;

/// Arithmetic operation of two workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOperation {
    Plus,
    Minus,
    Multiply,
    Divide,
}

impl BinaryOperation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plus => "Plus",
            Self::Minus => "Minus",
            Self::Multiply => "Multiply",
            Self::Divide => "Divide",
        }
    }

    fn is_commutative(self) -> bool {
        matches!(self, Self::Plus | Self::Multiply)
    }

    fn is_additive(self) -> bool {
        matches!(self, Self::Plus | Self::Minus)
    }

    /// Signal and standard deviation (y, e) of the result.
    pub(crate) fn apply(self, (y1, e1): (f64, f64), (y2, e2): (f64, f64)) -> (f64, f64) {
        match self {
            Self::Plus => (y1 + y2, e1.hypot(e2)),
            Self::Minus => (y1 - y2, e1.hypot(e2)),
            Self::Multiply => (y1 * y2, (e1 * y2).hypot(e2 * y1)),
            Self::Divide => (y1 / y2, e1.hypot(y1 * e2 / y2) / y2.abs()),
        }
    }

    /// Factor of an event's weight: y ± e to multiply, 1/y ± e/y² to divide.
    fn factor(self, y: f64, e: f64) -> Factor {
        match self {
            Self::Divide => Factor {
                value: 1.0 / y,
                error_squared: (e / (y * y)).powi(2),
            },
            _ => Factor {
                value: y,
                error_squared: e * e,
            },
        }
    }
}

/// Shape of the right-hand side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OperandShape {
    Value,
    Spectrum,
    Column,
    Full,
}

fn size(workspace: &MatrixWorkspace) -> usize {
    workspace.histograms().saturating_mul(workspace.bins(0).max(1))
}

/// Result of an operation, with the shape of the larger side.
///
/// # Errors
/// `Execution` for different shapes, X or units; `Cancelled`.
pub(crate) fn combine(
    operation: BinaryOperation,
    lhs: MatrixWorkspace,
    rhs: MatrixWorkspace,
    cancel: &Cancel,
) -> Result<MatrixWorkspace> {
    let smaller = size(&lhs) < size(&rhs) || (lhs.histograms() < rhs.histograms() && lhs.bins(0) <= rhs.bins(0));
    let (lhs, rhs) = if operation.is_commutative() && smaller {
        (rhs, lhs)
    } else {
        (lhs, rhs)
    };
    check_units(operation, &lhs, &rhs)?;
    if operation.is_additive() && lhs.is_events() && rhs.is_events() {
        return add_events(operation, lhs, &rhs);
    }
    let shape = shape(operation, &lhs, &rhs)?;
    let masked = masked_rows(&lhs, &rhs, shape);
    let mut out = if !operation.is_additive() && lhs.is_events() {
        weigh_events(operation, &lhs, &rhs, shape, cancel)?
    } else {
        histograms(operation, &lhs, &rhs, shape, cancel)?
    };
    if masked.iter().any(|masked| *masked) {
        out = clear_masked(out, &masked, cancel)?;
    }
    set_unit(operation, &lhs, &rhs, &mut out);
    if operation == BinaryOperation::Plus && !rhs.single_value {
        out.run_mut().merge(&rhs.run);
    }
    Ok(out)
}

fn shape(operation: BinaryOperation, lhs: &MatrixWorkspace, rhs: &MatrixWorkspace) -> Result<OperandShape> {
    let (rows, right_rows) = (lhs.histograms(), rhs.histograms());
    let right_bins = rhs.bins(0);
    if right_rows == 1 && right_bins == 1 {
        return Ok(OperandShape::Value);
    }
    if size(lhs) < size(rhs) {
        return failed("Left hand side smaller than right hand side.");
    }
    if right_rows != 1 && right_rows != rows {
        return failed("Number of histograms not identical.");
    }
    if right_bins == 1 && lhs.bins(0) != 1 {
        return Ok(OperandShape::Column);
    }
    let same = |index: usize| -> bool {
        match (
            lhs.xs().get(index),
            rhs.xs().get(if right_rows == 1 { 0 } else { index }),
        ) {
            (Some(a), Some(b)) => same_row(a, b),
            _ => false,
        }
    };
    let common = lhs.xs().is_common() && rhs.xs().is_common();
    let matching = if common { same(0) } else { (0..rows).all(same) };
    // Values of a column are for a whole spectrum: X is irrelevant.
    let columns = right_bins == 1 && lhs.bins(0) == 1;
    if !matching && !columns {
        return failed(match operation {
            BinaryOperation::Divide => "X arrays must match when dividing 2D workspaces.",
            _ => "X arrays must match when performing this operation on a 2D workspaces.",
        });
    }
    Ok(if right_rows == 1 && rows != 1 {
        OperandShape::Spectrum
    } else {
        OperandShape::Full
    })
}

fn check_units(operation: BinaryOperation, lhs: &MatrixWorkspace, rhs: &MatrixWorkspace) -> Result<()> {
    let incompatible = || {
        failed(format!(
            "The two workspaces are not compatible for algorithm {}",
            operation.name()
        ))
    };
    if size(lhs) <= 1 || size(rhs) <= 1 {
        return Ok(());
    }
    let different = lhs.x_unit() != rhs.x_unit() && rhs.bins(0) > 1 && lhs.bins(0) > 1;
    if different && operation.is_additive() {
        return incompatible();
    }
    if operation.is_additive() && (lhs.y_unit() != rhs.y_unit() || lhs.distribution != rhs.distribution) {
        return incompatible();
    }
    Ok(())
}

fn set_unit(operation: BinaryOperation, lhs: &MatrixWorkspace, rhs: &MatrixWorkspace, out: &mut MatrixWorkspace) {
    match operation {
        BinaryOperation::Plus | BinaryOperation::Minus => {}
        BinaryOperation::Multiply => match (lhs.y_unit(), rhs.y_unit()) {
            (_, "") => {}
            ("", unit) => out.set_y_unit(unit),
            _ => out.set_y_unit(""),
        },
        BinaryOperation::Divide => match (lhs.y_unit(), rhs.y_unit()) {
            (_, "") => {}
            (left, right) if left == right => {
                out.set_y_unit("");
                if lhs.bins(0) == rhs.bins(0) {
                    out.distribution = true;
                }
            }
            ("", right) => out.set_y_unit(&format!("1/{right}")),
            (left, right) => out.set_y_unit(&format!("{left}/{right}")),
        },
    }
}

fn masked_rows(lhs: &MatrixWorkspace, rhs: &MatrixWorkspace, shape: OperandShape) -> Vec<bool> {
    if lhs.masked.is_empty() && rhs.masked.is_empty() {
        return Vec::new();
    }
    let right = |index: usize| match shape {
        OperandShape::Value | OperandShape::Spectrum => false,
        OperandShape::Column | OperandShape::Full => rhs.is_masked(index),
    };
    (0..lhs.histograms())
        .map(|index| lhs.is_masked(index) || right(index))
        .collect()
}

/// Workspace with the marked spectra set to zero and their detectors masked.
pub(crate) fn clear_masked(out: MatrixWorkspace, masked: &[bool], cancel: &Cancel) -> Result<MatrixWorkspace> {
    let ids: Vec<i32> = masked
        .iter()
        .enumerate()
        .filter(|(_, masked)| **masked)
        .flat_map(|(index, _)| out.spectra.detectors(index).to_vec())
        .collect();
    let mut out = match &out.data {
        WorkspaceData::Events(events) => {
            let cleared = events.with_plan(events.plan().clear(masked)?);
            out.clone().with_data(WorkspaceData::Events(cleared))
        }
        WorkspaceData::Histogram(_) => {
            let reader = HistogramReader::new(&out, cancel)?;
            let mut ys = reader.y.clone();
            let mut es = reader.e.clone();
            for (index, _) in masked.iter().enumerate().filter(|(_, masked)| **masked) {
                let zeros: SharedRow = vec![0.0; reader.y.bins(index)].into();
                ys.set(index, zeros.clone());
                es.set(index, zeros);
            }
            out.clone().with_histogram(reader.x, ys, es)
        }
    };
    out.set_masked(&ids, true);
    Ok(out)
}

fn add_events(operation: BinaryOperation, lhs: MatrixWorkspace, rhs: &MatrixWorkspace) -> Result<MatrixWorkspace> {
    let (Some(left), Some(right)) = (lhs.events(), rhs.events()) else {
        return failed("events were expected");
    };
    if right.rows() != 1 && right.rows() != left.rows() {
        return failed("Number of histograms not identical.");
    }
    let mut plan = right.plan();
    if right.rows() == 1 && left.rows() != 1 {
        plan = plan.regroup(&vec![vec![0]; left.rows()])?;
    }
    let plan = if operation == BinaryOperation::Plus {
        left.plan().plus(&plan)?
    } else {
        left.plan().minus(&plan)?
    };
    let data = WorkspaceData::Events(left.with_plan(plan));
    let mut out = lhs.clone().with_data(data);
    if operation == BinaryOperation::Plus {
        out.run_mut().merge(&rhs.run);
    }
    Ok(out)
}

fn weigh_events(
    operation: BinaryOperation,
    lhs: &MatrixWorkspace,
    rhs: &MatrixWorkspace,
    shape: OperandShape,
    cancel: &Cancel,
) -> Result<MatrixWorkspace> {
    let Some(events) = lhs.events() else {
        return failed("events were expected");
    };
    let reader = HistogramReader::new(rhs, cancel)?;
    let value = |row: usize| -> Result<(f64, f64)> {
        let (_, y, e) = reader.get(row)?;
        let (y, e) = (
            y.first().copied().unwrap_or_default(),
            e.first().copied().unwrap_or_default(),
        );
        if operation == BinaryOperation::Divide && y == 0.0 {
            return failed("EventList::divide() called with value of 0.0. Cannot divide by zero.");
        }
        Ok((y, e))
    };
    let single = matches!(shape, OperandShape::Value) || rhs.bins(0) == 1;
    let plan = match shape {
        OperandShape::Value => {
            let (y, e) = value(0)?;
            events.plan().scale(operation.factor(y, e))
        }
        _ if single => {
            let factors: Vec<Factor> = (0..lhs.histograms())
                .map(|row| value(if rhs.histograms() == 1 { 0 } else { row }).map(|(y, e)| operation.factor(y, e)))
                .collect::<Result<_>>()?;
            events.plan().scale_rows(&factors)?
        }
        _ => {
            // Each event has the factor of its bin, which no plan can express: events are brought into memory.
            let mut rows = Vec::with_capacity(lhs.histograms());
            for row in 0..lhs.histograms() {
                let (x, y, e) = reader.get(if shape == OperandShape::Spectrum { 0 } else { row })?;
                rows.push(weigh_by_bin(operation, events.spectrum(row, cancel)?, (&x, &y, &e)));
            }
            let mut weighed = events.clone();
            weighed.replace(&rows)?;
            return Ok(lhs.clone().with_data(WorkspaceData::Events(weighed)));
        }
    };
    Ok(lhs.clone().with_data(WorkspaceData::Events(events.with_plan(plan))))
}

fn weigh_by_bin(operation: BinaryOperation, events: Events, (x, y, e): (&[f64], &[f64], &[f64])) -> Events {
    let mut out = Events {
        x: Vec::new(),
        pulse_time: Vec::new(),
        weight: Vec::new(),
        error_squared: Vec::new(),
    };
    let timed = !events.pulse_time.is_empty();
    for (index, value) in events.x.iter().enumerate() {
        let after = x.partition_point(|edge| edge <= value);
        let Some(bin) = after.checked_sub(1).filter(|bin| *bin < y.len()) else {
            continue;
        };
        let (y, e) = (
            y.get(bin).copied().unwrap_or_default(),
            e.get(bin).copied().unwrap_or_default(),
        );
        let (weight, squared) = events.weight(index);
        let (weight, squared) = if operation == BinaryOperation::Divide && y == 0.0 {
            (f64::NAN, f64::NAN)
        } else {
            operation.factor(y, e).apply(weight, squared)
        };
        out.x.push(*value);
        if timed && let Some(time) = events.pulse_time.get(index) {
            out.pulse_time.push(*time);
        }
        out.weight.push(weight as f32);
        out.error_squared.push(squared as f32);
    }
    out
}

fn histograms(
    operation: BinaryOperation,
    lhs: &MatrixWorkspace,
    rhs: &MatrixWorkspace,
    shape: OperandShape,
    cancel: &Cancel,
) -> Result<MatrixWorkspace> {
    let (left, right) = (HistogramReader::new(lhs, cancel)?, HistogramReader::new(rhs, cancel)?);
    let (y, e) = build_rows(lhs.histograms(), cancel, |index| {
        let (_, y1, e1) = left.get(index)?;
        let (_, y2, e2) = right.get(if matches!(shape, OperandShape::Value | OperandShape::Spectrum) {
            0
        } else {
            index
        })?;
        let one = y2.len() == 1;
        if !one && y2.len() != y1.len() {
            return failed(format!(
                "spectrum {index} has {} bins on the left and {} on the right",
                y1.len(),
                y2.len()
            ));
        }
        let mut out = (Vec::with_capacity(y1.len()), Vec::with_capacity(y1.len()));
        for (bin, (y1, e1)) in y1.iter().zip(e1.iter()).enumerate() {
            let bin = if one { 0 } else { bin };
            let y2 = y2.get(bin).copied().unwrap_or_default();
            let e2 = e2.get(bin).copied().unwrap_or_default();
            let (y, e) = operation.apply((*y1, *e1), (y2, e2));
            out.0.push(y);
            out.1.push(e);
        }
        Ok(out)
    })?;
    let single = lhs.single_value && rhs.single_value;
    let mut out = as_histogram(lhs, cancel)?.with_histogram(left.x.clone(), y, e);
    out.single_value = single;
    out.run = Arc::clone(&lhs.run);
    Ok(out)
}
