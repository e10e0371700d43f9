//! UnGroupWorkspace: takes a group away, and leaves its members.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, input};
use crate::error::{Result, failed};

pub(crate) struct UnGroupWorkspace;

impl Algorithm for UnGroupWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "UnGroupWorkspace",
            1,
            "Transforms\\Grouping",
            "Removes a group, whose members stay.",
        )
        .with(input("InputWorkspace", Kind::Workspace, "The group."))
    }

    fn by_member(&self) -> bool {
        false
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let group = context.handle("InputWorkspace")?;
        if !group.is_group() {
            return failed("Selected Workspace is not a WorkspaceGroup");
        }
        context.service.data.remove(&group.name());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::Bench;

    #[test]
    fn members_stay() {
        let bench = Bench::new();
        for name in ["a", "b"] {
            bench.workspace(name, &[0.0, 1.0], &[1.0], 1);
        }
        bench.make("g", "GroupWorkspaces", &[("InputWorkspaces", "a,b".into())]);
        bench.run("UnGroupWorkspace", &[("InputWorkspace", "g".into())]);
        assert_eq!(bench.service.data.object_names(), ["a", "b"]);
        let error = bench
            .try_run("UnGroupWorkspace", &[("InputWorkspace", "a".into())])
            .unwrap_err();
        assert!(error.to_string().contains("not a WorkspaceGroup"));
    }
}
