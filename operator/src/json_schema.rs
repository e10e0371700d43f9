//! Comparison of a JSON document with the schema of the resource's spec.

use serde_json::Value;

/// Compares `value` with a JSON Schema that `crd` wrote: types, enums, bounds, unknown and required fields.
///
/// Appends each difference to `problems`, with its path below `path`. Patterns are left to the apiserver.
pub fn compare(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
    if let Some(expected) = schema.get("type")
        && !type_fits(expected, value)
    {
        problems.push(format!("{path} is not of type {}", type_names(expected)));
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
    compare_bounds(schema, value, path, problems);
    if let Value::Array(items) = value
        && let Some(item) = schema.get("items")
    {
        for (index, value) in items.iter().enumerate() {
            compare(item, value, &format!("{path}[{index}]"), problems);
        }
    }
    if let Value::Object(fields) = value {
        let properties = schema.get("properties").and_then(Value::as_object);
        let further = schema.get("additionalProperties");
        for (name, value) in fields {
            let path = format!("{path}.{name}");
            if let Some(schema) = properties.and_then(|properties| properties.get(name)) {
                compare(schema, value, &path, problems);
            } else if let Some(schema @ Value::Object(_)) = further {
                compare(schema, value, &path, problems);
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

fn compare_bounds(schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
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

fn type_names(expected: &Value) -> String {
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
