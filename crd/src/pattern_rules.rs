//! Patterns of the schema as CEL rules with messages for people.
//!
//! Without a rule the apiserver answers a wrong value with the regular expression, which few people can read.
//!
//! Promises: every pattern of the types has a message here, or the definition cannot be made; the rule refuses exactly
//! what the pattern refuses, and a maximum length bounds its cost. Must not: touch the schema of the charts' values, which
//! keeps its patterns, because Helm knows no CEL.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// Kubernetes' pattern of a quantity, without negative ones.
pub(crate) const QUANTITY: &str = r"^\+?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$";

/// Pattern of the types that has no row in the table of messages.
#[derive(Debug, Error)]
#[error("make the definition: the pattern {0} has no message; add one to MESSAGES in crd/src/pattern_rules.rs")]
pub struct PatternWithoutMessage(String);

/// Pattern, maximum length in characters, and advice.
const MESSAGES: [(&str, u64, &str); 13] = [
    (
        r"^[A-Za-z][A-Za-z0-9_-]{0,31}$",
        32,
        "use an instrument's name: a letter, then letters, digits, _ or -, at most 32 characters",
    ),
    (
        r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$",
        253,
        "use an object's name: lower-case letters, digits, - and ., a letter or digit at both ends",
    ),
    (
        r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
        63,
        "use a namespace: lower-case letters, digits and -, a letter or digit at both ends",
    ),
    (
        r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$",
        255,
        "use a repository such as ghcr.io/fiaisis/live-data-worker, without tag or digest",
    ),
    (
        r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$",
        128,
        "use a tag: letters, digits, _, . and -, at most 128 characters, the first no . or -",
    ),
    (
        r"^sha256:[0-9a-f]{64}$",
        71,
        "use a digest: sha256: and 64 hexadecimal digits in lower case",
    ),
    (
        r"^[^\s,/]+:[0-9]{1,5}(,[^\s,/]+:[0-9]{1,5})*$",
        1024,
        "use brokers as host:port, several separated by commas, without blanks or a scheme",
    ),
    (
        r"^[A-Za-z0-9._-]{1,249}$",
        249,
        "use a topic's name: letters, digits, ., _ and -, at most 249 characters",
    ),
    (
        r"^[-._a-zA-Z0-9]{1,253}$",
        253,
        "use a key: letters, digits, -, . and _, at most 253 characters",
    ),
    (
        r"^[A-Za-z][A-Za-z0-9_]{0,127}$",
        128,
        "use an algorithm's name: a letter, then letters, digits and _",
    ),
    (
        r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
        128,
        "use a workspace's name: a letter or _, then letters, digits and _",
    ),
    (r"^/", 1024, "use an absolute path, which begins with /"),
    (r"^//[^/]+/.+", 1024, "use a share such as //host/share/"),
];

/// Replaces every pattern of a schema and of its nested schemas by a CEL rule.
///
/// # Errors
/// [`PatternWithoutMessage`] for a pattern that has no row in the table.
pub fn replace_patterns(schema: &mut Value) -> Result<(), PatternWithoutMessage> {
    match schema {
        Value::Object(fields) => {
            // A field may be called pattern too; that one is a schema.
            let pattern = fields.get("pattern").and_then(Value::as_str).map(str::to_owned);
            // Kubernetes' own pattern for quantities stays: a rule could not be bounded in all the places that have one.
            if let Some(pattern) = pattern.filter(|pattern| pattern != QUANTITY) {
                replace_pattern(fields, &pattern)?;
            }
            fields.values_mut().try_for_each(replace_patterns)
        }
        Value::Array(items) => items.iter_mut().try_for_each(replace_patterns),
        _ => Ok(()),
    }
}

fn replace_pattern(fields: &mut Map<String, Value>, pattern: &str) -> Result<(), PatternWithoutMessage> {
    let (_, max_length, advice) = MESSAGES
        .iter()
        .find(|(known, _, _)| *known == pattern)
        .ok_or_else(|| PatternWithoutMessage(pattern.to_owned()))?;
    fields.remove("pattern");
    fields.entry("maxLength").or_insert_with(|| json!(max_length));
    fields.insert(
        "x-kubernetes-validations".into(),
        json!([{
            "rule": format!("self.matches(r'{pattern}')"),
            "message": advice,
            // The standard answer to a failed rule names the type of the value, not the value.
            "messageExpression": format!("\"'\" + self + \"' cannot be used: {advice}\""),
        }]),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_pattern_becomes_a_rule_with_words_and_a_bound() {
        let mut schema =
            json!({"properties": {"tag": {"type": "string", "pattern": "^/"}}, "items": [{"pattern": QUANTITY}]});
        replace_patterns(&mut schema).unwrap();
        assert_eq!(
            schema["properties"]["tag"],
            json!({"type": "string", "maxLength": 1024, "x-kubernetes-validations": [
                {"rule": "self.matches(r'^/')", "message": "use an absolute path, which begins with /",
                 "messageExpression": r#""'" + self + "' cannot be used: use an absolute path, which begins with /""#}]})
        );
        assert_eq!(schema["items"][0]["pattern"], QUANTITY);
    }

    #[test]
    fn a_pattern_without_words_is_a_fault_of_the_types() {
        let error = replace_patterns(&mut json!({"pattern": "^x$"})).unwrap_err();
        assert!(error.to_string().contains("^x$"), "{error}");
    }
}
