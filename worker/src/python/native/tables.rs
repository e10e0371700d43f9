//! Cells, rows and columns of table workspaces.
//!
//! Promises plain numbers and texts as cells. The rest of Mantid's `TableWorkspace` is in `mantid._table_workspace`.

use live_data_reduction::workspace::table::ColumnValues;
use pyo3::prelude::*;
use pyo3::types::PyModule;

use super::error::RaiseInPython;
use super::value;
use super::workspace::PyWorkspace;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(table_columns, module)?,
        wrap_pyfunction!(table_rows, module)?,
        wrap_pyfunction!(table_column, module)?,
        wrap_pyfunction!(table_cell, module)?,
        wrap_pyfunction!(table_title, module)?,
        wrap_pyfunction!(set_table_title, module)?,
        wrap_pyfunction!(set_table_cell, module)?,
        wrap_pyfunction!(set_table_rows, module)?,
        wrap_pyfunction!(add_table_column, module)?,
        wrap_pyfunction!(remove_table_column, module)?,
        wrap_pyfunction!(add_table_row, module)?,
        wrap_pyfunction!(remove_table_row, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

/// (name, Mantid's type name) of each column.
#[pyfunction]
fn table_columns(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<Vec<(String, String)>> {
    let table = cell.get().handle().table().raise(py)?;
    let columns = table.columns().iter();
    Ok(columns
        .map(|column| (column.name.clone(), column.kind.clone()))
        .collect())
}

#[pyfunction]
fn table_rows(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<usize> {
    Ok(cell.get().handle().table().raise(py)?.rows())
}

/// Values of a column as a list; `IndexError` outside.
#[pyfunction]
fn table_column<'py>(py: Python<'py>, cell: &Bound<'py, PyWorkspace>, column: usize) -> PyResult<Bound<'py, PyAny>> {
    let table = cell.get().handle().table().raise(py)?;
    let Some(held) = table.columns().get(column) else {
        return Err(pyo3::exceptions::PyIndexError::new_err(format!(
            "the table has {} columns, counted from 0",
            table.columns().len()
        )));
    };
    match &held.cells {
        ColumnValues::Ints(values) => values.clone().into_pyobject(py),
        ColumnValues::Floats(values) => values.clone().into_pyobject(py),
        ColumnValues::Bools(values) => values.clone().into_pyobject(py),
        ColumnValues::Strs(values) => values.clone().into_pyobject(py),
    }
}

#[pyfunction]
fn table_cell<'py>(
    py: Python<'py>,
    cell: &Bound<'py, PyWorkspace>,
    row: usize,
    column: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let table = cell.get().handle().table().raise(py)?;
    value::to_python(py, table.cell(row, column).raise(py)?)
}

#[pyfunction]
fn table_title(py: Python<'_>, cell: &Bound<'_, PyWorkspace>) -> PyResult<String> {
    Ok(cell.get().handle().table().raise(py)?.title().to_owned())
}

#[pyfunction]
fn set_table_title(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, title: &str) -> PyResult<()> {
    let change = |table: &mut live_data_reduction::workspace::TableWorkspace| {
        table.set_title(title);
        Ok(())
    };
    cell.get().handle().update_table(change).raise(py)
}

#[pyfunction]
fn set_table_cell(
    py: Python<'_>,
    cell: &Bound<'_, PyWorkspace>,
    row: usize,
    column: usize,
    given: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let given = value::from_python(given)?;
    let changed = cell
        .get()
        .handle()
        .update_table(|table| table.set_cell(row, column, &given));
    changed.raise(py)
}

#[pyfunction]
fn set_table_rows(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, rows: usize) -> PyResult<()> {
    const MOST: usize = 50_000_000;
    if rows > MOST {
        return Err(pyo3::exceptions::PyValueError::new_err(format!(
            "{rows} rows are too many: a table has at most {MOST}"
        )));
    }
    let change = |table: &mut live_data_reduction::workspace::TableWorkspace| {
        table.set_rows(rows);
        Ok(())
    };
    cell.get().handle().update_table(change).raise(py)
}

#[pyfunction]
fn add_table_column(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, kind: &str, name: &str) -> PyResult<()> {
    cell.get()
        .handle()
        .update_table(|table| table.add_column(kind, name))
        .raise(py)
}

#[pyfunction]
fn remove_table_column(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, name: &str) -> PyResult<()> {
    cell.get()
        .handle()
        .update_table(|table| table.remove_column(name))
        .raise(py)
}

#[pyfunction]
fn add_table_row(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, values: Vec<Bound<'_, PyAny>>) -> PyResult<()> {
    let values: Vec<_> = values.iter().map(value::from_python).collect::<PyResult<_>>()?;
    cell.get()
        .handle()
        .update_table(|table| table.add_row(&values))
        .raise(py)
}

#[pyfunction]
fn remove_table_row(py: Python<'_>, cell: &Bound<'_, PyWorkspace>, row: usize) -> PyResult<()> {
    cell.get()
        .handle()
        .update_table(|table| table.remove_row(row))
        .raise(py)
}
