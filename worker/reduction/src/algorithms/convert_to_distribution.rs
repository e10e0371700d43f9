//! ConvertToDistribution: counts per unit of X from counts, Y = n / w and E = e / w.
//!
//! n and e are the counts of a bin and their standard deviation, w the bin's width in the unit of X. Source: Mantid's
//! page ConvertToDistribution v1.

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
        distribution::set_distribution(true, context)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{AlgorithmFixture, assert_close, matrix, y};

    // Mantid's page ConvertToDistribution v1.
    #[test]
    fn documented_numbers_come_out() {
        let fixture = AlgorithmFixture::new();
        let s = fixture.sample_workspace("s", &[("Function", "Multiple Peaks".into())]);
        for _ in 0..2 {
            // A distribution stays unchanged.
            fixture.run("ConvertToDistribution", &[("Workspace", "s".into())]);
            assert!(matrix(&s).is_distribution());
            assert_close(&y(&s, 0)[..1], &[0.0015]);
            assert_close(&y(&s, 0)[60..61], &[0.0415]);
        }
    }

    #[test]
    fn events_and_points_are_refused() {
        let fixture = AlgorithmFixture::new();
        fixture.sample_workspace("e", &[("WorkspaceType", "Event".into())]);
        for name in ["ConvertToDistribution", "ConvertFromDistribution"] {
            let error = fixture.try_run(name, &[("Workspace", "e".into())]).unwrap_err();
            assert_eq!(
                error.to_string(),
                "Event workspaces cannot be directly converted to distributions."
            );
            fixture.workspace("p", &[1.0, 2.0], &[1.0, 2.0], 1);
            assert!(fixture.try_run(name, &[("Workspace", "p".into())]).is_err());
        }
    }
}
