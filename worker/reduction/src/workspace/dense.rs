//! All rows of X, Y or E in one array. Promises: rows are written on the compute threads straight to their places,
//! without a copy of any; what a short row leaves of its place stays as it was. Must not know whose array it is.

use live_data_engine::cancel::Cancel;
use live_data_engine::pool;
use rayon::prelude::*;

use crate::error::{AlgorithmError, Result};
use crate::workspace::data::Rows;
use crate::workspace::matrix::{Column, MatrixWorkspace};

/// Values of a piece of work: some hundred kilobytes.
const PIECE: usize = 1 << 16;

/// Writes a row to the front of its place.
type Read = Box<dyn Fn(usize, &mut [f64]) + Sync>;

impl MatrixWorkspace {
    /// Writes all rows of a column to an array, each row to a place of `width` values.
    ///
    /// # Errors
    /// `Cancelled`: part of the array is then written.
    pub fn fill(&self, column: Column, width: usize, out: &mut [f64], cancel: &Cancel) -> Result<()> {
        let read: Read = match column {
            Column::X => {
                let xs = self.xs().clone();
                Box::new(move |index, to| {
                    if let Some(row) = xs.get(index) {
                        to.iter_mut().zip(row.iter()).for_each(|(to, from)| *to = *from);
                    }
                })
            }
            Column::Y => reader(self.ys(cancel)?),
            Column::E => reader(self.es(cancel)?),
        };
        let width = width.max(1);
        let rows = (PIECE / width).max(1);
        pool::install(|| {
            let pieces = out.par_chunks_mut(rows * width).enumerate();
            pieces.try_for_each(|(piece, out)| {
                if cancel.is_cancelled() {
                    return Err(AlgorithmError::Cancelled);
                }
                for (index, to) in out.chunks_exact_mut(width).enumerate() {
                    read(piece * rows + index, to);
                }
                Ok(())
            })
        })
    }
}

fn reader(rows: Rows) -> Read {
    Box::new(move |index, to| {
        rows.read(index, to);
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::workspace::data::{Row, Xs};

    #[test]
    fn every_row_is_in_its_place_and_short_rows_leave_the_rest() {
        let rows: Vec<Row> = (0..3000)
            .map(|row| vec![f64::from(row); 1 + row as usize % 50].into())
            .collect();
        let x: Vec<Row> = rows.iter().map(|row| [&row[..], &[0.5]].concat().into()).collect();
        let ws = MatrixWorkspace::histogram(Xs::each(x.clone()), Rows::new(rows.clone()), Rows::new(rows.clone()));
        for (column, rows) in [(Column::X, x), (Column::Y, rows.clone()), (Column::E, rows)] {
            let mut out = vec![-1.0; 3000 * 51];
            ws.fill(column, 51, &mut out, &Cancel::new()).unwrap();
            for (row, out) in rows.iter().zip(out.chunks(51)) {
                let (front, rest) = out.split_at(row.len());
                assert_eq!(front, &row[..]);
                assert!(rest.iter().all(|value| *value == -1.0));
            }
        }
        let cancel = Cancel::new();
        cancel.cancel();
        let mut out = vec![0.0; 3000 * 51];
        assert!(matches!(
            ws.fill(Column::Y, 51, &mut out, &cancel),
            Err(AlgorithmError::Cancelled)
        ));
    }
}
