//! Table workspace: named columns of one type each. Promises: every column has one value for each row; clones share their
//! columns. Must not: know Python or algorithms. Single cells are read and written in `table_values`.

use std::sync::Arc;

use crate::error::{Result, failed, invalid, outside};

/// Values of a column, one for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Bools(Vec<bool>),
    Strs(Vec<String>),
}

/// Column of a table; all values are of one type.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    pub name: String,
    /// Type name as the script gave it: `int`, `double`, `str` and so on.
    pub kind: String,
    pub cells: ColumnValues,
}

/// Table of named columns: Mantid's `TableWorkspace`.
#[derive(Debug, Clone, Default)]
pub struct TableWorkspace {
    pub(super) columns: Arc<Vec<TableColumn>>,
    pub(super) rows: usize,
    title: String,
}

impl ColumnValues {
    fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "int" | "uint" | "long" | "long64" | "size_t" => Self::Ints(Vec::new()),
            "double" | "float" => Self::Floats(Vec::new()),
            "bool" => Self::Bools(Vec::new()),
            "str" => Self::Strs(Vec::new()),
            _ => return None,
        })
    }

    fn resize(&mut self, rows: usize) {
        match self {
            Self::Ints(values) => values.resize(rows, 0),
            Self::Floats(values) => values.resize(rows, 0.0),
            Self::Bools(values) => values.resize(rows, false),
            Self::Strs(values) => values.resize(rows, String::new()),
        }
    }

    fn remove(&mut self, row: usize) {
        match self {
            Self::Ints(values) => drop(values.remove(row)),
            Self::Floats(values) => drop(values.remove(row)),
            Self::Bools(values) => drop(values.remove(row)),
            Self::Strs(values) => drop(values.remove(row)),
        }
    }
}

impl TableWorkspace {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns in order of their addition.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// Title, empty by default.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Sets the title; an empty text stands for none.
    pub fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// Index of a column by name.
    ///
    /// # Errors
    /// `Execution` without such a column.
    pub fn index_of(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column.name == name) {
            Some(index) => Ok(index),
            None => failed(format!("Column {name} does not exist.")),
        }
    }

    pub(super) fn check_row(&self, row: usize) -> Result<()> {
        if row < self.rows {
            Ok(())
        } else {
            outside("row", row, self.rows)
        }
    }

    /// Adds a column of zeros, `false` or empty texts.
    ///
    /// # Errors
    /// `InvalidArgument` for an unknown type or a taken name.
    pub fn add_column(&mut self, kind: &str, name: &str) -> Result<()> {
        let Some(mut cells) = ColumnValues::of_kind(kind) else {
            return invalid(format!(
                "{kind} is no type of a column: the known ones are bool, double, float, int, long64, size_t and str"
            ));
        };
        if self.index_of(name).is_ok() {
            return invalid(format!("Column with name {name} already exists."));
        }
        cells.resize(self.rows);
        Arc::make_mut(&mut self.columns).push(TableColumn {
            name: name.to_owned(),
            kind: kind.to_owned(),
            cells,
        });
        Ok(())
    }

    /// Removes a column by name.
    ///
    /// # Errors
    /// `Execution` without such a column.
    pub fn remove_column(&mut self, name: &str) -> Result<()> {
        let index = self.index_of(name)?;
        Arc::make_mut(&mut self.columns).remove(index);
        Ok(())
    }

    /// Sets the number of rows; new rows have zeros, `false` and empty texts.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        for column in Arc::make_mut(&mut self.columns) {
            column.cells.resize(rows);
        }
    }

    /// Removes a row.
    ///
    /// # Errors
    /// `Index` outside the table.
    pub fn remove_row(&mut self, row: usize) -> Result<()> {
        self.check_row(row)?;
        for column in Arc::make_mut(&mut self.columns) {
            column.cells.remove(row);
        }
        self.rows -= 1;
        Ok(())
    }
}
