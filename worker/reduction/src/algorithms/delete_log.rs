//! DeleteLog: takes a log away.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, in_out, input};
use crate::error::Result;
use crate::service::Level;

pub(crate) struct DeleteLog;

impl Algorithm for DeleteLog {
    fn declaration(&self) -> Declaration {
        Declaration::new("DeleteLog", 1, "DataHandling\\Logs", "Removes a log from a workspace.")
            .with(in_out("Workspace", Kind::Matrix, "The workspace."))
            .with(input("Name", Kind::Str, "The log's name.").mandatory())
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let name = context.str("Name")?;
        if workspace.run_mut().remove(&name).is_none() {
            context.log(
                Level::Warning,
                &format!("Unable to delete log '{name}' from the given workspace as it does not exist."),
            );
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, m};

    #[test]
    fn the_log_is_gone_and_a_missing_one_is_no_error() {
        let bench = Bench::new();
        let s = bench.sample("s", &[]);
        let call = [("Workspace", "s".into()), ("Name", "run_title".into())];
        bench.run("DeleteLog", &call);
        assert!(!m(&s).run().has("run_title"));
        bench.run("DeleteLog", &call);
    }
}
