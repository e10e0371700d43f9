//! What an algorithm says about itself: its name, version and properties. Promises: everything that a caller needs
//! (names in order, directions, defaults, validators, units, help text) is read from here and declared only here;
//! must not execute anything.

use std::fmt::Write as _;

use crate::error::{Result, invalid};
use crate::value::Value;

/// Whether a property is given, returned, or changed in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Given by the caller.
    In,
    /// Returned to the caller.
    Out,
    /// A workspace that is changed in place, and not returned.
    InOut,
}

/// The kind of value that a property takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any workspace.
    Workspace,
    /// A workspace of spectra.
    Matrix,
    /// A workspace group.
    Group,
    /// A table.
    Table,
    /// Names of workspaces, which need not be groups.
    WorkspaceList,
    /// A truth value.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// A text.
    Str,
    /// Whole numbers.
    Ints,
    /// Numbers.
    Floats,
    /// Texts.
    Strs,
    /// A file to be written.
    SaveFile,
    /// A file to be read.
    LoadFile,
    /// Whatever is given, unconverted.
    Any,
}

impl Kind {
    /// Whether the property holds one workspace.
    pub fn is_workspace(self) -> bool {
        matches!(self, Self::Workspace | Self::Matrix | Self::Group | Self::Table)
    }

    fn words(self) -> &'static str {
        match self {
            Self::Workspace => "Workspace",
            Self::Matrix => "MatrixWorkspace",
            Self::Group => "WorkspaceGroup",
            Self::Table => "TableWorkspace",
            Self::WorkspaceList => "str list",
            Self::Bool => "boolean",
            Self::Int => "number",
            Self::Float => "number",
            Self::Str => "string",
            Self::Ints => "int list",
            Self::Floats => "dbl list",
            Self::Strs => "str list",
            Self::SaveFile | Self::LoadFile => "string",
            Self::Any => "any",
        }
    }
}

/// A check of a property's value.
#[derive(Clone, Copy)]
pub enum Validator {
    /// Anything is valid.
    Any,
    /// At least this number.
    AtLeast(f64),
    /// Between both numbers, both included.
    Between(f64, f64),
    /// One of these texts (letters' case as given).
    OneOf(&'static [&'static str]),
    /// A check of its own, which returns what is wrong.
    Check(fn(&Value) -> Result<(), String>),
}

/// One property of an algorithm.
#[derive(Clone)]
pub struct Property {
    /// Its name; matched without regard to case.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// In, Out or InOut.
    pub direction: Direction,
    /// Its value when none is given; `Value::None` when there is none.
    pub default: Value,
    /// Whether a value must be given.
    pub mandatory: bool,
    /// The check of its value.
    pub validator: Validator,
    /// The unit or shape of its value, empty when it has none.
    pub unit: &'static str,
    /// What it means.
    pub document: &'static str,
}

impl Property {
    fn new(name: &'static str, kind: Kind, direction: Direction, document: &'static str) -> Self {
        let mandatory = kind.is_workspace();
        Self {
            name,
            kind,
            direction,
            default: Value::None,
            mandatory,
            validator: Validator::Any,
            unit: "",
            document,
        }
    }

    /// With the unit or shape of its value.
    pub fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// With a validator.
    pub fn validator(mut self, validator: Validator) -> Self {
        self.validator = validator;
        self
    }

    /// A value must be given.
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// No value need be given.
    pub fn optional(mut self) -> Self {
        self.mandatory = false;
        self
    }

