//! CreateSingleValuedWorkspace: one number with its standard deviation.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, option, output};
use crate::error::Result;
use crate::workspace::MatrixWorkspace;

pub(crate) struct CreateSingleValuedWorkspace;

impl Algorithm for CreateSingleValuedWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateSingleValuedWorkspace",
            1,
            "Utility\\Workspaces",
            "Creates a workspace of one number.",
        )
        .with(output(
            "OutputWorkspace",
            PropertyKind::Matrix,
            "Workspace with one value and without instrument.",
        ))
        .with(option("DataValue", PropertyKind::Float, 0.0, "Value of Y."))
        .with(option(
            "ErrorValue",
            PropertyKind::Float,
            0.0,
            "Standard deviation of Y.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        let workspace = MatrixWorkspace::single_value(context.float("DataValue")?, context.float("ErrorValue")?);
        context.output("OutputWorkspace", workspace)
    }
}

#[cfg(test)]
mod tests {
    use crate::algorithms::testing::{AlgorithmFixture, e, matrix, y};

    #[test]
    fn it_holds_one_number() {
        let fixture = AlgorithmFixture::new();
        let made = fixture.create(
            "a",
            "CreateSingleValuedWorkspace",
            &[("DataValue", 2.5.into()), ("ErrorValue", 0.5.into())],
        );
        assert_eq!(
            (matrix(&made).id(), y(&made, 0), e(&made, 0)),
            ("WorkspaceSingleValue", vec![2.5], vec![0.5])
        );
        let zero = fixture.create("a", "CreateSingleValuedWorkspace", &[]);
        assert_eq!((y(&zero, 0), e(&zero, 0)), (vec![0.0], vec![0.0]));
    }
}
