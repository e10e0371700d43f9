//! What the kernels know of each dense id: its row, and the constants of every conversion.

use crate::plan::{NONE, RowMap, SlotMap, Term};
use crate::transform::{Coefficient, Constants, Stage, Transform};

/// Tables by dense id.
#[derive(Debug)]
pub(crate) struct IdTable {
    /// The row of each id, [`NONE`] for one whose events go nowhere.
    pub(crate) rows: Vec<u32>,
    /// The slot of each id, 0 where there is no row.
    pub(crate) slots: Vec<u32>,
    /// For each conversion of the transform, the constants of each id; empty for a range.
    pub(crate) constants: Vec<Vec<Constants>>,
    /// The same, constant by constant (scale, offset, factor, shift), for kernels that take several events at once.
    pub(crate) fields: Vec<[Field; 4]>,
}

/// One constant of a conversion.
#[derive(Debug)]
pub(crate) enum Field {
    /// The same for all ids.
    All(f64),
    /// By dense id.
    Each(Vec<f64>),
}

impl Field {
    fn new(coefficient: &Coefficient, slots: &[u32]) -> Self {
        match coefficient {
            Coefficient::Uniform(value) => Self::All(*value),
            each @ Coefficient::PerSlot(..) => Self::Each(slots.iter().map(|slot| each.at(*slot as usize)).collect()),
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
            fields: Vec::new(),
        };
        for dense in 0..ids {
            let slot = slots.slot(dense);
            let row = slot.and_then(|slot| rows.row(slot));
            table.rows.push(row.map_or(NONE, |row| row as u32));
            table
                .slots
                .push(if row.is_some() { slot.unwrap_or(0) as u32 } else { 0 });
        }
        for stage in transform.stages() {
            if let Stage::Convert(step) = stage {
                let field = |coefficient| Field::new(coefficient, &table.slots);
                let fields = [&step.scale, &step.offset, &step.factor, &step.shift].map(field);
                table.fields.push(fields);
            }
            table.constants.push(match stage {
                Stage::Keep { .. } => Vec::new(),
                Stage::Convert(step) => table
                    .slots
                    .iter()
                    .map(|slot| {
                        let slot = *slot as usize;
                        Constants {
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

    /// The row of a dense id.
    #[inline(always)]
    pub(crate) fn row(&self, dense: usize) -> u32 {
        self.rows.get(dense).copied().unwrap_or(NONE)
    }

    /// Whether no id in a range of dense ids has a row.
    pub(crate) fn is_empty(&self, ids: std::ops::Range<usize>) -> bool {
        let end = ids.end.min(self.rows.len());
        self.rows
            .get(ids.start.min(end)..end)
            .unwrap_or_default()
            .iter()
            .all(|row| *row == NONE)
    }
}
