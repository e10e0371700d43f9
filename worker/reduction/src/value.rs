//! Values of properties. Promises: conversions follow Mantid's property manager: text for every type, numbers for numbers,
//! lists joined by commas for text. Must not: know Python.

use crate::error::{AlgorithmError, Result, invalid};
use crate::workspace::WorkspaceHandle;

/// Value of an algorithm's property, with the conversions of Mantid's property manager.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Unset.
    #[default]
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text; the name of a workspace for a workspace property.
    Str(String),
    Ints(Vec<i64>),
    Floats(Vec<f64>),
    Strs(Vec<String>),
    Workspace(WorkspaceHandle),
    Workspaces(Vec<WorkspaceHandle>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}
impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}
impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}
impl From<Vec<f64>> for Value {
    fn from(numbers: Vec<f64>) -> Self {
        Self::Floats(numbers)
    }
}
impl From<Vec<i64>> for Value {
    fn from(numbers: Vec<i64>) -> Self {
        Self::Ints(numbers)
    }
}
impl From<Vec<String>> for Value {
    fn from(texts: Vec<String>) -> Self {
        Self::Strs(texts)
    }
}
impl From<WorkspaceHandle> for Value {
    fn from(handle: WorkspaceHandle) -> Self {
        Self::Workspace(handle)
    }
}
impl From<&WorkspaceHandle> for Value {
    fn from(handle: &WorkspaceHandle) -> Self {
        Self::Workspace(handle.clone())
    }
}

impl Value {
    /// True if unset.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Type with article for error messages, such as "a list of integers".
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Str(_) => "a string",
            Self::Ints(_) => "a list of integers",
            Self::Floats(_) => "a list of numbers",
            Self::Strs(_) => "a list of strings",
            Self::Workspace(_) => "a workspace",
            Self::Workspaces(_) => "a list of workspaces",
        }
    }

    /// Text as `getPropertyValue` and histories print it: `true` as 1, lists joined by commas, workspaces by name.
    pub fn to_text(&self) -> String {
        fn join<T: ToString>(items: &[T]) -> String {
            items.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
        }
        match self {
            Self::None => String::new(),
            Self::Bool(flag) => if *flag { "1" } else { "0" }.to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Str(text) => text.clone(),
            Self::Ints(items) => join(items),
            Self::Floats(items) => join(items),
            Self::Strs(items) => items.join(","),
            Self::Workspace(handle) => handle.name(),
            Self::Workspaces(handles) => handles.iter().map(|h| h.name()).collect::<Vec<_>>().join(","),
        }
    }

    /// Value as a boolean: the text `1`, `0`, `true` or `false` in any letter case, or a number (0 is false).
    ///
    /// # Errors
    /// `InvalidArgument` for another text; `Type` for another type.
    pub fn to_bool(&self) -> Result<bool> {
        match self {
            Self::Bool(flag) => Ok(*flag),
            Self::Int(number) => Ok(*number != 0),
            Self::Float(number) => Ok(*number != 0.0),
            Self::Str(text) => match text.trim().to_ascii_lowercase().as_str() {
                "1" | "true" => Ok(true),
                "0" | "false" => Ok(false),
                _ => invalid(format!("Could not set property. Can not convert \"{text}\" to bool")),
            },
            other => wrong_type(other, "a bool"),
        }
    }

    /// Value as an integer: a number without fraction, or a text that spells one.
    ///
    /// # Errors
    /// `Type` for a fraction or another type; `InvalidArgument` for a text that spells none.
    pub fn to_int(&self) -> Result<i64> {
        match self {
            Self::Bool(flag) => Ok(i64::from(*flag)),
            Self::Int(number) => Ok(*number),
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(*number as i64),
            Self::Float(number) => Err(AlgorithmError::Type(format!("{number} is not an integer"))),
            Self::Str(text) => parse_int(text),
            other => wrong_type(other, "an integer"),
        }
    }

    /// Value as a number, also of a text that spells one.
    ///
    /// # Errors
    /// `InvalidArgument` for a text that spells none; `Type` for another type.
    pub fn to_float(&self) -> Result<f64> {
        match self {
            Self::Bool(flag) => Ok(f64::from(u8::from(*flag))),
            Self::Int(number) => Ok(*number as f64),
            Self::Float(number) => Ok(*number),
            Self::Str(text) => parse_float(text),
            other => wrong_type(other, "a number"),
        }
    }

    /// Text, as [`Self::to_text`].
    ///
    /// # Errors
    /// `Type` for a list of workspaces.
    pub fn to_str(&self) -> Result<String> {
        match self {
            Self::Workspaces(_) => wrong_type(self, "a string"),
            other => Ok(other.to_text()),
        }
    }

    /// Value as integers: a list, one number, or a text such as `1,3,5-8`.
    ///
    /// # Errors
    /// Those of [`Self::to_int`].
    pub fn to_ints(&self) -> Result<Vec<i64>> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Ints(items) => Ok(items.clone()),
            Self::Floats(items) => items.iter().map(|v| Self::Float(*v).to_int()).collect(),
            Self::Strs(items) => items.iter().map(|text| parse_int(text)).collect(),
            Self::Str(text) => parse_int_list(text),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => Ok(vec![self.to_int()?]),
            other => wrong_type(other, "a list of integers"),
        }
    }

    /// Value as numbers: a list, one number, or a text separated by commas.
    ///
    /// # Errors
    /// Those of [`Self::to_float`].
    pub fn to_floats(&self) -> Result<Vec<f64>> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Ints(items) => Ok(items.iter().map(|v| *v as f64).collect()),
            Self::Floats(items) => Ok(items.clone()),
            Self::Strs(items) => items.iter().map(|text| parse_float(text)).collect(),
            Self::Str(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(parse_float)
                .collect(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => Ok(vec![self.to_float()?]),
            other => wrong_type(other, "a list of numbers"),
        }
    }

    /// Value as texts: a list, or one text split at commas.
    ///
    /// # Errors
    /// Those of [`Self::to_str`].
    pub fn to_strs(&self) -> Result<Vec<String>> {
        match self {
            Self::None => Ok(Vec::new()),
            Self::Strs(items) => Ok(items.clone()),
            Self::Str(text) => Ok(text
                .split(',')
                .map(|item| item.trim().to_owned())
                .filter(|item| !item.is_empty())
                .collect()),
            Self::Ints(items) => Ok(items.iter().map(ToString::to_string).collect()),
            Self::Floats(items) => Ok(items.iter().map(ToString::to_string).collect()),
            other => Ok(vec![other.to_str()?]),
        }
    }
}

