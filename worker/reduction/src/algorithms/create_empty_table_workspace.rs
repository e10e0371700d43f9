//! CreateEmptyTableWorkspace: a table without columns and rows, which the caller adds.

use crate::algorithm::{Algorithm, Context};
use crate::declaration::{Declaration, Kind, output};
use crate::error::Result;
use crate::workspace::Table;

pub(crate) struct CreateEmptyTableWorkspace;

impl Algorithm for CreateEmptyTableWorkspace {
    fn declaration(&self) -> Declaration {
        Declaration::new(
            "CreateEmptyTableWorkspace",
            1,
            "Utility\\Workspaces",
            "Makes a table without columns.",
        )
        .with(output("OutputWorkspace", Kind::Table, "The table."))
    }

    fn exec(&self, context: &mut Context<'_>) -> Result<()> {
        context.output("OutputWorkspace", Table::default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::algorithms::testing::Bench;

    #[test]
    fn tables_are_stored_and_are_no_spectra() {
        let bench = Bench::new();
        let made = bench.make("t", "CreateEmptyTableWorkspace", &[]);
        made.update_table(|table| table.add_column("int", "n")).unwrap();
        let held = bench.service.data.retrieve("t").unwrap();
        assert_eq!(
            (held.table().unwrap().columns().len(), made.raw().id()),
            (1, "TableWorkspace")
        );
        let error = bench.try_make("o", "Scale", &[("InputWorkspace", "t".into()), ("Factor", 2.0.into())]);
        assert_eq!(
            error.unwrap_err().to_string(),
            "t is a TableWorkspace, not a MatrixWorkspace"
        );
    }
}
