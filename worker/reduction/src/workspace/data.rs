//! Rows of X, Y and E of histograms. Promises: clones share rows, and a changed row is copied once; rows of counts are
//! computed one at a time when read; rows that Python may write are copied at each read. Must not: know Python.

use std::sync::Arc;

/// X, Y or E of one spectrum, shared between workspaces.
pub type SharedRow = Arc<[f64]>;

/// Row with an outside owner that may write it at any time, such as a NumPy array.
pub trait ExportedRow: Send + Sync {
    /// Copy of the present values.
    fn copy(&self) -> Vec<f64>;
    /// Number of values, which never changes.
    fn len(&self) -> usize;
    /// True without values.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Source of signal and standard deviations that are computed when read.
pub trait RowSource: Send + Sync {
    /// Number of rows.
    fn rows(&self) -> usize;
    /// Number of values in a row; 0 outside.
    fn bins(&self, row: usize) -> usize;
    /// Writes the signal of a row to the first `bins(row)` values of `out`.
    fn signal(&self, row: usize, out: &mut [f64]);
    /// Writes the standard deviations of a row to the first `bins(row)` values of `out`.
    fn deviation(&self, row: usize, out: &mut [f64]);
}

#[derive(Clone)]
enum StoredRow {
    Owned(SharedRow),
    Exported(Arc<dyn ExportedRow>),
}

/// Y or E of all spectra, one row each.
#[derive(Clone)]
pub struct Rows(RowStorage);

#[derive(Clone)]
enum RowStorage {
    InMemory(Arc<Vec<StoredRow>>),
    Lazy {
        source: Arc<dyn RowSource>,
        deviation: bool,
    },
}

impl Rows {
    /// Rows in memory, one for each spectrum.
    pub fn new(rows: Vec<SharedRow>) -> Self {
        Self(RowStorage::InMemory(Arc::new(
            rows.into_iter().map(StoredRow::Owned).collect(),
        )))
    }

    /// One row in memory that `count` spectra share.
    pub fn repeated(row: SharedRow, count: usize) -> Self {
        Self::new(vec![row; count])
    }

    /// Signal of a source, computed when read.
    pub fn signal(source: Arc<dyn RowSource>) -> Self {
        Self(RowStorage::Lazy {
            source,
            deviation: false,
        })
    }

    /// Standard deviations of a source, computed when read.
    pub fn deviation(source: Arc<dyn RowSource>) -> Self {
        Self(RowStorage::Lazy {
            source,
            deviation: true,
        })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        match &self.0 {
            RowStorage::InMemory(rows) => rows.len(),
            RowStorage::Lazy { source, .. } => source.rows(),
        }
    }

    /// True without rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of values in a row; 0 outside.
    pub fn bins(&self, row: usize) -> usize {
        match &self.0 {
            RowStorage::InMemory(rows) => match rows.get(row) {
                Some(StoredRow::Owned(row)) => row.len(),
                Some(StoredRow::Exported(row)) => row.len(),
                None => 0,
            },
            RowStorage::Lazy { source, .. } => source.bins(row),
        }
    }

    /// Row by index, computed or copied where it is not in memory; `None` outside.
    pub fn get(&self, row: usize) -> Option<SharedRow> {
        match &self.0 {
            RowStorage::InMemory(rows) => rows.get(row).map(|stored| match stored {
                StoredRow::Owned(row) => row.clone(),
                StoredRow::Exported(row) => row.copy().into(),
            }),
            RowStorage::Lazy { source, .. } => {
                if row >= source.rows() {
                    return None;
                }
                let mut values = vec![0.0; source.bins(row)];
                self.read(row, &mut values);
                Some(values.into())
            }
        }
    }

