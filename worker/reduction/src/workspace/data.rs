//! Rows of numbers: X, Y and E of histograms. Promises: cloning shares the rows, a changed row is copied once; rows
//! that come from counts are made one at a time, when they are read; a row that Python may write is asked for its
//! present values each time. Must not know Python.

use std::sync::Arc;

/// One row of numbers, shared.
pub type Row = Arc<[f64]>;

/// A row that lives outside, where it may be written at any time.
pub trait ExportedRow: Send + Sync {
    /// The present values.
    fn copy(&self) -> Vec<f64>;
    /// The number of values.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Rows that are computed when they are read.
pub trait RowSource: Send + Sync {
    /// The number of rows.
    fn rows(&self) -> usize;
    /// The number of values in a row; 0 outside.
    fn bins(&self, row: usize) -> usize;
    /// The signal of a row, written to the front of `out`, which holds at least `bins(row)` values.
    fn signal(&self, row: usize, out: &mut [f64]);
    /// The standard deviations of a row, likewise.
    fn deviation(&self, row: usize, out: &mut [f64]);
}

#[derive(Clone)]
enum Stored {
    Owned(Row),
    Exported(Arc<dyn ExportedRow>),
}

/// Y or E: one row per spectrum.
#[derive(Clone)]
pub struct Rows(Source);

#[derive(Clone)]
enum Source {
    Stored(Arc<Vec<Stored>>),
    Lazy {
        source: Arc<dyn RowSource>,
        deviation: bool,
    },
}

impl Rows {
    /// Rows that are held.
    pub fn new(rows: Vec<Row>) -> Self {
        Self(Source::Stored(Arc::new(rows.into_iter().map(Stored::Owned).collect())))
    }

    /// The same row for every spectrum, held once.
    pub fn repeated(row: Row, count: usize) -> Self {
        Self::new(vec![row; count])
    }

    /// The signal of rows that are computed when read.
    pub fn signal(source: Arc<dyn RowSource>) -> Self {
        Self(Source::Lazy {
            source,
            deviation: false,
        })
    }

    /// The standard deviations of rows that are computed when read.
    pub fn deviation(source: Arc<dyn RowSource>) -> Self {
        Self(Source::Lazy {
            source,
            deviation: true,
        })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.0 {
            Source::Stored(rows) => rows.len(),
            Source::Lazy { source, .. } => source.rows(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of values in a row; 0 outside.
    pub fn bins(&self, row: usize) -> usize {
        match &self.0 {
            Source::Stored(rows) => match rows.get(row) {
                Some(Stored::Owned(row)) => row.len(),
                Some(Stored::Exported(row)) => row.len(),
                None => 0,
            },
            Source::Lazy { source, .. } => source.bins(row),
        }
    }

    /// A row; `None` outside.
    pub fn get(&self, row: usize) -> Option<Row> {
        match &self.0 {
            Source::Stored(rows) => rows.get(row).map(|stored| match stored {
                Stored::Owned(row) => row.clone(),
                Stored::Exported(row) => row.copy().into(),
            }),
            Source::Lazy { source, .. } => {
                if row >= source.rows() {
                    return None;
                }
                let mut values = vec![0.0; source.bins(row)];
                self.read(row, &mut values);
                Some(values.into())
            }
        }
    }

    /// A row, copied to the front of a buffer that is long enough. Returns its length.
    pub fn read(&self, row: usize, out: &mut [f64]) -> usize {
        match &self.0 {
            Source::Stored(_) => {
                let values = self.get(row).unwrap_or_else(|| Arc::from([]));
                let count = values.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..count), values.get(..count)) {
                    to.copy_from_slice(from);
                }
                count
            }
            Source::Lazy { source, deviation } => {
                let bins = source.bins(row).min(out.len());
                if let Some(out) = out.get_mut(..bins) {
                    if *deviation {
                        source.deviation(row, out)
                    } else {
                        source.signal(row, out)
                    }
                }
                bins
            }
        }
    }

    /// Replaces a row. All rows become held ones if they were computed so far.
    pub fn set(&mut self, row: usize, values: Row) {
        self.store(row, Stored::Owned(values));
    }

    /// Replaces a row by one that lives outside.
    pub fn export(&mut self, row: usize, values: Arc<dyn ExportedRow>) {
        self.store(row, Stored::Exported(values));
    }

    fn store(&mut self, row: usize, stored: Stored) {
        if let Source::Lazy { source, .. } = &self.0 {
            let rows = (0..source.rows())
                .filter_map(|row| self.get(row))
                .map(Stored::Owned)
                .collect();
            self.0 = Source::Stored(Arc::new(rows));
        }
        if let Source::Stored(rows) = &mut self.0
            && let Some(slot) = Arc::make_mut(rows).get_mut(row)
        {
            *slot = stored;
        }
    }

    /// The row as it lives outside, if it does.
    pub fn exported(&self, row: usize) -> Option<Arc<dyn ExportedRow>> {
        match &self.0 {
            Source::Stored(rows) => match rows.get(row) {
                Some(Stored::Exported(row)) => Some(row.clone()),
                _ => None,
            },
            Source::Lazy { .. } => None,
        }
    }

    /// Whether the rows are held in memory.
    pub fn is_held(&self) -> bool {
        matches!(self.0, Source::Stored(_))
    }

    /// The rows with those that live outside copied.
    pub fn without_exports(self) -> Self {
        let Source::Stored(rows) = &self.0 else { return self };
        if !rows.iter().any(|row| matches!(row, Stored::Exported(_))) {
            return self;
        }
        let copied = rows.iter().map(|row| match row {
            Stored::Owned(row) => Stored::Owned(row.clone()),
            Stored::Exported(row) => Stored::Owned(row.copy().into()),
        });
        Self(Source::Stored(Arc::new(copied.collect())))
    }

    /// The rows at these indices, in their order. Computed rows stay computed.
    pub fn subset(&self, indices: &[usize]) -> Self {
        match &self.0 {
            Source::Stored(rows) => {
                let rows = indices.iter().filter_map(|index| rows.get(*index)).cloned().collect();
                Self(Source::Stored(Arc::new(rows)))
            }
            Source::Lazy { source, deviation } => {
                let source = Arc::new(Picked {
                    source: source.clone(),
                    rows: indices.into(),
                });
                Self(Source::Lazy {
                    source,
                    deviation: *deviation,
                })
            }
        }
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            Source::Stored(rows) => (0..rows.len()).map(|row| self.bins(row) * 8).sum(),
            Source::Lazy { .. } => 0,
        }
    }
}

/// Some rows of a source, in an order of their own.
struct Picked {
    source: Arc<dyn RowSource>,
    rows: Arc<[usize]>,
}

impl Picked {
    fn row(&self, row: usize) -> usize {
        self.rows.get(row).copied().unwrap_or(usize::MAX)
    }
}

impl RowSource for Picked {
    fn rows(&self) -> usize {
        self.rows.len()
    }
    fn bins(&self, row: usize) -> usize {
        self.source.bins(self.row(row))
    }
    fn signal(&self, row: usize, out: &mut [f64]) {
        self.source.signal(self.row(row), out);
    }
    fn deviation(&self, row: usize, out: &mut [f64]) {
        self.source.deviation(self.row(row), out);
    }
}

/// X: the same for every spectrum, or one row each.
#[derive(Clone)]
pub enum Xs {
    /// The same edges or points for every spectrum.
    Common(Row),
    /// One row for each spectrum.
    Each(Arc<Vec<Row>>),
}

impl Xs {
    /// One row for each spectrum; kept once when all are the same row in memory.
    pub fn each(rows: Vec<Row>) -> Self {
        match rows.first() {
            Some(first) if rows.iter().all(|row| Arc::ptr_eq(row, first)) => Self::Common(first.clone()),
            _ => Self::Each(Arc::new(rows)),
        }
    }

