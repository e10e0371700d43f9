//! WeightedMean: the mean of two workspaces, weighted by the inverse variances.
//!
//! Y = (y₁/e₁² + y₂/e₂²) / (1/e₁² + 1/e₂²) and E = 1 / √(1/e₁² + 1/e₂²), with y and e the signal and its standard
//! deviation in a bin. Where one e is 0 the other workspace's values count; where both are, Y = E = 0. Sources:
//! Mantid's page WeightedMean v1; P. R. Bevington and D. K. Robinson, Data Reduction and Error Analysis for the
//! Physical Sciences, third edition (2003), chapter 4.

use crate::algorithm::{Algorithm, Context};
use crate::compute::{HistogramReader, build_rows};
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::{Result, failed};

pub(crate) struct WeightedMean;

impl Algorithm for WeightedMean {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "WeightedMean",
            1,
            "Arithmetic",
            "Mean of two workspaces, weighted by 1/E².",
        )
        .with(input(
            "InputWorkspace1",
            PropertyKind::Matrix,
            "First workspace; its X is kept.",
        ))
        .with(input(
            "InputWorkspace2",
            PropertyKind::Matrix,
            "Second workspace, of the same shape.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Weighted mean bin by bin.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let (one, two) = (context.matrix("InputWorkspace1")?, context.matrix("InputWorkspace2")?);
        if one.histograms() != two.histograms() {
            return failed("Number of histograms not identical.");
        }
        let (a, b) = (
            HistogramReader::new(&one, context.cancel)?,
            HistogramReader::new(&two, context.cancel)?,
        );
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
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, e, y};

    // Mantid's page WeightedMean v1.
    #[test]
    fn the_documented_example_comes_out() {
        let fixture = AlgorithmFixture::new();
        fixture.workspace_with_errors("a", &[0.0, 1.0, 2.0, 3.0], &[0.0, 1.0, 2.0], &[1.0; 3], 1);
        fixture.workspace_with_errors("b", &[0.0, 1.0, 2.0, 3.0], &[2.0; 3], &[3.0; 3], 1);
        let out = fixture.create(
            "o",
            "WeightedMean",
            &[("InputWorkspace1", "a".into()), ("InputWorkspace2", "b".into())],
        );
        assert_close(&y(&out, 0), &[0.2, 1.1, 2.0]);
        assert_close(&e(&out, 0), &[0.948_683_3; 3]);
    }
}
