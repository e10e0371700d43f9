//! MergeRuns: the sum of several workspaces and of their runs' charges.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::rebin::rebin_to;
use crate::compute::arithmetic::{Operation, combine};
use crate::declaration::{Declaration, Kind, input, output};
use crate::error::{Result, failed};
use crate::workspace::data::same_row;
use crate::workspace::{Handle, MatrixWorkspace};

pub(crate) struct MergeRuns;

impl Algorithm for MergeRuns {
    fn declaration(&self) -> Declaration {
        Declaration::new("MergeRuns", 1, "Transforms\\Merging", "Adds workspaces; the first one's X is kept.")
            .with(input("InputWorkspaces", Kind::WorkspaceList, "The workspaces, or groups of them.").mandatory())
            .with(output("OutputWorkspace", Kind::Matrix, "The sum."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let mut inputs: Vec<Handle> = Vec::new();
        for handle in context.handles("InputWorkspaces")? {
            if handle.is_group() { inputs.extend(handle.members()) } else { inputs.push(handle) }
        }
        let mut sum: Option<MatrixWorkspace> = None;
        for handle in inputs {
            let next = handle.matrix()?;
            sum = Some(match sum {
                None => next,
                Some(sum) => {
                    let next = match (sum.is_events() && next.is_events(), sum.x(0)?) {
                        (false, x) if !next.is_events() && !same_row(&x, &next.x(0)?) => rebin_to(&next, |_| Ok(x.clone()), false, context)?,
                        _ => next,
                    };
                    combine(Operation::Plus, sum, next, context.cancel)?
                }
            });
        }
        match sum {
            Some(sum) => context.output("OutputWorkspace", sum),
            None => failed("InputWorkspaces names no workspace"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn the_documented_example_comes_out() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0, 3.0, 4.0], &[6.0, 15.0, 21.0, 9.0], 1);
        let out = bench.make("o", "MergeRuns", &[("InputWorkspaces", "a,a".into())]);
        close(&y(&out, 0), &[12.0, 30.0, 42.0, 18.0]);
    }
}
