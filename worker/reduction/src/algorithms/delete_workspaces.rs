//! DeleteWorkspaces: removal of several workspaces from the data service, all or none.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input};
use crate::error::Result;

pub(crate) struct DeleteWorkspaces;

impl Algorithm for DeleteWorkspaces {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "DeleteWorkspaces",
            1,
            "Utility\\Workspaces",
            "Removes workspaces from the data service.",
        )
        .with(
            input(
                "WorkspaceList",
                PropertyKind::WorkspaceList,
                "Workspaces to remove; groups with their members.",
            )
            .mandatory(),
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        // All handles are looked up before the first removal: a missing name removes nothing.
        for handle in context.handles("WorkspaceList")? {
            context.services.data.remove_deep(&handle.name());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn all_or_none_are_removed() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0], &[1.0], 1);
        fixture.workspace("b", &[0.0, 1.0], &[1.0], 1);
        assert!(
            fixture
                .try_run("DeleteWorkspaces", &[("WorkspaceList", "a,c".into())])
                .is_err()
        );
        assert_eq!(fixture.service.data.len(), 2);
        fixture.run("DeleteWorkspaces", &[("WorkspaceList", "a,b".into())]);
        assert!(fixture.service.data.is_empty());
    }
}
