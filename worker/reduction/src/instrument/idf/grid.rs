//! Rectangular detectors: pixels of a grid with ids by rule. Promises: columns × rows pixels, or an error. Must not: place
//! anything but pixels.

use std::sync::Arc;

use super::build::{InstrumentBuilder, ParentFrame};
use super::component_type::{PixelGrid, PixelGridIds};
use super::ids::IdCursor;
use super::limits::MAX_DETECTORS;
use crate::instrument::V3D;

impl InstrumentBuilder {
    /// Adds the pixels of a rectangular detector, column by column; ids by rule or else from the id list.
    pub(super) fn grid(
        &mut self,
        grid: &PixelGrid,
        ids: Option<PixelGridIds>,
        cursor: &mut IdCursor,
        at: &ParentFrame,
    ) -> Result<(), String> {
        let (columns, rows) = grid.counts;
        let total = columns
            .checked_mul(rows)
            .filter(|n| *n > 0 && *n <= MAX_DETECTORS as i64);
        if columns <= 0 || rows <= 0 || total.is_none() {
            return Err(format!("a rectangular detector has {columns} × {rows} pixels"));
        }
        for column in 0..columns {
            for row in 0..rows {
                let id = match ids {
                    Some(ids) => {
                        let (slow, fast, length) = if ids.fill_by_x {
                            (row, column, columns)
                        } else {
                            (column, row, rows)
                        };
                        let by_row = ids.step_by_row.unwrap_or_else(|| length.saturating_mul(ids.step));
                        let id = slow
                            .checked_mul(by_row)
                            .and_then(|n| n.checked_add(fast.checked_mul(ids.step)?))
                            .and_then(|n| n.checked_add(ids.start));
                        id.and_then(|id| i32::try_from(id).ok())
                    }
                    None => {
                        cursor.next += 1;
                        cursor.ids.get(cursor.next - 1).copied()
                    }
                };
                let Some(id) = id else {
                    return Err("a rectangular detector has more pixels than ids".to_owned());
                };
                let local = V3D::new(
                    grid.start.0 + column as f64 * grid.step.0,
                    grid.start.1 + row as f64 * grid.step.1,
                    0.0,
                );
                let position = at.position + at.rotation.apply(local);
                self.detector(id, position, at.monitor, at.parent, Arc::from("pixel"))?;
            }
        }
        Ok(())
    }
}
