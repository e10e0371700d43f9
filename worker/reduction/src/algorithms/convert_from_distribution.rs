//! ConvertFromDistribution: counts from counts per unit of X.

use crate::algorithm::{Algorithm, Context};
use crate::compute::map_values;
use crate::declaration::{Declaration, Kind, in_out};
use crate::error::{Result, failed};

pub(crate) struct ConvertFromDistribution;

impl Algorithm for ConvertFromDistribution {
    fn declaration(&self) -> Declaration {
        Declaration::new("ConvertFromDistribution", 1, "Transforms\\Distribution", "Multiplies Y and E of histograms by the width of their bins.")
            .with(in_out("Workspace", Kind::Matrix, "The workspace, which is changed."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let input = context.matrix("Workspace")?;
        if input.is_events() {
            return failed("Event workspaces cannot be directly converted to distributions.");
        }
        if !input.is_histogram_data() {
            return failed("The workspace holds points, which have no width: only histograms can be converted");
        }
        if !input.is_distribution() {
            return Ok(());
        }
        let mut out = map_values(&input, context.cancel, |_, x, y, e| {
            for ((pair, y), e) in x.windows(2).zip(y).zip(e) {
                let width = if let [a, b] = pair { b - a } else { 1.0 };
                let factor = if false { 1.0 / width } else { width };
                *y *= factor;
                *e *= factor;
            }
            Ok(())
        })?;
        out.set_distribution(false);
        context.change("Workspace", out)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::{Bench, close, m, y};

    #[test]
    fn widths_go_in_and_out() {
        let bench = Bench::new();
        let s = bench.sample("s", &[("Function", "Multiple Peaks".into())]);
        let before = y(&s, 0);
        bench.run("ConvertToDistribution", &[("Workspace", "s".into())]);
        assert!(m(&s).is_distribution());
        close(&y(&s, 0)[..1], &[0.0015]);
        close(&y(&s, 0)[60..61], &[0.0415]);
        bench.run("ConvertFromDistribution", &[("Workspace", "s".into())]);
        close(&y(&s, 0), &before);
        bench.sample("e", &[("WorkspaceType", "Event".into())]);
        let error = bench.try_run("ConvertFromDistribution", &[("Workspace", "e".into())]).unwrap_err();
        assert_eq!(error.to_string(), "Event workspaces cannot be directly converted to distributions.");
    }
}
