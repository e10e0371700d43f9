//! RemoveWorkspaceHistory: removal of the history up to this call.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out};
use crate::error::Result;

pub(crate) struct RemoveWorkspaceHistory;

impl Algorithm for RemoveWorkspaceHistory {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RemoveWorkspaceHistory",
            1,
            "Utility\\Development",
            "Removes the history of a workspace.",
        )
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace whose history is removed.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        workspace.history.clear();
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn only_the_removal_is_left() {
        let fixture = AlgorithmFixture::new();
        let w = fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert_eq!(matrix(&w).history().executions().len(), 1);
        fixture.run("RemoveWorkspaceHistory", &[("Workspace", "w".into())]);
        let left: Vec<_> = matrix(&w)
            .history()
            .executions()
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        assert_eq!(left, ["RemoveWorkspaceHistory"]);
    }
}
