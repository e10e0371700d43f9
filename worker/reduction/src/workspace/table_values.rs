//! Cells of a table as property values. Promises: a value is stored in its column's type or refused.

use std::sync::Arc;

use super::table::{ColumnValues, TableWorkspace};
use crate::error::{Result, invalid, outside};
use crate::value::Value;

impl ColumnValues {
    /// Value of a row; `Value::None` outside.
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

impl TableWorkspace {
    /// Value of a cell.
    ///
    /// # Errors
    /// `Index` outside the table.
    pub fn cell(&self, row: usize, column: usize) -> Result<Value> {
        self.check_row(row)?;
        match self.columns.get(column) {
            Some(column) => Ok(column.cells.get(row)),
            None => outside("column", column, self.columns.len()),
        }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// `InvalidArgument` or `Type` when the number or types of values do not fit the columns; the table is unchanged.
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

    /// Sets a cell.
    ///
    /// # Errors
    /// `Index` outside the table; `InvalidArgument` or `Type` for a value of another type.
    pub fn set_cell(&mut self, row: usize, column: usize, value: &Value) -> Result<()> {
        self.check_row(row)?;
        let count = self.columns.len();
        match Arc::make_mut(&mut self.columns).get_mut(column) {
            Some(column) => column.cells.set(row, value),
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
        let mut table = TableWorkspace::default();
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
