//! Tables by dense id for the kernels: row, slot, and the constants of every conversion.

use crate::plan::{RowMap, SlotMap, Term, UNMAPPED};
use crate::transform::{Coefficient, SlotConstants, Transform, TransformStep};

/// Row, slot and constants by dense id.
#[derive(Debug)]
pub(crate) struct IdTable {
    /// Row by dense id; [`UNMAPPED`] for ids without a row.
    pub(crate) rows: Vec<u32>,
    /// Slot by dense id; 0 for ids without a row.
    pub(crate) slots: Vec<u32>,
    /// Constants by transform step and dense id; empty for a range.
    pub(crate) constants: Vec<Vec<SlotConstants>>,
    /// Columns of scale, offset, factor and shift by conversion step, for SIMD kernels.
    pub(crate) columns: Vec<[ConstantColumn; 4]>,
}

/// One constant of a conversion for all dense ids.
#[derive(Debug)]
pub(crate) enum ConstantColumn {
    Uniform(f64),
    /// Values by dense id.
    PerId(Vec<f64>),
}

impl ConstantColumn {
    fn new(coefficient: &Coefficient, slots: &[u32]) -> Self {
        match coefficient {
            Coefficient::Uniform(value) => Self::Uniform(*value),
            each @ Coefficient::PerSlot(..) => Self::PerId(slots.iter().map(|slot| each.at(*slot as usize)).collect()),
        }
    }
}

impl IdTable {
    pub(crate) fn new(slots: &SlotMap, rows: &RowMap, transform: &Transform) -> Self {
        let ids = slots.ids();
        let mut table = Self {
            rows: Vec::with_capacity(ids),
            slots: Vec::with_capacity(ids),
            constants: Vec::new(),
            columns: Vec::new(),
        };
        for dense in 0..ids {
            let slot = slots.slot(dense);
            let row = slot.and_then(|slot| rows.row(slot));
            table.rows.push(row.map_or(UNMAPPED, |row| row as u32));
            table
                .slots
                .push(if row.is_some() { slot.unwrap_or(0) as u32 } else { 0 });
        }
        for step in transform.steps() {
            if let TransformStep::Convert(step) = step {
                let column = |coefficient| ConstantColumn::new(coefficient, &table.slots);
                let columns = [&step.scale, &step.offset, &step.factor, &step.shift].map(column);
                table.columns.push(columns);
            }
            table.constants.push(match step {
                TransformStep::Keep { .. } => Vec::new(),
                TransformStep::Convert(step) => table
                    .slots
                    .iter()
                    .map(|slot| {
                        let slot = *slot as usize;
                        SlotConstants {
                            scale: step.scale.at(slot),
                            offset: step.offset.at(slot),
                            factor: step.factor.at(slot),
                            shift: step.shift.at(slot),
                        }
                    })
                    .collect(),
            });
        }
        table
    }

    pub(crate) fn of(term: &Term, slots: &SlotMap) -> Self {
        Self::new(slots, &term.rows, &term.transform)
    }

    /// Row of a dense id; [`UNMAPPED`] without one.
    #[inline(always)]
    pub(crate) fn row(&self, dense: usize) -> u32 {
        self.rows.get(dense).copied().unwrap_or(UNMAPPED)
    }

    /// True if no id in a range of dense ids has a row.
    pub(crate) fn is_empty(&self, ids: std::ops::Range<usize>) -> bool {
        let end = ids.end.min(self.rows.len());
        self.rows
            .get(ids.start.min(end)..end)
            .unwrap_or_default()
            .iter()
            .all(|row| *row == UNMAPPED)
    }
}
