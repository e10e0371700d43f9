//! DeleteWorkspace: takes a workspace out of the data service; a group with its members.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, input};
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
        .with(input("Workspace", Kind::Workspace, "The workspace to remove."))
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let handle = context.handle("Workspace")?;
        context.service.data.remove_deep(&handle.name());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::Bench;

    #[test]
    fn it_is_gone() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        bench.run("DeleteWorkspace", &[("Workspace", "w".into())]);
        assert!(bench.service.data.is_empty());
        assert!(bench.try_run("DeleteWorkspace", &[("Workspace", "w".into())]).is_err());
    }
}
