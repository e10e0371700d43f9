//! Rows of numbers as NumPy arrays.
//!
//! Promises that a read-only array shares the row's memory and keeps it alive. A writable one is a copy registered with
//! its workspace: the next reader of the workspace sees what was written. No kernel computes on memory that Python may write.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use live_data_reduction::workspace::data::{ExportedRow, SharedRow};
use live_data_reduction::workspace::{WorkspaceCell, WorkspaceHandle};
use numpy::ndarray::ArrayView1;
use numpy::{PyArray1, PyArrayMethods};
use parking_lot::Mutex;
use pyo3::prelude::*;

/// Base object of read-only arrays: keeps their row alive.
#[pyclass(module = "livedata._engine", frozen)]
struct RowOwner(SharedRow);

/// Read-only array over the row's own memory, without a copy.
pub(crate) fn read_only<'py>(py: Python<'py>, row: SharedRow) -> PyResult<Bound<'py, PyAny>> {
    let owner = Bound::new(py, RowOwner(row))?;
    let view = ArrayView1::from(&*owner.get().0);
    // SAFETY: the memory belongs to the Arc in `owner`, which the array holds as its base and which never releases it.
    // It is made read-only before other code can refer to it.
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

/// Row whose values are in a NumPy array that scripts may write to.
pub(crate) struct ExportedArray {
    array: Py<PyArray1<f64>>,
    length: usize,
}

impl ExportedArray {
    /// Writable copy of `row`, registered for [`exported`].
    pub(crate) fn copy_of(py: Python<'_>, row: &SharedRow) -> Arc<Self> {
        let exported = Arc::new(Self {
            array: PyArray1::from_slice(py, row).unbind(),
            length: row.len(),
        });
        EXPORTED
            .lock()
            .insert(Arc::as_ptr(&exported).addr(), Arc::downgrade(&exported));
        exported
    }

    /// The NumPy array, not a copy.
    pub(crate) fn array<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.array.bind(py).clone()
    }
}

impl Drop for ExportedArray {
    fn drop(&mut self) {
        EXPORTED.lock().remove(&std::ptr::from_mut(self).addr());
    }
}

/// Exported arrays by address: a workspace has its rows as `dyn ExportedRow` only.
static EXPORTED: LazyLock<Mutex<HashMap<usize, Weak<ExportedArray>>>> = LazyLock::new(Mutex::default);

/// NumPy array behind an exported row, while it is alive.
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

/// Present values, cut or padded with 0 to `length`: a script may have resized its array.
fn values(array: &Bound<'_, PyArray1<f64>>, length: usize) -> Vec<f64> {
    let mut values = array.to_vec().unwrap_or_default();
    values.resize(length, 0.0);
    values
}

/// Writable array of one spectrum's X. Spectra share X, so that values are written back instead of read in place.
struct WritableX {
    cell: Weak<WorkspaceCell>,
    index: usize,
    array: Py<PyArray1<f64>>,
    row: SharedRow,
}

static WRITABLE_X: Mutex<Vec<WritableX>> = Mutex::new(Vec::new());

/// Writable array of X of one spectrum; the same array as before while X is unchanged.
pub(crate) fn writable_x<'py>(
    py: Python<'py>,
    cell: &WorkspaceHandle,
    index: usize,
    row: SharedRow,
) -> Bound<'py, PyAny> {
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

/// Copies changed X arrays into their workspaces. Must run before anything reads X.
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
            let row: SharedRow = present.into();
            // A row whose length no longer fits belongs to replaced data.
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

/// Row from any array-like of numbers, flattened and converted to 64-bit floats.
pub(crate) fn row_from(object: &Bound<'_, PyAny>) -> PyResult<SharedRow> {
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