fn wrong_type<T>(value: &Value, wanted: &str) -> Result<T> {
    Err(AlgorithmError::Type(format!(
        "{wanted} is needed here, not {}",
        value.kind_name()
    )))
}

fn parse_int(text: &str) -> Result<i64> {
    text.trim()
        .parse()
        .or_else(|_| invalid(format!("Could not set property. Can not convert \"{text}\" to int")))
}

fn parse_float(text: &str) -> Result<f64> {
    text.trim()
        .parse()
        .or_else(|_| invalid(format!("Could not set property. Can not convert \"{text}\" to double")))
}

/// Largest length of a range, above the number of detectors of any instrument.
const MAX_RANGE: i64 = 20_000_000;

/// Integers of a text such as `1,3,5-8,10:12`; `-` and `:` are ranges with both ends.
pub(crate) fn parse_int_list(text: &str) -> Result<Vec<i64>> {
    let mut out = Vec::new();
    for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let separator = item.char_indices().skip(1).find(|(_, c)| *c == '-' || *c == ':');
        let Some((at, _)) = separator else {
            out.push(parse_int(item)?);
            continue;
        };
        let first = parse_int(&item[..at])?;
        let last = parse_int(item.get(at + 1..).unwrap_or_default())?;
        let step = if last >= first { 1 } else { -1 };
        let length = last.saturating_sub(first).saturating_abs();
        if length > MAX_RANGE {
            return invalid(format!(
                "the range {item} is too long: it may hold at most {MAX_RANGE} numbers"
            ));
        }
        out.extend((0..=length).map(|k| first + k * step));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn lists_of_integers_have_ranges() {
        assert_eq!(
            Value::from("0-3, 10-13").to_ints().unwrap(),
            [0, 1, 2, 3, 10, 11, 12, 13]
        );
        assert_eq!(Value::from("-2:1").to_ints().unwrap(), [-2, -1, 0, 1]);
        assert!(Value::from("1-99999999999").to_ints().is_err());
        assert!(Value::from("1-").to_ints().is_err());
        assert!(Value::from("ä-ö").to_ints().is_err());
    }

    #[test]
    fn numbers_convert_and_fractions_are_no_integers() {
        assert_eq!(Value::from(2.0).to_int().unwrap(), 2);
        assert!(Value::from(2.5).to_int().is_err());
        assert_eq!(Value::from("1, 2.5").to_floats().unwrap(), [1.0, 2.5]);
        assert_eq!(Value::from(vec![1.0, 0.5]).to_str().unwrap(), "1,0.5");
        assert!(Value::from("yes").to_bool().is_err());
    }
}
