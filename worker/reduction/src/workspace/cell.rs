//! Workspaces of any type, the cells that names refer to, and groups of cells. The three types contain each other, hence
//! one file. Promises: a snapshot is unaffected by later changes of its cell; a group has every member once. Must not:
//! know Python: rows that scripts may write are reached through `ExportedRow`.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::history::AlgorithmHistory;
use super::matrix::MatrixWorkspace;
use super::table::TableWorkspace;
use crate::error::{Result, failed, outside};

// Boxing would cost an allocation for nearly every workspace: most are of the largest variant.
#[allow(clippy::large_enum_variant)]
/// Workspace of any type. Clones share their data.
#[derive(Clone)]
pub enum Workspace {
    /// Spectra as histograms, points or events.
    Matrix(MatrixWorkspace),
    Group(WorkspaceGroup),
    Table(TableWorkspace),
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

impl From<TableWorkspace> for Workspace {
    fn from(table: TableWorkspace) -> Self {
        Self::Table(table)
    }
}

impl Workspace {
    /// Mantid's type name: `EventWorkspace`, `Workspace2D`, `WorkspaceSingleValue`, `WorkspaceGroup` or `TableWorkspace`.
    pub fn id(&self) -> &'static str {
        match self {
            Self::Matrix(matrix) => matrix.id(),
            Self::Group(_) => "WorkspaceGroup",
            Self::Table(_) => "TableWorkspace",
        }
    }

    /// Appends an execution to the history; groups and tables have none.
    pub(crate) fn record(&mut self, execution: Option<&Arc<AlgorithmHistory>>) {
        if let (Self::Matrix(matrix), Some(execution)) = (self, execution) {
            matrix.history.push(execution.clone());
        }
    }
}

/// Shared reference to a workspace, as names and scripts hold it.
pub type WorkspaceHandle = Arc<WorkspaceCell>;

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Cell with the present value of a workspace. Names in the data service and variables in scripts refer to cells.
///
/// No lock is held while anything is computed, except by [`WorkspaceCell::modify`].
pub struct WorkspaceCell {
    id: u64,
    name: RwLock<String>,
    workspace: RwLock<Workspace>,
}

impl std::fmt::Debug for WorkspaceCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:?}, {})", self.workspace.read().id(), self.name.read(), self.id)
    }
}

impl WorkspaceCell {
    /// Cell with a workspace; `name` is empty for a workspace outside the data service.
    pub fn new(name: &str, workspace: impl Into<Workspace>) -> WorkspaceHandle {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Arc::new(Self {
            id,
            name: RwLock::new(name.to_owned()),
            workspace: RwLock::new(workspace.into()),
        })
    }

    /// Number of the cell, unique in the process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Name under which the data service last stored the cell; empty if never.
    pub fn name(&self) -> String {
        self.name.read().clone()
    }

    /// Sets the name; only the data service should.
    pub fn set_name(&self, name: &str) {
        *self.name.write() = name.to_owned();
    }

    /// Present workspace, unaffected by later changes.
    ///
    /// Rows that Python may write are copied, which attaches to the interpreter: never call this with a lock held.
    pub fn snapshot(&self) -> Workspace {
        let raw = self.raw();
        match raw {
            Workspace::Matrix(matrix) => Workspace::Matrix(matrix.without_exports()),
            other => other,
        }
    }

    /// Present workspace, sharing rows that Python may write.
    pub fn raw(&self) -> Workspace {
        self.workspace.read().clone()
    }

