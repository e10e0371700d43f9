//! ConvertToHistogram: points as bins, whose edges are halfway between them.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::compute::binning::points_to_edges;
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToHistogram;

impl Algorithm for ConvertToHistogram {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertToHistogram", 1, "Transforms\\Axes", "Makes bins of points.")
            .with(input(
                "InputWorkspace",
                Kind::Matrix,
                "The workspace; bins stay as they are.",
            ))
            .with(output(
                "OutputWorkspace",
                Kind::Matrix,
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
    use crate::algorithms::testing::{Bench, close, m, x};

    #[test]
    fn points_become_edges_and_bins_stay() {
        let bench = Bench::new();
        bench.workspace("w", &[1.0, 2.0, 4.0], &[4.0, 5.0, 6.0], 1);
        let out = bench.make("h", "ConvertToHistogram", &[("InputWorkspace", "w".into())]);
        close(&x(&out, 0), &[0.5, 1.5, 3.0, 5.0]);
        let same = bench.make("i", "ConvertToHistogram", &[("InputWorkspace", "h".into())]);
        close(&x(&same, 0), &[0.5, 1.5, 3.0, 5.0]);
        assert!(m(&same).is_histogram_data());
    }
}
