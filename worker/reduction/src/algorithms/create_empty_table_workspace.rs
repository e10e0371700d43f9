//! CreateEmptyTableWorkspace: a table without columns and rows.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, PropertyKind, output};
use crate::error::Result;
use crate::workspace::TableWorkspace;

pub(crate) struct CreateEmptyTableWorkspace;

impl Algorithm for CreateEmptyTableWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateEmptyTableWorkspace",
            1,
            "Utility\\Workspaces",
            "Creates a table without columns.",
        )
        .with(output(
            "OutputWorkspace",
            PropertyKind::Table,
            "Table without columns and rows.",
        ))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        context.output("OutputWorkspace", TableWorkspace::default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::AlgorithmFixture;

    #[test]
    fn tables_are_stored_and_are_no_spectra() {
        let fixture = AlgorithmFixture::new();
        let made = fixture.create("t", "CreateEmptyTableWorkspace", &[]);
        made.update_table(|table| table.add_column("int", "n")).unwrap();
        let held = fixture.service.data.retrieve("t").unwrap();
        assert_eq!(
            (held.table().unwrap().columns().len(), made.raw().id()),
            (1, "TableWorkspace")
        );
        let error = fixture.try_create("o", "Scale", &[("InputWorkspace", "t".into()), ("Factor", 2.0.into())]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "t is a TableWorkspace, not a MatrixWorkspace"
        );
    }
}
