//! ConvertFromDistribution: counts from counts per unit of X, Y = f·w and E = e·w.
//!
//! f and e are the frequency and its standard deviation, w the bin's width in the unit of X. Source: Mantid's page
//! ConvertFromDistribution v1.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::distribution;
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct ConvertFromDistribution;

impl Algorithm for ConvertFromDistribution {
    fn declaration(&self) -> Declaration {
        distribution::declaration(
            "ConvertFromDistribution",
            "Multiplies Y and E of histograms by the width of their bins.",
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        distribution::set_distribution(false, context)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, y};

    #[test]
    fn widths_go_in_and_out() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("Function", "Multiple Peaks".into())]);
        let before = y(&s, 0);
        fixture.run("ConvertToDistribution", &[("Workspace", "s".into())]);
        fixture.run("ConvertFromDistribution", &[("Workspace", "s".into())]);
        assert_close(&y(&s, 0), &before);
        assert!(!matrix(&s).is_distribution());
    }
}
