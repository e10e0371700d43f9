//! Data service, configuration, logger and algorithm declarations for Python.
//!
//! Promises that looking up a name computes nothing.

use std::collections::HashSet;
use std::sync::{Arc, Weak};

use live_data_reduction::declaration::{Declaration, PropertyDirection, PropertyKind, Validator};
use live_data_reduction::registry;
use live_data_reduction::service::LogLevel;
use live_data_reduction::workspace::{Workspace, WorkspaceCell};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};

use super::engine_services::engine_services;
use super::error::RaiseInPython;
use super::value;
use super::workspace::PyWorkspace;
use crate::script::RetainedWorkspace;

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    for function in [
        wrap_pyfunction!(names, module)?,
        wrap_pyfunction!(contains, module)?,
        wrap_pyfunction!(retrieve, module)?,
        wrap_pyfunction!(add, module)?,
        wrap_pyfunction!(add_or_replace, module)?,
        wrap_pyfunction!(remove, module)?,
        wrap_pyfunction!(rename, module)?,
        wrap_pyfunction!(clear, module)?,
        wrap_pyfunction!(unique_name, module)?,
        wrap_pyfunction!(config_get, module)?,
        wrap_pyfunction!(config_set, module)?,
        wrap_pyfunction!(config_keys, module)?,
        wrap_pyfunction!(log, module)?,
        wrap_pyfunction!(set_log_level, module)?,
        wrap_pyfunction!(algorithm_names, module)?,
        wrap_pyfunction!(algorithm_versions, module)?,
        wrap_pyfunction!(declaration, module)?,
        wrap_pyfunction!(missing, module)?,
    ] {
        module.add_function(function)?;
    }
    Ok(())
}

/// Removes all workspaces but `kept` and the members of groups among them.
///
/// Returns weak references to the removed ones, for [`retained_workspaces`].
pub fn clear_data_service(_py: Python<'_>, kept: &[String]) -> Vec<(String, Weak<WorkspaceCell>)> {
    let Ok(engine) = engine_services() else {
        return Vec::new();
    };
    let data = &engine.services.data;
    let groups = kept.iter().filter_map(|name| data.get(name));
    let kept: HashSet<String> = groups
        .flat_map(|held| held.member_names().into_iter().chain([held.name()]))
        .map(|name| name.to_lowercase())
        .collect();
    let names = data
        .object_names()
        .into_iter()
        .filter(|name| !kept.contains(&name.to_lowercase()));
    names
        .filter_map(|name| data.remove(&name).map(|handle| (name, Arc::downgrade(&handle))))
        .collect()
}

/// Workspaces among `former` that a script still references, with their bytes.
pub fn retained_workspaces(_py: Python<'_>, former: Vec<(String, Weak<WorkspaceCell>)>) -> Vec<RetainedWorkspace> {
    let held = former.into_iter().filter_map(|(name, cell)| {
        let bytes = match cell.upgrade()?.raw() {
            Workspace::Matrix(matrix) => matrix.memory(),
            Workspace::Group(_) | Workspace::Table(_) => 0,
        };
        Some(RetainedWorkspace {
            name,
            bytes: bytes as u64,
        })
    });
    held.collect()
}

#[pyfunction]
fn names() -> PyResult<Vec<String>> {
    Ok(engine_services()?.services.data.object_names())
}

#[pyfunction]
fn contains(name: &str) -> PyResult<bool> {
    Ok(engine_services()?.services.data.contains(name))
}

#[pyfunction]
fn retrieve(py: Python<'_>, name: &str) -> PyResult<PyWorkspace> {
    engine_services()?
        .services
        .data
        .retrieve(name)
        .map(PyWorkspace::new)
        .raise(py)
}

#[pyfunction]
fn add(py: Python<'_>, name: &str, cell: &Bound<'_, PyWorkspace>) -> PyResult<()> {
    engine_services()?
        .services
        .data
        .add(name, cell.get().handle().clone())
        .raise(py)
}

#[pyfunction]
fn add_or_replace(py: Python<'_>, name: &str, cell: &Bound<'_, PyWorkspace>) -> PyResult<()> {
    engine_services()?
        .services
        .data
        .add_or_replace(name, cell.get().handle().clone())
        .raise(py)
}

