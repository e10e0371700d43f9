//! A list of workspaces under one name. Promises: the order is that in which they were added, and none is in it
//! twice; must not store anything in the data service itself.

use std::sync::Arc;

use crate::error::{Result, failed, outside};
use crate::workspace::Handle;

/// A list of workspaces under one name.
#[derive(Clone, Default)]
pub struct WorkspaceGroup {
    members: Vec<Handle>,
}

impl WorkspaceGroup {
    /// A group of these workspaces.
    pub fn new(members: Vec<Handle>) -> Self {
        let mut group = Self::default();
        for member in members {
            group.push(member);
        }
        group
    }

    /// The members, in order.
    pub fn members(&self) -> &[Handle] {
        &self.members
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The names of the members, in order.
    pub fn names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.name()).collect()
    }

    /// The member at an index.
    ///
    /// # Errors
    /// `Index` when there is none.
    pub fn item(&self, index: usize) -> Result<Handle> {
        match self.members.get(index) {
            Some(member) => Ok(member.clone()),
            None => outside("group index", index, self.members.len()),
        }
    }

    /// Whether a member has this name.
    pub fn contains(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name() == name)
    }

    /// Adds a workspace, unless it is a member already.
    pub fn push(&mut self, member: Handle) {
        if !self.members.iter().any(|held| Arc::ptr_eq(held, &member)) {
            self.members.push(member);
        }
    }

    /// Takes the member of this name out.
    ///
    /// # Errors
    /// When there is none.
    pub fn remove(&mut self, name: &str) -> Result<Handle> {
        match self.members.iter().position(|member| member.name() == name) {
            Some(index) => Ok(self.members.remove(index)),
            None => failed(format!("the group has no member {name}")),
        }
    }

    pub(crate) fn replace(&mut self, old: &Handle, new: Option<&Handle>) {
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
