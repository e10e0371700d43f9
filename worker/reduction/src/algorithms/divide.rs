//! Divide: the quotient of two workspaces, with their uncertainties; the right one may be a value, a spectrum or a column.

use crate::algorithm::{Algorithm, Context};
use crate::algorithms::binary::{declaration, execute};
use crate::compute::arithmetic::Operation;
use crate::declaration::Declaration;
use crate::error::Result;

pub(crate) struct Divide;

impl Algorithm for Divide {
    fn declaration(&self) -> Declaration {
        declaration("Divide", "Divides one workspace by another.")
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        execute(Operation::Divide, context)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, close, y};

    #[test]
    fn it_takes_a_single_value() {
        let bench = Bench::new();
        bench.workspace("a", &[0.0, 1.0, 2.0], &[1.0, 2.0], 1);
        bench.make("v", "CreateSingleValuedWorkspace", &[("DataValue", 2.5.into())]);
        let out = bench.make("o", "Divide", &[("LHSWorkspace", "a".into()), ("RHSWorkspace", "v".into())]);
        close(&y(&out, 0), &[1.0, 2.0].map(|v: f64| v / 2.5));
    }
}
