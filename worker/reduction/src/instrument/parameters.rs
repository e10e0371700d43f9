//! Parameters of components. Promises: numbers and texts are told apart once, when they are read; the nearest component
//! that has a parameter decides, a detector before what carries it; names are found without regard to case. A parameter
//! that comes from a log keeps how until logs are known.

use std::collections::BTreeMap;

use super::formula::Formula;

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// A number.
    Number(f64),
    /// A whole number.
    Integer(i64),
    /// A text.
    Text(String),
    /// A truth value.
    Flag(bool),
    /// A value that comes from a log.
    FromLog(FromLog),
}

/// How a value comes from a log.
#[derive(Debug, Clone, PartialEq)]
pub struct FromLog {
    /// The log's name.
    pub log: String,
    /// What is taken of the log.
    pub take: Take,
    /// What is made of it; `None` to take it as it is.
    pub formula: Option<Formula>,
}

/// What is taken of a log of many values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// The first.
    First,
    /// The last.
    Last,
}

impl Take {
    /// From the word in a definition (`extract-single-value-as`).
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

    /// That of some values; `None` of none.
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
    /// The value as a number, if it is one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Flag(_) | Self::FromLog(_) => None,
        }
    }

    /// The value as text.
    pub fn text(&self) -> String {
        match self {
            Self::Number(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Text(text) => text.clone(),
            Self::Flag(flag) => flag.to_string(),
            Self::FromLog(from) => format!("from the log {}", from.log),
        }
    }

    /// The word for its type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) | Self::FromLog(_) => "double",
            Self::Integer(_) => "int",
            Self::Text(_) => "string",
            Self::Flag(_) => "bool",
        }
    }
}

/// Parameters of one component, by name in lower case.
pub type Own = BTreeMap<String, Parameter>;

/// The parameters of an instrument's components.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters {
    /// Of all components of a name.
    by_name: BTreeMap<String, Own>,
    /// Of one component, given by its path.
    by_component: BTreeMap<u32, Own>,
    /// Of one detector, given by its id.
    by_detector: BTreeMap<i32, Own>,
    /// How names were written, by name in lower case.
    spelled: BTreeMap<String, String>,
}

/// Whose a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// Every component of a name.
    Name(&'a str),
    /// One component.
    Component(u32),
    /// One detector.
    Detector(i32),
}

impl Parameters {
    /// Sets a parameter; a former value is replaced.
    pub fn set(&mut self, owner: Owner<'_>, name: &str, value: Parameter) {
        let own = match owner {
            Owner::Name(owner) => self.by_name.entry(owner.to_owned()).or_default(),
            Owner::Component(index) => self.by_component.entry(index).or_default(),
            Owner::Detector(id) => self.by_detector.entry(id).or_default(),
        };
        own.insert(name.trim().to_lowercase(), value);
        self.spelled
            .entry(name.trim().to_lowercase())
            .or_insert_with(|| name.trim().to_owned());
    }

    /// A parameter of exactly this owner.
    pub fn own(&self, owner: Owner<'_>, name: &str) -> Option<&Parameter> {
        self.all(owner)?.get(&name.to_lowercase())
    }

    /// All parameters of exactly this owner.
    pub fn all(&self, owner: Owner<'_>) -> Option<&Own> {
        match owner {
            Owner::Name(owner) => self.by_name.get(owner),
            Owner::Component(index) => self.by_component.get(&index),
            Owner::Detector(id) => self.by_detector.get(&id),
        }
    }

    /// All parameters with whose they are.
    pub fn iter(&self) -> impl Iterator<Item = (Owner<'_>, &str, &Parameter)> {
        let names = self.by_name.iter().map(|(owner, own)| (Owner::Name(owner), own));
        let components = self
            .by_component
            .iter()
            .map(|(owner, own)| (Owner::Component(*owner), own));
        let detectors = self
            .by_detector
            .iter()
            .map(|(owner, own)| (Owner::Detector(*owner), own));
        names
            .chain(components)
            .chain(detectors)
            .flat_map(|(owner, own)| own.iter().map(move |(name, value)| (owner, name.as_str(), value)))
    }

    /// How a name was written first.
    pub fn spelled<'a>(&'a self, name: &'a str) -> &'a str {
        self.spelled.get(&name.to_lowercase()).map_or(name, String::as_str)
    }

    /// Whether any detector has parameters of its own, by its id.
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
            assert_eq!(Take::from_word(word).of(&values), Some(wanted), "{word}");
            assert_eq!(Take::from_word(word).of(&[]), None, "{word}");
        }
        assert_eq!(Take::Median.of(&values[..3]), Some(3.0));
    }

    #[test]
    fn names_are_found_in_any_case_and_owners_kept_apart() {
        let mut parameters = Parameters::default();
        parameters.set(Owner::Name("bank"), "EFixed", Parameter::Number(1.0));
        parameters.set(Owner::Detector(7), "Efixed", Parameter::Integer(2));
        assert_eq!(
            parameters
                .own(Owner::Name("bank"), "efixed")
                .and_then(Parameter::number),
            Some(1.0)
        );
        assert_eq!(
            parameters.own(Owner::Detector(7), "EFIXED").and_then(Parameter::number),
            Some(2.0)
        );
        assert_eq!(parameters.own(Owner::Name("Bank"), "efixed"), None);
        assert_eq!(parameters.iter().count(), 2);
    }
}
