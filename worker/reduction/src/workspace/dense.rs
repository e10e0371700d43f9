//! X, Y or E of all spectra in one array. Promises: rows are written by the compute threads without intermediate copies;
//! values beyond a short row are untouched. Must not: know the owner of the array.

use live_data_engine::cancel::Cancel;
use live_data_engine::pool;
use rayon::prelude::*;

use crate::error::{AlgorithmError, Result};
use crate::workspace::data::Rows;
use crate::workspace::matrix::{HistogramField, MatrixWorkspace};

/// Values in a unit of parallel work: 512 kB.
const VALUES_PER_TASK: usize = 1 << 16;

/// Copies the row of an index to the front of a slice.
type RowCopier = Box<dyn Fn(usize, &mut [f64]) + Sync>;

impl MatrixWorkspace {
    /// Writes X, Y or E of all spectra to `out`, of shape (spectra, `width`) row by row.
    ///
    /// # Errors
    /// `Cancelled`, with part of `out` written.
    pub fn fill(&self, column: HistogramField, width: usize, out: &mut [f64], cancel: &Cancel) -> Result<()> {
        let read: RowCopier = match column {
            HistogramField::X => {
                let xs = self.xs().clone();
                Box::new(move |index, to| {
                    if let Some(row) = xs.get(index) {
                        to.iter_mut().zip(row.iter()).for_each(|(to, from)| *to = *from);
                    }
                })
            }
            HistogramField::Y => reader(self.ys(cancel)?),
            HistogramField::E => reader(self.es(cancel)?),
        };
        let width = width.max(1);
        let rows = (VALUES_PER_TASK / width).max(1);
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

fn reader(rows: Rows) -> RowCopier {
    Box::new(move |index, to| {
        rows.read(index, to);
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::workspace::data::{SharedRow, XRows};

    #[test]
    fn every_row_is_in_its_place_and_short_rows_leave_the_rest() {
        let rows: Vec<SharedRow> = (0..3000)
            .map(|row| vec![f64::from(row); 1 + row as usize % 50].into())
            .collect();
        let x: Vec<SharedRow> = rows.iter().map(|row| [&row[..], &[0.5]].concat().into()).collect();
        let ws = MatrixWorkspace::histogram(XRows::each(x.clone()), Rows::new(rows.clone()), Rows::new(rows.clone()));
        for (column, rows) in [
            (HistogramField::X, x),
            (HistogramField::Y, rows.clone()),
            (HistogramField::E, rows),
        ] {
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
            ws.fill(HistogramField::Y, 51, &mut out, &cancel),
            Err(AlgorithmError::Cancelled)
        ));
    }
}
