//! Declaration and conversion that ConvertToDistribution and ConvertFromDistribution share.
//!
//! Must not change workspaces whose distribution flag already has the wanted value.

use crate::algorithm::Context;
use crate::compute::map_values;
use crate::declaration::{Declaration, PropertyKind, in_out};
use crate::error::{Result, failed};

/// Declaration with the one property `Workspace`, changed in place.
pub(crate) fn declaration(name: &'static str, summary: &'static str) -> Declaration {
    Declaration::new(name, 1, "Transforms\\Distribution", summary).with(in_out(
        "Workspace",
        PropertyKind::Matrix,
        "Workspace of histograms, changed in place.",
    ))
}

/// Divides Y and E by the bins' widths for a distribution, or multiplies them for counts.
///
/// # Errors
/// `Execution` for events and for points, which have no width.
pub(crate) fn set_distribution(to_distribution: bool, context: &mut Context<'_>) -> Result<()> {
    let input = context.matrix("Workspace")?;
    if input.is_events() {
        return failed("Event workspaces cannot be directly converted to distributions.");
    }
    if !input.is_histogram_data() {
        return failed("The workspace holds points, which have no width: only histograms can be converted");
    }
    if input.is_distribution() == to_distribution {
        return Ok(());
    }
    let mut out = map_values(&input, context.cancel, |_, x, y, e| {
        for ((pair, y), e) in x.windows(2).zip(y).zip(e) {
            let width = if let [a, b] = pair { b - a } else { 1.0 };
            let factor = if to_distribution { 1.0 / width } else { width };
            *y *= factor;
            *e *= factor;
        }
        Ok(())
    })?;
    out.set_distribution(to_distribution);
    context.change("Workspace", out)
}
