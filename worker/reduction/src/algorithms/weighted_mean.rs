//! WeightedMean: the mean of two workspaces, each value weighed by its uncertainty.

use crate::algorithm::{Algorithm, Context};
use crate::compute::{Reader, build_rows};
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::{Result, failed};

pub(crate) struct WeightedMean;

impl Algorithm for WeightedMean {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "WeightedMean",
            1,
            "Arithmetic",
            "The mean of two workspaces, weighed by 1/e².",
        )
        .with(input("InputWorkspace1", Kind::Matrix, "The first workspace."))
        .with(input(
            "InputWorkspace2",
            Kind::Matrix,
            "The second workspace, of the same shape.",
        ))
        .with(output("OutputWorkspace", Kind::Matrix, "The mean."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (one, two) = (context.matrix("InputWorkspace1")?, context.matrix("InputWorkspace2")?);
        if one.histograms() != two.histograms() {
            return failed("Number of histograms not identical.");
        }
        let (a, b) = (Reader::new(&one, context.cancel)?, Reader::new(&two, context.cancel)?);
        let (y, e) = build_rows(one.histograms(), context.cancel, |index| {
            let ((_, y1, e1), (_, y2, e2)) = (a.get(index)?, b.get(index)?);
            if y1.len() != y2.len() {
                return failed(format!(
                    "spectrum {index} has {} bins in one workspace and {} in the other",
                    y1.len(),
                    y2.len()
                ));
            }
            let mut out = (Vec::with_capacity(y1.len()), Vec::with_capacity(y1.len()));
            for ((y1, e1), (y2, e2)) in y1.iter().zip(e1.iter()).zip(y2.iter().zip(e2.iter())) {
                let (y, e) = match (*e1 > 0.0, *e2 > 0.0) {
                    (true, true) => {
                        let (w1, w2) = (1.0 / (e1 * e1), 1.0 / (e2 * e2));
                        ((y1 * w1 + y2 * w2) / (w1 + w2), (1.0 / (w1 + w2)).sqrt())
                    }
                    (true, false) => (*y1, *e1),
                    (false, true) => (*y2, *e2),
                    (false, false) => (0.0, 0.0),
                };
                out.0.push(y);
                out.1.push(e);
            }
            Ok(out)
        })?;
        context.output("OutputWorkspace", one.clone().with_histogram(a.x.clone(), y, e))
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, e, y};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        bench.workspace_with("a", &[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 2.0], &[1.0; 3], 1);
        bench.workspace_with("b", &[0.0, 1.0, 2.0, 3.0], &[2.0; 3], &[3.0; 3], 1);
        let out = bench.make(
            "o",
            "WeightedMean",
            &[("InputWorkspace1", "a".into()), ("InputWorkspace2", "b".into())],
        );
        close(&y(&out, 0), &[0.2, 1.1, 2.0]);
        close(&e(&out, 0), &[0.948_683_3; 3]);
    }
}
