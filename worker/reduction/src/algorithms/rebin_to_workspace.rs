//! RebinToWorkspace: data over the bins of another workspace's first spectrum, by the formulas of
//! [`crate::algorithms::rebin`]. Source: Mantid's page RebinToWorkspace v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::rebin::rebin_to;
use crate::compute::as_histogram;
use crate::declaration::{Declaration, PropertyKind, input, option, output};
use crate::error::Result;
use crate::workspace::data::XRows;

pub(crate) struct RebinToWorkspace;

impl Algorithm for RebinToWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "RebinToWorkspace",
            1,
            "Transforms\\Rebin",
            "Rebins data to the bins of another workspace.",
        )
        .with(input("WorkspaceToRebin", PropertyKind::Matrix, "Workspace to rebin."))
        .with(input(
            "WorkspaceToMatch",
            PropertyKind::Matrix,
            "Workspace whose first spectrum has the bins.",
        ))
        .with(output("OutputWorkspace", PropertyKind::Matrix, "Rebinned workspace."))
        .with(option(
            "PreserveEvents",
            PropertyKind::Bool,
            true,
            "Keep events and replace X only; otherwise histogram them.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("WorkspaceToRebin")?;
        let x = context.matrix("WorkspaceToMatch")?.x(0)?;
        let out = if input.is_events() {
            let mut out = input;
            out.set_xs(XRows::Common(x));
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, x, y};

    #[test]
    fn the_bins_agree() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        fixture.workspace("b", &[0.0, 2.0], &[1.0], 1);
        let out = fixture.create(
            "o",
            "RebinToWorkspace",
            &[("WorkspaceToRebin", "a".into()), ("WorkspaceToMatch", "b".into())],
        );
        assert_close(&x(&out, 0), &[0.0, 2.0]);
        assert_close(&y(&out, 0), &[3.0]);
    }
}
