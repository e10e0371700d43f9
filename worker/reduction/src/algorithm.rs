//! The interface of algorithms. Promises: an algorithm reads its properties from a [`Context`] and sets its outputs
//! there; nothing in the data service changes before it has succeeded. Must not: know which algorithms exist.

pub(crate) use crate::context::Context;

use crate::declaration::Declaration;
use crate::error::Result;

/// Algorithm as the registry lists it: stateless and shared by all executions.
pub(crate) trait Algorithm: Send + Sync {
    /// Name, version and properties, the same at every call.
    fn declaration(&self) -> Declaration;

    /// Problems of several properties together, as pairs of property name and sentence; empty when valid.
    fn cross_check(&self, _context: &Context<'_>) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// True if a group given as input is processed member by member; false if the algorithm takes the group itself.
    fn by_member(&self) -> bool {
        true
    }

    /// True if executions enter the history of the workspaces that they make or change.
    fn records_history(&self) -> bool {
        true
    }

    /// Computes the outputs and sets them in the context.
    fn exec(&self, context: &mut Context<'_>) -> Result<()>;
}
