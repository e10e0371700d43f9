//! DeleteWorkspace: removal of a workspace from the data service; of a group with its members.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input};
use crate::error::Result;

pub(crate) struct DeleteWorkspace;

impl Algorithm for DeleteWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "DeleteWorkspace",
            1,
            "Utility\\Workspaces",
            "Removes a workspace from the data service.",
        )
        .with(input(
            "Workspace",
            PropertyKind::Workspace,
            "Workspace to remove; a group with its members.",
        ))
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let handle = context.handle("Workspace")?;
        context.services.data.remove_deep(&handle.name());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn it_is_gone() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
        fixture.run("DeleteWorkspace", &[("Workspace", "w".into())]);
        assert!(fixture.service.data.is_empty());
        assert!(
            fixture
                .try_run("DeleteWorkspace", &[("Workspace", "w".into())])
                .is_err()
        );
    }
}
