//! ConvertToMatrixWorkspace: events as counts over their X.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToMatrixWorkspace;

impl Algorithm for ConvertToMatrixWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "ConvertToMatrixWorkspace",
            1,
            "Events",
            "Makes histograms of events, over the X that the workspace has.",
        )
        .with(input("InputWorkspace", Kind::Matrix, "The workspace to convert."))
        .with(output("OutputWorkspace", Kind::Matrix, "Histograms."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let out = as_histogram(&context.matrix("InputWorkspace")?, context.cancel)?;
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, m, total};

    #[test]
    fn counts_stay() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("WorkspaceType", "Event".into())]);
        let out = bench.make("o", "ConvertToMatrixWorkspace", &[("InputWorkspace", "s".into())]);
        assert_eq!((m(&out).id(), total(&out)), ("Workspace2D", total(&s)));
    }
}
