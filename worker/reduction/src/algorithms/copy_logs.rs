//! CopyLogs: the logs of one workspace copied to another.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, Validator, in_out, input, option};
use crate::error::Result;

pub(crate) struct CopyLogs;

const REPLACE: &str = "MergeReplaceExisting";
const KEEP: &str = "MergeKeepExisting";
const WIPE: &str = "WipeExisting";

impl Algorithm for CopyLogs {
    fn declaration(&self) -> Declaration {
        let strategy = option(
            "MergeStrategy",
            PropertyKind::Str,
            REPLACE,
            "Treatment of logs that OutputWorkspace already has.",
        );
        Declaration::new(
            "CopyLogs",
            1,
            "DataHandling\\Logs",
            "Copies the logs of a workspace to another.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace whose logs are copied.",
        ))
        .with(in_out(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace that receives the logs.",
        ))
        .with(strategy.validator(Validator::OneOf(&[REPLACE, WIPE, KEEP])))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let from = context.handle("InputWorkspace")?.raw_matrix()?;
        let mut to = context.handle("OutputWorkspace")?.raw_matrix()?;
        let strategy = context.str("MergeStrategy")?;
        if strategy == WIPE {
            let names: Vec<String> = to.run().names().into_iter().map(str::to_owned).collect();
            for name in names {
                to.run_mut().remove(&name);
            }
        }
        for (name, log) in from.run().iter() {
            if strategy != KEEP || !to.run().has(name) {
                to.run_mut().set(name, log.clone());
            }
        }
        context.change("OutputWorkspace", to)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, matrix};

    #[test]
    fn logs_are_replaced_kept_or_wiped() {
        for (strategy, title, own) in [
            ("MergeReplaceExisting", "Test Workspace", true),
            ("MergeKeepExisting", "mine", true),
            ("WipeExisting", "Test Workspace", false),
        ] {
            let fixture = AlgorithmFixture::new();
            fixture.sample_workspace("s", &[("BankPixelWidth", 1_i64.into())]);
            fixture.add_charge("s");
            let w = fixture.workspace("w", &[0.0, 1.0], &[1.0], 1);
            for name in ["run_title", "own"] {
                fixture.run(
                    "AddSampleLog",
                    &[
                        ("Workspace", "w".into()),
                        ("LogName", name.into()),
                        ("LogText", "mine".into()),
                    ],
                );
            }
            let call = [
                ("InputWorkspace", "s".into()),
                ("OutputWorkspace", "w".into()),
                ("MergeStrategy", strategy.into()),
            ];
            fixture.run("CopyLogs", &call);
            assert_eq!(
                (
                    matrix(&w).run().text("run_title").as_deref(),
                    matrix(&w).run().has("own")
                ),
                (Some(title), own),
                "{strategy}"
            );
            assert!(matrix(&w).run().has("proton_charge"));
        }
    }
}
