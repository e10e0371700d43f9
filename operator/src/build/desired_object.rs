//! Kubernetes object of a plan, with a digest of its content.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::names::APPLIED_DIGEST_ANNOTATION;
use crate::object_kind::ObjectKind;

/// Kubernetes object of a plan, ready to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredObject {
    pub kind: ObjectKind,
    /// `metadata.name`.
    pub name: String,
    /// Whole object with apiVersion and kind; its annotations hold the digest.
    pub value: Value,
}

impl DesiredObject {
    pub(super) fn new(kind: ObjectKind, object: &impl Serialize) -> Result<Self, serde_json::Error> {
        let mut value = serde_json::to_value(object)?;
        let digest = digest(&value);
        let name = value
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut)
            && let Some(annotations) = metadata
                .entry("annotations")
                .or_insert_with(|| Value::Object(serde_json::Map::new()))
                .as_object_mut()
        {
            annotations.insert(APPLIED_DIGEST_ANNOTATION.into(), digest.into());
        }
        Ok(Self { kind, name, value })
    }
}

/// First 16 hexadecimal digits of the SHA-256 of an object's JSON. Equal objects have equal digests, because `serde_json`
/// writes the fields in alphabetical order.
fn digest(value: &Value) -> String {
    let hash = Sha256::digest(value.to_string().as_bytes());
    hash.iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
