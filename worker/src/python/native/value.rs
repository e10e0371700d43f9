//! Conversion of property values between Python and the reduction.
//!
//! Promises that all types that scripts pass to Mantid are converted: NumPy scalars and arrays, paths, ranges,
//! workspaces and lists of them. Other types are refused with the type's name.

use live_data_reduction::value::Value;
use numpy::{IntoPyArray, PyArray1, PyArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString};

use super::workspace::PyWorkspace;

/// Longest iterable accepted, values: more than any list of detectors.
const LONGEST: usize = 50_000_000;

/// Property value of a Python object; `TypeError` for unsupported types.
pub(crate) fn from_python(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    if object.is_none() {
        return Ok(Value::None);
    }
    if let Some(value) = scalar(object)? {
        return Ok(value);
    }
    if let Ok(array) = object.cast::<PyArray1<f64>>() {
        return Ok(Value::Floats(array.to_vec()?));
    }
    if let Ok(array) = object.cast::<PyArray1<i64>>() {
        return Ok(Value::Ints(array.to_vec()?));
    }
    if object.cast::<PyDict>().is_ok()
        || object.cast::<PyBytes>().is_ok()
        || object.cast::<PyMapping>().is_ok() && object.hasattr("keys")?
    {
        return refuse(object);
    }
    let Ok(items) = object.try_iter() else {
        return refuse(object);
    };
    list(object, items)
}

fn scalar(object: &Bound<'_, PyAny>) -> PyResult<Option<Value>> {
    if let Ok(cell) = object.cast::<PyWorkspace>() {
        return Ok(Some(Value::Workspace(cell.get().handle().clone())));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(Some(Value::Bool(flag.is_true())));
    }
    if object.cast::<PyInt>().is_ok() {
        return Ok(Some(match object.extract::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => Value::Float(object.extract()?),
        }));
    }
    if object.cast::<PyFloat>().is_ok() {
        return Ok(Some(Value::Float(object.extract()?)));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Some(Value::Str(text.to_string_lossy().into_owned())));
    }
    let kind = object.get_type();
    let (module, name) = (kind.module()?.to_string(), kind.name()?.to_string());
    if module == "numpy" && (name == "bool" || name == "bool_") {
        return Ok(Some(Value::Bool(object.is_truthy()?)));
    }
    if module == "numpy"
        && object
            .getattr("shape")
            .is_ok_and(|shape| shape.len().is_ok_and(|length| length == 0))
    {
        let item = object.call_method0("item")?;
        return if item.is(object) { Ok(None) } else { scalar(&item) };
    }
    if object.hasattr("__fspath__")? {
        return Ok(Some(Value::Str(
            object.call_method0("__fspath__")?.str()?.to_string_lossy().into_owned(),
        )));
    }
    // `DateAndTime` and other objects of the `mantid` package that have a text form.
    if object.hasattr("__property_text__")? {
        return Ok(Some(Value::Str(object.call_method0("__property_text__")?.extract()?)));
    }
    Ok(None)
}

fn list(object: &Bound<'_, PyAny>, items: Bound<'_, pyo3::types::PyIterator>) -> PyResult<Value> {
    let mut values = Vec::new();
    for item in items {
        let item = item?;
        match scalar(&item)? {
            Some(value) => values.push(value),
            // A nested list, such as the rows of a two-dimensional array, is flattened in order.
            None => match from_python(&item)? {
                Value::Ints(inner) => values.extend(inner.into_iter().map(Value::Int)),
                Value::Floats(inner) => values.extend(inner.into_iter().map(Value::Float)),
                Value::Strs(inner) => values.extend(inner.into_iter().map(Value::Str)),
                _ => return refuse(&item),
            },
        }
        if values.len() > LONGEST {
            return Err(PyTypeError::new_err(format!(
                "a list of more than {LONGEST} values cannot be a property"
            )));
        }
    }
    if values.is_empty() {
        return Ok(Value::Strs(Vec::new()));
    }
    if values.iter().all(|value| matches!(value, Value::Workspace(_))) {
        let handles = values
            .into_iter()
            .filter_map(|value| if let Value::Workspace(h) = value { Some(h) } else { None });
        return Ok(Value::Workspaces(handles.collect()));
    }
    if values
        .iter()
        .all(|value| matches!(value, Value::Int(_) | Value::Bool(_)))
    {
        return Ok(Value::Ints(
            values.iter().filter_map(|value| value.to_int().ok()).collect(),
        ));
    }
    if values
        .iter()
        .all(|value| matches!(value, Value::Int(_) | Value::Float(_) | Value::Bool(_)))
    {
        return Ok(Value::Floats(
            values.iter().filter_map(|value| value.to_float().ok()).collect(),
        ));
    }
    if values.iter().any(|value| matches!(value, Value::None)) {
        return refuse(object);
    }
    Ok(Value::Strs(values.iter().map(Value::to_text).collect()))
}

fn refuse<T>(object: &Bound<'_, PyAny>) -> PyResult<T> {
    Err(PyTypeError::new_err(format!(
        "an object of type {} cannot be a property's value",
        object.get_type().name()?
    )))
}

/// Python object for a property value: workspaces as [`PyWorkspace`], lists of numbers as arrays.
pub(crate) fn to_python(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::None => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, flag).to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Str(text) => text.into_pyobject(py)?.into_any(),
        Value::Ints(items) => items.into_pyarray(py).into_any(),
        Value::Floats(items) => items.into_pyarray(py).into_any(),
        Value::Strs(items) => items.into_pyobject(py)?,
        Value::Workspace(handle) => Bound::new(py, PyWorkspace::new(handle))?.into_any(),
        Value::Workspaces(handles) => {
            let cells: PyResult<Vec<_>> = handles
                .into_iter()
                .map(|handle| Py::new(py, PyWorkspace::new(handle)))
                .collect();
            PyList::new(py, cells?)?.into_any()
        }
    })
}
