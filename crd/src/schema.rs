//! CustomResourceDefinition and JSON schema, made from the types.
//!
//! Promises: the same types give the same text, byte for byte; resources without a `spec`, which the former operator
//! allowed, stay valid. Must not: read or write a file; `operator/build.rs` does.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::pattern_rules::{self, PatternWithoutMessage, QUANTITY};
use crate::spec::LiveDataProcessor;

/// Fields of Kubernetes' own types. Their long descriptions are left out; `kubectl explain pod.spec` prints them.
const BORROWED: [&str; 4] = ["affinity", "tolerations", "resources", "conditions"];

/// Failure to make the definition; each variant is a fault of the types, not of the input.
#[derive(Debug, Error)]
pub enum SchemaError {
    /// The derived definition lacks the field named.
    #[error("derive the definition: {0} is missing; adapt crd/src/schema.rs to the derive's output")]
    Shape(&'static str),
    /// A field's pattern has no message for people.
    #[error(transparent)]
    Pattern(#[from] PatternWithoutMessage),
    /// The changed definition does not deserialize as a CustomResourceDefinition.
    #[error("read the definition back: {0}")]
    Read(#[from] serde_json::Error),
}

/// CustomResourceDefinition with CEL rules instead of patterns.
///
/// # Errors
/// [`SchemaError`] if the derive's output has another shape or a pattern has no message.
pub fn crd() -> Result<CustomResourceDefinition, SchemaError> {
    let mut definition = with_patterns()?;
    let properties = definition
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema/properties")
        .ok_or(SchemaError::Shape("properties"))?;
    pattern_rules::replace_patterns(properties)?;
    Ok(serde_json::from_value(definition)?)
}

fn with_patterns() -> Result<Value, SchemaError> {
    let mut definition = serde_json::to_value(LiveDataProcessor::crd())?;
    let schema = definition
        .pointer_mut("/spec/versions/0/schema/openAPIV3Schema")
        .and_then(Value::as_object_mut)
        .ok_or(SchemaError::Shape("the version's schema"))?;
    // A resource of the former definition may have no spec; without the default it would not deserialize.
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|field| field != "spec");
        if required.is_empty() {
            schema.remove("required");
        }
    }
    // For new resources only, because name and instrument cannot be changed. An older resource that breaks these rules
    // would refuse every update, also of its status and its finalizers.
    schema.insert(
        "x-kubernetes-validations".into(),
        json!([
            {
                "rule": "oldSelf.hasValue() || (self.metadata.name.size() <= 45 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'))",
                "optionalOldSelf": true,
                "message": "the name must be a DNS label of at most 45 characters: names of containers and labels are made from it"
            },
            {
                "rule": "oldSelf.hasValue() || (has(self.spec) && has(self.spec.instrument)) || self.metadata.name.matches('^[a-z][-a-z0-9]{0,31}$')",
                "optionalOldSelf": true,
                "message": "without spec.instrument the name is the instrument: it must start with a letter and have at most 32 characters"
            }
        ]),
    );
    let spec = schema
        .get_mut("properties")
        .and_then(|properties| properties.get_mut("spec"))
        .and_then(Value::as_object_mut)
        .ok_or(SchemaError::Shape("spec"))?;
    spec.insert("default".into(), json!({}));
    tidy(
        schema.get_mut("properties").ok_or(SchemaError::Shape("properties"))?,
        false,
    );
    Ok(definition)
}

/// Schema of the spec as JSON Schema draft 7, for a chart's `values.schema.json`.
///
/// Unknown fields are refused; rules that only an apiserver can check are left out.
///
/// # Errors
/// As [`crd`].
pub fn spec_json_schema() -> Result<Value, SchemaError> {
    let definition = with_patterns()?;
    let mut spec = definition
        .pointer("/spec/versions/0/schema/openAPIV3Schema/properties/spec")
        .cloned()
        .ok_or(SchemaError::Shape("spec"))?;
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("default");
    }
    Ok(draft_seven(spec))
}

/// Removes descriptions of borrowed types and adds the pattern of quantities, in a map of properties and below it.
fn tidy(properties: &mut Value, borrowed: bool) {
    let Some(properties) = properties.as_object_mut() else {
        return;
    };
    for (name, schema) in properties.iter_mut() {
        let inside = borrowed || BORROWED.contains(&name.as_str());
        tidy_schema(schema, inside, borrowed);
    }
}

fn tidy_schema(schema: &mut Value, inside: bool, strip: bool) {
    let Some(schema) = schema.as_object_mut() else { return };
    if strip {
        schema.remove("description");
    }
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        schema.insert("pattern".into(), QUANTITY.into());
        schema.insert("anyOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
        if schema
            .get("description")
            .and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("Quantity is"))
        {
            schema.remove("description");
        }
    }
    if let Some(properties) = schema.get_mut("properties") {
        tidy(properties, inside);
    }
    for nested in ["items", "additionalProperties"] {
        if let Some(nested) = schema.get_mut(nested) {
            tidy_schema(nested, inside, inside);
        }
    }
}

