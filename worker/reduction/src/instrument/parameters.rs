//! Parameters of components. Promises: numbers and texts are told apart once, when they are read; a parameter that is
//! computed from a log keeps its formula as text. Must not evaluate formulas.

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A truth value.
    Flag(bool),
    /// A value that comes from a log: the log's name and the formula or way of extracting it.
    FromLog {
        /// The log's name.
        log: String,
        /// The formula in `value`, or what to take of the log (`mean`, `last_value` …).
        how: String,
    },
}

impl Parameter {
    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Flag(_) | Self::FromLog { .. } => None,
        }
    }

    /// The value as text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::FromLog { log, how } => format!("{how} of {log}"),
        }
    }
}
