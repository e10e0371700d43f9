//! Outputs of an execution. Must not: store them.

use crate::value::Value;
use crate::workspace::WorkspaceHandle;

/// Outputs of an execution in the order of the declaration, without those that were not set.
#[derive(Debug, Clone, Default)]
pub struct Outputs {
    /// Name and value of each output.
    pub values: Vec<(&'static str, Value)>,
}

impl Outputs {
    /// Output `name`, letter case ignored; `None` if it was not set.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Output `name` if it is a workspace.
    pub fn workspace(&self, name: &str) -> Option<WorkspaceHandle> {
        match self.get(name) {
            Some(Value::Workspace(handle)) => Some(handle.clone()),
            _ => None,
        }
    }
}
