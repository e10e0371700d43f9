//! Rows of numbers as NumPy arrays.
//!
//! Promises that a read-only array shares the row's memory and keeps it alive, and that a writable one is a copy that
//! the workspace knows of: what is written to it is seen by whoever reads the workspace next, and no kernel ever
//! computes on memory that Python may write.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use live_data_reduction::workspace::data::{ExportedRow, Row};
use live_data_reduction::workspace::{Handle, WorkspaceCell};
use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArrayMethods};
use parking_lot::Mutex;
use pyo3::prelude::*;

/// Keeps a row alive for the arrays over it.
#[pyclass(module = "livedata._engine", frozen)]
struct RowOwner(Row);

/// A read-only array over the row's own memory.
pub(crate) fn read_only<'py>(py: Python<'py>, row: Row) -> PyResult<Bound<'py, PyAny>> {
    let owner = Bound::new(py, RowOwner(row))?;
    let view = ArrayView1::from(&*owner.get().0);
    // SAFETY: the memory belongs to the Arc in `owner`, which the array holds as its base and which never gives it
    // up; it is made read-only before anyone sees it.
    let array = unsafe { PyArray1::borrow_from_array(&view, owner.clone().into_any()) };
    freeze(&array)?;
    Ok(array.into_any())
}

fn freeze(array: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = array.py();
    let options = pyo3::types::PyDict::new(py);
    options.set_item(pyo3::intern!(py, "write"), false)?;
    array
        .call_method(pyo3::intern!(py, "setflags"), (), Some(&options))
        .map(drop)
}

/// A row that lives in a NumPy array that scripts may write.
pub(crate) struct ExportedArray {
    array: Py<PyArray1<f64>>,
    length: usize,
}

impl ExportedArray {
    /// A writable copy of a row.
    pub(crate) fn copy_of(py: Python<'_>, row: &Row) -> Arc<Self> {
        let exported = Arc::new(Self {
            array: PyArray1::from_slice(py, row).unbind(),
            length: row.len(),
        });
        EXPORTED
            .lock()
            .insert(Arc::as_ptr(&exported).addr(), Arc::downgrade(&exported));
        exported
    }

    /// The array itself.
    pub(crate) fn array<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.array.bind(py).clone()
    }
}

impl Drop for ExportedArray {
    fn drop(&mut self) {
        EXPORTED.lock().remove(&std::ptr::from_mut(self).addr());
    }
}

/// Exported arrays by address: a workspace knows its rows only by what they do.
static EXPORTED: LazyLock<Mutex<HashMap<usize, Weak<ExportedArray>>>> = LazyLock::new(Mutex::default);

/// The array behind an exported row.
pub(crate) fn exported(row: &Arc<dyn ExportedRow>) -> Option<Arc<ExportedArray>> {
    EXPORTED
        .lock()
        .get(&Arc::as_ptr(row).cast::<()>().addr())
        .and_then(Weak::upgrade)
}

impl ExportedRow for ExportedArray {
    fn copy(&self) -> Vec<f64> {
        Python::attach(|py| values(self.array.bind(py), self.length))
    }

    fn len(&self) -> usize {
        self.length
    }
}

/// The present values, exactly `length` of them: a script may have resized its array.
fn values(array: &Bound<'_, PyArray1<f64>>, length: usize) -> Vec<f64> {
    let mut values = array.to_vec().unwrap_or_default();
    values.resize(length, 0.0);
    values
}

/// Writable X arrays: X is shared between spectra, so that what was written is put back rather than read in place.
struct WritableX {
    cell: Weak<WorkspaceCell>,
    index: usize,
    array: Py<PyArray1<f64>>,
    row: Row,
}

static WRITABLE_X: Mutex<Vec<WritableX>> = Mutex::new(Vec::new());

/// A writable array of X of one spectrum.
pub(crate) fn writable_x<'py>(py: Python<'py>, cell: &Handle, index: usize, row: Row) -> Bound<'py, PyAny> {
    let held = {
        let held = WRITABLE_X.lock();
        let same = held
            .iter()
            .find(|x| x.index == index && std::ptr::eq(x.cell.as_ptr(), Arc::as_ptr(cell)));
        same.filter(|x| Arc::ptr_eq(&x.row, &row))
            .map(|x| x.array.clone_ref(py))
    };
    if let Some(array) = held {
        return array.into_bound(py).into_any();
    }
    let array = PyArray1::from_slice(py, &row);
    WRITABLE_X.lock().push(WritableX {
        cell: Arc::downgrade(cell),
        index,
        array: array.clone().unbind(),
        row,
    });
    array.into_any()
}

/// Puts what scripts wrote to X arrays into their workspaces. Called before anything reads X.
pub(crate) fn write_back(py: Python<'_>) -> PyResult<()> {
    let held = {
        let mut held = WRITABLE_X.lock();
        if held.is_empty() {
            return Ok(());
        }
        std::mem::take(&mut *held)
    };
    let mut kept = Vec::new();
    for mut x in held {
        let Some(cell) = x.cell.upgrade() else { continue };
        let present = values(x.array.bind(py), x.row.len());
        if *present != *x.row {
            let row: Row = present.into();
            // A row that no longer fits belongs to data that have been replaced.
            if cell.modify(|matrix| matrix.set_x(x.index, row.clone())).is_ok() {
                x.row = row;
            }
        }
        // SAFETY: the object is alive, held by `x`, and this thread is attached.
        let holders = unsafe { pyo3::ffi::Py_REFCNT(x.array.as_ptr()) };
        if holders > 1 {
            kept.push(x);
        }
    }
    WRITABLE_X.lock().extend(kept);
    Ok(())
}

/// Takes any array of numbers as a row.
pub(crate) fn row_from(object: &Bound<'_, PyAny>) -> PyResult<Row> {
    let py = object.py();
    if let Ok(array) = object.cast::<PyArray1<f64>>() {
        return Ok(array.to_vec()?.into());
    }
    let options = pyo3::types::PyDict::new(py);
    options.set_item("dtype", "float64")?;
    let array = py.import("numpy")?.call_method("asarray", (object,), Some(&options))?;
    let array = array.call_method1("reshape", (-1,))?.cast_into::<PyArray1<f64>>()?;
    Ok(array.to_vec()?.into())
}
