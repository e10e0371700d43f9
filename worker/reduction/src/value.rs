//! What a property of an algorithm can hold. Promises: conversions between the kinds follow what Mantid's property
//! manager accepts (text for anything, numbers for numbers, lists joined by commas for text); must not know Python.

use crate::error::{AlgorithmError, Result, invalid};
use crate::workspace::Handle;

/// A value given to, or taken from, a property.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Nothing was given.
    #[default]
    None,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A text; for a workspace property, the workspace's name.
    Str(String),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f64>),
    /// Texts.
    Strs(Vec<String>),
    /// A workspace.
    Workspace(Handle),
    /// Several workspaces.
    Workspaces(Vec<Handle>),
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
impl From<Handle> for Value {
    fn from(handle: Handle) -> Self {
        Self::Workspace(handle)
    }
}
impl From<&Handle> for Value {
    fn from(handle: &Handle) -> Self {
        Self::Workspace(handle.clone())
    }
}

impl Value {
    /// Whether nothing was given.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The kind of the value, in words.
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

    /// The value as text, as `getPropertyValue` and histories print it.
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

    /// As a truth value: `True`, `true`, `1`, numbers.
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

    /// As a whole number. A fraction is refused.
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

    /// As a number.
    pub fn to_float(&self) -> Result<f64> {
        match self {
            Self::Bool(flag) => Ok(f64::from(u8::from(*flag))),
            Self::Int(number) => Ok(*number as f64),
            Self::Float(number) => Ok(*number),
            Self::Str(text) => parse_float(text),
            other => wrong_type(other, "a number"),
        }
    }

    /// As text: numbers printed, lists joined by commas.
    pub fn to_str(&self) -> Result<String> {
        match self {
            Self::Workspaces(_) => wrong_type(self, "a string"),
            other => Ok(other.to_text()),
        }
    }

    /// As whole numbers: a list, one number, or text such as `1,3,5-8`.
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

    /// As numbers: a list, one number, or text separated by commas.
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

    /// As texts: a list, or one text split at commas.
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

/// The largest list that one range in a text may expand to: more than any instrument has detectors.
const LONGEST_RANGE: i64 = 20_000_000;

/// Reads `1,3,5-8,10:12`; both `-` and `:` make a range with both ends in it.
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
        if length > LONGEST_RANGE {
            return invalid(format!(
                "the range {item} is too long: it may hold at most {LONGEST_RANGE} numbers"
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