#[pyfunction]
fn remove(py: Python<'_>, name: &str) -> PyResult<bool> {
    let data = &engine_services()?.services.data;
    // Dropping may free gigabytes, or wait for the GIL to free Python's arrays: not while attached.
    Ok(py.detach(|| data.remove(name).is_some()))
}

#[pyfunction]
fn rename(py: Python<'_>, old: &str, new: &str) -> PyResult<()> {
    engine_services()?.services.data.rename(old, new).raise(py)
}

#[pyfunction]
fn clear(py: Python<'_>) -> PyResult<()> {
    let data = &engine_services()?.services.data;
    py.detach(|| data.clear());
    Ok(())
}

#[pyfunction]
fn unique_name(length: usize, prefix: &str, suffix: &str) -> PyResult<String> {
    Ok(engine_services()?.services.data.unique_name(length, prefix, suffix))
}

#[pyfunction]
fn config_get(key: &str) -> PyResult<Option<String>> {
    Ok(engine_services()?.services.config.get(key))
}

#[pyfunction]
fn config_set(key: &str, text: &str) -> PyResult<()> {
    engine_services()?.services.config.set(key, text);
    Ok(())
}

#[pyfunction]
fn config_keys() -> PyResult<Vec<String>> {
    Ok(engine_services()?.services.config.keys())
}

/// Writes a line of log. Levels: fatal, critical, error, warning, notice, information, debug, trace.
#[pyfunction]
fn log(level: &str, source: &str, text: &str) -> PyResult<()> {
    let level = match level {
        "fatal" => LogLevel::Fatal,
        "critical" => LogLevel::Critical,
        "error" => LogLevel::Error,
        "warning" => LogLevel::Warning,
        "notice" => LogLevel::Notice,
        "information" => LogLevel::Information,
        "debug" => LogLevel::Debug,
        _ => LogLevel::Trace,
    };
    engine_services()?.services.logger.log(level, source, text);
    Ok(())
}

/// Sets the least serious level that is passed on, in Mantid's numbering (1 fatal to 8 trace).
#[pyfunction]
fn set_log_level(number: u8) {
    super::logger::set_level(number);
}

#[pyfunction]
fn algorithm_names() -> Vec<&'static str> {
    registry::names()
}

/// Versions of an algorithm, ascending; empty for an unknown name.
#[pyfunction]
fn algorithm_versions(name: &str) -> Vec<u32> {
    (1..=9)
        .filter(|version| registry::find(name, Some(*version)).is_some())
        .collect()
}

/// Error text for an algorithm that the native engine lacks, with the way to run it.
#[pyfunction]
fn missing(name: &str) -> String {
    registry::missing_algorithm_message(name)
}

/// Declaration of an algorithm as a dictionary; None for an unknown name or version.
#[pyfunction]
#[pyo3(signature = (name, version=None))]
fn declaration<'py>(py: Python<'py>, name: &str, version: Option<u32>) -> PyResult<Option<Bound<'py, PyDict>>> {
    registry::declaration(name, version)
        .map(|declaration| declaration_dict(py, &declaration))
        .transpose()
}

fn declaration_dict<'py>(py: Python<'py>, declaration: &Declaration) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("name", declaration.name)?;
    out.set_item("version", declaration.version)?;
    out.set_item("category", declaration.category)?;
    out.set_item("summary", declaration.summary)?;
    out.set_item("help", declaration.help())?;
    let mut properties = Vec::with_capacity(declaration.properties.len());
    for property in &declaration.properties {
        let one = PyDict::new(py);
        one.set_item("name", property.name)?;
        one.set_item(
            "direction",
            match property.direction {
                PropertyDirection::In => "In",
                PropertyDirection::Out => "Out",
                PropertyDirection::InOut => "InOut",
            },
        )?;
        one.set_item(
            "workspace",
            property.kind.is_workspace() || property.kind == PropertyKind::WorkspaceList,
        )?;
        one.set_item("kind", format!("{:?}", property.kind))?;
        one.set_item("default", value::to_python(py, property.default.clone())?)?;
        one.set_item("mandatory", property.mandatory)?;
        one.set_item("unit", property.unit)?;
        one.set_item("document", property.document)?;
        if let Validator::OneOf(allowed) = property.validator {
            one.set_item("allowed", allowed)?;
        }
        properties.push(one);
    }
    out.set_item("properties", properties)?;
    Ok(out)
}