    /// Copies a row to the front of `out`, as far as it fits. Number of values copied.
    pub fn read(&self, row: usize, out: &mut [f64]) -> usize {
        match &self.0 {
            RowStorage::InMemory(_) => {
                let values = self.get(row).unwrap_or_else(|| Arc::from([]));
                let count = values.len().min(out.len());
                if let (Some(to), Some(from)) = (out.get_mut(..count), values.get(..count)) {
                    to.copy_from_slice(from);
                }
                count
            }
            RowStorage::Lazy { source, deviation } => {
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

    /// Replaces a row. Computed rows are first brought into memory, all of them.
    pub fn set(&mut self, row: usize, values: SharedRow) {
        self.store(row, StoredRow::Owned(values));
    }

    /// Replaces a row by one with an outside owner; see [`Self::set`].
    pub fn export(&mut self, row: usize, values: Arc<dyn ExportedRow>) {
        self.store(row, StoredRow::Exported(values));
    }

    fn store(&mut self, row: usize, stored: StoredRow) {
        if let RowStorage::Lazy { source, .. } = &self.0 {
            let rows = (0..source.rows())
                .filter_map(|row| self.get(row))
                .map(StoredRow::Owned)
                .collect();
            self.0 = RowStorage::InMemory(Arc::new(rows));
        }
        if let RowStorage::InMemory(rows) = &mut self.0
            && let Some(slot) = Arc::make_mut(rows).get_mut(row)
        {
            *slot = stored;
        }
    }

    /// Row with an outside owner; `None` for other rows.
    pub fn exported(&self, row: usize) -> Option<Arc<dyn ExportedRow>> {
        match &self.0 {
            RowStorage::InMemory(rows) => match rows.get(row) {
                Some(StoredRow::Exported(row)) => Some(row.clone()),
                _ => None,
            },
            RowStorage::Lazy { .. } => None,
        }
    }

    /// Rows without outside owners: theirs are copied.
    pub fn without_exports(self) -> Self {
        let RowStorage::InMemory(rows) = &self.0 else {
            return self;
        };
        if !rows.iter().any(|row| matches!(row, StoredRow::Exported(_))) {
            return self;
        }
        let copied = rows.iter().map(|row| match row {
            StoredRow::Owned(row) => StoredRow::Owned(row.clone()),
            StoredRow::Exported(row) => StoredRow::Owned(row.copy().into()),
        });
        Self(RowStorage::InMemory(Arc::new(copied.collect())))
    }

    /// Rows at indices, in their order; computed rows stay computed.
    pub fn subset(&self, indices: &[usize]) -> Self {
        match &self.0 {
            RowStorage::InMemory(rows) => {
                let rows = indices.iter().filter_map(|index| rows.get(*index)).cloned().collect();
                Self(RowStorage::InMemory(Arc::new(rows)))
            }
            RowStorage::Lazy { source, deviation } => {
                let source = Arc::new(RowSubset {
                    source: source.clone(),
                    rows: indices.into(),
                });
                Self(RowStorage::Lazy {
                    source,
                    deviation: *deviation,
                })
            }
        }
    }

    /// Bytes in memory; 0 for computed rows.
    pub fn bytes(&self) -> usize {
        match &self.0 {
            RowStorage::InMemory(rows) => (0..rows.len()).map(|row| self.bins(row) * 8).sum(),
            RowStorage::Lazy { .. } => 0,
        }
    }
}

/// Rows of a source in another order.
struct RowSubset {
    source: Arc<dyn RowSource>,
    rows: Arc<[usize]>,
}

impl RowSubset {
    fn row(&self, row: usize) -> usize {
        self.rows.get(row).copied().unwrap_or(usize::MAX)
    }
}

impl RowSource for RowSubset {
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

/// X of all spectra: bin edges or points.
#[derive(Clone)]
pub enum XRows {
    /// One row for all spectra.
    Common(SharedRow),
    PerSpectrum(Arc<Vec<SharedRow>>),
}

impl XRows {
    /// X of one row for each spectrum; [`Self::Common`] if all are the same row in memory.
    pub fn each(rows: Vec<SharedRow>) -> Self {
        match rows.first() {
            Some(first) if rows.iter().all(|row| Arc::ptr_eq(row, first)) => Self::Common(first.clone()),
            _ => Self::PerSpectrum(Arc::new(rows)),
        }
    }

    /// Row of a spectrum; `None` outside, except that common X has every index.
    pub fn get(&self, row: usize) -> Option<&SharedRow> {
        match self {
            Self::Common(row) => Some(row),
            Self::PerSpectrum(rows) => rows.get(row),
        }
    }

    /// Replaces the row of one of `count` spectra.
    pub fn set(&mut self, row: usize, count: usize, values: SharedRow) {
        if count == 1 && row == 0 {
            *self = Self::Common(values);
            return;
        }
        if let Self::Common(common) = self {
            *self = Self::PerSpectrum(Arc::new(vec![common.clone(); count]));
        }
        if let Self::PerSpectrum(rows) = self
            && let Some(slot) = Arc::make_mut(rows).get_mut(row)
        {
            *slot = values;
        }
    }

    /// X of the spectra at indices, in their order.
    pub fn subset(&self, indices: &[usize]) -> Self {
        match self {
            Self::Common(row) => Self::Common(row.clone()),
            Self::PerSpectrum(rows) => {
                Self::each(indices.iter().filter_map(|index| rows.get(*index)).cloned().collect())
            }
        }
    }

    /// True if all rows agree within a relative 1e-7.
    pub fn is_common(&self) -> bool {
        match self {
            Self::Common(_) => true,
            Self::PerSpectrum(rows) => match rows.first() {
                Some(first) => rows.iter().all(|row| same_row(row, first)),
                None => true,
            },
        }
    }

    /// Applies a function to each row; to common X once.
    pub fn map(&self, mut f: impl FnMut(&SharedRow) -> SharedRow) -> Self {
        match self {
            Self::Common(row) => Self::Common(f(row)),
            Self::PerSpectrum(rows) => Self::PerSpectrum(Arc::new(rows.iter().map(f).collect())),
        }
    }
}

/// True if two rows have equal length and agree within a relative 1e-7; NaN equals NaN.
pub fn same_row(a: &SharedRow, b: &SharedRow) -> bool {
    if Arc::ptr_eq(a, b) {
        return true;
    }
    a.len() == b.len()
        && a.iter()
            .zip(b.iter())
            .all(|(x, y)| x == y || (x - y).abs() <= 1e-7 * x.abs().max(y.abs()) || (x.is_nan() && y.is_nan()))
}
