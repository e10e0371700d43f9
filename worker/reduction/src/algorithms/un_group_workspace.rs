//! UnGroupWorkspace: removal of a group; its members are kept.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, input};
use crate::error::{Result, failed};

pub(crate) struct UnGroupWorkspace;

impl Algorithm for UnGroupWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "UnGroupWorkspace",
            1,
            "Transforms\\Grouping",
            "Removes a group and keeps its members.",
        )
        .with(input("InputWorkspace", PropertyKind::Workspace, "Group to remove."))
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let group = context.handle("InputWorkspace")?;
        if !group.is_group() {
            return failed("Selected Workspace is not a WorkspaceGroup");
        }
        context.services.data.remove(&group.name());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn members_stay() {
        let fixture = AlgorithmFixture::new();
        for name in ["a", "b"] {
            fixture.workspace(name, &[0.0, 1.0], &[1.0], 1);
        }
        fixture.create("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        fixture.run("UnGroupWorkspace", &[("InputWorkspace", "g".into())]);
        assert_eq!(fixture.service.data.object_names(), ["a", "b"]);
        let error = fixture
            .try_run("UnGroupWorkspace", &[("InputWorkspace", "a".into())])
            .unwrap_err();
        assert!(error.to_string().contains("not a WorkspaceGroup"));
    }
}
