//! RebinToWorkspace: the bins of another workspace.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::rebin::rebin_to;
use crate::compute::as_histogram;
use crate::declaration::{Declaration, Kind, input, option, output};
use crate::error::Result;
use crate::workspace::data::Xs;

pub(crate) struct RebinToWorkspace;

impl Algorithm for RebinToWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RebinToWorkspace",
            1,
            "Transforms\\Rebin",
            "Puts data into the bins of another workspace.",
        )
        .with(input("WorkspaceToRebin", Kind::Matrix, "The workspace to rebin."))
        .with(input(
            "WorkspaceToMatch",
            Kind::Matrix,
            "The workspace whose first spectrum has the bins.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The rebinned workspace."))
        .with(option(
            "PreserveEvents",
            Kind::Bool,
            true,
            "Keep events as events, and replace X only.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("WorkspaceToRebin")?;
        let x = context.matrix("WorkspaceToMatch")?.x(0)?;
        let out = if input.is_events() {
            let mut out = input;
            out.set_xs(Xs::Common(x));
            if context.bool("PreserveEvents")? {
                out
            } else {
                as_histogram(&out, context.cancel)?
            }
        } else {
            rebin_to(&input, |_| Ok(x.clone()), false, context)?
        };
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, x, y};

    #[test]
    fn the_bins_agree() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        bench.workspace("b", &[0.0, 2.0], &[1.0], 1);
        let out = bench.make(
            "o",
            "RebinToWorkspace",
            &[("WorkspaceToRebin", "a".into()), ("WorkspaceToMatch", "b".into())],
        );
        close(&x(&out, 0), &[0.0, 2.0]);
        close(&y(&out, 0), &[3.0]);
    }
}
