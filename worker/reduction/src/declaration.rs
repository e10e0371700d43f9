//! Declarations of algorithms: name, version and properties. Promises: names in order, directions, defaults, validators,
//! units and help text are declared only here. Must not: execute anything.

use std::fmt::Write as _;

use crate::error::{AlgorithmError, Result, invalid};
use crate::value::Value;

/// Direction of a property: Mantid's `Direction`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyDirection {
    In,
    Out,
    /// Workspace that is changed in place and not returned.
    InOut,
}

/// Type of a property's value, to which [`Property::convert`] converts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyKind {
    /// Workspace of any type.
    Workspace,
    /// Workspace of spectra.
    Matrix,
    Group,
    Table,
    /// Names or handles of workspaces.
    WorkspaceList,
    Bool,
    Int,
    Float,
    Str,
    Ints,
    Floats,
    Strs,
    /// Path of a file to write.
    SaveFile,
    /// Path of a file to read.
    LoadFile,
    /// Value of any type, unconverted.
    Any,
}

impl PropertyKind {
    /// True for one workspace; false for lists of workspaces.
    pub fn is_workspace(self) -> bool {
        matches!(self, Self::Workspace | Self::Matrix | Self::Group | Self::Table)
    }

    /// Type name of Mantid, as `help()` prints it.
    fn mantid_name(self) -> &'static str {
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

/// Rule that a converted value must satisfy.
#[derive(Clone, Copy)]
pub enum Validator {
    Any,
    /// Smallest valid number; lists are checked item by item.
    AtLeast(f64),
    /// Smallest and largest valid number.
    Between(f64, f64),
    /// Valid texts, case-sensitive.
    OneOf(&'static [&'static str]),
    /// Function that returns a sentence about an invalid value.
    Check(fn(&Value) -> Result<(), String>),
}

/// Declaration of one property: direction, type, default, validator and help text.
#[derive(Clone)]
pub struct Property {
    /// Matched without regard to case.
    pub name: &'static str,
    pub kind: PropertyKind,
    pub direction: PropertyDirection,
    /// Value of an unset property; `Value::None` for no default.
    pub default: Value,
    /// True if a caller must set it, unless it has a default.
    pub mandatory: bool,
    pub validator: Validator,
    /// Unit or shape of the value for `help()`; empty for none.
    pub unit: &'static str,
    /// Sentence for `help()`.
    pub document: &'static str,
}

impl Property {
    fn new(name: &'static str, kind: PropertyKind, direction: PropertyDirection, document: &'static str) -> Self {
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

    /// Sets the unit or shape of the value, such as `µs`, which `help()` prints.
    pub fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    /// Sets the validator; without one every value of the type is valid.
    pub fn validator(mut self, validator: Validator) -> Self {
        self.validator = validator;
        self
    }

    /// Makes the property mandatory: an execution fails while it has neither value nor default.
    pub fn mandatory(mut self) -> Self {
        self.mandatory = true;
        self
    }

    /// Makes the property optional, also an input workspace.
    pub fn optional(mut self) -> Self {
        self.mandatory = false;
        self
    }

    /// Converts a value to the property's type and validates it.
    ///
    /// # Errors
    /// `Type` or `InvalidArgument` when it cannot be converted; `InvalidArgument` when the validator refuses it.
    pub fn convert(&self, value: Value) -> Result<Value> {
        let value = match self.kind {
            PropertyKind::Bool => Value::Bool(value.to_bool()?),
            PropertyKind::Int => Value::Int(value.to_int()?),
            PropertyKind::Float => Value::Float(value.to_float()?),
            PropertyKind::Str | PropertyKind::SaveFile | PropertyKind::LoadFile => Value::Str(value.to_str()?),
            PropertyKind::Ints => Value::Ints(value.to_ints()?),
            PropertyKind::Floats => Value::Floats(value.to_floats()?),
            PropertyKind::Strs => Value::Strs(value.to_strs()?),
            PropertyKind::WorkspaceList => match value {
                Value::Workspace(handle) => Value::Workspaces(vec![handle]),
                Value::Workspaces(handles) => Value::Workspaces(handles),
                other => Value::Strs(other.to_strs()?),
            },
            PropertyKind::Workspace | PropertyKind::Matrix | PropertyKind::Group | PropertyKind::Table => match value {
                Value::Workspace(_) | Value::Str(_) => value,
                other => {
                    return Err(AlgorithmError::Type(format!(
                        "a workspace or the name of one is needed here, not {}",
                        other.kind_name()
                    )));
                }
            },
            PropertyKind::Any => value,
        };
        self.validate(&value)?;
        Ok(value)
    }

    fn validate(&self, value: &Value) -> Result<()> {
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

/// Declaration of one version of an algorithm: Mantid's name and category, with the properties.
#[derive(Clone)]
pub struct Declaration {
    pub name: &'static str,
    pub version: u32,
    /// Categories separated by `;`.
    pub category: &'static str,
    /// First line of `help()`.
    pub summary: &'static str,
    /// In the order of positional arguments.
    pub properties: Vec<Property>,
}

impl Declaration {
    /// Declaration without properties, which [`Self::with`] appends.
    pub fn new(name: &'static str, version: u32, category: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            version,
            category,
            summary,
            properties: Vec::new(),
        }
    }

    /// Appends a property, which becomes the last positional argument.
    pub fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Index of a property, letter case ignored.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.properties.iter().position(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// Property by name, letter case ignored.
    pub fn property(&self, name: &str) -> Option<&Property> {
        self.index_of(name).and_then(|index| self.properties.get(index))
    }

    /// Text of `help()`: the summary, then each property with direction, type, default and unit.
    pub fn help(&self) -> String {
        let mut text = format!("{}\n\nProperty descriptions:\n", self.summary);
        for p in &self.properties {
            let star = if p.mandatory { "*" } else { "" };
            let direction = match p.direction {
                PropertyDirection::In => "Input",
                PropertyDirection::Out => "Output",
                PropertyDirection::InOut => "InOut",
            };
            let _ = write!(text, "\n{}({direction}{star}) *{}*", p.name, p.kind.mantid_name());
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

/// Input property without default; mandatory for a workspace.
pub fn input(name: &'static str, kind: PropertyKind, document: &'static str) -> Property {
    Property::new(name, kind, PropertyDirection::In, document)
}

/// Optional input property with a default.
pub fn option(name: &'static str, kind: PropertyKind, default: impl Into<Value>, document: &'static str) -> Property {
    let mut property = Property::new(name, kind, PropertyDirection::In, document);
    property.default = default.into();
    property.mandatory = false;
    property
}

/// Output property; mandatory for a workspace, whose name it is.
pub fn output(name: &'static str, kind: PropertyKind, document: &'static str) -> Property {
    Property::new(name, kind, PropertyDirection::Out, document)
}

/// Property of a workspace that is changed in place.
pub fn in_out(name: &'static str, kind: PropertyKind, document: &'static str) -> Property {
    Property::new(name, kind, PropertyDirection::InOut, document)
}