    /// Present workspace of spectra, as [`Self::snapshot`].
    ///
    /// # Errors
    /// `Execution` for a group or table.
    pub fn matrix(&self) -> Result<MatrixWorkspace> {
        match self.snapshot() {
            Workspace::Matrix(matrix) => Ok(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// Present workspace of spectra, as [`Self::raw`].
    ///
    /// # Errors
    /// `Execution` for a group or table.
    pub fn raw_matrix(&self) -> Result<MatrixWorkspace> {
        match self.raw() {
            Workspace::Matrix(matrix) => Ok(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// True if the present workspace is a group.
    pub fn is_group(&self) -> bool {
        matches!(&*self.workspace.read(), Workspace::Group(_))
    }

    /// Members of a group; none for other workspaces.
    pub fn members(&self) -> Vec<WorkspaceHandle> {
        match &*self.workspace.read() {
            Workspace::Group(group) => group.members().to_vec(),
            Workspace::Matrix(_) | Workspace::Table(_) => Vec::new(),
        }
    }

    /// Names of the members of a group.
    pub fn member_names(&self) -> Vec<String> {
        self.members().iter().map(|member| member.name()).collect()
    }

    /// Replaces the workspace; every handle to the cell sees the new one.
    pub fn replace(&self, workspace: impl Into<Workspace>) {
        *self.workspace.write() = workspace.into();
    }

    pub(crate) fn replace_raw(&self, workspace: Workspace) {
        self.replace(workspace);
    }

    /// Applies `change` to a copy that shares its data, and stores the copy if `change` succeeds.
    ///
    /// # Errors
    /// `Execution` for a group or table; those of `change`.
    pub fn update<T>(&self, change: impl FnOnce(&mut MatrixWorkspace) -> Result<T>) -> Result<T> {
        let mut matrix = self.raw_matrix()?;
        let value = change(&mut matrix)?;
        self.replace(matrix);
        Ok(value)
    }

    /// Applies `change` in place, for single rows: [`Self::update`] would copy the list of rows each time.
    ///
    /// The cell is locked meanwhile: `change` must be short, must not attach to the interpreter, and must undo a failed
    /// change.
    ///
    /// # Errors
    /// `Execution` for a group or table; those of `change`.
    pub fn modify<T>(&self, change: impl FnOnce(&mut MatrixWorkspace) -> Result<T>) -> Result<T> {
        match &mut *self.workspace.write() {
            Workspace::Matrix(matrix) => change(matrix),
            other => failed(format!("{} is a {}, not a MatrixWorkspace", self.name(), other.id())),
        }
    }

    /// Applies `change` to a copy of the group, and stores the copy if `change` succeeds.
    ///
    /// # Errors
    /// `Execution` for another workspace; those of `change`.
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

    /// Present table; its columns are shared with the cell's.
    ///
    /// # Errors
    /// `Execution` for another workspace.
    pub fn table(&self) -> Result<TableWorkspace> {
        match self.raw() {
            Workspace::Table(table) => Ok(table),
            other => failed(format!("{} is a {}, not a TableWorkspace", self.name(), other.id())),
        }
    }

    /// Applies `change` to a copy that shares its columns, and stores the copy if `change` succeeds.
    ///
    /// # Errors
    /// `Execution` for another workspace; those of `change`.
    pub fn update_table<T>(&self, change: impl FnOnce(&mut TableWorkspace) -> Result<T>) -> Result<T> {
        let mut table = self.table()?;
        let value = change(&mut table)?;
        self.replace(table);
        Ok(value)
    }

    pub(crate) fn replace_member(&self, old: &WorkspaceHandle, new: Option<&WorkspaceHandle>) {
        if let Workspace::Group(group) = &mut *self.workspace.write() {
            group.replace(old, new);
        }
    }
}

/// Workspaces under one name, in the order of their addition, none twice: Mantid's `WorkspaceGroup`.
#[derive(Clone, Default)]
pub struct WorkspaceGroup {
    members: Vec<WorkspaceHandle>,
}

impl WorkspaceGroup {
    /// Group of workspaces; repeated ones are dropped.
    pub fn new(members: Vec<WorkspaceHandle>) -> Self {
        let mut group = Self::default();
        for member in members {
            group.push(member);
        }
        group
    }

    /// Members in the order of their addition.
    pub fn members(&self) -> &[WorkspaceHandle] {
        &self.members
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True without members.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Names of the members in order.
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name()).collect()
    }

    /// Member by index.
    ///
    /// # Errors
    /// `Index` outside the group.
    pub fn item(&self, index: usize) -> Result<WorkspaceHandle> {
        match self.members.get(index) {
            Some(member) => Ok(member.clone()),
            None => outside("group index", index, self.members.len()),
        }
    }

    /// True if a member has exactly this name.
    pub fn contains(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name() == name)
    }

    /// Appends a workspace unless it is a member.
    pub fn push(&mut self, member: WorkspaceHandle) {
        if !self.members.iter().any(|known| Arc::ptr_eq(known, &member)) {
            self.members.push(member);
        }
    }

    /// Removes a member by name and returns it.
    ///
    /// # Errors
    /// `Execution` without such a member.
    pub fn remove(&mut self, name: &str) -> Result<WorkspaceHandle> {
        match self.members.iter().position(|member| member.name() == name) {
            Some(index) => Ok(self.members.remove(index)),
            None => failed(format!("the group has no member {name}")),
        }
    }

    pub(crate) fn replace(&mut self, old: &WorkspaceHandle, new: Option<&WorkspaceHandle>) {
        let Some(index) = self.members.iter().position(|member| Arc::ptr_eq(member, old)) else {
            return;
        };
        match (new, self.members.get_mut(index)) {
            (Some(new), Some(slot)) => *slot = new.clone(),
            _ => {
                self.members.remove(index);
            }
        }
    }
}

impl MatrixWorkspace {
    /// Monitor workspace that belongs to this one, if set.
    pub fn monitor_workspace(&self) -> Option<WorkspaceHandle> {
        self.monitor.clone()?.downcast().ok()
    }

    /// Sets the monitor workspace, or clears it with `None`.
    pub fn set_monitor_workspace(&mut self, monitor: Option<WorkspaceHandle>) {
        self.monitor = monitor.map(|cell| cell as Arc<dyn Any + Send + Sync>);
    }
}
