//! ConvertToHistogram: bins from points, with edges halfway between them.
//!
//! The first and last edge lie as far outside as their neighbours lie inside: x₀ − (x₁ − x₀)/2. Source: Mantid's page
//! ConvertToHistogram v1.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::compute::binning::points_to_edges;
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToHistogram;

impl Algorithm for ConvertToHistogram {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertToHistogram", 1, "Transforms\\Axes", "Converts points to bins.")
            .with(input(
                "InputWorkspace",
                PropertyKind::Matrix,
                "Workspace of points; bins are left unchanged.",
            ))
            .with(output(
                "OutputWorkspace",
                PropertyKind::Matrix,
                "Bins with edges halfway between the points.",
            ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut out = as_histogram(&context.matrix("InputWorkspace")?, context.cancel)?;
        if !out.is_histogram_data() {
            let x = out.xs().map(|row| points_to_edges(row).into());
            out.set_xs(x);
        }
        context.output("OutputWorkspace", out)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, x};

    #[test]
    fn points_become_edges_and_bins_stay() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace("w", &[1.0, 2.0, 4.0], &[4.0, 5.0, 6.0], 1);
        let out = fixture.create("h", "ConvertToHistogram", &[("InputWorkspace", "w".into())]);
        assert_close(&x(&out, 0), &[0.5, 1.5, 3.0, 5.0]);
        let same = fixture.create("i", "ConvertToHistogram", &[("InputWorkspace", "h".into())]);
        assert_close(&x(&same, 0), &[0.5, 1.5, 3.0, 5.0]);
        assert!(matrix(&same).is_histogram_data());
    }
}
