//! Values of an algorithm's properties. Promises: every stored value was converted and validated by its declaration.
//! Must not: look up workspaces.

use std::sync::Arc;

use crate::declaration::Declaration;
use crate::error::{AlgorithmError, Result, failed};
use crate::value::Value;

/// Declaration of an algorithm with the values set so far, in the declaration's order.
#[derive(Clone)]
pub(crate) struct PropertyValues {
    pub(crate) declaration: Arc<Declaration>,
    pub(crate) values: Vec<Option<Value>>,
}

impl PropertyValues {
    pub(crate) fn new(declaration: Arc<Declaration>) -> Self {
        let values = vec![None; declaration.properties.len()];
        Self { declaration, values }
    }

    /// Sets a property, converted to its type; `Value::None` leaves it unchanged.
    ///
    /// # Errors
    /// `Type` for an unknown property or a value of another type; `InvalidArgument` when the validator refuses it.
    pub(crate) fn set(&mut self, name: &str, value: Value) -> Result<()> {
        let declaration = self.declaration.clone();
        let Some(index) = declaration.index_of(name) else {
            return Err(AlgorithmError::Type(format!(
                "'{name}' is an invalid keyword argument for {}-v{}",
                declaration.name, declaration.version
            )));
        };
        if value.is_none() {
            return Ok(());
        }
        let Some(property) = declaration.properties.get(index) else {
            return Ok(());
        };
        let converted = property.convert(value)?;
        if let Some(stored) = self.values.get_mut(index) {
            *stored = Some(converted);
        }
        Ok(())
    }

    /// Value that was set, else the default.
    ///
    /// # Errors
    /// `Execution` for an unknown property.
    pub(crate) fn get(&self, name: &str) -> Result<Value> {
        let Some(index) = self.declaration.index_of(name) else {
            return failed(format!("Unknown property search object {name}"));
        };
        let set = self.values.get(index).cloned().flatten();
        let default = || self.declaration.properties.get(index).map(|p| p.default.clone());
        Ok(set.or_else(default).unwrap_or_default())
    }

    /// True while no value was set.
    pub(crate) fn is_default(&self, name: &str) -> bool {
        self.declaration
            .index_of(name)
            .and_then(|index| self.values.get(index))
            .is_none_or(Option::is_none)
    }
}