    /// Converts a value to the property's kind and checks it.
    pub fn accept(&self, value: Value) -> Result<Value> {
        let value = match self.kind {
            Kind::Bool => Value::Bool(value.to_bool()?),
            Kind::Int => Value::Int(value.to_int()?),
            Kind::Float => Value::Float(value.to_float()?),
            Kind::Str | Kind::SaveFile | Kind::LoadFile => Value::Str(value.to_str()?),
            Kind::Ints => Value::Ints(value.to_ints()?),
            Kind::Floats => Value::Floats(value.to_floats()?),
            Kind::Strs => Value::Strs(value.to_strs()?),
            Kind::WorkspaceList => match value {
                Value::Workspace(handle) => Value::Workspaces(vec![handle]),
                Value::Workspaces(handles) => Value::Workspaces(handles),
                other => Value::Strs(other.to_strs()?),
            },
            Kind::Workspace | Kind::Matrix | Kind::Group | Kind::Table => match value {
                Value::Workspace(_) | Value::Str(_) => value,
                other => {
                    return Err(crate::error::AlgorithmError::Type(format!(
                        "a workspace or the name of one is needed here, not {}",
                        other.kind_name()
                    )));
                }
            },
            Kind::Any => value,
        };
        self.check(&value)?;
        Ok(value)
    }

    fn check(&self, value: &Value) -> Result<()> {
        let numbers = || value.to_floats().unwrap_or_default();
        match self.validator {
            Validator::Any => Ok(()),
            Validator::AtLeast(least) => match numbers().into_iter().find(|v| *v < least) {
                Some(v) => invalid(format!("Selected value {v} is < the lower bound ({least})")),
                None => Ok(()),
            },
            Validator::Between(low, high) => match numbers().into_iter().find(|v| *v < low || *v > high) {
                Some(v) if v < low => invalid(format!("Selected value {v} is < the lower bound ({low})")),
                Some(v) => invalid(format!("Selected value {v} is > the upper bound ({high})")),
                None => Ok(()),
            },
            Validator::OneOf(allowed) => {
                let text = value.to_str()?;
                if allowed.contains(&text.as_str()) {
                    return Ok(());
                }
                invalid(format!(
                    "The value \"{text}\" is not in the list of allowed values: {}",
                    allowed.join(", ")
                ))
            }
            Validator::Check(check) => check(value).or_else(invalid),
        }
    }
}

/// What an algorithm says about itself.
#[derive(Clone)]
pub struct Declaration {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: u32,
    /// Its categories, separated by `;`.
    pub category: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Its properties, in the order in which positional arguments fill them.
    pub properties: Vec<Property>,
}

impl Declaration {
    /// An algorithm with no properties yet.
    pub fn new(name: &'static str, version: u32, category: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            version,
            category,
            summary,
            properties: Vec::new(),
        }
    }

    /// With one more property.
    pub fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// The index of the property of this name, letters' case aside.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// The property of this name, letters' case aside.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.index_of(name).and_then(|index| self.properties.get(index))
    }

    /// The text that `help()` shows: the summary, then each property with its direction, kind, default and unit.
    pub fn help(&self) -> String {
        let mut text = format!("{}\n\nProperty descriptions:\n", self.summary);
        for p in &self.properties {
            let star = if p.mandatory { "*" } else { "" };
            let direction = match p.direction {
                Direction::In => "Input",
                Direction::Out => "Output",
                Direction::InOut => "InOut",
            };
            let _ = write!(text, "\n{}({direction}{star}) *{}*", p.name, p.kind.words());
            if !p.default.is_none() {
                let _ = write!(text, ", default {:?}", p.default.to_text());
            }
            if !p.unit.is_empty() {
                let _ = write!(text, ", in {}", p.unit);
            }
            let _ = writeln!(text, "\n    {}", p.document);
            if let Validator::OneOf(allowed) = p.validator {
                let _ = writeln!(text, "    [{}]", allowed.join(", "));
            }
        }
        text
    }
}

/// An input without a default.
pub fn input(name: &'static str, kind: Kind, document: &'static str) -> Property {
    Property::new(name, kind, Direction::In, document)
}

/// An input with a default.
pub fn option(name: &'static str, kind: Kind, default: impl Into<Value>, document: &'static str) -> Property {
    let mut property = Property::new(name, kind, Direction::In, document);
    property.default = default.into();
    property.mandatory = false;
    property
}

/// An output.
pub fn output(name: &'static str, kind: Kind, document: &'static str) -> Property {
    Property::new(name, kind, Direction::Out, document)
}

/// A workspace that is changed in place.
pub fn in_out(name: &'static str, kind: Kind, document: &'static str) -> Property {
    Property::new(name, kind, Direction::InOut, document)
}
