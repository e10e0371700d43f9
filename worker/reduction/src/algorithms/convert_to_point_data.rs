//! ConvertToPointData: points at the centres of bins.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::compute::binning::edges_to_points;
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToPointData;

impl Algorithm for ConvertToPointData {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertToPointData", 1, "Transforms\\Axes", "Converts bins to points.")
            .with(input(
                "InputWorkspace",
                PropertyKind::Matrix,
                "Workspace of histograms or events; points are left unchanged.",
            ))
            .with(output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Points at the centres of the bins.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut out = as_histogram(&context.matrix("InputWorkspace")?, context.cancel)?;
        if out.is_histogram_data() {
            let x = out.xs().map(|row| edges_to_points(row).into());
            out.set_xs(x);
        }
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x, y};

    #[test]
    fn edges_become_centres_and_come_back() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[0.0, 1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 1);
        let points = fixture.create("p", "ConvertToPointData", &[("InputWorkspace", "w".into())]);
        assert_close(&x(&points, 0), &[0.5, 1.5, 2.5]);
        assert!(!matrix(&points).is_histogram_data());
        let same = fixture.create("q", "ConvertToPointData", &[("InputWorkspace", "p".into())]);
        assert_close(&x(&same, 0), &[0.5, 1.5, 2.5]);
        let back = fixture.create("h", "ConvertToHistogram", &[("InputWorkspace", "p".into())]);
        assert_close(&x(&back, 0), &[0.0, 1.0, 2.0, 3.0]);
        assert_close(&y(&back, 0), &[4.0, 5.0, 6.0]);
        fixture.sample_workspace(
            "e",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let events = fixture.create("e", "ConvertToPointData", &[("InputWorkspace", "e".into())]);
        assert_eq!((matrix(&events).id(), x(&events, 0).len()), ("Workspace2D", 100));
    }
}
