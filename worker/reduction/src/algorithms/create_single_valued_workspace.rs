//! CreateSingleValuedWorkspace: one number with its uncertainty.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, option, output};
use crate::error::Result;
use crate::workspace::MatrixWorkspace;

pub(crate) struct CreateSingleValuedWorkspace;

impl Algorithm for CreateSingleValuedWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateSingleValuedWorkspace",
            1,
            "Utility\\Workspaces",
            "Makes a workspace of one number.",
        )
        .with(output("OutputWorkspace", Kind::Matrix, "The workspace."))
        .with(option("DataValue", Kind::Float, 0.0, "The number."))
        .with(option("ErrorValue", Kind::Float, 0.0, "Its standard deviation."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let workspace = MatrixWorkspace::single_value(context.float("DataValue")?, context.float("ErrorValue")?);
        context.output("OutputWorkspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{Bench, e, m, y};

    #[test]
    fn it_holds_one_number() {
        let bench = Bench::new();
        let made = bench.make(
            "a",
            "CreateSingleValuedWorkspace",
            &[("DataValue", 2.5.into()), ("ErrorValue", 0.5.into())],
        );
        assert_eq!(
            (m(&made).id(), y(&made, 0), e(&made, 0)),
            ("WorkspaceSingleValue", vec![2.5], vec![0.5])
        );
        let zero = bench.make("a", "CreateSingleValuedWorkspace", &[]);
        assert_eq!((y(&zero, 0), e(&zero, 0)), (vec![0.0], vec![0.0]));
    }
}
