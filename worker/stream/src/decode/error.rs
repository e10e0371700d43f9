//! Errors of decoding.
//!
//! Promises: the schema where it is known, the offending value, and a reason that is stable and of few values (for
//! counters). The producer of the record must correct them all.

/// Record that is no valid message of its schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DecodeError {
    /// Record without a value (a tombstone).
    #[error("the record is empty")]
    Empty,
    /// Fewer than 8 bytes: no file identifier.
    #[error("the record has {0} bytes, too few to name its schema")]
    TooShort(usize),
    /// File identifier that is none of the known schemas', with non-printable bytes escaped.
    #[error("the schema {0:?} is not known")]
    UnknownSchema(String),
    /// The flatbuffer's verifier fails: the message is truncated or garbage.
    #[error("not a valid {schema} message: {what}")]
    Malformed {
        schema: &'static str,
        /// First line of the verifier's report.
        what: String,
    },
    /// A field without which the message is useless is absent, empty or 0.
    #[error("the {schema} message has no {field}")]
    MissingField { schema: &'static str, field: &'static str },
    /// Columns of one table differ in length.
    #[error("the {schema} message has {left} {left_name} but {right} {right_name}")]
    MismatchedLengths {
        schema: &'static str,
        left_name: &'static str,
        left: usize,
        right_name: &'static str,
        right: usize,
    },
    /// The `reference_time_index` of an ev44 message does not start at 0, descends, or exceeds the number of events.
    #[error("the {schema} message's reference_time_index is {value} at {at}, after {before}, with {events} events")]
    BadPulseIndex {
        schema: &'static str,
        /// Index of the pulse in the message.
        at: usize,
        /// Index of the pulse's first event.
        value: i32,
        /// Index of the preceding pulse's first event; 0 for the first pulse.
        before: i32,
        /// Number of events in the message.
        events: usize,
    },
    /// A value outside its field's range, such as an infinite charge or an unknown severity.
    #[error("the {schema} message's {field} cannot be {value}")]
    BadValue {
        schema: &'static str,
        field: &'static str,
        value: String,
    },
}

impl DecodeError {
    /// File identifier of the schema, such as `ev44`; `None` for an unknown one.
    pub fn schema(&self) -> Option<&'static str> {
        match self {
            DecodeError::Empty | DecodeError::TooShort(_) | DecodeError::UnknownSchema(_) => None,
            DecodeError::Malformed { schema, .. }
            | DecodeError::MissingField { schema, .. }
            | DecodeError::MismatchedLengths { schema, .. }
            | DecodeError::BadPulseIndex { schema, .. }
            | DecodeError::BadValue { schema, .. } => Some(schema),
        }
    }

    /// Stable reason for counters: the variant's name in snake case, such as `bad_pulse_index`.
    pub fn reason(&self) -> &'static str {
        self.into()
    }
}
