//! Data service: workspaces by name. Promises: names are matched without regard to case; groups follow what is removed or
//! replaced. Must not: know Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::error::{AlgorithmError, Result, failed};
use crate::workspace::{Workspace, WorkspaceCell, WorkspaceHandle};

/// Workspaces by name: Mantid's `AnalysisDataService`. Names are matched without regard to case and kept as given.
#[derive(Default)]
pub struct DataService {
    /// By name in lower case, with the name as given; a workspace may have several names.
    names: RwLock<BTreeMap<String, (String, WorkspaceHandle)>>,
}

impl DataService {
    /// Empty service, independent of other ones in the process.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a workspace under a new name.
    ///
    /// # Errors
    /// `Execution` when the name is empty or taken.
    pub fn add(&self, name: &str, handle: WorkspaceHandle) -> Result<()> {
        check_name(name)?;
        if self.contains(name) {
            return failed(format!("Unable to insert Data Object : '{name}' already exists"));
        }
        self.add_or_replace(name, handle)
    }

    /// Adds a workspace under a name, or replaces the one that has it.
    ///
    /// Groups with the former workspace get the new one, except groups inside the new one: no group contains itself.
    /// Members of a new group without a name, or with the group's, are named `<group>_<n>`.
    ///
    /// # Errors
    /// `Execution` when the name is empty.
    pub fn add_or_replace(&self, name: &str, handle: WorkspaceHandle) -> Result<()> {
        check_name(name)?;
        handle.set_name(name);
        let members = handle.members();
        for member in members.iter().filter(|member| member.name().eq_ignore_ascii_case(name)) {
            member.set_name("");
        }
        let entry = (name.to_owned(), handle.clone());
        let old = self.names.write().insert(name.to_lowercase(), entry);
        if let Some((_, old)) = old.filter(|(_, old)| !Arc::ptr_eq(old, &handle)) {
            self.replace_in_groups(&old, Some(&handle));
        }
        for (index, member) in members.iter().enumerate() {
            if member.name().is_empty() {
                self.add_or_replace(&format!("{name}_{}", index + 1), member.clone())?;
            } else if !self
                .get(&member.name())
                .is_some_and(|stored| Arc::ptr_eq(&stored, member))
            {
                self.add_or_replace(&member.name(), member.clone())?;
            }
        }
        Ok(())
    }

    /// Workspace `name`.
    ///
    /// # Errors
    /// `NotFound` without such a workspace.
    pub fn retrieve(&self, name: &str) -> Result<WorkspaceHandle> {
        self.get(name).ok_or_else(|| {
            AlgorithmError::NotFound(format!(
                "Unable to find Data Object type with name '{name}': data service"
            ))
        })
    }

    /// Workspace `name`, if any.
    pub fn get(&self, name: &str) -> Option<WorkspaceHandle> {
        self.names
            .read()
            .get(&name.to_lowercase())
            .map(|(_, cell)| cell.clone())
    }

    /// True if a workspace has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.names.read().contains_key(&name.to_lowercase())
    }

    /// Removes and returns a workspace, also from the groups that contain it.
    pub fn remove(&self, name: &str) -> Option<WorkspaceHandle> {
        let (_, removed) = self.names.write().remove(&name.to_lowercase())?;
        self.replace_in_groups(&removed, None);
        Some(removed)
    }

    /// Removes a workspace and the members of a group at every depth.
    pub fn remove_deep(&self, name: &str) -> Option<WorkspaceHandle> {
        let removed = self.remove(name)?;
        for member in removed.members() {
            self.remove_deep(&member.name());
        }
        Some(removed)
    }

    /// Renames a workspace, replacing one that has the new name.
    ///
    /// # Errors
    /// `NotFound` for the old name; `Execution` when the new one is empty.
    pub fn rename(&self, old: &str, new: &str) -> Result<()> {
        check_name(new)?;
        let handle = self.retrieve(old)?;
        {
            let mut names = self.names.write();
            names.remove(&old.to_lowercase());
        }
        self.add_or_replace(new, handle)
    }

    /// Removes all workspaces; handles that scripts still have stay valid.
    pub fn clear(&self) {
        self.names.write().clear();
    }

    /// Number of names; a workspace with several counts several times.
    pub fn len(&self) -> usize {
        self.names.read().len()
    }

    /// True without any workspace.
    pub fn is_empty(&self) -> bool {
        self.names.read().is_empty()
    }

    /// Names as given, sorted by byte value.
    pub fn object_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.names.read().values().map(|(name, _)| name.clone()).collect();
        names.sort();
        names
    }

    /// Unused name `<prefix><number><suffix>`, the number padded with zeros to `length` digits (1 to 64).
    pub fn unique_name(&self, length: usize, prefix: &str, suffix: &str) -> String {
        for counter in 0_u64.. {
            let digits = format!("{counter:0width$}", width = length.clamp(1, 64));
            let name = format!("{prefix}{digits}{suffix}");
            if !self.contains(&name) {
                return name;
            }
        }
        format!("{prefix}{suffix}")
    }

    fn replace_in_groups(&self, old: &WorkspaceHandle, new: Option<&WorkspaceHandle>) {
        let names = self.names.read();
        let cells = names.values().map(|(_, cell)| cell);
        let groups: Vec<WorkspaceHandle> = cells.filter(|cell| cell.is_group()).cloned().collect();
        drop(names);
        for group in groups {
            if !new.is_some_and(|new| contains_cell(new, &group)) {
                group.replace_member(old, new);
            }
        }
    }

    /// Stores an output workspace under a name and returns its handle.
    ///
    /// The cell of that name is reused when it is among `inputs`, as with Mantid's algorithms that work in place: handles to
    /// it see the change. Otherwise a new cell replaces it.
    pub(crate) fn publish(
        &self,
        name: &str,
        workspace: Workspace,
        inputs: &[WorkspaceHandle],
    ) -> Result<WorkspaceHandle> {
        if let Some(present) = self.get(name)
            && inputs.iter().any(|input| Arc::ptr_eq(input, &present))
            && !members(&workspace).iter().any(|member| contains_cell(member, &present))
        {
            present.replace(workspace);
            self.add_or_replace(name, present.clone())?;
            return Ok(present);
        }
        let handle = WorkspaceCell::new(name, workspace);
        self.add_or_replace(name, handle.clone())?;
        Ok(handle)
    }
}

