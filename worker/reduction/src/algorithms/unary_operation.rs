//! Declaration and evaluation that Exponential, Logarithm and Power share.

use crate::algorithm::Context;
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, input, output};
use crate::error::Result;

/// Declaration with the two workspace properties of a function of Y.
pub(crate) fn declaration(name: &'static str, summary: &'static str) -> Declaration {
    Declaration::new(name, 1, "Arithmetic", summary)
        .with(input(
            "InputWorkspace",
            PropertyKind::Matrix,
            "Workspace of histograms, points or events.",
        ))
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Result bin by bin; events are histogrammed first.",
        ))
}

/// Replaces (Y, E) of each bin by `function(Y, E)`.
pub(crate) fn evaluate(context: &mut Context<'_>, function: impl Fn(f64, f64) -> (f64, f64) + Sync) -> Result<()> {
    let out = map_values(&context.matrix("InputWorkspace")?, context.cancel, |_, _, y, e| {
        for (y, e) in y.iter_mut().zip(e) {
            (*y, *e) = function(*y, *e);
        }
        Ok(())
    })?;
    context.output("OutputWorkspace", out)
}
