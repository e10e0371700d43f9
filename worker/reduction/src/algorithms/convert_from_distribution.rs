//! ConvertFromDistribution: counts from counts per unit of X.

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
        distribution::convert(false, context)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, m, y};

    #[test]
    fn widths_go_in_and_out() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("Function", "Multiple Peaks".into())]);
        let before = y(&s, 0);
        bench.run("ConvertToDistribution", &[("Workspace", "s".into())]);
        bench.run("ConvertFromDistribution", &[("Workspace", "s".into())]);
        close(&y(&s, 0), &before);
        assert!(!m(&s).is_distribution());
    }
}
