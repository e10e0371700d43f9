//! Why a record could not be decoded.
//!
//! Promises: the schema as far as it is known, what is wrong with the offending value, and a reason that never
//! changes and has few values (for counters). All of them are external: the producer's to mend.

/// A record that is not what its schema says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A record without a payload (a tombstone).
    #[error("the record is empty")]
    Empty,
    /// Too short to say its schema.
    #[error("the record has {0} bytes, too few to name its schema")]
    TooShort(usize),
    /// A schema that this program does not know.
    #[error("the schema {0:?} is not known")]
    UnknownSchema(String),
    /// Not a flatbuffer of its schema: truncated, or garbage.
    #[error("not a valid {schema} message: {what}")]
    Malformed {
        /// The schema that the record names.
        schema: &'static str,
        /// The verifier's words.
        what: String,
    },
    /// A field that the message makes no sense without.
    #[error("the {schema} message has no {field}")]
    Missing {
        /// The schema.
        schema: &'static str,
        /// The field.
        field: &'static str,
    },
    /// Columns that belong together differ in length.
    #[error("the {schema} message has {left} {left_name} but {right} {right_name}")]
    Lengths {
        /// The schema.
        schema: &'static str,
        /// What is counted first.
        left_name: &'static str,
        /// How many.
        left: usize,
        /// What is counted second.
        right_name: &'static str,
        /// How many.
        right: usize,
    },
    /// Pulses whose first events are out of order or out of range.
    #[error("the {schema} message's reference_time_index is {value} at {at}, after {before}, with {events} events")]
    PulseIndex {
        /// The schema.
        schema: &'static str,
        /// Which pulse.
        at: usize,
        /// What it says.
        value: i32,
        /// What the pulse before it says (the first must say 0).
        before: i32,
        /// How many events there are.
        events: usize,
    },
    /// A value that cannot be.
    #[error("the {schema} message's {field} cannot be {value}")]
    Value {
        /// The schema.
        schema: &'static str,
        /// The field.
        field: &'static str,
        /// The value.
        value: String,
    },
}

impl DecodeError {
    /// The schema that the record names, where it is a known one.
    pub fn schema(&self) -> Option<&'static str> {
        match self {
            DecodeError::Empty | DecodeError::TooShort(_) | DecodeError::UnknownSchema(_) => None,
            DecodeError::Malformed { schema, .. }
            | DecodeError::Missing { schema, .. }
            | DecodeError::Lengths { schema, .. }
            | DecodeError::PulseIndex { schema, .. }
            | DecodeError::Value { schema, .. } => Some(schema),
        }
    }

    /// A stable name for counters.
    pub fn reason(&self) -> &'static str {
        match self {
            DecodeError::Empty => "empty",
            DecodeError::TooShort(_) => "too_short",
            DecodeError::UnknownSchema(_) => "unknown_schema",
            DecodeError::Malformed { .. } => "malformed",
            DecodeError::Missing { .. } => "missing_field",
            DecodeError::Lengths { .. } => "mismatched_lengths",
            DecodeError::PulseIndex { .. } => "bad_pulse_index",
            DecodeError::Value { .. } => "bad_value",
        }
    }
}
