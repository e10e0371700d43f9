//! CloneWorkspace: a workspace under another name. Shares all data with the original until one of them is changed.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct CloneWorkspace;

impl Algorithm for CloneWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CloneWorkspace",
            1,
            "Utility\\Workspaces",
            "Copies a workspace; the copy can be changed on its own.",
        )
        .with(input("InputWorkspace", Kind::Workspace, "The workspace to copy."))
        .with(output("OutputWorkspace", Kind::Workspace, "The copy."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let workspace = context.handle("InputWorkspace")?.snapshot();
        context.output("OutputWorkspace", workspace)
    }
}
