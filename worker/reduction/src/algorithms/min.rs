//! Min: the lowest value of each spectrum over a range of X, with its bin.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::max_min::{Extreme, declaration, extremes};
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct Min;

impl Algorithm for Min {
    fn declaration(&self) -> Declaration {
        declaration("Min", "Finds the lowest value of each spectrum.")
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        extremes(context, Extreme::Lowest)
    }
}