fn draft_seven(schema: Value) -> Value {
    let Value::Object(schema) = schema else { return schema };
    if schema.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        let mut either = Map::new();
        if let Some(description) = schema.get("description") {
            either.insert("description".into(), description.clone());
        }
        either.insert("type".into(), json!(["integer", "string", "null"]));
        either.insert("pattern".into(), QUANTITY.into());
        return Value::Object(either);
    }
    let nullable = schema.get("nullable") == Some(&Value::Bool(true));
    let mut out = Map::new();
    for (key, value) in schema {
        match key.as_str() {
            "nullable" | "format" => {}
            key if key.starts_with("x-kubernetes-") => {}
            "type" if nullable => {
                out.insert(key, json!([value, "null"]));
            }
            "enum" if nullable => {
                let mut values = value.as_array().cloned().unwrap_or_default();
                if !values.contains(&Value::Null) {
                    values.push(Value::Null);
                }
                out.insert(key, Value::Array(values));
            }
            "properties" => {
                let properties = value
                    .as_object()
                    .cloned()
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(name, schema)| (name, draft_seven(schema)))
                    .collect();
                out.insert(key, Value::Object(properties));
                out.insert("additionalProperties".into(), Value::Bool(false));
            }
            "items" | "additionalProperties" => {
                out.insert(key, draft_seven(value));
            }
            _ => {
                out.insert(key, value);
            }
        }
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn root() -> Value {
        let definition = serde_json::to_value(crd().unwrap()).unwrap();
        definition
            .pointer("/spec/versions/0/schema/openAPIV3Schema")
            .unwrap()
            .clone()
    }

    #[test]
    fn a_resource_without_a_spec_is_valid() {
        let root = root();
        assert_eq!(root.pointer("/properties/spec/default"), Some(&json!({})));
        assert!(
            root.get("required")
                .is_none_or(|required| !required.as_array().unwrap().contains(&json!("spec")))
        );
    }

    #[test]
    fn names_and_scope_are_those_of_the_old_definition() {
        let definition = crd().unwrap();
        assert_eq!(definition.metadata.name.as_deref(), Some("livedataprocessors.fia.com"));
        assert_eq!(definition.spec.scope, "Namespaced");
        assert_eq!(definition.spec.names.kind, "LiveDataProcessor");
        assert_eq!(definition.spec.names.short_names, Some(vec!["ldp".to_owned()]));
        assert!(
            definition.spec.versions[0]
                .subresources
                .as_ref()
                .unwrap()
                .status
                .is_some()
        );
        let columns: Vec<_> = definition.spec.versions[0]
            .additional_printer_columns
            .as_ref()
            .unwrap()
            .iter()
            .map(|column| (column.name.to_uppercase(), column.priority.unwrap_or(0)))
            .collect();
        let expected = ["INSTRUMENT", "READY", "RUN", "EVENTS", "RATE", "LAG", "SCRIPT", "AGE"]
            .map(|name| (name.to_owned(), 0))
            .into_iter()
            .chain(["ENGINE", "IMAGE", "MESSAGE"].map(|name| (name.to_owned(), 1)))
            .collect::<Vec<_>>();
        assert_eq!(columns, expected);
    }

    #[test]
    fn no_field_that_a_site_may_set_has_a_schema_default() {
        let root = root();
        let spec = root.pointer("/properties/spec/properties").unwrap();
        let mut found = Vec::new();
        fn walk(path: &str, schema: &Value, found: &mut Vec<String>) {
            let Some(schema) = schema.as_object() else { return };
            // schemars writes `default: null` for optional fields; anything else would hide the site's value.
            if schema.get("default").is_some_and(|default| !default.is_null()) {
                found.push(path.to_owned());
            }
            for (name, nested) in schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                walk(&format!("{path}.{name}"), nested, found);
            }
        }
        for (name, schema) in spec.as_object().unwrap() {
            walk(name, schema, &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn quantities_may_be_numbers_or_strings() {
        let root = root();
        let capacity = root
            .pointer("/properties/spec/properties/storage/properties/output/properties/cephFs/properties/capacity")
            .unwrap();
        assert_eq!(capacity["x-kubernetes-int-or-string"], true);
        assert_eq!(capacity["pattern"], QUANTITY);
    }

    #[test]
    fn the_values_schema_refuses_unknown_fields() {
        let schema = spec_json_schema().unwrap();
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["image"]["additionalProperties"], false);
        assert!(!schema.to_string().contains("x-kubernetes"));
    }
}
