//! CloneWorkspace: a copy under another name; both share their data until one of them is changed.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;

pub(crate) struct CloneWorkspace;

impl Algorithm for CloneWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CloneWorkspace",
            1,
            "Utility\\Workspaces",
            "Copies a workspace; changes of the copy leave the original as it is.",
        )
        .with(input("InputWorkspace", PropertyKind::Workspace, "Workspace to copy."))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Workspace,
            "Copy of the workspace.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let workspace = context.handle("InputWorkspace")?.snapshot();
        context.output("OutputWorkspace", workspace)
    }
}
