//! Workspaces: what scripts hold by name and algorithms compute with. Promises: a workspace is a value whose data are
//! shared and copied only when changed; a cell is the place that names and handles refer to. Must not know Python.

pub mod axis;
pub mod cell;
pub mod data;
pub mod dense;
pub mod events;
pub mod group;
pub mod history;
pub mod matrix;
pub mod sample;
pub mod spectra;
pub mod table;

use std::sync::Arc;

pub use cell::{Handle, WorkspaceCell};
pub use group::WorkspaceGroup;
pub use matrix::MatrixWorkspace;
pub use table::Table;

use history::HistoryEntry;

/// Any workspace.
// All kinds are cloned and moved rarely, and nearly all workspaces are of the larger one.
#[allow(clippy::large_enum_variant)]
#[derive(Clone)]
pub enum Workspace {
    /// Spectra: histograms, points or events.
    Matrix(MatrixWorkspace),
    /// Other workspaces.
    Group(WorkspaceGroup),
    /// Columns of numbers and texts.
    Table(Table),
}

impl From<MatrixWorkspace> for Workspace {
    fn from(workspace: MatrixWorkspace) -> Self {
        Self::Matrix(workspace)
    }
}

impl From<WorkspaceGroup> for Workspace {
    fn from(group: WorkspaceGroup) -> Self {
        Self::Group(group)
    }
}

impl From<Table> for Workspace {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

impl Workspace {
    /// The kind, as scripts know it: `EventWorkspace`, `Workspace2D`, `WorkspaceSingleValue`, `WorkspaceGroup` or
    /// `TableWorkspace`.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Matrix(matrix) => matrix.id(),
            Self::Group(_) => "WorkspaceGroup",
            Self::Table(_) => "TableWorkspace",
        }
    }

    /// Adds an algorithm's execution to the history.
    pub(crate) fn record(&mut self, entry: Option<&Arc<HistoryEntry>>) {
        if let (Self::Matrix(matrix), Some(entry)) = (self, entry) {
            matrix.history.push(entry.clone());
        }
    }
}
