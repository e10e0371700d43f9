//! RemoveWorkspaceHistory: forgets what was done to a workspace before this.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, in_out};
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
        .with(in_out("Workspace", Kind::Matrix, "The workspace."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        workspace.history.clear();
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, m};

    #[test]
    fn only_the_removal_is_left() {
        let bench = Bench::new();
        let w = bench.workspace("w", &[0.0, 1.0], &[1.0], 1);
        assert_eq!(m(&w).history().entries().len(), 1);
        bench.run("RemoveWorkspaceHistory", &[("Workspace", "w".into())]);
        let left: Vec<_> = m(&w)
            .history()
            .entries()
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        assert_eq!(left, ["RemoveWorkspaceHistory"]);
    }
}
