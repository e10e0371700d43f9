//! RemoveLogs: a workspace without logs, or with a few of them.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, in_out, option};
use crate::error::Result;
use crate::value::Value;

pub(crate) struct RemoveLogs;

impl Algorithm for RemoveLogs {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RemoveLogs",
            1,
            "DataHandling\\Logs",
            "Removes the logs of a workspace.",
        )
        .with(in_out("Workspace", Kind::Matrix, "The workspace."))
        .with(option("KeepLogs", Kind::Strs, Value::None, "Names of logs that stay."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut workspace = context.handle("Workspace")?.raw_matrix()?;
        let kept = context.value("KeepLogs")?.to_strs()?;
        let names: Vec<String> = workspace.run().names().into_iter().map(str::to_owned).collect();
        for name in names.iter().filter(|name| !kept.contains(name)) {
            workspace.run_mut().remove(name);
        }
        context.change("Workspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, m};

    #[test]
    fn only_what_is_named_stays() {
        let bench = Bench::new();
        let s = bench.sample("s", &[]);
        bench.run(
            "RemoveLogs",
            &[("Workspace", "s".into()), ("KeepLogs", "start_time, nothing".into())],
        );
        assert_eq!(m(&s).run().names(), ["start_time"]);
        bench.run("RemoveLogs", &[("Workspace", "s".into())]);
        assert!(m(&s).run().names().is_empty());
    }
}
