//! ConvertToPointData: bins as points at their centres.

use crate::algorithm::{Algorithm, Context};
use crate::compute::as_histogram;
use crate::compute::binning::edges_to_points;
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::Result;

pub(crate) struct ConvertToPointData;

impl Algorithm for ConvertToPointData {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertToPointData", 1, "Transforms\\Axes", "Makes points of bins.")
            .with(input(
                "InputWorkspace",
                Kind::Matrix,
                "The workspace; points stay as they are.",
            ))
            .with(output(
                "OutputWorkspace",
                Kind::Matrix,
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
    use crate::algorithms::testing::{Bench, close, m, x, y};

    #[test]
    fn edges_become_centres_and_come_back() {
        let bench = Bench::new();
        bench.workspace("w", &[0.0, 1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], 1);
        let points = bench.make("p", "ConvertToPointData", &[("InputWorkspace", "w".into())]);
        close(&x(&points, 0), &[0.5, 1.5, 2.5]);
        assert!(!m(&points).is_histogram_data());
        let same = bench.make("q", "ConvertToPointData", &[("InputWorkspace", "p".into())]);
        close(&x(&same, 0), &[0.5, 1.5, 2.5]);
        let back = bench.make("h", "ConvertToHistogram", &[("InputWorkspace", "p".into())]);
        close(&x(&back, 0), &[0.0, 1.0, 2.0, 3.0]);
        close(&y(&back, 0), &[4.0, 5.0, 6.0]);
        bench.sample(
            "e",
            &[("WorkspaceType", "Event".into()), ("BankPixelWidth", 1_i64.into())],
        );
        let events = bench.make("e", "ConvertToPointData", &[("InputWorkspace", "e".into())]);
        assert_eq!((m(&events).id(), x(&events, 0).len()), ("Workspace2D", 100));
    }
}