    /// The row of a spectrum; for common X any index has it, otherwise `None` outside.
    pub fn get(&self, row: usize) -> Option<&Row> {
        match self {
            Self::Common(row) => Some(row),
            Self::Each(rows) => rows.get(row),
        }
    }

    /// Replaces a row of a workspace of `count` spectra.
    pub fn set(&mut self, row: usize, count: usize, values: Row) {
        if count == 1 && row == 0 {
            *self = Self::Common(values);
            return;
        }
        if let Self::Common(common) = self {
            *self = Self::Each(Arc::new(vec![common.clone(); count]));
        }
        if let Self::Each(rows) = self
            && let Some(slot) = Arc::make_mut(rows).get_mut(row)
        {
            *slot = values;
        }
    }

    /// The rows at these indices.
    pub fn subset(&self, indices: &[usize]) -> Self {
        match self {
            Self::Common(row) => Self::Common(row.clone()),
            Self::Each(rows) => Self::each(indices.iter().filter_map(|index| rows.get(*index)).cloned().collect()),
        }
    }

    /// Whether every spectrum has the same X, to within rounding.
    pub fn is_common(&self) -> bool {
        match self {
            Self::Common(_) => true,
            Self::Each(rows) => match rows.first() {
                Some(first) => rows.iter().all(|row| same_row(row, first)),
                None => true,
            },
        }
    }

    /// Applies a function to each distinct row of `count` spectra.
    pub fn map(&self, mut f: impl FnMut(&Row) -> Row) -> Self {
        match self {
            Self::Common(row) => Self::Common(f(row)),
            Self::Each(rows) => Self::Each(Arc::new(rows.iter().map(f).collect())),
        }
    }
}

/// Whether two rows agree to within rounding (a relative 1e-7 of neighbouring values).
pub fn same_row(a: &Row, b: &Row) -> bool {
    if Arc::ptr_eq(a, b) {
        return true;
    }
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|(x, y)| x == y || (x - y).abs() <= 1e-7 * x.abs().max(y.abs()) || (x.is_nan() && y.is_nan()))
}
