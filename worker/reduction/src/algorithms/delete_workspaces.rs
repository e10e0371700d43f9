//! DeleteWorkspaces: takes several workspaces out of the data service.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, input};
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
        .with(input("WorkspaceList", Kind::WorkspaceList, "The workspaces to remove.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        // Looked up first, so that nothing is removed when one is missing.
        for handle in context.handles("WorkspaceList")? {
            context.service.data.remove_deep(&handle.name());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::Bench;

    #[test]
    fn all_or_none_are_removed() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0], &[1.0], 1);
        bench.workspace("b", &[0.0, 1.0], &[1.0], 1);
        assert!(
            bench
                .try_run("DeleteWorkspaces", &[("WorkspaceList", "a,c".into())])
                .is_err()
        );
        assert_eq!(bench.service.data.len(), 2);
        bench.run("DeleteWorkspaces", &[("WorkspaceList", "a,b".into())]);
        assert!(bench.service.data.is_empty());
    }
}
