//! RenameWorkspace: another name in the data service.

use std::sync::Arc;

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::{Result, failed, invalid};
use crate::value::Value;

pub(crate) struct RenameWorkspace;

impl Algorithm for RenameWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new("RenameWorkspace", 1, "Utility\\Workspaces", "Renames a workspace.")
            .with(input("InputWorkspace", PropertyKind::Workspace, "Workspace to rename."))
            .with(output("OutputWorkspace", PropertyKind::Workspace, "New name."))
            .with(option(
                "RenameMonitors",
                PropertyKind::Bool,
                false,
                "Rename its monitor workspace to the new name with _monitors.",
            ))
            .with(option(
                "OverwriteExisting",
                PropertyKind::Bool,
                true,
                "Replace a workspace that has the new name.",
            ))
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let handle = context.handle("InputWorkspace")?;
        let name = context.str("OutputWorkspace")?;
        let data = &context.services.data;
        if handle.name() == name {
            return invalid("The input and output names must be different");
        }
        if let Some(existing) = data.get(&name)
            && !Arc::ptr_eq(&existing, &handle)
            && !context.bool("OverwriteExisting")?
        {
            return failed(format!("The workspace {name} already exists"));
        }
        if handle.name().is_empty() {
            data.add_or_replace(&name, handle.clone())?;
        } else {
            let old = handle.name();
            data.rename(&old, &name)?;
            // Members with the group's name and their number are renamed with it.
            for (index, member) in handle.members().iter().enumerate() {
                if member.name() == format!("{old}_{}", index + 1) {
                    data.rename(&member.name(), &format!("{name}_{}", index + 1))?;
                }
            }
        }
        if context.bool("RenameMonitors")?
            && let Ok(matrix) = handle.raw_matrix()
            && let Some(monitor) = matrix.monitor_workspace()
            && !monitor.name().is_empty()
        {
            data.rename(&monitor.name(), &format!("{name}_monitors"))?;
        }
        context.output_value("OutputWorkspace", Value::Workspace(handle))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn the_workspace_moves_and_nothing_is_overwritten_unasked() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0], &[1.0], 1);
        fixture.workspace("b", &[0.0, 1.0], &[2.0], 1);
        let keep = [("InputWorkspace", "a".into()), ("OverwriteExisting", false.into())];
        let error = fixture.try_create("b", "RenameWorkspace", &keep).unwrap_err();
        assert_eq!(error.to_string(), "The workspace b already exists");
        let handle = fixture.create("b", "RenameWorkspace", &[("InputWorkspace", "a".into())]);
        assert_eq!(handle.name(), "b");
        assert_eq!(fixture.service.data.object_names(), ["b"]);
    }
}
