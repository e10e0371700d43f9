//! The place where a workspace lives: what names in the data service and handles in scripts refer to. Promises: no
//! lock is held while anything is computed; a snapshot is unaffected by what happens to the cell later. Must not know
//! Python: rows that scripts may write are reached through `ExportedRow`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use crate::error::{Result, failed};
use crate::workspace::{MatrixWorkspace, Table, Workspace, WorkspaceGroup};

/// A shared workspace.
pub type Handle = Arc<WorkspaceCell>;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The place where a workspace lives.
pub struct WorkspaceCell {
    id: u64,
    name: RwLock<String>,
    inner: RwLock<Workspace>,
}

impl std::fmt::Debug for WorkspaceCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:?}, {})", self.inner.read().id(), self.name.read(), self.id)
    }
}

impl WorkspaceCell {
    /// A cell that holds a workspace; the name is empty until it is put into the data service.
    pub fn new(name: &str, workspace: impl Into<Workspace>) -> Handle {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            id,
            name: RwLock::new(name.to_owned()),
            inner: RwLock::new(workspace.into()),
        })
    }

    /// A number that no other cell of the process has.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The name, empty when the workspace was never stored.
    pub fn name(&self) -> String {
        self.name.read().clone()
    }

    /// Names the workspace; the data service does this when it is stored.
    pub fn set_name(&self, name: &str) {
        *self.name.write() = name.to_owned();
    }

    /// The workspace as it is now. Rows that Python may write are copied, which attaches to the interpreter: call
    /// this detached from it, or attached on the same thread, never with a lock held.
    pub fn snapshot(&self) -> Workspace {
        let raw = self.raw();
        match raw {
            Workspace::Matrix(matrix) => Workspace::Matrix(matrix.without_exports()),
            other => other,
        }
    }

    /// The workspace as it is now, with rows that Python may write still shared with it.
    pub fn raw(&self) -> Workspace {
        self.inner.read().clone()
    }

    /// The workspace of spectra as it is now.
    ///
    /// # Errors
    /// When the cell holds no spectra.
    pub fn matrix(&self) -> Result<MatrixWorkspace> {
        match self.snapshot() {
            Workspace::Matrix(matrix) => Ok(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// The workspace of spectra as it is now, sharing rows that Python may write.
    ///
    /// # Errors
    /// When the cell holds no spectra.
    pub fn raw_matrix(&self) -> Result<MatrixWorkspace> {
        match self.raw() {
            Workspace::Matrix(matrix) => Ok(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// Whether the cell holds a group.
    pub fn is_group(&self) -> bool {
        matches!(&*self.inner.read(), Workspace::Group(_))
    }

    /// The members, when the cell holds a group; none otherwise.
    pub fn members(&self) -> Vec<Handle> {
        match &*self.inner.read() {
            Workspace::Group(group) => group.members().to_vec(),
            Workspace::Matrix(_) | Workspace::Table(_) => Vec::new(),
        }
    }

    /// The names of the members, when the cell holds a group.
    pub fn member_names(&self) -> Vec<String> {
        self.members().iter().map(|member| member.name()).collect()
    }

    /// Puts another workspace into the cell.
    pub fn replace(&self, workspace: impl Into<Workspace>) {
        *self.inner.write() = workspace.into();
    }

    pub(crate) fn replace_raw(&self, workspace: Workspace) {
        self.replace(workspace);
    }

    /// Changes the workspace of spectra: on a copy that shares its data, stored when `change` succeeds.
    ///
    /// # Errors
    /// When the cell holds no spectra, and what `change` returns.
    pub fn update<T>(&self, change: impl FnOnce(&mut MatrixWorkspace) -> Result<T>) -> Result<T> {
        let mut matrix = self.raw_matrix()?;
        let value = change(&mut matrix)?;
        self.replace(matrix);
        Ok(value)
    }

    /// Changes the workspace of spectra where it lies, without the copy that `update` makes of what is shared: for one row
    /// at a time. `change` runs with the cell locked: it must be short, must not wait for the interpreter, and must
    /// leave everything as it was when it fails.
    ///
    /// # Errors
    /// When the cell holds no spectra, and what `change` returns.
    pub fn modify<T>(&self, change: impl FnOnce(&mut MatrixWorkspace) -> Result<T>) -> Result<T> {
        match &mut *self.inner.write() {
            Workspace::Matrix(matrix) => change(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// Changes the group.
    ///
    /// # Errors
    /// When the cell holds no group, and what `change` returns.
    pub fn update_group<T>(&self, change: impl FnOnce(&mut WorkspaceGroup) -> Result<T>) -> Result<T> {
        match self.raw() {
            Workspace::Group(mut group) => {
                let value = change(&mut group)?;
                self.replace(group);
                Ok(value)
            }
            Workspace::Matrix(_) | Workspace::Table(_) => failed(format!("{} is not a WorkspaceGroup", self.name())),
        }
    }

    /// The table as it is now.
    ///
    /// # Errors
    /// When the cell holds no table.
    pub fn table(&self) -> Result<Table> {
        match self.raw() {
            Workspace::Table(table) => Ok(table),
            other => failed(format!("{} is a {}, not a TableWorkspace", self.name(), other.id())),
        }
    }

    /// Changes the table: on a copy that shares its columns, stored when `change` succeeds.
    ///
    /// # Errors
    /// When the cell holds no table, and what `change` returns.
    pub fn update_table<T>(&self, change: impl FnOnce(&mut Table) -> Result<T>) -> Result<T> {
        let mut table = self.table()?;
        let value = change(&mut table)?;
        self.replace(table);
        Ok(value)
    }

    pub(crate) fn replace_member(&self, old: &Handle, new: Option<&Handle>) {
        if let Workspace::Group(group) = &mut *self.inner.write() {
            group.replace(old, new);
        }
    }
}
