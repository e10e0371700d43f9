//! ConvertToMatrixWorkspace: counts of events in the workspace's bins.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToMatrixWorkspace;

impl Algorithm for ConvertToMatrixWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ConvertToMatrixWorkspace",
            1,
            "Events",
            "Histograms events in the workspace's bins.",
        )
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace to convert; histograms are left unchanged.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let out = as_histogram(&context.matrix("InputWorkspace")?, context.cancel)?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, matrix, total_counts};

    #[test]
    fn counts_stay() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("WorkspaceType", "Event".into())]);
        let out = fixture.create("o", "ConvertToMatrixWorkspace", &[("InputWorkspace", "s".into())]);
        assert_eq!(
            (matrix(&out).id(), total_counts(&out)),
            ("Workspace2D", total_counts(&s))
        );
    }
}
