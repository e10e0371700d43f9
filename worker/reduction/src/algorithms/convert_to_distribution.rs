//! ConvertToDistribution: counts as counts per unit of X.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::distribution;
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct ConvertToDistribution;

impl Algorithm for ConvertToDistribution {
    fn declaration(&self) -> Declaration {
        distribution::declaration(
            "ConvertToDistribution",
            "Divides Y and E of histograms by the width of their bins.",
        )
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        distribution::convert(true, context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, y};

    #[test]
    fn documented_numbers_come_out() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("Function", "Multiple Peaks".into())]);
        for _ in 0..2 {
            // What is a distribution already stays as it is.
            bench.run("ConvertToDistribution", &[("Workspace", "s".into())]);
            assert!(m(&s).is_distribution());
            close(&y(&s, 0)[..1], &[0.0015]);
            close(&y(&s, 0)[60..61], &[0.0415]);
        }
    }

    #[test]
    fn events_and_points_are_refused() {
        let bench = Bench::new();
        bench.sample("e", &[("WorkspaceType", "Event".into())]);
        for name in ["ConvertToDistribution", "ConvertFromDistribution"] {
            let error = bench.try_run(name, &[("Workspace", "e".into())]).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Event workspaces cannot be directly converted to distributions."
            );
            bench.workspace("p", &[1.0, 2.0], &[1.0, 2.0], 1);
            assert!(bench.try_run(name, &[("Workspace", "p".into())]).is_err());
        }
    }
}
