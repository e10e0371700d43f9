//! What values must look like: names, addresses, digests, and JSON against the spec's schema.
//!
//! Promises: total functions of their arguments, no panic on any text. They judge shape only; whether a thing
//! exists is for the cluster to say.

use serde_json::Value;

/// A DNS label (RFC 1123): a namespace, for one.
pub fn is_dns_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// A DNS name (RFC 1123 subdomain): a secret's name, for one.
pub fn is_dns_name(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_dns_label)
}

/// A key of a secret or ConfigMap.
pub fn is_secret_key(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

/// Printable text without blanks.
pub fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= 253 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Hexadecimal digits of a digest. Shorter ones than SHA-256's 64 are let through: the former operator's built-in
/// one has 40, and the registry is the judge.
pub fn is_hex_digest(text: &str) -> bool {
    (12..=128).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A host's name or address.
pub fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

/// An HTTP URL with a host.
pub fn is_http_url(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

/// Brokers as `host:port`, separated by commas.
pub fn is_broker_list(text: &str) -> bool {
    !text.is_empty()
        && text.split(',').all(|broker| {
            broker
                .rsplit_once(':')
                .is_some_and(|(host, port)| is_host(host) && port.parse::<u16>().is_ok_and(|port| port != 0))
        })
}

/// The instrument as the resource may name it.
pub fn is_instrument(text: &str) -> bool {
    text.len() <= 32
        && text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// Compares a document with a JSON Schema as this project writes them (types, enums, bounds, unknown fields), and
/// adds each difference with its path. Patterns are the apiserver's business.
pub fn check(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    if let Some(expected) = schema.get("type")
        && !type_fits(expected, value)
    {
        problems.push(format!("{path} is not of type {}", types(expected)));
        return;
    }
    if let Some(choices) = schema.get("enum").and_then(Value::as_array)
        && !choices.contains(value)
    {
        let names: Vec<String> = choices
            .iter()
            .filter(|choice| !choice.is_null())
            .map(|choice| choice.to_string().replace('"', ""))
            .collect();
        problems.push(format!("{path} is not one of {}", names.join(", ")));
    }
    if let Some(number) = value.as_f64() {
        if schema
            .get("minimum")
            .and_then(Value::as_f64)
            .is_some_and(|minimum| number < minimum)
        {
            problems.push(format!("{path} is less than {}", schema["minimum"]));
        }
        if schema
            .get("maximum")
            .and_then(Value::as_f64)
            .is_some_and(|maximum| number > maximum)
        {
            problems.push(format!("{path} is more than {}", schema["maximum"]));
        }
    }
    if let Value::Array(items) = value
        && let Some(item) = schema.get("items")
    {
        for (index, value) in items.iter().enumerate() {
            check(item, value, &format!("{path}[{index}]"), problems);
        }
    }
    if let Value::Object(fields) = value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let further = schema.get("additionalProperties");
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                check(schema, value, &path, problems);
            } else if let Some(schema @ Value::Object(_)) = further {
                check(schema, value, &path, problems);
            } else if further == Some(&Value::Bool(false)) {
                problems.push(format!("{path} is not a field that there is"));
            }
        }
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(name) {
                problems.push(format!("{path}.{name} is missing"));
            }
        }
    }
}

fn type_fits(expected: &Value, value: &Value) -> bool {
    match expected {
        Value::Array(choices) => choices.iter().any(|choice| type_fits(choice, value)),
        Value::String(name) => match name.as_str() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "null" => value.is_null(),
            _ => true,
        },
        _ => true,
    }
}

fn types(expected: &Value) -> String {
    match expected {
        Value::Array(choices) => choices
            .iter()
            .filter_map(Value::as_str)
            .filter(|name| *name != "null")
            .collect::<Vec<_>>()
            .join(" or "),
        other => other.as_str().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brokers_have_ports() {
        assert!(is_broker_list("livedata.example.org:31092"));
        assert!(is_broker_list("10.0.0.1:9092,[::1]:9092"));
        for wrong in ["", "broker", "broker:", "broker:0", "broker:99999", "a:1,,b:2", "a b:1"] {
            assert!(!is_broker_list(wrong), "{wrong}");
        }
    }

    #[test]
    fn urls_have_a_host() {
        assert!(is_http_url("http://localhost:8000"));
        assert!(is_http_url("https://dev.reduce.example/api"));
        for wrong in ["", "localhost", "ftp://x", "http://", "http:///x", "http://a b"] {
            assert!(!is_http_url(wrong), "{wrong}");
        }
    }

    #[test]
    fn instruments_begin_with_a_letter() {
        assert!(is_instrument("MERLIN"));
        assert!(is_instrument("sans2d"));
        for wrong in ["", "2D", "MER LIN", &"X".repeat(33), "É"] {
            assert!(!is_instrument(wrong), "{wrong}");
        }
    }
}
