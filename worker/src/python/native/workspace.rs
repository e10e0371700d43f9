//! Python's reference to a workspace.
//!
//! Promises that making one copies and computes nothing. Its Python methods are in `workspace_methods`.

use live_data_reduction::workspace::{MatrixWorkspace, WorkspaceHandle};
use pyo3::prelude::*;

use super::error::RaiseInPython;

/// Base class of the `mantid` package's workspace classes: one reference to a [`WorkspaceHandle`].
///
/// Python's name is `livedata._engine.NativeWorkspace`.
#[pyclass(module = "livedata._engine", name = "NativeWorkspace", subclass, frozen, weakref)]
pub struct PyWorkspace(WorkspaceHandle);

impl PyWorkspace {
    /// Reference that shares the workspace with `handle`: changes are seen by both.
    #[must_use]
    pub fn new(handle: WorkspaceHandle) -> Self {
        Self(handle)
    }

    /// The workspace, shared and not copied.
    #[must_use]
    pub fn handle(&self) -> &WorkspaceHandle {
        &self.0
    }

    /// The matrix workspace without the arrays that Python holds written back; `RuntimeError` for groups and tables.
    pub(crate) fn matrix(&self, py: Python<'_>) -> PyResult<MatrixWorkspace> {
        self.0.raw_matrix().raise(py)
    }

    /// Changes the matrix workspace after exported arrays have been written back.
    pub(crate) fn update<T>(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut MatrixWorkspace) -> live_data_reduction::error::Result<T>,
    ) -> PyResult<T> {
        self.0.update(change).raise(py)
    }

    /// Changes the matrix workspace and leaves exported arrays as they are.
    pub(super) fn modify(
        &self,
        py: Python<'_>,
        change: impl FnOnce(&mut MatrixWorkspace) -> live_data_reduction::error::Result<()>,
    ) -> PyResult<()> {
        self.0.modify(change).raise(py)
    }
}
