//! RemoveLogs: removal of all logs, or of all but a few.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, in_out, option};
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
        .with(in_out(
            "Workspace",
            PropertyKind::Matrix,
            "Workspace that loses its logs.",
        ))
        .with(option(
            "KeepLogs",
            PropertyKind::Strs,
            Value::None,
            "Names of logs that are kept.",
        ))
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
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn only_what_is_named_stays() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[]);
        fixture.run(
            "RemoveLogs",
            &[("Workspace", "s".into()), ("KeepLogs", "start_time, nothing".into())],
        );
        assert_eq!(matrix(&s).run().names(), ["start_time"]);
        fixture.run("RemoveLogs", &[("Workspace", "s".into())]);
        assert!(matrix(&s).run().names().is_empty());
    }
}
