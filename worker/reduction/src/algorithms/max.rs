//! Max: the highest value of each spectrum over a range of X, with its bin.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::max_min::{Extreme, declaration, extremes};
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct Max;

impl Algorithm for Max {
    fn declaration(&self) -> Declaration {
        declaration("Max", "Finds the highest value of each spectrum.")
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        extremes(context, Extreme::Highest)
    }
}
