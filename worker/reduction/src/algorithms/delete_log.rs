//! DeleteLog: removal of one log; a missing log is a warning, not an error.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out, input};
use crate::error::Result;
use crate::service::LogLevel;

pub(crate) struct DeleteLog;

impl Algorithm for DeleteLog {
    fn declaration(&self) -> Declaration {
        Declaration::new("DeleteLog", 1, "DataHandling\\Logs", "Removes a log from a workspace.")
            .with(in_out(
                "Workspace",
                PropertyKind::Matrix,
                "Workspace that loses the log.",
            ))
            .with(input("Name", PropertyKind::Str, "Name of the log.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let name = context.str("Name")?;
        if workspace.run_mut().remove(&name).is_none() {
            context.log(
                LogLevel::Warning,
                &format!("Unable to delete log '{name}' from the given workspace as it does not exist."),
            );
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn the_log_is_gone_and_a_missing_one_is_no_error() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[]);
        let call = [("Workspace", "s".into()), ("Name", "run_title".into())];
        fixture.run("DeleteLog", &call);
        assert!(!matrix(&s).run().has("run_title"));
        fixture.run("DeleteLog", &call);
    }
}
