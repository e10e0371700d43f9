//! A table: named columns of numbers or texts. Promises: every column has one value for each row; cloning shares the
//! columns. Must not know Python or algorithms.

use std::sync::Arc;

use crate::error::{Result, failed, invalid, outside};
use crate::value::Value;

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f64>),
    /// Truth values.
    Bools(Vec<bool>),
    /// Texts.
    Strs(Vec<String>),
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// The word for its type, as it was given: `int`, `double`, `str` and so on.
    pub kind: String,
    /// Its values.
    pub cells: Cells,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub struct Table {
    columns: Arc<Vec<TableColumn>>,
    rows: usize,
    title: String,
}

impl Cells {
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

    /// The value of a row; `Value::None` outside.
    pub fn get(&self, row: usize) -> Value {
        match self {
            Self::Ints(values) => values.get(row).map(|v| Value::Int(*v)),
            Self::Floats(values) => values.get(row).map(|v| Value::Float(*v)),
            Self::Bools(values) => values.get(row).map(|v| Value::Bool(*v)),
            Self::Strs(values) => values.get(row).map(|v| Value::Str(v.clone())),
        }
        .unwrap_or_default()
    }

    fn set(&mut self, row: usize, value: &Value) -> Result<()> {
        match self {
            Self::Ints(values) => put(values, row, value.to_int()?),
            Self::Floats(values) => put(values, row, value.to_float()?),
            Self::Bools(values) => put(values, row, value.to_bool()?),
            Self::Strs(values) => match value {
                Value::Str(text) => put(values, row, text.clone()),
                other => {
                    return invalid(format!("a text is needed in this column, not {}", other.kind_name()));
                }
            },
        }
        Ok(())
    }
}

fn put<T>(values: &mut [T], row: usize, value: T) {
    if let Some(slot) = values.get_mut(row) {
        *slot = value;
    }
}

impl Table {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns, in order.
    pub fn columns(&self) -> &[TableColumn] {
        &self.columns
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Sets the title.
    pub fn set_title(&mut self, title: &str) {
        title.clone_into(&mut self.title);
    }

    /// The index of the column of this name.
    ///
    /// # Errors
    /// When there is none.
    pub fn index_of(&self, name: &str) -> Result<usize> {
        match self.columns.iter().position(|column| column.name == name) {
            Some(index) => Ok(index),
            None => failed(format!("Column {name} does not exist.")),
        }
    }

    /// A cell.
    ///
    /// # Errors
    /// `Index` when there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> Result<Value> {
        self.check(row)?;
        match self.columns.get(column) {
            Some(held) => Ok(held.cells.get(row)),
            None => outside("column", column, self.columns.len()),
        }
    }

    fn check(&self, row: usize) -> Result<()> {
        if row < self.rows {
            Ok(())
        } else {
            outside("row", row, self.rows)
        }
    }

    /// Adds a column of zeros or empty texts.
    ///
    /// # Errors
    /// When the type is not known, or the name is taken.
    pub fn add_column(&mut self, kind: &str, name: &str) -> Result<()> {
        let Some(mut cells) = Cells::of_kind(kind) else {
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

    /// Removes a column.
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn remove_column(&mut self, name: &str) -> Result<()> {
        let index = self.index_of(name)?;
        Arc::make_mut(&mut self.columns).remove(index);
        Ok(())
    }

    /// Sets the number of rows; new ones hold zeros and empty texts.
    pub fn set_rows(&mut self, rows: usize) {
        self.rows = rows;
        for column in Arc::make_mut(&mut self.columns) {
            column.cells.resize(rows);
        }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When there is not one value for each column, or one is of another type; the table is then as it was.
    pub fn add_row(&mut self, values: &[Value]) -> Result<()> {
        if values.len() != self.columns.len() {
            return invalid(format!(
                "{} values were given for {} columns",
                values.len(),
                self.columns.len()
            ));
        }
        let row = self.rows;
        self.set_rows(row + 1);
        for (column, value) in values.iter().enumerate() {
            if let Err(error) = self.set_cell(row, column, value) {
                self.set_rows(row);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes a row.
    ///
    /// # Errors
    /// `Index` when there is no such row.
    pub fn remove_row(&mut self, row: usize) -> Result<()> {
        self.check(row)?;
        for column in Arc::make_mut(&mut self.columns) {
            column.cells.remove(row);
        }
        self.rows -= 1;
        Ok(())
    }

    /// Sets a cell.
    ///
    /// # Errors
    /// `Index` when there is no such row or column; when the value is of another type.
    pub fn set_cell(&mut self, row: usize, column: usize, value: &Value) -> Result<()> {
        self.check(row)?;
        let count = self.columns.len();
        match Arc::make_mut(&mut self.columns).get_mut(column) {
            Some(held) => held.cells.set(row, value),
            None => outside("column", column, count),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn rows_fill_all_columns_or_none() {
        let mut table = Table::default();
        table.add_column("int", "n").unwrap();
        table.add_row(&[7.into()]).unwrap();
        table.add_column("str", "word").unwrap();
        table.add_column("double", "x").unwrap();
        let former = table.clone();
        table.add_row(&[8.into(), "eight".into(), 0.5.into()]).unwrap();
        assert_eq!((table.rows(), former.rows()), (2, 1));
        assert_eq!(table.cell(0, 1).unwrap().to_text(), "");
        assert_eq!(table.cell(1, 2).unwrap().to_float().unwrap(), 0.5);
        assert!(table.add_row(&[9.into(), "nine".into()]).is_err());
        assert!(table.add_row(&[9.into(), 9.into(), 9.into()]).is_err());
        assert_eq!(table.rows(), 2);
        table.remove_row(0).unwrap();
        table.remove_column("x").unwrap();
        assert_eq!(table.cell(0, 0).unwrap().to_int().unwrap(), 8);
        assert!(table.cell(1, 0).is_err() && table.cell(0, 2).is_err());
        assert!(table.add_column("matrix", "m").is_err() && table.add_column("int", "n").is_err());
        assert!(table.index_of("x").is_err());
    }
}
