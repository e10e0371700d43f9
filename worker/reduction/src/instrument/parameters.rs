//! Parameters of components. Promises: types are decided once, when a file is read; names are matched without regard to
//! case; a parameter from a log keeps its rule until logs are known. Must not: search ancestors.
//!
//! Source: Mantid's `ParameterMap` and concept page "Instrument Parameter File".

use std::collections::BTreeMap;

use super::formula::LogFormula;

/// Value of a component's parameter, or the rule that computes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    Number(f64),
    Integer(i64),
    Text(String),
    Flag(bool),
    /// Value to be computed from a log; replaced by `Number` once the log is known.
    FromLog(LogDerived),
}

/// Rule that computes a parameter from a log (`<logfile>`).
#[derive(Debug, Clone, PartialEq)]
pub struct LogDerived {
    pub log: String,
    pub statistic: LogStatistic,
    /// Formula of the statistic (`eq`); the statistic itself if `None`.
    pub formula: Option<LogFormula>,
}

/// Reduction of a time series to one number (`extract-single-value-as`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogStatistic {
    /// Arithmetic mean, without weights.
    Mean,
    /// Middle value, or the mean of both middle ones.
    Median,
    Minimum,
    Maximum,
    /// Oldest value.
    First,
    /// Newest value.
    Last,
}

impl LogStatistic {
    /// Statistic by its word in a definition; `Mean` for unknown words, as in Mantid.
    pub fn from_word(word: &str) -> Self {
        match word.trim() {
            "median" => Self::Median,
            "minimum" => Self::Minimum,
            "maximum" => Self::Maximum,
            "first_value" => Self::First,
            "last_value" => Self::Last,
            _ => Self::Mean,
        }
    }

    /// Statistic of values, oldest first; `None` without values.
    pub fn of(self, values: &[f64]) -> Option<f64> {
        let count = values.len() as f64;
        match self {
            Self::First => values.first().copied(),
            Self::Last => values.last().copied(),
            Self::Minimum => values.iter().copied().reduce(f64::min),
            Self::Maximum => values.iter().copied().reduce(f64::max),
            Self::Mean => (!values.is_empty()).then(|| values.iter().sum::<f64>() / count),
            Self::Median => {
                let mut sorted = values.to_vec();
                sorted.sort_by(f64::total_cmp);
                let middle = sorted.len() / 2;
                let upper = sorted.get(middle).copied()?;
                match sorted.len() % 2 {
                    0 => sorted.get(middle - 1).map(|lower| (lower + upper) / 2.0),
                    _ => Some(upper),
                }
            }
        }
    }
}

impl Parameter {
    /// Value as a number, also of a text that spells one; `None` for flags and unresolved log rules.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Flag(_) | Self::FromLog(_) => None,
        }
    }

    /// Value as text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::FromLog(from) => format!("from the log {}", from.log),
        }
    }

    /// Type name of Mantid: `double`, `int`, `string` or `bool`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::FromLog(_) => "double",
            Self::Integer(_) => "int",
            Self::Text(_) => "string",
            Self::Flag(_) => "bool",
        }
    }
}

/// Parameters of one owner by name in lower case.
pub type ComponentParameters = BTreeMap<String, Parameter>;

/// Parameters of an instrument by owner: Mantid's `ParameterMap`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParameterMap {
    by_name: BTreeMap<String, ComponentParameters>,
    by_component: BTreeMap<u32, ComponentParameters>,
    by_detector: BTreeMap<i32, ComponentParameters>,
    /// Names as first written, by name in lower case.
    original_names: BTreeMap<String, String>,
}

/// Owner of a parameter, found by name, component index or detector id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterOwner<'a> {
    /// Every component and detector with this name.
    Name(&'a str),
    /// Component by index.
    Component(u32),
    /// Detector by id.
    Detector(i32),
}

impl ParameterMap {
    /// Adds or replaces a parameter; `name` is matched without regard to case.
    pub fn set(&mut self, owner: ParameterOwner<'_>, name: &str, value: Parameter) {
        let own = match owner {
            ParameterOwner::Name(owner) => self.by_name.entry(owner.to_owned()).or_default(),
            ParameterOwner::Component(index) => self.by_component.entry(index).or_default(),
            ParameterOwner::Detector(id) => self.by_detector.entry(id).or_default(),
        };
        own.insert(name.trim().to_lowercase(), value);
        self.original_names
            .entry(name.trim().to_lowercase())
            .or_insert_with(|| name.trim().to_owned());
    }

    /// Parameter of exactly this owner, without a search of its ancestors.
    pub fn get(&self, owner: ParameterOwner<'_>, name: &str) -> Option<&Parameter> {
        self.owned_by(owner)?.get(&name.to_lowercase())
    }

    /// Parameters of exactly this owner; `None` without any.
    pub fn owned_by(&self, owner: ParameterOwner<'_>) -> Option<&ComponentParameters> {
        match owner {
            ParameterOwner::Name(owner) => self.by_name.get(owner),
            ParameterOwner::Component(index) => self.by_component.get(&index),
            ParameterOwner::Detector(id) => self.by_detector.get(&id),
        }
    }

    /// All parameters with owner and name in lower case.
    pub fn iter(&self) -> impl Iterator<Item = (ParameterOwner<'_>, &str, &Parameter)> {
        let names = self
            .by_name
            .iter()
            .map(|(owner, own)| (ParameterOwner::Name(owner), own));
        let components = self
            .by_component
            .iter()
            .map(|(owner, own)| (ParameterOwner::Component(*owner), own));
        let detectors = self
            .by_detector
            .iter()
            .map(|(owner, own)| (ParameterOwner::Detector(*owner), own));
        names
            .chain(components)
            .chain(detectors)
            .flat_map(|(owner, own)| own.iter().map(move |(name, value)| (owner, name.as_str(), value)))
    }

    /// Name as first written, or `name` itself.
    pub fn original_name<'a>(&'a self, name: &'a str) -> &'a str {
        self.original_names
            .get(&name.to_lowercase())
            .map_or(name, String::as_str)
    }

    /// True if any detector has parameters by its id.
    pub fn has_detectors(&self) -> bool {
        !self.by_detector.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_is_taken_of_many() {
        let values = [4.0, 1.0, 3.0, 2.0];
        for (word, wanted) in [
            ("mean", 2.5),
            ("median", 2.5),
            ("minimum", 1.0),
            ("maximum", 4.0),
            ("first_value", 4.0),
            ("last_value", 2.0),
            ("unheard of", 2.5),
        ] {
            assert_eq!(LogStatistic::from_word(word).of(&values), Some(wanted), "{word}");
            assert_eq!(LogStatistic::from_word(word).of(&[]), None, "{word}");
        }
        assert_eq!(LogStatistic::Median.of(&values[..3]), Some(3.0));
    }

    #[test]
    fn names_are_found_in_any_case_and_owners_kept_apart() {
        let mut parameters = ParameterMap::default();
        parameters.set(ParameterOwner::Name("bank"), "EFixed", Parameter::Number(1.0));
        parameters.set(ParameterOwner::Detector(7), "Efixed", Parameter::Integer(2));
        assert_eq!(
            parameters
                .get(ParameterOwner::Name("bank"), "efixed")
                .and_then(Parameter::number),
            Some(1.0)
        );
        assert_eq!(
            parameters
                .get(ParameterOwner::Detector(7), "EFIXED")
                .and_then(Parameter::number),
            Some(2.0)
        );
        assert_eq!(parameters.get(ParameterOwner::Name("Bank"), "efixed"), None);
        assert_eq!(parameters.iter().count(), 2);
    }
}