fn members(workspace: &Workspace) -> &[WorkspaceHandle] {
    match workspace {
        Workspace::Group(group) => group.members(),
        Workspace::Matrix(_) | Workspace::Table(_) => &[],
    }
}

/// True if `from` is `to`, or a group that contains it at any depth.
fn contains_cell(from: &WorkspaceHandle, to: &WorkspaceHandle) -> bool {
    Arc::ptr_eq(from, to) || from.members().iter().any(|member| contains_cell(member, to))
}

fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return failed("Add Data Object with empty name: give the workspace a name");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::workspace::{MatrixWorkspace, WorkspaceGroup};

    fn cell() -> WorkspaceHandle {
        WorkspaceCell::new("", Workspace::Matrix(MatrixWorkspace::single_value(1.0, 0.0)))
    }

    #[test]
    fn names_are_found_in_any_case_and_kept_as_given() {
        let data = DataService::new();
        data.add("Lives", cell()).unwrap();
        assert!(data.contains("lives"));
        assert_eq!(data.object_names(), ["Lives"]);
        assert!(data.add("LIVES", cell()).is_err());
        assert_eq!(
            data.retrieve("other").unwrap_err().class(),
            crate::error::ErrorClass::NotFound
        );
        assert!(data.add_or_replace(" ", cell()).is_err());
    }

    #[test]
    fn a_workspace_under_two_names_is_listed_by_both() {
        let data = DataService::new();
        let one = cell();
        data.add("a", one.clone()).unwrap();
        data.add("b", one).unwrap();
        assert_eq!(data.object_names(), ["a", "b"]);
        for name in data.object_names() {
            data.remove(&name).unwrap();
        }
        assert!(data.is_empty());
    }

    #[test]
    fn groups_follow_what_is_removed_and_replaced() {
        let data = DataService::new();
        let (a, b) = (cell(), cell());
        data.add("a", a.clone()).unwrap();
        data.add("b", b.clone()).unwrap();
        let group = WorkspaceCell::new("", Workspace::Group(WorkspaceGroup::new(vec![a, b])));
        data.add("g", group.clone()).unwrap();
        data.remove("a");
        assert_eq!(group.member_names(), ["b"]);
        let c = cell();
        data.add_or_replace("b", c.clone()).unwrap();
        assert!(Arc::ptr_eq(group.members().first().unwrap(), &c));
        data.remove_deep("g");
        assert!(data.is_empty());
    }

    #[test]
    fn no_group_holds_itself() {
        let group_of = |members: Vec<WorkspaceHandle>| Workspace::Group(WorkspaceGroup::new(members));
        let data = DataService::new();
        let (a, b) = (cell(), cell());
        data.add("a", a.clone()).unwrap();
        data.add("b", b.clone()).unwrap();
        // A result with the name of one of its members.
        let made = data
            .publish("b", group_of(vec![a.clone(), b.clone()]), &[a.clone(), b.clone()])
            .unwrap();
        assert!(!Arc::ptr_eq(&made, &b));
        assert_eq!(
            (made.name(), made.member_names()),
            ("b".to_owned(), vec!["a".to_owned(), "b_2".to_owned()])
        );
        // A group with the name of a member of its member.
        let outer = WorkspaceCell::new("", group_of(vec![made.clone()]));
        data.add_or_replace("a", outer.clone()).unwrap();
        assert!(
            !contains_cell(made.members().first().unwrap(), &made),
            "{:?}",
            made.member_names()
        );
        assert!(contains_cell(&outer, &made));
        assert_eq!(data.object_names(), ["a", "b", "b_2"]);
    }
}
